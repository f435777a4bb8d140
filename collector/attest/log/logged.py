"""What stands in a register's log, and the proofs that travel without the register.

An inclusion proof is a C2SP tlog-proof v1 whose `extra` is the entry; a consistency proof has
the same form with the older size in the place of the index.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from collector.attest.envelope.canonical import conform, parse
from collector.attest.keys.keys import strict_base64
from collector.attest.log import checkpoint as checkpoints
from collector.attest.log import merkle
from collector.attest.log.checkpoint import Checkpoint, Note
from collector.errors import VerifyFailed
from collector.i18n.message import msg, told
from collector.schema import check

SCHEMA = "urn:hostpledge:schema:log-entry:1"
INCLUSION = "c2sp.org/tlog-proof@v1"
CONSISTENCY = "urn:hostpledge:consistency-proof:1"
_NUMBER = re.compile(r"(index|old) (0|[1-9][0-9]{0,17})")


def entry_bytes(fields: Mapping[str, Any], logged_at: datetime) -> bytes:
    """The leaf for a bundle that was attached; `fields` are as log-entry.schema.json has them,

    without `schema` and `logged_at`.
    """
    document = {**fields, "schema": SCHEMA, "logged_at": logged_at.isoformat()}
    check(document, "log-entry", where=msg("log_s_entry"))
    return rfc8785.dumps(document)


def entry(leaf: bytes, *, where: str) -> dict[str, Any]:
    """Reads a leaf strictly; raises VerifyFailed unless it is an entry in its exact form."""
    document: dict[str, Any] = parse(leaf, where=where)
    conform(document, "log-entry", where=where)
    return document


@dataclass(frozen=True, slots=True)
class Log:
    """All entries of a log, in their order."""

    origin: str
    leaves: tuple[bytes, ...]

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """Of the whole log, or of its first `size` entries."""
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.origin, size, merkle.root(self._hashes()[:size]))

    def inclusion(self, index: int, note: str) -> str:
        """The proof, as text, that the entry is in the log of a signed checkpoint of its whole."""
        extra = base64.b64encode(self.leaves[index]).decode()
        hashes = merkle.inclusion(self._hashes(), index)
        return _text([INCLUSION, f"extra {extra}", f"index {index}"], hashes, note)

    def consistency(self, old: int, note: str) -> str:
        """The proof, as text, that the log of `old` entries grew into that of the checkpoint."""
        hashes = merkle.consistency(self._hashes(), old) if old else []
        return _text([CONSISTENCY, f"old {old}"], hashes, note)

    def check_begins_with(self, older: Checkpoint, *, where: str) -> None:
        """Raises VerifyFailed, with the first cause, unless this log grew out of `older`."""
        if older.origin != self.origin:
            raise VerifyFailed(
                msg("checkpoint_another_log_one", origin=older.origin, origin_2=self.origin),
                where=where,
            )
        if older.size > len(self.leaves):
            raise VerifyFailed(
                msg("log_entries_entries_removed", size=older.size, count=len(self.leaves)),
                where=where,
            )
        if older.root != self.checkpoint(older.size).root:
            raise VerifyFailed(
                msg("first_entries_log_not", size=older.size),
                where=where,
            )

    def _hashes(self) -> list[bytes]:
        return [merkle.leaf_hash(leaf) for leaf in self.leaves]


def _text(head: Sequence[str], hashes: Sequence[bytes], note: str) -> str:
    lines = [*head, *(base64.b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + note


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A proof of inclusion as it was read; it holds once `check` and its note's `verify` do."""

    leaf: bytes
    index: int
    hashes: tuple[bytes, ...]
    note: Note

    def check(self, *, where: str) -> dict[str, Any]:
        """The entry. Raises VerifyFailed unless it is in the log of the checkpoint."""
        found = self.note.checkpoint
        try:
            merkle.check_inclusion(
                merkle.leaf_hash(self.leaf), self.index, found.size, self.hashes, found.root
            )
        except VerifyFailed as problem:
            raise VerifyFailed(problem.what, where=where) from None
        return entry(self.leaf, where=where)


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof of consistency as it was read; it holds once `check` and its note's `verify` do."""

    old: int
    hashes: tuple[bytes, ...]
    note: Note

    def check(self, older: Checkpoint, *, where: str) -> None:
        """Raises VerifyFailed unless the log of `older` grew into that of the proof."""
        newer = self.note.checkpoint
        if older.origin != newer.origin:
            raise VerifyFailed(
                msg("checkpoint_another_log_one", origin=older.origin, origin_2=newer.origin),
                where=where,
            )
        if older.size > newer.size:
            raise VerifyFailed(
                msg("log_entries_entries_removed", size=older.size, count=newer.size),
                where=where,
            )
        if older.size != self.old:
            raise VerifyFailed(
                msg("proof_checkpoint_entries_not", old=self.old, size=older.size), where=where
            )
        try:
            if older.size == 0:
                if self.hashes or older.root != merkle.root([]):
                    raise VerifyFailed(msg("not_how_empty_log"))
                return
            merkle.check_consistency(older.size, newer.size, self.hashes, older.root, newer.root)
        except VerifyFailed as problem:
            raise VerifyFailed(problem.what, where=where) from None


def read_inclusion(data: bytes, *, where: str) -> Inclusion:
    """Reads the text form strictly; raises VerifyFailed for any other."""
    lines, note = _split(data, INCLUSION, where)
    try:
        word, blank, extra = lines[1].partition(" ")
        if word != "extra" or not blank:
            raise ValueError(msg("inclusion_proof_without_entry"))
        leaf = strict_base64(extra)
        index, hashes = _numbered(lines[2:], "index")
    except (ValueError, IndexError) as problem:
        raise VerifyFailed(_why(problem), where=where) from None
    return Inclusion(leaf, index, hashes, note)


def read_consistency(data: bytes, *, where: str) -> Consistency:
    """Reads the text form strictly; raises VerifyFailed for any other."""
    lines, note = _split(data, CONSISTENCY, where)
    try:
        old, hashes = _numbered(lines[1:], "old")
    except (ValueError, IndexError) as problem:
        raise VerifyFailed(_why(problem), where=where) from None
    return Consistency(old, hashes, note)


def _split(data: bytes, kind: str, where: str) -> tuple[list[str], Note]:
    head, blank, rest = data[: checkpoints.MOST_BYTES + 1].partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not blank or lines[0] != kind:
        raise VerifyFailed(msg("not_proof_kind", kind=kind), where=where)
    return lines, checkpoints.parse(rest, where=where)


def _numbered(lines: Sequence[str], word: str) -> tuple[int, tuple[bytes, ...]]:
    found = _NUMBER.fullmatch(lines[0])
    if found is None or found[1] != word:
        raise ValueError(msg("proof_without_line", word=word))
    hashes = tuple(strict_base64(line) for line in lines[1:])
    if any(len(one) != merkle.SIZE for one in hashes) or len(hashes) > 128:
        raise ValueError(msg("not_hashes_proof"))
    return int(found[2]), hashes


def _why(problem: Exception) -> str:
    return msg("proof_cut_off") if isinstance(problem, IndexError) else told(problem)
