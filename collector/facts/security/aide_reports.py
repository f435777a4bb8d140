"""Reports of aide(1): which comparison came to its end, and how many files differed.

Up to 0.19.1 AIDE writes names of files as they are (CVE-2025-54389), and one of several lines may
hold the end of a report and another whole one, of no differences. Names stand behind a report's own
verdict, and only where there are differences: what a log says behind such a one may be a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.base.timestamps import zone_of
from collector.facts.security.detector_state import Section
from collector.i18n.message import msg

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: ([+-]\d{4}))?")
_CLEAN = re.compile(r"found NO differences|All files match|Looks okay")
_COUNT = re.compile(r"\s*(?:Added|Removed|Changed) (?:entries|files):\s*(\d{1,9})")
_BEFORE = "differences before: "
# as many lines of a log as the read takes
_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison that ended at `ended` (aware, UTC); `changes` is None where it tells no number.

    `sure`: no name of a file stands ahead of it in its log.
    """

    ended: datetime
    changes: int | None
    line: str
    sure: bool

    @property
    def doubt(self) -> NotUnderstood | None:
        """Where a name may have made up that nothing differs."""
        if self.sure or self.changes != 0:
            return None
        return NotUnderstood("detectors.state", msg("aide_report_behind_names", line=self.line))


def last_report(logs: Sequence[Section], zone: tzinfo) -> Report | None:
    """The last that came to its end. Raises NotUnderstood."""
    found = [report for log in logs for report in _reports(log, zone)]
    return max(found, key=lambda report: report.ended, default=None)


def _reports(log: Section, zone: tzinfo) -> Iterator[Report]:
    told: bool | None = None
    early = False
    start: datetime | None = None
    changes: int | None = None
    verdict = ""
    named = _ahead(log)
    sure = not named
    for line in log.lines:
        clean = _CLEAN.search(line) is not None
        if clean or "found differences" in line:
            # the first verdict of a report is its own
            if told is None:
                told, changes, verdict = not clean, 0 if clean else None, line
                early, sure = start is None, not named
                named = named or told
        elif count := _COUNT.match(line):
            changes = (changes or 0) + int(count[1])
        elif line.startswith("Start timestamp"):
            start = _stamp(line, zone)
            # before 0.16 the verdict came first, and nothing marked the end
            if told is not None and early:
                yield Report(_before(start, log), changes, verdict, sure)
                told, start, changes, early = None, None, None, False
        elif line.startswith("End timestamp"):
            if told is not None and not early:
                ended = _before(_stamp(line, zone), log)
                yield Report(ended, changes, f"{verdict} {line}", sure)
            told, start, changes, early = None, None, None, False


def _ahead(log: Section) -> bool:
    """May names stand ahead of the lines that are shown?"""
    before = [line for line in log.lines if line.startswith(_BEFORE)]
    if before:
        return before[0] != f"{_BEFORE}0"
    return len(log.lines) >= _SHOWN


def _before(when: datetime, log: Section) -> datetime:
    """No report ended after its log was written."""
    return min(when, datetime.fromtimestamp(log.mtime, UTC)) if log.mtime else when


def _stamp(line: str, zone: tzinfo) -> datetime:
    match = _STAMP.search(line)
    if match is None:
        raise NotUnderstood("detectors.state", msg("no_time", line=line))
    own = zone_of(match[2]) if match[2] else zone
    return moment(match[1], own, line)


def moment(stamp: str, zone: tzinfo, line: str) -> datetime:
    """A time of a log in its zone, as UTC. Raises NotUnderstood."""
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood("detectors.state", msg("no_time", line=line)) from None
