#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may sign, and for which vehicles an OEM may speak: judged by its trust list before anything is written.
Usage: test-trust.py BUILD"""
import base64
import json
import pathlib
import sys
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "link/doip"))
from bench import Bench
from certificates import Holder, authority
from service import LIST, Service, moment

BUILD = sys.argv.pop(1)
TECHNICIAN, WORKSTATION, LINK, AUTHENTICATION, AGREEMENT = (f"1.3.6.1.4.1.58270.77.{number}" for number in range(1, 6))
OTHER_VIN = "2RBDM7AA0TA000001"


class Trust(unittest.TestCase):
    demo = ()

    def setUp(self):
        self.bench = Bench(BUILD, demo=self.demo)
        self.addCleanup(self.bench.close)
        self.service = Service(self.bench.oem)
        self.dealers = authority("Northern Dealers")
        self.service.add_dealer_ca(self.dealers)

    def ready(self, **changes):
        self.service.publish(**changes)
        self.bench.start()
        self.bench.trust_and_import()

    def write(self, name, text):
        path = self.bench.root / name
        path.write_text(text)
        return path

    def person(self, name="Alex Kim", issuer=None, usage=(TECHNICIAN,), **options):
        """An identity file and its certificate."""
        holder = Holder(name, issuer or self.dealers, list(usage), **options)
        return self.write(f"{name}.pem", holder.identity_pem + holder.issuer.pem), holder.certificate

    def passphrase(self, oem=None):
        return ((oem or self.bench.oem) / "passphrase").read_text().strip().encode()

    def technician(self, oem=None, name="technician"):
        """The demo's: key, certificate, its CA's certificate."""
        key, own, others = pkcs12.load_key_and_certificates(((oem or self.bench.oem) / f"{name}.p12").read_bytes(), self.passphrase(oem))
        return key, own, others[0]

    def dealer_ca(self):
        return x509.load_pem_x509_certificate((self.bench.oem / "dealer-ca.pem").read_bytes())

    def station(self):
        """The certificates of the workstation: record, upload, vehicle link, ECU authentication, key agreement."""
        text = (self.bench.oem / "workstation.pem").read_text()
        begin = "-----BEGIN CERTIFICATE-----"
        return [x509.load_pem_x509_certificate((begin + part).encode()) for part in text.split(begin)[1:]]

    def refused(self, reason, expect=1, **arguments):
        """Nothing is written, and no record is made."""
        before, records = len(self.bench.events()), len(self.bench.ctl("record", "list")["records"])
        verdict = self.bench.recover(expect=expect, **arguments)
        self.assertEqual((verdict["ok"], verdict["reason"], verdict["writes"]), (False, reason, 0), verdict)
        self.assertEqual(self.bench.wrote(since=before), [])
        self.assertEqual(len(self.bench.ctl("record", "list")["records"]), records)
        return verdict

    def check(self, vin=None, expect=0):
        """campaign check: campaigns offered; reasons of the others."""
        verdict = self.bench.ctl("campaign", "check", vin or self.bench.vin, expect=expect)
        return [row["campaign"] for row in verdict["campaigns"]], [row["reason"] for row in verdict["unusable"]]

    def finishes(self, **arguments):
        verdict = self.bench.recover(**arguments)
        self.assertEqual((verdict["ok"], verdict["result"]), (True, "completed"), verdict)
        self.assertEqual(self.bench.differences(), [])

    def begin(self):
        """A vehicle on which the work has begun and was cut off."""
        self.bench.kill_recover_after(60)
        self.assertNotEqual(self.bench.wrote(), [])
        self.assertNotEqual(self.bench.differences(), [])

    def publish_next(self, **changes):
        self.bench.ctl("bundle", "import", self.service.publish("next.recall", **changes))


class Signers(Trust):
    def test_own_certificate_authority(self):
        """A self-made CA issues a technician, a second person, a workstation: none of them is known to the OEM."""
        self.ready()
        impostor = authority("Aurora Motors Dealer CA")
        person, _ = self.person(issuer=impostor)
        verdict = self.refused("signer-not-trusted", identity=person)
        self.assertIn("Aurora Motors", verdict["message"])
        self.refused("signer-not-trusted", second=person)
        for usage in ((WORKSTATION,), (AUTHENTICATION,)):
            keys = {name: Holder(name, impostor if [name] == list(usage) else self.dealers, [name]).identity_pem
                    for name in (WORKSTATION, AUTHENTICATION, AGREEMENT)}
            with self.subTest(usage=usage):
                self.refused("signer-not-trusted", workstation=self.write("station.pem", "".join(keys.values())))
        self.refused("signer-not-trusted", identity=self.write("alone.pem", Holder("Alex Kim", None, [TECHNICIAN]).identity_pem))
        self.finishes()

    def test_technician_of_another_oem(self):
        self.ready()
        other = Bench(BUILD)
        self.addCleanup(other.close)
        key, own, _ = self.technician(other.oem)
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        person = self.write("other.pem", pem + own.public_bytes(serialization.Encoding.PEM).decode() + (other.oem / "dealer-ca.pem").read_text())
        self.refused("signer-not-trusted", identity=person)

    def test_technician_of_a_second_dealer_ca(self):
        self.ready()
        person, _ = self.person()
        self.finishes(identity=person)

    def test_expired_and_other_purpose(self):
        self.ready()
        self.refused("certificate-expired", identity=self.person(starts=-20, ends=-1)[0])
        self.refused("certificate-expired", identity=self.person(starts=2, ends=20)[0])
        self.refused("key-usage", identity=self.person(usage=(WORKSTATION,))[0])
        self.refused("key-usage", identity=self.person(usage=(TECHNICIAN, WORKSTATION))[0])

    def test_revoked(self):
        """Each signer and each key of the workstation; not another certificate of the same person, and not before its time."""
        self.ready()
        person, certificate = self.person()
        _, own, issuer = self.technician()
        station = self.station()
        revoked = {"technician": [self.service.revoked(own, issuer)], "second": [self.service.revoked(certificate, self.dealers.certificate)]}
        for number in (0, 3, 4):  # record, ECU authentication, key agreement
            revoked[f"workstation {number}"] = [self.service.revoked(station[number], issuer)]
        for who, entries in revoked.items():
            with self.subTest(who):
                self.publish_next(revoked=entries)
                verdict = self.refused("signer-not-trusted", second=person)
                self.assertIn("revoked", verdict["message"])
        self.publish_next(revoked=[self.service.revoked(own, self.dealers.certificate), self.service.revoked(own, issuer, since=1)])
        self.finishes(second=person)

    def test_inspection_with_a_revoked_workstation(self):
        self.ready(minimum_version="0.1.0")
        station = self.station()
        self.publish_next(revoked=[self.service.revoked(station[2], self.dealer_ca())])
        inspect = ["inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers", self.bench.oem / "answers.json"]
        verdict = self.bench.ctl(*inspect, "--workstation", self.bench.oem / "workstation.pem", "--passphrase-file",
                                 self.bench.oem / "passphrase", expect=1)
        self.assertEqual(verdict["reason"], "signer-not-trusted")
        self.assertTrue(self.bench.ctl(*inspect)["ok"])

    def test_revoked_while_the_vehicle_is_open(self):
        """A stale list is forgiven a started vehicle, a revocation is not; another person finishes it."""
        self.ready()
        self.begin()
        _, own, issuer = self.technician()
        self.publish_next(revoked=[self.service.revoked(own, issuer)], issued=moment(-40))
        self.refused("signer-not-trusted", expect=3)
        self.finishes(identity=self.person()[0])


class Lists(Trust):
    def test_none(self):
        self.ready(without=[LIST])
        self.assertEqual(self.check(expect=1), ([], ["trust-list-missing"]))
        self.refused("trust-list-missing")
        inspect = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                 self.bench.oem / "answers.json", expect=1)
        self.assertEqual(inspect["reason"], "trust-list-missing")
        self.publish_next()
        self.finishes()

    def test_stale(self):
        self.ready(issued=moment(-31))
        self.assertEqual(self.check(expect=1), ([], ["trust-list-expired"]))
        self.refused("trust-list-expired")
        self.publish_next(issued=moment())
        self.begin()
        self.publish_next(issued=moment(-31))
        self.finishes()
        self.refused("trust-list-expired")

    def test_workstation_outdated(self):
        self.ready(minimum_version="99.0.0")
        verdict = self.refused("workstation-outdated")
        self.assertIn("99.0.0", verdict["message"])
        self.publish_next(minimum_version="0.1.0")
        self.finishes()

    def test_withdrawn(self):
        """No further vehicle is started; one that was started is finished."""
        self.ready()
        self.begin()
        withdrawn = [{"campaign": self.bench.campaign, "since": moment(-1), "reason": "R-2026-99 replaces it"}]
        self.publish_next(withdrawn=withdrawn)
        self.finishes()
        self.assertEqual(self.check(), ([], ["campaign-withdrawn"]))
        verdict = self.refused("campaign-withdrawn")
        self.assertIn("R-2026-99 replaces it", verdict["message"])
        self.publish_next(withdrawn=[dict(withdrawn[0], campaign="R-2025-01")])
        self.finishes()

    def test_bent(self):
        """What the parser refuses is not imported, and the list before stays."""
        self.ready()
        for changes in ({"revoked": {}}, {"wmis": ["1rb"]}, {"max_age_days": "30"}, {"extra": 1}, {"dealer_cas": ["AAAA"]}):
            with self.subTest(changes):
                kept = dict(self.service.list)
                verdict = self.bench.ctl("bundle", "import", self.service.publish("next.recall", **changes), expect=1)
                self.assertEqual(verdict["reason"], "malformed")
                self.service.list = kept
        self.finishes()


class Records(Trust):
    """A verifier with a bundle judges the signers by its trust list, at the time of the record."""

    def audited(self, bundle, expect=0):
        out = self.bench.run("recall-oem", "audit", "verify", self.folder, "--json", "--trust", self.bench.oem / "dealer-ca.pem", "--bundle",
                             bundle, "--service-root", self.bench.oem / "service-root.json", expect=expect)
        return json.loads(out.splitlines()[-1])

    def verified(self, bundle, expect=0):
        return self.bench.ctl("record", "verify", self.record, "--trust", self.bench.oem / "dealer-ca.pem", "--bundle", bundle,
                              "--service-root", self.bench.oem / "service-root.json", "--require", "completed", expect=expect)

    def test_revoked_at_the_time_of_the_record(self):
        self.ready()
        self.finishes(second=self.bench.oem / "second.p12")
        self.record = self.bench.records()[0]
        self.folder = self.record.parent
        verdict = self.verified(self.bench.oem / "campaign.recall")
        self.assertTrue(verdict["ok"] and "revoked_since" not in verdict, verdict)
        self.assertEqual(self.audited(self.bench.oem / "campaign.recall")["signer_revoked_later"], [])
        _, own, issuer = self.technician()
        _, second, _ = self.technician(name="second")
        for certificate in (own, second, self.station()[0]):
            bundle = self.service.publish("next.recall", revoked=[self.service.revoked(certificate, issuer)])
            self.assertEqual(self.verified(bundle, expect=1)["reason"], "signer-not-trusted")
            self.assertEqual(self.audited(bundle, expect=1)["reason"], "signer-not-trusted")
            bundle = self.service.publish("next.recall", revoked=[self.service.revoked(certificate, issuer, since=0.5)])
            verdict = self.verified(bundle)
            self.assertTrue(verdict["ok"] and verdict["revoked_since"] > moment(0)[:10], verdict)
            verdict = self.audited(bundle)
            self.assertEqual((verdict["ok"], verdict["signer_revoked_later"]), (True, [self.record.name]))
        bundle = self.service.publish("next.recall", revoked=[], dealer_cas=[])
        self.assertEqual(self.verified(bundle, expect=1)["reason"], "signer-not-trusted")


class HandedOver(Trust):
    def take_over(self, expect=0):
        return self.bench.ctl("recovery", "take-over", self.file, expect=expect)

    def second_after_the_hand_over(self):
        """Times have whole seconds: a revocation of the hand-over's own second counts by the time it claims, without the take-over's."""
        claimed = json.loads(base64.b64decode(json.loads(self.file.read_text())["payload"]))["predicate"]["time"]["claimed"]
        end = time.monotonic() + 10
        while moment() <= claimed:
            self.assertLess(time.monotonic(), end)

    def test_who_signed_the_hand_over(self):
        """The trust list of the workstation that takes it over decides, as it is now: a revocation since the hand-over counts."""
        self.ready()
        self.begin()
        self.file = self.bench.root / "hand-over.json"
        self.bench.ctl("recovery", "hand-over", "--vin", self.bench.vin, "-o", self.file, "--identity", self.bench.oem / "technician.p12",
                       "--workstation", self.bench.oem / "workstation.pem", "--passphrase-file", self.bench.oem / "passphrase")
        _, own, issuer = self.technician()
        known = list(self.service.list["dealer_cas"])
        self.second_after_the_hand_over()
        self.bench.data = self.bench.root / "second"
        self.bench.trust_and_import()
        for certificate in (own, self.station()[0]):
            for since in (-1, 0):
                self.publish_next(revoked=[self.service.revoked(certificate, issuer, since=since)])
                self.assertEqual(self.take_over(expect=1)["reason"], "signer-not-trusted")
        self.publish_next(revoked=[], dealer_cas=known[1:])
        self.assertEqual(self.take_over(expect=1)["reason"], "record-certificate")
        self.assertEqual(self.bench.ctl("record", "list")["records"], [])
        self.publish_next(dealer_cas=known)
        self.assertEqual(self.take_over()["vin"], self.bench.vin)


class Scope(Trust):
    def anchors(self):
        return {row["name"]: row for row in self.bench.ctl("trust", "list")["anchors"]}

    def add(self, *options, name="OEM", root=None, expect=0):
        return self.bench.ctl("trust", "add", root or self.bench.oem / "service-root.json", "--name", name, *options, expect=expect)

    def imported(self, bundle=None, expect=0):
        return self.bench.ctl("bundle", "import", bundle or self.bench.oem / "campaign.recall", expect=expect)

    def widen(self, *prefixes, expect=0, **people):
        people = {"identity": self.bench.oem / "technician.p12", "second": self.bench.oem / "second.p12", **people}
        options = [word for prefix in prefixes for word in ("--wmi", prefix)]
        return self.bench.ctl("trust", "scope", "--name", "OEM", *options, "--identity", people["identity"], "--second", people["second"],
                              "--passphrase-file", self.bench.oem / "passphrase", expect=expect)

    def test_first_list_sets_it(self):
        self.ready()
        self.assertEqual(self.anchors()["OEM"]["wmi"], ["1RB"])
        self.assertEqual(self.check(), ([self.bench.campaign], []))
        self.publish_next(wmis=["2XY", "1RBDM", "1"])
        self.assertEqual((self.anchors()["OEM"]["wmi"], self.anchors()["OEM"]["wmi_bound"]), (["1RB"], ["1RB"]))
        self.publish_next(wmis=["1RBDM"])
        self.assertEqual((self.anchors()["OEM"]["wmi"], self.anchors()["OEM"]["wmi_bound"]), (["1RBDM"], ["1RB"]))
        self.publish_next(wmis=[])
        self.assertEqual(self.anchors()["OEM"]["wmi"], [])
        self.assertEqual(self.check(), ([], []))
        self.refused("not-in-anchor-scope")

    def test_import_prints_it(self):
        self.service.publish(wmis=["1RB", "2XY"])
        self.add("--wmi", "1", "--wmi", "3AA")
        verdict = self.imported()
        self.assertEqual(verdict["wmi"], ["1RB"])
        self.assertIn("begin with: 1RB", verdict["message"])

    def test_vehicle_of_another_brand(self):
        """Brand B's anchor has a campaign for a VIN of brand A: neither offered nor written."""
        self.ready(wmis=["2XY"])
        self.assertEqual(self.check(), ([], []))
        self.refused("not-in-anchor-scope")
        inspect = self.bench.ctl("inspect", "--campaign", self.bench.campaign, "--link", self.bench.link, "--answers",
                                 self.bench.oem / "answers.json", expect=1)
        self.assertEqual(inspect["reason"], "not-in-anchor-scope")

    def test_bound_of_the_command_line(self):
        self.service.publish()
        self.bench.start()
        self.add("--wmi", "2XY")
        self.imported()
        self.assertEqual(self.anchors()["OEM"]["wmi"], [])
        self.assertEqual(self.check(), ([], []))
        self.refused("not-in-anchor-scope")
        self.assertEqual(self.add("--wmi", "1RB", expect=1)["reason"], "exists")
        self.add("--wmi", "2XY")
        self.add()
        self.assertEqual(self.anchors()["OEM"]["wmi_bound"], ["2XY"])

    def test_bound_added_before_the_first_list(self):
        self.service.publish()
        self.add()
        self.add("--wmi", "2XY")
        self.imported()
        self.assertEqual(self.anchors()["OEM"]["wmi"], [])

    def test_not_a_prefix(self):
        for prefix in ("", "1rb", "1OB", "1RBDM7AA2", "1RB "):
            with self.subTest(prefix):
                self.assertEqual(self.add("--wmi", prefix, expect=2)["reason"], "usage")
        self.assertEqual(self.anchors(), {})

    def test_overlap(self):
        """The first list of a second anchor names vehicles of the first: refused, and nothing of it is stored."""
        self.ready()
        other = Bench(BUILD)
        self.addCleanup(other.close)
        second = Service(other.oem)
        bundle = second.publish(wmis=["2XY", "1RBDM"], campaign={"id": self.bench.campaign})
        self.add(name="Other", root=other.oem / "service-root.json")
        self.assertEqual(self.imported(bundle, expect=1)["reason"], "not-in-anchor-scope")
        self.assertEqual(self.bench.ctl("bundle", "verify", bundle, expect=1)["reason"], "not-in-anchor-scope")
        self.assertEqual(self.anchors()["Other"]["wmi_bound"], None)
        self.assertEqual(len(self.bench.ctl("bundle", "list")["campaigns"]), 1)
        self.assertEqual(self.check(), ([self.bench.campaign], []))

    def test_two_people_widen_it(self):
        self.service.publish()
        self.bench.start()
        self.add("--wmi", "2XY")
        self.assertEqual(self.widen("1RB", expect=1)["reason"], "trust-list-missing")
        self.imported()
        impostor = self.person(issuer=authority("Northern Dealers"))[0]
        self.assertEqual(self.widen("1RB", second=impostor, expect=1)["reason"], "signer-not-trusted")
        self.assertEqual(self.widen("1RB", identity=impostor, expect=1)["reason"], "signer-not-trusted")
        self.assertEqual(self.widen("1RB", second=self.bench.oem / "technician.p12", expect=1)["reason"], "same-person")
        self.assertEqual(self.widen("1RB", second=self.bench.oem / "workstation.pem", expect=1)["reason"], "key-usage")
        self.assertEqual(self.widen("1rb", expect=2)["reason"], "usage")
        self.assertEqual(self.check(), ([], []))
        verdict = self.widen("1RB", "3ZZ")
        self.assertEqual((verdict["wmi"], verdict["wmi_bound"]), (["1RB"], ["1RB", "2XY", "3ZZ"]))
        self.assertEqual(self.check(), ([self.bench.campaign], []))
        statements = list((self.bench.data / "trust" / "OEM").glob("scope-*.json"))
        self.assertEqual(len(statements), 1)
        self.assertEqual(len(json.loads(statements[0].read_text())["signatures"]), 2)
        self.finishes()

    def test_bound_stays_when_the_anchor_is_replaced(self):
        self.service.publish()
        self.add("--wmi", "2XY")
        self.imported()
        people = ["--identity", self.bench.oem / "technician.p12", "--second", self.bench.oem / "second.p12", "--passphrase-file",
                  self.bench.oem / "passphrase"]
        other = Service(self.bench.oem)
        replace = ["trust", "replace", self.bench.oem / "service-root.json", "--name", "OEM"]
        impostors = authority("Northern Dealers")
        people_of_others = ["--identity", self.person("A", impostors)[0], "--second", self.person("B", impostors)[0]]
        self.assertEqual(self.bench.ctl(*replace, *people_of_others, expect=1)["reason"], "signer-not-trusted")
        self.bench.ctl(*replace, *people)
        self.bench.ctl("bundle", "remove", self.bench.campaign)
        row = self.anchors()["OEM"]
        self.assertEqual((row["wmi"], row["wmi_bound"], row.get("trust_list")), ([], ["2XY"], None))
        self.assertEqual(other.version, 0)


if __name__ == "__main__":
    unittest.main()
