# SPDX-License-Identifier: Apache-2.0
"""recallctl identify where no campaign says which ECUs there are: everybody is asked at once, over DoIP and over the virtual bus;
and with a campaign, by its model. Vehicles are simulated ones and one of this test's own, which knows a few frames.

Usage: test-identify.py BUILD
"""
import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "sim/sim-ecu"))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from bench import Bench  # noqa: E402
from vehicle import Vehicle, one_of_each, packet  # noqa: E402

BUILD = sys.argv.pop(1)
VIN = "SIMVEH00000014229"


def ctl(*arguments, data_dir):
    done = subprocess.run([pathlib.Path(BUILD) / "src/recallctl", "--json", "--data-dir", data_dir, *map(str, arguments)],
                          capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout.strip().splitlines()[-1])


class FewFrames:
    """A bus whose only ECU is at one pair of identifiers; it answers ReadDataByIdentifier there by a single frame, refuses
    all else and is deaf to functional requests. With hang_up it leaves after so many frames. dids: what it answers, b"" for a
    rejection."""

    def __init__(self, path, request, response, hang_up=None, dids=None):
        self.request, self.response, self.hang_up = request, response, hang_up
        self.dids = dids or {}
        self.functional = []
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(str(path))
        self.server.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        client, _ = self.server.accept()
        heard = 0
        while got := client.recv(73):
            heard += 1
            if heard == self.hang_up:
                break
            client.send(got[:6] + b"\1" + got[7:])
            identifier, length = struct.unpack_from("=IB", got)
            data = got[8:8 + length]
            if identifier & 0x1FFFFFFF in (0x7DF, 0x18DB33F1):
                self.functional.append((identifier & 0x1FFFFFFF, data))
            text = self.dids.get(data[2:4].hex(), b"ABCD")
            if identifier == self.request and data[1] == 0x22 and text:
                client.send(packet(self.response, bytes([3 + len(text)]) + b"\x62" + data[2:4] + text))
            elif identifier == self.request:
                client.send(packet(self.response, b"\x03\x7f" + data[1:2] + b"\x11"))
        client.close()
        self.server.close()


class Identify(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="recallbay-identify-")
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)

    def identify(self, link):
        return ctl("identify", "--link", link, data_dir=self.root / "data")

    def test_bus(self):
        """Those that 7DF and 18DB33F1 find: 11 bit pairs of which one speaks FD, and normal fixed; behind the gateway, too. What
        stands at extended and mixed addresses only a model can tell."""
        with Vehicle(BUILD, model=one_of_each(), doip=False) as vehicle:
            code, told = self.identify(f"bus:{vehicle.bus}")
        self.assertEqual((code, told["vin"]), (0, VIN))
        self.assertEqual([ecu["hardware_id"] for ecu in told["ecus"]], ["hw-reference-1", "hw-body-1", "hw-wide-1", "hw-fixed-1"])
        self.assertEqual(told["ecus"][3]["serial"], "SN-FIXED-0001")

    def test_doip(self):
        with Vehicle(BUILD, model=one_of_each(), bus=False) as vehicle:
            code, told = self.identify("doip://{}:{}".format(*vehicle.doip))
        self.assertEqual((code, told["vin"]), (0, VIN))
        self.assertEqual({ecu["hardware_id"] for ecu in told["ecus"]},
                         {f"hw-{name}-1" for name in ("reference", "fixed", "extended", "mixed", "wide", "body")})

    def test_one_29_bit_ecu_alone(self):
        model = one_of_each()
        model["ecus"] = [{**ecu, "primary": True, "verification": "full", "gateway": None}
                         for ecu in model["ecus"] if ecu["name"] == "fixed"]
        with Vehicle(BUILD, model=model, doip=False) as vehicle:
            code, told = self.identify(f"bus:{vehicle.bus}")
        self.assertEqual((code, told["vin"], [ecu["hardware_id"] for ecu in told["ecus"]]), (0, VIN, ["hw-fixed-1"]))

    def test_by_model(self):
        """The campaign's model names all of them, whatever their addresses."""
        for way in ("bus", "doip"):
            with self.subTest(way=way):
                bench = Bench(BUILD, "director", demo=("--image-size", "4096"), way=way)
                self.addCleanup(bench.close)
                bench.start()
                few = bench.ctl("identify", "--link", bench.link)
                bench.trust_and_import()
                all_of_them = bench.ctl("identify", "--link", bench.link)
                self.assertEqual({ecu["serial"] for ecu in all_of_them["ecus"]}, set(bench.show()))
                for ecu in all_of_them["ecus"]:
                    self.assertEqual(ecu["image_sha256"], bench.show()[ecu["serial"]]["image_sha256"])
                found = {ecu["serial"] for ecu in few["ecus"]}
                self.assertEqual(found, {"SN-TELEMATICS-0001", "SN-BRAKE-0001"} if way == "bus" else set(bench.show()))

    def test_deaf_to_functional_requests(self):
        """Then each of the eight pairs is asked; a refusal is an answer."""
        bus = FewFrames(self.root / "bus", 0x7E2, 0x7EA)
        code, told = self.identify(f"bus:{self.root / 'bus'}")
        bus.thread.join(60)
        self.assertEqual((code, told["ok"], told["reason"], told["vin"]), (1, False, "vin-invalid", None))
        self.assertEqual(([ecu["hardware_id"] for ecu in told["ecus"]], [entry["vin"] for entry in told["vins"]]), (["ABCD"], ["ABCD"]))
        self.assertEqual(bus.functional[0], (0x7DF, b"\x02\x3e\x00\xcc\xcc\xcc\xcc\xcc"))
        self.assertEqual({identifier for identifier, _ in bus.functional}, {0x7DF, 0x18DB33F1})

    def few(self, **dids):
        FewFrames(self.root / "bus", 0x7E2, 0x7EA, dids=dids)
        code, told = self.identify(f"bus:{self.root / 'bus'}")
        (self.root / "bus").unlink()
        self.assertEqual((code, told["ok"], len(told["ecus"]), len(told["vins"])), (1, False, 1, 1), told)
        return told

    def test_no_vin_at_all(self):
        """Bootloaders reject F190: listed all the same, and the verdict says that the vehicle is not known."""
        for blank in (b"", b"\0\0\0", b"    "):
            told = self.few(f190=blank)
            self.assertEqual((told["reason"], told["vin"], told["ecus"][0]["serial"]), ("vin-missing", None, "ABCD"))

    def test_an_ecu_that_cannot_be_read(self):
        for answer, reason in ((b"\xff\xff\xff\xff", "wrong-answer"), (b"", "refused"), (b"\0\0\0\0", "wrong-answer")):
            told = self.few(f190=b"", f18c=answer)
            self.assertEqual((told["ecus"][0]["serial"], told["ecus"][0]["reason"]), (None, reason))
            self.assertIn("DID F18C", told["ecus"][0]["message"])
        told = self.few(f195=b"\x1b[2J")
        self.assertIn("DID F195", told["ecus"][0]["message"])
        told = self.few(f190=b"\xff\xff")
        self.assertEqual((told["reason"], told["vins"][0]["reason"]), ("wrong-answer", "wrong-answer"))

    def test_one_dead_ecu_among_others(self):
        """What responded to the search and to nothing after it is listed and fails the verdict; the others are listed, too."""
        model = one_of_each()
        with Vehicle(BUILD, "--fault", "body:refuse=0x22", model=model, doip=False) as vehicle:
            code, told = self.identify(f"bus:{vehicle.bus}")
        self.assertEqual((code, told["ok"], told["reason"], told["vin"]), (1, False, "refused", VIN))
        self.assertEqual(len(told["ecus"]), 4)
        self.assertEqual([ecu["reason"] for ecu in told["ecus"] if ecu["serial"] is None], ["refused"])

    def test_several_vins(self):
        with Vehicle(BUILD, "--fault", "body:other-vin", model=one_of_each(), doip=False) as vehicle:
            code, told = self.identify(f"bus:{vehicle.bus}")
        self.assertEqual((code, told["ok"], told["reason"], told["vin"], len(told["ecus"])), (1, False, "vin-mismatch", VIN, 4))
        self.assertEqual({entry["vin"] for entry in told["vins"]}, {VIN, "1M8GDM9AXKP042788"})

    def test_nobody(self):
        FewFrames(self.root / "bus", 0x123, 0x124)
        code, told = self.identify(f"bus:{self.root / 'bus'}")
        self.assertNotEqual(code, 0)
        self.assertEqual((told["ok"], told["reason"]), (False, "no-answer"))

    def test_the_link_breaks(self):
        FewFrames(self.root / "bus", 0x7E0, 0x7E8, hang_up=2)
        code, told = self.identify(f"bus:{self.root / 'bus'}")
        self.assertNotEqual(code, 0)
        self.assertEqual((told["ok"], told["reason"]), (False, "link-lost"))

    def test_no_such_link(self):
        for link, reason in ((f"bus:{self.root / 'none'}", "link-none"), ("pigeon:1", "usage")):
            code, told = self.identify(link)
            self.assertNotEqual(code, 0)
            self.assertEqual(told["reason"], reason)
        code, told = ctl("identify", data_dir=self.root / "data")
        self.assertEqual((code, told["reason"]), (2, "usage"))

    def test_links(self):
        code, told = ctl("links", data_dir=self.root / "data")
        self.assertEqual((code, told["ok"]), (0, True))
        for link in told["links"]:
            self.assertLessEqual({"uri", "kind", "name", "serial", "state"}, set(link))


if __name__ == "__main__":
    unittest.main()
