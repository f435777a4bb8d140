"""Checkpoints of a log: how many entries it has and their root, signed.

The body is C2SP tlog-checkpoint v1 without extension lines, the whole a C2SP signed-note v1.0.0.
Ed25519 signs as type 0x01 has it, P-256 as 0x02 (the form that Rekor's checkpoints have).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from collector.attest.keys.keys import PrivateKey, PublicKey, strict_base64
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import VerifyFailed
from collector.i18n.message import msg, told

MOST_BYTES = 1 << 20
_MOST_SIGNATURES = 64
_ORIGIN = re.compile(r"[^\s+]{1,255}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log named `origin` had `size` entries with this Merkle root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as it was read: its form is checked, its signatures are not.

    `signatures` are (name, key id, signature); those of keys that nobody knows count for nothing.
    """

    text: str
    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def verify(self, trust: Trust, *, where: str) -> TrustedKey:
        """The trusted key that signed. Raises VerifyFailed when none did.

        A checkpoint carries no time. One that a revoked key signed is still what its keeper got,
        so whether that counts is for the caller to say.
        """
        signer: TrustedKey | None = None
        other: TrustedKey | None = None
        for name, id, signature in self.signatures:
            for known in trust.keys:
                if (
                    known.key.type == "sm2"
                    or name != self.checkpoint.origin
                    or id != note_id(known.key, name)
                ):
                    continue
                try:
                    known.key.verify(signature, self.checkpoint.body().encode())
                except VerifyFailed as problem:
                    raise VerifyFailed(
                        msg("the_checkpoint", what=problem.what), where=where
                    ) from None
                if not known.may("log"):
                    other = known
                    continue
                if signer is None or signer.revoked_at is not None:
                    signer = known
        if signer is None and other is not None:
            raise VerifyFailed(
                msg("checkpoint_signed_key_trusted", name=other.name, roles_said=other.roles_said),
                where=where,
            )
        if signer is None:
            raise VerifyFailed(msg("checkpoint_not_signed_trusted"), where=where)
        return signer


def is_origin(name: str) -> bool:
    """May a log have that name? Neither blanks nor line ends, nor the + of key names, are in it."""
    return _ORIGIN.fullmatch(name) is not None and name.isprintable()


def sign(checkpoint: Checkpoint, key: PrivateKey) -> str:
    """The signed note of a checkpoint."""
    body = checkpoint.body()
    signed = note_id(key.public, checkpoint.origin) + key.sign(body.encode())
    return f"{body}\n— {checkpoint.origin} {base64.b64encode(signed).decode()}\n"


def note_id(key: PublicKey, name: str) -> bytes:
    """The four bytes by which a signature line names its key (C2SP signed-note)."""
    loaded = load_pem_public_key(key.pem.encode())
    if isinstance(loaded, Ed25519PublicKey):
        raw = loaded.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return hashlib.sha256(name.encode() + b"\n\x01" + raw).digest()[:4]
    spki = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()[:4]


def parse(data: bytes, *, where: str) -> Note:
    """Reads a signed checkpoint strictly; raises VerifyFailed for any other form."""
    try:
        text = _text(data)
        body, blank, lines = text.rpartition("\n\n")
        fields = body.split("\n")
        if not blank or len(fields) < 3 or not lines.endswith("\n"):
            raise ValueError(msg("not_signed_checkpoint"))
        origin, size, root = fields[:3]
        if len(fields) > 3:
            raise ValueError(msg("checkpoint_further_lines_hostpledge"))
        if not is_origin(origin):
            raise ValueError(msg("not_checkpoint_no_name"))
        if not _SIZE.fullmatch(size):
            raise ValueError(msg("not_checkpoint_no_size"))
        hash_ = strict_base64(root)
        if len(hash_) != 32:
            raise ValueError(msg("not_checkpoint_no_sha"))
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > _MOST_SIGNATURES:
            raise ValueError(msg("more_signatures", most_signatures=_MOST_SIGNATURES))
    except ValueError as problem:
        raise VerifyFailed(told(problem), where=where) from None
    return Note(text, Checkpoint(origin, int(size), hash_), signatures)


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise ValueError(msg("larger_mib", largest=MOST_BYTES >> 20))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValueError(msg("not_utf_8")) from None
    if any(c != "\n" and not c.isprintable() for c in text):
        raise ValueError(msg("holds_control_character"))
    return text


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(msg("not_signature_line_note"))
    data = strict_base64(found[2])
    if len(data) < 5:
        raise ValueError(msg("not_signature_line_note"))
    return found[1], data[:4], data[4:]
