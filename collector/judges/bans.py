"""Whether a jail of fail2ban keeps those away from sshd who guess passwords."""

from __future__ import annotations

from contextlib import suppress

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.ban_effects import Effects, effects
from collector.facts.access.bans_held import SPARED, held
from collector.facts.access.fail2ban import Jail
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.base.intervals import NONE, everything, network
from collector.facts.firewall.exposure import breadth
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.model import Facts, Parameters

_PORTS = {"ssh": 22}


def jail_fault(facts: Facts, parameters: Parameters, jail: Jail, servers: list[Listener]) -> str:
    idle = parameters.strings("idle_actions")
    # an action that is given a name has it behind its own: sendmail-whois-sshd
    if all(a in idle or a.startswith(tuple(f"{i}-" for i in idle)) for a in jail.actions):
        return "ban_without_action"
    if any(s.first("loglevel", "root").upper() in _SILENT for s in servers):
        return "ban_hears_nothing"
    if not jail.logs and (unheard := _unheard(facts, jail.journal, servers)):
        return "ban_reads_nothing" if len(unheard) == len(servers) else "ban_of_another_sshd"
    if _spares_too_many(jail):
        return "ban_ignores_all"
    for server in servers:
        if not all(_covers(told, port) for port in _ports(server) for told in jail.ports.values()):
            return "ban_other_port"
    short = 0 <= jail.bantime < parameters.integer("unlock")
    if short or jail.maxretry > parameters.integer("deny"):
        return "ban_too_weak"
    return "ban_too_weak" if jail.findtime < parameters.integer("interval") else ""


def _ports(server: Listener) -> list[int]:
    told = server.all("port", "root")
    if not all(port.isascii() and port.isdecimal() and len(port) < 6 for port in told):
        raise NotUnderstood("sshd.effective", msg("t_printed_no", exe=server.exe, keyword="port"))
    return [int(port) for port in told]


def worth(facts: Facts, jail: Jail) -> str:
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
    told = {action: seen.protocol(jail.name, action) for action in works}
    works = [a for a in works if {"tcp", "all"} & set(told[a].replace(",", " ").split())]
    if not works:
        return "ban_other_protocol"
    works = _taking(jail, seen, works)
    if not works:
        return "ban_refused_protocol"
    lets_in = {a: seen.lets_in(jail.name, a) for a in works}
    if all(lets_in.values()):
        return "ban_lets_in"
    if False not in lets_in.values():
        raise NotUnderstood("bans.fail2ban", msg("what_ban_does", names=" ".join(works)))
    if seen.failed.get(jail.name):
        raise NotUnderstood("bans.fail2ban", msg("bans_not_carried_out", name=jail.name))
    return "ban_not_at_boot" if seen.boot in _NOT_AT_BOOT else ""


def _taking(jail: Jail, seen: Effects, actions: list[str]) -> list[str]:
    """Those that take the protocols they are told. Raises NotUnderstood."""
    taken = {a: seen.takes(jail.name, a, every_port=jail.ports.get(a) == "all") for a in actions}
    if True not in taken.values() and None in taken.values():
        names = ", ".join(f"{a} ({seen.protocol(jail.name, a)})" for a in actions)
        raise NotUnderstood("bans.fail2ban", msg("whether_protocols_taken", names=names))
    return [action for action in actions if taken[action]]


def protocols(facts: Facts, jail: Jail) -> str:
    """What its actions are told, and the version of fail2ban."""
    seen = facts.get(effects)
    if seen is None:
        return ""
    bans = [action for action in jail.actions if seen.calls.get((jail.name, action))]
    told = [f"{action}: {seen.protocol(jail.name, action)}" for action in bans]
    version = ".".join(map(str, seen.version or ()))
    return "; ".join([*told, *([f"fail2ban {version}"] if version else [])])


def passed_by(facts: Facts, jail: Jail, servers: list[Listener]) -> str:
    """The rule by which whom it bans gets to sshd all the same, as the kernel has them; or nothing.

    Raises FactError where that cannot be told.
    """
    seen = facts.get(effects)
    if seen is None or jail.name not in seen.banned:
        raise CouldNotLook("bans.fail2ban", msg("not_collected_bans"))
    calls = {p for action in jail.actions for p in seen.calls.get((jail.name, action), ())}
    if calls and not calls & _FILTERS:
        return ""  # a route or tcpd keeps out, where no rule tells
    ports = {port for s in servers for port in _ports(s)}
    found = held(facts.capture, jail.name, seen.banned[jail.name], ports)
    if found.answer == "unknown":
        said = msg("whether_ban_holds", name=jail.name, why=found.why)
        raise NotUnderstood("firewall.nft", said)
    if found.answer != "no":
        return ""
    return f"{found.address}: {found.why}" if found.address else found.why


_FILTERS = {"nft", "iptables", "ip6tables", "ipset", "firewall-cmd", "ufw"}


def _spares_too_many(jail: Jail) -> bool:
    """Does ignoreip take in all the world, or a great part of it?"""
    spared = {4: NONE, 6: NONE}
    for text in jail.ignored:
        family = 6 if ":" in text else 4
        # fail2ban prints 0.0.0.0/0 and ::/0 without their length
        whole = not text.strip("0.:")
        with suppress(ValueError):  # a name stands for the few addresses it has
            spared[family] |= everything(family) if whole else network(text, family)
    return any(breadth(spans, family) > SPARED for family, spans in spared.items())


# systemctl(1), is-enabled: it runs now, and does not after a boot
_NOT_AT_BOOT = ("disabled", "masked", "masked-runtime", "enabled-runtime", "linked-runtime")


def _fed(facts: Facts, jail: Jail, seen: Effects | None) -> bool | None:
    """Does a file of the jail get what sshd writes? None: by what runs, it may.

    Raises NotUnderstood where nobody can tell.
    """
    known = facts.get(processes)
    pids = {server.pid for server in facts.get(listeners)}
    told = [
        p.cmdline.replace("\n", " ").replace("-E ", "-E").split()
        for p in known.all
        if p.pid in pids
    ]
    by_itself = [any(f"-E{path}" in words for path in jail.logs) for words in told]
    if by_itself and all(by_itself):
        return True  # it writes there itself
    elsewhere = any(word.startswith("-E/") for words in told for word in words)
    kinds = {s.first("syslogfacility", "root").upper() for s in facts.get(listeners)}
    if elsewhere or not _one_log(jail.logs, kinds):
        raise NotUnderstood("bans.fail2ban", msg("who_writes_log", path=jail.logs[0]))
    if not kinds <= {"AUTH", "AUTHPRIV", ""}:
        raise NotUnderstood("bans.fail2ban", msg("who_writes_log", path=jail.logs[0]))
    fed = None if seen is None else seen.fed(jail.logs)
    if any(_writes(process) for process in known.all if not process.container):
        return fed
    if not known.complete or fed is not False:
        raise NotUnderstood("bans.fail2ban", msg("who_writes_log", path=jail.logs[0]))
    return fed


def _one_log(logs: tuple[str, ...], kinds: set[str]) -> bool:
    """Do servers of different facilities write to the same file, as far as its name tells?

    Debian's auth.log gets both, the RHEL family's secure the private one alone.
    """
    return len(kinds) == 1 or any(path.endswith("/auth.log") for path in logs)


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


def _unheard(facts: Facts, match: str, servers: list[Listener]) -> list[Listener]:
    """Those of which a journal match takes in nothing; `+` stands between alternatives."""
    return [server for server in servers if not _heard(facts, match, server)]


def _heard(facts: Facts, match: str, server: Listener) -> bool:
    if not match:
        return False
    units = {p.unit for p in facts.get(processes).all if p.pid == server.pid and p.unit}
    units = units or {"ssh.service", "sshd.service"}
    # since 9.8 it is sshd-session that writes of logins
    names = {"sshd-session"} if server.first("sshdsessionpath", "root") else {"sshd"}
    wanted = {"_SYSTEMD_UNIT": units, "_COMM": names, "SYSLOG_IDENTIFIER": names}
    for alternative in match.split(" + "):
        fields = [word.partition("=") for word in alternative.split()]
        if fields and all(value in wanted.get(name, {value}) for name, _, value in fields):
            return True
    return False


def unheard(facts: Facts, jail: Jail, servers: list[Listener]) -> str:
    """The first sshd whose messages the jail does not read, as a person finds it; or nothing."""
    for server in _unheard(facts, jail.journal, servers) if not jail.logs else ():
        units = [p.unit for p in facts.get(processes).all if p.pid == server.pid and p.unit]
        ports = " ".join(server.all("port", "root"))
        return f"{units[0] if units else server.exe} ({ports})"
    return ""
