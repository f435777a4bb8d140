"""What falls due for a pledge record. Pure: the record, its evidence and the time go in.

A draft runs no clock. A record that ended runs those of its incidents, and of its keeping.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from collector.errors import one_line
from collector.model import Text
from collector.pledges.database.rows import Evidence, current
from collector.pledges.due.deadlines import Due, deadlines
from collector.pledges.due.lifecycle import begun, end, kept_until, state
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.terms import terms
from collector.pledges.record.times import CHINA, end_of_day
from collector.pledges.status.brief import Brief
from collector.pledges.status.findings import Life
from collector.pledges.status.late import late

__all__ = ["Due", "due", "too_old"]

# of hosts that were declared since: how `Due.about` begins, before a digest of their names
UNSEEN = "unseen_hosts"
# of so many hosts the names are told
_NAMED = 3
# by how much the clock of a host may be wrong, and its evidence counts all the same
_AHEAD = timedelta(days=1)
# what runs on after a record has ended
_AFTER_THE_END = frozenset({"incident_authority", "incident_provider"})


def due(
    record: PledgeRecord | Brief,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    within: timedelta,
    renewed: bool,
    lives: Sequence[Life] | None,
    evidence_days: int | None = None,
) -> tuple[Due, ...]:
    """What is overdue at `now` (aware) or falls due `within` that time, the earliest first.

    `renewed`: another record says that it continues this one; `lives`: what became of its
    findings, None where nobody could look: then each of them says so. Raises ValueError for
    a brief that was asked for with the deadlines of a shorter time.
    """
    until = now + within
    stands = state(record, now.astimezone(CHINA).date(), renewed=renewed)
    if stands in ("draft", "disposed"):
        return ()
    fixed = record.deadlines(until) if isinstance(record, Brief) else deadlines(record)
    if stands == "ended":
        found = [one for one in fixed if one.kind in _AFTER_THE_END]
    else:
        found = [one for one in fixed if not (renewed and one.kind == "period_end")]
        found += _fresh(record, evidence, evidence_days, now)
        found += _declared_since(record, evidence)
        found += late(record, lives, until)
    kept = kept_until(record, evidence, renewed=renewed)
    if kept is not None:
        found.append(_disposal(record.id, kept))
    return tuple(sorted((d for d in found if d.at <= until), key=lambda d: (d.at, d.kind)))


def too_old(
    record: PledgeRecord | Brief,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    renewed: bool,
) -> Due | None:
    """By when its evidence had to be renewed, where that was not done; None where it still counts.

    Whether anybody is asked for it is another matter: a draft, and a record that ended, run no
    such clock, and evidence that is too old proves nothing of them either. What a record ended
    with is held to its last day.
    """
    over = end(record, renewed=renewed)
    moment = now if over is None else min(now, end_of_day(over))
    found = next(_fresh(record, evidence, None, now), None)
    return found if found is not None and found.at <= moment else None


def _fresh(
    record: PledgeRecord | Brief,
    evidence: Sequence[Evidence],
    evidence_days: int | None,
    now: datetime,
) -> Iterator[Due]:
    days = terms()["evidence_age"].days if evidence_days is None else evidence_days
    # a look dated in a time to come would count as fresh until then
    counts = [e for e in evidence if not e.refused]
    looked = [e for e in counts if e.collected_at <= now + _AHEAD]
    newest = max((e.collected_at for e in looked if e.whole), default=None)
    part = [e for e in counts if not e.whole and (newest is None or e.collected_at > newest)]
    shown = newest.astimezone(CHINA).date().isoformat() if newest else ""
    since = begun(record)
    if newest is None and since is None:
        return
    yield Due(
        record.id,
        "evidence",
        newest + timedelta(days=days) if newest else end_of_day(since or date.max, plus=days),
        _evidence(shown, days, part[-1] if part else None),
    )


def unseen(record: PledgeRecord | Brief, evidence: Sequence[Evidence]) -> frozenset[str]:
    """The hosts that are declared, and not in its newest evidence; none where nobody knows."""
    last = current(evidence)
    known = None if last is None else last.hosts
    return frozenset() if known is None else frozenset(record.hosts) - known


def _declared_since(record: PledgeRecord | Brief, evidence: Sequence[Evidence]) -> Iterator[Due]:
    """A look at them is owed since that evidence, which proves nothing of the whole any more."""
    last, hosts = current(evidence), sorted(unseen(record, evidence))
    if last is None or len(hosts) <= last.absent:
        # of a look at a part, those were declared then: the age of the whole one asks for them
        return
    names = [one_line(host, 60) for host in hosts[:_NAMED]]
    zh, en = "、".join(names), ", ".join(names)
    if (count := len(hosts)) > _NAMED:
        zh, en = f"{zh} 等 {count} 台", f"{en} and {count - _NAMED} more"
    yield Due(
        record.id,
        "evidence",
        last.attached_at,
        Text(
            f"核查证据：第 {last.sequence} 份之后登记的主机尚未核查：{zh}",
            f"evidence: hosts declared since number {last.sequence}, not looked at: {en}",
        ),
        # others are another thing to be told of
        f"{UNSEEN} {hashlib.sha256(repr(hosts).encode()).hexdigest()[:16]}",
    )


def _evidence(shown: str, days: int, part: Evidence | None) -> Text:
    """`part`: newer evidence that looked at a part alone, and so does not count."""
    text = Text(
        f"核查证据：最近采集于 {shown or '（无）'}，每 {days} 天至少一次",
        f"evidence: collected {shown or 'never'}, at least every {days} days",
    )
    if part is None or part.scope is None:
        return text
    said = part.scope.said()
    zh, en = said.zh, said.en
    if part.absent:
        zh += f"、{part.absent} 台主机未核查"
        en += f", {part.absent} host(s) not looked at"
    return Text(
        f"{text.zh}（第 {part.sequence} 份不计：{zh}）",
        f"{text.en} (evidence {part.sequence} does not count: {en})",
    )


def _disposal(id: str, kept: date) -> Due:
    return Due(
        id,
        "disposal",
        end_of_day(kept).astimezone(UTC),
        Text(
            f"登记与证据保存至 {kept}，期满后销毁并登记",
            f"record and evidence are kept to {kept}, then destroyed, and that put on record",
        ),
    )
