"""The owner's detached signature of the data inventory, held to the owner's known keys.

The signature is the one of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig), in a file of the
inventory's name with `.sig` behind it. The keys are lines of an allowed signers file
(ssh-keygen(1), ALLOWED SIGNERS) that come with the pledge record: never from the host itself,
where whoever alters the inventory could lay keys beside it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Facts

SIGNATURE = "data-inventory.sig"
KEYS = "data-owner-keys"
NAMESPACE = "hostpledge-data-inventory"
SIGNATURES = "inventory.signature"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_CURVES: Mapping[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "nistp256": hashes.SHA256,
    "nistp384": hashes.SHA384,
    "nistp521": hashes.SHA512,
}
_TYPES = re.compile(r"ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa")
# GM/T 0054, NIST SP 800-131A: what is shorter signs nothing any more
_RSA_BITS = 2048

State = Literal["good", "altered", "stranger", "namespace", "no_keys", "form", "none", "missing"]


@dataclass(frozen=True, slots=True)
class Signed:
    """How the signature stands. `keyid` is the OpenSSH fingerprint of the key that made it.

    `good`: by a key of the inventory's owner over these very bytes. `altered`: by such a key,
    over other bytes. `stranger`: by a key that is not the owner's. `namespace`: the owner's, but
    made for something else. `no_keys`: no key of an owner is known. `form`: only files of other
    forms lie there. `none`: there is none; `missing`: none, though a key of the owner is known.
    """

    state: State
    path: str = ""
    keyid: str = ""
    name: str = ""


class Document(Protocol):
    """What is signed: an inventory as it was found (facts/inventory.py)."""

    @property
    def owner(self) -> str: ...
    @property
    def attached(self) -> bool: ...
    @property
    def path(self) -> str: ...
    @property
    def source(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class OwnerKey:
    """A key that may sign for these names (principals), as its SSH wire form."""

    names: tuple[str, ...]
    blob: bytes


def owner_signature(facts: Facts, known: Document) -> Signed:
    """Raises CouldNotLook, and NotUnderstood for a signature or a list of keys that is broken."""
    if known.attached:
        source = facts.attached.get(SIGNATURE)
        if source is None:
            return Signed("none")
        path, armoured = SIGNATURE, source.decode("utf-8", "replace")
    else:
        beside = [f for f in facts.capture.read(SIGNATURES).present() if f.size != 0]
        own = next((f for f in beside if f.path == f"{known.path}.sig"), None)
        if own is None:
            named = ", ".join(f.path for f in beside)
            return Signed("form", named) if beside else Signed(_unsigned(facts, known))
        path, armoured = own.path, own.text(SIGNATURES)
    if not armoured.lstrip().startswith(_BEGIN):
        return Signed("form", path)
    key, namespace, reserved, algorithm, signature = _parts(armoured, path)
    keyid = fingerprint(key)
    listed = facts.attached.get(KEYS)
    if listed is None:
        return Signed("no_keys", path, keyid)
    names = [name for k in owner_keys(listed) if k.blob == key for name in k.names]
    if known.owner not in names:
        return Signed("stranger", path, keyid, ", ".join(names))
    if namespace != NAMESPACE.encode():
        return Signed("namespace", path, keyid, namespace.decode("utf-8", "replace"))
    digest = _HASHES[algorithm](known.source).digest()
    signed = b"SSHSIG" + b"".join(
        _string(part) for part in (namespace, reserved, algorithm.encode(), digest)
    )
    good = _verified(key, signature, signed, path)
    return Signed("good" if good else "altered", path, keyid, known.owner)


def _unsigned(facts: Facts, known: Document) -> State:
    keys = owner_keys(facts.attached.get(KEYS, b""))
    return "missing" if any(known.owner in k.names for k in keys) else "none"


def owner_keys(document: bytes) -> tuple[OwnerKey, ...]:
    """The keys of an allowed signers file that may sign an inventory. Raises NotUnderstood."""
    found = []
    for number, line in enumerate(document.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(
            r'\s*("[^"]+"|\S+)\s+(?:namespaces="([^"]*)"\s+)?(\S+)\s+([A-Za-z0-9+/]+={0,2})(\s.*)?',
            line,
        )
        if match is None or not _TYPES.fullmatch(match[3]):
            raise NotUnderstood(KEYS, msg("line_not_name_namespaces", number=number))
        try:
            blob = base64.b64decode(match[4], validate=True)
            load_ssh_public_key(f"{match[3]} {match[4]}".encode())
        except (ValueError, UnsupportedAlgorithm) as problem:
            raise NotUnderstood(KEYS, msg("line", number=number, problem=problem)) from None
        if match[2] is None or NAMESPACE in match[2].split(","):
            names = tuple(n.strip() for n in match[1].strip('"').split(","))
            found.append(OwnerKey(names, blob))
    return tuple(found)


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _parts(armoured: str, path: str) -> tuple[bytes, bytes, bytes, str, bytes]:
    """Key, namespace, reserved, name of the hash, signature (PROTOCOL.sshsig, blob format)."""
    text = armoured.strip()
    if not text.endswith(_END):
        raise NotUnderstood(SIGNATURES, msg("it_ends_before_its_end", path=path))
    try:
        blob = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
        if blob[:10] != b"SSHSIG\0\0\0\1":
            raise ValueError(msg("not_version_1_ssh"))
        parts = _strings(blob[10:], 5)
        algorithm = parts[3].decode("ascii")
        if algorithm not in _HASHES:
            raise ValueError(msg("hash_not_known", algorithm=algorithm))
    except (binascii.Error, ValueError) as problem:
        raise NotUnderstood(SIGNATURES, msg("at", where=path, what=problem)) from None
    return parts[0], parts[1], parts[2], algorithm, parts[4]


def _verified(blob: bytes, signature: bytes, data: bytes, path: str) -> bool:
    """Raises NotUnderstood for a kind of key or signature that is not known here."""
    kind = _strings(blob, 1, whole=False)[0].decode("ascii", "replace")
    key = load_ssh_public_key(f"{kind} {base64.b64encode(blob).decode()}".encode())
    try:
        how, value = _strings(signature, 2)
        made = how.decode("ascii")
        if isinstance(key, ed25519.Ed25519PublicKey) and made == kind:
            key.verify(value, data)
        elif isinstance(key, ec.EllipticCurvePublicKey) and made == kind:
            r, s = (int.from_bytes(part, "big") for part in _strings(value, 2))
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(_CURVES[kind[-8:]]()))
        elif isinstance(key, rsa.RSAPublicKey) and made in ("rsa-sha2-256", "rsa-sha2-512"):
            if key.key_size < _RSA_BITS:
                raise NotUnderstood(
                    SIGNATURES, msg("rsa_key_bits", path=path, key_size=key.key_size)
                )
            digest = hashes.SHA256() if made.endswith("256") else hashes.SHA512()
            key.verify(value, data, padding.PKCS1v15(), digest)
        else:
            raise NotUnderstood(SIGNATURES, msg("signature_key", path=path, made=made, kind=kind))
    except InvalidSignature:
        return False
    except ValueError as problem:
        raise NotUnderstood(SIGNATURES, msg("at", where=path, what=problem)) from None
    return True


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, count: int, *, whole: bool = True) -> list[bytes]:
    """`count` strings of SSH's wire form (RFC 4251 section 5), and nothing after them."""
    found, at = [], 0
    for _ in range(count):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if at + 4 > len(data) or end > len(data):
            raise ValueError(msg("ends_before_end"))
        found.append(data[at + 4 : end])
        at = end
    if whole and at != len(data):
        raise ValueError(msg("something_stands_behind"))
    return found
