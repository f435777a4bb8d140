"""What of the register's log goes into an export, to be checked without the register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.attest.log.checkpoint import Checkpoint, parse
from collector.attest.log.logged import Log, entry
from collector.pledges.database.rows import Evidence

FOLDER = "log"


def files(
    log: Log,
    note: str,
    evidence: Sequence[Evidence],
    older: Sequence[Checkpoint] = (),
    *,
    where: str,
) -> Mapping[str, bytes]:
    """File names → content: the signed checkpoint, a proof of inclusion for each bundle, and one

    that the log grew out of each older checkpoint. Raises VerifyFailed where it did not.
    """
    size = parse(note.encode(), where=where).checkpoint.size
    seen = Log(log.origin, log.leaves[:size])
    for one in older:
        seen.check_begins_with(one, where=where)
    found = {f"{FOLDER}/checkpoint": note}
    for attached in evidence:
        index = _index(seen, attached.digest, where)
        name = f"{attached.sequence:04d}-{attached.digest[:12]}"
        found[f"{FOLDER}/{name}.proof"] = seen.inclusion(index, note)
    for one in older:
        found[f"{FOLDER}/since-{one.size}.proof"] = seen.consistency(one.size, note)
    return {name: text.encode() for name, text in found.items()}


def _index(log: Log, digest: str, where: str) -> int:
    wanted = digest.encode()
    return next(
        index
        for index, leaf in enumerate(log.leaves)
        if wanted in leaf and entry(leaf, where=where)["digest"] == digest
    )
