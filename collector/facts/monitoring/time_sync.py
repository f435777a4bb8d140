"""The clock: which daemon keeps it, whether it is in step with a source, and how far it is off.

Offsets are in seconds, positive where the host is behind its source or ahead of it alike: only
their size is used. Sources: chronyc(1), ntpq(8), ntpctl(8), timedatectl(1), adjtimex(2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.durations import systemd_span
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, Text, command, shell

_WHY = Text("时钟是否同步、偏差与时间源", "is the clock in step, how far off, and with what")

READS: tuple[Read, ...] = (
    command("timesync.chrony_tracking", "chronyc", "-n", "tracking", seconds=5, why=_WHY),
    command("timesync.chrony_sources", "chronyc", "-n", "sources", seconds=5, why=_WHY),
    command("timesync.ntp_peers", "ntpq", "-pn", seconds=8, why=_WHY),
    command("timesync.openntpd", "ntpctl", "-s", "all", seconds=5, why=_WHY, privileged=True),
    # without the folder timesyncd does not run, and asking it over the bus could start it
    shell(
        "timesync.timesyncd",
        r"""
if [ -d /run/systemd/timesync ]; then
  echo '== show-timesync'; timedatectl show-timesync --all 2>&1
  echo '== timesync-status'; timedatectl timesync-status 2>&1
fi
true
""",
        seconds=8,
        why=_WHY,
    ),
    command("timesync.timedatectl", "timedatectl", "status", seconds=8, why=_WHY),
    shell(
        "timesync.clock",
        r"""
printf '%s\n' "link=$(readlink /etc/localtime 2>/dev/null)"
[ -r /etc/timezone ] && { read -r z </etc/timezone; printf '%s\n' "name=$z"; }
printf '%s\n' "zone=$(date +%Z)"
printf '%s\n' "utc=$(date +%z)"
if command -v busybox >/dev/null 2>&1; then busybox adjtimex 2>/dev/null; fi
true
""",
        why=Text("本机时区与内核时钟状态", "the time zone and the kernel's view of its clock"),
    ),
)


# chrony.conf(5), maxpoll: by default it measures every 17 minutes at the latest, 36 hours at most
_MEASURED = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class State:
    """What one daemon says of the clock.

    `offset` is in seconds, None where the daemon does not tell; `source` is the peer's address,
    `local` says that this peer is nothing but the host's own clock; `said` is what stands against
    being in step, in the daemon's words.
    """

    synchronised: bool
    offset: float | None
    source: str
    local: bool
    said: str
    quotes: tuple[Quote, ...]


def zone(capture: Capture) -> str:
    """The time zone's name and its offset from UTC, e.g. `Asia/Shanghai +0800`."""
    known = dict(
        line.split("=", 1)
        for line in capture.read("timesync.clock").text().splitlines()
        if re.match(r"(link|name|zone|utc)=", line)
    )
    if not re.fullmatch(r"[+-]\d{4}", known.get("utc", "")):
        raise NotUnderstood("timesync.clock", msg("date_z", get=known.get("utc", "")))
    name = known.get("link", "").partition("zoneinfo/")[2] or known.get("name") or known.get("zone")
    return f"{name or '?'} {known['utc']}"


def skew(capture: Capture) -> float | None:
    """Seconds that the host's clock was ahead of the collecting side's; None where not known.

    The host read its clock at some moment of the run, which began at `clock` and took `seconds`:
    anywhere within counts as no difference.
    """
    here, there = capture.origin.get("clock"), capture.head.get("clock", "")
    if not isinstance(here, str) or not re.fullmatch(r"\d{1,11}", there):
        return None
    try:
        begun = datetime.fromisoformat(here).timestamp()
    except ValueError:
        raise NotUnderstood("timesync.clock", msg("not_a_time", text=here)) from None
    took = capture.origin.get("seconds", 0)
    ended = begun + (took if isinstance(took, (int, float)) else 0)
    return min(int(there) - begun, 0.0) + max(int(there) - ended, 0.0)


def chrony(capture: Capture) -> State:
    """Raises CouldNotLook when chronyd does not answer, NotUnderstood for unknown output."""
    fields: dict[str, str] = {}
    text = capture.read("timesync.chrony_tracking").text()
    for line in text.splitlines():
        name, colon, value = line.partition(" : ")
        if colon:
            fields[name.strip()] = value.strip()
    reference = re.match(r"([0-9A-F]{8}|[0-9.]+) \(([^)]*)\)$", fields.get("Reference ID", ""))
    system = re.match(r"(\d+(?:\.\d+)?) seconds (slow|fast)", fields.get("System time", ""))
    if reference is None or system is None or "Leap status" not in fields:
        raise NotUnderstood("timesync.chrony_tracking", msg("not_usual_output", text=text[:120]))
    sources = capture.read("timesync.chrony_sources").text().splitlines()
    selected = next((x.split() for x in sources if re.match(r"[\^=#]\*", x)), None)
    if selected is not None and len(selected) < 6:
        raise NotUnderstood("timesync.chrony_sources", msg("not_source", names=" ".join(selected)))
    local = reference[1] in ("7F7F0101", "127.127.1.1")
    leap = fields["Leap status"]
    said = ""
    if leap == "Not synchronised":
        said = "Leap status: Not synchronised"
    elif selected is None and not local:
        said = "chronyc sources: * = 0"
    elif selected is not None and selected[4] == "0":
        said = f"{selected[1]}: reach 0"
    elif _long_ago(capture, fields.get("Ref time (UTC)", "")) and not local:
        said = f"Ref time (UTC): {fields['Ref time (UTC)']}"
    wanted = ("Reference", "Ref time", "System", "Leap")
    lines = [x for x in text.splitlines() if x.startswith(wanted)]
    return State(
        not said,
        float(system[1]),
        selected[1] if selected else reference[2] or reference[1],
        local,
        said,
        (
            Quote("timesync.chrony_tracking", tuple(lines)),
            Quote(
                "timesync.chrony_sources",
                tuple(x for x in sources if re.match(r"[\^=#][*+?x~-] ", x)),
            ),
        ),
    )


def _long_ago(capture: Capture, told: str) -> bool:
    """Was the last measurement made days before the host's clock, or after it?

    Without one since, or where the clock was set past the daemon, what it says is of another time.
    """
    clock = capture.head.get("clock", "")
    at = capture.collected_at
    now = datetime.fromtimestamp(int(clock), UTC) if re.fullmatch(r"\d{1,11}", clock) else at
    try:
        measured = datetime.strptime(told, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return False
    return now is not None and abs(now - measured) > _MEASURED


def ntpd(capture: Capture) -> State:
    """From `ntpq -pn`: the peer marked `*` (or `o`, by PPS), offsets in milliseconds.

    OpenNTPD's program has the same name, and ntpctl in place of ntpq. Raises CouldNotLook when
    ntpd does not answer (ntpq then ends with 0, all the same).
    """
    result = capture.read("timesync.ntp_peers")
    if result.absent and not capture.read("timesync.openntpd").absent:
        return openntpd(capture)
    head, rule, tail = result.text().partition("\n====")
    if not rule:
        if "No association" in f"{result.stderr} {head}":
            return State(False, None, "", False, "No association IDs returned", ())
        raise CouldNotLook("timesync.ntp_peers", result.stderr.strip() or msg("ntpd_not_answer"))
    peers = [line for line in tail.splitlines()[1:] if line.strip()]
    quotes = (Quote("timesync.ntp_peers", tuple(peers)),)
    chosen = next((x for x in peers if x[0] in "*o"), None)
    if chosen is None:
        return State(False, None, "", False, "ntpq: * = 0", quotes)
    words = chosen[1:].split()
    if len(words) < 10 or not re.fullmatch(r"[-+]?\d+(\.\d+)?", words[8]):
        raise NotUnderstood("timesync.ntp_peers", msg("not_peer", chosen=chosen))
    said = f"{words[0]}: reach 0" if words[6] == "0" else ""
    local = words[0].startswith("127.127.1.") or words[1] in (".LOCL.", ".LCL.")
    return State(not said, abs(float(words[8])) / 1000, words[0], local, said, quotes)


def openntpd(capture: Capture) -> State:
    """From `ntpctl -s all`: the state of the clock, and the peer marked `*` below its name.

    The offset is None where no peer is chosen. Raises CouldNotLook when ntpd does not answer.
    """
    text = capture.read("timesync.openntpd").text()
    status = re.search(
        r"^(\d+)/\d+ peers valid.*?, clock (synced|unsynced)\b.*$", text, re.MULTILINE
    )
    if status is None:
        raise NotUnderstood("timesync.openntpd", msg("not_usual_output", text=text[:120]))
    chosen = re.search(
        r"^(\S+).*\n {1,3}\*.*?([-+]?\d+\.\d+)ms\s+\d+\.\d+ms\s+\d+\.\d+ms\s*$", text, re.MULTILINE
    )
    said = "" if status[2] == "synced" else status[0]
    lines = (status[0], *(chosen[0].splitlines() if chosen else ()))
    return State(
        not said,
        abs(float(chosen[2])) / 1000 if chosen else None,
        chosen[1] if chosen else "",
        False,
        said,
        (Quote("timesync.openntpd", lines),),
    )


def _offset(text: str) -> float:
    """Seconds, either way, of `+1d 1min 1.5s` or `-36us`, as timedatectl writes them."""
    told = text.strip().lstrip("+-")
    try:
        # it never leaves the unit out, but of 0
        return systemd_span(told, "" if told != "0" else "s")
    except ValueError:
        raise NotUnderstood("timesync.timesyncd", msg("not_time_span", time=text)) from None


def timesyncd(capture: Capture) -> State:
    """From timesync-status (systemd 239 and later), else from timedatectl (without an offset).

    Raises CouldNotLook or NotUnderstood when neither answers.
    """
    text = capture.read("timesync.timesyncd").text()
    fields: dict[str, str] = {}
    for line in text.partition("== timesync-status")[2].splitlines():
        name, colon, value = line.partition(": ")
        if colon:
            fields[name.strip()] = value.strip()
    if "Server" not in fields:
        return _timedatectl(capture)
    wanted = ("Server", "Leap", "Offset", "Packet count")
    lines = tuple(f"{k}: {fields[k]}" for k in wanted if k in fields)
    quotes: tuple[Quote, ...] = (Quote("timesync.timesyncd", lines),)
    if "Offset" not in fields:
        said = f"Packet count: {fields.get('Packet count', '0')}"
        return State(False, None, fields["Server"], False, said, quotes)
    said = "" if fields.get("Leap") != "not synchronized" else "Leap: not synchronized"
    # the last answer stays on show for ever; the kernel stops calling itself in step some hours
    # after the source has gone (its maximum error grows beyond 16 s)
    kernel_says = _timedatectl(capture)
    said = said or kernel_says.said
    quotes += kernel_says.quotes
    return State(not said, _offset(fields["Offset"]), fields["Server"], False, said, quotes)


def _timedatectl(capture: Capture) -> State:
    text = capture.read("timesync.timedatectl").text()
    match = re.search(
        r"^[^\S\n]*(?:NTP synchronized|System clock synchronized): (yes|no)$", text, re.MULTILINE
    )
    if match is None:
        raise NotUnderstood("timesync.timedatectl", msg("not_usual_output", text=text[:120]))
    line = match[0].strip()
    said = "" if match[1] == "yes" else line
    return State(not said, None, "", False, said, (Quote("timesync.timedatectl", (line,)),))


def kernel(capture: Capture) -> State:
    """The kernel's own view, by busybox's adjtimex: all there is where busybox ntpd keeps time."""
    text = capture.read("timesync.clock").text()
    status = re.search(r"^[^\S\n]*status:\s+(\d+)\b.*$", text, re.MULTILINE)
    offset = re.search(r"^-o\s+offset:\s+(-?\d+) us$", text, re.MULTILINE)
    if status is None or offset is None:
        raise CouldNotLook("timesync.clock", msg("no_adjtimex_here_ask"))
    said = "status: UNSYNC" if int(status[1]) & 0x40 else ""  # STA_UNSYNC of <linux/timex.h>
    # with STA_NANO (0x2000) the kernel counts the same field in nanoseconds
    unit = 1e-9 if int(status[1]) & 0x2000 else 1e-6
    quotes = (Quote("timesync.clock", (offset[0].strip(), status[0].strip())),)
    return State(not said, abs(int(offset[1])) * unit, "", False, said, quotes)
