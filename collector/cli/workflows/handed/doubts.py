"""What may be so and looks odd: an engineer says that it is so, naming the hand-in (`--accept`).

Whoever hands in writes the names in a capture: blanked or invented, they say nothing. What the
reads returned is not invented that easily, and never the same on two machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector import captures
from collector.cli.ui.language import tr
from collector.errors import BadInput, CollectorError, one_line
from collector.handin.quarantine import Receipt

if TYPE_CHECKING:
    from collector.model import Capture
    from collector.pledges.database.rows import Evidence
    from collector.pledges.database.sightings import Sighting, Twin
    from collector.pledges.register.register import Register


@dataclass(frozen=True, slots=True)
class Seen:
    """A hand-in that waits; `reads` is the digest of all that its reads returned."""

    receipt: Receipt
    sighting: Sighting
    reads: str


def reads_of(capture: Capture) -> str:
    """One digest of what all reads returned; empty where none returned anything."""
    digest, any_of_it = hashlib.sha256(), False
    for id, read in sorted(capture.reads.items()):
        any_of_it = any_of_it or bool(read.stdout or read.files)
        digest.update(f"{id} {read.status} {captures.read_digest(read)}\n".encode())
    return digest.hexdigest() if any_of_it else ""


def doubts(register: Register, one: Seen, every: Sequence[Seen]) -> CollectorError | None:
    """All that is odd about one of `every` that wait, as one thing to be said."""
    found = [*_nameless(one), *_keys(register, one, every), *_same_reads(register, one, every)]
    if not found:
        return None
    what = tr("；", "; ").join(dict.fromkeys(found))
    id = one.receipt.id
    mend = tr(f"核实后以 --accept {id} 收用，或拒收", f"--accept {id} if it is so, or refuse it")
    return BadInput(what, mend=mend)


def _nameless(one: Seen) -> Iterator[str]:
    if "machine" not in one.sighting.marks.values():
        yield tr(
            "没有给出 machine-id，无从得知出自哪台机器",
            "it tells no machine-id: nobody knows which machine it is of",
        )


def _keys(register: Register, one: Seen, every: Sequence[Seen]) -> Iterator[str]:
    from collector.cli.workflows.twins import strange

    pledge = one.receipt.pledge
    for twin in strange(register, pledge, register.twins_of(pledge, [one.sighting])):
        if "hostkey" in twin.kinds:
            yield _same_key(_of_twin(twin))
    mine = _keys_of(one)
    for other in _others(one, every):
        if mine & _keys_of(other):
            yield _same_key(_of_receipt(other.receipt))


def _keys_of(one: Seen) -> set[str]:
    return {mark for mark, kind in one.sighting.marks.items() if kind == "hostkey"}


def _same_key(other: str) -> str:
    return tr(f"SSH 主机密钥与{other}相同", f"it has the SSH host key of {other}")


def _same_reads(register: Register, one: Seen, every: Sequence[Seen]) -> Iterator[str]:
    if not one.reads:
        return
    for other in _others(one, every):
        if other.reads == one.reads:
            yield _same(_of_receipt(other.receipt))
    at = one.sighting.looked_at
    mine = (one.receipt.pledge, one.receipt.host)
    rows: Mapping[tuple[str, int], Evidence] = {}
    for pledge, sequence, host in register.looked_at(at) if at else ():
        if (pledge, host) == mine:
            continue
        if (pledge, sequence) not in rows:
            rows = {(pledge, row.sequence): row for row in register.evidence(pledge)}
        row = rows.get((pledge, sequence))
        if row is not None and _reads_in(row, host) in (one.reads, None):
            yield _same(_of(pledge, host, sequence))


def _reads_in(row: Evidence, host: str) -> str | None:
    """None where it cannot be read: then nobody knows that they are others."""
    from collector.pledges.status.latest_bundle import Newest

    try:
        return reads_of(Newest(row).capture(host))
    except (CollectorError, KeyError):
        return None


def _same(other: str) -> str:
    return tr(
        f"各项读取结果与{other}完全相同", f"its reads returned the very same as those of {other}"
    )


def _others(one: Seen, every: Sequence[Seen]) -> Iterator[Seen]:
    mine = (one.receipt.pledge, one.receipt.host)
    return (other for other in every if (other.receipt.pledge, other.receipt.host) != mine)


def _of_twin(twin: Twin) -> str:
    return _of(twin.pledge, twin.other, twin.sequence)


def _of(pledge: str, host: str, sequence: int) -> str:
    host = one_line(host)
    return tr(
        f"登记 {pledge} 的主机 {host}（第 {sequence} 份证据）",
        f"{host} of {pledge} (evidence {sequence})",
    )


def _of_receipt(other: Receipt) -> str:
    host = one_line(other.host)
    return tr(
        f"提交 {other.id}（登记 {other.pledge} 的主机 {host}）",
        f"the hand-in {other.id} ({host} of {other.pledge})",
    )
