"""antivirus.heartbeat: each agent that runs reaches its console."""

from __future__ import annotations

from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.security.console_links import links, wazuh
from collector.facts.security.products import Sighting, antimalware
from collector.i18n.message import msg
from collector.judges.predicates import attested, past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One agent that is cut off outweighs others that are not; one that only calls now and then

    and does not at this moment is uncertain.
    """
    seen = facts.get(antimalware)
    alone = parameters.strings("without_console")
    agents = [s for s in seen.sightings if s.running and s.product.id not in alone]
    if not agents:
        if seen.blind:
            raise CouldNotLook("processes.all", msg("only_root_sees_program"))
        return Verdict(Result.NOTAPPLICABLE, "no_agent", Method.OBSERVED)
    linked: list[str] = []
    quotes: list[Quote] = []
    cut: list[Sighting] = []
    unseen: list[Sighting] = []
    for agent in agents:
        state = _linked(agent, facts, parameters, clock, quotes)
        if state:
            linked.append(state)
        elif state == "":
            cut.append(agent)
        else:
            unseen.append(agent)
    if cut:
        return Verdict(Result.FAIL, "cut_off", Method.OBSERVED, _names(cut), tuple(quotes))
    if unseen:
        attestation = attested(facts, "antivirus.heartbeat", clock)
        if attestation is not None:
            return Verdict(
                Result.PASS, "attested", Method.ATTESTED,
                {"by": attestation.by, "statement": attestation.statement},
                (attestation.quote,), attestation.until,
            )  # fmt: skip
        return Verdict(Result.ERROR, "unseen", Method.OBSERVED, _names(unseen), tuple(quotes))
    until = clock.now + timedelta(hours=parameters.integer("hours"))
    return Verdict(
        Result.PASS, "linked", Method.OBSERVED, {"links": [*linked]}, tuple(quotes), until
    )


def _linked(
    agent: Sighting, facts: Facts, parameters: Parameters, clock: Clock, quotes: list[Quote]
) -> str | None:
    """What links the agent to its console; empty: certainly nothing; None: it cannot be told."""
    hours = timedelta(hours=parameters.integer("hours"))
    if agent.product.id == "wazuh":
        beat = facts.get(wazuh)
        if beat is not None:
            quotes.append(Quote("detectors.state", beat.lines))
            answered = beat.answered and past(beat.answered, clock, "detectors.state")
            late = answered is None or clock.now - answered > hours
            fresh = not (beat.cut or late)
            return f"{agent.product.name.en}: {beat.manager or beat.lines[0]}" if fresh else ""
    pids = {p.pid for p in agent.engines if not p.login}
    own = [link for link in facts.get(links) if link.pid in pids]
    if own:
        quotes.append(Quote("detectors.state", tuple(link.line for link in own)))
        return f"{agent.product.name.en}: {', '.join(sorted({link.peer for link in own}))}"
    return "" if agent.product.id in parameters.strings("steady") else None


def _names(agents: list[Sighting]) -> dict[str, Value]:
    return {
        "product": ", ".join(s.product.name.en for s in agents),
        "product_zh": "、".join(s.product.name.zh for s in agents),
    }
