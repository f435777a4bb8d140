"""What became of each notice on record: of what it names, what is open, waived, mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.notices import Notice, notices, place_of
from collector.pledges.record.times import CHINA
from collector.pledges.record.voiding import voided
from collector.pledges.status.findings import Life


@dataclass(frozen=True, slots=True)
class Noticed:
    """A notice, and how many of its findings are open, waived and mended now.

    What no evidence speaks of any more counts as open, as does what was mended by evidence that
    proves nothing now: that is `unproven`, and not late. `next_day` is the first day of what is
    open (empty where there is none); `late`: it is over. Of one that was withdrawn nothing counts,
    and of one whose evidence is `void` what other evidence found alone; `gone` are the others, and
    those of hosts that are on record no more.
    """

    record: PledgeRecord
    notice: Notice
    open: int
    waived: int
    late: bool
    next_day: str = ""
    unproven: int = 0
    void: bool = False
    gone: int = 0

    @property
    def named(self) -> int:
        return len(self.notice.named)

    @property
    def mended(self) -> int:
        return 0 if self.notice.withdrawn else self.named - self.open - self.waived - self.gone

    @property
    def withdrawn(self) -> str:
        """The day of it; empty while it stands."""
        return str(self.notice.withdrawn["date"]) if self.notice.withdrawn else ""


def noticed(record: PledgeRecord, lives: Sequence[Life], now: datetime) -> Iterator[Noticed]:
    """The notices of one record, in their order; `lives` are its findings as they count `now`."""
    today = now.astimezone(CHINA).date().isoformat()
    states = {place_of(life.control, life.host): life.state for life in lives}
    void = {entry["sequence"] for entry in voided(record)}
    hosts = {place_of("", host)[1] for host in record.hosts}
    gone = {place_of(x.control, x.host) for x in lives if x.state == "closed" and not x.proven}
    for notice in notices(record):
        if notice.withdrawn is not None:
            yield Noticed(record, notice, 0, 0, late=False)
            continue
        now_of = {
            # what nobody saw on this customer's hosts, or of none of theirs, is not asked of them
            key: states.get(key)
            or ("gone" if notice.evidence in void or key[1] not in hosts else "open")
            for key in notice.named
        }
        found = list(now_of.values())
        days = [d for key, d in notice.named.items() if d and now_of[key] == "open"]
        first = min(days, default="")
        late = bool(first) and first < today
        unproven = len(gone & notice.named.keys())
        opened, waived = found.count("open") + unproven, found.count("waived")
        yield Noticed(
            record, notice, opened, waived, late=late, next_day=first, unproven=unproven,
            void=notice.evidence in void, gone=found.count("gone"),
        )  # fmt: skip
