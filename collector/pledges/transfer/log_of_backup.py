"""What a backup says of the register's log, and what that proves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from collector.attest.envelope.dsse import Sealed
from collector.attest.log import checkpoint
from collector.attest.log.logged import Log
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database.rows import Evidence
from collector.pledges.register.over_keys import hold_to
from collector.verify import times


def about_log(found: Log) -> dict[str, Any]:
    """Its name, its size and its root (hex)."""
    last = found.checkpoint()
    return {"origin": last.origin, "size": last.size, "root": last.root.hex()}


def last_proven(rows: Iterable[Mapping[str, Any]], trust: Trust, where: str) -> int | None:
    """Over how many entries the last of these checkpoints is; None where no key that counts

    signed it. Raises BadInput for what is none, or stands out of order; VerifyFailed where what a
    trusted key signed does not verify.
    """
    proven: int | None = None
    number = 0
    for row in rows:
        if row["number"] <= number:
            raise BadInput(msg("checkpoints_out_of_order"), where=where)
        number = row["number"]
        note = checkpoint.parse(row["note"].encode(), where=where)
        known = any(
            id == checkpoint.note_id(known.key, name)
            for name, id, _ in note.signatures
            for known in trust.keys
            if known.key.type != "sm2"
        )
        signer = note.verify(trust, where=where) if known else None
        counts = signer is not None and signer.revoked_at is None
        proven = note.checkpoint.size if counts else None
    return proven


def counts(signer: TrustedKey, one: Evidence, sealed: Sealed, trust: Trust) -> bool:
    """May that key have signed that, and does it count still?"""
    try:
        stamp = times.stamped(sealed, trust, where=one.digest)
        hold_to(signer, one, datetime.now(UTC), stamp)
    except VerifyFailed:
        return False
    return True
