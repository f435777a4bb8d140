"""intrusion.mandatory_access: the kernel enforces SELinux, AppArmor or a national equivalent."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.system.kysec import Kysec
from collector.facts.system.lsm import mandatory
from collector.facts.system.os_release import platform
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_KYSEC = {
    Kysec.IDLE: "kysec_idle",
    Kysec.SOFT: "kysec_soft",
    Kysec.NOT_AT_BOOT: "kysec_not_at_boot",
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is missing is `partial` at grade 2, which does not ask for it, and `fail` at grade 3."""
    state = facts.get(mandatory)
    quote = (Quote("mandatory.state", state.lines),)
    if state.selinux == "enforcing" and not state.boot:
        raise NotUnderstood("mandatory.state", msg("selinux_enforces_nothing_set"))
    if state.selinux == "enforcing" and state.boot == "enforcing":
        return Verdict(Result.PASS, "selinux", Method.OBSERVED, evidence=quote)
    if state.kysec is Kysec.ON:
        return Verdict(Result.PASS, "kysec", Method.OBSERVED, evidence=quote)
    least = parameters.integer("profiles")
    confining = state.apparmor and state.profiles >= least and state.confined > 0
    if confining and not state.selinux:
        loader = facts.get(services).unit("apparmor")
        # where nothing of that name is there, something else loads the profiles
        if loader.known and not facts.get(services).starts_at_boot("apparmor"):
            told = Quote("services.unit_files", (loader.line,))
            values: dict[str, Value] = {"unit": loader.line}
            return Verdict(
                Result.PARTIAL, "apparmor_not_at_boot", Method.OBSERVED, values, (*quote, told)
            )
        return Verdict(
            Result.PASS,
            "apparmor",
            Method.OBSERVED,
            {"profiles": state.profiles, "confined": state.confined},
            quote,
        )
    if facts.get(platform).container and not state.selinux:
        return Verdict(Result.NOTAPPLICABLE, "container", Method.OBSERVED, evidence=quote)
    if state.kysec is Kysec.UNKNOWN:
        raise NotUnderstood("mandatory.state", msg("kysec_not_understood"))
    reason = "off"
    if state.kysec in _KYSEC:
        reason = _KYSEC[state.kysec]
    elif state.selinux:
        reason = "runtime_only" if state.selinux == "enforcing" else "permissive"
    elif state.apparmor:
        reason = "unconfined"
    worse = reason not in ("runtime_only", "kysec_not_at_boot") and clock.grade >= 3
    return Verdict(
        Result.FAIL if worse else Result.PARTIAL,
        reason,
        Method.OBSERVED,
        {"boot": state.boot or "-", "profiles": state.profiles, "confined": state.confined},
        quote,
    )
