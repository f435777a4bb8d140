"""X.509 certificates as a server shows them (RFC 5280)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from collector.errors import NotUnderstood
from collector.i18n.message import msg

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True)
class Certificate:
    """`subject` and `issuer` after RFC 4514; `names` are those of subjectAltName (DNS and IP).

    `own` says that it is signed with its own key; `begins` and `ends` are in UTC. `weak` names a
    key or a digest that is too weak (RFC 9325, 4.5), or is empty.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    own: bool
    weak: str = ""

    def covers(self, name: str) -> bool:
        """Is `name` one of its names (RFC 9525, 6.3: a wildcard stands for one whole label)?"""
        rest = name.lower().partition(".")[2]
        return any(x.lower() in (name.lower(), f"*.{rest}") for x in self.names)

    @property
    def line(self) -> str:
        names = f" ({', '.join(self.names[:8])})" if self.names else ""
        kind = "self-signed" if self.own else f"by {self.issuer}"
        return f"{self.subject}{names}: {self.begins:%Y-%m-%d} … {self.ends:%Y-%m-%d}, {kind}"


def certificate(data: bytes, read: str) -> Certificate:
    """From DER. Raises NotUnderstood."""
    import warnings

    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.utils import CryptographyDeprecationWarning

    try:
        with warnings.catch_warnings():
            # MariaDB makes itself certificates whose serial number is 0
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            found = x509.load_der_x509_certificate(data)
        subject, issuer = found.subject.rfc4514_string(), found.issuer.rfc4514_string()
        begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
        names: tuple[str, ...] = ()
        try:
            told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = (
                *told.get_values_for_type(x509.DNSName),
                *map(str, told.get_values_for_type(x509.IPAddress)),
            )
        except x509.ExtensionNotFound:
            pass
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as problem:
        raise NotUnderstood(read, msg("a_certificate", problem=problem)) from None
    own = found.subject == found.issuer
    if own:
        try:
            found.verify_directly_issued_by(found)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as problem:
            # a signature of a kind that is not known here leaves it at the names
            own = not isinstance(problem, InvalidSignature)
    return Certificate(subject, issuer, names, begins, ends, own, _weak(found))


def _weak(found: x509.Certificate) -> str:
    """RSA below 2048 bits, elliptic curves below 224; signed over MD5 or SHA-1 by another key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = found.public_key()
        digest = found.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return ""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        return f"RSA {key.key_size}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < 224:
        return f"EC {key.curve.key_size}"
    if digest is not None and digest.name in ("md5", "sha1") and found.subject != found.issuer:
        return digest.name.upper()
    return ""
