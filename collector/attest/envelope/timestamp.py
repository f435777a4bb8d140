"""RFC 3161 timestamps over the bytes of a signature: somebody else's word for when it was there.

What an authority signs is the time and the digest. The rest of its answer is signed by nobody, so
a timestamp proves its time and nothing more: it is no part of what ADR 7 says of a bundle's bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    Certificate,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerifierBuilder,
    decode_timestamp_response,
)

from collector.attest.envelope.signing_certificate import names_its_own
from collector.errors import BadInput, VerifyFailed, one_line
from collector.i18n.message import msg, told

LARGEST = 1 << 16
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A timestamp authority that a verifier trusts, by its root and, if any, its intermediate

    certificates. They have to be valid at the time of the timestamp, not now.
    """

    name: str
    pem: str
    certificates: tuple[Certificate, ...]

    @classmethod
    def from_pem(cls, name: str, pem: str, *, where: str) -> Authority:
        """Raises BadInput for anything but certificates in PEM, a root among them."""
        try:
            found = tuple(load_pem_x509_certificates(pem.encode()))
            # names are read when they are asked for
            own = [one.issuer == one.subject for one in found]
        except Exception:  # noqa: BLE001 - what is no certificate raises nearly anything
            raise BadInput(msg("not_certificates_pem"), where=where) from None
        if not any(own):
            raise BadInput(msg("no_root_certificate_among"), where=where)
        plain = "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
        return cls(name, plain, found)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp that was verified: what it is over was there at `at` (aware)."""

    at: datetime
    authority: str


class Request:
    """Asks for a timestamp over `signature`; `bytes` is what goes to the authority."""

    def __init__(self, signature: bytes) -> None:
        builder = TimestampRequestBuilder().data(signature).hash_algorithm(HashAlgorithm.SHA256)
        self._asked = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        self._signature = signature
        self.bytes = self._asked.as_bytes()

    def accept(self, answer: bytes, *, where: str) -> bytes:
        """The answer, to be kept; raises BadInput unless it is one to this very question.

        Whether its authority is any good says whoever verifies the bundle.
        """
        try:
            found = _read(answer, self._signature)
        except VerifyFailed as problem:
            raise BadInput(problem.what, where=where) from None
        if found.tst_info.nonce != self._asked.nonce:
            raise BadInput(msg("timestamp_answers_another_question"), where=where)
        if not found.signed_data.certificates:
            raise BadInput(msg("timestamp_came_without_certificate"), where=where)
        return answer


def check(data: bytes, signature: bytes) -> datetime:
    """The time that a timestamp names, by whomever it is; raises VerifyFailed unless it is

    a granted one over this signature.
    """
    return _read(data, signature).tst_info.gen_time.astimezone(UTC)


def verify(data: bytes, signature: bytes, authorities: Sequence[Authority]) -> Stamp:
    """Raises VerifyFailed unless one of the authorities gave this timestamp for the signature."""
    found = _read(data, signature)
    why: str = msg("no_authority_trusted")
    for authority in authorities:
        roots = [one for one in authority.certificates if one.issuer == one.subject]
        others = [one for one in authority.certificates if one.issuer != one.subject]
        try:
            verifier = VerifierBuilder(roots=roots, intermediates=others).build()
            verifier.verify_message(found, signature)
            given = [load_der_x509_certificate(one) for one in found.signed_data.certificates]
            named = names_its_own(data, [*given, *authority.certificates])
        except Exception as problem:  # noqa: BLE001 - a strange certificate in it raises anything
            why = one_line(told(problem))
        else:
            if not named:
                raise VerifyFailed(msg("timestamp_names_no_certificate"))
            return Stamp(found.tst_info.gen_time.astimezone(UTC), authority.name)
    raise VerifyFailed(msg("timestamp_not_trusted_authority", why=why))


def _read(data: bytes, signature: bytes) -> TimeStampResponse:
    if len(data) > LARGEST:
        raise VerifyFailed(msg("timestamp_larger_kib", largest=LARGEST >> 10))
    try:
        found = decode_timestamp_response(data)
        status, again = found.status, found.as_bytes()
    except ValueError:
        raise VerifyFailed(msg("timestamp_cannot_read_rfc")) from None
    if status != 0:
        said = "; ".join(_said(found)) or f"status {status}"
        raise VerifyFailed(msg("authority_not_give_timestamp", said=said))
    try:
        imprint = found.tst_info.message_imprint
        kind = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
        signers = list(found.signed_data.signer_infos)
        same = again == data and not _said(found) and found.signed_data.version == 3
        same = same and len(signers) == 1 and signers[0].version == 1
        found.tst_info.gen_time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise VerifyFailed(msg("timestamp_cannot_read_rfc")) from None
    if not same:
        raise VerifyFailed(msg("timestamp_not_one_form"))
    if kind is None or hashlib.new(kind, signature).digest() != imprint.message:
        raise VerifyFailed(msg("timestamp_not_over_signature"))
    return found


def _said(found: TimeStampResponse) -> list[str]:
    try:
        return found.status_string
    except (ValueError, AttributeError):
        return []
