"""DSSE envelopes with exactly one signature, in a Sigstore bundle v0.3 with a key of our own.

DSSE v1.0 (secure-systems-lab/dsse); Sigstore bundle: sigstore/protobuf-specs. No certificate:
the `publicKey` hint names the key, which a verifier must have from elsewhere. A signature by an SM2
key stands in a file of its own, of the same form: two signatures in one are read differently.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey

from collector.attest.envelope.canonical import conform, parse
from collector.attest.keys.keys import PrivateKey, PublicKey, strict_base64
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg, told
from collector.schema import check

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
FILE = "bundle.sigstore.json"
TWIN = "bundle.sm2.json"
FILES = (FILE, TWIN)
Stamper = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope as it was read: its form is checked, its signature is not."""

    payload: bytes
    keyid: str
    signature: bytes
    material: dict[str, Any]
    timestamps: tuple[bytes, ...] = ()

    def pae(self) -> bytes:
        """The bytes that are signed (DSSE v1.0, Pre-Authentication Encoding)."""
        return Envelope(self.payload, PAYLOAD_TYPE, {}).pae()  # type: ignore[no-any-return]

    def verify(self, key: PublicKey) -> None:
        """Raises VerifyFailed unless `key` signed the payload."""
        if key.keyid != self.keyid:
            raise VerifyFailed(msg("signed_not", keyid=self.keyid, keyid_2=key.keyid))
        key.verify(self.signature, self.pae())


class _OneForm(Signer):  # type: ignore[misc]  # securesystemslib is followed untyped
    """Signs for securesystemslib in the one form that our verifier takes."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    @property
    def public_key(self) -> Key:
        return public_key(self._key.public)

    @classmethod
    def from_priv_key_uri(
        cls,
        priv_key_uri: str,
        public_key: Key,  # noqa: ARG003 - the signature that securesystemslib asks for
        secrets_handler: SecretsHandler | None = None,  # noqa: ARG003
    ) -> Signer:
        raise BadInput(msg("keys_not_loaded_uri"), where=priv_key_uri)

    def sign(self, payload: bytes) -> Signature:
        return Signature(self._key.keyid, self._key.sign(payload).hex())


def public_key(key: PublicKey) -> SSlibKey:
    """The key as securesystemslib knows it, under our keyid."""
    return SSlibKey.from_crypto(load_pem_public_key(key.pem.encode()), keyid=key.keyid)


def signer(key: PrivateKey) -> Signer:
    """The key as securesystemslib signs with it."""
    return _OneForm(key)


def seal(payload: bytes, key: PrivateKey, stamps: Sequence[Stamper] = ()) -> bytes:
    """The RFC 8785 bytes of a Sigstore bundle whose envelope holds `payload`, signed.

    Each of `stamps` makes a timestamp (an RFC 3161 answer, in DER) over the signature.
    """
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(_OneForm(key))
    document = envelope.to_dict()
    material: dict[str, Any] = {"publicKey": {"hint": key.keyid}}
    if stamps:
        signature = strict_base64(document["signatures"][0]["sig"])
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [
                {"signedTimestamp": base64.b64encode(stamp(signature)).decode()} for stamp in stamps
            ]
        }
    return to_bytes(
        {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": document}
    )


def to_bytes(document: dict[str, Any]) -> bytes:
    """The bytes of bundle.sigstore.json; a change (a timestamp, a log entry) goes through here."""
    check(document, "sigstore-bundle", where=FILE)
    return rfc8785.dumps(document)


def unseal(data: bytes, *, where: str = FILE, sm2: bool = False) -> Sealed:
    """Reads bundle.sigstore.json (with `sm2`, bundle.sm2.json) strictly.

    Raises VerifyFailed unless it has its exact form.
    """
    document = parse(data, where=where)
    conform(document, "sigstore-bundle", where=where)
    envelope = document["dsseEnvelope"]
    material = document["verificationMaterial"]
    stamped = material.get("timestampVerificationData", {}).get("rfc3161Timestamps", ())
    try:
        payload = strict_base64(envelope["payload"])
        signature = strict_base64(envelope["signatures"][0]["sig"])
        timestamps = tuple(strict_base64(one["signedTimestamp"]) for one in stamped)
    except ValueError as problem:
        raise VerifyFailed(told(problem), where=where) from None
    keyid = envelope["signatures"][0]["keyid"]
    if material["publicKey"]["hint"] != keyid:
        raise VerifyFailed(msg("names_one_key_hint"), where=where)
    if keyid.startswith("SM3:") is not sm2:
        raise VerifyFailed(msg("signed_not_key_file", keyid=keyid), where=where)
    return Sealed(payload, keyid, signature, material, timestamps)
