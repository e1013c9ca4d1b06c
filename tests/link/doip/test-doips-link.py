# SPDX-License-Identifier: Apache-2.0
"""DoIP over TLS: the link against OpenSSL, as openssl s_server and as Python's ssl, with certificates of every kind. What it lets
through is DoIP made with scapy.

Usage: test-doips-link.py LINK-TOOL
"""

import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

from scapy.contrib.automotive.doip import DoIP

import certificates
from certificates import CLIENT, LINK, SERVER, Holder
from entity import BRAKE, TIMEOUT, Case, Entity, Gone

VIN = "1RBDM7AA2TA000001"


def setUpModule():
    global FOLDER, MAKER, DEALERS, VEHICLE, WORKSTATION
    scratch = tempfile.TemporaryDirectory(prefix="recallbay-doips-")
    unittest.addModuleCleanup(scratch.cleanup)
    FOLDER = pathlib.Path(scratch.name)
    MAKER, DEALERS = certificates.authority("Maker CA"), certificates.authority("Dealer CA")
    VEHICLE, WORKSTATION = Holder(VIN, MAKER, [SERVER]), Holder("Workstation", DEALERS, [LINK])


def write(name, text):
    path = FOLDER / name
    path.write_text(text)
    return path


class Secured(Entity):
    """Python's ssl on the vehicle's side."""
    SCHEME = "doips"

    def __init__(self, script, holder=None, tune=lambda context: None, **options):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tune(self.context)
        self.context.load_cert_chain(write("vehicle.pem", (holder or VEHICLE).identity_pem))
        self.version = None
        super().__init__(script, **options)

    def wrap(self, plain):
        try:
            secured = self.context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError) as problem:
            plain.close()
            raise Gone from problem
        self.version = secured.version()
        return secured


class OpensslServer(Entity):
    """openssl s_server on the vehicle's side: DoIP goes through its standard input and output. It asks for the workstation's certificate."""

    def __init__(self, script, *arguments, holder=None, clients=None):
        self.script, self.status, self.code, self.failure, self.finished = script, 4096, 0x10, None, threading.Event()
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert_chain", write("chain.pem", (holder or VEHICLE).chain_pem),
                   "-cert", write("cert.pem", (holder or VEHICLE).pem), "-key", write("key.pem", (holder or VEHICLE).key_pem),
                   "-CAfile", write("clients.pem", (clients or DEALERS).pem), "-Verify", "3", "-verify_return_error", "-purpose", "any",
                   *arguments]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = b""
        while not line.startswith(b"ACCEPT"):
            line = self.server.stdout.readline()
            assert line, "openssl s_server does not start"
        self.link = f"doips://127.0.0.1:{line.decode().strip().rsplit(':', 1)[1]}"

    def close(self):
        self.server.kill()
        self.server.communicate(timeout=TIMEOUT)

    def said(self):
        """What openssl says until it ends."""
        return self.server.communicate(timeout=TIMEOUT)[0].decode(errors="replace")


class Base(Case):
    ENTITY = Secured

    def keys(self, holder=None, anchors=None):
        return (str(write("identity.pem", (holder or WORKSTATION).identity_pem)),
                str(write("anchors.pem", (anchors or MAKER).pem)))

    def open(self, link, *keys):
        return super().open(link, *(keys or self.keys()))

    def refused(self, line, word, *texts):
        self.assertEqual(line.split(" ")[0], word, line)
        for text in texts:
            self.assertIn(text, line)


class Versions(Base):
    def only(self, version):
        def tune(context):
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
        return tune

    def test_tls_1_2_and_1_3(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            def script(entity):
                entity.request()
                entity.answer(b"\x7e\0")
            entity = self.entity(script, tune=self.only(version))
            with self.subTest(version=name):
                self.assertEqual(self.open(entity.link), f"open doips 1000 4096 {VIN}")
                self.assertEqual(entity.version, name)
                self.tell(f"channel {BRAKE:04x}")
                self.assertEqual(self.tell("send 3e00"), "ok")
                self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_older_ones_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version=version):
                self.old_client_is_taken(version)
                entity = self.entity(lambda entity: None, tune=self.only(version))
                self.refused(self.open(entity.link), "tls-refused", "no TLS connection")

    def old_client_is_taken(self, version):
        """By the same server: it is the version that ours does not like."""
        entity = self.entity(lambda entity: None, tune=self.only(version), activate=None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.only(version)(context)
        with socket.create_connection(entity.listener.getsockname(), TIMEOUT) as plain, context.wrap_socket(plain) as client:
            self.assertIn(client.version(), ("TLSv1", "TLSv1.1"))

    def test_no_tls_at_all(self):
        plain = Entity(lambda entity: None, activate=None)
        self.addCleanup(plain.close)
        self.refused(self.open(plain.link.replace("doip:", "doips:")), "tls-refused")

    def test_speaks_doip_without_tls(self):
        plain = Entity(lambda entity: entity.send(payload_type=7), activate=None)
        self.addCleanup(plain.close)
        self.refused(self.open(plain.link.replace("doip:", "doips:")), "tls-refused")

    def test_silence(self):
        """The connection is taken and nothing is said on it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.refused(self.open(f"doips://127.0.0.1:{listener.getsockname()[1]}"), "tls-refused", "does not answer")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.refused(self.open(f"doips://127.0.0.1:{port}"), "link-refused")


class VehicleCertificate(Base):
    def with_vehicle(self, holder, anchors=None):
        entity = self.entity(lambda entity: None, holder=holder, tune=lambda context: context.set_ciphers("ALL:@SECLEVEL=0"))
        return self.open(entity.link, *self.keys(anchors=anchors))

    def test_good_ones(self):
        between = certificates.authority("Plant CA", MAKER)
        for name, holder, vin in (("direct", VEHICLE, " " + VIN), ("by an authority between", Holder(VIN, between, [SERVER]), " " + VIN),
                                  ("no usage said", Holder(VIN, MAKER), " " + VIN), ("no VIN", Holder("gateway", MAKER, [SERVER]), ""),
                                  ("no VIN but as long", Holder("OABCDEFGHIJKLMNOP", MAKER, [SERVER]), "")):
            with self.subTest(name):
                self.assertEqual(self.with_vehicle(holder), "open doips 1000 4096" + vin)

    def test_an_authority_between_may_be_the_anchor(self):
        between = certificates.authority("Plant CA", MAKER)
        self.assertRegex(self.with_vehicle(Holder(VIN, between, [SERVER]), between), "^open doips")

    def test_bad_ones(self):
        other = certificates.authority("Maker CA")  # the same name, another key
        bad = {
            "of nobody": (certificates.Holder(VIN, None, [SERVER]), "self-signed"),
            "of another authority": (Holder(VIN, other, [SERVER]), "issuer certificate"),
            "of the dealers' authority": (Holder(VIN, DEALERS, [SERVER]), "issuer certificate"),
            "expired": (Holder(VIN, MAKER, [SERVER], starts=-30, ends=-1), "expired"),
            "not yet valid": (Holder(VIN, MAKER, [SERVER], starts=1), "not yet valid"),
            "a client's": (Holder(VIN, MAKER, [CLIENT]), "purpose"),
            "a workstation's": (Holder(VIN, MAKER, [LINK]), "purpose"),
            "by one who is no authority": (Holder(VIN, Holder("1RBDM7AA2TA000002", MAKER, [SERVER]), [SERVER]), ""),
            "by an expired authority": (Holder(VIN, certificates.authority("Old CA", MAKER, starts=-30, ends=-1), [SERVER]), "expired"),
            "with a weak key": (Holder(VIN, MAKER, [SERVER], key=certificates.small_rsa()), "too weak"),
            "with SHA-1": (certificates.with_sha1(Holder(VIN, MAKER, [SERVER])), "too weak"),
        }
        for name, (holder, text) in bad.items():
            with self.subTest(name):
                self.refused(self.with_vehicle(holder), "vehicle-certificate", "certificate is refused", text)


class WorkstationCertificate(Base):
    def with_openssl(self, holder, *arguments):
        entity = OpensslServer(lambda entity: None, *arguments)
        self.addCleanup(entity.close)
        line = self.open(entity.link, *self.keys(holder))
        return line, entity

    def test_openssl_takes_ours(self):
        for version in ("-tls1_2", "-tls1_3"):
            line, entity = self.with_openssl(WORKSTATION, version)
            # nobody answers DoIP there, but openssl has taken both certificates
            self.refused(line, "link-refused", "does not answer the routing activation")
            self.end(self.tool)
            said = entity.said()
            with self.subTest(version):
                self.assertRegex(said, "CN ?= ?Workstation")  # openssl 3.2 writes no spaces
                self.assertNotIn("verify error", said)

    def test_openssl_refuses_others(self):
        other = certificates.authority("Dealer CA")
        for version in ("-tls1_2", "-tls1_3"):
            for name, holder in (("another authority", Holder("Workstation", other, [LINK])),
                                 ("expired", Holder("Workstation", DEALERS, [LINK], starts=-30, ends=-1))):
                line, entity = self.with_openssl(holder, version)
                with self.subTest(name, version=version):
                    self.refused(line, "tls-refused")
                    self.assertIn("verify error", entity.said())

    def test_is_not_shown_to_strangers(self):
        """A vehicle whose certificate is refused does not even learn who asked."""
        other = certificates.authority("Maker CA")
        for version in ("-tls1_2", "-tls1_3"):
            entity = OpensslServer(lambda entity: None, version, holder=Holder(VIN, other, [SERVER]))
            self.addCleanup(entity.close)
            line = self.open(entity.link)
            with self.subTest(version):
                self.refused(line, "vehicle-certificate")
                said = entity.said()
                self.assertNotIn("Workstation", said)

    def test_a_key_that_is_none(self):
        entity = self.entity(lambda entity: None)
        for name, identity, anchors in (("no key", WORKSTATION.pem, MAKER.pem), ("no certificate", WORKSTATION.key_pem, MAKER.pem),
                                        ("nothing", "", MAKER.pem), ("no anchors", WORKSTATION.identity_pem, ""),
                                        ("anchors are a key", WORKSTATION.identity_pem, MAKER.key_pem),
                                        ("key of another", VEHICLE.key_pem + WORKSTATION.pem, MAKER.pem)):
            line = self.open(entity.link, write("i.pem", identity), write("a.pem", anchors))
            with self.subTest(name):
                self.assertIn(line.split(" ")[0], ("identity", "tls-refused"))
            if name != "key of another":
                self.assertEqual(line.split(" ")[0], "identity", name)

    def test_no_keys_given(self):
        entity = self.entity(lambda entity: None)
        line = Case.open(self, entity.link)
        self.refused(line, "identity", "needs the workstation's identity")


class Asking(Base):
    """What the other test says of the link without TLS holds, where TLS could make a difference."""

    def use(self, script, **options):
        entity = self.entity(script, **options)
        self.assertRegex(self.open(entity.link), "^open doips 1000 ")
        self.assertEqual(self.tell(f"channel {BRAKE:04x}"), f"ok {BRAKE:04x}")
        return entity

    def test_in_single_records(self):
        def script(entity):
            entity.request()
            message = struct.pack("!BBHIHH", 2, 0xFD, 0x8001, 10, BRAKE, 0x0E80) + b"\x62\xf1\x90ABC"
            for byte in message:
                entity.raw(bytes([byte]))
        self.use(script)
        self.tell("send 22f190")
        self.assertEqual(self.tell("receive 5000"), "ok 62f190414243")

    def test_joined_and_larger_than_a_record(self):
        body = bytes(range(256)) * 200

        def script(entity):
            assert entity.request(ack=False) == body
            ack = bytes(DoIP(payload_type=0x8002, source_address=BRAKE, target_address=0x0E80, ack_code=0))
            entity.raw(ack + struct.pack("!BBHIHH", 2, 0xFD, 0x8001, 4 + len(body), BRAKE, 0x0E80) + body[::-1])
        self.use(script, status=70000)
        self.assertEqual(self.tell("send " + body.hex()), "ok")
        self.assertEqual(self.tell("receive 10000"), "ok " + body[::-1].hex())

    def test_both_ways_at_once(self):
        """While the tester sends, the vehicle does too: one thread reads the TLS stream and another writes it."""
        def script(entity):
            entity.request()
            for number in range(300):
                entity.answer(struct.pack("!BH", 0x62, number), source=BRAKE)
                assert entity.request() == struct.pack("!BH", 0x22, number)
        self.use(script)
        self.assertEqual(self.tell("send 3e00"), "ok")
        for number in range(300):
            self.assertEqual(self.tell(f"send 22{number:04x}"), "ok")
        for number in range(300):
            self.assertEqual(self.tell("receive 5000"), f"ok 62{number:04x}")

    def test_alive_check(self):
        def script(entity):
            entity.send(payload_type=7)
            packet = entity.receive()
            assert (packet.payload_type, packet.source_address) == (8, 0x0E80), packet.summary()
            entity.alive.set()
            entity.request()
            entity.answer(b"\x7e\0")
        entity = self.use(script)
        self.assertTrue(entity.alive.wait(TIMEOUT))
        self.tell("send 3e00")
        self.assertEqual(self.tell("receive 5000"), "ok 7e00")

    def test_ends(self):
        for how in (Entity.end, Entity.reset, lambda entity: entity.socket.unwrap()):
            self.use(lambda entity, how=how: (entity.request(), how(entity)))
            self.assertEqual(self.tell("send 3e00"), "ok")
            self.reason("receive 10000", "link-lost")
            self.reason("send 3e00", "link-lost")
            self.assertEqual(self.tell("alive"), "ok no")

    def test_activation_over_tls_is_refused(self):
        for code, word in ((0x00, "link-refused"), (0x04, "link-refused"), (0x07, "tls-required")):
            entity = self.entity(lambda entity: None, activate=code)
            self.refused(self.open(entity.link), word, f"code {code:02x}")


if __name__ == "__main__":
    unittest.main()
