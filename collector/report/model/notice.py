"""What a notice to a customer says: what to mend and until when, or what a look again found. Pure.

整改通知书 lists what is open; 复查通知书 what became of it since a day: mended, open still, new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal

from collector.catalog import clause_number, described
from collector.model import Lang, Result
from collector.pledges.due.deadlines import Due
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.notices import Notice, place_of
from collector.pledges.record.times import CHINA, waiver_end
from collector.pledges.status.findings import Life
from collector.remedies.by_hand import by_hand, without_program

Kind = Literal["mend", "recheck"]
# of one control in one row; the others are counted
_NAMED = 12


@dataclass(frozen=True, slots=True)
class Item:
    """One control on the hosts that share an owner and a day (as it is written, empty if none).

    `late` is the day that it had, where that has passed; the new one stands beside it. `found` is
    what the last look found, where that is too old to be the verdict.
    `said` is what was found, with the names of the hosts that it is of (none: of all of them);
    `what` is what to do, empty where that stands in the row `same` already.
    """

    clause: str
    number: str
    title: str
    veto: bool
    result: Result
    hosts: tuple[str, ...]
    more: int
    owner: str
    due: str
    said: tuple[tuple[tuple[str, ...], str], ...]
    what: str
    same: int = 0
    late: str = ""
    found: Result | None = None

    @property
    def count(self) -> int:
        return len(self.hosts) + self.more


@dataclass(frozen=True, slots=True)
class Asked:
    """What the notice is asked to say: its number, who sends it, until when (each may be empty).

    `since` (aware) divides what a look again found from what was known before; `earlier` is the
    notice on record that is looked at again: what it named is held against what is found, and
    keeps its days. `late`: by control and host the days that have passed. `old`: by when the hosts
    were to be looked at again, where nobody did.
    """

    kind: Kind
    number: str
    issuer: str
    by: str
    since: datetime | None = None
    earlier: Notice | None = None
    late: Mapping[tuple[str, str], str] = field(default_factory=dict)
    old: Due | None = None


def open_ones(lives: Iterable[Life]) -> list[Life]:
    """What a notice may ask for: neither closed nor waived."""
    return [life for life in lives if life.state == "open"]


def contents(
    record: PledgeRecord,
    lives: Sequence[Life],
    evidence: tuple[int, datetime, str],
    asked: Asked,
    now: datetime,
    lang: Lang,
) -> dict[str, Any]:
    """What the template is given. `evidence` is the newest: its sequence, its time, its digest."""
    since = asked.since
    opened = open_ones(lives)
    parts: list[tuple[str, list[Item]]]
    if asked.earlier is not None:
        parts = _after(asked.earlier, lives, asked.by, lang)
    elif asked.kind == "mend" or since is None:
        parts = [("notice_items", _items(opened, asked.by, lang, asked.late))]
    else:
        closed = [x for x in lives if x.closed and x.closed.at >= since]
        parts = [
            *_mended(closed, lang),
            ("notice_still", _items([x for x in opened if x.opened.at < since], asked.by, lang)),
            ("notice_new", _items([x for x in opened if x.opened.at >= since], asked.by, lang)),
        ]
    sequence, at, digest = evidence
    return {
        "lang": lang,
        "kind": asked.kind,
        "record": masked(dict(record.document)),
        "number": asked.number,
        "issuer": asked.issuer,
        "by": asked.by,
        "since": since,
        "earlier": asked.earlier
        and {
            "number": asked.earlier.number,
            "date": asked.earlier.date,
            "looked_since": evidence[0] > asked.earlier.evidence,
        },
        "parts": parts,
        "gone": _off_record(record, asked.earlier, lives),
        "unproven": any(word == "notice_unproven" for word, _ in parts),
        "findings": len(opened),
        "hosts": len({life.host for life in opened}),
        "controls": len({life.control for life in opened}),
        "sequence": sequence,
        "collected": at,
        "digest": digest,
        "look_due": asked.old.at.astimezone(CHINA).date() if asked.old else None,
        "today": now.astimezone(CHINA).date(),
    }


def withdrawal(
    record: PledgeRecord, notice: Notice, said: Mapping[str, Any], lang: Lang
) -> dict[str, Any]:
    """What the template of a withdrawal is given; `said` is what goes on record of it."""
    return {
        "lang": lang,
        "kind": notice.kind,
        "record": masked(dict(record.document)),
        "number": notice.number,
        "given": notice.date,
        "issuer": notice.entry.get("issuer", ""),
        "reason": masked(said["reason"]),
        "by": masked(said["by"]),
        "today": date.fromisoformat(said["date"]),
    }


def dated(lives: Iterable[Life], named: Mapping[tuple[str, str], str]) -> list[Life]:
    """Those without a day of their own have the one that a notice named."""
    return [
        replace(life, due=waiver_end(day))
        if life.due is None and (day := named.get(place_of(life.control, life.host), ""))
        else life
        for life in lives
    ]


def _after(
    earlier: Notice, lives: Sequence[Life], by: str, lang: Lang
) -> list[tuple[str, list[Item]]]:
    """What became of all that a notice named, what was found since, and what it had left out."""
    named = earlier.named
    here = [life for life in lives if place_of(life.control, life.host) in named]
    more = [life for life in open_ones(lives) if place_of(life.control, life.host) not in named]
    known = [life for life in more if life.opened.sequence <= earlier.evidence]
    new = [life for life in more if life.opened.sequence > earlier.evidence]
    waived = [life for life in here if life.state == "waived"]
    parts = [
        *_mended([x for x in here if x.state == "closed"], lang),
        *([("notice_waived", _items(waived, "", lang))] if waived else []),
        ("notice_still", _items(dated(open_ones(here), named), by, lang)),
        ("notice_new", _items(new, by, lang)),
    ]
    if known:
        parts.append(("notice_known", _items(known, by, lang)))
    return parts


def _off_record(record: PledgeRecord, earlier: Notice | None, lives: Iterable[Life]) -> list[str]:
    """The hosts that a notice named, which are on record no more, and have no finding here."""
    if earlier is None:
        return []
    here = {place_of("", host)[1] for host in record.hosts}
    here |= {place_of("", life.host)[1] for life in lives}
    return sorted({host for _, host in earlier.named} - here)


def _mended(closed: Sequence[Life], lang: Lang) -> list[tuple[str, list[Item]]]:
    """What proves that it was may count no more: then nobody is told that it is mended."""
    parts = [("notice_mended", _items([x for x in closed if x.proven], "", lang))]
    if unproven := [x for x in closed if not x.proven]:
        parts.append(("notice_unproven", _items(unproven, "", lang)))
    return parts


def _items(
    lives: Iterable[Life],
    by: str,
    lang: Lang,
    late: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> list[Item]:
    """Each control once per owner, days and verdict; what was seen to fail first, vetoes ahead."""
    rows: dict[tuple[str, Result, str, str, str, Result | None], list[Life]] = {}
    for life in lives:
        due = f"{life.due.astimezone(CHINA).date()}" if life.due else ""
        until = due if life.closed else due or by
        was = "" if life.closed else late.get(place_of(life.control, life.host), "")
        key = (
            life.control,
            life.verdict,
            life.owner,
            until,
            was,
            None if life.closed else life.found,
        )
        rows.setdefault(key, []).append(life)
    found = [_item(*key, members, lang) for key, members in rows.items()]
    worst = (Result.FAIL, Result.PARTIAL, Result.ERROR, Result.NOTCHECKED)
    order = {result: place for place, result in enumerate(worst)}
    seen = (Result.FAIL, Result.PARTIAL)
    found.sort(
        key=lambda i: (
            (i.found or i.result) not in seen, not i.veto, i.number, order.get(i.result, 9),
            i.due or "9999",
        )
    )  # fmt: skip
    first: dict[tuple[str, str], int] = {}
    rows_of = []
    for row, item in enumerate(found, 1):
        before = first.setdefault((item.number, item.what), row)
        rows_of.append(item if before == row else replace(item, what="", same=before))
    return rows_of


def _item(
    control: str, result: Result, owner: str, due: str, late: str, seen: Result | None,
    members: Sequence[Life], lang: Lang,
) -> Item:  # fmt: skip
    first, known = members[0], described().get(control)
    hosts = tuple(dict.fromkeys(life.host for life in members))
    return Item(
        clause_number(known.clause, lang) if known else "",
        first.number,
        first.title.to(lang),
        first.veto,
        result,
        hosts[:_NAMED],
        max(len(hosts) - _NAMED, 0),
        str(masked(owner)),
        due,
        tuple(_said(members, lang)),
        "" if (seen or result) is Result.ERROR else by_hand(first.mend, first.title).to(lang),
        late=late,
        found=seen,
    )


def _said(members: Sequence[Life], lang: Lang) -> Iterator[tuple[tuple[str, ...], str]]:
    """What was found, once for all hosts of which it is the same."""
    found: dict[str, list[str]] = {}
    for life in members:
        found.setdefault(str(masked(without_program(life.said).to(lang))), []).append(life.host)
    for said, names in found.items():
        if said:
            yield (() if len(found) == 1 else tuple(names[:_NAMED])), said
