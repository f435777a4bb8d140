"""Looks for rootkits: which tool looked last, to the end, and what it found.

rkhunter(8) (its log has dates in the words of date(1) at start and end), chkrootkit as Debian's
daily job runs it (lines of `log.expected` are explained, but no finding is), maldet's event log,
rootcheck of Wazuh and OSSEC, whose findings lie with their manager.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.base.timestamps import zone_of
from collector.facts.security.detector_state import READS as _READS
from collector.facts.security.detector_state import Section, sections
from collector.facts.security.file_integrity import ossec_scan, ossec_time
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = _READS

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"\w{3} (?P<month>\w{3}) +(?P<day>\d{1,2}) (?P<time>\d\d:\d\d:\d\d)(?: (?P<half>[AP]M))?"
    r" (?P<zone>\S+) (?P<year>\d{4})"
)
# what stands behind may be a name, which any user chooses: only the head of a line is the tool's
_RUN = re.compile(
    r"^\[\d\d:\d\d:\d\d\] Info: (Start date is|End date is|(?:En|Dis)abled tests are:)"
)
_COUNT = re.compile(r"^\[\d\d:\d\d:\d\d\] (Possible rootkits|Suspect files): (\d{1,9})$")
_LOOKED = re.compile(r"^\[\d\d:\d\d:\d\d\] Possible rootkits:")
_EVENT = re.compile(
    r"^(\w{3}) +(\d{1,2}) (\d{4}) (\d\d:\d\d:\d\d) \S+ maldet\(\d+\): \{scan\} scan completed on "
    r".*: files \d+, malware hits (\d{1,9}), cleaned hits \d+"
)

_TESTS = {
    "known_rkts": ("known_rkts", "rootkits"),
    "possible_rkt_files": ("possible_rkt_files", "additional_rkts", "rootkits"),
    "possible_rkt_strings": ("possible_rkt_strings", "additional_rkts", "rootkits"),
    "trojans": ("trojans", "rootkits"),
}


@dataclass(frozen=True, slots=True)
class RootkitScan:
    """The last look that came to its end (aware, UTC). `hits` are rootkits or malware, `warnings`

    lines that nobody explained; both None where the manager holds them. `accepted` are findings
    that a file of what is expected would hide; `enabled` and `disabled` the tests of rkhunter as
    its log has them.
    """

    tool: str
    path: str
    ended: datetime
    hits: int | None
    warnings: tuple[str, ...] | None
    line: str
    accepted: tuple[str, ...] = ()
    enabled: frozenset[str] | None = None
    disabled: frozenset[str] | None = None

    @property
    def tests_off(self) -> tuple[str, ...] | None:
        """The tests for rootkits that rkhunter left out; None where that is not told."""
        if self.tool != "rkhunter":
            return ()
        if self.enabled is None or self.disabled is None:
            return None
        # a test is named by itself or by one of its groups (files/README of rkhunter)
        ran = {name for name in _TESTS if {"all", *_TESTS[name]} & self.enabled}
        return tuple(n for n in _TESTS if n not in ran or {*_TESTS[n]} & self.disabled)


def rootkits(capture: Capture) -> tuple[RootkitScan, ...]:
    """The last look of each tool. Raises FactError when a log could not be read."""
    zone = zone_of(capture.head.get("zone", ""))
    found: list[RootkitScan] = []
    parts = sections(capture)
    found += _rkhunter([s for s in parts if s.kind == "rkhunter"], zone)
    for section in parts:
        if section.kind == "chkrootkit":
            found += _chkrootkit(section)
        elif section.kind == "maldet":
            found += _maldet(section, zone)
        elif section.kind == "ossec-log":
            found += _rootcheck(section, zone)
    return tuple(found)


def _rkhunter(logs: list[Section], zone: tzinfo) -> Iterator[RootkitScan]:
    """The last run that looked, be it in the log that the next run put away."""
    runs: list[tuple[str, list[str]]] = []
    for log in logs:
        runs.append((log.path, []))
        for line in log.lines:
            if _said(line, "Start date is"):
                runs.append((log.path, []))
            runs[-1][1].append(line)
    ended = [
        (_date(ends[-1], zone), ends[-1], path, run)
        for path, run in runs
        if (ends := [x for x in run if _said(x, "End date is")])
    ]
    # `--update` and `--propupd` write to the same log, and look for nothing
    looks = [run for run in ended if any(map(_LOOKED.match, run[3]))]
    if not looks:
        if ended:
            raise NotUnderstood("detectors.state", msg("no_run_looked_rootkits", ended=ended[0][2]))
        return
    when, end, path, last = max(looks, key=lambda run: run[0])
    counts = [int(m[2]) for x in last if (m := _COUNT.match(x))]
    if not any(_COUNT.match(x) for x in last if _LOOKED.match(x)):
        raise NotUnderstood("detectors.state", msg("no_count_rootkits", path=path))
    warnings = tuple(re.sub(r"^\[[\d:]+\] ", "", x) for x in last if re.search(r"\] Warning: ", x))
    on, off = _tests(last, "Enabled"), _tests(last, "Disabled")
    yield RootkitScan("rkhunter", path, when, sum(counts), warnings, end, (), on, off)


def _said(line: str, words: str) -> bool:
    match = _RUN.match(line)
    return match is not None and match[1] == words


def _tests(run: list[str], which: str) -> frozenset[str] | None:
    found = [x.partition(f"{which} tests are:")[2] for x in run if _said(x, f"{which} tests are:")]
    return frozenset(found[-1].split()) if found else None


def _date(line: str, zone: tzinfo) -> datetime:
    match = _DATE.search(line)
    if match is None or match["month"] not in _MONTHS:
        raise NotUnderstood("detectors.state", msg("no_date", line=line))
    month = _MONTHS.index(match["month"]) + 1
    stamp = f"{match['year']}-{month:02}-{int(match['day']):02} {match['time']}"
    own = UTC if match["zone"] in ("UTC", "GMT") else zone
    return _moment(stamp, own, line, match["half"])


def _moment(stamp: str, zone: tzinfo, line: str, half: str | None = None) -> datetime:
    try:
        when = datetime.fromisoformat(stamp)
        if half:
            when = when.replace(hour=when.hour % 12 + (12 if half == "PM" else 0))
        return when.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood("detectors.state", msg("no_date", line=line)) from None


def _chkrootkit(log: Section) -> Iterator[RootkitScan]:
    if not any("chkutmp" in x for x in log.lines):
        return
    ended = datetime.fromtimestamp(log.mtime, UTC)
    expected = tuple(x for x in log.lines if x.startswith("expected: "))
    told = tuple(
        x.removeprefix("detail: ")
        for x in log.lines
        if "chkutmp'" not in x and not x.startswith("expected: ")
    )
    accepted = tuple(x.removeprefix("expected: ") for x in expected)
    hits = sum("INFECTED" in x for x in told)
    line = f"{log.path} {ended:%Y-%m-%d %H:%M} UTC"
    yield RootkitScan("chkrootkit", log.path, ended, hits, told, line, accepted)


def _maldet(log: Section, zone: tzinfo) -> Iterator[RootkitScan]:
    for line in reversed(log.lines):
        match = _EVENT.match(line)
        if match and match[1] in _MONTHS:
            month = _MONTHS.index(match[1]) + 1
            stamp = f"{match[3]}-{month:02}-{int(match[2]):02} {match[4]}"
            ended = _moment(stamp, zone, line)
            yield RootkitScan("maldet", log.path, ended, int(match[5]), (), line)
            return


def _rootcheck(log: Section, zone: tzinfo) -> Iterator[RootkitScan]:
    lines = [x for x in log.lines if ossec_scan(x) == "Ending rootcheck scan"]
    ended = ossec_time(lines[-1], zone) if lines else None
    if ended is not None:
        yield RootkitScan("rootcheck", log.path, ended, None, None, lines[-1])
