"""The log files that lie on a host, and the first and last time written inside each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.timestamps import EARLIEST, ONLY_TIMES, record_time, zone_of
from collector.facts.logs import log_heads
from collector.facts.logs.files_read import MOST, body
from collector.facts.logs.model.families import is_log, log_of
from collector.facts.logs.model.file_names import PACKED, age_rank, told_in_turn
from collector.facts.logs.model.shapes import Day, LogFile, LogFiles, LoginFile, LoginLines, Look
from collector.facts.logs.years import STRAY, before, unwrapped, years_before
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

__all__ = ["READS", "LogFile", "LogFiles", "Look", "log_files"]

_READ = "log_files.times"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        body(),
        seconds=30,
        limit=1 << 21,
        redact=ONLY_TIMES,
        privileged=True,
        why=Text(
            "各日志文件的大小与其内记录的时间（只取时间，不取内容）",
            "size of each log file, and the times of its records (times only, no content)",
        ),
    ),
)

_FILE = re.compile(r"@F (\d+) (-?\d+) ([-SPEZzUDN]) (/.*)")
_DAY = re.compile(r"@d (\d+) ([-01]) (\S+) (\S+)")
_BIRTH = re.compile(r"@D (\d+) (/.*)")
_LOOKS = {"S": Look.WHOLE, "Z": Look.WHOLE, "P": Look.SAMPLED, "E": Look.ENDS, "z": Look.HEAD}
# of a log that is written to each day, a few records long before all others are not believed
_STEADY = re.compile(r"/(syslog|messages|cron|cron\.log|audit\.log)([.-][^/]*)?$")
_UTMP = 384 * 4000
_WTMPDB = "/var/lib/wtmpdb/wtmp.db"


def log_files(capture: Capture) -> LogFiles:
    """Raises FactError: also when there are more files than are listed."""
    at, zone = capture.collected_at, zone_of(capture.head.get("zone", ""))
    if at is None:
        raise CouldNotLook(_READ, msg("capture_no_time_collection"))
    text = capture.read(_READ).text()
    machine = (capture.head.get("kernel", "").split() or [""])[-1]
    if re.search(r"^@S ", text, re.MULTILINE):
        files = log_heads.files_of(text, machine, at, zone)
        return LogFiles(files, _born(text.splitlines()))
    return _Reading(text, machine, at, zone).result()


def _born(lines: Iterable[str]) -> dict[str, datetime]:
    """`@D SECONDS PATH`; stat says 0 or `-` where it does not know."""
    born = {}
    for line in lines:
        match = _BIRTH.fullmatch(line)
        if match and int(match[1]) > 0:
            born[match[2].rstrip("/") or "/"] = datetime.fromtimestamp(int(match[1]), UTC)
    return born


class _Reading:
    """The lines of the read, taken in their order; see `log_look` for what they mean."""

    def __init__(self, text: str, machine: str, at: datetime, zone: tzinfo) -> None:
        self.lines = text.splitlines()
        self.at, self.zone = at, zone
        self.known = machine in ("x86_64", "i686", "i586", "i386", "ppc64le", "aarch64",
                                 "riscv64", "loongarch64")  # fmt: skip
        self.files: dict[str, LogFile] = {}
        self.records: dict[str, LoginFile] = {}
        self.accepted: dict[str, LoginLines] = {}

    def result(self) -> LogFiles:
        if "@Z" not in self.lines:
            raise CouldNotLook(_READ, msg("list_log_files_ends"))
        hindered = [line[3:] for line in self.lines if line.startswith("@O ")]
        for word in hindered:
            if word == "more":
                raise CouldNotLook(_READ, msg("more_log_files", most=MOST))
            if word != "newline":
                raise CouldNotLook(_READ, msg("no_host", word=word))
        kinds: dict[str, str] = {}
        for line in self.lines:
            if match := _FILE.fullmatch(line):
                path = match[4]
                kinds[path] = match[3]
                packed = bool(PACKED.search(path))
                look = Look.NONE
                self.files[path] = LogFile(
                    path, int(match[1]), int(match[2]), packed=packed, look=look
                )
        self._contents(kinds)
        self._years()
        return LogFiles(
            self.files,
            _born(self.lines),
            self.records,
            self.accepted,
            tuple(dict.fromkeys(hindered)),
            detailed=True,
        )

    def _contents(self, kinds: dict[str, str]) -> None:
        path, held = "", list[str]()
        for line in [*self.lines, "@P "]:
            if line.startswith("@P "):
                if path in kinds:
                    self._one(path, kinds[path], held)
                elif path:
                    raise NotUnderstood(_READ, msg("opened_not_listed", path=path))
                path, held = line[3:], []
            elif line.startswith(("@W ", "@w ")):
                self._wtmpdb(line)
            else:
                held.append(line)

    def _one(self, path: str, kind: str, held: list[str]) -> None:
        if kind == "U":
            self._utmp(path, held)
            return
        end = next((x.split() for x in held if x.startswith("@e")), ["@e", ""])
        state = end[1] if len(end) > 2 else ""
        parts: list[list[tuple[Day, str]]] = [[]]
        for line in held:
            if line == "@b":
                parts.append([])
            elif match := _DAY.fullmatch(line):
                parts[-1].append(self._day(match))
            elif match := re.fullmatch(r"@a (\d+) (\d+) (\d+) (\d+)", line):
                self.accepted[path] = LoginLines(
                    path, int(match[1]), int(match[2]), int(match[3]), int(match[4])
                )
        look = _LOOKS.get(kind, Look.NONE)
        if look is Look.WHOLE and state != ".":
            # cut by the limit, broken, or more days than are told: what comes after is not known
            look = Look.HEAD
        parts = [unwrapped(part) for part in parts]
        days = tuple(day for part in parts for day, _ in part)
        if not days and state == "!":
            look = Look.NONE
        latest = self.at + timedelta(days=1)
        first, raw = _believed(parts[0], latest, steady=bool(_STEADY.search(path)))
        ends = [day.last for day in days if day.last <= latest]
        last = ends[-1] if ends and look is not Look.HEAD else None
        if look is Look.ENDS and len(parts) > 1 and not parts[1]:
            last = None
        self.files[path] = replace(
            self.files[path],
            first=first,
            last=last,
            raw=raw,
            look=look,
            days=days if look in (Look.WHOLE, Look.SAMPLED) else (),
            lines=int(end[-1]) if end[-1].isdecimal() else -1,
            session="@r" in held,
        )

    def _day(self, match: re.Match[str]) -> tuple[Day, str]:
        first, last = (record_time(t, self.at, self.zone) for t in (match[3], match[4]))
        if first is None or last is None:
            # a clock that was never set, or no such day: a record of no time
            first = last = datetime(EARLIEST, 1, 1, tzinfo=UTC)
        if match[3].startswith("--") and first - last > STRAY:
            # of one day, and between the two what may be of this year yet
            first = before(first, 1)
        own = None if match[2] == "-" else match[2] == "1"
        return Day(first, last, int(match[1]), own), match[3]

    def _utmp(self, path: str, held: Sequence[str]) -> None:
        if not self.known:
            return
        turns: dict[str, list[datetime]] = {"1": [], "2": []}
        back, size = list[tuple[datetime, datetime]](), self.files[path].size
        for line in held:
            word, *numbers = line[3:].split() if line.startswith("@u ") else [""]
            if not all(re.fullmatch(r"\d{1,11}", n) for n in numbers):
                raise NotUnderstood(_READ, msg("not_line_login_records", line=line))
            times = [datetime.fromtimestamp(int(n), UTC) for n in numbers]
            if word in turns and len(times) == 1:
                turns[word].append(times[0])
            elif word == "<" and len(times) == 2:
                back.append((times[0], times[1]))
            elif word in (".", "?", "!") and len(times) == 7:
                counts = [int(n) for n in numbers]
                whole = size <= _UTMP and "btmp" not in path
                self.records[path] = LoginFile(
                    path, counts[0], counts[1], counts[2], counts[3], counts[4], whole,
                    word == "?", tuple(turns["2"]), tuple(turns["1"]), tuple(back),
                )  # fmt: skip
                dated = counts[5] > 0
                self.files[path] = replace(
                    self.files[path],
                    first=times[5] if dated else None,
                    last=times[6] if dated else None,
                    raw=f"{times[5]:%Y-%m-%dT%H:%M:%SZ}" if dated else "",
                    look=Look.WHOLE if whole else Look.ENDS,
                )

    def _wtmpdb(self, line: str) -> None:
        old = self.files.get(_WTMPDB, LogFile(_WTMPDB, -1, 0))
        words = line.split()[1:]
        if line.startswith("@W "):
            first = record_time(words[0], self.at, self.zone) if words else None
            self.files[_WTMPDB] = replace(old, first=first, raw=line[3:], look=Look.WHOLE)
            # the package keeps it in /var/log and leaves a link
            self.files.pop("/var/log/wtmp.db", None)
            return
        times = [record_time(w, self.at, self.zone) for w in words[1:] if w != "-"]
        held = self.records.get(_WTMPDB, LoginFile(_WTMPDB, 0, 0, 0, 0, 0, whole=True))
        if words[:1] == ["b"] and times and all(times):
            boots, downs = (*held.boots, *times[:1]), (*held.downs, *times[1:])
            held = replace(
                held, boots=tuple(t for t in boots if t), downs=tuple(t for t in downs if t)
            )
        elif words[:1] == ["l"] and len(times) == 1:
            self.files[_WTMPDB] = replace(old, last=times[0])
        elif words[:1] == ["."] and len(words) == 4 and all(w.isdecimal() for w in words[1:]):
            logins, logouts, addressed = (int(w) for w in words[1:])
            held = replace(
                held, records=logins, logins=logins, logouts=logouts, addressed=addressed
            )
        else:
            raise NotUnderstood(_READ, msg("not_line_wtmpdb", line=line))
        self.records[_WTMPDB] = held

    def _years(self) -> None:
        """Times without a year may be a year older than they show, where a newer file shows it.

        The middle day of each file decides, so that a forged line at either end does not. Where
        the names do not surely tell which file is newer, a time is left as young as it shows.
        """
        groups: dict[str, list[LogFile]] = {}
        for path, file in self.files.items():
            if is_log(path) and file.days and file.raw.startswith("--"):
                groups.setdefault(log_of(path, self.files), []).append(file)
        for files in groups.values():
            if not told_in_turn(file.path for file in files):
                continue
            newer: datetime | None = None
            for file in sorted(files, key=lambda f: age_rank(f.path)):
                file = self._older(file, newer)
                newer = file.days[len(file.days) // 2].first

    def _older(self, file: LogFile, newer: datetime | None) -> LogFile:
        middle, years = file.days[len(file.days) // 2].first, 0
        while newer and years < 8 and before(middle, years) > newer + timedelta(days=1):
            years += 1
        days = tuple(years_before(d, years) for d in file.days)
        first = before(file.first, years) if file.first else None
        last = before(file.last, years) if file.last else None
        file = replace(file, days=days, first=first, last=last)
        self.files[file.path] = file
        return file


def _believed(
    days: Sequence[tuple[Day, str]], latest: datetime, *, steady: bool
) -> tuple[datetime | None, str]:
    """The first record whose time can be true: not yet to come, and no stray."""
    plain = [(day, raw) for day, raw in days if day.first <= latest and day.first.year > EARLIEST]
    if steady and len(plain) > 1:
        records = sum(day.count for day, _ in plain)
        few = 0
        for number, (day, _) in enumerate(plain[:-1], 1):
            few += day.count
            if few > 5 or few * 10 > records:
                break
            if plain[number][0].first - day.last > STRAY:
                plain = plain[number:]
                break
    return (plain[0][0].first, plain[0][1]) if plain else (None, "")
