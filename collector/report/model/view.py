"""evidence.json and captures → what the templates of the report show. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from collector.assess import clause_result
from collector.attest.bundle.evidence import finding_from_json
from collector.attest.bundle.provenance import is_collected
from collector.catalog import clauses
from collector.model import Capture, Finding, HostStatus, Lang, ReadStatus, Result
from collector.report.model import tables
from collector.report.model.raw import Raw, raws, share
from collector.report.model.remedies import anchor as remedy_anchor
from collector.report.model.remedies import platform_named
from collector.report.model.stores import Backups, backups
from collector.scope import Scope
from collector.script import host_clock

# worst first: in this order findings, hosts and totals are shown
ORDER = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.NOTCHECKED,
    Result.PASS,
    Result.NOTAPPLICABLE,
)
SIGNS = {
    Result.PASS: "√",
    Result.PARTIAL: "△",
    Result.FAIL: "×",
    Result.NOTAPPLICABLE: "—",
    Result.ERROR: "?",
    Result.NOTCHECKED: "□",
}
_CLOSED = (Result.PASS, Result.NOTAPPLICABLE)
_WEIGHT = {"high": 0, "medium": 1, "low": 2}
# characters of quoted lines, of all findings of all hosts together
_QUOTES = 6_000_000
# documents of China carry the time of China
ZONE = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Quoted:
    read: str
    path: str
    status: str
    sha256: str
    lines: tuple[str, ...]
    left_out: int
    number: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the report shows it."""

    control: str
    number: str
    title: str
    clause: str
    result: Result
    method: str
    message: str
    expected: str
    remediation: str
    severity: str
    veto: bool
    until: str
    waiver: Mapping[str, Any] | None
    waived: bool
    anchor: str
    quotes: tuple[Quoted, ...]

    @property
    def sign(self) -> str:
        return "W" if self.waived else SIGNS[self.result]

    @property
    def css(self) -> str:
        return "waived" if self.waived else str(self.result)


@dataclass(slots=True)
class Host:
    """A host as the report shows it."""

    name: str
    anchor: str
    status: HostStatus
    detail: str
    collected: str
    assessed: str
    address: str
    handed_in: bool
    head: Mapping[str, str]
    origin: Mapping[str, Any]
    capture: str
    capture_sha256: str
    result: Result
    counts: Mapping[Result, int]
    clauses: Mapping[str, Result]
    platform: str = ""
    release: str = ""
    open: list[Shown] = field(default_factory=list)
    closed: list[Shown] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    logs: tables.Logs | None = None
    products: tables.Products | None = None
    backups: Backups | None = None
    by_control: dict[str, Shown] = field(default_factory=dict)

    def steps_at(self, control: str) -> str:
        """The anchor of the steps by which the control is brought about on this host."""
        return remedy_anchor(control, self.platform)

    @property
    def node(self) -> Mapping[str, str] | None:
        """The mesh node that collected from it, and its key; None where this machine did."""
        return None if self.handed_in else self.origin.get("worker")

    @property
    def root(self) -> bool:
        return self.head.get("uid") == "0"


def when(time: str | datetime | None) -> str:
    """A time (RFC 3339 where it is text) in the time of China; empty where there is none."""
    if not time:
        return ""
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    except OverflowError:  # in China the year 10000 has begun
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def hosts(
    evidence: Mapping[str, Any],
    capture: Callable[[str], Capture],
    lang: Lang,
    attached: Mapping[str, bytes],
    scope: Scope,
) -> list[Host]:
    """Every host, worst first, then by name. `attached` are documents that judges used."""
    built = []
    room = _QUOTES // max(len(evidence["hosts"]), 1)
    for name, entry in evidence["hosts"].items():
        found = [finding_from_json(name, document) for document in entry["findings"]]
        at = datetime.fromisoformat(entry["assessed_at"])
        built.append((_severity(found, at), name, entry, found, at))
    built.sort(key=lambda row: (row[0], row[1]))
    return [
        _host(
            f"h{number}",
            name,
            entry,
            found,
            at=at,
            evidence=evidence,
            taken=capture(name),
            attached=attached,
            lang=lang,
            room=room,
            scope=scope,
        )
        for number, (_, name, entry, found, at) in enumerate(built, 1)
    ]


def _severity(found: Sequence[Finding], at: datetime) -> tuple[int, ...]:
    counts = Counter(f.result for f in found)
    vetoes = sum(f.veto for f in found if f.result is Result.FAIL)
    overall = ORDER.index(clause_result(found, at))
    return (overall, -vetoes, *(-counts[result] for result in ORDER[:4]))


def _host(
    anchor: str,
    name: str,
    entry: Mapping[str, Any],
    found: list[Finding],
    *,
    at: datetime,
    evidence: Mapping[str, Any],
    taken: Capture,
    attached: Mapping[str, bytes],
    lang: Lang,
    room: int,
    scope: Scope,
) -> Host:
    head = entry.get("head") or {}
    origin = entry.get("origin") or {}
    handed_in = not is_collected(origin, evidence["run"])
    own = host_clock(head) if handed_in else None
    moment = own or taken.collected_at or origin.get("clock")
    platform, release = platform_named(taken)
    host = Host(
        name=name,
        anchor=anchor,
        status=HostStatus(entry["status"]),
        detail=entry.get("detail") or "",
        collected=when(moment),
        assessed=when(entry["assessed_at"]),
        address="" if handed_in else str(origin.get("address") or ""),
        handed_in=handed_in,
        head=head,
        origin=origin,
        capture=f"data/{entry['capture']}" if entry.get("capture") else "",
        capture_sha256=entry.get("capture_sha256") or "",
        result=scope.at_most(clause_result(found, at)),
        counts=Counter(f.result for f in found),
        clauses={
            id: scope.narrowed(id, clause_result([f for f in found if f.clause == id], at))
            for id in clauses()
            if any(f.clause == id for f in found)
        },
        platform=platform,
        release=release,
    )
    documents = _in_order(entry["findings"], evidence)
    _say_more(host, taken, attached, evidence["grade"], {d["control"] for d in documents}, lang)
    quoted = [
        e["read"] for d in documents if Result(d["verdict"]) not in _CLOSED for e in d["evidence"]
    ]
    host.raws = raws(taken, quoted, share(len(evidence["hosts"])))
    numbers = {raw.id: raw.number for raw in host.raws if raw.status is not ReadStatus.LOST}
    for document in documents:
        shown = _shown(document, evidence, anchor, numbers=numbers, lang=lang, room=room)
        room -= sum(len(line) for quote in shown.quotes for line in quote.lines)
        (host.closed if shown.result in _CLOSED else host.open).append(shown)
        host.by_control[shown.control] = shown
    return host


def finding(document: Mapping[str, Any], evidence: Mapping[str, Any], lang: Lang) -> Shown:
    """One finding of an evidence.json, by itself."""
    return _shown(document, evidence, "f", numbers={}, lang=lang, room=_QUOTES)


def _in_order(
    findings: Sequence[Mapping[str, Any]], evidence: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """What has to be done first stands first."""
    return sorted(
        findings,
        key=lambda d: (
            ORDER.index(Result(d["verdict"])),
            not d["veto"],
            _WEIGHT[d["severity"]],
            d["clause"],
            _number(evidence, d["control"]),
        ),
    )


def _say_more(
    host: Host,
    taken: Capture,
    attached: Mapping[str, bytes],
    grade: int,
    asked: Collection[str],
    lang: Lang,
) -> None:
    """The tables that some families of controls have beside their findings."""
    if taken.reads and any(id.startswith("logging.retention") for id in asked):
        host.logs = tables.logs(taken, grade, lang)
    if taken.reads and any(id.startswith("antivirus.") for id in asked):
        host.products = tables.products(taken, lang)
    if taken.reads and any(id.startswith("backup.") for id in asked):
        host.backups = backups(taken, attached, grade, lang)


def _shown(
    document: Mapping[str, Any],
    evidence: Mapping[str, Any],
    anchor: str,
    *,
    numbers: Mapping[str, int],
    lang: Lang,
    room: int,
) -> Shown:
    control = evidence["controls"].get(document["control"], {})
    number = _number(evidence, document["control"])
    waiver = document["waiver"]
    places: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in document["evidence"]:
        places.setdefault((entry["read"], entry.get("path", "")), []).append(entry)
    quotes = []
    for (read, path), entries in places.items():
        every = [line for entry in entries for line in entry["lines"]]
        lines: list[str] = []
        for line in every:
            room -= len(line)
            if room < 0:
                break
            lines.append(line)
        quotes.append(
            Quoted(
                read,
                path,
                entries[0]["status"],
                entries[0]["sha256"] or "",
                tuple(lines),
                len(every) - len(lines),
                numbers.get(read, 0),
            )
        )
    return Shown(
        control=document["control"],
        number=number,
        title=spoken(control.get("title"), lang) or document["control"],
        clause=document["clause"],
        result=Result(document["verdict"]),
        method=document["method"],
        message=spoken(document["message"], lang),
        expected=spoken(document["expected"], lang),
        remediation=spoken(document["remediation"], lang),
        severity=document["severity"],
        veto=document["veto"],
        until=when(document["until"]),
        waiver=waiver and {**waiver, "expires": when(waiver["expires"])},
        waived=bool(waiver) and not waiver["expired"],
        anchor=f"{anchor}-{re.sub(r'[^A-Za-z0-9.]', '', number)}",
        quotes=tuple(quotes),
    )


def _number(evidence: Mapping[str, Any], control: str) -> str:
    return str(evidence["controls"].get(control, {}).get("number", control))


def spoken(text: Any, lang: Lang) -> str:
    """A text of evidence in the language asked for, whether it stands there in one or in both."""
    return str(text.get(lang, "")) if isinstance(text, Mapping) else str(text or "")
