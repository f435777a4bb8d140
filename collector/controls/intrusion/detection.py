"""intrusion.detection: a program watches the host for intrusion, and its alarms get to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from collector.errors import CouldNotLook, FactError
from collector.facts.security.alert_routes import falco_alarms, ossec_alarms
from collector.facts.security.console_links import links, wazuh
from collector.facts.security.products import Sighting, antimalware
from collector.facts.security.samhain import samhain_alarms
from collector.facts.system.taken_up import NOT_ASKED
from collector.i18n.message import msg
from collector.judges.predicates import attested, past
from collector.judges.taken_up import refuse_stale
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


@dataclass(frozen=True)
class _Way:
    """Where alarms of one product go, and when one was last seen.

    `lost`: since when what is meant for `meant` does not get out; `sender`: whom it says to be
    from, where nobody can be.
    """

    routes: tuple[str, ...]
    last: datetime | None
    quotes: tuple[Quote, ...]
    lost: datetime | None = None
    meant: tuple[str, ...] = ()
    sender: str = ""


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """An alarm that was seen, or attested as tested, within the time is what makes it whole."""
    seen = facts.get(antimalware)
    known = [
        s
        for s in seen.sightings
        if s.product.counts == "hids" or s.product.id in parameters.strings("watchers")
    ]
    run = [s for s in known if s.engines]
    if not run:
        if seen.blind:
            raise CouldNotLook("processes.all", msg("only_root_sees_program"))
        stopped = [s for s in known if s.installed]
        if stopped:
            lines = tuple(x for s in stopped for x in s.marks)
            quotes = (Quote("antimalware.places", lines),)
            return Verdict(Result.FAIL, "stopped", Method.OBSERVED, _names(stopped), quotes)
        return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("processes.all"),))
    failures: list[FactError] = []
    ways: list[tuple[Sighting, _Way]] = []
    for sighting in run:
        try:
            ways.append((sighting, _way(sighting, facts, clock)))
        except FactError as problem:
            failures.append(problem)
    routed = [(s, w) for s, w in ways if w.routes]
    if not routed:
        if failures:
            raise failures[0]
        return _nowhere(run, ways)
    return _tested(facts, parameters, clock, routed)


def _nowhere(run: list[Sighting], ways: list[tuple[Sighting, _Way]]) -> Verdict:
    lines = tuple(p.line for s in run for p in s.engines)
    quotes = (Quote("processes.all", lines), *(q for _, w in ways for q in w.quotes))
    for sighting, way in ways:
        if way.lost is not None:
            since = f"{way.lost:%Y-%m-%d %H:%M:%S %z}"
            values: dict[str, Value] = {"routes": [*way.meant], "since": since}
            values |= _names([sighting])
            return Verdict(Result.PARTIAL, "mail_fails", Method.OBSERVED, values, quotes)
        if way.sender:
            values = {"routes": [*way.meant], "sender": way.sender, **_names([sighting])}
            return Verdict(Result.PARTIAL, "nobodys_sender", Method.OBSERVED, values, quotes)
    return Verdict(Result.PARTIAL, "no_route", Method.OBSERVED, _names(run), quotes)


def _tested(
    facts: Facts, parameters: Parameters, clock: Clock, routed: list[tuple[Sighting, _Way]]
) -> Verdict:
    days = timedelta(days=parameters.integer("days"))
    sighting, way = max(
        routed, key=lambda pair: pair[1].last or datetime.fromtimestamp(0, clock.now.tzinfo)
    )
    values: dict[str, Value] = {**_names([sighting]), "routes": [*way.routes]}
    lines = tuple(p.line for p in sighting.engines)
    quotes: tuple[Quote, ...] = (Quote("processes.all", lines), *way.quotes)
    last = way.last and past(way.last, clock, "detectors.state")
    if last is not None and clock.now - last <= days:
        values["last"] = last.strftime("%Y-%m-%d")
        until = last + days
        return Verdict(Result.PASS, "alarmed", Method.OBSERVED, values, quotes, until)
    attestation = attested(facts, "intrusion.detection", clock)
    if attestation is not None:
        said = datetime.combine(attestation.date, time(), UTC)
        if clock.now - said <= days + timedelta(days=1):
            values |= {"by": attestation.by, "last": str(attestation.date)}
            until = min(attestation.until, said + days)
            quotes = (*quotes, attestation.quote)
            return Verdict(Result.PASS, "tested", Method.ATTESTED, values, quotes, until)
    return Verdict(Result.PARTIAL, "untested", Method.OBSERVED, values, quotes)


def _way(sighting: Sighting, facts: Facts, clock: Clock) -> _Way:
    if sighting.product.id == "wazuh":
        alarms = facts.get(ossec_alarms)
        if alarms is None:
            raise CouldNotLook("detectors.state", msg("agent_runs_no_ossec"))
        beat = facts.get(wazuh)
        routes = alarms.routes
        told: tuple[Quote, ...] = (Quote("detectors.state", alarms.lines, alarms.path),)
        if beat is not None and not beat.connected:
            # what cannot get to its manager has no route, whatever its settings say
            routes = tuple(r for r in routes if not r.startswith("manager "))
            told = (*told, Quote("detectors.state", beat.lines))
        return _Way(routes, alarms.last, told)
    if sighting.product.id == "samhain":
        return _samhain(facts)
    if sighting.product.id == "falco":
        alarms = facts.get(falco_alarms)
        if alarms is None:
            raise CouldNotLook("detectors.state", msg("falco_runs_no_falco"))
        return _Way(alarms.routes, None, (Quote("detectors.state", alarms.lines, alarms.path),))
    pids = {p.pid for p in sighting.engines}
    own = [link for link in facts.get(links) if link.pid in pids]
    routes = tuple(sorted({f"console {link.peer}" for link in own}))
    return _Way(routes, None, (Quote("detectors.state", tuple(link.line for link in own)),))


def _samhain(facts: Facts) -> _Way:
    own = facts.get(samhain_alarms)
    if own is None:
        raise CouldNotLook("detectors.state", msg("samhain_runs_no_samhainrc"))
    told = (Quote("detectors.state", own.lines, own.path),)
    if own.routes and own.failed is not None:
        return _Way((), None, told, own.failed, own.routes)
    if own.routes and own.of_nobody:
        return _Way((), None, told, None, own.routes, own.sender)
    if own.routes:
        for taken in own.taken or (NOT_ASKED,):
            refuse_stale("detectors.state", taken, "samhain")
    return _Way(own.routes, own.last, told)


def _names(sightings: list[Sighting]) -> dict[str, Value]:
    return {
        "product": ", ".join(s.product.name.en for s in sightings),
        "product_zh": "、".join(s.product.name.zh for s in sightings),
    }
