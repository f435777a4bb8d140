"""intrusion.lockout: whoever guesses passwords is locked out, by PAM or by banning the address."""

from __future__ import annotations

from contextlib import suppress

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.ban_effects import Effects, effects
from collector.facts.access.crowdsec import Crowd, crowd
from collector.facts.access.fail2ban import Guard, Jail, guard, jails
from collector.facts.access.pam.lockout import NEVER, counters, effect, numbers, unasked
from collector.facts.access.pam.password_quality import modules
from collector.facts.access.pam.stack import stacks
from collector.facts.access.sshd_config import takes_passwords
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.base.intervals import NONE, everything, network
from collector.facts.firewall.exposure import breadth
from collector.facts.system.accounts import accounts
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.judges import ssh_servers, taken_up
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_PORTS = {"ssh": 22}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """PAM must lock in every stack that takes a password; a ban that covers sshd is as good."""
    found = taken_up.running(_written(facts, parameters, clock), facts.get(listeners))
    if found.result is Result.PASS:
        # it asks neither the stacks of sshd, nor do the bans of sshd's log hold for it
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
    return found


def _written(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    guessable = [a for a in facts.get(accounts) if a.login and a.usable]
    guessable = [a for a in guessable if not a.expired(clock.now)]
    servers = [s for s in facts.get(listeners) if takes_passwords(facts.capture, s)]
    if not guessable and not servers:
        return Verdict(Result.NOTAPPLICABLE, "no_passwords", Method.OBSERVED)
    found = _pam(facts, parameters, servers, root=any(a.uid == 0 for a in guessable))
    if found.result in (Result.PASS, Result.NOTAPPLICABLE):
        return found
    if found.reason == "nothing_asked":
        return found  # no ban helps where any password is right
    banned = _banned(facts, parameters, servers)
    return found if banned is None else banned


def _pam(facts: Facts, parameters: Parameters, servers: list[Listener], *, root: bool) -> Verdict:
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
    for service in services:
        found = _service(facts, parameters, service, root=root)
        if found.result is not Result.PASS:
            return found
        quotes += [q for q in found.evidence if q not in quotes]
        told.append(str(found.values["told"]))
    if not services and not servers:
        # keys alone, and no `login` that would ask: nobody can guess here
        asked = ", ".join(parameters.strings("services"))
        return Verdict(
            Result.NOTAPPLICABLE, "no_service", Method.OBSERVED, values={"services": asked}
        )
    if not services:
        raise NotUnderstood("pam.files", msg("no_service_logs_stack"))
    values: dict[str, Value] = {"services": [*services], "told": told[0]}
    return Verdict(Result.PASS, "locks", values=values, evidence=tuple(quotes))


def _service(facts: Facts, parameters: Parameters, service: str, *, root: bool) -> Verdict:
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
    elif root:
        its = effect(stack, facts.capture, root=True)
        short = min(n.root_unlock for n in by) < parameters.integer("root_unlock")
        if not (its.counted and its.enforced) or short:
            reason = "not_for_root"
    if reason:
        return Verdict(Result.FAIL, reason, values=values, evidence=quotes)
    return Verdict(Result.PASS, "locks", values=values, evidence=quotes)


def _banned(facts: Facts, parameters: Parameters, servers: list[Listener]) -> Verdict | None:
    """A verdict where something bans addresses for sshd, None where nothing does."""
    if not servers:
        return None
    wrong: Verdict | None = None
    for jail in facts.get(jails):
        if not jail.sshd:
            continue
        reason = _jail_fault(facts, parameters, jail, servers)
        values: dict[str, Value] = {
            "jail": jail.name,
            "told": f"maxretry={jail.maxretry} bantime={jail.bantime}",
        }
        quote = (Quote("bans.fail2ban", jail.lines),)
        worth = _worth(facts, jail) if not reason else ""
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
        patterns = parameters.strings("other_banners")
        others = [p for p in facts.get(processes).running(*patterns) if not p.container]
        if others:
            raise NotUnderstood("bans.settings", msg("runs_bans_not_told", exe=others[0].exe))
    return wrong


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


def _jail_fault(facts: Facts, parameters: Parameters, jail: Jail, servers: list[Listener]) -> str:
    idle = parameters.strings("idle_actions")
    # an action that is given a name has it behind its own: sendmail-whois-sshd
    if all(a in idle or a.startswith(tuple(f"{i}-" for i in idle)) for a in jail.actions):
        return "ban_without_action"
    if any(s.first("loglevel", "root").upper() in _SILENT for s in servers):
        return "ban_hears_nothing"
    if not jail.logs and not _journal(facts, jail.journal, servers):
        return "ban_reads_nothing"
    if _spares_too_many(jail):
        return "ban_ignores_all"
    for server in servers:
        for port in server.all("port", "root"):
            if not all(_covers(told, int(port)) for told in jail.ports.values()):
                return "ban_other_port"
    short = 0 <= jail.bantime < parameters.integer("unlock")
    if short or jail.maxretry > parameters.integer("deny"):
        return "ban_too_weak"
    return "ban_too_weak" if jail.findtime < parameters.integer("interval") else ""


def _worth(facts: Facts, jail: Jail) -> str:
    """Why bans of this jail come to nothing, by what they do; empty where they come about.

    Raises NotUnderstood where that cannot be told.
    """
    seen = facts.get(effects)
    if jail.logs and _fed(facts, jail, seen) is False:
        return "ban_reads_nothing"
    if seen is None:
        raise CouldNotLook("bans.fail2ban", msg("not_collected_bans"))
    if jail.name in seen.ignoring:
        raise NotUnderstood("bans.fail2ban", msg("whom_ignorecommand_spares", name=jail.name))
    if seen.sparing is None or jail.name not in seen.sparing:
        raise CouldNotLook("bans.fail2ban", msg("not_collected_bans"))
    if seen.sparing[jail.name]:
        raise NotUnderstood("bans.fail2ban", msg("what_ignoreregex_spares", name=jail.name))
    bans = [action for action in jail.actions if seen.calls.get((jail.name, action))]
    if not bans:
        doubt = msg("what_ban_does", names=" ".join(jail.actions))
        raise NotUnderstood("bans.fail2ban", doubt)
    works = [a for a in bans if not any(map(seen.idle, seen.calls[jail.name, a]))]
    if not works:
        return "ban_without_program"
    told = {action: seen.protocols.get((jail.name, action), "tcp") for action in works}
    works = [a for a in works if {"tcp", "all"} & set(told[a].replace(",", " ").split())]
    if not works:
        return "ban_other_protocol"
    lets_in = {a: seen.lets_in(jail.name, a) for a in works}
    if all(lets_in.values()):
        return "ban_lets_in"
    if False not in lets_in.values():
        raise NotUnderstood("bans.fail2ban", msg("what_ban_does", names=" ".join(works)))
    if seen.failed.get(jail.name):
        raise NotUnderstood("bans.fail2ban", msg("bans_not_carried_out", name=jail.name))
    return "ban_not_at_boot" if seen.boot in _NOT_AT_BOOT else ""


def _spares_too_many(jail: Jail) -> bool:
    """Does ignoreip take in all the world, or a great part of it?"""
    spared = {4: NONE, 6: NONE}
    for text in jail.ignored:
        family = 6 if ":" in text else 4
        # fail2ban prints 0.0.0.0/0 and ::/0 without their length
        whole = not text.strip("0.:")
        with suppress(ValueError):  # a name stands for the few addresses it has
            spared[family] |= everything(family) if whole else network(text, family)
    return any(breadth(spans, family) > _SPARED for family, spans in spared.items())


# a network of 8 bits; of IPv6, as many networks of 48 bits
_SPARED = 1 << 24

# systemctl(1), is-enabled: it runs now, and does not after a boot
_NOT_AT_BOOT = ("disabled", "masked", "masked-runtime", "enabled-runtime", "linked-runtime")


def _fed(facts: Facts, jail: Jail, seen: Effects | None) -> bool | None:
    """Does a file of the jail get what sshd writes? None: by what runs, it may.

    Raises NotUnderstood where nobody can tell.
    """
    known = facts.get(processes)
    pids = {server.pid for server in facts.get(listeners)}
    told = " ".join(p.cmdline for p in known.all if p.pid in pids).replace("-E ", "-E").split()
    if any(f"-E{path}" in told for path in jail.logs):
        return True  # it writes there itself
    kinds = {s.first("syslogfacility", "root").upper() for s in facts.get(listeners)}
    if not kinds <= {"AUTH", "AUTHPRIV", ""}:
        raise NotUnderstood("bans.fail2ban", msg("who_writes_log", path=jail.logs[0]))
    fed = None if seen is None else seen.fed(jail.logs)
    if any(_writes(process) for process in known.all if not process.container):
        return fed
    if not known.complete or fed is not False:
        raise NotUnderstood("bans.fail2ban", msg("who_writes_log", path=jail.logs[0]))
    return fed


def _writes(process: Process) -> bool:
    """Does it take messages of the system and write them to files?"""
    return bool(process.systems(*_WRITERS))


_WRITERS = ("rsyslogd", "syslog-ng", "syslogd", "metalog", "socklog", "rklogd")


# sshd_config(5): failed logins are told at INFO; `sshd -T` prints QUIET as SILENT
_SILENT = ("QUIET", "SILENT", "FATAL", "ERROR")


def _covers(told: str, port: int) -> bool:
    """Ports as fail2ban hands them on: names, numbers and ranges; a text that is none means all."""
    for word in told.replace(" ", "").split(","):
        low, _, high = word.partition(":")
        start = _PORTS.get(low, int(low) if low.isdecimal() else None)
        if start is None:
            if low in ("anyport", "all") or not low[:1].isalnum() or " " in told:
                return True
            continue
        if start <= port <= (int(high) if high.isdecimal() else start):
            return True
    return False


def _journal(facts: Facts, match: str, servers: list[Listener]) -> bool:
    """Does a journal match take in what this sshd writes? `+` stands between alternatives."""
    if not match:
        return False
    pids = {s.pid for s in servers}
    units = {p.unit for p in facts.get(processes).all if p.pid in pids and p.unit}
    units |= {"ssh.service", "sshd.service"} if not units else set()
    # since 9.8 it is sshd-session that writes of logins
    newer = any(s.first("sshdsessionpath", "root") for s in servers)
    names = {"sshd-session"} if newer else {"sshd"}
    wanted = {"_SYSTEMD_UNIT": units, "_COMM": names, "SYSLOG_IDENTIFIER": names}
    for alternative in match.split(" + "):
        fields = [word.partition("=") for word in alternative.split()]
        if fields and all(value in wanted.get(name, {value}) for name, _, value in fields):
            return True
    return False
