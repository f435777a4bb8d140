"""logging.remote_copy: logins and messages are sent to another host, and arrive there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.forwarding.agents import OTHERS
from collector.facts.logs.forwarding.delivery import Arrival, Arrivals, Limits, arrivals
from collector.facts.logs.syslog.daemons import syslog_running
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.judges.predicates import attested, past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_READ = "log_shipping.state"
# what is worth telling first, where nothing arrives
_WORST = ("udp", "idle", "quiet", "unseen", "stuck", "cut", "down", "own", "none")
_PARTIAL = ("udp", "idle", "quiet")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What counts is what the kernel saw acknowledged by the other side, not what is configured."""
    known = facts.get(arrivals)
    hours = parameters.integer("hours")
    limits = Limits(hours * 3600.0, parameters.integer("minutes") * 60.0)
    found = [_aged(a, hours, clock) for a in known.of(limits)]
    others = [s for s in known.links.senders if s.name in OTHERS and not s.inside]
    if others and not any(a.state == "arrived" for a in found):
        raise NotUnderstood(_READ, msg("settings_not_read", name=others[0].name))
    if not found:
        return Verdict(Result.FAIL, "no_target", evidence=(_configuration(known),))
    quotes = tuple(quote for a in found for quote in _quotes(a))
    quotes += (Quote("syslog.running", known.notes),) if known.notes else ()
    live = [a for a in found if a.state == "arrived"]
    if live:

        def again(some: list[Arrival]) -> Verdict:
            return _covered(known, some, quotes, clock, hours)

        return _as_running(facts, live, again(live), again)
    return _not_arriving(facts, found, quotes, clock, hours)


def _covered(
    known: Arrivals, live: list[Arrival], quotes: tuple[Quote, ...], clock: Clock, hours: int
) -> Verdict:
    shipping = known.shipping
    logins = any(shipping.logins(a.target) for a in live)
    general = any(shipping.general(a.target) for a in live)
    values: dict[str, Value] = {"targets": list(dict.fromkeys(a.shown for a in live))}
    if logins and general:
        until = clock.now + timedelta(hours=hours)
        return Verdict(Result.PASS, "arrives", Method.OBSERVED, values, quotes, until)
    unsure = next((a for a in live if a.target.unsure), None)
    if unsure is not None:
        line = unsure.target.line
        raise NotUnderstood(
            unsure.target.read, msg("condition_decides", short_form=line.partition("{")[0])
        )
    if not all(a.target.clear for a in live):
        return Verdict(Result.PARTIAL, "unclear", Method.OBSERVED, values, quotes)
    zh = [word for word, there in (("登录", logins), ("一般消息", general)) if not there]
    en = [word for word, there in (("logins", logins), ("general messages", general)) if not there]
    values |= {"missing_zh": "、".join(zh), "missing_en": ", ".join(en)}
    return Verdict(Result.PARTIAL, "some_only", Method.OBSERVED, values, quotes)


def _as_running(
    facts: Facts, live: list[Arrival], covered: Verdict, again: Callable[[list[Arrival]], Verdict]
) -> Verdict:
    """That something arrives was seen; what is sent, and what not, stands in the files alone."""
    for name, read in (("rsyslogd", "syslog.rsyslog"), ("syslog-ng", "syslog.syslog_ng")):
        firm = [a for a in live if a.target.read != read]
        if covered.result is not Result.PASS or len(firm) == len(live):
            continue
        taken = facts.get(syslog_running).taken(name)
        if not taken.holds() and (not firm or again(firm).result is not Result.PASS):
            return taken_up.of_logs(name, taken)
    return covered


def _not_arriving(
    facts: Facts, found: list[Arrival], quotes: tuple[Quote, ...], clock: Clock, hours: int
) -> Verdict:
    best = min(found, key=lambda a: _WORST.index(a.state))
    values: dict[str, Value] = {"target": best.shown, "hours": hours}
    attestation = None
    if best.state in (*_PARTIAL, "unseen"):
        attestation = attested(facts, "logging.remote_copy", clock)
    if attestation is not None:
        values |= {"by": attestation.by, "statement": attestation.statement}
        evidence = (*quotes, attestation.quote)
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, values, evidence, attestation.until
        )
    if best.state == "unseen":
        raise CouldNotLook(_READ, msg("the_connections_of", sender=best.target.sender))
    result = Result.PARTIAL if best.state in _PARTIAL else Result.FAIL
    return Verdict(result, best.state, Method.OBSERVED, values, quotes)


def _aged(arrival: Arrival, hours: int, clock: Clock) -> Arrival:
    """A time that the host's own files tell must be young enough, and not yet to come."""
    if arrival.at is None or clock.now - past(arrival.at, clock, _READ) <= timedelta(hours=hours):
        return arrival
    return Arrival(arrival.target, "quiet", arrival.line, at=arrival.at)


def _quotes(arrival: Arrival) -> tuple[Quote, ...]:
    target = arrival.target
    told = [Quote(target.read, (target.line,), target.source)] if target.line else []
    if arrival.line:
        told.append(Quote(_READ, (arrival.line,)))
    if arrival.at is not None:
        told.append(Quote(_READ, (f"uploaded {arrival.at:%Y-%m-%d %H:%M} UTC",)))
    return tuple(told)


def _configuration(known: Arrivals) -> Quote:
    lines = tuple(f"{c.daemon}: {c.path}" for c in known.shipping.syslog) or ("-",)
    return Quote("syslog.running", lines)
