"""How ClamAV is set up: what clamd leaves out, and what clamonacc really blocks.

clamd.conf(5), clamonacc(8). What the settings say and what the kernel was told are two things:
the marks of a fanotify group stand in /proc/PID/fdinfo (proc(5)), and only one whose mask holds a
permission event (fanotify_mark(2)) can refuse a file. With OnAccessMountPath clamonacc 1.4 asks
for no such event, whatever OnAccessPrevention says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.system.processes import Process, Processes, of_the_host
from collector.facts.system.taken_up import LOOK, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

# Of what its arguments name, and of the lists in them, what is a path.
_ONLY_PATHS = r"""s#^\(config\) [^/].*#\1 ***#
s#^\(--[a-z]*-list\) [^/].*#\1 ***#"""

READS: tuple[Read, ...] = (
    shell(
        "clamav.state",
        OPENED
        + r"""
t_c=
w='OnAccess[A-Za-z]*|ExcludePath|CrossFilesystems|LogFile|TemporaryDirectory'
w="$w|Scan[A-Za-z0-9]*|MaxFileSize|MaxScanSize|MaxDirectoryRecursion"
for f in /etc/clamav/clamd.conf /etc/clamd.d/*.conf /etc/clamd.conf /usr/local/etc/clamd.conf; do
  [ -f "$f" ] && hp_plain "$f" || continue
  printf '== conf %s\n' "$f"
  t_c=$t_c$f$hp_nl
  hp_can "$f" || echo '== refused'
  echo '#limits asked'; echo '#temporary asked'
  hp_by "$f" cat | grep -E "^[[:space:]]*($w)[[:space:]]" | sed 's/[[:space:]]#.*//'
  for d in $(hp_by "$f" sed -n 's/^[[:space:]]*OnAccess[IM][a-z]*Path[[:space:]]\{1,\}//p'); do
    d=${d#\"}; d=${d%\"}
    [ -d "$d" ] && printf '== folder %s\n' "$d"
  done
done
for p in $(hp_started 'clamonacc|clamd'); do
  p=/proc/$p; n=; { read -r n <"$p/comm"; } 2>/dev/null
  case "$n" in clamonacc) k=onaccess;; clamd) k=scanner;; *) continue;; esac
  printf '== %s %s\n' "$k" "${p#/proc/}"
  [ $k = onaccess ] &&
    cat "$p"/fdinfo/* 2>/dev/null | sed -n -e 's/^fanotify flags:.*/group/p' \
      -e 's/^fanotify ino:.* mask:\([0-9a-f]*\) .*/inode \1/p' \
      -e 's/^fanotify mnt_id:.* mask:\([0-9a-f]*\) .*/mount \1/p' \
      -e 's/^fanotify sdev:.* mask:\([0-9a-f]*\) .*/mount \1/p' | sort | uniq -c
  b=
  [ $k = scanner ] || tr '\000' '\n' <"$p/cmdline" |
    awk '/^--(fd|stre)/ { o = 1 } END { print "opens " (o ? "itself" : "by clamd") }'
  hp_owner "${p#/proc/}"; NAMER=$W
  tr '\000' '\n' <"$p/cmdline" | while IFS= read -r a; do
    case "$b $a" in
      *' --config-file='*) printf 'config %s\n' "${a#*=}"; continue;;
      '-c '*|'--config-file '*) printf 'config %s\n' "$a"; b=; continue;;
      *' --watch-list='*) k=--watch-list; v=${a#*=};;
      *' --exclude-list='*) k=--exclude-list; v=${a#*=};;
      '-W '*|'-w '*|'--watch-list '*) k=--watch-list; v=$a;;
      '-e '*|'--exclude-list '*) k=--exclude-list; v=$a;;
      *) b=$a; continue;;
    esac
    b=$a
    [ -f "$v" ] && hp_by "$v" cat | sed "s/^/$k /"
  done
  NAMER=
  t_p=${p#/proc/}; t_d=; t_u='clamav-daemon.service clamd@scan.service'
  t_f=$t_c$(tr '\000' '\n' <"$p/cmdline" |
    sed -n -e 's/^--watch-list=\//\//p' -e 's/^--exclude-list=\//\//p')$hp_nl
  """
        + LOOK.strip()
        + r""" | sed 's/^/run /'
done
t=; for f in clamscan clamdscan; do command -v $f >/dev/null 2>&1 && t=1; done
for f in /opt/*/bin/clam*scan /usr/local/*/bin/clam*scan; do [ -x "$f" ] && t=1; done
IFS=$hp_nl
more=; [ -n "$t" ] && more=$(hp_names '.*clamd\{0,1\}scan.*' $(
  find /etc/crontab /etc/cron.d /etc/cron.daily /etc/cron.weekly /etc/cron.monthly \
    /var/spool/cron /etc/crontabs /etc/systemd/system /usr/local/sbin /usr/local/bin /root /opt \
    -maxdepth 2 """
        + ODD
        + r""" -type f -size -64k -print 2>/dev/null | hp_sieve) |
  sed -n "s#\($hp_tab\).*\(--log[= ]\|-l  *\|>  *\|>\)[\"]*\(/[A-Za-z0-9_./-]*\).*#\1\3#p" |
  sort -u | head -n 16)
all=$hp_nl
k='(Known viruses|Scanned (directories|files)|Infected files|Total errors|Not (removed|moved))'
k="^($k|Engine version|Data (scanned|read)|Time|Start Date|End Date): [A-Za-z0-9.:()+~ -]*\$"
k="$k|^----------- SCAN SUMMARY -----------\$|^ERROR: (Communication error|Could not connect)"
# a socket, a device, a file that went away: errors that hide nothing
e='^(WARNING: )?/.*: Not supported file type([.] ERROR)?$'
e="$e|^WARNING: Can.t open file /.*: No such file or directory\$"
[ -n "$t" ] && for f in /var/log/clamav/* /var/log/clam*.log /var/log/*scan*.log $more; do
  NAMER=; case "$f" in *"$hp_tab"*) hp_line "$f"; f=$h_f;; esac
  # what root has written to a place of a user's is that user's to write
  hp_writer "$f"; [ -z "$V" ] || continue
  case "$all" in *"$hp_nl$f$hp_nl"*) continue;; esac
  case "$f" in */clamd.log|*/clamav.log|*/freshclam.log|*/clamonacc.log|*.gz) continue;; esac
  [ -f "$f" ] && hp_plain "$f" || continue
  all="$all$f$hp_nl"
  printf '== log %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  if hp_can "$f"; then
    echo '#in order'
    # every line has its place: a name of several lines may hold a summary
    hp_by "$f" tail -c 262144 | LC_ALL=C awk -v k="$k" -v e="$e" '
      /^[ \t]*$/ { next }
      $0 ~ k { if (h) print "#harmless " h; u = h = 0; print; next }
      $0 ~ e { h++ }
      !u { u = 1; print "?" }' | tail -n 60
  else echo '== refused'; fi
done
NAMER=
f=/opt/LinuxKPC/ini/apsc_client_ui.ini
[ -f "$f" ] && { printf '== antiy %s\n' "$f"; hp_by "$f" cat |
  grep -aoE '[0-9]+' | grep -xE '(1[6-9]|2[0-9])[0-9]{8}' | head -n 20; }
echo '== end'
""",
        seconds=20,
        limit=1 << 17,
        redact=_ONLY_PATHS,
        privileged=True,
        why=Text(
            "ClamAV 的排除项、实时监控在内核中的标记、查杀日志的结束标记（含安天最近查杀时间）",
            "what ClamAV leaves out and really watches, the end marks of scans (and of Antiy's)",
        ),
    ),
)

# FAN_OPEN_PERM, FAN_ACCESS_PERM and FAN_OPEN_EXEC_PERM of fanotify_mark(2)
_PERMISSION = 0x10000 | 0x20000 | 0x40000
# clamd.conf(5): yes by default; 100 MB, 400 MB, 15 folders deep, and 5 MB on access
_LOOKS = ("ScanPE", "ScanELF", "ScanOLE2", "ScanPDF", "ScanHTML", "ScanArchive")
_LEAST = {"MaxFileSize": 5 << 20, "MaxScanSize": 5 << 20, "MaxDirectoryRecursion": 15,
          "OnAccessMaxFileSize": 1 << 20}  # fmt: skip
_KINDS = "conf|onaccess|scanner|log|antiy"
_FIRST = ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf")


@dataclass(frozen=True, slots=True)
class Settings:
    """One clamd.conf: the settings read of it, each with all its values; `folders` that exist."""

    path: str
    values: Mapping[str, tuple[str, ...]]
    folders: tuple[str, ...]

    def on(self, name: str) -> bool:
        return self.values.get(name, ("no",))[-1].lower() in ("yes", "true", "1")

    @property
    def asked(self) -> bool:
        """Were its limits, and what it does not look into, asked for as well?"""
        return "#limits" in self.values

    @property
    def temporary(self) -> str | None:
        """Where clamd unpacks, which clamonacc does not watch; None where that was not asked for.

        onas_ddd_th() of clamonacc compares the paths letter by letter.
        """
        told = self.values.get("TemporaryDirectory", ())
        if told or "#temporary" in self.values:
            return told[0] if told else "/tmp"  # noqa: S108
        return None

    @property
    def weak(self) -> tuple[str, ...]:
        """Settings by which programs or archives are not looked into, or small ones alone."""
        found = [f"{name} no" for name in _LOOKS if name in self.values and not self.on(name)]
        for name, least in _LEAST.items():
            told = self.values.get(name, ("",))[-1]
            match = re.fullmatch(r"(\d{1,12})([kKmM]?)", told)
            size = (
                int(match[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20}[match[2].lower()]
                if match
                else 0
            )
            # 0 stands for no limit
            if 0 < size < least:
                found.append(f"{name} {told}")
        return tuple(found)

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())


@dataclass(frozen=True, slots=True)
class OnAccess:
    """One running clamonacc, by the kernel's marks: how many there are, how many can refuse.

    `marks` is None where the kernel did not show its group. `opens`: does it open files for clamd
    (--fdpass, --stream)? None where that was not asked for.
    """

    pid: int
    marks: int | None
    refusing: int
    watched: tuple[str, ...]
    excluded: tuple[str, ...]
    opens: bool | None = None


@dataclass(frozen=True, slots=True)
class Clamav:
    """Settings by path of their file, every clamonacc by its pid.

    `named` holds, for each clamd and clamonacc by its pid, the file its command line names, or
    nothing; `runs` the lines that tell since when it runs, and when its files were written.
    """

    settings: Mapping[str, Settings]
    onaccess: Mapping[int, OnAccess]
    named: Mapping[int, str]
    runs: Mapping[int, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    read: str = field(default="clamav.state")

    def of(self, process: Process) -> Settings | None:
        """The settings a clamd or clamonacc was started with; None when no file is there.

        Raises FactError when it names one that was not read, or was not seen itself.
        """
        if process.pid not in self.named:
            raise CouldNotLook(self.read, msg("command_line", name=process.name, pid=process.pid))
        named = self.named[process.pid]
        if named:
            if named not in self.settings:
                raise NotUnderstood(self.read, msg("uses_not_read", name=process.name, named=named))
            return self.settings[named]
        known = [self.settings[path] for path in _FIRST if path in self.settings]
        known += [s for path, s in self.settings.items() if path not in _FIRST]
        return known[0] if known else None

    def taken(self, process: Process) -> Taken:
        """Has it the settings as they are written? Neither reads them again before it ends.

        (SIGUSR2 and RELOAD make clamd(8) load its signatures anew, SIGHUP opens its log.)
        """
        settings = self.of(process)
        others = self.settings.keys() - ({settings.path} if settings else set())
        lines = [
            line
            for line in self.runs.get(process.pid, ())
            if not (line.startswith("file ") and line.split(" ", 4)[-1] in others)
        ]
        return taken_up(lines, process.pid, reloads=False)

    def scanners(self, run: Processes) -> tuple[Process, ...]:
        """The clamd processes that run."""
        return scanners(run)

    def watchers(self, run: Processes) -> tuple[Process, ...]:
        """The clamonacc processes that run."""
        return _named(run, "clamonacc")


def scanners(run: Processes) -> tuple[Process, ...]:
    """The clamd processes that run."""
    return _named(run, "clamd")


def _named(run: Processes, name: str) -> tuple[Process, ...]:
    paths = [f"{folder}/{name}" for folder in ("/usr/sbin", "/usr/bin", "/usr/local/sbin",
                                               "/usr/local/bin")]  # fmt: skip
    found = run.running(*paths)
    # where the kernel does not show the program, the path that it was started by
    more = [p for p in run.all if p.exe is None and p.cmdline.split(" ", 1)[0] in paths]
    own = of_the_host(p for p in found if not p.container and not p.login)
    return (*own, *(p for p in more if not p.container and not p.login))


def clamav(capture: Capture) -> Clamav:
    """Raises FactError when a file of settings could not be read or a line is not understood."""
    settings: dict[str, Settings] = {}
    onaccess: dict[int, OnAccess] = {}
    named: dict[int, str] = {}
    runs: dict[int, tuple[str, ...]] = {}
    for kind, name, lines in state_sections(capture):
        if kind == "conf":
            settings[name] = _settings(name, lines)
        elif kind in ("onaccess", "scanner"):
            if not re.fullmatch(r"[0-9]{1,9}", name):
                raise NotUnderstood("clamav.state", msg("no_process", name=name))
            told = [x.removeprefix("config ") for x in lines if x.startswith("config ")]
            named[int(name)] = told[-1] if told else ""
            runs[int(name)] = tuple(x.removeprefix("run ") for x in lines if x[:4] == "run ")
            if kind == "onaccess":
                onaccess[int(name)] = _onaccess(int(name), lines)
    return Clamav(settings, onaccess, named, runs)


def state_sections(capture: Capture) -> Iterator[tuple[str, str, list[str]]]:
    """The parts of the read: kind, what follows it, its lines.

    A kind is conf, onaccess, scanner, log or antiy. Raises FactError when the read is cut off.
    """
    text = capture.read("clamav.state").text()
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood("clamav.state", msg("ends_before_end"))
    if odd := re.search(rf"^== (?!(?:{_KINDS}|folder) |refused$|end$).*", text, re.MULTILINE):
        raise NotUnderstood("clamav.state", msg("head_no_form", line=odd[0]))
    for block in re.split(
        r"^(?=== (?:conf|onaccess|scanner|log|antiy) )", text, flags=re.MULTILINE
    ):
        head, _, body = block.partition("\n")
        if match := re.fullmatch(rf"== ({_KINDS}) (.*)", head):
            yield match[1], match[2], [x for x in body.splitlines() if x.strip() and x != "== end"]


def _settings(path: str, lines: list[str]) -> Settings:
    values: dict[str, list[str]] = {}
    folders = []
    for line in lines:
        if line.startswith("== folder "):
            folders.append(line.removeprefix("== folder ").rstrip("/") or "/")
        elif line == "== refused":
            raise NotUnderstood("clamav.state", msg("could_not_read", path=path))
        else:
            name, *value = line.split(maxsplit=1)
            # clamd.conf(5): a value with blanks stands in quotation marks
            words = "".join(value).strip().strip('"')
            values.setdefault(name, []).append(words)
    return Settings(path, {name: tuple(told) for name, told in values.items()}, tuple(folders))


def _onaccess(pid: int, lines: list[str]) -> OnAccess:
    group, marks, refusing = False, 0, 0
    lists: dict[str, list[str]] = {"--watch-list": [], "--exclude-list": []}
    for line in lines:
        if match := re.fullmatch(r"\s*(\d{1,9}) (?:inode|mount) ([0-9a-f]{1,16})", line):
            marks += int(match[1])
            refusing += int(match[1]) if int(match[2], 16) & _PERMISSION else 0
        elif re.fullmatch(r"\s*\d+ group", line):
            group = True
        elif match := re.fullmatch(r"(--watch-list|--exclude-list) (.*)", line):
            lists[match[1]].append(match[2].strip())
        elif not line.startswith(("config ", "run ", "opens ")):
            raise NotUnderstood("clamav.state", msg("not_understood", line=line))
    return OnAccess(
        pid, marks if group else None, refusing,
        tuple(lists["--watch-list"]), tuple(lists["--exclude-list"]),
        "opens itself" in lines if {"opens itself", "opens by clamd"} & {*lines} else None,
    )  # fmt: skip
