"""What the names of log files tell: which are packed, and which of two rotated files is older."""

from __future__ import annotations

import re
from collections.abc import Iterable

PACKED = re.compile(r"(\.tar)?\.(gz|xz|bz2|zst|Z|lz4|lzma|zip|7z|rar)$|\.(tgz|txz|tbz2?)$")

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_END = r"(?=[._-]|$)"  # so that no part of a UUID is a date
# 20261125, 2026-11-25T03, 202611; 25112026, 25-11-2026; 261125; seconds since 1970
_DATES = (
    re.compile(
        rf"[._-](?P<y>{_YEAR})([._-]?)(?P<m>{_MONTH})(?:\2(?P<d>{_DAY})(?P<t>[\d._T:-]*)|{_END})"
    ),
    re.compile(rf"[._-](?P<d>{_DAY})([._-]?)(?P<m>{_MONTH})\2(?P<y>{_YEAR})(?P<t>[\d._T:-]*)"),
    re.compile(rf"[._-](?P<y>\d\d)(?P<m>{_MONTH})(?P<d>{_DAY})(?P<t>){_END}"),
    re.compile(r"[._-](?P<y>1\d{9})(?!\d)"),
)
_NUMBER = re.compile(r"([.-])(\d{1,4})$")


def age_rank(path: str) -> tuple[int, str]:
    """Sorts the files of one log, the newest first: by the number or the date in their names."""
    bare = PACKED.sub("", path.rsplit("/", 1)[-1])
    for form in _DATES:
        if match := form.search(bare):
            said = match.groupdict()
            year = said["y"] if len(said["y"]) != 2 else f"20{said['y']}"
            digits = "".join((year, said.get("m") or "", said.get("d") or "", said.get("t") or ""))
            digits = re.sub(r"\D", "", digits).ljust(20, "0")[:20]
            return 2, "".join(chr(ord("9") - int(c) + ord("0")) for c in digits)
    if match := _NUMBER.search(bare):
        return 1, match[2].rjust(4, "0")
    return 0, ""


def number_of(path: str) -> int:
    """The number that logrotate counts up at each rotation; 0 where there is none."""
    match = re.search(r"\.(\d{1,4})$", PACKED.sub("", path))
    return int(match[1]) if match else 0


def told_in_turn(paths: Iterable[str]) -> bool:
    """Do the names of one log's files surely tell their order?

    Not where numbers and dates stand side by side (the numbers may be left from before or from
    after), nor where a number is none that is counted up from 1: `-1125` and `.05` are a month
    and a day, and the greater one is the newer.
    """
    kinds: dict[int, list[str]] = {}
    for path in paths:
        kinds.setdefault(age_rank(path)[0], []).append(path)
    if len(kinds.get(0, ())) > 1 or {1, 2} <= set(kinds):
        return False
    found = [_NUMBER.search(PACKED.sub("", path)) for path in kinds.get(1, ())]
    numbers = [(match[1], match[2]) for match in found if match]
    counted = all(dot == "." and str(int(n)) == n and len(n) < 4 for dot, n in numbers)
    return counted and min((int(n) for _, n in numbers), default=1) <= 2
