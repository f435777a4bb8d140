"""Where systemd listens in the place of a program: which port, and what it would start.

Printed by the read of what listens, where systemd itself holds a socket; captures made before have
none of it. Of a command only the program's path leaves the host, and of busybox and tcpd the
program behind it: the rest may be a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook
from collector.i18n.message import msg
from collector.model import Capture, Quote

# `q` are the processes that listen; a unit for each connection is asked by an instance of it
STARTED = r"""
    case " $q " in *' 1 '*)
      echo '== started'
      l=$(systemctl show --no-pager -p Id,Accept,ActiveState,Triggers,Listen,ListenStream \
        -p ListenDatagram -- '*.socket' 2>/dev/null | awk '
        function out() {
          if (on == "active") for (i = 1; i <= n; i++)
            print "listens " id " " at[i] " " (a == "yes" ? b "@hp.service" : t == "" ? "?" : t)
          n = 0; a = t = id = on = ""
        }
        $0 == "" { out(); next }
        { v = $0; sub(/^[A-Za-z]*=/, "", v) }
        /^Accept=/ { a = v }
        /^ActiveState=/ { on = v }
        /^Id=/ { id = b = v; sub(/\.socket$/, "", b) }
        /^Triggers=/ { t = v; sub(/ .*/, "", t) }
        /^Listen(Stream|Datagram)?=/ && v ~ /^[0-9.[]/ { sub(/ .*/, "", v); at[++n] = v }
        END { out() }')
      printf '%s\n' "$l"
      u=$(printf '%s\n' "$l" | sed -n 's/^listens .* \([A-Za-z0-9@:._\\-]*\.service\)$/\1/p')
      set -f
      [ -z "$u" ] || systemctl show --no-pager -p Id,ExecStart -- $(printf '%s\n' $u | sort -u) \
        2>/dev/null | awk '
        function out() { for (i = 1; i <= n; i++) print "starts " id " " x[i]; n = 0; id = "" }
        $0 == "" { out(); next }
        /^Id=/ { id = substr($0, 4) }
        /^ExecStart=[{] path=/ {
          p = $0; sub(/^ExecStart=[{] path=/, "", p); sub(/ ;.*/, "", p)
          w = $0; sub(/.* ; argv\[\]=/, "", w); m = split(w, word, " ")
          if (p !~ /^[A-Za-z0-9\/._+-]+$/) p = "?"
          if (p ~ /\/(busybox|tcpd)$/ && m > 1 && word[2] ~ /^[A-Za-z0-9\/._+-]+$/) p = word[2]
          x[++n] = p
        }
        END { out() }'
      set +f
    esac
"""

_PLACE = re.compile(r"(\[[0-9a-fA-F:.%]*\]|[0-9.]+):(\d+)")


@dataclass(frozen=True, slots=True)
class Started:
    """What a socket of systemd starts: its unit, the port, the program (`?`: not told)."""

    unit: str
    port: int
    program: str
    loopback: bool
    lines: tuple[str, ...]

    @property
    def quote(self) -> Quote:
        return Quote("sockets.listening", self.lines)


def started(capture: Capture) -> tuple[Started, ...]:
    """Raises CouldNotLook where that was not asked for yet: no matter where systemd holds none."""
    text = capture.read("sockets.listening").text()
    _, asked, told = text.partition("\n== started\n")
    if not asked:
        raise CouldNotLook("sockets.listening", msg("not_collected_socket_units"))
    rows = [line.split() for line in told.splitlines()]
    programs: dict[str, list[str]] = {}
    for row in rows:
        if row[:1] == ["starts"] and len(row) == 3:
            programs.setdefault(row[1], []).append(row[2])
    found = []
    for row in rows:
        if row[:1] != ["listens"] or len(row) != 4 or not (place := _PLACE.fullmatch(row[2])):
            continue
        near = place[1].startswith(("127.", "[::1]"))
        for program in programs.get(row[3], ["?"]):
            lines = (" ".join(row), f"starts {row[3]} {program}")
            found.append(Started(row[1], int(place[2]), program, near, lines))
    return tuple(found)
