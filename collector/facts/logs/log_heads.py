"""Captures of the first form of `log_files.times`: the head and the tail of each file, by heading.

Bundles made with it must still be judged; the read itself now looks as `log_look` says.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.timestamps import record_time
from collector.facts.logs.model.file_names import PACKED
from collector.facts.logs.model.shapes import LogFile, Look
from collector.i18n.message import msg

_READ = "log_files.times"
_MOST = 800
_FILE = re.compile(r"@F (\d+) (\d+) (/.*)")
_HEADING = re.compile(r"==> (/.*) <==")


def files_of(text: str, machine: str, at: datetime, zone: tzinfo) -> dict[str, LogFile]:
    """The files by path. Raises FactError where it is not whole or a log forged a heading."""
    sections = _sections(text)
    files: dict[str, LogFile] = {}
    for line in sections.get("", ()):
        if match := _FILE.fullmatch(line):
            path = match[3]
            packed = bool(PACKED.search(path))
            look = Look.HEAD if packed else Look.ENDS
            files[path] = LogFile(path, int(match[1]), int(match[2]), packed=packed, look=look)
    if len(files) > _MOST:
        raise CouldNotLook(_READ, msg("more_log_files", most=_MOST))
    for name in ("head", "packed"):
        for path, lines in _headed(sections.get(name, [])):
            _set_first(files, path, lines, at, zone)
    for path, lines in _headed(sections.get("tail", [])):
        times = [t for line in lines if (t := record_time(line, at, zone))]
        if times and path in files:
            files[path] = replace(files[path], last=times[-1])
    for line in sections.get("login", ()):
        _set_login(files, line, machine, at, zone)
    return files


def _sections(text: str) -> dict[str, list[str]]:
    """The parts of the output; a part that comes twice was forged by what a log holds."""
    name = ""
    sections: dict[str, list[str]] = {"": []}
    for line in text.splitlines():
        if line.startswith("@S "):
            name = line[3:]
            if name in sections:
                raise NotUnderstood(_READ, msg("part_stands_twice", name=name))
            sections[name] = []
        else:
            sections[name].append(line)
    if "login" not in sections:
        raise CouldNotLook(_READ, msg("list_log_files_ends"))
    return sections


def _headed(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines under each heading, files in their order: a heading out of order is a record."""
    path, gathered, before = "", list[str](), ""
    for line in lines:
        match = _HEADING.fullmatch(line)
        if match and match[1] != "/dev/null" and match[1].encode() > before.encode():
            if path:
                yield path, gathered
            path, gathered, before = match[1], [], match[1]
        elif not match:
            gathered.append(line)
        elif match[1] == path:
            raise NotUnderstood(_READ, msg("heading_stands_twice", path=path))
    if path:
        yield path, gathered


def _set_first(
    files: dict[str, LogFile], path: str, lines: list[str], at: datetime, zone: tzinfo
) -> None:
    for line in lines:
        first = record_time(line, at, zone)
        if first is not None and path in files:
            files[path] = replace(files[path], first=first, last=None, raw=line.strip())
            return


def _set_login(
    files: dict[str, LogFile], line: str, machine: str, at: datetime, zone: tzinfo
) -> None:
    if match := re.fullmatch(r"@W (.*)", line):
        first = record_time(match[1], at, zone)
        path = "/var/lib/wtmpdb/wtmp.db"
        if first:
            files[path] = LogFile(path, -1, 0, first, None, match[1], look=Look.HEAD)
    elif (match := re.fullmatch(r"@H ([0-9a-f]*) (/.*)", line)) and match[2] in files:
        try:
            first = utmp_time(bytes.fromhex(match[1]), machine)
        except (NotUnderstood, ValueError, OverflowError):
            # the other logs are still read; this one is left without a time
            first = None
        found = replace(files[match[2]], first=first, last=None, raw=match[1][:48])
        files[match[2]] = replace(found, look=Look.HEAD)


def utmp_time(data: bytes, machine: str) -> datetime | None:
    """The time of the first record of utmp(5) that has one; `machine` as uname -m says it.

    glibc keeps 32-bit times in 384 bytes on x86, and 64-bit times in 400 bytes on aarch64,
    riscv64 and loongarch64 (bits/utmp.h, __WORDSIZE_TIME64_COMPAT32).
    """
    if machine in ("aarch64", "riscv64", "loongarch64"):
        size, place, form = 400, 344, "<q"
    elif machine in ("x86_64", "i686", "i586", "i386", "ppc64le"):
        size, place, form = 384, 340, "<I"
    else:
        raise NotUnderstood(_READ, msg("form_wtmp", machine=machine or "an unknown machine"))
    for start in range(0, len(data) - size + 1, size):
        (seconds,) = struct.unpack_from(form, data, start + place)
        if 0 < seconds < 1 << 33:
            return datetime.fromtimestamp(seconds, UTC)
    return None
