"""Where in its life a pledge record is, and until when it is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, Protocol, cast

from collector.model import Text
from collector.pledges.database.rows import Evidence
from collector.pledges.record.terms import months_on, terms
from collector.pledges.record.times import CHINA

State = Literal["draft", "signed", "active", "suspended", "lapsed", "ended", "disposed"]
WORDS: dict[State, Text] = {
    "draft": Text("草稿，尚未签署", "draft, not signed yet"),
    "signed": Text("已签署，尚未生效", "signed, not in force yet"),
    "active": Text("有效", "in force"),
    "suspended": Text("暂停服务", "suspended"),
    "lapsed": Text("期满，未续签也未终止", "ran out, neither renewed nor ended"),
    "ended": Text("已终止", "ended"),
    "disposed": Text("已销毁", "disposed of"),
}

# of the others nobody owes anything
OWED: frozenset[State] = frozenset(("active", "suspended", "lapsed"))


class Dated(Protocol):
    """A pledge record, or a brief of one."""

    @property
    def document(self) -> Mapping[str, Any]: ...

    @property
    def signed_on(self) -> date | None: ...

    @property
    def hosts(self) -> Sequence[str]: ...


def state(record: Dated, today: date, *, renewed: bool) -> State:
    """The state at the end of `today`. `renewed`: another record says that it continues this."""
    document, day = record.document, today.isoformat()
    if "disposed" in document:
        return "disposed"
    if document.get("ended", {}).get("date", "9999-12-31") <= day:
        return "ended"
    if document.get("draft"):
        return "draft"
    period = document.get("period", {})
    if period.get("until", "9999-12-31") < day:
        return "ended" if renewed else "lapsed"
    for suspension in document.get("suspensions", ()):
        if suspension["from"] <= day <= suspension.get("until", "9999-12-31"):
            return "suspended"
    return "signed" if period.get("from", "") > day else "active"


def hosts_asked(record: Dated, stands: State) -> Sequence[str]:
    """The hosts that anything may be handed in of: none of what ended, or of a withdrawn draft."""
    return () if stands in ("ended", "disposed") else record.hosts


def continued(records: Iterable[Dated]) -> frozenset[str]:
    """The ids of the records that another one continues; a draft binds nobody, so it does not."""
    return frozenset(
        cast("str", r.document["renews"])
        for r in records
        if "renews" in r.document and not r.document.get("draft")
    )


def begun(record: Dated) -> date | None:
    """The day it came into force; None for a draft that names none."""
    start = record.document.get("period", {}).get("from")
    return date.fromisoformat(start) if start else record.signed_on


def end(record: Dated, *, renewed: bool) -> date | None:
    """The day it ended; None while it is in force, or ran out and nobody said what became of it."""
    document = record.document
    if "ended" in document:
        return date.fromisoformat(document["ended"]["date"])
    if renewed and "period" in document:
        return date.fromisoformat(document["period"]["until"])
    return None


def kept_until(record: Dated, evidence: Sequence[Evidence], *, renewed: bool) -> date | None:
    """The last day that the record and its evidence are kept; None while it has not ended.

    All of it is kept until the longest of its terms is over: each bundle names the one before,
    and a sequence with a hole proves nothing.
    """
    ended = end(record, renewed=renewed)
    if ended is None:
        return None
    terms_ended = [months_on(ended, _months(record, "pledge_years", "keeping_pledge"))]
    terms_ended += [
        months_on(
            e.made_at.astimezone(CHINA).date(),
            _months(record, "evidence_years", "keeping_evidence"),
        )
        for e in evidence[-1:]
    ]
    return max(terms_ended)


def _months(record: Dated, field: str, term: str) -> int:
    years = cast("int | None", record.document.get("retention", {}).get(field))
    return years * 12 if years is not None else terms()[term].months
