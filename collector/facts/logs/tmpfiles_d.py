"""What systemd-tmpfiles removes: by age each day, and at each boot (tmpfiles.d(5)).

Files of the same name hide each other in the order /etc, /run, /usr/local/lib, /usr/lib; all that
are left are read in the order of their names, and of two lines for one path the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.logs.journald.journal import span_seconds
from collector.facts.logs.model.removals import Removal
from collector.facts.scheduling import jobs as _schedules
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "tmpfiles.rules"
_PLACES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
set --
for d in /etc /run /usr/local/lib /usr/lib /lib; do
  [ -L "$d" ] && continue
  for f in "$d"/tmpfiles.d/*.conf; do
    { [ -e "$f" ] || [ -L "$f" ]; } && hp_plain "$f" || continue
    printf '@F %s\n' "$f"
    [ -f "$f" ] || continue
    hp_can "$f" || { printf '@U %s\n' "$f"; continue; }
    set -- "$@" "$f"
  done
done
a='BEGIN { n = ENVIRON["HP_NAME"] }
/^[ \t]*[^ \t#]/ {
  if (match($0, /"[^"]*"/)) {
    q = substr($0, RSTART + 1, RLENGTH - 2); gsub(/[ \t]/, "\\x20", q)
    $0 = substr($0, 1, RSTART - 1) q substr($0, RSTART + RLENGTH)
  }
  if ($2 !~ /^\/(run|dev|sys|proc|etc|tmp|usr|boot)(\/|$)/)
    print "@L " (n != "" ? n : FILENAME) ": " $1 " " $2 " " $6
}'
his() { hp_line "$1"; f=$h_f; hp_by "$f" cat | HP_NAME=$f awk "$a"; }
hp_split "$@"
hp_with "$h_ours" awk "$a" || exit
hp_each "$h_others" his
echo @E
""",
        limit=1 << 17,
        why=Text(
            "systemd-tmpfiles 按期删除哪些目录中的文件（只取类型、路径、期限）",
            "in which folders systemd-tmpfiles removes files by age (type, path and age only)",
        ),
    ),
)

_AGED = "dDevqQCxX"
_BYPASS = re.compile(r"(?:([abcmABCM]+):)?(.*)")
# of the specifiers, those that are the same on every host (file-hierarchy(7))
_SPECIFIERS = {"%L": "/var/log", "%S": "/var/lib", "%C": "/var/cache", "%h": "/root", "%%": "%"}
_JOB, _BOOT_JOB = "systemd-tmpfiles-clean.timer", "systemd-tmpfiles-setup.service"


@dataclass(frozen=True, slots=True)
class Line:
    """One line in force. `age` in seconds, None without one; `by` the times that it looks at.

    `below` is whether `~` spares the first level. `said` is the line as evidence.
    """

    kind: str
    path: str
    age: float | None
    by: str
    below: bool
    said: str

    @property
    def letter(self) -> str:
        return self.kind[:1]


def tmpfiles(capture: Capture) -> tuple[Line, ...]:
    """All lines in force, in the order in which they are read. Raises FactError."""
    lines = capture.read(_READ).text().splitlines()
    if lines[-1:] != ["@E"]:
        raise CouldNotLook(_READ, msg("list_tmpfiles_d_ends"))
    chosen: dict[str, tuple[int, str]] = {}
    held: dict[str, list[str]] = {}
    for line in lines[:-1]:
        tag, _, rest = line.partition(" ")
        if tag == "@U":
            raise CouldNotLook(_READ, msg("permission_denied", rest=rest))
        if tag == "@F":
            place, _, name = rest.partition("/tmpfiles.d/")  # noqa: S108 - no temporary file
            rank = _PLACES.index(place) if place in _PLACES else len(_PLACES)
            if name not in chosen or rank < chosen[name][0]:
                chosen[name] = (rank, rest)
        elif tag == "@L":
            file, _, said = rest.partition(": ")
            held.setdefault(file, []).append(said)
        elif line:
            raise NotUnderstood(_READ, msg("not_line_read", line=line))
    found: list[Line] = []
    seen: set[tuple[bool, str]] = set()
    for name in sorted(chosen):
        for said in held.get(chosen[name][1], ()):
            entry = _line(said, chosen[name][1])
            # patterns (e) and plain paths are two lists to systemd
            key = (entry.letter == "e", entry.path)
            if entry.letter in "dDeqQvCfF" and key in seen:
                continue
            seen.add(key)
            found.append(entry)
    return tuple(_with_ages(found))


def _line(said: str, file: str) -> Line:
    kind, path, age = [*said.split(" "), "", ""][:3]
    path = path.replace("\\x20", " ")
    for specifier, value in _SPECIFIERS.items():
        path = path.replace(specifier, value)
    # the rest (machine id, boot id …) are one word that this host knows
    path = re.sub(r"%[a-zA-Z]", "*", path)
    path = re.sub(r"//+", "/", path)
    path = path.rstrip("/") or path
    below = age.startswith("~")
    match = _BYPASS.fullmatch(age.lstrip("~"))
    by, span = (match[1] or "", match[2]) if match else ("", "")
    # capital letters are for folders: files then go by what is usual
    by = re.sub("[A-Z]", "", by) or "abcm"
    seconds = None if span in ("", "-") or kind[:1] not in _AGED else span_seconds(span, -1.0)
    # systemd itself leaves out a line whose age it cannot parse
    if seconds is not None and seconds < 0:
        seconds = None
    return Line(kind, path, seconds, by, below, f"{said} ({file})")


def _with_ages(lines: list[Line]) -> Iterator[Line]:
    """X without an age of its own is cleaned by that of the folder it lies in."""
    for line in lines:
        if line.letter == "X" and line.age is None:
            above = [
                x
                for x in lines
                if x.letter in "dDeqQvC" and line.path.startswith(x.path.rstrip("/") + "/")
            ]
            parent = max(above, key=lambda x: len(x.path), default=None)
            if parent is not None:
                line = replace(line, age=parent.age, by=parent.by)
        yield line


@dataclass(frozen=True, slots=True)
class Cleaned(Removal):
    """Below a folder of tmpfiles.d: files are spared that another line names, or lies above.

    `apart` are the paths and patterns of other lines; `itself` is whether the path goes too,
    `below` whether files directly in the folder stay.
    """

    apart: tuple[str, ...] = ()
    itself: bool = False
    below: bool = False

    def takes(self, path: str) -> bool:
        depth = self.folder.rstrip("/").count("/")
        parts = path.split("/")
        if _same("/".join(parts[: depth + 1]) or "/", self.folder):
            inside = len(parts) - 1 - depth
            if inside <= 0:
                return self.itself and inside == 0
            beneath = ["/".join(parts[:n]) for n in range(depth + 2, len(parts) + 1)]
            if any(_same(p, apart) for p in beneath for apart in self.apart):
                return False
            return not (self.below and inside == 1)
        return False


def _same(path: str, pattern: str) -> bool:
    """fnmatch(3) with FNM_PATHNAME: no `*` goes past a slash."""
    one, other = path.strip("/").split("/"), pattern.strip("/").split("/")
    return len(one) == len(other) and all(map(fnmatchcase, one, other))


def cleanings(capture: Capture) -> tuple[Removal, ...]:
    """What is removed by age, where something runs the cleaning, and what is removed at boot.

    Raises FactError where tmpfiles.d or the schedules could not be seen.
    """
    lines = tmpfiles(capture)
    if not lines:
        return ()
    jobs = [job for job in _schedules.jobs(capture) if job.enabled]
    job = next((j.name for j in jobs if j.name == _JOB), "") or next(
        (j.name for j in jobs if re.search(r"systemd-tmpfiles\b.*--clean", j.text)), ""
    )
    found = list(_by_age(lines, job)) if job else []
    systemd = capture.read("schedules.timers").text().strip() != "no systemd"
    return (*found, *(_at_boot(lines) if systemd else ()))


def _by_age(lines: Iterable[Line], job: str) -> Iterator[Removal]:
    # those for the boot alone are no lines to --clean
    lines = tuple(line for line in lines if "!" not in line.kind)
    for line in lines:
        if line.age is None:
            continue
        # X spares only the path itself, and so its content goes by the parent's line
        apart = tuple(x.path for x in lines if x is not line)
        # by the time of reading or of birth alone, what was written today can go today
        days = int(line.age // 86400) if set(line.by) & set("mc") else 0
        yield Cleaned(line.path, days, (), job, line.said, _READ, apart, False, line.below)


def _at_boot(lines: Iterable[Line]) -> Iterator[Removal]:
    for line in lines:
        if line.letter in "rR":
            yield Cleaned(line.path, 0, (), _BOOT_JOB, line.said, _READ, (), True)
            if line.letter == "R":
                yield Cleaned(line.path, 0, (), _BOOT_JOB, line.said, _READ)
        elif line.letter == "D":
            yield Cleaned(line.path, 0, (), _BOOT_JOB, line.said, _READ)
        elif line.letter == "F" or (line.letter == "f" and "+" in line.kind):
            yield Cleaned(line.path, 0, (), _BOOT_JOB, line.said, _READ, (), True)
