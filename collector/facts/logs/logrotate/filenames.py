"""The names that logrotate gives to old files, and which of them it finds again.

What it does not find again it never removes; what has today's name already is not rotated; and
an old file whose name the section's own pattern matches is rotated like a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from collector.facts.logs.logrotate.directives import Rotation

_LETTERS = {
    "Y": "[0-9]" * 4,
    "m": "[0-9][0-9]",
    "d": "[0-9][0-9]",
    "H": "[0-9][0-9]",
    "M": "[0-9][0-9]",
    "S": "[0-9][0-9]",
    "V": "[0-9][0-9]",
    "s": "[0-9]" * 10,
    "z": "[-+][0-9][0-9][0-9][0-9]",
}
# old files of one log that are told apart by their number
_NUMBERS = 60
# a longer pattern than that makes the rotation fail (logrotate.c: PATTERN_LEN)
_LONGEST = 126


class Suffix:
    """The part of an old file's name that holds the date, under `dateext`.

    `fails`: no name can be made of the format, so that the log is never rotated. `clear` is False
    where what this version makes of it is not known.
    """

    def __init__(self, rotation: Rotation) -> None:
        plain = "-%Y%m%d%H" if rotation.interval == "hourly" else "-%Y%m%d"
        self.custom = bool(rotation.dateformat)
        letters = dict(_LETTERS)
        if rotation.version < (3, 22):
            del letters["z"]
        self._parts: list[tuple[str, bool]] = []
        text, at = rotation.dateformat.lstrip(" ") or plain, 0
        while at < len(text):
            asked = text[at] == "%" and text[at + 1 : at + 2] in letters
            asked = asked and at + 1 < len(text)
            self._parts.append((text[at + 1] if asked else text[at], asked))
            at += 2 if asked else 1
        self._glob = "".join(letters[x] if asked else x for x, asked in self._parts)
        self.fails = len(self._glob) > _LONGEST
        newer = self.custom and {x for x, asked in self._parts if asked} - set("Ymds")
        self.clear = "/" not in self._glob and (rotation.version >= (3, 14) or not newer)
        self._sorted = self.custom and rotation.version >= (3, 9)
        self._back = timedelta(days=rotation.dateyesterday)
        self._back += timedelta(hours=rotation.datehourago)
        if rotation.dateyesterday:
            self._hour = 12
        else:
            self._hour = -1

    def at(self, now: datetime) -> str:
        if self._hour >= 0:
            now = now.replace(hour=self._hour)
        when = now - self._back
        return "".join(_letter(x, when) if asked else x for x, asked in self._parts)

    def found(self, name: str) -> bool:
        """Whether logrotate finds an old file of this suffix when it looks for old ones."""
        return fnmatchcase(name, self._glob)

    def order(self, name: str) -> tuple[int, ...]:
        """What the names are sorted by, the oldest first; glob's own order decides the rest."""
        if not self._sorted:
            return ()
        form = "".join(
            (f"(?P<{x}{at}>[-+0-9]{{{_width(x)}}})" if asked else re.escape(x))
            for at, (x, asked) in enumerate(self._parts)
        )
        match = re.match(form, name)
        numbers = {key[0]: int(n) for key, n in match.groupdict().items()} if match else {}
        if "s" in numbers:
            moment = datetime.fromtimestamp(numbers["s"], UTC)
            return (moment.year, moment.month, moment.day, moment.hour, moment.minute)
        return tuple(numbers.get(x, 0) for x in "YmdHMS")


def _width(letter: str) -> int:
    return {"Y": 4, "s": 10, "z": 5}.get(letter, 2)


def _letter(letter: str, when: datetime) -> str:
    if letter == "V":
        return f"{when.isocalendar()[1]:02}"
    if letter == "s":
        return str(int(when.replace(tzinfo=UTC).timestamp()))
    if letter == "z":
        return "+0000"
    value = {
        "Y": when.year,
        "m": when.month,
        "d": when.day,
        "H": when.hour,
        "M": when.minute,
        "S": when.second,
    }[letter]
    return f"{value:0{_width(letter)}}"


def folder_of(rotation: Rotation, log: str) -> str:
    """Where the old files of a log lie."""
    here = log.rsplit("/", 1)[0]
    if not rotation.olddir:
        return here
    return rotation.olddir.rstrip("/") if rotation.olddir[0] == "/" else f"{here}/{rotation.olddir}"


def old_name(rotation: Rotation, log: str, *, delayed: bool = False, suffix: str = "") -> str:
    """A name that an old file of this log has; `delayed`: before it is compressed."""
    base, ext = log.rsplit("/", 1)[1], ""
    if rotation.addextension:
        base, ext = base.removesuffix(rotation.addextension), rotation.addextension
    if rotation.extension and base.endswith(rotation.extension):
        base, ext = base.removesuffix(rotation.extension), rotation.extension
    if not suffix:
        suffix = f".{rotation.start}"
        if rotation.dateext:
            moment = datetime(2026, 11, 25, 10, 20, 30)  # noqa: DTZ001 - a sample
            suffix = Suffix(rotation).at(moment)
    packed = rotation.compressext if rotation.compress and not delayed else ""
    return f"{folder_of(rotation, log)}/{base}{suffix}{ext}{packed}"


def names_to_come(rotation: Rotation, log: str, now: datetime) -> Iterator[str]:
    """What old files of the log will be called: each number, or dates of the year to come.

    A rule that removes by name can mean them before the first of them is there.
    """
    if rotation.count == 0:
        return
    most = _NUMBERS if rotation.count < 0 else min(rotation.count, _NUMBERS)
    suffixes = [f".{n}" for n in range(rotation.start, rotation.start + most)]
    if rotation.dateext:
        dates = Suffix(rotation)
        days = (*range(31), *range(31, 366, 9))
        suffixes = [dates.at(now + timedelta(days=n)) for n in days]
    for suffix in suffixes:
        yield old_name(rotation, log, suffix=suffix)
        if rotation.compress and rotation.delaycompress:
            yield old_name(rotation, log, delayed=True, suffix=suffix)


def sample(pattern: str) -> str:
    """A path that the pattern matches."""
    end = pattern.rfind("]") + 1
    said = re.sub(r"\[!?\]?([^\]])[^\]]*\]", r"\1", pattern[:end]) + pattern[end:]
    return said.replace("*", "x").replace("?", "x")
