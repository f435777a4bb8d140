"""How a pledge record stands, clause by clause, and why. Pure.

A clause stands as the worst of its duties does: what hosts failed, then what is missing, has
expired, is overdue, could not be checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from collector.errors import listed
from collector.i18n.message import in_chinese
from collector.model import Result, Text
from collector.pledges.database.rows import Evidence, current
from collector.pledges.record.documents import DocumentClause, Duty, clauses, fields
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import CHINA
from collector.pledges.standing.commitments import Held, attested, held, signed
from collector.pledges.standing.due import due, too_old
from collector.pledges.status.latest_bundle import Failing
from collector.scope import Scope, cited, lower_grade, no_hosts, unknown_release

State = Literal["held", "missing", "expired", "open", "verdict"]
# worst first: the verdict over several clauses is the worst of theirs
_WORST = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.NOTCHECKED,
    Result.PASS,
    Result.NOTAPPLICABLE,
)
SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
# states other than a verdict, for people
WORDS: Mapping[str, Text] = {
    "held": Text("已登记", "on record"),
    "missing": Text("缺", "missing"),
    "expired": Text("已到期", "expired"),
    "open": Text("未了结", "open"),
}
# what a clause of the documents is checked by: clauses of the controls
CHECKED: Mapping[str, tuple[str, ...]] = {
    "responsibility.2.2": ("2.2",),
    "responsibility.2.3": ("2.3",),
    "responsibility.2.4": ("2.4",),
    "pledge.4": ("2.2", "2.3", "2.4"),
}
_RESOURCES = "responsibility.5"
# clocks whose end the attested field, or the verdict, tells of itself
_TOLD_ELSEWHERE = frozenset({"attestation", "waiver", "evidence"})
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Standing:
    """One clause. `state`: `held` in the record since `since` (until `until`, where it ends),

    fields `missing`, `expired`, `open` (overdue, or not as declared), or the last `verdict` of
    the hosts. `reasons` says why, for people.
    """

    clause: DocumentClause
    state: State
    verdict: Result | None = None
    since: str = ""
    missing: tuple[str, ...] = ()
    until: str = ""
    reasons: tuple[Text, ...] = ()

    @property
    def satisfied(self) -> bool:
        return self.state == "held" or (self.state == "verdict" and self.verdict in SATISFIED)

    @property
    def inner(self) -> bool:
        """A number inside a clause that the signature acknowledges as a whole."""
        within = "." in self.clause.id.split(".", 1)[1]
        return within and not self.clause.duties and self.clause.id != "responsibility.2.9"


@dataclass(frozen=True, slots=True)
class _Part:
    state: State
    reasons: tuple[Text, ...] = ()
    verdict: Result | None = None
    since: str = ""
    until: str = ""
    missing: str = ""

    @property
    def rank(self) -> int:
        if self.state == "verdict" and self.verdict is not None:
            # a pass comes before what is merely on record: it says more
            order = (Result.FAIL, None, None, None, *_WORST[1:])
            return order.index(self.verdict)
        return {"missing": 1, "expired": 2, "open": 3, "held": len(_WORST) + 3}[self.state]


def standing(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    failing: Mapping[str, Sequence[Failing]] | None = None,
    undeclared: Sequence[Text] = (),
    unseen: Sequence[Text] = (),
    absent: Sequence[str] = (),
    scope: Scope | None = None,
    lapsed: Mapping[str, Sequence[Text]] | None = None,
    renewed: bool,
) -> tuple[Standing, ...]:
    """Every numbered clause of both documents, in their order, at `now` (aware).

    `failing`: for each clause of the controls, what the newest evidence holds against it;
    `undeclared`: what its captures show and the record does not declare (五), `unseen`: what of
    that could not be told; `absent`: hosts that are declared and not in that evidence; `scope`:
    how much it judged, where the register does not say so itself; `lapsed`: for each clause of the
    controls, what it rests on and the record does not say any more.
    """
    overdue: dict[str, list[Text]] = {}
    # no clause has a follow-up for its clock: they are told beside it
    for entry in due(record, evidence, now, within=timedelta(0), renewed=renewed, lives=()):
        overdue.setdefault(entry.kind, []).append(entry.text)
    old = too_old(record, evidence, now, renewed=renewed)
    overdue["evidence"] = [old.text] if old is not None else []
    look = _Look(
        record,
        evidence,
        now,
        overdue,
        failing or {},
        (undeclared, unseen),
        (absent, scope, lapsed or {}),
    )
    return tuple(look.clause(clause) for clause in clauses().values())


class _Look:
    def __init__(
        self,
        record: PledgeRecord,
        evidence: Sequence[Evidence],
        now: datetime,
        overdue: Mapping[str, Sequence[Text]],
        failing: Mapping[str, Sequence[Failing]],
        resources: tuple[Sequence[Text], Sequence[Text]],
        looked: tuple[Sequence[str], Scope | None, Mapping[str, Sequence[Text]]],
    ) -> None:
        self._document: Mapping[str, Any] = record.document
        self._last = current(evidence)
        self._today = now.astimezone(CHINA).date().isoformat()
        self._overdue = overdue
        self._failing = failing
        self._undeclared, self._unseen = resources
        absent, told, self._lapsed = looked
        self._absent = absent or self._not_in_it(record)
        self._scope = (self._last.scope if self._last else None) or told
        if self._last is not None:
            # an old row does not say how much was judged, and its bundle does
            self._last = replace(self._last, scope=self._scope)
        self._grade = record.grade
        self._declares = bool(record.hosts)

    def _not_in_it(self, record: PledgeRecord) -> Sequence[str]:
        """The hosts that are declared and not in the newest evidence, where its row tells."""
        hosts = self._last.hosts if self._last else None
        return () if hosts is None else [host for host in record.hosts if host not in hosts]

    def clause(self, clause: DocumentClause) -> Standing:
        parts: list[_Part] = []
        if "checked" in clause.places:
            parts.append(self._checked(clause))
        parts += [self._duty(clause, duty) for duty in clause.duties if duty.place != "checked"]
        if not clause.duties:
            parts.append(self._acknowledged(clause))
        if clause.id == _RESOURCES and self._undeclared:
            parts.append(_Part("open", tuple(self._undeclared)))
        if clause.id == _RESOURCES and self._unseen:
            parts.append(_Part("verdict", tuple(self._unseen), Result.ERROR))
        worst = min(parts, key=lambda part: part.rank)
        ordered = sorted(parts, key=lambda part: part.rank)
        since = worst.since or max((p.since for p in parts if p.state == "held"), default="")
        return Standing(
            clause,
            worst.state,
            next((part.verdict for part in parts if part.verdict), None),
            since,
            tuple(dict.fromkeys(part.missing for part in ordered if part.missing)),
            min((part.until for part in parts if part.until), default=""),
            tuple(dict.fromkeys(reason for part in ordered for reason in part.reasons)),
        )

    def _checked(self, clause: DocumentClause) -> _Part:
        last = self._last
        if last is None:
            return _Part(
                "verdict",
                (Text("尚无核查证据", "no evidence attached yet"),),
                Result.NOTCHECKED,
            )
        numbers = CHECKED[clause.id]
        verdicts = {Result(last.word(n) or Result.NOTCHECKED) for n in numbers}
        failing = [f for n in numbers for f in self._failing.get(n, ())]
        if any(f.breaks for f in failing):
            # a bundle that is silent of a host has mended nothing on it
            verdicts.add(Result.FAIL)
        worst = next(result for result in _WORST if result in verdicts)
        since = last.collected_at.astimezone(CHINA).date().isoformat()
        reasons = [
            Text(
                f"第 {last.sequence} 份证据，采集于 {since}",
                f"evidence {last.sequence}, collected {since}",
            )
        ]
        reasons = [*_named(failing), *reasons]
        lacking = self._lacking(numbers)
        if lacking:
            reasons[-1:-1] = lacking
            worst = Result.ERROR if worst in (*SATISFIED, Result.PARTIAL) else worst
        if not self._declares:
            reasons.insert(len(reasons) - 1, no_hosts())
            worst = Result.ERROR if worst in (*SATISFIED, Result.PARTIAL) else worst
        if self._absent:
            reasons.insert(len(reasons) - 1, _hosts(self._absent))
            # what holds for some of the hosts is no pass for all of them
            worst = Result.ERROR if worst in SATISFIED else worst
        if lapsed := [text for n in numbers for text in self._lapsed.get(n, ())]:
            reasons = [*lapsed[:_MOST_NAMED], *reasons]
            worst = worst if worst is Result.FAIL else Result.ERROR
        if last.refused:
            reasons.insert(0, refused(last))
            # what it says of hosts is nothing, bad or good; what one before it found stands
            worst = Result.FAIL if any(f.breaks for f in failing) else Result.ERROR
        stale = self._overdue.get("evidence")
        if stale and worst is not Result.FAIL:
            # the same word as lists have for what nobody looked at of late
            return _Part("verdict", (*stale, *reasons), Result.ERROR, since)
        return _Part("verdict", tuple(reasons), worst, since)

    def _lacking(self, numbers: Sequence[str]) -> list[Text]:
        """Why the newest evidence is no proof of these clauses, whatever it found."""
        scope, last = self._scope, self._last
        if scope is None or last is None:
            return []
        found = [] if scope.known else [unknown_release()]
        for number in numbers:
            if not scope.clauses[number].whole:
                said = scope.said(number)
                found.append(
                    Text(
                        f"{cited(number)}只判定了 {said.zh}，不足以证明",
                        f"{said.en} of {cited(number)} judged: no proof",
                    )
                )
        if scope.grade < self._grade:
            found.append(lower_grade(scope.grade, self._grade))
        if last.absent and not self._absent:
            found.append(
                Text(
                    f"附上时有 {last.absent} 台登记的主机未核查",
                    f"{last.absent} declared host(s) were not looked at when it was attached",
                )
            )
        return found

    def _acknowledged(self, clause: DocumentClause) -> _Part:
        found = signed(self._document, clause)
        if found is None:
            return _Part(
                "missing",
                (Text("尚未签署或确认", "not signed, nor acknowledged"),),
                missing="documents",
            )
        return _of(found)

    def _duty(self, clause: DocumentClause, duty: Duty) -> _Part:
        late = [
            text
            for kind in duty.clocks
            if kind not in _TOLD_ELSEWHERE
            for text in self._overdue.get(kind, ())
        ]
        if late:
            return _Part("open", tuple(late))
        if duty.place == "acknowledged" and not duty.optional:
            found = held(self._document, duty, self._today) if "no_transfer" in duty.field else None
            return _of(found) if found else self._acknowledged(clause)
        found = held(self._document, duty, self._today)
        if found is not None and not found.expired:
            return _of(found)
        said = attested(self._document, clause.id, self._today)
        if said is not None and not said.expired:
            return _of(said)
        ended = found or said
        if ended is not None:
            return _Part("expired", (ended.text,), since=ended.since, until=ended.until)
        if duty.optional:
            return _Part("held")
        name = duty.field.split(".")[0].removesuffix("[]")
        known = fields()[name]
        return _Part("missing", (Text(f"缺：{known.zh}", f"missing: {known.en}"),), missing=name)


def refused(one: Evidence) -> Text:
    """Why its signature counts no more."""
    return Text(
        f"已不能通过核验：{in_chinese(one.refused)}", f"does not verify any more: {one.refused}"
    )


def _of(found: Held) -> _Part:
    return _Part("held", (found.text,), since=found.since, until=found.until)


def _hosts(absent: Sequence[str]) -> Text:
    named, more = absent[:_MOST_NAMED], len(absent) > _MOST_NAMED
    return Text(
        f"登记的主机未核查：{listed(named, '、')}{f' 等 {len(absent)} 台' if more else ''}",
        f"declared, and not looked at: {listed(named)}"
        f"{f' and {len(absent) - _MOST_NAMED} more' if more else ''}",
    )


def _named(failing: Sequence[Failing]) -> list[Text]:
    """The worst controls by name, and how many more there are."""
    words = {
        Result.FAIL: Text("不符合", "fail"),
        Result.ERROR: Text("未能核查", "not verified"),
        Result.PARTIAL: Text("部分符合", "partial"),
        Result.NOTCHECKED: Text("待举证", "no proof"),
    }
    found = []
    for one in failing[:_MOST_NAMED]:
        word = words[one.result]
        more = one.count - len(one.hosts)
        found.append(
            Text(
                f"{word.zh} {one.number} {one.title.zh}（{listed(one.hosts, '、')}"
                f"{f' 等 {one.count} 台' if more else ''}）",
                f"{word.en}: {one.number} {one.title.en} ({listed(one.hosts)}"
                f"{f' and {more} more' if more else ''})",
            )
        )
    rest = len(failing) - _MOST_NAMED
    if rest > 0:
        found.append(Text(f"另有 {rest} 项", f"and {rest} more"))
    return found
