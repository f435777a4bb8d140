"""Does what is sent arrive: connections of what ships logs, as the kernel counts them.

ss(8) -i tells for each connection when data was last sent and last acknowledged by the other
side, and how many bytes are acknowledged: no program can feign that. Beside it settings of log
agents, and when systemd-journal-upload last got something away (its state file).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.intervals import address
from collector.facts.base.opened import OPENED
from collector.facts.logs.forwarding.agents import AGENTS, OTHERS, RELAYS
from collector.facts.logs.forwarding.shown_settings import redaction
from collector.facts.network.socket_owners import holders
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "log_shipping.state"
_SHIPPING = ("rsyslogd", "syslog-ng", *(n for a in AGENTS for n in a.names))
_NAMES = "|".join(dict.fromkeys([*_SHIPPING, *RELAYS, *OTHERS]))
_FILES = " ".join(f for a in AGENTS for f in a.files)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
w='@NAMES@'
set --
for f in @FILES@; do hp_can "$f" && set -- "$@" "$f"; done
hp_split "$@"
a='BEGIN { n = ENVIRON["HP_NAME"] }
  FNR == 1 { print "== file " (n != "" ? n : FILENAME) }
  FNR == 3000 { print "== more" }
  FNR < 3000 { sub(/\r$/, "") }
  FNR < 3000 && !/^[ \t]*(#|\/\/|;|$)/ { print "|" $0 }'
his() { hp_line "$1"; f=$h_f; hp_by "$f" cat | HP_NAME=$f awk "$a"; }
hp_with "$h_ours" awk "$a"
hp_each "$h_others" his
for f in /var/lib/systemd/journal-upload/state /var/lib/private/systemd/journal-upload/state; do
  [ -f "$f" ] && stat -c '== uploaded %Y %n' "$f" && break
done
k=
for p in $(hp_started "$w"); do
  p=/proc/$p; i=; n=; read -r n <"$p/comm"
  # journald itself goes by the same name, which the kernel cuts
  [ "$n" != systemd-journal ] || grep -qa journal-upload "$p/cmdline" || continue
  [ "$p/root/etc" -ef /etc ] || i=' inside'
  [ -n "$i" ] || hp_system "${p#/proc/}" || continue
  printf '== process %s %s%s\n' "${p#/proc/}" "$n" "$i"
  k=1
done
if [ -n "$k" ]; then
  if command -v ss >/dev/null 2>&1; then
    # where the module is not loaded yet, asking the kernel would load it; ss can read /proc instead
    if [ -r /proc/modules ]; then
      m=/lib/modules/$(uname -r)/modules.builtin
      [ ! -r "$m" ] || grep -q '^tcp_diag ' /proc/modules || grep -q '/tcp_diag\.ko' "$m" || {
        PROC_ROOT=/proc; export PROC_ROOT
      }
    fi
    echo '== links'
    ss -tnpi state established 2>/dev/null |
      awk -v w="\"($w)\"" '/^[^ \t]/ { k = $0 ~ w } k { print "|" $0 }' | head -n 400
  else echo '== no ss'; fi
fi
echo '== end'
exit 0
""".replace("@NAMES@", _NAMES).replace("@FILES@", _FILES),
        seconds=20,
        limit=1 << 19,
        redact=redaction(),
        privileged=True,
        why=Text(
            "日志转发程序的配置、进程与连接（内核记录的最近发送、最近确认时间）",
            "settings, processes and connections of what ships logs (when the kernel last sent "
            "something, and when the other side last acknowledged)",
        ),
    ),
    *_PROCESS_READS,
)

_HEAD = re.compile(r"^(\d+)\s+(\d+)\s+(\S+):(\d+)\s+(\S+):(\d+)\s+(users:\(.*)$")


@dataclass(frozen=True, slots=True)
class Link:
    """One established connection. Addresses are (family, number) pairs with a port.

    `sent` and `answered` are seconds since the kernel last sent data and last had an answer,
    `through` the bytes that the other side acknowledged; each None where ss does not tell.
    `waiting` is what lies unacknowledged.
    """

    pids: tuple[int, ...]
    local: tuple[int, int, int]
    peer: tuple[int, int, int]
    line: str
    waiting: int = 0
    sent: float | None = None
    answered: float | None = None
    through: int | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """A process that may ship logs; `inside`: it belongs to a container.

    `own`: it is the system's; None: it came or went while processes were looked at.
    """

    pid: int
    name: str
    inside: bool
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """`seen` is False where processes run whose connections could not be listed."""

    senders: tuple[Sender, ...]
    links: tuple[Link, ...]
    seen: bool
    files: Mapping[str, str]
    uploaded: datetime | None = None

    def pids(self, *names: str) -> set[int]:
        """Processes of that name that are this host's own, and no user's."""
        return {s.pid for s in self.senders if s.name in names and s.own and not s.inside}

    def inside(self, *names: str) -> bool:
        """Does one of that name run in a container only?"""
        return any(s.name in names and s.inside for s in self.senders) and not self.pids(*names)

    def unsure(self, *names: str) -> bool:
        """Does something by that name run of which it was not seen whose it is?"""
        return any(s.name in names and s.own is None and not s.inside for s in self.senders)

    def held(self, pids: set[int]) -> tuple[Link, ...]:
        return tuple(x for x in self.links if pids & set(x.pids))


def log_links(capture: Capture) -> Links:
    """Raises FactError when the host did not let us see, or ss printed something new."""
    text = capture.read(_READ).text()
    lines = text.splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(_READ, msg("ends_before_end"))
    senders: list[Sender] = []
    files: dict[str, str] = {}
    links: tuple[Link, ...] = ()
    uploaded: datetime | None = None
    seen = None
    for words, body in _parts(lines[:-1]):
        if words[0] == "file" and len(words) > 1:
            files[" ".join(words[1:])] = "\n".join(body)
        elif words[0] == "process" and len(words) in (3, 4) and words[1].isdecimal():
            senders.append(Sender(int(words[1]), words[2], words[-1] == "inside"))
        elif words[0] == "uploaded" and re.fullmatch(r"[0-9]{1,11}", words[1]):
            uploaded = datetime.fromtimestamp(int(words[1]), UTC)
        elif words == ["links"]:
            links, seen = tuple(_links(body)), True
        elif words == ["more"]:
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        elif words == ["no", "ss"]:
            seen = False
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=" ".join(words)))
    if senders and seen is None:
        raise CouldNotLook(_READ, msg("connections_missing"))
    known = tuple(_told_apart(capture, senders)) if senders else ()
    return Links(known, links, seen is not False, files, uploaded)


def _told_apart(capture: Capture, senders: list[Sender]) -> Iterator[Sender]:
    run = processes(capture)
    own = {p.pid for p in run.of_the_system(*_SHIPPING)}
    seen = {p.pid for p in run.all}
    for one in senders:
        yield replace(one, own=one.pid in own if one.pid in seen else None)


def _parts(lines: list[str]) -> list[tuple[list[str], list[str]]]:
    parts: list[tuple[list[str], list[str]]] = []
    for line in lines:
        if line.startswith("== ") and line[3:].split():
            parts.append((line[3:].split(), []))
        elif parts and line.startswith("|"):
            parts[-1][1].append(line[1:])
        elif line.strip():
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    return parts


def _links(lines: list[str]) -> Iterator[Link]:
    """A connection is one line, and what -i tells of it stands on an indented one below."""
    rows: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and rows:
            rows[-1].append(line.strip())
        else:
            rows.append([line])
    for row in map(" ".join, rows):
        match = _HEAD.match(row)
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_ss", row=row[:200]))
        told = dict(re.findall(r"\b(lastsnd|lastrcv|lastack|bytes_acked):(\d{1,18})", row))
        yield Link(
            tuple(pid for _, pid in holders(match[7])),
            _end(match[3], match[4], row),
            _end(match[5], match[6], row),
            row[:400],
            int(match[2]),
            _milliseconds(told.get("lastsnd")),
            _milliseconds(told.get("lastack")),
            int(told["bytes_acked"]) if "bytes_acked" in told else None,
        )


def _end(place: str, port: str, line: str) -> tuple[int, int, int]:
    try:
        family, number = address(place.strip("[]").replace("]", "").partition("%")[0])
    except ValueError:
        raise NotUnderstood(_READ, msg("no_address", line=line[:200])) from None
    if family == 6 and number >> 32 == 0xFFFF:
        family, number = 4, number & 0xFFFFFFFF
    return family, number, int(port)


def _milliseconds(text: str | None) -> float | None:
    return None if text is None else int(text) / 1000
