"""intrusion.ssh_crypto: remote administration is encrypted, and with nothing that is broken."""

from __future__ import annotations

from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.network.listeners import sockets
from collector.i18n.message import msg
from collector.judges import on_demand, ssh_servers, taken_up
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Verdict

_KEYWORDS = ("ciphers", "macs", "kexalgorithms")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What a server offers counts, wherever in the list it stands: the client may choose it."""
    del clock
    telnet = [s for s in facts.get(sockets) if s.proto == "tcp" and not s.loopback]
    telnet = [s for s in telnet if s.port == parameters.integer("telnet_port")]
    if telnet:
        lines = tuple(dict.fromkeys(s.line for s in telnet))
        return Verdict(
            Result.FAIL,
            "telnet",
            Method.OBSERVED,
            {"program": telnet[0].process or "?"},
            (Quote("sockets.listening", lines),),
        )
    started = on_demand.telnet(
        facts, parameters.strings("telnet_programs"), parameters.strings("telnet_starters")
    )
    if started is not None:
        program, quote = started
        return Verdict(Result.FAIL, "telnet", Method.OBSERVED, {"program": program}, (quote,))
    servers = facts.get(listeners)
    for server in servers:
        found = _weak(server, parameters)
        if found:
            return Verdict(
                Result.FAIL,
                "weak",
                values={"algorithms": [*found], "program": server.exe},
                evidence=(server.quote("protocol", *_KEYWORDS),),
            )
    ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
    if not servers:
        return Verdict(Result.NOTAPPLICABLE, "no_sshd", Method.OBSERVED)
    strong = Verdict(
        Result.PASS,
        "strong",
        values={"program": servers[0].exe},
        evidence=tuple(s.quote("protocol", *_KEYWORDS) for s in servers),
    )
    return taken_up.running(strong, servers)


def _weak(server: Listener, parameters: Parameters) -> list[str]:
    """Raises NotUnderstood when sshd did not say what it offers."""
    found: list[str] = []
    protocol = server.first("protocol", "root")
    if protocol and "1" in protocol.split(","):
        found.append(f"Protocol {protocol}")
    for keyword in _KEYWORDS:
        offered = [a for a in server.first(keyword, "root").split(",") if a]
        if offered in ([], ["none"]):
            raise NotUnderstood(
                "sshd.effective", msg("t_printed_no", exe=server.exe, keyword=keyword)
            )
        patterns = parameters.strings(keyword)
        found += [a for a in offered if any(fnmatchcase(a, p) for p in patterns)]
    return found
