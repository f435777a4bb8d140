"""The shapes of what is known of log files: see `log_files`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from collector.facts.logs.model.families import is_log, log_of, sessions_of


class Look(StrEnum):
    """How far a file was looked into.

    `whole`: each record's time; `sampled`: places spread over it; `ends`: its beginning and its
    end; `head`: its beginning alone; `none`: not opened, or not to be unpacked.
    """

    WHOLE = "whole"
    SAMPLED = "sampled"
    ENDS = "ends"
    HEAD = "head"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Day:
    """The records of one day that stand together in a file: the first, the last, how many.

    `own` is whether the first of them names this very host, None where it names none.
    """

    first: datetime
    last: datetime
    count: int
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file: `size` in bytes, `mtime` as the file system has it (never a record's time).

    `first` and `last` are times inside it that can be believed, None where none was found or
    looked for. `raw` is what `first` was read from. `days` are its days in the order of the file,
    where `look` is `whole` or `sampled`. `lines` is how many lines were looked at. `session`: it
    is the recording of one session (script, sudo's I/O log, asciicast).
    """

    path: str
    size: int
    mtime: int
    first: datetime | None = None
    last: datetime | None = None
    raw: str = ""
    packed: bool = False
    look: Look = Look.ENDS
    days: tuple[Day, ...] = ()
    lines: int = -1
    session: bool = False


@dataclass(frozen=True, slots=True)
class LoginFile:
    """One file of utmp(5) records: how many, how many logins, logouts, logins with an address.

    `zeroed` are records overwritten with zeros; `whole` is whether all of them were looked at,
    `torn` whether its size is no multiple of a record's. `boots` and `downs` are the times of its
    boot and shutdown records, `backwards` places where time runs back by more than a minute.
    """

    path: str
    records: int
    logins: int
    logouts: int
    addressed: int
    zeroed: int
    whole: bool
    torn: bool = False
    boots: tuple[datetime, ...] = ()
    downs: tuple[datetime, ...] = ()
    backwards: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class LoginLines:
    """What sshd and PAM wrote into one text log: logins accepted, how many of them with the

    address they came from, sessions opened and closed.
    """

    path: str
    accepted: int
    addressed: int
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class LogFiles:
    """All of them by path; `born` is when a folder was made, where the file system tells.

    `records` are the files of login records and `lines` the text logs of logins, by path;
    `hindered` says what could not be listed. `detailed` is False for captures of the first form,
    which hold no days and no login records.
    """

    files: dict[str, LogFile]
    born: dict[str, datetime]
    records: dict[str, LoginFile] = field(default_factory=dict)
    lines: dict[str, LoginLines] = field(default_factory=dict)
    hindered: tuple[str, ...] = ()
    detailed: bool = False

    def grouped(self, moved: Mapping[str, str] = MappingProxyType({})) -> dict[str, list[LogFile]]:
        """The files of each log, the rotated ones with it; lastlog and the like are none of them.

        `moved` are the logs whose old files lie elsewhere, by the name that they have there.
        Recordings of sessions are one log by their folder where most of its files are such.
        """
        seen = [f for f in self.files.values() if is_log(f.path)]
        told = Counter(sessions_of(f.path) for f in seen if f.session)
        other = Counter(sessions_of(f.path) for f in seen if f.first and not f.session)
        folders = {folder for folder, count in told.items() if count > other[folder]}
        groups: dict[str, list[LogFile]] = {}
        present = {*self.files, *moved}
        for file in seen:
            folder = sessions_of(file.path)
            log = folder if folder in folders else log_of(file.path, present)
            groups.setdefault(moved.get(log, log), []).append(file)
        return groups

    @property
    def unopened(self) -> tuple[str, ...]:
        """Files with content that nobody looked into."""
        return tuple(f.path for f in self.files.values() if f.look is Look.NONE and f.size)
