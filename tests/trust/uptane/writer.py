# SPDX-License-Identifier: Apache-2.0
"""Writes Director and Image repositories as others would: both dialects, every key type, three canonical forms.

Nothing of Recallbay takes part: keys and signatures are cryptography's, the OLPC form is securesystemslib's."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical

EXPIRES = "2030-01-01T00:00:00Z"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def form_a(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def form_b(value):
    """As jsoncpp writes it, which leaves DEL alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).replace("\\u007f", "\x7f").encode()


def form_c(value):
    try:
        return encode_canonical(value).encode()
    except FormatError:  # a float, which this form does not have
        return form_a(value)


class Style:
    """How a repository is written; what a verifier must not care about."""

    def __init__(self, dialect="uptane", key="ed25519", canonical=form_a, keyid="der", encoding=None, pretty=False,
                 consistent=False, announce="bytes", extra=None):
        self.dialect, self.key, self.canonical, self.keyid = dialect, key, canonical, keyid
        self.encoding = encoding or ("hex" if dialect == "tuf" else "base64")
        self.pretty, self.consistent, self.announce = pretty, consistent, announce
        self.extra = extra or {}

    def type_name(self, role):
        return role if self.dialect == "tuf" else role.capitalize()

    def write(self, value):
        if self.pretty:
            return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
        return form_a(value)

    def hashed(self, envelope, data):
        return data if self.announce == "bytes" else self.canonical(envelope)

    def __str__(self):
        words = [self.dialect, self.key, self.canonical.__name__, self.keyid, self.encoding, self.announce]
        return "-".join(words + ["pretty"] * self.pretty + ["consistent"] * self.consistent)


class Ed25519:
    names = {"uptane": "ED25519", "tuf": "ed25519"}
    scheme = method = "ed25519"

    def __init__(self, number):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"uptane test key %d" % number).digest())

    def text(self, dialect):
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, message):
        return self.private.sign(message)


class Rsa:
    names = {"uptane": "RSA", "tuf": "rsa"}
    scheme = method = "rsassa-pss-sha256"

    def __init__(self, number):
        self.private = rsa.generate_private_key(65537, 2048)

    def text(self, dialect):
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, message):
        return self.private.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


class RsaAktualizr(Rsa):
    method = "rsassa-pss"


class RsaSha512(Rsa):
    scheme = method = "rsassa-pss-sha512"

    def sign(self, message):
        return self.private.sign(message, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())


class Ecdsa:
    names = {"uptane": "ECPRIME256V1", "tuf": "ecdsa"}
    scheme, method = "ecdsa-sha2-nistp256", "ecPrime256v1"

    def __init__(self, number):
        self.private = ec.derive_private_key(1000003 + number, ec.SECP256R1())

    def text(self, dialect):
        public = self.private.public_key()
        if dialect == "tuf":
            return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()

    def sign(self, message):
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


class EcdsaOtaTuf(Ecdsa):
    def sign(self, message):
        return self.private.sign(message, ec.ECDSA(hashes.SHA512()))


KINDS = {"ed25519": Ed25519, "rsa": Rsa, "rsa-aktualizr": RsaAktualizr, "rsa-sha512": RsaSha512, "ecdsa": Ecdsa, "ecdsa-ota-tuf": EcdsaOtaTuf}
made = {}


def make_key(style, number):
    """Keys are made once; RSA keys take long and are shared out of a small pool."""
    place = (style.key, number % 12)
    if place not in made:
        made[place] = KINDS[style.key](number % 12)
    return made[place]


def key_object(style, key):
    value = {"keytype": key.names[style.dialect], "keyval": {"public": key.text(style.dialect)}}
    if style.dialect == "tuf":
        value["scheme"] = key.scheme
    return value


def key_id(style, key):
    """The four computations met in the field; nobody may rely on which it is."""
    text = key.text(style.dialect)
    spki = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256({"der": spki, "string": json.dumps(text.rstrip("\n")).encode(), "untrimmed": form_c(text),
                   "object": form_c(key_object(style, key))}[style.keyid])


def signature(style, key, message):
    made_by_key = key.sign(message)
    text = made_by_key.hex() if style.encoding == "hex" else base64.b64encode(made_by_key).decode()
    entry = {"keyid": key_id(style, key), "sig": text}
    if style.dialect == "uptane":
        entry["method"] = key.method
    return entry


def sign(style, signed, keys):
    message = style.canonical(signed)
    return {"signatures": [signature(style, key, message) for key in keys], "signed": signed}


class Role:
    def __init__(self, *keys, threshold=None):
        self.keys, self.threshold = list(keys), threshold if threshold is not None else len(keys)

    def entry(self, style):
        return {"keyids": [key_id(style, key) for key in self.keys], "threshold": self.threshold}


def key_table(style, roles):
    return {key_id(style, key): key_object(style, key) for role in roles for key in role.keys}


class Delegation:
    """One entry of delegations.roles, and the file it leads to."""

    def __init__(self, name, role, paths, targets=None, terminating=False, version=1, expires=EXPIRES, hardware_ids=None,
                 delegations=(), listed=True):
        self.name, self.role, self.paths, self.targets = name, role, paths, targets or {}
        self.terminating, self.version, self.expires, self.hardware_ids = terminating, version, expires, hardware_ids
        self.delegations, self.listed = list(delegations), listed

    def entry(self, style):
        value = {"name": self.name, "paths": self.paths, "terminating": self.terminating, **self.role.entry(style)}
        if self.hardware_ids is not None:
            value["hardwareIds"] = self.hardware_ids
        return value


class Several:
    """A multi-role delegation: so many of its members must say the same."""

    def __init__(self, paths, members, needed, terminating=False):
        self.paths, self.members, self.needed, self.terminating = paths, members, needed, terminating

    def entry(self, style):
        return {"paths": self.paths, "terminating": self.terminating, "min_roles_in_agreement": self.needed,
                "roles": [{"name": m.name, **m.role.entry(style)} for m in self.members]}


def members_of(delegations):
    for delegation in delegations:
        yield from delegation.members if isinstance(delegation, Several) else [delegation]


def all_files(delegations, found=None):
    """Every delegated file once, by name; one mentioned twice is the same file, and delegations may go in circles."""
    found = {} if found is None else found
    for each in members_of(delegations):
        if each.name not in found:
            found[each.name] = each
            all_files(each.delegations, found)
    return found


class Repository:
    """edit[role](signed) runs before signing, after[role](envelope) after it, final(files) on the bytes at the end."""

    def __init__(self, style, first_key, roles=("root", "timestamp", "snapshot", "targets")):
        self.style = style
        self.roles = {role: Role(make_key(style, first_key + i)) for i, role in enumerate(roles)}
        self.root_signers = None
        self.roots = {}  # version → envelope of roots before the newest
        self.versions = {role: 1 for role in ("root", "timestamp", "snapshot", "targets")}
        self.expires = {role: EXPIRES for role in self.versions}
        self.targets, self.delegations, self.extra = {}, [], {}
        self.edit, self.after, self.final = {}, {}, None

    def signed(self, role, members, name=None, version=None, expires=None):
        value = {"_type": self.style.type_name(role), "version": self.versions[role] if version is None else version,
                 "expires": expires or self.expires[role], **self.style.extra, **members}
        if self.style.dialect == "tuf":
            value["spec_version"] = "1.0.31"
        self.edit.get(name or role, lambda signed: None)(value)
        return value

    def envelope(self, name, signed, keys):
        envelope = sign(self.style, signed, keys)
        self.after.get(name, lambda envelope: None)(envelope)
        return envelope, self.style.write(envelope)

    def root(self):
        members = {"consistent_snapshot": self.style.consistent, "keys": key_table(self.style, self.roles.values()),
                   "roles": {name: role.entry(self.style) for name, role in self.roles.items()}}
        signers = self.roles["root"].keys if self.root_signers is None else self.root_signers
        return self.envelope("root", self.signed("root", members), signers)

    def keep_root(self):
        """The root as it is now becomes one of the past; the next has a version more."""
        self.roots[self.versions["root"]] = self.root()[1]
        self.versions["root"] += 1

    def delegations_member(self, delegations):
        if not delegations:
            return {}
        keys = key_table(self.style, [each.role for each in members_of(delegations)])
        return {"delegations": {"keys": keys, "roles": [d.entry(self.style) for d in delegations]}}

    def listing(self, envelope, data):
        hashed = self.style.hashed(envelope, data)
        return {"version": envelope["signed"]["version"], "length": len(data),
                "hashes": {"sha256": sha256(hashed), "sha512": hashlib.sha512(hashed).hexdigest()}}

    def place(self, files, name, version, data):
        prefix = f"{version}." if self.style.consistent else ""
        folder = "delegations/" if self.style.dialect == "uptane" and name != "targets" and name != "snapshot" else ""
        files[f"{folder}{prefix}{name}.json"] = data

    def delegated_files(self, files, meta):
        for name, each in all_files(self.delegations).items():
            members = {"targets": each.targets, **self.delegations_member(each.delegations)}
            signed = self.signed("targets", members, name, each.version, each.expires)
            envelope, data = self.envelope(name, signed, each.role.keys)
            self.place(files, name, each.version, data)
            if each.listed:
                meta[name + ".json"] = self.listing(envelope, data)

    def build(self):
        files, meta = {}, {}
        targets = self.signed("targets", {"targets": self.targets, **self.delegations_member(self.delegations), **self.extra})
        envelope, data = self.envelope("targets", targets, self.roles["targets"].keys)
        self.place(files, "targets", targets["version"], data)
        meta["targets.json"] = self.listing(envelope, data)
        self.delegated_files(files, meta)
        if "snapshot" in self.roles:
            snapshot = self.signed("snapshot", {"meta": meta})
            envelope, data = self.envelope("snapshot", snapshot, self.roles["snapshot"].keys)
            self.place(files, "snapshot", snapshot["version"], data)
            listed = {"snapshot.json": self.listing(envelope, data)}
            envelope, data = self.envelope("timestamp", self.signed("timestamp", {"meta": listed}), self.roles["timestamp"].keys)
            files["timestamp.json"] = data
        for version, root in self.roots.items():
            files[f"{version}.root.json"] = root
        files[f"{self.versions['root']}.root.json"] = self.root()[1]
        if self.final:
            self.final(files)
        return files


def use_hashed_bins(repository):
    """What its first delegation lists is in two bins instead (TUF 4.5.1), signed by the same keys."""
    first = repository.delegations.pop(0)
    bins = [Delegation(f"bin-{number}", first.role, ["*"], version=first.version) for number in range(2)]
    for path, entry in first.targets.items():
        bins[hashlib.sha256(path.encode()).digest()[0] >> 7].targets[path] = entry
    repository.delegations = bins
    succinct = {"bit_length": 1, "name_prefix": "bin", **first.role.entry(repository.style)}
    repository.edit["targets"] = lambda signed: signed.update(
        delegations={"keys": signed["delegations"]["keys"], "succinct_roles": succinct})
    # a snapshot never stops listing a file
    repository.edit["snapshot"] = lambda signed: signed["meta"].update({f"{first.name}.json": {"version": first.version}})


def write_folder(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def target(data, **custom):
    entry = {"length": len(data), "hashes": {"sha256": sha256(data), "sha512": hashlib.sha512(data).hexdigest()}}
    if custom:
        entry["custom"] = custom
    return entry


VIN = "WRB0TEST000000001"
PRIMARY, SECONDARY, PARTIAL = ("SN-1", "tcu-a"), ("SN-2", "brake-b"), ("SN-3", "seat-c")
IMAGES = {"tcu/app-2.bin": b"TCU application 2" * 11, "brake/app-2.bin": b"brake application 2" * 7,
          "seat/app-2.bin": b"seat application 2"}
ASSIGNED = dict(zip(IMAGES, (PRIMARY, SECONDARY, PARTIAL)))


class World:
    """A vehicle's two repositories. counter: release counter of all images."""

    def __init__(self, style, director_online=True, counter=3):
        online = ("timestamp", "snapshot") if director_online else ()
        self.style = style
        self.director = Repository(style, 0, ("root", "targets", *online))
        self.image = Repository(style, 4)
        self.images = dict(IMAGES)
        self.image.delegations = [Delegation("supplier-b", Role(make_key(style, 8)), ["brake/*"])]
        self.director.extra["vin"] = VIN
        for path, data in IMAGES.items():
            serial, hardware_id = ASSIGNED[path]
            self.director.targets[path] = target(data, ecuIdentifiers={serial: {"hardwareId": hardware_id}}, releaseCounter=counter)
            listed = self.image.delegations[0].targets if path.startswith("brake/") else self.image.targets
            listed[path] = target(data, hardwareIds=[hardware_id], releaseCounter=counter)

    def newer(self):
        """Everything a version higher but the roots."""
        for repository in (self.director, self.image):
            for role in ("timestamp", "snapshot", "targets"):
                repository.versions[role] += 1
            for delegation in repository.delegations:
                delegation.version += 1
        return self

    def file_of(self, path, data):
        """Where an image lies: an attacker's bytes lie under the name of those that are listed."""
        if not self.style.consistent:
            return path
        lists = [self.image.targets] + [getattr(delegation, "targets", {}) for delegation in self.image.delegations]
        hashes = [listed[path].get("hashes") for listed in lists if path in listed]
        digests = [each["sha256"] for each in hashes if isinstance(each, dict) and isinstance(each.get("sha256"), str)]
        digest = (digests or [sha256(data)])[0]
        folder, slash, base = path.rpartition("/")
        return f"{folder}{slash}{digest}.{base}"

    def write(self, folder):
        write_folder(folder / "director", self.director.build())
        write_folder(folder / "image", self.image.build())
        for path, data in self.images.items():
            write_folder(folder / "image" / "targets", {self.file_of(path, data): data})
        return folder
