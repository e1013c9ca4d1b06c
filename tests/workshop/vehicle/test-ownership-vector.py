#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""data/vectors/ecu-authentication.json computed again without any of our code: test-ownership-vector.py FILE [--write]"""

import base64
import datetime
import hashlib
import json
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

INPUTS = {
    "direction": "client-to-server",
    "vin": "1RBDM7AA2TA000001",
    "serial": "SN-BRAKE-0001",
    "serverChallenge": bytes(range(0x40, 0x60)).hex(),
    "clientChallenge": bytes(range(0xA0, 0xC0)).hex(),
    "keySeed": hashlib.sha256(b"recallbay test vector of 0x29").hexdigest(),
}


def field(data):
    return struct.pack(">H", len(data)) + data


def certificate(key):
    """Self-signed: only its bytes and its key count here. Ed25519 makes it the same each time."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Recallbay test vector")])
    begin = datetime.datetime(2026, 1, 1)
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(29)
            .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=3650)).sign(key, None)
            .public_bytes(serialization.Encoding.DER))


def vector(inputs):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(inputs["keySeed"]))
    der = certificate(key)
    fields = [inputs["direction"].encode(), inputs["vin"].encode(), inputs["serial"].encode(), bytes.fromhex(inputs["serverChallenge"]),
              bytes.fromhex(inputs["clientChallenge"]), hashlib.sha256(der).digest()]
    message = b"recallbay-0x29-v2" + b"".join(map(field, fields))
    return inputs | {"certificate": base64.b64encode(der).decode(), "message": message.hex(), "signature": key.sign(message).hex()}


COMMENT = ("SPDX-License-Identifier: Apache-2.0. Proof of ownership in Authentication (0x29): message is \"recallbay-0x29-v2\", then direction, VIN, "
           "ECU serial number, challenge of the server, challenge of the client, SHA-256(certificate of the client, DER), each field with its "
           "length as u16 big endian before it; signature is by the certificate's key, Ed25519 by keySeed.")


def main():
    text = json.dumps({"comment": COMMENT} | vector(INPUTS), indent=1) + "\n"
    if "--write" in sys.argv:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            file.write(text)
    with open(sys.argv[1], encoding="utf-8") as file:
        assert file.read() == text, "the vector in data/ is another one"


main()
