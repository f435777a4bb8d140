"""Signing keys: ECDSA P-256 or Ed25519, in PKCS#8 PEM files that only their owner can read, or in
tokens (PKCS#11), which the file then names.

A key is named by its OpenSSH SHA256 fingerprint (as `ssh-keygen -l` prints it): the one form
of keyid that securesystemslib and cosign both take. SM2 keys, for a second signature, have no
such fingerprint and are named by their SM3 digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from collector import private
from collector.attest.keys import sm2, token, tokenuri
from collector.captures import sync_folder
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg, of_system

KeyType = Literal["p256", "ed25519", "sm2"]
# those whose signature everybody can check
TYPES: tuple[KeyType, ...] = ("p256", "ed25519")
ALL_TYPES: tuple[KeyType, ...] = (*TYPES, "sm2")
# the order of the P-256 group (FIPS 186-5, SP 800-186 section 3.2.1.3)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key. `pem` is its SubjectPublicKeyInfo in PEM, `keyid` its fingerprint."""

    keyid: str
    pem: str
    type: KeyType

    @classmethod
    def from_pem(cls, pem: str | bytes, *, where: str) -> PublicKey:
        """Raises BadInput for anything but one P-256, Ed25519 or SM2 key in the usual PEM form."""
        data = pem.encode() if isinstance(pem, str) else pem
        if sm2.is_public(data):
            return cls(sm2.keyid(data), data.decode(), "sm2")
        try:
            loaded = serialization.load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm):
            raise BadInput(msg("not_public_key_pem"), where=where) from None
        key = cls.of(loaded, where=where)
        if key.pem.encode() != data:
            raise BadInput(msg("something_stands_beside_public"), where=where)
        return key

    @classmethod
    def of(cls, key: object, *, where: str) -> PublicKey:
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            known: KeyType = "p256"
        elif isinstance(key, ed25519.Ed25519PublicKey):
            known = "ed25519"
        else:
            raise BadInput(msg("only_p_256_ed25519"), where=where)
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
        keyid = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        return cls(keyid, pem.decode(), known)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises VerifyFailed unless `signature` is the one form of a signature over `data`.

        ECDSA allows two values of s, and DER more than one spelling: only the lower s
        (s ≤ n/2) in DER is taken, so that a signed bundle cannot be changed and still verify.
        """
        if self.type == "sm2":
            sm2.verify(self.pem, signature, data)
            return
        loaded = serialization.load_pem_public_key(self.pem.encode())
        try:
            if isinstance(loaded, ed25519.Ed25519PublicKey):
                loaded.verify(signature, data)
                return
            if not isinstance(loaded, ec.EllipticCurvePublicKey):
                raise TypeError(self.type)
            r, s = decode_dss_signature(signature)
            if encode_dss_signature(r, s) != signature:
                raise VerifyFailed(msg("signature_not_der"))
            if s > _ORDER // 2:
                raise VerifyFailed(msg("signature_not_one_allowed"))
            loaded.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            raise VerifyFailed(msg("signature_not_over", keyid=self.keyid)) from None


class PrivateKey:
    """A private key in memory, or within reach in a token."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | sm2.Secret | token.Held,
        *,
        where: str = "",
    ) -> None:
        self._key = key
        if isinstance(key, sm2.Secret):
            self.public = PublicKey.from_pem(key.public(), where=where)
        elif isinstance(key, token.Held):
            self.public = PublicKey.of(key.public, where=where)
        else:
            self.public = PublicKey.of(key.public_key(), where=where)

    @property
    def keyid(self) -> str:
        return self.public.keyid

    @classmethod
    def generate(cls, type: KeyType = "p256") -> PrivateKey:
        if type == "ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        if type == "sm2":
            return cls(sm2.generate())
        return cls(ec.generate_private_key(ec.SECP256R1()))

    def sign(self, data: bytes) -> bytes:
        """Ed25519, SM2 with SM3 in DER, or ECDSA with SHA-256 in DER with the lower s."""
        if isinstance(self._key, token.Held):
            return self._by_token(self._key, data)
        if isinstance(self._key, ed25519.Ed25519PrivateKey | sm2.Secret):
            return self._key.sign(data)
        return _low(self._key.sign(data, ec.ECDSA(hashes.SHA256())))

    def _by_token(self, key: token.Held, data: bytes) -> bytes:
        signature = key.sign(data)
        if self.public.type == "p256":
            signature = _low(signature)
        try:
            self.public.verify(signature, data)
        except VerifyFailed:
            raise BadInput(
                msg("token_signed_not_fit"),
                where=key.uri.text,
            ) from None
        return signature

    def save(self, path: Path, passphrase: bytes | None) -> None:
        """Writes a PKCS#8 PEM file of mode 0600, whole or not at all; never over another file.

        Of a key in a token its name is written.
        """
        pem = self._pem(passphrase)
        aside = private.beside(path)
        try:
            with private.create(aside) as out:
                out.write(pem)
                out.flush()
                os.fsync(out.fileno())
            try:
                os.link(aside, path)
            except FileExistsError:
                raise BadInput(
                    msg("file_already"), where=str(path), mend=msg("choose_another_name")
                ) from None
        except OSError as problem:
            problem.filename = str(path)
            raise
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(path.parent)

    def _pem(self, passphrase: bytes | None) -> bytes:
        if isinstance(self._key, token.Held):
            return self._key.uri.to_pem()
        if isinstance(self._key, sm2.Secret):
            return self._key.locked(passphrase) if passphrase else self._key.pem
        guard: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            guard = serialization.BestAvailableEncryption(passphrase)
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, guard
        )


def _low(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, _ORDER - s))


def encrypted(path: Path) -> bool:
    """Does the key file ask for a passphrase, or the token it names for a PIN?"""
    named = in_token(path)
    if named is not None:
        return named.pin_source is None
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in _read(path)


def in_token(path: Path) -> tokenuri.KeyUri | None:
    """The key in a token that the file names, where it names one."""
    data = _read(path)
    if f"-----BEGIN {tokenuri.PEM_LABEL}-----".encode() not in data:
        return None
    return tokenuri.from_pem(data, where=str(path))


def of_token(uri: tokenuri.KeyUri, pin: bytes | None = None) -> PrivateKey:
    """The key in a token; raises BadInput where it is not to be had."""
    return PrivateKey(token.Held(uri, pin), where=uri.text)


def load(path: Path, passphrase: bytes | None = None) -> PrivateKey:
    """A private key from its file.

    Raises BadInput when others can read the file, the passphrase is wrong or missing, or the
    file is no PKCS#8 PEM of a P-256, Ed25519 or SM2 key. A file that names a key in a token
    leads there; the passphrase is then the PIN.
    """
    named = in_token(path)
    if named is not None:
        return of_token(named, passphrase)
    data = _read(path)
    where = str(path)
    if b"-----BEGIN PUBLIC KEY-----" in data:
        raise BadInput(msg("public_key_where_private"), where=where)
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in data:
        if not passphrase:
            raise BadInput(msg("asks_passphrase"), where=where, mend=msg("give_passphrase_file"))
    elif b"-----BEGIN PRIVATE KEY-----" in data:
        passphrase = None
    else:
        raise BadInput(
            msg("not_private_key_pkcs"),
            where=where,
            mend=msg("make_one_hostpledge_key"),
        )
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except UnsupportedAlgorithm:
        return _load_sm2(data, passphrase, where)
    except (ValueError, TypeError):
        reason = msg("passphrase_wrong_key_damaged") if passphrase else "damaged"
        raise BadInput(reason, where=where) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise BadInput(msg("only_p_256_ed25519"), where=where)
    return PrivateKey(key, where=where)


def _load_sm2(data: bytes, passphrase: bytes | None, where: str) -> PrivateKey:
    """What `cryptography` knows no curve for; OpenSSL writes it in its own one form again."""
    secret = sm2.unlock(data, passphrase or b"", where=where)
    if not sm2.is_public(secret.public().encode()):
        raise BadInput(msg("only_p_256_ed25519"), where=where)
    return PrivateKey(secret, where=where)


def _read(path: Path) -> bytes:
    try:
        with private.opened(path) as source:
            about = os.fstat(source.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise BadInput(msg("not_file"), where=str(path))
            if about.st_mode & 0o077:
                raise BadInput(
                    msg("others_can_read_key", mode=stat.S_IMODE(about.st_mode)),
                    where=str(path),
                    mend=msg("chmod_600_new_key", path=path),
                )
            return source.read(_LARGEST)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None


def strict_base64(text: str) -> bytes:
    """Base64 in its one canonical spelling (RFC 4648 section 4); raises ValueError for others."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(msg("not_base64_2")) from None
    if base64.b64encode(data).decode() != text:
        raise ValueError(msg("base64_unusual_spelling"))
    return data
