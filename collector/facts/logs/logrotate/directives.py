"""One section of logrotate.conf(5), and what each directive does to it, by logrotate's version."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from collector.i18n.message import msg

Version = tuple[int, ...]
# what is taken for granted where the host's version was not seen
NEWEST: Version = (3, 22, 0)
# missing arguments, words run together and stray text have been errors since then
STRICT: Version = (3, 19)
_UNLIMITED: Version = (3, 15)
_WEEKDAYS: Version = (3, 12)
_MINUTES: Version = (3, 23)

INTERVALS = ("hourly", "daily", "weekly", "monthly", "yearly")
_OF_OLD = """
    compress nocompress delaycompress nodelaycompress shred noshred sharedscripts
    nosharedscripts copytruncate nocopytruncate copy nocopy ifempty notifempty dateext
    nodateext dateyesterday noolddir mailfirst maillast nocreate hourly daily yearly
    nomail missingok nomissingok errors
"""
_OF_OLD_VALUED = """
    size minsize maxsize rotate maxage start dateformat extension olddir compresscmd
    uncompresscmd compressext compressoptions create su mail shredcycles
"""
# words without an argument, and with one, by the first version that knows them
_ALONE: dict[str, Version] = dict.fromkeys(_OF_OLD.split(), (3, 0))
_ALONE |= {
    "allowhardlink": (3, 19),
    "noallowhardlink": (3, 19),
    "ignoreduplicates": (3, 21),
    "datehourago": (3, 9),
    "renamecopy": (3, 8, 9),
    "norenamecopy": (3, 8, 9),
    "nocreateolddir": (3, 8, 9),
}
_VALUED: dict[str, Version] = dict.fromkeys(_OF_OLD_VALUED.split(), (3, 0))
_VALUED |= {"minage": (3, 11), "addextension": (3, 11), "createolddir": (3, 8, 9)}
# basename of a compresscmd -> the extension it brings along (config.c: compress_cmd_list)
_PACKED = {
    "gzip": ".gz",
    "bzip2": ".bz2",
    "xz": ".xz",
    "zstd": ".zst",
    "compress": ".Z",
    "zip": ".zip",
}
_FLAGS = {
    "compress": ("compress", True),
    "nocompress": ("compress", False),
    "delaycompress": ("delaycompress", True),
    "nodelaycompress": ("delaycompress", False),
    "nocopytruncate": ("copytruncate", False),
    "norenamecopy": ("renamecopy", False),
    "copy": ("copy", True),
    "nocopy": ("copy", False),
    "ifempty": ("notifempty", False),
    "notifempty": ("notifempty", True),
    "dateext": ("dateext", True),
    "nodateext": ("dateext", False),
    "dateyesterday": ("dateyesterday", True),
    "datehourago": ("datehourago", True),
    "ignoreduplicates": ("ignoreduplicates", True),
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """One section: which logs, how often they are rotated, how many old files stay.

    `interval` is one of hourly, daily, weekly, monthly, yearly, minutes, or `size`, which means
    that size alone decides (`size`, in bytes, is its threshold). `count` is `rotate`: -1 keeps
    all, 0 none. `maxage` and `minage` are in days, the sizes in bytes, 0 where not given.
    `weekday` is that of `weekly`: 0 is Sunday, 7 any. `copy`: the log itself is never cut.
    `twice`: a log that the section itself names twice is no error. `unclear`: an error in the
    section after which logrotate goes on with what it had read of it. `version` is that of the
    logrotate that reads it.
    """

    patterns: tuple[str, ...] = ()
    path: str = ""
    line: int = 0
    interval: str = "size"
    monthday: int = 0
    count: int = 0
    maxage: int = 0
    maxsize: int = 0
    minsize: int = 0
    copy: bool = False
    dateext: bool = False
    olddir: str = ""
    ignoreduplicates: bool = False
    size: int = 1 << 20
    minage: int = 0
    weekday: int = 0
    start: int = 1
    notifempty: bool = False
    copytruncate: bool = False
    renamecopy: bool = False
    compress: bool = False
    delaycompress: bool = False
    compresscmd: str = ""
    compressext: str = ".gz"
    dateformat: str = ""
    dateyesterday: bool = False
    datehourago: bool = False
    extension: str = ""
    addextension: str = ""
    twice: bool = False
    postrotate: bool = False
    unclear: str = ""
    version: Version = NEWEST

    @property
    def cut(self) -> bool:
        """Whether a rotation takes the records out of the log itself."""
        return self.copytruncate or not self.copy


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that logrotate itself refuses; `patterns` are the logs that are left without it.

    `refused` is False where logrotate takes the section, but for how long it keeps the log does
    not follow from it (old files that are rotated again, or shared with another log).
    """

    path: str
    line: int
    why: str
    patterns: tuple[str, ...] = ()
    refused: bool = True


class Refused(Exception):
    """`whole`: the rest of the file goes with it; else only the section."""

    def __init__(self, line: int, why: str, *, whole: bool) -> None:
        super().__init__(why)
        self.line = line
        self.why = why
        self.whole = whole


@dataclass(frozen=True, slots=True)
class Said:
    """One directive; the word `/` stands for the names of logs, `}` for the end of a section.

    `value` is None where an argument was expected and the line ends.
    """

    line: int
    word: str
    value: str | None = ""


def stands_alone(word: str, version: Version) -> bool:
    if word == "monthly":
        return version < _MINUTES
    if word == "weekly":
        return version < _WEEKDAYS
    return _ALONE.get(word, (99,)) <= version


def applied(section: Rotation, said: Said) -> Rotation:
    """The section (or the global directives) after one more directive. Raises Refused.

    A word that this version does not know is ignored together with its line.
    """
    word, line, version = said.word, said.line, section.version
    if word in INTERVALS or (word == "minutes" and version >= _MINUTES):
        return _every(section, said)
    if stands_alone(word, version):
        return _flagged(section, word)
    if _VALUED.get(word, (99,)) > version:
        return section
    if said.value is None:
        # `create` and `size` take none for nothing said, in every version
        quiet = word in ("create", "createolddir", "size", "minsize", "maxsize", "dateformat")
        path = word in ("olddir", "mail", "compresscmd", "uncompresscmd", "compressext")
        if quiet or (version < STRICT and not path):
            return section
        raise Refused(line, msg("argument_expected_after", word=word), whole=False)
    if word in ("create", "createolddir", "su"):
        _owned(said, version)
        if word == "su" and len(said.value.split()) < 2:
            # taken, and then no log is rotated as nobody
            return replace(section, unclear=msg("no_user_no_group"))
        return section
    if word in ("rotate", "maxage", "minage", "start", "shredcycles"):
        return _counted(section, said)
    if word in ("size", "minsize", "maxsize"):
        return _sized(section, said)
    return _named(section, word, said.value, line)


def _every(section: Rotation, said: Said) -> Rotation:
    word, value = said.word, said.value or ""
    top = {"weekly": 7, "monthly": 31}.get(word, 0)
    if word == "minutes":
        return replace(section, interval="minutes")
    if stands_alone(word, section.version) or not value:
        return replace(section, interval=word, monthday=0, weekday=0)
    if not re.fullmatch(r"\s*\+?\d+", value) or int(value) > top:
        raise Refused(said.line, msg("bad_directive", word=word, value=value), whole=True)
    if word == "weekly":
        return replace(section, interval=word, weekday=int(value))
    return replace(section, interval=word, monthday=int(value))


def _flagged(section: Rotation, word: str) -> Rotation:
    apart = section.version >= (3, 18, 1)
    if word == "copytruncate":
        return replace(section, copytruncate=True, renamecopy=section.renamecopy and not apart)
    if word == "renamecopy":
        return replace(section, renamecopy=True, copytruncate=section.copytruncate and not apart)
    if word == "noolddir":
        return replace(section, olddir="")
    if word in _FLAGS:
        name, value = _FLAGS[word]
        return replace(section, **{name: value})  # type: ignore[arg-type]  # all of them are bool
    return section


def _counted(section: Rotation, said: Said) -> Rotation:
    word = said.word
    number = integer(said.value or "")
    least = -1 if word == "rotate" and section.version >= _UNLIMITED else 0
    if number is None or number < least:
        raise Refused(said.line, msg("bad_value_of", word=word, value=said.value), whole=False)
    if word == "shredcycles":
        return section
    return replace(section, **{"count" if word == "rotate" else word: number})  # type: ignore[arg-type]  # all of them are int


def _sized(section: Rotation, said: Said) -> Rotation:
    value = said.value or ""
    if not value:
        return section
    unit = value[-1] if value[-1] in "kKMG" else ""
    number = integer(value.removesuffix(unit), wide=True)
    if number is None or number < 0:
        raise Refused(said.line, msg("bad_value_of", word=said.word, value=value), whole=False)
    size = number << {"": 0, "k": 10, "K": 10, "M": 20, "G": 30}[unit]
    if said.word == "size":
        return replace(section, interval="size", size=size)
    return replace(section, **{said.word: size})  # type: ignore[arg-type]  # both are int


def _owned(said: Said, version: Version) -> None:
    """Whether the users and groups are known on the host is not looked at."""
    words = (said.value or "").split()
    if len(words) > (2 if said.word == "su" else 3):
        raise Refused(said.line, msg("extra_arguments", word=said.word), whole=False)
    if said.word == "su" and len(words) < 2 and version >= (3, 15):
        raise Refused(said.line, msg("no_user_no_group"), whole=False)
    octal = words and re.fullmatch(r"[0-7]+", words[0])
    if said.word != "su" and not octal and (len(words) == 3 or (words and version >= (3, 22))):
        if len(words) == 2:
            return
        raise Refused(said.line, msg("invalid_mode", words=words[0]), whole=False)


def _named(section: Rotation, word: str, value: str, line: int) -> Rotation:
    blank = re.search(r"\s", value) is not None
    if blank and word in ("olddir", "compresscmd", "uncompresscmd", "compressext", "mail"):
        raise Refused(line, msg("bad_value_of", word=word, value=value), whole=False)
    if word == "compresscmd":
        ext = _PACKED.get(value.rsplit("/", 1)[-1]) if section.version >= (3, 8, 8) else None
        return replace(section, compresscmd=value, compressext=ext or section.compressext)
    if word in ("olddir", "compressext", "dateformat", "extension", "addextension"):
        return replace(section, **{word: value})  # type: ignore[arg-type]  # all of them are str
    return section


def integer(text: str, *, wide: bool = False) -> int | None:
    """As strtol(3) with base 0 reads a whole text: a leading 0 means octal, 0x hexadecimal.

    What does not fit an int is cut to its 32 bits, unless `wide`.
    """
    match = re.fullmatch(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9]\d*))", text)
    if not match:
        return None
    digits, base = next((d, b) for d, b in zip(match.groups()[1:], (16, 8, 10), strict=True) if d)
    number = min(int(digits, base), (1 << 63) - 1) * (-1 if match[1] == "-" else 1)
    return number if wide else (number + (1 << 31)) % (1 << 32) - (1 << 31)
