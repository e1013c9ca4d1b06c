# SPDX-License-Identifier: Apache-2.0
"""Certificates of every kind that a vehicle or a workstation may show, made with python3-cryptography."""

import datetime
import subprocess
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

SERVER, CLIENT, LINK = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.58270.77.3"
DAY = datetime.timedelta(days=1)


class Holder:
    """A key and its certificate; issues others."""

    def __init__(self, name, issuer=None, usage=None, starts=-1, ends=30, key=None, authority=False):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.certificate.subject if issuer else subject)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + starts * DAY).not_valid_after(now + ends * DAY)
                   .add_extension(x509.BasicConstraints(authority, None), True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False))
        if issuer:
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
        builder = builder.add_extension(x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), True)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(one) for one in usage]), False)
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    @property
    def chain_pem(self):
        """Own first, without the root."""
        return self.pem + (self.issuer.chain_pem if self.issuer and self.issuer.issuer else "")

    @property
    def identity_pem(self):
        return self.key_pem + self.chain_pem


def authority(name, issuer=None, **options):
    return Holder(name, issuer, authority=True, **options)


def with_sha1(holder):
    """A server's certificate made once more, signed with SHA-1, by openssl: python3-cryptography no longer does it."""
    extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
    subject = "/CN=" + holder.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"own.key": holder.key_pem, "issuer": holder.issuer.pem, "issuer.key": holder.issuer.key_pem,
                           "extensions": extensions}.items():
            (Path(folder) / name).write_text(text)
        for command in (["req", "-new", "-key", "own.key", "-subj", subject, "-out", "request"],
                        ["x509", "-req", "-in", "request", "-CA", "issuer", "-CAkey", "issuer.key", "-set_serial", "1", "-days", "30",
                         "-sha1", "-extfile", "extensions", "-out", "made"]):
            subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
        holder.certificate = x509.load_pem_x509_certificate((Path(folder) / "made").read_bytes())
    return holder


def small_rsa():
    return rsa.generate_private_key(65537, 1024)
