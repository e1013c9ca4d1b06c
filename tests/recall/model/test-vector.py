#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""data/vectors/proof-of-possession.json computed again without any of our code: test-vector.py FILE [--write]"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from nacl.signing import SigningKey

INPUTS = {
    "campaign": "R-2026-07",
    "campaignNonce": bytes(range(0x40, 0x60)).hex(),
    "vin": "1RBDM7AA2TA000001",
    "serial": "SN-BRAKE-0001",
    "challenge": bytes(range(0xA0, 0xB0)).hex(),
    "keySeed": hashlib.sha256(b"recallbay test vector key").hexdigest(),
}


def field(data):
    return struct.pack(">H", len(data)) + data


def hkdf_sha256(ikm, info, length):
    """RFC 5869 without salt"""
    prk = hmac.new(bytes(32), ikm, hashlib.sha256).digest()
    okm, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        okm += block
    return okm[:length]


def pae(payload_type, body):
    """DSSE v1.0"""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(body), body)


def vector(inputs):
    key = SigningKey(bytes.fromhex(inputs["keySeed"]))
    spki = bytes.fromhex("302a300506032b6570032100") + bytes(key.verify_key)
    vin, serial = inputs["vin"].encode(), inputs["serial"].encode()
    nonce = hkdf_sha256(bytes.fromhex(inputs["campaignNonce"]), vin + serial, 32)
    fields = [vin, serial, hashlib.sha256(spki).digest(), inputs["campaign"].encode(), nonce, bytes.fromhex(inputs["challenge"])]
    message = pae(b"recallbay-pop-v1", b"".join(map(field, fields)))
    return inputs | {
        "spki": base64.b64encode(spki).decode(),
        "nonce": nonce.hex(),
        "message": message.hex(),
        "signature": key.sign(message).signature.hex(),
    }


COMMENT = ("SPDX-License-Identifier: Apache-2.0. Proof of possession of a new ECU key: message is PAE(\"recallbay-pop-v1\", VIN, serial, "
           "SHA-256(SPKI), campaign, nonce, challenge), each field with its length as u16 big endian before it; nonce is "
           "HKDF-SHA256(campaignNonce, no salt, VIN || serial, 32); signature is Ed25519 by keySeed.")


def main():
    text = json.dumps({"comment": COMMENT} | vector(INPUTS), indent=1) + "\n"
    if "--write" in sys.argv:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            file.write(text)
    with open(sys.argv[1], encoding="utf-8") as file:
        assert file.read() == text, "the vector in data/ is another one"


main()
