"""intrusion.lockout: whoever guesses passwords is locked out, by PAM or by banning the address."""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.facts.access.crowdsec import Crowd, crowd
from collector.facts.access.fail2ban import Guard, guard, jails
from collector.facts.access.pam.lockout import NEVER, counters, effect, numbers, unasked
from collector.facts.access.pam.password_quality import modules
from collector.facts.access.pam.stack import stacks
from collector.facts.access.resets import Kind, resets
from collector.facts.access.sshd_config import takes_passwords
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.system.accounts import Account, accounts, membership
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.judges import bans, ssh_servers, taken_up
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_PORTS = {"ssh": 22}
# a script of Perl, which calls itself `lfd - sleeping`
_LFD = re.compile(r"lfd(?: - |$)")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """PAM must lock in every stack that takes a password; a ban that covers sshd is as good."""
    found = _closed(
        facts,
        parameters,
        taken_up.running(_written(facts, parameters, clock), facts.get(listeners)),
    )
    if found.result is Result.PASS:
        # it asks neither the stacks of sshd, nor do the bans of sshd's log hold for it
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
    return found


def _closed(facts: Facts, parameters: Parameters, found: Verdict) -> Verdict:
    """Where nothing is asked, nothing is guessed: no ban helps there. Raises FactError."""
    known = facts.get(stacks)
    become = parameters.strings("become")
    for service in (*parameters.strings("services"), *become):
        if found.result is Result.FAIL or not known.has(service):
            continue
        # an sshd that takes keys alone asks no stack
        if found.result is Result.NOTAPPLICABLE and service == "sshd":
            continue
        stack = known.stack(service, "auth")
        line = unasked(stack, facts.capture, root=False, by_root=service not in become)
        if line is not None:
            values: dict[str, Value] = {"service": service, "line": line.quote.lines[0]}
            return Verdict(Result.FAIL, "nothing_asked", values=values, evidence=(line.quote,))
    return found


def _written(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    guessable = [a for a in facts.get(accounts) if a.login and a.usable]
    guessable = [a for a in guessable if not a.expired(clock.now)]
    servers = [s for s in facts.get(listeners) if takes_passwords(facts.capture, s)]
    if not guessable and not servers:
        return Verdict(Result.NOTAPPLICABLE, "no_passwords", Method.OBSERVED)
    found = _pam(facts, parameters, servers, guessable)
    found = _kept_up(facts, found)
    if found.result in (Result.PASS, Result.NOTAPPLICABLE):
        return found
    if found.reason == "nothing_asked":
        return found  # no ban helps where any password is right
    banned = _banned(facts, parameters, servers)
    return found if banned is None else _kept_up(facts, banned)


_KINDS: dict[str, tuple[Kind, ...]] = {
    "locks": ("locks",),
    "locks_users": ("locks",),
    "crowded": ("decisions", "rules"),
    "guarded": ("rules",),
}


def _kept_up(facts: Facts, found: Verdict) -> Verdict:
    """A job may take back what was locked or banned. Raises FactError where it is not told."""
    if found.result is not Result.PASS:
        return found
    wanted = _KINDS.get(found.reason, ("bans", "rules"))
    for reset in facts.get(resets):
        if reset.kind in wanted and reset.sure:
            values: dict[str, Value] = {"job": reset.shown}
            return Verdict(Result.FAIL, "taken_back", values=values, evidence=(reset.quote,))
    for reset in facts.get(resets):
        if reset.kind in wanted:
            raise NotUnderstood(reset.job.read, msg("whether_job_resets", job=reset.shown))
    return found


def _pam(
    facts: Facts, parameters: Parameters, servers: list[Listener], guessable: list[Account]
) -> Verdict:
    known = facts.get(stacks)
    services = [s for s in parameters.strings("services") if known.has(s)]
    for server in servers:
        if server.first("usepam", "root") == "no":
            return Verdict(
                Result.FAIL,
                "without_pam",
                values={"program": server.exe},
                evidence=(server.quote("usepam", "passwordauthentication"),),
            )
        service = server.first("pamservicename", "root") or "sshd"
        if service not in services:
            services.insert(0, service)
    if not servers:
        services = [s for s in services if s != "sshd"]
    quotes: list[Quote] = []
    told: list[str] = []
    reason = "locks"
    for service in services:
        found = _service(facts, parameters, service, guessable)
        if found.result is not Result.PASS:
            return found
        quotes += [q for q in found.evidence if q not in quotes]
        told.append(str(found.values["told"]))
        reason = found.reason if found.reason == "locks_users" else reason
    if not services and not servers:
        # keys alone, and no `login` that would ask: nobody can guess here
        asked = ", ".join(parameters.strings("services"))
        return Verdict(
            Result.NOTAPPLICABLE, "no_service", Method.OBSERVED, values={"services": asked}
        )
    if not services:
        raise NotUnderstood("pam.files", msg("no_service_logs_stack"))
    values: dict[str, Value] = {"services": [*services], "told": told[0]}
    return Verdict(Result.PASS, reason, values=values, evidence=tuple(quotes))


def _service(
    facts: Facts, parameters: Parameters, service: str, guessable: list[Account]
) -> Verdict:
    installed = facts.get(modules).installed
    stack = facts.get(stacks).stack(service, "auth")
    here = counters(stack)
    values: dict[str, Value] = {"service": service, "told": ""}
    opening = unasked(stack, facts.capture, root=False)
    if opening is not None:
        values["line"] = opening.quote.lines[0]
        return Verdict(Result.FAIL, "nothing_asked", values=values, evidence=(opening.quote,))
    for entry in here:
        if entry.module not in installed and not entry.silent and entry.module != "pam_tally":
            raise NotUnderstood(
                "pam.modules", msg("not_installed", path=entry.path, module=entry.module)
            )
    if not here:
        quotes = tuple(dict.fromkeys(e.quote for e in stack))
        return Verdict(Result.FAIL, "not_in_stack", values=values, evidence=quotes)
    quotes = tuple(dict.fromkeys(q for e in here for q in numbers(e, facts.capture).quotes))
    users = effect(stack, facts.capture, root=False)
    # what refuses decides: the entries in front of the password, where there are any
    gates = [e for e in users.entries if e.flag("preauth")] or list(users.entries) or list(here)
    by = [numbers(e, facts.capture) for e in gates]
    deny = max((n.deny for n in by if n.deny), default=0)
    if any(not n.deny for n in by):
        deny = 0
    unlock, interval = min(n.unlock for n in by), min(n.interval for n in by)
    never = "never" if unlock >= NEVER else f"{unlock} s"
    values["told"] = f"{gates[0].module} deny={deny} unlock_time={never}"
    reason = ""
    if not deny or deny > parameters.integer("deny"):
        reason = "too_many"
    elif unlock < parameters.integer("unlock"):
        reason = "too_short"
    elif interval < parameters.integer("interval"):
        reason = "forgets"
    elif not users.counted:
        reason = "not_counted"
    elif not users.enforced:
        reason = "not_enforced"
    if reason:
        return Verdict(Result.FAIL, reason, values=values, evidence=quotes)
    its = effect(stack, facts.capture, root=True)
    short = min(n.root_unlock for n in by) < parameters.integer("root_unlock")
    too = its.counted and its.enforced and not short
    if not too and any(a.uid == 0 for a in guessable):
        return Verdict(Result.FAIL, "not_for_root", values=values, evidence=quotes)
    if not too and (spared := _as_root(facts, {n.admin_group for n in by}, guessable)):
        values |= {"accounts": [*spared], "group": ", ".join({n.admin_group for n in by} - {""})}
        return Verdict(Result.FAIL, "not_for_group", values=values, evidence=quotes)
    return Verdict(Result.PASS, "locks" if too else "locks_users", values=values, evidence=quotes)


def _as_root(facts: Facts, names: set[str], guessable: list[Account]) -> list[str]:
    """Accounts of a group that pam_faillock treats as root. Raises FactError."""
    if not names - {""}:
        return []
    known = facts.get(membership)
    return [a.name for a in guessable if names & known.of(a)]


def _banned(facts: Facts, parameters: Parameters, servers: list[Listener]) -> Verdict | None:
    """A verdict where something bans addresses for sshd, None where nothing does."""
    if not servers:
        return None
    wrong: Verdict | None = None
    for jail in facts.get(jails):
        if not jail.sshd:
            continue
        reason = bans.jail_fault(facts, parameters, jail, servers)
        values: dict[str, Value] = {
            "jail": jail.name,
            "told": f"maxretry={jail.maxretry} bantime={jail.bantime}",
        }
        if reason == "ban_of_another_sshd":
            values["server"] = bans.unheard(facts, jail, servers)
        quote = (Quote("bans.fail2ban", jail.lines),)
        worth = bans.worth(facts, jail) if not reason else ""
        if worth == "ban_refused_protocol":
            values["protocols"] = bans.protocols(facts, jail)
        if not reason and worth in ("", "ban_not_at_boot"):
            rule = bans.passed_by(facts, jail, servers)
            if rule:
                worth, values["rule"] = "ban_passed_by", rule
        if not reason and not worth:
            return Verdict(Result.PASS, "banned", Method.OBSERVED, values, quote)
        if worth == "ban_not_at_boot":
            wrong = wrong or Verdict(Result.PARTIAL, worth, Method.OBSERVED, values, quote)
            continue
        reason = reason or worth
        wrong = Verdict(Result.FAIL, reason, Method.OBSERVED, values, quote)
    blocker = facts.get(guard)
    if blocker is not None:
        found = _guarded(parameters, blocker)
        if found.result is Result.PASS or wrong is None:
            return found
    crowded = facts.get(crowd)
    if crowded is not None:
        found = _crowded(parameters, crowded)
        if found.result is Result.PASS or wrong is None:
            return found
    if wrong is None:
        _refuse_others(facts, parameters)
    return wrong


def _refuse_others(facts: Facts, parameters: Parameters) -> None:
    """Raises NotUnderstood where a program runs that bans by rules of its own."""
    run = facts.get(processes)
    others = [p for p in run.running(*parameters.strings("other_banners")) if not p.container]
    if others:
        raise NotUnderstood("bans.settings", msg("runs_bans_not_told", exe=others[0].exe))
    for p in run.all:
        perl = (p.exe or "").rpartition("/")[2].startswith("perl")
        if perl and p.uid == 0 and p.hosts and not p.container and _LFD.match(p.name):
            raise NotUnderstood("bans.settings", msg("runs_bans_not_told", exe="lfd (csf)"))


def _guarded(parameters: Parameters, blocker: Guard) -> Verdict:
    weak = (
        blocker.attempts > parameters.integer("deny")
        or blocker.blocks < parameters.integer("unlock")
        or blocker.remembers < parameters.integer("interval")
    )
    values: dict[str, Value] = {
        "told": f"{blocker.attempts} failures, {blocker.blocks} s",
    }
    reason = "guard_too_weak" if weak else "guarded"
    quote = (Quote("processes.all", (blocker.line,)),)
    return Verdict(Result.FAIL if weak else Result.PASS, reason, Method.OBSERVED, values, quote)


def _crowded(parameters: Parameters, found: Crowd) -> Verdict:
    reason = f"crowd_{found.fault}" if found.fault else "crowded"
    enough = [
        pair
        for pair in found.scenarios
        if pair[0] <= parameters.integer("deny") and pair[1] >= parameters.integer("interval")
    ]
    if not found.fault and (not enough or found.blocks < parameters.integer("unlock")):
        reason = "crowd_too_weak"
    attempts, remembers = min(enough or found.scenarios, default=(0, 0))
    values: dict[str, Value] = {
        "told": f"{attempts} failures within {remembers} s, {found.blocks} s",
        "told_zh": f"{remembers} 秒内失败 {attempts} 次，封禁 {found.blocks} 秒",
    }
    result = Result.PASS if reason == "crowded" else Result.FAIL
    quote = (Quote("crowdsec.state", found.lines),)
    return Verdict(result, reason, Method.OBSERVED, values, quote)
