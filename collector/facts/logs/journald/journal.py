"""systemd-journald: its limits, how much it holds, its oldest and newest entry, its namespaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE
from collector.facts.base.sizes import systemd_size
from collector.facts.base.timestamps import EARLIEST
from collector.facts.logs.journald.config import PLACES, Setting, settings_of
from collector.facts.logs.journald.folders import Folder, Held, JournalFile, own
from collector.facts.logs.journald.values import GIB, LEVELS, MIB, STORAGE, level, span_seconds
from collector.facts.system.taken_up import LOOK, NOT_ASKED, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, Read, Text, files, shell

__all__ = ["READS", "Held", "JournalFile", "Journald", "Setting", "journald", "span_seconds"]

_ENDS = (".conf", ".conf.d/*.conf")
_HELD = "journald.held"

READS: tuple[Read, ...] = (
    files(
        "journald.config",
        *(f"{place}/journald{end}" for place in PLACES for end in (".conf", ".conf.d/*.conf")),
        *(
            f"{place}/journald@*{end}"
            for place in PLACES[:-1]
            for end in (".conf", ".conf.d/*.conf")
        ),
        redact=NO_WORD_OF_PEOPLE,
        why=Text("systemd 日志是否落盘、保留多久", "whether the journal is on disk, and how long"),
    ),
    shell(
        _HELD,
        OPENED
        + rf"""
for d in /var/log/journal /run/log/journal; do
  [ -d "$d" ] || continue
  printf 'dir=%s\n' "$d"
  o=$(find "$d" {ODD} ! -type d -prune 2>/dev/null)
  [ -z "$o" ] || {{ printf '%s\n' "$o"; continue; }}
  du -k "$d" 2>/dev/null | sed 's/^\([0-9]*\)[[:space:]]*\(.*\)/du=\1 \2/'
  command -v journalctl >/dev/null 2>&1 || continue
  TZ=UTC0 journalctl -q --no-pager -D "$d" --header 2>/dev/null | LC_ALL=C sed -n \
    -e 's/^File [Pp]ath: \(\/.*\)/file=\1/p' -e 's/^State: \(.*\)/state=\1/p' \
    -e 's/^Head [Rr]ealtime [Tt]imestamp: [A-Za-z]* \([-0-9]* [0-9:]*\).*/head=\1/p' \
    -e 's/^Tail [Rr]ealtime [Tt]imestamp: [A-Za-z]* \([-0-9]* [0-9:]*\).*/tail=\1/p'
done
t_d=; t_f=; t_u=systemd-journald.service
for d in {" ".join(PLACES)}; do
  for f in "$d"/journald.conf "$d"/journald.conf.d/*.conf; do
    [ -f "$f" ] && hp_plain "$f" && t_f=$t_f$f$hp_nl
  done
  [ ! -d "$d/journald.conf.d" ] || t_d=$t_d$d/journald.conf.d$hp_nl
done
for p in $(hp_started systemd-journal); do
  hp_system "$p" || continue
  p=/proc/$p
  # neither that of a container nor one of a namespace, which has a word behind its name
  [ "$p/root/etc" -ef /etc ] || continue
  case $(tr '\000' ' ' <"$p/cmdline" 2>/dev/null) in (*' '?*|'') continue;; esac
  t_p=${{p#/proc/}}
  printf 'daemon=%s\n' "$t_p"
  {LOOK.strip()} | sed 's/^/run=/'
done
[ -e /etc/systemd/journald.conf ] || journalctl --version 2>/dev/null \
  | sed -n '1s/^systemd \([0-9]*\).*/systemd=\1/p'
exit 0
""",
        seconds=20,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "systemd 日志的目录、大小与各文件最早、最晚一条的时间（不取内容）",
            "where the journal lies, its size, the first and last time of each file (no content)",
        ),
    ),
)

_DISK, _MEMORY = "/var/log/journal", "/run/log/journal"
_MONTH = 2629800.0


@dataclass(frozen=True, slots=True)
class Journald:
    """The configuration by setting name, and the folders that exist; `namespace` is its own name.

    `retention` and `file_span` are MaxRetentionSec (0: no limit) and MaxFileSec in seconds,
    `max_use`, `keep_free` and `max_file` the System… sizes in bytes, None where the default holds;
    `max_files` is SystemMaxFiles, 0 for no limit. `namespaces` are the other journals there are.
    All that is what is written: `taken` tells whether the one that runs has it.
    """

    present: bool
    settings: Mapping[str, Setting]
    held: tuple[Held, ...]
    storage: str = "auto"
    retention: float = 0.0
    file_span: float = _MONTH
    max_use: int | None = None
    keep_free: int | None = None
    max_file: int | None = None
    max_files: int = 100
    namespace: str = ""
    namespaces: tuple[Journald, ...] = field(default=())
    taken: Taken = NOT_ASKED

    def folder(self, path: str) -> Held | None:
        return next((h for h in self.held if h.path == path), None)

    def limit(self, size: int, available: int, used: int) -> int | None:
        """Bytes that it may take of a file system of `size` with so much `available`, itself
        having `used`; None where no limit is set (SystemMaxUse=0).

        By default a tenth of the file system, at most 4 GiB, and 15 % of it (at most 4 GiB) are
        left free; but never less than 2 % (at most 16 MiB), and never less than two files.
        """
        if self.max_use == 0:
            return None
        most = self.max_use or min(max(size // 10, MIB), 4 * GIB)
        most = max(most, 2 * self.file_bytes(most))
        keep = self.keep_free
        if keep is None:
            keep = min(max(size * 15 // 100, MIB), 4 * GIB)
        least = min(max(size * 2 // 100, MIB), 16 * MIB, most)
        return min(max(used + max(available - keep, 0), least), most)

    def file_bytes(self, most: int) -> int:
        """The size at which a file is full: SystemMaxFileSize, or an eighth of what it may use."""
        return self.max_file or min(most // 8, 128 * MIB)

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
    def shown_on_disk(self) -> bool:
        """Does it write to the disk: by what it has taken up, or by what it wrote there since?"""
        last = (self.folder(_DISK) or Held(_DISK, -1, None, None)).last
        return self.on_disk and self.taken.holds(last)

    @property
    def forwards(self) -> bool:
        """Does it hand messages on to a syslog daemon? Distributions differ in the default."""
        said = self.settings.get("ForwardToSyslog", Setting("")).value.lower()
        return not self.leaves_out("MaxLevelSyslog") and said not in (
            "no",
            "n",
            "false",
            "f",
            "off",
            "0",
        )

    def leaves_out(self, key: str) -> str:
        """The setting, as a line, by which messages of level info (logins are) go no further."""
        said = self.settings.get(key, Setting(""))
        least = level(said.value)
        if least is None or least >= LEVELS.index("info"):
            return ""
        return f"{key}={said.value} ({said.path})"

    @property
    def limits(self) -> tuple[str, ...]:
        """Its limits of rate as lines: beyond so many messages of one unit it drops the rest."""
        found = []
        for name, old, default in (
            ("RateLimitIntervalSec", "RateLimitInterval", "30s"),
            ("RateLimitBurst", "RateLimitBurst", "10000"),
        ):
            said = self.settings.get(name) or self.settings.get(old) or Setting("")
            where = said.path if said.value else "default"
            found.append(f"{name}={said.value or default} ({where})")
        return tuple(found)

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
        name = f"namespace {self.namespace}: " if self.namespace else ""
        return f"{name}Storage={self.storage} ({where}); {_DISK} {there}"

    @property
    def line_zh(self) -> str:
        """`line` for a Chinese reader."""
        where = self.settings.get("Storage", Setting("auto")).path or "默认"
        there = "存在" if self.folder(_DISK) else "不存在"
        if self.folder(_DISK) and self._elsewhere:
            there = f"存在，但最新的记录在 {_MEMORY}"
        name = f"命名空间 {self.namespace}：" if self.namespace else ""
        return f"{name}Storage={self.storage}（{where}）；{_DISK} {there}"


def journald(capture: Capture) -> Journald:
    """Raises FactError where its files cannot be read or say something that is not understood."""
    found = capture.read("journald.config").present()
    held, version = _held(capture)
    held = tuple(own(folder, capture.head.get("machine", "")) for folder in held)
    names = {m[1] for f in found if (m := re.search(r"/journald@([^/]+?)\.conf(?:\.d/|$)", f.path))}
    names |= {file.namespace for h in held for file in h.files if file.namespace}
    others = tuple(_one(found, held, version, name) for name in sorted(names))
    main = _one(found, held, version, "")
    return replace(main, present=bool(found), namespaces=others, taken=_taken(capture))


def _taken(capture: Capture) -> Taken:
    """Has the journald that runs what its files hold? Of several, the first is PID 1's own."""
    pairs = [line.partition("=") for line in capture.read(_HELD).text().splitlines()]
    pids = [value for key, _, value in pairs if key == "daemon"]
    return (
        taken_up([value for key, _, value in pairs if key == "run"], _number(pids[0]))
        if pids
        else NOT_ASKED
    )


def _one(
    found: Iterable[CapturedFile], held: tuple[Folder, ...], version: int | None, namespace: str
) -> Journald:
    settings = settings_of(found, f"journald@{namespace}" if namespace else "journald", version)

    def said(key: str) -> str:
        return settings.get(key, Setting("")).value

    storage = said("Storage") or "auto"
    files = said("SystemMaxFiles")
    return Journald(
        bool(settings),
        settings,
        tuple(h for h in (_of_namespace(h, namespace) for h in held) if h is not None),
        storage if storage in STORAGE else "auto",
        span_seconds(said("MaxRetentionSec"), 0.0),
        span_seconds(said("MaxFileSec"), _MONTH),
        systemd_size(said("SystemMaxUse")) if said("SystemMaxUse") else None,
        systemd_size(said("SystemKeepFree")) if said("SystemKeepFree") else None,
        systemd_size(said("SystemMaxFileSize")) if said("SystemMaxFileSize") else None,
        int(files) if files else 100,
        namespace,
    )


def _of_namespace(folder: Folder, namespace: str) -> Held | None:
    """The part of a folder that is one journal's; None where a namespace has nothing there."""
    if folder.held is not None:
        return None if namespace else folder.held
    files = tuple(f for f in folder.files if f.namespace == namespace)
    if namespace and not files:
        return None
    end = f".{namespace}" if namespace else ""
    inner = [
        n for p, n in folder.sizes.items() if re.fullmatch(r".*/[0-9a-f]{32}" + re.escape(end), p)
    ]
    size = sum(inner) if inner else folder.sizes.get(folder.path, -1)
    first = min((f.first for f in files if f.first), default=None)
    last = max((f.last for f in files if f.last), default=None)
    return Held(folder.path, size, first, last, files)


def _held(capture: Capture) -> tuple[tuple[Folder, ...], int | None]:
    """The folders that there are, and the version of systemd where it was asked for."""
    found: list[list[tuple[str, str]]] = []
    version = None
    for line in capture.read(_HELD).text().splitlines():
        key, separator, value = line.partition("=")
        if key in ("daemon", "run"):
            continue
        if not separator or (key not in ("dir", "systemd") and not found):
            raise NotUnderstood(_HELD, msg("not_line_read", line=line))
        if key == "systemd":
            version = _number(value)
        elif key == "dir":
            found.append([])
        if key != "systemd":
            found[-1].append((key, value))
    return tuple(_folder(pairs) for pairs in found), version


def _folder(pairs: list[tuple[str, str]]) -> Folder:
    path, old = pairs[0][1], dict(pairs)
    if "kib" in old or "first" in old:
        size = _number(old["kib"]) * 1024 if old.get("kib") else -1
        held = Held(path, size, _epoch(old.get("first", "")), _epoch(old.get("last", "")))
        return Folder(path, {}, (), held)
    sizes: dict[str, int] = {}
    files: list[JournalFile] = []
    for key, value in pairs[1:]:
        if key == "du":
            number, _, place = value.partition(" ")
            sizes[place] = _number(number) * 1024
        elif key == "file":
            files.append(JournalFile(value))
        elif not files:
            raise NotUnderstood(_HELD, msg("no_file", key=key, value=value))
        elif key == "state":
            files[-1] = replace(files[-1], state=value)
        elif key == "head":
            files[-1] = replace(files[-1], first=_when(value))
        elif key == "tail":
            files[-1] = replace(files[-1], last=_when(value))
        else:
            raise NotUnderstood(_HELD, msg("not_a_line_of_this_read", key=key, value=value))
    return Folder(path, sizes, tuple(files))


def _when(text: str) -> datetime | None:
    """A time of journalctl --header; None where the file was written with no clock set."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise NotUnderstood(_HELD, msg("not_a_time", text=text)) from None
    return found if found.year >= EARLIEST else None


def _epoch(text: str) -> datetime | None:
    """Microseconds since the epoch, as __REALTIME_TIMESTAMP of journalctl -o export."""
    return datetime.fromtimestamp(_number(text) // 1_000_000, UTC) if text else None


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,17}", text):
        raise NotUnderstood(_HELD, msg("not_number", text=text))
    return int(text)
