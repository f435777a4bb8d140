"""logging.audit_enabled: the kernel audits, someone takes its records down, and so after a boot."""

from __future__ import annotations

from collector.errors import CouldNotLook
from collector.facts.logs.audit.status import Audit, AuditStatus, audit
from collector.facts.system.os_release import Platform, platform
from collector.facts.system.services import Services, Unit, services
from collector.i18n.message import msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SOCKET = "systemd-journald-audit.socket"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A container has no audit of its own: the kernel's belongs to the host outside."""
    known = facts.get(audit)
    if known.status is None:
        return without_answer(known, facts.get(services), facts.get(platform))
    return _judge_status(known, known.status, facts.get(services))


def without_answer(known: Audit, units: Services, host: Platform) -> Verdict:
    """Where no auditctl told anything: a container, a host without audit.

    Raises CouldNotLook where there is an audit that did not answer.
    """
    daemon, socket = units.unit("auditd"), units.unit(_SOCKET)
    if host.container:
        why = known.refused or "-"
        return Verdict(
            Result.NOTAPPLICABLE,
            "container",
            Method.OBSERVED,
            {"why": why},
            (Quote("audit.status", (why,)), Quote("platform.init")),
        )
    if known.tool:
        raise CouldNotLook("audit.status", known.refused)
    if socket.active:
        raise CouldNotLook("audit.status", msg("journald_takes_audit_records"))
    return Verdict(Result.FAIL, "not_there", evidence=(_units(daemon, socket),))


def _judge_status(known: Audit, status: AuditStatus, units: Services) -> Verdict:
    daemon, socket = units.unit("auditd"), units.unit(_SOCKET)
    lines = tuple(line for line in status.lines if line.split()[0] in _SHOWN)
    evidence: tuple[Quote, ...] = (
        Quote("audit.status", lines or status.lines),
        _units(daemon, socket),
    )
    values: dict[str, Value] = {"lost": status.lost, "state": daemon.state or "-"}
    if status.enabled == 0:
        reason = "off_though_running" if daemon.active else "off"
        return Verdict(Result.FAIL, reason, Method.OBSERVED, values, evidence)
    if not (daemon.active or socket.active) or (status.pid == 0 and not socket.active):
        return Verdict(Result.FAIL, "nobody_listens", Method.OBSERVED, values, evidence)
    journal = socket.active and (socket.enabled or socket.file == "static")
    at_boot = units.starts_at_boot("auditd") or journal
    if known.boot in ("0", "off") or not at_boot:
        quote = (Quote("audit.kernel", (f"audit={known.boot}",), "/proc/cmdline"),)
        evidence += quote if known.boot else ()
        return Verdict(Result.PARTIAL, "not_at_boot", Method.OBSERVED, values, evidence)
    if not socket.active and _writes_nothing(known):
        shown = tuple(f"{k} = {known.setting(k, '-')}" for k in ("write_logs", "log_format"))
        quote = (Quote("audit.config", shown, "/etc/audit/auditd.conf"),)
        return Verdict(Result.PARTIAL, "not_written", Method.OBSERVED, values, evidence + quote)
    if status.lost > 0:
        return Verdict(Result.PARTIAL, "lost", Method.OBSERVED, values, evidence)
    return Verdict(Result.PASS, "enabled", Method.OBSERVED, values, evidence)


def _writes_nothing(known: Audit) -> bool:
    """auditd.conf(5): such a daemon hands its records to plugins only, if to anybody."""
    return known.setting("write_logs", "yes") == "no" or known.setting("log_format", "") == "nolog"


_SHOWN = ("enabled", "failure", "pid", "lost", "backlog")


def _units(*units: Unit) -> Quote:
    return Quote("services.units", tuple(unit.line for unit in units if unit.known))
