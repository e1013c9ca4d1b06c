# SPDX-License-Identifier: Apache-2.0
"""recall-sim as a DoIP entity with TLS, asked by OpenSSL (Python's ssl and openssl s_client) with DoIP and UDS of scapy.

Usage: test-doips.py BUILD
"""

import pathlib
import socket
import ssl
import subprocess
import sys
import unittest

from cryptography.hazmat.primitives import serialization
from scapy.contrib.automotive.doip import DoIP
from scapy.contrib.automotive.uds import UDS, UDS_RDBI

import tester
from tester import Closed, Demo, Ecu, Tester, Vehicle

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "link/doip"))
import certificates
from certificates import CLIENT, LINK, Holder

BUILD = sys.argv.pop(1)
ECU_AUTHENTICATION = "1.3.6.1.4.1.58270.77.4"


def setUpModule():
    global DEMO, CAR, DEALERS
    DEMO = Demo(BUILD)
    unittest.addModuleCleanup(DEMO.close)
    DEALERS = certificates.authority("Dealer CA")
    # beside the demo's dealers the vehicle takes those whose key is in this test
    testers = DEMO.oem / "vehicle" / "doip" / "testers.pem"
    testers.write_text(testers.read_text() + DEALERS.pem)
    CAR = Vehicle(DEMO, "--doips", "127.0.0.1:0")
    unittest.addModuleCleanup(CAR.stop)


def write(name, text):
    path = DEMO.root / name
    path.write_text(text)
    return path


def workstation():
    """The demo's own key for vehicle links."""
    der, key = DEMO.identity(LINK)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode() + ssl.DER_cert_to_PEM_cert(der)


class Secured(Tester):
    def __init__(self, vehicle, identity=None, version=None, check=True, **options):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.load_verify_locations(vehicle.demo.oem / "vehicle-ca.pem")
        if not check:
            self.context.verify_mode = ssl.CERT_NONE
        if version is not None:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = self.context.maximum_version = version
        if identity is None:
            identity = workstation()
        if identity:
            self.context.load_cert_chain(write("tester.pem", identity))
        super().__init__(vehicle, **options)

    def connect(self):
        plain = socket.create_connection(self.vehicle.secured, tester.TIMEOUT)
        try:
            return self.context.wrap_socket(plain)
        except OSError:
            plain.close()
            raise

    def exactly(self, length):
        try:
            return super().exactly(length)
        except ssl.SSLError as problem:
            raise Closed(str(problem)) from None


class Certificates(unittest.TestCase):
    def refused(self, identity, **options):
        """Before a DoIP message is answered: by the handshake, or with TLS 1.3 by what follows it."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version), self.assertRaises((ssl.SSLError, Closed, ConnectionResetError, BrokenPipeError)):
                Secured(CAR, identity, version, **options).close()
        with Secured(CAR):
            pass

    def test_the_workstations(self):
        with Secured(CAR) as link:
            subject = dict(part[0] for part in link.socket.getpeercert()["subject"])
            self.assertEqual(subject["commonName"], DEMO.vin)

    def test_of_the_other_authority(self):
        with Secured(CAR, Holder("other", DEALERS, [LINK]).identity_pem):
            pass
        between = certificates.authority("Region CA", DEALERS)
        with Secured(CAR, Holder("other", between, [LINK]).identity_pem):
            pass

    def test_none(self):
        self.refused("")

    def test_for_another_purpose(self):
        for usage in ([CLIENT], [ECU_AUTHENTICATION], ["1.3.6.1.4.1.58270.77.2"], [certificates.SERVER], None):
            with self.subTest(usage=usage):
                self.refused(Holder("other", DEALERS, usage).identity_pem)

    def test_not_of_this_time(self):
        self.refused(Holder("other", DEALERS, [LINK], starts=-30, ends=-1).identity_pem)
        self.refused(Holder("other", DEALERS, [LINK], starts=1).identity_pem)

    def test_of_nobody(self):
        self.refused(Holder("other", certificates.authority("Dealer CA"), [LINK]).identity_pem)
        self.refused(Holder("other", None, [LINK]).identity_pem)
        self.refused(Holder("other", Holder("no authority", DEALERS, [LINK]), [LINK]).identity_pem)

    def test_the_vehicles_own_is_not_a_testers(self):
        self.refused((DEMO.oem / "vehicle" / "doip" / "vehicle.pem").read_text())


class Tls(unittest.TestCase):
    def test_versions(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with Secured(CAR, version=version) as link:
                self.assertEqual(link.socket.version(), name)

    def test_older_ones_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version=version), self.assertRaises((ssl.SSLError, Closed, ConnectionResetError, BrokenPipeError)):
                Secured(CAR, version=version, check=False).close()

    def test_openssl_s_client(self):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", "%s:%d" % CAR.secured, "-CAfile", DEMO.oem / "vehicle-ca.pem", "-verify_return_error",
             "-cert", write("s_client.pem", workstation()), "-key", write("s_client.pem", workstation())],
            input=b"", capture_output=True, timeout=tester.TIMEOUT, check=False)
        out = done.stdout.decode()
        self.assertEqual(done.returncode, 0, out + done.stderr.decode())
        self.assertIn("Verify return code: 0 (ok)", out)
        self.assertIn(DEMO.vin, out)

    def test_no_tls(self):
        with socket.create_connection(CAR.secured, tester.TIMEOUT) as plain:
            plain.sendall(bytes(DoIP(payload_type=5, source_address=0x0E80)))
            got = b""
            try:
                while more := plain.recv(100):
                    got += more
            except ConnectionResetError:
                pass
            self.assertNotIn(b"\x02\xfd", got)

    def test_silent_testers_do_not_keep_others_out(self):
        silent = [socket.create_connection(CAR.secured, tester.TIMEOUT) for _ in range(12)]
        with Secured(CAR) as link:
            self.assertEqual(Ecu(link, DEMO.address("brake")).ask(UDS() / UDS_RDBI(identifiers=[0xF190]))[3:].decode(), DEMO.vin)
        for one in silent:
            one.close()


class Messages(unittest.TestCase):
    def test_without_tls_it_is_asked_for(self):
        with Tester(CAR, activate=False) as link:
            self.assertEqual(link.activate().routing_activation_response, 0x07)
            self.assertTrue(link.is_closed())

    def test_identifier(self):
        with Secured(CAR) as link:
            answer = Ecu(link, DEMO.address("brake")).ask(UDS() / UDS_RDBI(identifiers=[0xF190]))
            self.assertEqual(answer[3:].decode(), DEMO.vin)

    def test_status_power_and_refusals(self):
        with Secured(CAR) as link:
            self.assertEqual(link.ask(payload_type=0x4001).node_type, 0)
            self.assertEqual(link.ask(payload_type=0x4003).diagnostic_power_mode, 1)
            link.diagnostic(0x7ABC, b"\x3e\0")
            packet = link.receive()
            self.assertEqual((packet.payload_type, packet.nack_code), (0x8003, 3))

    def test_split_and_joined(self):
        """Every byte a TLS record of its own, and many messages in one."""
        with Secured(CAR) as link:
            request = bytes(DoIP(payload_type=0x8001, source_address=0x0E80, target_address=DEMO.address("brake"))) 
            message = request[:4] + (6).to_bytes(4, "big") + request[8:12] + b"\x3e\0"
            for byte in message:
                link.socket.sendall(bytes([byte]))
            self.assertEqual([link.receive().payload_type for _ in range(2)], [0x8002, 0x8001])
            link.socket.sendall(message * 50)
            self.assertEqual([link.receive().payload_type for _ in range(100)], [0x8002, 0x8001] * 50)

    def test_larger_than_a_record(self):
        """More than TLS puts into a record, so that some of it waits where the socket does not show it."""
        with Secured(CAR) as link:
            uds = b"\x3e\0" + bytes(60000)
            link.diagnostic(DEMO.address("brake"), uds)
            self.assertEqual(link.receive().payload_type, 0x8002)
            packet = link.receive()
            self.assertEqual((packet.payload_type, bytes(packet.payload)[:3]), (0x8001, b"\x7f\x3e\x13"))

    def test_one_address_twice(self):
        with Secured(CAR) as first, Secured(CAR, activate=False) as second:
            second.send(DoIP(payload_type=5, source_address=0x0E80))
            self.assertEqual(first.receive().payload_type, 7)
            first.send(DoIP(payload_type=8, source_address=0x0E80))
            self.assertEqual(second.receive().routing_activation_response, 0x03)


class Starting(unittest.TestCase):
    def test_only_secured(self):
        with Vehicle(DEMO, "--doips", "127.0.0.1:0") as vehicle:
            with Secured(vehicle):
                pass
            mode = (pathlib.Path(vehicle.state) / "doip" / "vehicle.pem").stat().st_mode
            self.assertEqual(mode & 0o077, 0, "the vehicle's key is its own")

    def test_a_vehicle_without_certificate(self):
        state = CAR.copy_of_state()
        (state / "doip" / "vehicle.pem").unlink()
        done = subprocess.run([DEMO.bin / "recall-sim", "--model", DEMO.oem / "vehicle.json", "--state", state, "--doips", "127.0.0.1:0"],
                              capture_output=True, text=True, timeout=tester.TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("vehicle.pem", done.stderr)


if __name__ == "__main__":
    unittest.main()
