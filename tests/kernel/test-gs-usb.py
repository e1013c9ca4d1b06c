#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A candleLight made of software, plugged into the guest's kernel: the kernel's own gs_usb driver takes it for one, and so does
our backend on libusb, which gets on with the driver. What is on the bus is judged by the kernel's CAN_ISOTP:
test-gs-usb.py BUILD ADAPTER ISOTP-PEER"""

import json
import re
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "sim/sim-ecu"), str(HERE.parent / "e2e")]
from adapter import SERIAL, Adapter, ecu, interface_of, run, until  # noqa: E402
from bench import Bench  # noqa: E402
from peer import Peer, pattern  # noqa: E402
from vehicle import Vehicle, reference  # noqa: E402

BUILD, ADAPTER, PEER = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
URI = f"usb:{SERIAL}"
PASSIVE, BUS_OFF = 2, 3
CAN_ERR_PROT, FORM = 0x8, 0x02


def resets():
    return run("dmesg").count("reset full-speed USB device")


class GsUsb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name in ("vcan0", "vcan1"):
            run("ip", "link", "add", name, "type", "vcan")
            run("ip", "link", "set", name, "mtu", "72", "up", "txqueuelen", "1000")

    def setUp(self):
        run("modprobe", "-r", "gs_usb")

    def exchange(self, peer, kernel, lengths):
        for length in lengths:
            with self.subTest(length=length):
                peer.start(f"send# {length} {length}")
                self.assertEqual(kernel.recv(70000), pattern(length, length))
                self.assertEqual(peer.answer(), "ok")
                kernel.send(pattern(length, length + 1))
                peer.ask(f"receive# {length} {length + 1} 30000")

    def test_messages(self):
        adapter = Adapter(self, ADAPTER, "vcan0")
        peer = Peer(self, PEER)
        self.assertIn(f"{URI}=ready", peer.ask("list").split())
        for rates, fd, told in (("", True, "500000 2000000"), ("?500k", False, "500000"), ("?250k", False, "250000"), ("?500k/5M", True, "500000 5000000")):
            with self.subTest(rates=rates):
                peer.ask(f"open {URI}{rates}")
                self.assertTrue(adapter.tell("bitrate 0").startswith(told + " "))
                peer.channel(0x7E0, 0x7E8, fd=fd)
                kernel = ecu(self, fd=fd)
                self.exchange(peer, kernel, (1, 7, 8, 62, 100, 1000))
                kernel.close()

    def test_two_channels(self):
        """Each is a bus of its own."""
        adapter = Adapter(self, ADAPTER, "vcan0", "vcan1", fd=False)
        first, second = Peer(self, PEER), Peer(self, PEER)
        self.assertEqual(set(first.ask("list").split()[1:]) & {URI, f"{URI}=ready", f"{URI}/1=ready"}, {f"{URI}=ready", f"{URI}/1=ready"})
        first.ask(f"open {URI}/1?250k")
        self.assertEqual(adapter.tell("bitrate 1"), "250000 0 plugged")
        first.channel(0x7E0, 0x7E8)
        kernel = ecu(self, "vcan1")
        self.exchange(first, kernel, (8, 300))
        self.assertRegex(second.ask(f"open {URI}", "error"), "link-refused .*another program")

    def test_the_kernels_driver(self):
        """gs_usb takes our software for an adapter; we take the adapter from it and give it back."""
        adapter = Adapter(self, ADAPTER, "vcan0")
        run("modprobe", "gs_usb")
        until(lambda: interface_of("can0"))
        run("ip", "link", "set", "can0", "type", "can", "bitrate", "500000", "dbitrate", "2000000", "fd", "on")
        run("ip", "link", "set", "can0", "up")
        self.assertEqual(adapter.tell("bitrate 0"), "500000 2000000 plugged")
        self.assertRegex(run("ip", "-details", "link", "show", "can0"), r"gs_usb: tseg1 1\.\.256")
        kernel = ecu(self)
        peer = Peer(self, PEER, "canfd:can0")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (7, 500))
        self.assertIn(f"{URI}=in-use", peer.ask("list").split())
        other = Peer(self, PEER)
        self.assertRegex(other.ask(f"open {URI}", "error"), "link-refused .*can0, which is up")
        peer.ask("close")

        run("ip", "link", "set", "can0", "down")
        peer.ask(f"open {URI}")
        self.assertFalse(interface_of("can0"), "the kernel's driver still has it")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (7, 500))
        self.assertIn(f"{URI}=in-use", other.ask("list").split())
        peer.ask("close")
        until(lambda: interface_of("can0"))

    def test_killed(self):
        """Who is killed gives nothing back; the next who looks for adapters does."""
        Adapter(self, ADAPTER, "vcan0", "vcan1")
        run("modprobe", "gs_usb")
        until(lambda: interface_of("can1"))
        doomed, other = Peer(self, PEER), Peer(self, PEER)
        self.assertLessEqual({f"{URI}=ready", f"{URI}/1=ready"}, set(other.ask("list").split()))
        doomed.ask(f"open {URI}")
        self.assertFalse(interface_of("can0"))
        doomed.process.kill()
        doomed.close()
        self.assertFalse(interface_of("can0"))
        until(lambda: f"{URI}=ready" in other.ask("list").split())
        until(lambda: interface_of("can0") and interface_of("can1"))

    def test_unplugged(self):
        """In the middle of a message: at once, and the same one again is found by its number."""
        adapter = Adapter(self, ADAPTER, "vcan0")
        kernel = ecu(self)
        peer = Peer(self, PEER, f"{URI}?500k")
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (50,))
        peer.start("send# 4095 1")
        sniffer = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        self.addCleanup(sniffer.close)
        sniffer.bind(("vcan0",))
        for _ in range(20):
            sniffer.recv(100)
        self.assertEqual(adapter.tell("unplug"), "unplugged")
        started = time.monotonic()
        self.assertRegex(peer.answer(), "^error link-lost .*unplugged")
        self.assertLess(time.monotonic() - started, 2)
        peer.ask("alive", "error link-lost")
        self.assertRegex(peer.ask(f"open {URI}", "error"), f"link-none .*{SERIAL}")
        adapter.tell("plug")
        adapter.wait_plugged()
        until(lambda: f"{URI}=ready" in peer.ask("list"))
        peer.ask(f"open {URI}?500k")
        peer.channel(0x7E0, 0x7E8)
        again = ecu(self)
        kernel.close()
        self.exchange(peer, again, (50,))

    def test_bus_off(self):
        """Named while it lasts, and mended by a restart of the channel."""
        adapter = Adapter(self, ADAPTER, "vcan0", fd=False)
        kernel = ecu(self)
        peer = Peer(self, PEER, URI)
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (50,))
        adapter.tell(f"state 0 {BUS_OFF} 255 0")
        peer.start("send# 50 50")  # may be under way before the error frame was read
        answer = peer.answer()
        self.assertRegex(answer, "^ok$|^error bus-off ")
        if answer == "ok":
            self.assertEqual(kernel.recv(100), pattern(50, 50))
        self.exchange(peer, kernel, (60,))

    def test_nobody_acknowledges(self):
        adapter = Adapter(self, ADAPTER, "vcan0", fd=False)
        peer = Peer(self, PEER, URI)
        peer.channel(0x7E0, 0x7E8)
        adapter.tell("unheard 0 1")
        adapter.tell(f"state 0 {PASSIVE} 128 0")
        self.assertRegex(peer.ask("send 3e00", "error"), "^error no-ack ")
        adapter.tell("unheard 0 0")
        kernel = ecu(self)
        self.exchange(peer, kernel, (5,))

    def test_wrong_bit_rate(self):
        adapter = Adapter(self, ADAPTER, "vcan0", fd=False)
        peer = Peer(self, PEER, f"{URI}?250k")
        peer.channel(0x7E0, 0x7E8)
        peer.ask("send 3e00")
        for _ in range(5):
            adapter.tell(f"error 0 {CAN_ERR_PROT:x} {FORM} 0")
        self.assertRegex(peer.ask("receive 500", "error"), "^error wrong-bitrate ")

    def test_stuck(self):
        """An adapter that keeps its frames is named, and restarted."""
        adapter = Adapter(self, ADAPTER, "vcan0", fd=False)
        kernel = ecu(self)
        peer = Peer(self, PEER, URI)
        peer.channel(0x7E0, 0x7E8)
        adapter.tell("mute 1")
        self.assertRegex(peer.ask("send 3e00", "error"), "^error link-lost .*opened again")
        adapter.tell("mute 0")
        self.exchange(peer, kernel, (50,))

    def test_reset(self):
        """A restart was not enough: the kernel resets the port, and the adapter works again without being plugged anew."""
        adapter = Adapter(self, ADAPTER, "vcan0", "vcan1", fd=False)
        kernel = ecu(self)
        peer = Peer(self, PEER, URI)
        peer.channel(0x7E0, 0x7E8)
        self.exchange(peer, kernel, (50,))
        before = resets()
        adapter.tell("mute 1")
        until(lambda: peer.ask("send 3e00", "error") and resets() > before)
        adapter.tell("mute 0")
        self.exchange(peer, kernel, (50, 1000))

    def test_recovery(self):
        """The adapter is pulled while an image is written, and found again by its number; the same run goes on."""
        adapter = Adapter(self, ADAPTER, "vcan0")
        bench = Bench(BUILD, "director", demo=("--image-size", "16384"), way="canfd:vcan0")
        self.addCleanup(bench.close)
        bench.start()
        bench.trust_and_import()
        command = [bench.bin / "recallctl", "--json", "--data-dir", bench.data, *bench.recover_arguments(link=URI, link_timeout=60)]
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            pulled, last, tail = False, None, []
            for line in program.stdout:
                last = json.loads(line)
                tail = [*tail[-20:], line]
                if not pulled and last.get("event") == "progress" and 0 < last["done"] < last["total"]:
                    self.assertEqual(adapter.tell("unplug"), "unplugged")
                    until(lambda: "1d50:606f" not in run("lsusb", check=False))
                    adapter.tell("plug")
                    pulled = True
            said = program.stderr.read()
        self.assertTrue(pulled)
        self.assertEqual((last.get("ok"), last.get("result")), (True, "completed"), "".join(tail) + said)
        self.assertEqual(bench.differences(), [])

    def test_recallctl(self):
        """The whole way: recallctl, link process, libusb, adapter, bus, vehicle."""
        Adapter(self, ADAPTER, "vcan0", fd=False)
        vehicle = Vehicle(BUILD, "--can", "vcan0", model=reference(), bus=False, doip=False)
        self.addCleanup(vehicle.__exit__)
        ctl = str(Path(BUILD, "src/recallctl"))
        links = json.loads(run(ctl, "links", "--json").splitlines()[-1])
        entry = next(link for link in links["links"] if link["uri"] == URI)
        self.assertEqual((entry["kind"], entry["serial"], entry["state"]), ("usb", SERIAL, "ready"))
        model = vehicle.folder / "model.json" if hasattr(vehicle, "folder") else None
        command = [ctl, "identify", "--link", URI, "--json"] + (["--model", str(model)] if model and model.exists() else [])
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertTrue(re.search(r'"vin": ?"SIMVEH', answer.stdout), answer.stdout + answer.stderr)


if __name__ == "__main__":
    unittest.main()
