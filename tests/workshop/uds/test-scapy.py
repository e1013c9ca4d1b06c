# SPDX-License-Identifier: Apache-2.0
"""The client's requests against scapy's UDS packets, and scapy's answers against the client.

Usage: test-scapy.py CLIENT-TOOL
"""

import subprocess
import sys
import unittest

from scapy.contrib.automotive.uds import (
    UDS, UDS_AUTH, UDS_AUTHPR, UDS_DSC, UDS_DSCPR, UDS_ER, UDS_ERPR, UDS_NR, UDS_RC, UDS_RCPR, UDS_RD, UDS_RDBI,
    UDS_RDBIPR, UDS_RDPR, UDS_RDTCI, UDS_RDTCIPR, UDS_RFT, UDS_RFTPR, UDS_RTE, UDS_RTEPR, UDS_SA, UDS_SAPR, UDS_TD,
    UDS_TDPR, UDS_TP, UDS_WDBI, UDS_WDBIPR)

TOOL = sys.argv.pop(1)
CERTIFICATE, CHALLENGE, SERVER, PROOF = bytes(range(200)), b"c" * 32, b"s" * 32, b"p" * 71


def play(lines):
    """[(call, answer bytes)] → [(request bytes, verdict)]"""
    told = "".join(f"{call}\t{answer.hex()}\n" for call, answer in lines)
    out = subprocess.run([TOOL], input=told, capture_output=True, text=True, check=True, timeout=60).stdout
    return [(bytes.fromhex(line.split("\t")[0]), line.split("\t")[1].strip()) for line in out.splitlines()]


# call, scapy's request, scapy's answer, the client's verdict
CASES = [
    ("session 01", UDS() / UDS_DSC(diagnosticSessionType=1),
     UDS() / UDS_DSCPR(diagnosticSessionType=1, sessionParameterRecord=b"\0\x32\1\xf4"), "ok"),
    ("session 02", UDS() / UDS_DSC(diagnosticSessionType=2),
     UDS() / UDS_DSCPR(diagnosticSessionType=2, sessionParameterRecord=b"\0\x32\1\xf4"), "ok"),
    ("reset 01", UDS() / UDS_ER(resetType=1), UDS() / UDS_ERPR(resetType=1), "ok"),
    ("reset 03", UDS() / UDS_ER(resetType=3), UDS() / UDS_ERPR(resetType=3), "ok"),
    ("reset 04", UDS() / UDS_ER(resetType=4), UDS() / UDS_ERPR(resetType=4, powerDownTime=9), "ok"),
    ("read-did f190", UDS() / UDS_RDBI(identifiers=[0xF190]), UDS() / UDS_RDBIPR(dataIdentifier=0xF190) / b"VIN",
     "ok " + b"VIN".hex()),
    ("write-did fd10 0102", UDS() / UDS_WDBI(dataIdentifier=0xFD10) / b"\1\2", UDS() / UDS_WDBIPR(dataIdentifier=0xFD10), "ok"),
    ("routine ff00", UDS() / UDS_RC(routineControlType=1, routineIdentifier=0xFF00),
     UDS() / UDS_RCPR(routineControlType=1, routineIdentifier=0xFF00) / b"\0", "ok 00"),
    ("routine 0210 " + SERVER.hex(), UDS() / UDS_RC(routineControlType=1, routineIdentifier=0x0210) / SERVER,
     UDS() / UDS_RCPR(routineControlType=1, routineIdentifier=0x0210) / (b"\0" + PROOF), "ok 00" + PROOF.hex()),
    ("dtcs 2f", UDS() / UDS_RDTCI(reportType=2, DTCStatusMask=0x2F),
     UDS() / UDS_RDTCIPR(reportType=2, DTCStatusAvailabilityMask=0xFF, DTCAndStatusRecord=b"\x01\x02\x03\x2f"), "ok 0102032f"),
    ("seed 11", UDS() / UDS_SA(securityAccessType=0x11), UDS() / UDS_SAPR(securityAccessType=0x11, securitySeed=b"\xde\xad"), "ok dead"),
    ("key 11 beef", UDS() / UDS_SA(securityAccessType=0x12, securityKey=b"\xbe\xef"), UDS() / UDS_SAPR(securityAccessType=0x12), "ok"),
    (f"certificate {CERTIFICATE.hex()} {CHALLENGE.hex()}",
     UDS() / UDS_AUTH(subFunction=1, communicationConfiguration=0, certificateClient=CERTIFICATE, challengeClient=CHALLENGE),
     UDS() / UDS_AUTHPR(subFunction=1, returnValue=0x11, challengeServer=SERVER), "ok " + SERVER.hex()),
    (f"ownership {PROOF.hex()}", UDS() / UDS_AUTH(subFunction=3, proofOfOwnershipClient=PROOF),
     UDS() / UDS_AUTHPR(subFunction=3, returnValue=0x12), "ok"),
    ("download 08000000 00012345",
     UDS() / UDS_RD(dataFormatIdentifier=0, memorySizeLen=4, memoryAddressLen=4, memoryAddress4=0x08000000, memorySize4=0x12345),
     UDS() / UDS_RDPR(memorySizeLen=2, maxNumberOfBlockLength=b"\x04\x02"), "ok 1024"),
    ("add-file director/2.root.json 1234",
     UDS() / UDS_RFT(modeOfOperation=1, filePathAndName=b"director/2.root.json", compressionMethod=0, encryptingMethod=0,
                     fileSizeUnCompressed=b"\0\0\x12\x34", fileSizeCompressed=b"\0\0\x12\x34"),
     UDS() / UDS_RFTPR(modeOfOperation=1, maxNumberOfBlockLength=b"\x02\x02", compressionMethod=0, encryptingMethod=0), "ok 512"),
    ("transfer 00ff00ff", UDS() / UDS_TD(blockSequenceCounter=1) / b"\0\xff\0\xff", UDS() / UDS_TDPR(blockSequenceCounter=1), "ok"),
    ("exit", UDS() / UDS_RTE(), UDS() / UDS_RTEPR(), "ok"),
    ("keep-alive", UDS() / UDS_TP(subFunction=0x80), b"", "ok"),
]


class Requests(unittest.TestCase):
    def test_bytes_are_scapys(self):
        played = play([(call, bytes(answer)) for call, _, answer, _ in CASES])
        self.assertEqual(len(played), len(CASES))
        for (call, request, _, _), (sent, _) in zip(CASES, played):
            with self.subTest(call=call[:24]):
                self.assertEqual(sent.hex(), bytes(request).hex())

    def test_scapys_answers_are_understood(self):
        played = play([(call, bytes(answer)) for call, _, answer, _ in CASES])
        for (call, _, _, verdict), (_, got) in zip(CASES, played):
            with self.subTest(call=call[:24]):
                self.assertEqual(got, verdict)

    def test_scapy_takes_the_requests_apart(self):
        for call, request, answer, _ in CASES:
            with self.subTest(call=call[:24]):
                sent, _ = play([(call, bytes(answer))])[0]
                parsed = UDS(sent)
                self.assertEqual(parsed.service, request.service)
                if len(sent) > 1:
                    self.assertEqual(type(parsed.payload), type(request.payload))

    def test_cut_answers_are_never_taken_for_good(self):
        """An answer without what its service must carry (ISO 14229-1) is no answer."""
        needs = {"session": 2, "reset": 2, "read-did": 3, "write-did": 3, "routine": 4, "dtcs": 3, "seed": 2, "key": 2,
                 "certificate": 5 + len(SERVER), "ownership": 3, "download": 4, "add-file": 5, "transfer": 2, "exit": 1}
        for call, _, answer, _ in CASES[:-1]:
            least = needs[call.split()[0]]
            lines = [(call, bytes(answer)[:length]) for length in range(1, least)]
            for (_, cut), (_, got) in zip(lines, play(lines)):
                with self.subTest(call=call[:24], cut=cut.hex()):
                    self.assertRegex(got, "^(wrong-answer|no-answer) 00")


class Refusals(unittest.TestCase):
    # scapy writes the first as the 2013 edition does; since 2.6 it takes the explanation of 0x57 into the name
    OTHER_NAMES = {"exceednumberofattempts": "exceedednumberofattempts",
                   "certificateverificationfailedinvalidcertificaterevoked": "certificateverificationfailedinvalidcertificate"}

    def test_names_are_scapys(self):
        names = UDS_NR.negativeResponseCodes
        codes = [code for code in names if code not in (0x00, 0x78)]
        played = play([("reset 01", bytes(UDS() / UDS_NR(requestServiceId=0x11, negativeResponseCode=code))) for code in codes])
        known = 0
        for code, (_, got) in zip(codes, played):
            word, number, name = got.split(" ")
            with self.subTest(code=hex(code)):
                self.assertEqual(int(number, 16), code)
                self.assertNotEqual(word, "ok")
                if name != "manufacturerSpecific":
                    known += 1
                    ours = name.lower().replace("-", "")
                    theirs = names[code].lower().replace("-", "").replace(" ", "").replace("_", "")
                    self.assertEqual(ours, self.OTHER_NAMES.get(theirs, theirs))
        self.assertGreater(known, 20)

    def test_every_code_is_a_failure(self):
        codes = [code for code in range(1, 256) if code != 0x78]
        played = play([("exit", bytes([0x7F, 0x37, code])) for code in codes])
        for code, (_, got) in zip(codes, played):
            self.assertEqual(got.split()[1], f"{code:02x}")

    def test_pending_for_ever_is_busy(self):
        (_, got), = play([("exit", b"\x7f\x37\x78")])
        self.assertEqual(got.split()[0], "no-answer")


if __name__ == "__main__":
    unittest.main()
