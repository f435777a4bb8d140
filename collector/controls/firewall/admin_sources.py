"""firewall.admin_sources: SSH cannot be reached from just anywhere."""

from __future__ import annotations

from dataclasses import replace

from collector.errors import NotUnderstood
from collector.facts.access.sshd_effective import listeners
from collector.facts.access.ways_in import ways_in
from collector.facts.firewall.exposure import Exposure, breadth, exposures
from collector.facts.network.listeners import Listener as Listening
from collector.facts.network.relays import COCKPIT, held_by_systemd
from collector.facts.network.socket_owners import holders
from collector.facts.system.processes import processes
from collector.i18n.message import in_chinese, msg
from collector.judges import relays, ssh_limits, taken_up
from collector.judges.predicates import Attestation, attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "firewall.admin_sources"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Who reaches it by its own port; then who by another port, or out of the host's own tunnel."""
    found = _by_whom(facts, parameters, clock)
    if found.result is not Result.PASS or found.reason == "attested":
        return found
    names = relays.untold(facts, parameters.integer("most_sources"))
    if not names:
        return found
    listed = ", ".join(names)
    values: dict[str, Value] = {
        **found.values,
        "unexamined": [*names],
        "others": f"{found.values['others']}; not told where these lead: {listed}",
        "others_zh": f"{found.values['others_zh']}；对外开放、去向未核查：{listed}",
    }
    return replace(found, values=values)


def _by_whom(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    found = _by_its_port(facts, parameters, clock)
    if found.reason not in ("limited", "by_sshd"):
        return found
    beside = relays.leading(facts, parameters.integer("most_sources"))
    tunnels = [seen for seen in facts.get(ways_in) if seen.way.kind == "tunnel"]
    if not beside and not tunnels:
        return found
    answer = attested(facts, CONTROL, clock)
    if answer is not None:
        return _attested(facts, answer)
    if beside:
        lines = tuple(dict.fromkeys(e.listener.line for e in beside))
        values: dict[str, Value] = {"relays": [*relays.shown(beside)], **_others(facts)}
        listed = Quote("sockets.listening", lines)
        return Verdict(Result.ERROR, "relayed", Method.OBSERVED, values, (listed,))
    names = [seen.way.name for seen in tunnels]
    values = {"tunnels": [n.en for n in names], "tunnels_zh": [n.zh for n in names]}
    quote = Quote("processes.all", tuple(p.line for seen in tunnels for p in seen.processes))
    return Verdict(Result.ERROR, "tunnelled", Method.OBSERVED, values | _others(facts), (quote,))


def _by_its_port(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The packet filter first; what comes through it may still be shut out by sshd itself."""
    most = parameters.integer("most_sources")
    servers = facts.get(listeners)
    names = parameters.strings("processes")
    ports = {int(p) for s in servers for p in s.all("port", "root") if p.isdecimal()}
    seen = [
        e
        for e in facts.get(exposures)
        if e.listener.proto == "tcp"
        and (e.listener.process in names or e.listener.port in ports or _cockpit(e.listener))
    ]
    known = facts.get(processes)
    panels = {p.pid for w in facts.get(ways_in) if w.way.kind == "panel" for p in w.processes}
    theirs = [e for e in facts.get(exposures) if _holds(e, panels)]
    seen += [e for e in theirs if e not in seen]
    if panels and not any(_holds(e, panels) for e in seen):
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
        limits = [ssh_limits.limit(facts, s, most) for s in servers]
        if limits and all(limit is not None for limit in limits):
            said, quotes = next(limit for limit in limits if limit is not None)
            # another SSH server beside it turns nobody away
            beside = {*names} - {"sshd"}
            others = [
                e for e in seen
                if e.listener.process in beside or _holds(e, panels) or _cockpit(e.listener)
            ]  # fmt: skip
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
            return _attested(facts, answer)
    if opened:
        return _verdict(Result.FAIL, "open", opened, _others(facts))
    if doubtful:
        return _verdict(Result.ERROR, "unknown", doubtful, _others(facts))
    if not seen:
        listed = (Quote("sockets.listening"),)
        return Verdict(Result.PASS, "not_listening", Method.OBSERVED, _others(facts), listed)
    return _verdict(Result.PASS, "limited", seen, _others(facts))


def _attested(facts: Facts, answer: Attestation) -> Verdict:
    values: dict[str, Value] = {"by": f"{answer.by}: {answer.statement}", **_others(facts)}
    return Verdict(Result.PASS, "attested", Method.ATTESTED, values, (answer.quote,), answer.until)


def _holds(exposure: Exposure, pids: set[int]) -> bool:
    listener = exposure.listener
    return bool(pids & {listener.pid, *(pid for _, pid in holders(listener.line))})


def _cockpit(listener: Listening) -> bool:
    """Is it the socket that starts Cockpit when somebody comes?"""
    return listener.port == COCKPIT and held_by_systemd(listener)


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
