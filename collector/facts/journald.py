"""systemd-journald: its configuration in force, how much it holds, its oldest and newest entry.

Precedence as systemd.conf(5) has it: the first journald.conf of /etc, /run, /usr/local/lib,
/usr/lib, then every drop-in by file name, where the same name in /etc hides the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.model import Capture, CapturedFile, Read, ReadStatus, Text, files, shell

_PLACES = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")

READS: tuple[Read, ...] = (
    files(
        "journald.config",
        *(f"{place}/journald.conf" for place in (*_PLACES, "/lib/systemd")),
        *(f"{place}/journald.conf.d/*.conf" for place in (*_PLACES, "/lib/systemd")),
        why=Text("systemd 日志是否落盘、保留多久", "whether the journal is on disk, and how long"),
    ),
    shell(
        "journald.held",
        r"""
for d in /var/log/journal /run/log/journal; do
  [ -d "$d" ] || continue
  printf 'dir=%s\n' "$d"
  du -sk "$d" 2>/dev/null | sed 's/^\([0-9]*\).*/kib=\1/'
  command -v journalctl >/dev/null 2>&1 || continue
  journalctl -q --no-pager -D "$d" -o export 2>/dev/null \
    | sed -n '/^__REALTIME_TIMESTAMP=/{s/.*=/first=/p;q;}'
  journalctl -q --no-pager -D "$d" -o export -n 1 2>/dev/null \
    | sed -n '/^__REALTIME_TIMESTAMP=/{s/.*=/last=/p;q;}'
done
exit 0
""",
        seconds=20,
        limit=4096,
        privileged=True,
        why=Text(
            "systemd 日志的目录、大小与最早、最晚一条的时间（不取内容）",
            "where the journal lies, its size, the times of its first and last entry (no content)",
        ),
    ),
)

_SPANS = {
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
    **dict.fromkeys(("M", "month", "months"), 2629800.0),
    **dict.fromkeys(("y", "year", "years"), 31557600.0),
}
_DISK, _MEMORY = "/var/log/journal", "/run/log/journal"
_STORAGE = ("volatile", "persistent", "auto", "none")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and the file that it comes from; `path` is empty for a default."""

    value: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in one journal folder; `size` in bytes, -1 where du gave no answer."""

    path: str
    size: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Journald:
    """The configuration by setting name, and the folders that exist.

    `retention` and `file_span` are MaxRetentionSec (0: no limit) and MaxFileSec in seconds,
    `max_use` is SystemMaxUse in bytes, None where the default holds (10 % of the file system, at
    most 4 GiB).
    """

    present: bool
    settings: Mapping[str, Setting]
    held: tuple[Held, ...]
    storage: str = "auto"
    retention: float = 0.0
    file_span: float = 2629800.0
    max_use: int | None = None

    def folder(self, path: str) -> Held | None:
        return next((h for h in self.held if h.path == path), None)

    @property
    def on_disk(self) -> bool:
        """Does it write below /var/log/journal? `auto` does when that folder is there.

        What is set counts only once journald has taken it up: while newer entries lie in memory,
        or none lies on the disk, it has not.
        """
        if self.storage not in ("auto", "persistent"):
            return False
        return self.folder(_DISK) is not None and not self._elsewhere

    @property
    def forwards(self) -> bool:
        """Does it hand messages on to a syslog daemon? Distributions differ in the default."""
        said = self.settings.get("ForwardToSyslog", Setting("")).value.lower()
        return said not in ("no", "n", "false", "f", "off", "0")

    @property
    def _elsewhere(self) -> bool:
        disk, memory = self.folder(_DISK), self.folder(_MEMORY)
        if disk is None or memory is None or memory.last is None:
            return False
        return disk.last is None or memory.last > disk.last

    @property
    def line(self) -> str:
        """What decides whether it is kept, as one line of evidence."""
        said = self.settings.get("Storage", Setting("auto"))
        where = said.path or "default"
        there = "exists" if self.folder(_DISK) else "does not exist"
        if self.folder(_DISK) and self._elsewhere:
            there = f"exists, but the newest entries lie in {_MEMORY}"
        return f"Storage={self.storage} ({where}); {_DISK} {there}"


def journald(capture: Capture) -> Journald:
    """Raises FactError where its files cannot be read or say something that is not understood."""
    found = capture.read("journald.config").present()
    settings: dict[str, Setting] = {}
    for file in _in_force(found):
        for key, value in _journal_section(file.text("journald.config")):
            # an empty assignment goes back to the default (systemd.syntax(7))
            settings[key] = Setting(value, file.path)
    storage = settings.get("Storage", Setting("")).value.lower() or "auto"
    if storage not in _STORAGE:
        # journald itself ignores what it cannot parse, and keeps its default
        storage = "auto"
    max_use = settings.get("SystemMaxUse", Setting("")).value
    return Journald(
        bool(found),
        settings,
        _held(capture),
        storage,
        span_seconds(settings.get("MaxRetentionSec", Setting("")).value, 0.0),
        span_seconds(settings.get("MaxFileSec", Setting("")).value, 2629800.0),
        _bytes(max_use) if max_use else None,
    )


def _in_force(found: Iterable[CapturedFile]) -> list[CapturedFile]:
    """The files that count, in the order in which they are read."""
    rank = {place: n for n, place in enumerate((*_PLACES, "/lib/systemd"))}
    main: list[tuple[int, CapturedFile]] = []
    dropins: dict[str, tuple[int, CapturedFile]] = {}
    for file in found:
        folder, name = file.path.rsplit("/", 1)
        place = rank.get(folder.removesuffix("/journald.conf.d"))
        if place is None:
            continue
        if folder.endswith(".conf.d"):
            if name not in dropins or place < dropins[name][0]:
                dropins[name] = (place, file)
        else:
            main.append((place, file))
    first = [min(main, key=lambda pair: pair[0])[1]] if main else []
    ordered = [*first, *(dropins[name][1] for name in sorted(dropins))]
    # a link to /dev/null is no regular file: it stands for an empty one
    return [file for file in ordered if file.status is not ReadStatus.EXIT]


def _journal_section(text: str) -> list[tuple[str, str]]:
    pairs, section = [], ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line
        elif section == "[Journal]" and "=" in line:
            key, _, value = line.partition("=")
            pairs.append((key.strip(), value.strip().strip("\"'")))
    return pairs


def span_seconds(text: str, default: float) -> float:
    """Seconds of a systemd.time(7) span; the default where journald would not understand it."""
    if not text or text == "infinity":
        return 0.0 if text else default
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-zµμ]*)", text)
    if not parts or re.sub(r"[\d.\sA-Za-zµμ]", "", text) or any(u not in _SPANS for _, u in parts):
        return default
    return sum(float(number) * _SPANS[unit] for number, unit in parts)


def _bytes(text: str) -> int | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([BKMGTPE]?)B?", text)
    if not match:
        return None
    return int(float(match[1]) * (1 << 10 * "BKMGTPE".index(match[2] or "B")))


def _held(capture: Capture) -> tuple[Held, ...]:
    found: list[dict[str, str]] = []
    for line in capture.read("journald.held").text().splitlines():
        key, separator, value = line.partition("=")
        if not separator or (key != "dir" and not found):
            raise NotUnderstood("journald.held", f"not a line of this read: {line!r}")
        if key == "dir":
            found.append({})
        found[-1][key] = value
    return tuple(
        Held(
            entry["dir"],
            _kib(entry["kib"]) if entry.get("kib") else -1,
            _when(entry.get("first", "")),
            _when(entry.get("last", "")),
        )
        for entry in found
    )


def _when(text: str) -> datetime | None:
    """Microseconds since the epoch, as __REALTIME_TIMESTAMP of journalctl -o export."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,17}", text):
        raise NotUnderstood("journald.held", f"not a time in microseconds: {text!r}")
    return datetime.fromtimestamp(int(text) // 1_000_000, UTC)


def _kib(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,17}", text):
        raise NotUnderstood("journald.held", f"not a size of du -k: {text!r}")
    return int(text) * 1024
