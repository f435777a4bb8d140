"""What listens: ss(8) with the process behind each socket, or /proc/net where there is no ss."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.intervals import address, show
from collector.facts.network.socket_owners import holders
from collector.facts.network.socket_units import STARTED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READS: tuple[Read, ...] = (
    shell(
        "sockets.listening",
        r"""
b=; [ -r /proc/sys/net/ipv6/bindv6only ] && read -r b </proc/sys/net/ipv6/bindv6only
printf '%s\n' "bindv6only=$b"
# where the modules are not loaded yet, asking the kernel would load them; ss can read /proc instead
if [ -r /proc/modules ]; then
  m=/lib/modules/$(uname -r)/modules.builtin
  for d in tcp_diag udp_diag; do
    grep -q "^$d " /proc/modules || grep -q "/$d\.ko" "$m" 2>/dev/null || {
      PROC_ROOT=/proc; export PROC_ROOT
    }
  done
fi
if command -v ss >/dev/null 2>&1 && s=$(ss -lntup 2>/dev/null); then
  printf '%s\n' "version=$(ss -V 2>/dev/null)"
  echo '== ss'; printf '%s\n' "$s"
  q=; for p in $(printf '%s\n' "$s" | grep -oE 'pid=[0-9]+|",[0-9]+' | sort -u); do
    q="$q ${p##*[=,]}"
  done
  echo '== programs'
  set --; for p in $q; do set -- "$@" "/proc/$p/exe"; done
  [ $# = 0 ] || ls -ldn "$@" 2>/dev/null | {
    f=
    while IFS= read -r l; do
      e=${l##* -> }; p=${l%% -> *}; p=${p##*/proc/}
      case $e in *[!A-Za-z0-9/._+-]*) continue ;; esac
      # in a container, or replaced since: not the file that a package put there
      [ "/proc/$p" -ef "$e" ] || continue
      printf '%s\n' "program ${p%/exe} $e"
      case " $f " in *" $e "*) ;; *) f="$f $e" ;; esac
    done
    set --
    for e in $f; do set -- "$@" "$e"; case $e in /usr/*) set -- "$@" "${e#/usr}" ;; esac; done
    if [ -n "$f" ] && [ -s /var/lib/dpkg/status ]; then
      echo '== dpkg'
      printf '%s\n' "$@" |
        grep -xFf - /var/lib/dpkg/info/*.list /var/lib/dpkg/diversions 2>/dev/null
    elif [ -n "$f" ] && command -v rpm >/dev/null 2>&1; then
      echo '== rpm'
      for e in $f; do printf '%s\n' "path $e"; done
      rpm -qf --qf 'owner %{NAME}\n' $f 2>&1
    fi
  }
  if [ -d /run/systemd/system ]; then
    echo '== units'; u=
    for p in $q; do
      [ -r "/proc/$p/cgroup" ] || continue
      while IFS=: read -r _ c g; do
        case $c in '' | name=systemd) ;; *) continue ;; esac
        printf '%s\n' "pid $p $g"
        case $g in /init.scope) u="$u *.socket" ;; esac
        set -f; IFS=/
        for x in $g; do
          case $x in
            *[!A-Za-z0-9@:._\\-]*) ;;
            *.service | *.socket | *.scope | *.slice) u="$u $x" ;;
          esac
        done
        unset IFS; set +f
      done <"/proc/$p/cgroup"
    done
    set -f
    [ -z "$u" ] ||
      systemctl show -p Id -p IPAddressDeny -p IPAddressAllow -p IPIngressFilterPath \
        -- $(printf '%s\n' $u | sort -u) 2>/dev/null || echo refused
    set +f
"""
        + STARTED
        + r"""
  fi
else
  echo '== proc'
  grep -E ': [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 (0A|07) ' /proc/net/tcp /proc/net/tcp6 \
    /proc/net/udp /proc/net/udp6 2>/dev/null
fi
echo '== end'
""",
        limit=1 << 20,
        why=Text("哪些端口在监听，由哪个程序监听", "which ports are listened on, by which program"),
    ),
)

_SS = re.compile(r"^(tcp|udp)\s+(\S+)\s+\d+\s+\d+\s+(\S+):(\d+|\*)\s+(\S+):(\S+)\s*(.*)$")
# `ss -V`: a date up to iproute2 5.7, its own number since
_DATED = re.compile(r"^version=.*iproute2-ss(\d{6})\b", re.MULTILINE)
_NUMBERED = re.compile(r"^version=.*iproute2-v?[5-9]\.\d", re.MULTILINE)
_FOUR = re.compile(r"\d+\.\d+\.\d+\.\d+(%|$)")
_PROC = re.compile(
    r"^/proc/net/(tcp|udp)(6?):\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ (0A|07) "
)


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket, for one family: a socket for both families is two of these.

    `address` is as a number, `any` says that it takes every address of the host; `device` is
    the interface it is bound to, or empty; `process` and `pid` are empty and 0 where unknown.
    """

    proto: str
    family: int
    address: int
    port: int
    device: str
    process: str
    pid: int
    line: str

    @property
    def any(self) -> bool:
        return self.address == 0

    @property
    def loopback(self) -> bool:
        return self.address >> 24 == 127 if self.family == 4 else self.address == 1

    @property
    def shown(self) -> str:
        return show(self.address, self.family) + (f"%{self.device}" if self.device else "")


def sockets(capture: Capture) -> tuple[Listener, ...]:
    """Every listening TCP socket and unconnected UDP socket. Raises FactError."""
    head, _, rest = capture.read("sockets.listening").text().partition("== ")
    kind, _, listing = rest.partition("\n")
    # a process may call itself by such a head, within a line
    body, separator, _ = f"\n{listing}".partition("\n== end")
    body, _, _ = body.partition("== units\n")
    body, _, _ = body.partition("== programs\n")
    if kind not in ("ss", "proc") or not separator:
        raise NotUnderstood("sockets.listening", msg("ends_before_end"))
    # without the file the kernel has no IPv6 at all
    alone = "bindv6only=1" in head
    lines = [line for line in body.splitlines() if line.strip()]
    if kind == "ss":
        found = _from_ss(lines, four=star_is_ipv4(head, lines), alone=alone)
    else:
        found = _from_proc(lines, alone=alone)
    return tuple(sorted(_apart(set(found)), key=lambda s: (s.proto, s.port, s.family, s.address)))


def _apart(found: set[Listener]) -> list[Listener]:
    """Without IPv4 of a socket that may take both, where IPv4's own wildcard is bound as well.

    The kernel does not give one port to both (bind(2), ipv6(7)): that socket is for IPv6 alone.
    """
    both = {x.line for x in found if x.family == 6} & {x.line for x in found if x.family == 4}
    own = {
        (x.proto, x.port)
        for x in found
        if (x.family, x.address, x.device) == (4, 0, "") and x.line not in both
    }
    return [x for x in found if x.family == 6 or x.line not in both or (x.proto, x.port) not in own]


def star_is_ipv4(head: str, lines: list[str]) -> bool | None:
    """Does `*` stand for IPv4 alone, and `[::]` for a socket that may take IPv4 as well?

    Up to iproute2 4.13 it does; EL 7.7 to 7.9 have such a one (ss170501) that writes brackets as
    4.13 does. From 4.14 (ss171112, its commit 1267c0b9) `*` is both families, `0.0.0.0` IPv4 and
    `[::]` IPv6 alone. None: neither the listing nor the version says which.
    """
    for line in lines:
        match = _SS.match(line)
        if match is None:
            continue
        _, _, place, _, peer, _, _ = match.groups()
        if "0.0.0.0" in (place, peer):  # noqa: S104 - as ss prints it
            return False
        bare = ":" in place and "[" not in place
        if bare or (_FOUR.match(place) and peer == "*"):
            return True
    if match := _DATED.search(head):
        return match[1] < "171112"
    return False if _NUMBERED.search(head) else None


def _from_ss(lines: list[str], *, four: bool | None, alone: bool) -> list[Listener]:
    found: list[Listener] = []
    for line in lines:
        if line.startswith(("Netid", "State")):
            continue
        match = _SS.match(line)
        if match is None:
            if line.split()[0] in ("tcp", "udp"):
                raise NotUnderstood("sockets.listening", msg("not_line_ss", row=line))
            continue
        proto, _, place, port, _, _, users = match.groups()
        process, pid = next(iter(holders(users)), ("", 0))
        where, _, device = place.strip("[]").replace("]", "").partition("%")
        if not port.isdecimal():
            continue
        for family, number in _places(where, line, four=four, alone=alone):
            found.append(
                Listener(proto, family, number, int(port), device, process, pid, line.strip())
            )
    return found


def _places(where: str, line: str, *, four: bool | None, alone: bool) -> list[tuple[int, int]]:
    """The families and addresses of one place, `four` as told by `star_is_ipv4`.

    What it leaves open is more than is there for `*`, which hides nothing; `[::]` may hide IPv4.
    """
    if where == "*":
        return [(4, 0)] if four else [(4, 0), (6, 0)]
    try:
        family, number = address(where or "::")
    except ValueError:
        raise NotUnderstood("sockets.listening", msg("no_address", line=line)) from None
    if family == 6 and number >> 32 == 0xFFFF:
        return [(4, number & 0xFFFFFFFF)]
    if (family, number) == (6, 0) and not alone:
        if four is None:
            raise NotUnderstood("sockets.listening", msg("ss_of_which_version", line=line))
        if four:
            return [(4, 0), (6, 0)]
    return [(family, number)]


def _from_proc(lines: list[str], *, alone: bool) -> list[Listener]:
    found: list[Listener] = []
    for line in lines:
        match = _PROC.match(line)
        if match is None:
            raise NotUnderstood("sockets.listening", msg("not_a_line_of_proc_net", line=line))
        proto, six, place, port, state = match.groups()
        if (proto == "tcp") is not (state == "0A"):
            continue
        number = _from_hex(place)
        places = [(6 if six else 4, number)]
        if six and number >> 32 == 0xFFFF:
            places = [(4, number & 0xFFFFFFFF)]
        elif six and number == 0 and not alone:
            places.append((4, 0))
        for family, held in places:
            found.append(Listener(proto, family, held, int(port, 16), "", "", 0, line[:160]))
    return found


def _from_hex(text: str) -> int:
    """An address of /proc/net: words of 32 bits, each in the byte order of the host (little)."""
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    return int("".join("".join(re.findall("..", word)[::-1]) for word in words), 16)
