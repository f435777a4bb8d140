"""logging.capacity: the disks hold six months of logs at the rate observed."""

from __future__ import annotations

from datetime import timedelta

from collector.facts.logs.audit.status import Audit, audit
from collector.facts.logs.capacity import Disk, disks
from collector.facts.logs.retention import retention
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

# what auditd does with the first warning, while there is room yet, and when a file is full
_EARLY = ("space_left_action", "max_log_file_action")
_STOPS = ("suspend", "single", "halt")
_ACTIONS = ("space_left_action", "admin_space_left_action", "disk_full_action")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """By all logs of a file system together; what grows besides the logs is not foreseen."""
    need, soon = parameters.integer("days"), parameters.integer("soon")
    # the journal of a host that also keeps files is bounded by its own size
    logs = [log for log in facts.get(retention).logs if not (log.copy and log.removed)]
    found = disks(facts.capture, logs, clock.now)
    ignoring = _ignoring(facts)
    if not found:
        return Verdict(Result.ERROR, "no_logs", Method.OBSERVED)
    for disk in found:
        if stopped := _stopped(facts.get(audit), disk):
            return _audit(Result.FAIL, "audit_stopped", stopped, (_room(disk),))
    for disk in found:
        left = disk.full_in(high=False)
        if left is not None and left < soon:
            return _verdict(Result.FAIL, "full_soon", disk, parameters, clock, left)
    for disk in found:
        holds = disk.days(high=False)
        if holds is not None and holds < need:
            return _verdict(Result.FAIL, "too_small", disk, parameters, clock)
        if _few_inodes(disk, parameters):
            return _verdict(Result.FAIL, "few_inodes", disk, parameters, clock)
    if ignoring:
        return _audit(Result.FAIL, "audit_ignores", ignoring)
    for disk in found:
        holds, left = disk.days(high=True), disk.full_in(high=True)
        if (holds is not None and holds < need) or (left is not None and left < soon):
            return _verdict(Result.ERROR, "too_little_seen", disk, parameters, clock)
    for disk in found:
        left = disk.full_in(high=True)
        if left is not None and left < need:
            result, reason = Result.PARTIAL, "full_later"
            if disk.full_in(high=False) != left:
                result, reason = Result.ERROR, "too_little_seen"
            return _verdict(result, reason, disk, parameters, clock, left)
    if early := tuple(
        line for line in facts.get(audit).actions(*_STOPS) if line.split(" = ")[0] in _EARLY
    ):
        return _audit(Result.PARTIAL, "audit_stops_early", early)
    tightest = min(found, key=lambda d: d.days(high=True) or float("inf"))
    verdict = _verdict(Result.PASS, "enough", tightest, parameters, clock)
    return Verdict(
        verdict.result,
        verdict.reason,
        verdict.method,
        {**verdict.values, "count": len(found)},
        (*verdict.evidence, *_acts(facts.get(audit))),
    )


def _audit(
    result: Result, reason: str, lines: tuple[str, ...], evidence: tuple[Quote, ...] = ()
) -> Verdict:
    quote = Quote("audit.config", lines, "/etc/audit/auditd.conf")
    return Verdict(result, reason, values={"actions": [*lines]}, evidence=(quote, *evidence))


def _acts(known: Audit) -> tuple[Quote, ...]:
    lines = known.actions("syslog", "email", "exec", "rotate", "keep_logs", *_STOPS)
    return (Quote("audit.config", lines, "/etc/audit/auditd.conf"),) if lines else ()


def _stopped(known: Audit, disk: Disk) -> tuple[str, ...]:
    """The limits of auditd below which the free room has fallen, where it then writes no more."""
    if not any(g.log.family == "audit" for g in disk.logs):
        return ()
    found = []
    for name in ("space_left", "admin_space_left"):
        limit, action = known.room(name, disk.room.size), known.setting(f"{name}_action", "ignore")
        if limit is not None and disk.room.free <= limit and action in _STOPS:
            found += [f"{name} = {known.setting(name, '')}", f"{name}_action = {action}"]
    return tuple(found)


def _ignoring(facts: Facts) -> tuple[str, ...]:
    """Actions of auditd that do nothing; each is IGNORE where it is not set (auditd-config.c)."""
    known = facts.get(audit)
    if known.config is None:
        return ()
    said = ((name, known.setting(name, "ignore")) for name in _ACTIONS)
    return tuple(f"{name}={value}" for name, value in said if value == "ignore")


def _few_inodes(disk: Disk, parameters: Parameters) -> bool:
    room, days = disk.room, disk.inode_days()
    if not room.inodes:
        return False
    scarce = room.inodes_free * 100 < room.inodes * parameters.integer("inodes_percent")
    return scarce or (days is not None and days < parameters.integer("days"))


def _verdict(
    result: Result, reason: str, disk: Disk, parameters: Parameters, clock: Clock, left: int = 0
) -> Verdict:
    # in doubt the larger rate: a pass then stands on the safe side
    holds, rate = disk.days(high=True), sum(g.high for g in disk.logs)
    if result is Result.FAIL:
        holds, rate = disk.days(high=False), sum(g.low for g in disk.logs)
    fastest = sorted(disk.logs, key=lambda g: -g.high)[:3]
    values: dict[str, Value] = {
        "place": disk.room.folder,
        "days": parameters.integer("days"),
        "holds": _long(holds, "超过十年", "天"),
        "holds_en": _long(holds, "more than ten years", "days"),
        "free": _bytes(disk.room.free),
        "held": _bytes(disk.held),
        "rate": _bytes(rate),
        "date": f"{clock.now + timedelta(days=left):%Y-%m-%d}",
        "left": left,
        "logs": [f"{g.log.path} ({_bytes(g.high)}/d)" for g in fastest],
        "inodes": disk.room.inodes,
        "inodes_free": disk.room.inodes_free,
    }
    return Verdict(result, reason, Method.OBSERVED, values, (_room(disk),))


def _room(disk: Disk) -> Quote:
    return Quote("capacity.space", (disk.room.line,))


def _long(days: float | None, ever: str, unit: str) -> str:
    return ever if days is None or days > 3650 else f"{int(days)} {unit}"


def _bytes(count: float) -> str:
    """In the unit that leaves one to four digits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if unit != "B" else f"{int(count)} B"
        count /= 1024
    return f"{count:.3g} TiB"
