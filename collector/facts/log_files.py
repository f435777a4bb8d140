"""The log files that lie on a host, and the first and last time written inside each of them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.record_times import ONLY_TIMES, record_time, zone_of
from collector.model import Capture, Read, Text, shell

MOST = 800
_READ = "log_files.times"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        rf"""
nl='
'
IFS=$nl
more=$(sed -n 's/^[[:space:]]*["'\'']\{{0,1\}}\(\/[^{{]*\).*/\1/p' /etc/logrotate.conf \
  /etc/logrotate.d/* 2>/dev/null | tr -d "\"'" | tr -s ' \t' "$nl$nl" \
  | grep -E -v '^/(var/log|var/run|usr/[^l]|usr/lib|s?bin|lib|etc|proc|sys|dev|run)' \
  | grep '^/.*/' | sed 's/$/*/' | head -n 64)
set -- /www/wwwlogs /usr/local/nginx/logs /usr/local/apache2/logs \
  /usr/local/openresty/nginx/logs $more
set -f
list=$(
  for f do [ -f "$f" ] && printf '%s\n' "$f"; done
  find /var/log/ "$1" "$2" "$3" "$4" -type f ! -path '/var/log/journal/*' ! -path '*/sysstat/*' \
    ! -path '*/sa/*' ! -path '/var/log/pods/*' ! -path '/var/log/containers/*' 2>/dev/null
)
set -- $(printf '%s\n' "$list" | sed 's,//*,/,g' | sort -u | head -n {MOST + 1})
plain='' packed='' login=''
for f do
  case ${{f##*/}} in
    wtmp*|btmp*) login="$login$f$nl";;
    *.gz|*.xz|*.bz2|*.zst|*.Z|*.lz4) packed="$packed$f$nl";;
    lastlog*|faillog*|tallylog*|*.journal*|*.db|*.rrd|*.png|*.pcap|*.core) ;;
    *) plain="$plain$f$nl";;
  esac
done
[ $# -gt 0 ] && stat -c '@F %s %Y %n' "$@"
echo '@S folders'
stat -c '@D %W %n' / /var/log /var/log/*/ 2>/dev/null
set +f; stat -c '@D %W %n' /var/log/*/ 2>/dev/null; set -f
echo '@S head'
set -- $plain; [ $# -gt 0 ] && head -c 2048 /dev/null "$@"
echo; echo '@S packed'
for f in $packed; do
  printf '\n==> %s <==\n' "$f"
  case $f in
    *.gz|*.Z) gzip -dc;; *.xz) xz -dc;; *.bz2) bzip2 -dc;; *.zst) zstd -dc;; *.lz4) lz4 -dc;;
  esac <"$f" 2>/dev/null | head -c 2048
done
echo; echo '@S tail'
set -- $plain; [ $# -gt 0 ] && tail -c 1024 /dev/null "$@"
echo; echo '@S login'
for f in $login; do
  case $f in *.gz) gzip -dc <"$f";; *.xz) xz -dc <"$f";; *.bz2) bzip2 -dc <"$f";;
    *.zst) zstd -dc <"$f";; *) cat <"$f";; esac 2>/dev/null \
    | head -c 1600 | od -An -v -tx1 | tr -d ' \n' | sed 's/^/@H /'
  printf ' %s\n' "$f"
done
[ -e /var/lib/wtmpdb/wtmp.db ] && command -v wtmpdb >/dev/null && wtmpdb last 2>/dev/null \
  | sed -n 's/^\/*.*wtmp.* begins \(.*\)/@W \1/p'
exit 0
""",
        seconds=30,
        limit=1 << 21,
        redact=ONLY_TIMES,
        privileged=True,
        why=Text(
            "各日志文件的大小与其内最早、最晚记录的时间（只取时间，不取内容）",
            "size of each log file, and the first and last time inside it (times only, no content)",
        ),
    ),
)

_FILE = re.compile(r"@F (\d+) (\d+) (/.*)")
_HEADING = re.compile(r"==> (/.*) <==")


class Look(StrEnum):
    """How far a file was looked into.

    `whole`: each record's time; `sampled`: places spread over it; `ends`: its beginning and its
    end; `head`: its beginning alone; `none`: not opened, or no log.
    """

    WHOLE = "whole"
    SAMPLED = "sampled"
    ENDS = "ends"
    HEAD = "head"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Day:
    """The records of one day that stand together in a file: the first, the last, how many."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file: `size` in bytes, `mtime` as the file system has it (never a record's time).

    `first` and `last` are times inside it, None where none was found or looked for. `raw` is the
    line that `first` was read from. `days` are its days in the order of the file, where `look` is
    `whole` or `sampled`.
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


@dataclass(frozen=True, slots=True)
class LogFiles:
    """All of them by path; `born` is when a folder was made, where the file system tells."""

    files: dict[str, LogFile]
    born: dict[str, datetime]


def log_files(capture: Capture) -> LogFiles:
    """Raises FactError: also when there are more files than were looked at."""
    at, zone = capture.collected_at, zone_of(capture.head.get("zone", ""))
    if at is None:
        raise CouldNotLook(_READ, "the capture has no time of collection")
    sections = _sections(capture.read(_READ).text())
    files: dict[str, LogFile] = {}
    for line in sections.get("", ()):
        if match := _FILE.fullmatch(line):
            path = match[3]
            packed = bool(re.search(r"\.(gz|xz|bz2|zst|Z|lz4)$", path))
            files[path] = LogFile(
                path,
                int(match[1]),
                int(match[2]),
                packed=packed,
                look=Look.HEAD if packed else Look.ENDS,
            )
    if len(files) > MOST:
        raise CouldNotLook(_READ, f"there are more than {MOST} log files")
    for name in ("head", "packed"):
        for path, lines in _headed(sections.get(name, [])):
            _set_first(files, path, lines, at, zone)
    for path, lines in _headed(sections.get("tail", [])):
        times = [t for line in lines if (t := record_time(line, at, zone))]
        if times and path in files:
            old = files[path]
            files[path] = LogFile(path, old.size, old.mtime, old.first, times[-1], old.raw)
    machine = capture.head.get("kernel", "").split()[-1:]
    for line in sections.get("login", ()):
        _set_login(files, line, machine[0] if machine else "", at, zone)
    return LogFiles(files, _born(sections.get("folders", [])))


def _sections(text: str) -> dict[str, list[str]]:
    """The parts of the output; a part that comes twice was forged by what a log holds."""
    name = ""
    sections: dict[str, list[str]] = {"": []}
    for line in text.splitlines():
        if line.startswith("@S "):
            name = line[3:]
            if name in sections:
                raise NotUnderstood(_READ, f"the part {name} stands twice")
            sections[name] = []
        else:
            sections[name].append(line)
    if "login" not in sections:
        raise CouldNotLook(_READ, "the list of log files ends half-way")
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
            raise NotUnderstood(_READ, f"the heading of {path} stands twice")
    if path:
        yield path, gathered


def _set_first(
    files: dict[str, LogFile], path: str, lines: list[str], at: datetime, zone: tzinfo
) -> None:
    for line in lines:
        first = record_time(line, at, zone)
        if first is not None and path in files:
            old = files[path]
            files[path] = LogFile(
                path, old.size, old.mtime, first, None, line.strip(), packed=old.packed
            )
            return


def _set_login(
    files: dict[str, LogFile], line: str, machine: str, at: datetime, zone: tzinfo
) -> None:
    if match := re.fullmatch(r"@W (.*)", line):
        first = record_time(match[1], at, zone)
        path = "/var/lib/wtmpdb/wtmp.db"
        if first:
            files[path] = LogFile(path, -1, 0, first, None, match[1])
    elif (match := re.fullmatch(r"@H ([0-9a-f]*) (/.*)", line)) and match[2] in files:
        old = files[match[2]]
        try:
            first = utmp_time(bytes.fromhex(match[1]), machine)
        except (NotUnderstood, ValueError, OverflowError):
            # the other logs are still read; this one is left without a time
            first = None
        files[old.path] = LogFile(
            old.path, old.size, old.mtime, first, None, match[1][:48], packed=old.packed
        )


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
        raise NotUnderstood(_READ, f"the form of wtmp on {machine or 'an unknown machine'}")
    for start in range(0, len(data) - size + 1, size):
        (seconds,) = struct.unpack_from(form, data, start + place)
        if 0 < seconds < 1 << 33:
            return datetime.fromtimestamp(seconds, UTC)
    return None


def _born(lines: list[str]) -> dict[str, datetime]:
    """`@D SECONDS PATH`; stat says 0 or `-` where it does not know."""
    born = {}
    for line in lines:
        match = re.fullmatch(r"@D (\d+) (/.*)", line)
        if match and int(match[1]) > 0:
            born[match[2].rstrip("/") or "/"] = datetime.fromtimestamp(int(match[1]), UTC)
    return born
