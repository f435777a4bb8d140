"""firewall.exposed_ports: nobody outside can reach a service that is attacked on sight."""

from __future__ import annotations

from dataclasses import replace

from collector.facts.base.intervals import Spans
from collector.facts.firewall.exposure import Exposure, breadth, exposures, sent_on_with_others
from collector.i18n.message import in_chinese
from collector.judges import relays
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A port counts as open when more public sources reach it than an allow list has."""
    del clock
    listed = _ports(parameters.strings("ports"))
    most = parameters.integer("most_sources")
    known = facts.get(exposures)
    # what leads to such a port is as good as the port itself
    seen = [e for e in known if any(port in listed for port in (e.listener.port, *e.led_to))]
    opened = [e for e in seen if breadth(e.yes, e.listener.family) > most]
    if opened:
        return _verdict(Result.FAIL, "exposed", opened)
    seen += sent_on_with_others(facts.capture, known, listed)
    doubtful = [e for e in seen if breadth(e.yes | e.unknown, e.listener.family) > most]
    if doubtful:
        return _verdict(Result.ERROR, "unknown", doubtful)
    if not seen:
        return Verdict(
            Result.PASS, "none_listening", Method.OBSERVED, evidence=(Quote("sockets.listening"),)
        )
    if beside := relays.leading(facts, most):
        found = _verdict(Result.ERROR, "relayed", [*seen, *beside])
        values: dict[str, Value] = {**found.values, "relays": [*relays.shown(beside)]}
        return replace(found, values=values)
    return _verdict(Result.PASS, "closed", seen)


def _verdict(result: Result, reason: str, seen: list[Exposure]) -> Verdict:
    why = next((e.why for e in seen if e.why), "")
    values: dict[str, Value] = {
        "ports": ", ".join(dict.fromkeys(_shown(e) for e in seen)),
        "why": why,
        "why_zh": in_chinese(why),
    }
    sockets = tuple(dict.fromkeys(e.listener.line for e in seen if e.listener.line))
    rules = tuple(dict.fromkeys(e.why for e in seen if e.why))
    return Verdict(
        result,
        reason,
        Method.OBSERVED,
        values,
        (Quote("sockets.listening", sockets), Quote("firewall.nft", rules)),
    )


def _shown(exposure: Exposure) -> str:
    listener = exposure.listener
    sent = f"→ {', '.join(exposure.targets)}" if exposure.targets else "?"
    who = (listener.process if exposure.answers else "") or sent
    return f"{listener.port}/{listener.proto} IPv{listener.family} {listener.shown} ({who})"


def _ports(texts: tuple[str, ...]) -> Spans:
    """Ports and ranges such as `137-139`."""
    ranges = []
    for text in texts:
        low, _, high = text.partition("-")
        ranges.append((int(low), int(high or low)))
    return Spans.of(ranges)
