# SPDX-License-Identifier: Apache-2.0
"""recallctl on a vehicle that takes TLS only: what it needs for that, and what it refuses.

Usage: test-doips.py BUILD
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "link/doip"))
from bench import Bench
from certificates import SERVER, Holder, authority
from service import Service

BUILD = sys.argv.pop(1)


class Doips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Bench(BUILD, way="doips")
        cls.addClassCleanup(cls.bench.close)
        cls.bench.start()
        cls.bench.trust_and_import()

    def identify(self, *options, link=None, expect=1):
        return self.bench.ctl("identify", "--link", link or self.bench.link, *options, expect=expect)

    def keys(self, workstation=None):
        return ["--workstation", workstation or self.bench.oem / "workstation.pem", "--passphrase-file", self.bench.oem / "passphrase"]

    def anchors(self, path=None):
        return ["--vehicle-ca", path or self.bench.oem / "vehicle-ca.pem"]

    def test_all_that_is_needed(self):
        found = self.identify(*self.bench.secured(), expect=0)
        self.assertEqual(found["vin"], self.bench.vin)
        self.assertEqual(len(found["ecus"]), 7)

    def test_tls_is_required(self):
        plain = json.loads(self.bench.run("recallctl", "--json", "--data-dir", self.bench.data, "links").splitlines()[-1])
        self.assertIn("links", plain)
        verdict = self.identify(link=f"doip://{self.bench.plain}")
        self.assertEqual(verdict["reason"], "tls-required")
        out = self.bench.run("recallctl", "--data-dir", self.bench.data, "recover", *self.bench.recover_arguments(link=f"doip://{self.bench.plain}")[1:],
                             expect=1)
        self.assertEqual(self.bench.wrote(), [], out)

    def test_without_the_workstations_key(self):
        self.assertEqual(self.identify(*self.anchors())["reason"], "identity")
        inspect = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json",
                                 *self.anchors(), expect=1)
        self.assertEqual(inspect["reason"], "identity")

    def test_with_a_persons_key(self):
        self.assertEqual(self.identify(*self.keys(self.bench.oem / "technician.p12"), *self.anchors())["reason"], "key-usage")

    def test_without_anchors(self):
        verdict = self.identify(*self.keys())
        self.assertEqual(verdict["reason"], "not-found")
        self.assertIn("vehicle-ca", verdict["message"])

    def test_anchors_of_others(self):
        for name in ("dealer-ca.pem", "intake-ca.pem"):
            with self.subTest(name):
                self.assertEqual(self.identify(*self.keys(), *self.anchors(self.bench.oem / name))["reason"], "vehicle-certificate")

    def test_anchors_in_the_data_folder(self):
        usual = self.bench.data / "vehicle-ca.pem"
        usual.write_text((self.bench.oem / "vehicle-ca.pem").read_text())
        self.addCleanup(usual.unlink)
        self.assertEqual(self.identify(*self.keys(), expect=0)["vin"], self.bench.vin)

    def test_inspection(self):
        verdict = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                 self.bench.oem / "answers.json", *self.bench.secured())
        self.assertTrue(verdict["ok"], verdict)


class Vehicles(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(BUILD, way="doips")
        self.addCleanup(self.bench.close)

    def test_certificate_of_another_vehicle(self):
        """The ECUs say the VIN on the plate, the certificate says another: the plug may go elsewhere."""
        self.bench.start(vin="1RBDM7AA2TA000002")
        verdict = self.bench.ctl("identify", "--link", self.bench.link, *self.bench.secured(), expect=1)
        self.assertEqual(verdict["reason"], "vin-mismatch")
        self.assertIn("certificate is for " + self.bench.vin, verdict["message"])
        self.bench.trust_and_import()
        verdict = self.bench.recover(expect=1, vin="1RBDM7AA2TA000002")
        self.assertIn(verdict["reason"], ("vin-mismatch", "not-in-scope"))
        self.assertEqual(self.bench.wrote(), [])

    def anonymous(self):
        """The vehicle has a certificate without a VIN, of an authority that vouches for vehicles."""
        maker = authority("Vehicle CA")
        (self.bench.oem / "vehicle-ca.pem").write_text(maker.pem)
        (self.bench.oem / "vehicle" / "doip" / "vehicle.pem").write_text(Holder("Telematics unit", maker, [SERVER]).identity_pem)

    def test_certificate_without_vin(self):
        """It would be good for any vehicle of the OEM: refused, and nothing is written."""
        self.anonymous()
        self.bench.start()
        for imported in (False, True):
            if imported:
                self.bench.trust_and_import()
            verdict = self.bench.ctl("identify", "--link", self.bench.link, *self.bench.secured(), expect=1)
            self.assertEqual(verdict["reason"], "vehicle-certificate")
        inspect = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                 self.bench.oem / "answers.json", *self.bench.secured(), expect=1)
        self.assertEqual(inspect["reason"], "vehicle-certificate")
        self.assertEqual(self.bench.recover(expect=1)["reason"], "vehicle-certificate")
        self.assertEqual(self.bench.wrote(), [])

    def test_certificate_without_vin_that_the_model_allows(self):
        self.anonymous()
        service = Service(self.bench.oem)
        model = next(path for path in service.targets if path.startswith("models/"))
        service.targets[model] = json.dumps({**json.loads(service.targets[model]), "link": {"vehicle_certificate": "any"}}).encode()
        service.publish()
        self.bench.start()
        self.bench.trust_and_import()
        self.assertEqual(self.bench.ctl("identify", "--link", self.bench.link, *self.bench.secured())["vin"], self.bench.vin)
        self.assertTrue(self.bench.recover()["ok"])
        self.assertEqual(self.bench.differences(), [])

    def test_dealer_authority_is_not_the_vehicles(self):
        self.bench.start()
        testers = self.bench.state / "doip" / "testers.pem"
        testers.write_text((self.bench.oem / "vehicle-ca.pem").read_text())
        self.bench.stop()
        self.bench.start()
        verdict = self.bench.ctl("identify", "--link", self.bench.link, *self.bench.secured(), expect=1)
        self.assertEqual(verdict["reason"], "tls-refused", verdict)

    def test_connection_is_lost_in_a_transfer(self):
        """TLS is begun anew on each connection, and the image goes on."""
        self.bench.start("--fault", "door:drop-link@2")
        self.bench.trust_and_import()
        verdict = self.bench.recover(link_timeout=20)
        self.assertEqual(verdict["result"], "completed", verdict)
        self.assertEqual(self.bench.differences(), [])


if __name__ == "__main__":
    unittest.main()
