"""What was, and is no more: old evidence, a clock that was moved, files that nothing took up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.cases import Case
from tests.mutations.shapes import in_lines, spoiling

_LONG = timedelta(days=400)
_FILE = re.compile(r"^(.*?\bfile )([\d.]+) ([\d.]+) (\S+) (/.*)$")


def _moved(case: Case, by: timedelta) -> Case:
    at = case.at + by
    head, origin = dict(case.capture.head), dict(case.capture.origin)
    for place in (head, origin):
        clock = str(place.get("clock", ""))
        if clock.isdecimal():
            place["clock"] = str(int(clock) + int(by.total_seconds()))
        elif clock:
            place["clock"] = (datetime.fromisoformat(clock) + by).isoformat()
    capture = replace(case.capture, collected_at=at, head=head, origin=origin)
    return replace(case, at=at, capture=capture)


@spoiling
def months_old(case: Case) -> Case | None:
    """All that it keeps is 400 days older: nothing was written, scanned, sent or renewed since."""
    return _moved(case, _LONG)


@spoiling
def dated_ahead(case: Case) -> Case | None:
    """All that it keeps is dated 400 days ahead: its clock stood elsewhere when it was made."""
    return _moved(case, -_LONG)


@spoiling
def file_newer(case: Case) -> Case | None:
    """Every file that a daemon reads was written a second ago: it runs with what was before."""

    def lines(old: list[str]) -> Iterable[str]:
        clock = 0.0
        for line in old:
            if told := re.search(r"\bclock ([\d.]+) ", line):
                clock = float(told[1])
            found = _FILE.match(line)
            if found and clock:
                yield f"{found[1]}{clock - 1:.9f} {clock - 1:.9f} {found[4]} {found[5]}"
            elif not re.search(r"\bpidfile |\bunit (ExecReload|StateChange)", line):
                yield line

    return in_lines(
        case, sshd__effective=lines, syslog__running=lines, journald__held=lines,
        clamav__state=lines, bans__fail2ban=lines, signatures__clamav=lines,
    )  # fmt: skip
