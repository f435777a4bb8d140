"""What watches how the host runs, who gets what it sees, and how far its own history reaches.

Products are data (`catalogs/monitors.yml`). An agent proves itself by a connection with another
host, held by its process, or by several that just ended (TIME-WAIT, which has no owner) where it
listens.
History on the host is dated from inside: the header of sysstat's files (sa_ust_time in sa.h of
sysstat: format 0x2171 of 10.0 to 10.2, which EL 7 has, 0x2173 of 11.0 to 11.6, which Ubuntu 18.04
has, and 0x2175 of 11.7 and later), minTime of
Prometheus' blocks.
"""

from __future__ import annotations

import re
import shlex
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.base.intervals import address
from collector.facts.base.opened import OPENED
from collector.facts.network.listeners import READS as _SOCKET_READS
from collector.facts.network.listeners import sockets
from collector.facts.network.socket_owners import holders
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, of_the_host, processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell
from collector.resources import package_text
from collector.schema import load_own

_READ = "monitors.state"
_SADC = 0xD596
# where the time stands in the header, by the format
_FORMATS = {0x2171: 8, 0x2173: 76, 0x2175: 76}


@dataclass(frozen=True, slots=True)
class Monitor:
    """One product of the catalogue; the fields are those of the file, which explains them."""

    id: str
    name: Text
    how: str
    programs: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    servers: tuple[int, ...] = ()


def _load() -> tuple[Monitor, ...]:
    document: Mapping[str, Mapping[str, Any]] = load_own(
        package_text("catalogs/monitors.yml"), where="catalogs/monitors.yml"
    )
    return tuple(_monitor(id, entry) for id, entry in document.items())


def _monitor(id: str, entry: Mapping[str, Any]) -> Monitor:
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Monitor(id, Text(entry["name"]["zh"], entry["name"]["en"]), entry["how"], **lists)


MONITORS = _load()
_NAMES = sorted({name for m in MONITORS for name in m.names})
_PORTS = sorted({port for m in MONITORS for port in (*m.ports, *m.servers)})

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + rf"""
hit=$(hp_started {shlex.quote("|".join(n.replace(".", "[.]") for n in _NAMES))})
echo '== links'
if [ -n "$hit" ]; then
  if command -v ss >/dev/null 2>&1; then
    l=$(ss -Htanp 2>/dev/null) || l=$(ss -tanp) || echo 'no ss'
    w='"({"|".join(map(re.escape, _NAMES))})"|:({"|".join(map(str, _PORTS))}) '
    printf '%s\n' "$l" | grep -v '^LISTEN' | grep -E "$w" | head -n 200
  else echo 'no ss'; fi
fi
echo '== sysstat'
for f in /etc/sysstat/sysstat /etc/sysconfig/sysstat; do
  [ -f "$f" ] && hp_by "$f" cat | grep -E '^[[:space:]]*HISTORY=' | sed 's/[[:space:]]#.*//'
done
for d in /var/log/sysstat /var/log/sa; do
  set -- "$d"/sa[0-9]* "$d"/[0-9][0-9][0-9][0-9][0-9][0-9]/sa[0-9]*
  n=$#; for f do [ -f "$f" ] && hp_plain "$f" && set -- "$@" "$f"; done; shift "$n"
  c=0; long= ; last=
  for f do
    c=$((c + 1)); last=$f
    case "${{f##*/}}" in
      sa[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*) long="${{long:-$f}}"; late=$f;;
    esac
  done
  [ "$c" -gt 0 ] || continue
  printf '%s\n' "count=$c"
  if [ -n "$long" ]; then set -- "$long" "$late"
  else
    late=$(ls -tr "$@" 2>/dev/null | tail -n 1); long=$(ls -tr "$@" 2>/dev/null | head -n 1)
    set -- "$long" "$late"
  fi
  for f do
    case "$f" in
      *.xz) hp_by "$f" xz -dc;; *.gz) hp_by "$f" gzip -dc;; *.bz2) hp_by "$f" bzip2 -dc;;
      *) hp_by "$f" cat;;
    esac 2>/dev/null | head -c 96 | od -An -v -tx1 | tr -d ' \n' | sed 's/$/ /'
    printf '%s\n' "$f"
  done
done
echo '== prometheus'
case "$hit " in
  *' prometheus '*)
    w='"(min|max)Time": *[0-9]+'
    hp_split /var/lib/prometheus/metrics2/*/meta.json \
      /var/lib/prometheus/*/meta.json /var/lib/prometheus/data/*/meta.json \
      /data/prometheus/*/meta.json /opt/prometheus*/data/*/meta.json \
      /usr/local/prometheus*/data/*/meta.json
    {{
      hp_with "$h_ours" grep -hoE "$w"
      # they are many, and as a rule of one user: as whom the first is opened, so are they all
      if [ -n "$h_others" ]; then
        hp_line "${{h_others%%"$hp_nl"*}}"; hp_reach "$h_f"
        hp_with "$(printf '%s' "$h_others" | cut -f 2)$hp_nl" hp_do "$R" grep -hoE "$w" |
          grep -xE "$w"
      fi
    }} 2>/dev/null | head -n 4000;;
esac
echo '== end'
""",
        seconds=15,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "运行状态监测代理的连接，本机历史数据的起止时间",
            "connections of monitoring agents, and how far history on this host reaches",
        ),
    ),
    *_PROCESS_READS,
    *_SOCKET_READS,
)

_LINK = re.compile(r"^([A-Z0-9-]+)\s+\d+\s+\d+\s+(\S+):(\d+)\s+(\S+):(\d+)\s*(users:\(.*)?$")
_UP = ("ESTAB", "TIME-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK", "CLOSING")


@dataclass(frozen=True, slots=True)
class Agent:
    """A product that runs; `links` are lines of ss that show it in touch with another host."""

    monitor: Monitor
    processes: tuple[Process, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What one program keeps on the host: first and last time inside, how many days' files.

    `kept` is the number of days it is set to keep, None where it does not say.
    """

    by: str
    first: datetime
    last: datetime
    count: int
    kept: int | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Monitoring:
    """All of it. `unseen` are processes called like a product whose program was not to be seen;

    `problem` is what was not understood of a history.
    """

    agents: tuple[Agent, ...]
    histories: tuple[History, ...]
    unseen: tuple[str, ...]
    problem: FactError | None


def monitoring(capture: Capture) -> Monitoring:
    """Raises FactError when processes, sockets or histories could not be looked at."""
    run = processes(capture)
    parts = _parts(capture.read(_READ).text())
    agents = []
    for monitor in MONITORS:
        pids = {p.pid for p in run.running(*monitor.programs)}
        those = [p for p in run.all if p.pid in pids or _under(p, monitor)]
        own = [p for p in those if not p.login and (not p.uid or p.service or p.container)]
        own = [p for p in own if p.container and not p.foreign] + [
            *of_the_host(p for p in own if not p.container or p.foreign)
        ]
        if own:
            agents.append(Agent(monitor, tuple(own), _links(capture, own, parts["links"])))
    names = {n for m in MONITORS for n in m.names if n != "agent"}
    unseen = tuple(p.line for p in run.all if p.exe is None and p.name in names)
    if not run.complete and not agents:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
    histories, problem = [], None
    for parse, name in ((_sysstat, "sysstat"), (_prometheus, "prometheus")):
        try:
            history = parse(parts[name])
        except FactError as raised:
            problem = raised
        else:
            histories += [history] if history else []
    return Monitoring(tuple(agents), tuple(histories), unseen, problem)


def _under(process: Process, monitor: Monitor) -> bool:
    return any((process.exe or "").startswith(f"{folder}/") for folder in monitor.under)


def _parts(text: str) -> dict[str, list[str]]:
    if not text.endswith("== end\n"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines()[:-1]:
        if line.startswith("== "):
            lines = parts.setdefault(line[3:], [])
        elif line.strip():
            lines.append(line)
    if set(parts) != {"links", "sysstat", "prometheus"}:
        raise NotUnderstood(_READ, msg("its_parts_are", sorted=sorted(parts)))
    return parts


def _links(capture: Capture, own: list[Process], lines: list[str]) -> tuple[str, ...]:
    if "no ss" in lines:
        raise CouldNotLook(_READ, msg("no_ss_here_not"))
    pids = {p.pid for p in own}
    # nobody else can use the port of a socket that listens; to a server's port anyone connects
    asked = {s.port for s in sockets(capture) if s.pid in pids and s.proto == "tcp"}
    mine_too = {a.partition("/")[0] for a in capture.head.get("address", "").split()}
    found: list[str] = []
    ended: dict[str, list[str]] = {}
    for line in lines:
        match = _LINK.match(line)
        if match is None:
            if line.startswith("State"):
                continue
            raise NotUnderstood(_READ, msg("not_line_ss", row=line))
        state, local, here, peer, _, users = match.groups()
        own_address = peer.strip("[]") in mine_too or peer == local
        if state not in _UP or own_address or not _elsewhere(peer, line):
            continue
        mine = pids & {pid for _, pid in holders(users or "")}
        if mine:
            found.append(line.strip())
        elif not users and int(here) in asked:
            ended.setdefault(peer, []).append(line.strip())
    # who watches asks again and again; one that came once may have tried the port
    again = [line for those in ended.values() if len(those) > 1 for line in those]
    return (*found, *again)


def _elsewhere(peer: str, line: str) -> bool:
    try:
        family, number = address(peer.strip("[]").partition("%")[0])
    except ValueError:
        raise NotUnderstood(_READ, msg("no_address", line=line)) from None
    if family == 6 and number >> 32 == 0xFFFF:
        family, number = 4, number & 0xFFFFFFFF
    return number >> 24 != 127 if family == 4 else number != 1


def _sysstat(lines: list[str]) -> History | None:
    times: list[datetime] = []
    count, kept, shown = 0, None, []
    for line in lines:
        if match := re.fullmatch(r"\s*HISTORY=[\"']?(\d{1,6})[\"']?\s*(?:#.*)?", line):
            kept = int(match[1])
        elif match := re.fullmatch(r"count=(\d{1,6})", line):
            count += int(match[1])
        elif match := re.fullmatch(r"([0-9a-f]*) (/.*)", line):
            times.append(_header(bytes.fromhex(match[1][: len(match[1]) & ~1]), match[2]))
            shown.append(f"{times[-1]:%Y-%m-%d %H:%M} UTC {match[2]}")
        elif not re.match(r"\s*HISTORY=", line):
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    if not times:
        return None
    return History("sysstat", min(times), max(times), count, kept, tuple(dict.fromkeys(shown)))


def _header(data: bytes, path: str) -> datetime:
    """sa_ust_time: 8 bytes behind struct file_magic, whose size differs by format."""
    if len(data) < 84:
        raise NotUnderstood(_READ, msg("too_short_file_sadc", path=path))
    for order in "<>":
        magic, form = struct.unpack_from(f"{order}HH", data)
        if magic == _SADC:
            if form not in _FORMATS:
                raise NotUnderstood(_READ, msg("sadc_s_format_not", path=path, form=form))
            (seconds,) = struct.unpack_from(f"{order}Q", data, _FORMATS[form])
            if 1 << 30 < seconds < 1 << 33:
                return datetime.fromtimestamp(seconds, UTC)
    raise NotUnderstood(_READ, msg("not_file_sadc", path=path))


def _prometheus(lines: list[str]) -> History | None:
    """Blocks of a TSDB: times in milliseconds."""
    times: dict[str, list[int]] = {"min": [], "max": []}
    for line in lines:
        match = re.fullmatch(r'"(min|max)Time": *(\d{12,14})', line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_understood", line=line))
        times[match[1]].append(int(match[2]))
    if not times["min"] or not times["max"]:
        return None
    first = datetime.fromtimestamp(min(times["min"]) / 1000, UTC)
    last = datetime.fromtimestamp(max(times["max"]) / 1000, UTC)
    said = (f"minTime {first:%Y-%m-%d}", f"maxTime {last:%Y-%m-%d}")
    return History("Prometheus", first, last, 0, None, said)
