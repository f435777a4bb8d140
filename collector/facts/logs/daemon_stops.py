"""When logging daemons were down: joined from auditd's own records and from systemd's journal.

A stop is explained by a shutdown or a boot of the host next to it, and by nothing else that a
host could tell; a restart (down for a moment) is told apart from a stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.audit import events as _audit
from collector.facts.logs.journald import events as _journal
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READS: tuple[Read, ...] = (
    *_audit.READS,
    *_journal.READS,
    shell(
        "daemons.units",
        r"""
command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ] || exit 0
systemctl show -p Id -p LoadState -p RefuseManualStop -p Restart auditd.service 2>/dev/null
exit 0
""",
        limit=4096,
        why=Text("审计进程能否被手工停止", "whether the audit daemon can be stopped by hand"),
    ),
)

# a shutdown is told of at most that long before or after the daemon's end
_BEFORE, _SHUTDOWN = timedelta(minutes=5), timedelta(minutes=10)
# a boot is told of that long after the daemon's start; and so long may a reboot take altogether
_BOOT, _REBOOT = timedelta(minutes=15), timedelta(minutes=30)
# what two logs tell of the same moment
_TOLD_TWICE = timedelta(seconds=5)
_UNSET = "4294967295"
_HOW_ZH = {"stopped": "停止", "killed": "被杀死", "off": "被关闭"}


@dataclass(frozen=True, slots=True)
class Stop:
    """`daemon` was down from `start` until `end` (None: it still is); `line` shows it.

    `how` is stopped, killed (it died without having been asked to), or off: the daemon ran on,
    but somebody switched the kernel's audit off.
    """

    daemon: str
    start: datetime
    end: datetime | None
    how: str
    line: str
    read: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds() if self.end else float("inf")

    @property
    def brief(self) -> str:
        until = f"{self.end:%H:%M:%S}" if self.end else "?"
        return f"{self.daemon} {self.how} {self.start:%Y-%m-%d %H:%M:%S}-{until}"

    @property
    def brief_zh(self) -> str:
        until = f"{self.end:%H:%M:%S}" if self.end else "?"
        how = _HOW_ZH.get(self.how, self.how)
        return f"{self.daemon} {how} {self.start:%Y-%m-%d %H:%M:%S}-{until}"


def refuses_stop(capture: Capture) -> bool | None:
    """RefuseManualStop= of auditd as systemd has it; None where systemd knows no such unit."""
    text = capture.read("daemons.units").text()
    if not text.strip():
        return None
    said = dict(line.partition("=")[::2] for line in text.splitlines() if line)
    if said.get("Id") != "auditd.service" or "LoadState" not in said:
        raise NotUnderstood("daemons.units", msg("systemd_not_show_auditd"))
    if said["LoadState"] == "not-found":
        return None
    value = said.get("RefuseManualStop", "")
    if value not in ("yes", "no"):
        raise NotUnderstood("daemons.units", msg("refusemanualstop", value=value))
    return value == "yes"


def unexplained(capture: Capture) -> tuple[Stop, ...]:
    """Every time a daemon was down that no shutdown and no boot explains, oldest first.

    Raises FactError where the records could not be seen.
    """
    own = _audit.audit_events(capture).events
    told = _journal.journal_events(capture)
    downs = [e.at for e in told if e.kind == "shutdown"]
    downs += [e.at for e in own if e.kind == "SYSTEM_SHUTDOWN"]
    boots = [e.at for e in told if e.kind == "booted"]
    boots += [e.at for e in own if e.kind == "SYSTEM_BOOT"]
    starts = [("auditd", e.at) for e in own if e.kind == "DAEMON_START"]
    starts += [(e.unit, e.at) for e in told if e.kind == "started"]
    stops = [*_of_audit(own), *_switched_off(own)]
    for unit in sorted({e.unit for e in told if e.unit}):
        for stop in _of_unit(unit, [e for e in told if e.unit == unit]):
            if not any(_same(stop, other) for other in stops):
                stops.append(stop)
    found = [
        s
        for s in stops
        if not _explained(s, downs, boots, [at for daemon, at in starts if daemon == s.daemon])
    ]
    return tuple(sorted(found, key=lambda s: s.start))


def _same(stop: Stop, other: Stop) -> bool:
    """Is it told of by both, the daemon's own log and systemd's? A killed daemon has no start."""
    if stop.daemon != other.daemon or stop.end is None or other.end is None:
        return stop.daemon == other.daemon and stop.end == other.end
    return abs(stop.end - other.end) <= _TOLD_TWICE


def seen_from(capture: Capture) -> datetime:
    """The oldest record of auditd's own log. Raises FactError where there is no such log."""
    since = _audit.audit_events(capture).since
    if since is None:
        raise CouldNotLook("audit.events", msg("auditd_no_log_tells"))
    return since


def _of_audit(events: Iterable[_audit.AuditEvent]) -> Iterator[Stop]:
    """Auditd writes DAEMON_START and DAEMON_END: two starts in a row mean that it was killed."""
    before: _audit.AuditEvent | None = None
    for event in events:
        if event.kind not in ("DAEMON_START", "DAEMON_END", "DAEMON_ABORT"):
            continue
        if event.kind == "DAEMON_START" and before is not None:
            how = "stopped" if before.kind == "DAEMON_END" else "killed"
            start = event.at if before.kind == "DAEMON_START" else before.at
            yield Stop("auditd", start, event.at, how, before.line, "audit.events")
        before = event
    if before is not None and before.kind != "DAEMON_START":
        how = "stopped" if before.kind == "DAEMON_END" else "killed"
        yield Stop("auditd", before.at, None, how, before.line, "audit.events")


def _switched_off(events: Iterable[_audit.AuditEvent]) -> Iterator[Stop]:
    """`auditctl -e 0` by somebody who had logged in; journald does it, too, as nobody."""
    for event in events:
        auid = re.search(r"\bauid=(\d+)", event.line)
        if event.kind == "CONFIG_CHANGE" and auid and auid[1] != _UNSET:
            yield Stop("audit", event.at, None, "off", event.line, "audit.events")


def _of_unit(unit: str, events: Iterable[_journal.JournalEvent]) -> Iterator[Stop]:
    down: _journal.JournalEvent | None = None
    for event in events:
        if event.kind == "started":
            if down is not None:
                yield _unit_stop(unit, down, event.at)
            down = None
        elif event.kind in ("stopped", "failed", "exited") and down is None:
            down = event
    if down is not None:
        yield _unit_stop(unit, down, None)


def _unit_stop(unit: str, down: _journal.JournalEvent, end: datetime | None) -> Stop:
    how = "stopped" if down.kind == "stopped" else "killed"
    return Stop(unit, down.at, end, how, down.line, "journal.events")


def _explained(
    stop: Stop, downs: list[datetime], boots: list[datetime], starts: list[datetime]
) -> bool:
    """A shutdown is told of while the daemon is down; a boot belongs to the start next to it."""
    if stop.how == "off":
        return False
    end = stop.end
    last = stop.start + _SHUTDOWN if end is None else min(stop.start + _SHUTDOWN, end)
    if any(stop.start - _BEFORE <= at <= last for at in downs):
        return True
    # a boot alone says nothing of a daemon that was already down for days
    if end is None or end - stop.start > _REBOOT:
        return False
    near = [at for at in boots if end - _BEFORE <= at <= end + _BOOT]
    return any(_start_of(at, starts) == end for at in near)


def _start_of(boot: datetime, starts: list[datetime]) -> datetime | None:
    """The daemon's start in that boot: the last before it was told of, else the first after it."""
    before = [at for at in starts if boot - _BOOT <= at <= boot]
    if before:
        return max(before)
    return min((at for at in starts if boot < at <= boot + _BEFORE), default=None)
