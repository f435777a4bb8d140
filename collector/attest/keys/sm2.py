"""SM2 signatures with SM3 (GB/T 32918, GB/T 32905), made and checked by the OpenSSL 3 program.

Keys are bare: no certificates, and no claim of GB/T 35275. The signer's identity is always the
default of GM/T 0009, `1234567812345678`; OpenSSL's own default is another one. Secrets reach
OpenSSL through pipes, never through arguments or files.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg

ID = "1234567812345678"
_SECONDS = 60
# SubjectPublicKeyInfo: id-ecPublicKey, curve 1.2.156.10197.1.301, an uncompressed point
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
# the curve of GB/T 32918.5: y² = x³ - 3x + b over the prime field, with n points
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_SIGNING = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{ID}")


@dataclass(frozen=True, slots=True)
class Secret:
    """A private key, as PKCS#8 PEM without a passphrase."""

    pem: bytes = field(repr=False)

    def public(self) -> str:
        """Its SubjectPublicKeyInfo in PEM."""
        return _openssl(["pkey", "-in", "{0}", "-pubout"], [self.pem]).decode()

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, in DER."""
        return _openssl(["pkeyutl", "-sign", "-inkey", "{0}", *_SIGNING], [self.pem], data)

    def locked(self, passphrase: bytes) -> bytes:
        """The key as PKCS#8 PEM under a passphrase (PBKDF2, AES-256)."""
        order = ["pkcs8", "-topk8", "-in", "{0}", "-passout", "fd:{1}", "-v2", "aes-256-cbc"]
        order += ["-v2prf", "hmacWithSHA256", "-iter", "600000"]
        return _openssl(order, [self.pem, passphrase + b"\n"])


def generate() -> Secret:
    return Secret(_openssl(["genpkey", "-algorithm", "SM2"], []))


def unlock(pem: bytes, passphrase: bytes, *, where: str) -> Secret:
    """A key from PKCS#8 PEM under a passphrase; raises BadInput where that is not the one."""
    order = ["pkey", "-in", "{0}", "-passin", "fd:{1}"]
    try:
        return Secret(_openssl(order, [pem, passphrase + b"\n"]))
    except _Refused:
        raise BadInput(msg("passphrase_wrong_key_damaged"), where=where) from None


def is_public(pem: bytes) -> bool:
    """Is it the one PEM form of an SM2 public key whose point lies on the curve?"""
    der = _der(pem)
    if der is None or not der.startswith(_SPKI) or len(der) != len(_SPKI) + 64:
        return False
    x, y = (int.from_bytes(der[place : place + 32]) for place in (len(_SPKI), len(_SPKI) + 32))
    return x < _P and y < _P and (y * y - x * x * x + 3 * x - _B) % _P == 0 and to_pem(der) == pem


def keyid(pem: bytes) -> str:
    """`SM3:` and the SM3 digest of the SubjectPublicKeyInfo, in base64 without padding."""
    digest = bytes.fromhex(sm3(_der(pem) or b""))
    return "SM3:" + base64.b64encode(digest).decode().rstrip("=")


def to_pem(der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    return "\n".join(
        ["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]
    ).encode()


def verify(pem: str, signature: bytes, data: bytes) -> None:
    """Raises VerifyFailed unless `signature`, in DER, is by this key over `data`.

    Raises BadInput where OpenSSL cannot say.
    """
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        raise VerifyFailed(msg("signature_not_der")) from None
    if encode_dss_signature(r, s) != signature:
        raise VerifyFailed(msg("signature_not_der"))
    if not (0 < r < _N and 0 < s < _N and (r + s) % _N):
        raise VerifyFailed(msg("signature_none_numbers_out"))
    order = ["pkeyutl", "-verify", "-pubin", "-inkey", "{0}", "-sigfile", "{1}", *_SIGNING]
    try:
        _openssl(order, [pem.encode(), signature], data)
    except _Refused as problem:
        if "Signature Verification Failure" not in problem.answer:
            raise
        raise VerifyFailed(msg("signature_not_over", keyid=keyid(pem.encode()))) from None


def sm3(data: bytes) -> str:
    """The SM3 digest, in hex."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def file_digest(path: Path) -> str:
    """The SM3 digest of a file's content, in hex."""
    digest = hashes.Hash(hashes.SM3())
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
    return digest.finalize().hex()


def _der(pem: bytes) -> bytes | None:
    lines = pem.decode("ascii", "replace").split("\n")
    if lines[0] != "-----BEGIN PUBLIC KEY-----" or lines[-2:] != ["-----END PUBLIC KEY-----", ""]:
        return None
    try:
        return base64.b64decode("".join(lines[1:-2]), validate=True)
    except ValueError:
        return None


class _Refused(BadInput):
    """OpenSSL ran and said no."""

    def __init__(self, said: str) -> None:
        super().__init__(msg("openssl_refused", said=said), mend=msg("sm2_needs_openssl_3_openssl"))
        self.answer = said


def _openssl(order: Sequence[str], inputs: Sequence[bytes], stdin: bytes = b"") -> bytes:
    """Runs OpenSSL. `{N}` in `order` is a pipe that holds `inputs[N]`, each at most 64 KiB."""
    with ExitStack() as opened:
        ends = []
        for data in inputs:
            reading, writing = os.pipe()
            opened.callback(os.close, reading)
            with open(writing, "wb") as pipe:
                pipe.write(data)
            ends.append(reading)
        words = [_place(word, ends) for word in order]
        try:
            done = subprocess.run(
                ["openssl", *words],
                input=stdin,
                capture_output=True,
                check=False,
                pass_fds=ends,
                timeout=_SECONDS,
                env={**os.environ, "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise BadInput(
                msg("sm2_needs_openssl_3"),
                where="openssl",
                mend=msg("apt_install_openssl_dnf"),
            ) from None
        except subprocess.TimeoutExpired:
            raise BadInput(
                msg("openssl_took_longer_s", seconds=_SECONDS), where="openssl"
            ) from None
    if done.returncode:
        raise _Refused((done.stdout + done.stderr).decode("utf-8", "replace"))
    return done.stdout


def _place(word: str, ends: Sequence[int]) -> str:
    for number, end in enumerate(ends):
        word = word.replace(f"fd:{{{number}}}", f"fd:{end}")
        word = word.replace(f"{{{number}}}", f"/dev/fd/{end}")
    return word
