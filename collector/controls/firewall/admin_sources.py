"""firewall.admin_sources: SSH cannot be reached from just anywhere."""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.facts.access.inetd import wrapped, wrapper_networks
from collector.facts.access.sshd_config import blocks
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.access.ways_in import ways_in
from collector.facts.base.intervals import NONE, Spans, everything, network
from collector.facts.firewall.exposure import Exposure, breadth, exposures
from collector.facts.system.processes import processes
from collector.i18n.message import in_chinese, msg
from collector.judges import taken_up
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "firewall.admin_sources"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The packet filter first; what comes through it may still be shut out by sshd itself."""
    most = parameters.integer("most_sources")
    servers = facts.get(listeners)
    names = parameters.strings("processes")
    ports = {int(p) for s in servers for p in s.all("port", "root") if p.isdecimal()}
    seen = [
        e
        for e in facts.get(exposures)
        if e.listener.proto == "tcp" and (e.listener.process in names or e.listener.port in ports)
    ]
    known = facts.get(processes)
    panels = {p.pid for w in facts.get(ways_in) if w.way.kind == "panel" for p in w.processes}
    seen += [e for e in facts.get(exposures) if e.listener.pid in panels and e not in seen]
    if panels and not any(e.listener.pid in panels for e in seen):
        raise NotUnderstood("sockets.listening", msg("port_listens", exe=_exe(facts, panels)))
    programs = parameters.strings("programs")
    for process in known.running(*programs):
        # where the listing names no process, another server's port would go unnoticed
        listening = any(e.listener.process == process.name for e in seen)
        if not process.container and not listening and process.name != "sshd":
            raise NotUnderstood("sockets.listening", msg("port_listens", exe=process.exe))
    seen += _led(facts, seen, {e.listener.port for e in seen})
    if not servers and not seen:
        known.absent(*programs)
        return Verdict(Result.NOTAPPLICABLE, "no_sshd", Method.OBSERVED, _others(facts))
    opened = [e for e in seen if breadth(e.yes, e.listener.family) > most]
    doubtful = [e for e in seen if breadth(e.yes | e.unknown, e.listener.family) > most]
    if doubtful:
        limits = [_limit(facts, s, most) for s in servers]
        if limits and all(limit is not None for limit in limits):
            said, quotes = next(limit for limit in limits if limit is not None)
            # another SSH server beside it turns nobody away
            beside = {*names} - {"sshd"}
            others = [e for e in seen if e.listener.process in beside or e.listener.pid in panels]
            others += _led(facts, others, {e.listener.port for e in others})
            doubtful = [e for e in doubtful if e in others]
            opened = [e for e in opened if e in doubtful]
            if not doubtful:
                by = {"by": said, **_others(facts)}
                shut = _verdict(Result.PASS, "by_sshd", seen, by, quotes)
                # TCP wrappers read their files for each connection
                mine = any(quote.read.startswith("sshd.") for quote in quotes)
                return taken_up.running(shut, servers) if mine else shut
        answer = attested(facts, CONTROL, clock)
        if answer is not None:
            values: dict[str, Value] = {"by": f"{answer.by}: {answer.statement}", **_others(facts)}
            return Verdict(
                Result.PASS, "attested", Method.ATTESTED, values, (answer.quote,), answer.until
            )
    if opened:
        return _verdict(Result.FAIL, "open", opened, _others(facts))
    if doubtful:
        return _verdict(Result.ERROR, "unknown", doubtful, _others(facts))
    if not seen:
        listed = (Quote("sockets.listening"),)
        return Verdict(Result.PASS, "not_listening", Method.OBSERVED, _others(facts), listed)
    return _verdict(Result.PASS, "limited", seen, _others(facts))


def _led(facts: Facts, seen: list[Exposure], ports: set[int]) -> list[Exposure]:
    """Other ports of this host that lead to one of these."""
    found = [e for e in facts.get(exposures) if e.listener.proto == "tcp" and e not in seen]
    return [e for e in found if e.local & ports]


def _exe(facts: Facts, pids: set[int]) -> str:
    return next(p.exe or p.name for p in facts.get(processes).all if p.pid in pids)


def _others(facts: Facts) -> dict[str, Value]:
    """What of a cloud's console runs commands here as well: no rule of this host limits it."""
    remote = [seen.way.name for seen in facts.get(ways_in) if seen.way.kind == "remote"]
    if not remote:
        return {"others": "", "others_zh": ""}
    return {
        "others": f"; commands also come by {', '.join(name.en for name in remote)}",
        "others_zh": f"；另可由云控制台经{'、'.join(name.zh for name in remote)}执行命令",
    }


def _verdict(
    result: Result,
    reason: str,
    seen: list[Exposure],
    more: dict[str, Value],
    quotes: tuple[Quote, ...] = (),
) -> Verdict:
    every = [f"IPv{e.listener.family} {', '.join(e.sources) or '-'}" for e in seen]
    sources, why = "; ".join(dict.fromkeys(every)), next((e.why for e in seen if e.why), "")
    values: dict[str, Value] = {
        "ports": ", ".join(dict.fromkeys(f"{e.listener.port} ({e.listener.shown})" for e in seen)),
        "sources": sources,
        "sources_zh": sources.replace("anywhere", "任意地址"),
        "why": why,
        "why_zh": in_chinese(why),
        **more,
    }
    lines = tuple(dict.fromkeys(e.listener.line for e in seen if not e.targets))
    rules = tuple(dict.fromkeys(e.why for e in seen if e.why))
    evidence = (Quote("sockets.listening", lines), Quote("firewall.nft", rules), *quotes)
    return Verdict(result, reason, Method.OBSERVED, values, evidence)


def _limit(facts: Facts, server: Listener, most: int) -> tuple[str, tuple[Quote, ...]] | None:
    """How sshd itself shuts out most of the world; None where it does not.

    Raises NotUnderstood where Match blocks make that depend on more than was asked.
    """
    mine = blocks(facts.capture, server)
    if any(b.value("allowusers") is not None for b in mine):
        raise NotUnderstood("sshd.files", msg("allowusers_inside_match_block"))
    for keyword in ("refuseconnection", "denyusers"):
        told = [server.all(keyword, user) for user in ("root", "nobody")]
        if all({"yes", "*", "*@*"} & set(values) for values in told):
            setting = [b for b in mine if b.value(keyword) is not None]
            if all(_broad(b.criteria) for b in setting):
                lines = tuple(b.line for b in setting)
                quote = Quote("sshd.files", lines) if lines else server.quote(keyword)
                return f"{keyword} {told[0][0]}", (quote,)
    allowed = server.all("allowusers", "nobody")
    if allowed and allowed == server.all("allowusers", "root"):
        sources = [_sources(p.partition("@")[2]) for p in allowed]
        if _narrow([s for s in sources if s is not None], len(allowed), most):
            return f"AllowUsers {' '.join(allowed)}", (server.quote("allowusers"),)
    counts = wrapped(facts.capture, server.exe, server.first("sshdsessionpath", "root"))
    told_ = wrapper_networks(facts.capture, "sshd") if counts else None
    if told_ is not None:
        clients, quote = told_
        nets = [_sources(c) for c in clients]
        if _narrow([s for s in nets if s is not None], len(clients), most):
            return f"hosts.allow {' '.join(clients)}", (quote,)
    return None


def _broad(criteria: tuple[tuple[str, str], ...]) -> bool:
    """Does a Match block hold for everything but what it takes out?"""
    return all(
        name == "all" or (name == "address" and {"*", "0.0.0.0/0"} & set(value.split(",")))
        for name, value in criteria
    )


def _narrow(sources: list[dict[int, Spans]], count: int, most: int) -> bool:
    """Were all `count` patterns understood, and do they add up to few public sources?"""
    if len(sources) != count:
        return False
    for family in (4, 6):
        total = NONE
        for found in sources:
            total |= found.get(family, NONE)
        if breadth(total, family) > most:
            return False
    return True


def _sources(pattern: str) -> dict[int, Spans] | None:
    """The addresses of a host pattern (of sshd or TCP wrappers); None when it may be anything."""
    if not pattern or pattern.startswith(("*", "!", "ALL", ".")):
        return None
    if pattern.upper() in ("LOCAL", "LOCALHOST"):
        return {4: network("127.0.0.0/8", 4)}
    bare = pattern.strip("[]") if "]/" not in pattern else pattern.replace("[", "").replace("]", "")
    start = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3}){0,2})(?:\.\*?|\.\*\.\*|\.\*\.\*\.\*)", bare)
    if start:
        parts = start[1].split(".")
        bare = ".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}"
    family = 6 if ":" in bare else 4
    mask = re.fullmatch(r"([0-9.]+)/(255[0-9.]+)", bare)
    if mask:
        bits = sum(int(p).bit_count() for p in mask[2].split("."))
        bare = f"{mask[1]}/{bits}"
    try:
        return {family: network(bare, family)}
    except ValueError:
        # a name stands for the few addresses it has; a pattern of names for anything
        return None if "*" in pattern or "?" in pattern else {family: NONE & everything(family)}
