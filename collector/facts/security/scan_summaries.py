"""Summaries at the end of a log of clamscan(1) or clamdscan(1): which of them a scan wrote.

Both write names of files as they are, and a name may have several lines: whoever lays an empty file
anywhere writes into the log what he likes, but for the line's end (`: Empty file`). So a summary
counts only

- as the last of its log, with nothing behind it: a scan writes it when it has no more to say; or
- where it is whole, all lines in clamscan's own order with both dates: that is 270 bytes at the
  least without a slash, and a name has 255 at the most.

Lines of another form are `?` in the read, several beside each other one. Those of them that tell of
an error which hides nothing (a socket, a file that went away) are counted ahead of the summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collector.errors import NotUnderstood
from collector.facts.base.timestamps import zone_of
from collector.i18n.message import msg
from collector.model import Capture

READ = "clamav.state"
# behind it the read prints every line, be it as `?`: before, it left out what it did not know
IN_ORDER = "#in order"

_SIZE = r"\d{1,12}(?:\.\d{1,3})? ?(?:[KMGT]i?B|B|bytes)"
_DATE = r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d"
_MORE = (
    r"(?:Total errors: (?P<errors>\d{1,9})\n)?(?:Not removed: \d{1,9}\n)?(?:Not moved: \d{1,9}\n)?"
)
_TIME = r"Time: (?P<time>\d{1,9})\.\d{3} sec \(\d+ m \d+ s\)\n"
_DATES = rf"(?P<dates>Start Date: {_DATE}\n(?P<line>End Date:   (?P<end>{_DATE}))\n)"
_INFECTED = r"(?P<infected>Infected files: (?P<found>\d{1,9}))\n"
_FULL = (
    r"Known viruses: \d{1,9}\nEngine version: \d+\.\d+(?:\.\d+)?[\w.+~-]*\n"
    rf"Scanned directories: \d{{1,12}}\nScanned files: (?P<files>\d{{1,12}})\n{_INFECTED}{_MORE}"
    rf"Data scanned: {_SIZE}\nData read: {_SIZE} \(ratio \d+\.\d\d:1\)\n{_TIME}"
)
_WHOLE = re.compile(_FULL + _DATES)
# before 0.103 the summary has no dates
_CLAMSCAN = re.compile(f"{_FULL}{_DATES}?")
_CLAMDSCAN = re.compile(f"{_INFECTED}{_MORE}{_TIME}{_DATES}?")
# clamdscan sums up what it did not scan too, when clamd died on the way or was never there
_CUT_OFF = re.compile(r"^ERROR: (Communication error|Could not connect)", re.MULTILINE)
_HARMLESS = re.compile(r"^#harmless (\d{1,9})$", re.MULTILINE)
# a Debian container of the least packages has more than ten thousand
_FEW = 1000
# the log is written a moment after the clock was asked
_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Summary:
    """`ended` (aware, UTC), `found` files; `idle`: it looked at next to nothing.

    `unread`: files it could not open, or nobody knows why it told of errors.
    """

    ended: datetime
    found: int
    line: str
    idle: bool
    unread: int


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it was read. `mtime` in epoch seconds, 0 where it is not known."""

    path: str
    mtime: int
    lines: tuple[str, ...]


def summaries(capture: Capture, log: Log, *, clamd: bool) -> Iterator[Summary]:
    """Those of scans that ended; `clamd`: clamdscan may have written it, whose lines are fewer.

    Raises NotUnderstood, behind those that are told, where the last is none of those.
    """
    before, *blocks = "\n".join((*log.lines, "")).split("----------- SCAN SUMMARY -----------\n")
    if blocks and IN_ORDER not in log.lines:
        raise NotUnderstood(READ, msg("scan_log_not_in_order", path=log.path))
    found = passed = False
    for number, block in enumerate(blocks, 1):
        ahead, before = before, block
        if _CUT_OFF.search(ahead):
            continue
        if number < len(blocks):
            match = _WHOLE.match(block)
        else:
            match = _CLAMSCAN.fullmatch(block) or (_CLAMDSCAN.fullmatch(block) if clamd else None)
            match = match or _WHOLE.match(block)
            if match is None:
                raise NotUnderstood(READ, msg("scan_log_without_end", path=log.path))
        passed = passed or match is None
        if match is not None:
            found = True
            yield _summary(capture, log, match, _unread(match, ahead))
    if passed and not found:
        raise NotUnderstood(READ, msg("scan_log_without_end", path=log.path))


def _unread(match: re.Match[str], ahead: str) -> int:
    """Errors told of, less those that hide nothing.

    What clamonacc refuses to root as well is an error, and nothing found.
    """
    return max(0, int(match["errors"] or 0) - sum(map(int, _HARMLESS.findall(ahead))))


def _summary(capture: Capture, log: Log, match: re.Match[str], unread: int) -> Summary:
    told = match.groupdict()
    ending = told["infected"] + (f", Total errors: {told['errors']}" if unread else "")
    few = told.get("files") is not None and int(told["files"]) < _FEW
    idle = few or told["time"] == "0"
    closed = datetime.fromtimestamp(log.mtime, UTC)
    if told["end"] is None:
        # the log was closed by it
        line = f"{log.path}: {ending}, written {closed:%Y-%m-%d %H:%M} UTC"
        return Summary(closed, int(told["found"]), line, idle, unread)
    try:
        day, _, hour = told["end"].partition(" ")
        stamp = datetime.fromisoformat(f"{day.replace(':', '-')} {hour}")
        zone = zone_of(capture.head.get("zone", ""))
        ended = stamp.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood(READ, msg("no", path=log.path, told=told["line"])) from None
    latest = min(closed, capture.collected_at or closed)
    if ended > latest + _MOMENT:
        raise NotUnderstood(READ, msg("scan_ended_later", path=log.path, told=told["line"]))
    line = f"{log.path}: {told['line']}, {ending}"
    return Summary(ended, int(told["found"]), line, idle, unread)
