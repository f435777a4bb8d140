"""The life of what checks found: opened, owned, due, waived, closed by which bundle. Pure.

All of it follows from the attached bundles, each as its evidence.json has it, and from the record:
its waivers, and its follow-ups (who sees to a finding, and until when).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from collector.attest.bundle.provenance import is_collected
from collector.catalog import described
from collector.model import HostStatus, Result, Severity, Text
from collector.pledges.database.rows import Evidence
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.people import plain_name
from collector.pledges.record.times import CHINA, waiver_end
from collector.pledges.status import what_to_do
from collector.pledges.status.arranged import follow_up, waiver_holds, waiver_of
from collector.verify.looks import recorded

State = Literal["open", "waived", "closed"]
What = Literal["opened", "reopened", "waived", "waiver_ended", "closed"]
_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
# of what is open, the worst first
GRAVE = (Result.FAIL, Result.ERROR, Result.PARTIAL, Result.NOTCHECKED)
# who says so could not tell how it is
_UNTOLD = (Result.ERROR, Result.NOTCHECKED)
# what a waiver accepts is a failure that was seen
WAIVABLE = (Result.FAIL, Result.PARTIAL)
# attached bundles in their sequence, each with its evidence.json
Looked = Iterable[tuple[Evidence, Mapping[str, Any]]]
Unproven = Callable[[Evidence], Mapping[tuple[str, str], Text]]
"""Of one attached bundle, by control and host what is no proof any more, and why."""
_NOTHING = Text("", "")
_ANEW = Text(
    "把现行有效的文件登记在册，重新核查并附上证据",
    "put the document that holds now on record, have the host checked again and attach the "
    "evidence",
)


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a finding at `at` (aware); `sequence` is the bundle, 0 where it is none."""

    what: What
    at: datetime
    sequence: int
    verdict: Result | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """One control on one host, from the first bundle that it was not satisfied in.

    `verdict` is the last one, `found` what was found where that is another by now, `seen` the
    bundle that says so; `said` and `mend` what that found, and says to do. `owner`, `due` (the last
    second of a day in China) and `note` are of the record's follow-up; `waiver` covers it now, and
    `idle_waiver` would, were there a failure to accept. `waits`: the day (ISO) until which one can
    but wait. `handed_in`: nobody collected it. `worsened`: bundles that found it graver while open.
    `failed`: the bundle that counts in which it was seen failing, where no later look could say how
    it is; 0.
    """

    control: str
    host: str
    number: str
    title: Text
    veto: bool
    state: State
    verdict: Result
    seen: int
    events: tuple[Event, ...]
    owner: str = ""
    due: datetime | None = None
    note: str = ""
    waiver: Mapping[str, Any] | None = None
    said: Text = _NOTHING
    mend: Text = _NOTHING
    idle_waiver: Mapping[str, Any] | None = None
    handed_in: bool = False
    severity: str = ""
    waits: str = ""
    worsened: tuple[int, ...] = ()
    found: Result | None = None
    failed: int = 0

    @property
    def breaks(self) -> bool:
        """Does it make its clause fail, as `assess.clause_result` weighs it?"""
        grave = self.veto or self.severity == Severity.HIGH
        return grave and self.fails

    @property
    def fails(self) -> bool:
        """Is it open, and was seen failing? Who could not look since then mended nothing."""
        return self.state == "open" and self.failed != 0 and self.idle_waiver is None

    @property
    def opened(self) -> Event:
        """When it was opened, the last time."""
        return next(e for e in reversed(self.events) if e.what in ("opened", "reopened"))

    @property
    def closed(self) -> Event | None:
        return self.events[-1] if self.state == "closed" else None

    @property
    def proven(self) -> bool:
        """Is it closed, and what closed it counts still?"""
        return self.state == "closed" and self.verdict in _SATISFIED

    @property
    def reopened(self) -> bool:
        return any(e.what in ("reopened", "waiver_ended") for e in self.events)

    def overdue(self, now: datetime) -> bool:
        return self.state == "open" and self.due is not None and self.due <= now


@dataclass(slots=True)
class _Course:
    verdict: Result
    about: Mapping[str, Any]
    seen: int = 0
    is_open: bool = False
    ended: datetime | None = None
    events: list[Event] = field(default_factory=list)
    last: Mapping[str, Any] = field(default_factory=dict)
    handed_in: bool = False
    worsened: list[int] = field(default_factory=list)
    failed: int = 0


def lives(
    record: PledgeRecord, looked: Looked, now: datetime, unproven: Unproven | None = None
) -> tuple[Life, ...]:
    """Every finding there ever was, the open ones first, then the waived, then the closed.

    A host that could not be collected in full tells of nothing but what was seen failing: what was
    open stays open, and nothing is closed by it. Nor is anything by a look that is older than one
    that was attached before it: such a one is on record, and changes nothing. A bundle whose
    signature counts no more mends nothing either, while what it opens is open. What is `unproven`
    of the newest look at a host is open.
    """
    courses: dict[tuple[str, str], _Course] = {}
    newest: dict[str, datetime] = {}
    looks: dict[str, tuple[Evidence, Mapping[str, Any]]] = {}
    for row, document in looked:
        for host, entry in document["hosts"].items():
            whole = entry["status"] == HostStatus.COMPLETE
            told = [f for f in entry["findings"] if whole or f["verdict"] == Result.FAIL]
            at = looked_at(entry, row) if told else row.collected_at
            if at < newest.get(host, at):
                continue
            if whole and not row.refused:
                newest[host], looks[host] = at, (row, document)
            given = not is_collected(entry.get("origin", {}), document.get("run"))
            for finding in told:
                key = finding["control"], host
                about = document["controls"][finding["control"]]
                _take(courses, key, row, about, finding)
                if key in courses:
                    courses[key].handed_in = given
    if unproven is not None:
        _doubt(courses, looks, unproven)
    found = [_life(record, key, course, now) for key, course in courses.items()]
    order: tuple[State, ...] = ("open", "waived", "closed")
    results = (Result.FAIL, Result.ERROR, Result.PARTIAL, Result.NOTCHECKED, *_SATISFIED)
    return tuple(
        sorted(
            found,
            key=lambda f: (
                order.index(f.state),
                not f.overdue(now),
                results.index(f.verdict),
                not f.veto,
                f.number,
                f.host,
            ),
        )
    )


def looked_at(entry: Mapping[str, Any], row: Evidence) -> datetime:
    """Of one host; what nothing dates was judged for the time at which it was bundled."""
    if "origin" not in entry:
        return row.collected_at
    return recorded(entry) or datetime.fromisoformat(entry["assessed_at"])


def _take(
    courses: dict[tuple[str, str], _Course],
    key: tuple[str, str],
    row: Evidence,
    about: Mapping[str, Any],
    finding: Mapping[str, Any],
) -> None:
    result = Result(finding["verdict"])
    course = courses.get(key)
    if row.refused and (result in _SATISFIED or (course is not None and course.is_open)):
        return
    if course is None:
        if result in _SATISFIED:
            return
        course = courses[key] = _Course(result, about)
    if course.is_open and rank(result) < rank(course.verdict):
        course.worsened.append(row.sequence)
    course.verdict, course.about, course.seen = result, about, row.sequence
    course.last = finding
    if result is Result.FAIL and not row.refused:
        course.failed = row.sequence
    elif result not in _UNTOLD:
        course.failed = 0
    at = row.collected_at
    if result in _SATISFIED:
        if course.is_open:
            course.events.append(Event("closed", at, row.sequence, result))
        course.is_open, course.ended = False, None
        return
    if not course.is_open:
        what: What = "reopened" if course.events else "opened"
        course.events.append(Event(what, at, row.sequence, result))
        course.is_open = True
    waiver = finding["waiver"]
    until = datetime.fromisoformat(waiver["expires"]) if waiver and not waiver["expired"] else None
    if until is not None and until != course.ended:
        course.events.append(Event("waived", at, row.sequence, result))
    elif until is None and course.ended is not None:
        # it ran out, or was taken back, before this bundle
        course.events.append(Event("waiver_ended", min(course.ended, at), 0, result))
    course.ended = until


def _doubt(
    courses: dict[tuple[str, str], _Course],
    looks: Mapping[str, tuple[Evidence, Mapping[str, Any]]],
    unproven: Unproven,
) -> None:
    """Opens what the newest look at a host found satisfied, and proves no more.

    It is dated by that look: since when it is so nothing says that would be the same tomorrow.
    """
    rows = {row.sequence: row for row, _ in looks.values()}
    gone = {number: unproven(row) for number, row in sorted(rows.items())}
    for host, (row, document) in looks.items():
        for finding in document["hosts"][host]["findings"]:
            key = finding["control"], host
            why = gone[row.sequence].get(key)
            if why is None or finding["verdict"] == Result.FAIL:
                continue
            told = {**_unproven(finding, why), "verdict": str(Result.ERROR)}
            _take(courses, key, row, document["controls"][finding["control"]], told)


def _unproven(finding: Mapping[str, Any], why: Text) -> dict[str, Any]:
    """As it was found, with why that counts no more; what is to be mended is no host's matter."""
    said, mend = ({"zh": text.zh, "en": text.en} for text in (why, _ANEW))
    return {**finding, "message": said, "reason": "", "remediation": mend, "waiver": None}


def _life(record: PledgeRecord, key: tuple[str, str], course: _Course, now: datetime) -> Life:
    control, host = key
    waiver = waiver_of(record, control, host)
    events = list(course.events)
    covers = waiver_holds(record, control, host, now)
    holds = covers and course.verdict in WAIVABLE
    state: State = "closed" if not course.is_open else "waived" if holds else "open"
    if state == "open" and course.ended is not None:
        events.append(Event("waiver_ended", min(course.ended, now), 0, course.verdict))
    follow = follow_up(record, control, host)
    return Life(
        control,
        host,
        course.about["number"],
        Text(course.about["title"]["zh"], course.about["title"]["en"]),
        course.about["veto"],
        state,
        course.verdict,
        course.seen,
        tuple(events),
        plain_name(str(follow.get("owner", ""))),
        waiver_end(follow["due"]) if "due" in follow else None,
        str(follow.get("note", "")),
        waiver if state == "waived" else None,
        _text(course.last.get("message")),
        what_to_do.mend(course.last, _text(course.last.get("remediation"))),
        waiver if covers and state == "open" else None,
        course.handed_in,
        str(course.last.get("severity", "")),
        what_to_do.waits_until(course.last),
        tuple(course.worsened),
        failed=course.failed,
    )


def rank(result: Result | str) -> int:
    """The graver, the less; what is satisfied last."""
    return GRAVE.index(Result(result)) if result in GRAVE else len(GRAVE)


def _text(held: Any) -> Text:
    """As evidence has it: in both languages, or in one for both."""
    if isinstance(held, Mapping):
        return Text(str(held.get("zh", "")), str(held.get("en", "")))
    return Text(str(held or ""), str(held or ""))


def to_json(life: Life, now: datetime) -> dict[str, Any]:
    """One finding for programs, and for the dossier."""
    closed, known = life.closed, described().get(life.control)
    return {
        "control": life.control,
        "number": life.number,
        "clause": known.clause if known else None,
        "title": {"zh": life.title.zh, "en": life.title.en},
        "host": life.host,
        "state": life.state,
        "verdict": str(life.verdict),
        "found": str(life.found or life.verdict),
        "veto": life.veto,
        "opened_by": life.opened.sequence,
        "opened_at": life.opened.at.isoformat(),
        "closed_by": closed.sequence if closed else None,
        "closed_at": closed.at.isoformat() if closed else None,
        "last_seen_in": life.seen,
        "reopened": life.reopened,
        "owner": life.owner or None,
        "due": life.due.astimezone(CHINA).date().isoformat() if life.due else None,
        "overdue": life.overdue(now),
        "note": life.note or None,
        "handed_in": life.handed_in,
        "waiver": dict(life.waiver) if life.waiver else None,
        "waiver_without_effect": dict(life.idle_waiver) if life.idle_waiver else None,
        "events": [
            {
                "what": e.what,
                "at": e.at.isoformat(),
                "evidence": e.sequence or None,
                "verdict": str(e.verdict) if e.verdict else None,
            }
            for e in life.events
        ],
    }
