"""antivirus.signatures: the signatures against malicious code are recent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from collector.errors import CouldNotLook, FactError
from collector.facts.security.products import Sighting, antimalware
from collector.facts.security.signatures import Signatures, antiy, clamav, mdatp
from collector.facts.system.taken_up import Answer
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.model import Capture, Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_LOCAL: dict[str, Callable[[Capture], Signatures | None]] = {
    "clamav": clamav,
    "mdatp": mdatp,
    "antiy": antiy,
}
# as far as the clocks of two well-kept hosts may stand apart
_SKEW = timedelta(hours=1)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The freshest signatures of a running product count; without one, those of a stopped one."""
    seen = facts.get(antimalware)
    found = [s for s in seen.sightings if s.product.counts != "hids" and (s.engines or s.installed)]
    considered = [s for s in found if s.running] or found
    if not considered:
        if seen.blind:
            raise CouldNotLook("processes.all", msg("only_root_sees_program"))
        return Verdict(Result.FAIL, "no_product", Method.OBSERVED)
    local = [s for s in considered if s.product.signatures in _LOCAL]
    dated: list[tuple[Sighting, Signatures]] = []
    failures: list[FactError] = []
    for sighting in local:
        try:
            signatures = facts.get(_LOCAL[sighting.product.signatures])
        except FactError as problem:
            failures.append(problem)
            continue
        if signatures is not None:
            dated.append((sighting, signatures))
    if dated:
        return _age(*max(dated, key=lambda pair: pair[1].built), parameters, clock)
    if failures:
        raise failures[0]
    console = [s for s in considered if s.product.signatures not in _LOCAL]
    if console:
        return Verdict(Result.ERROR, "console", Method.OBSERVED, _names(console))
    quotes = tuple(Quote(f"signatures.{s.product.signatures}") for s in local)
    return Verdict(Result.FAIL, "no_signatures", Method.OBSERVED, _names(local), quotes)


def _names(sightings: list[Sighting]) -> dict[str, Value]:
    return {
        "product": ", ".join(s.product.name.en for s in sightings),
        "product_zh": "、".join(s.product.name.zh for s in sightings),
    }


def _not_loaded(signatures: Signatures) -> dict[str, Value]:
    """What is said of an engine that may still scan with what it loaded before; empty: of none.

    Raises FactError where that is not told.
    """
    for taken in signatures.loaded:
        taken_up.refuse_doubt(signatures.read, taken, "clamd")
        if taken.answer is not Answer.YES:
            return taken_up.stale(taken, "clamd")
    return {}


def _age(
    sighting: Sighting, signatures: Signatures, parameters: Parameters, clock: Clock
) -> Verdict:
    fresh = timedelta(days=parameters.integer("fresh_days"))
    stale = timedelta(days=parameters.integer("stale_days"))
    age = clock.now - signatures.built
    values: dict[str, Value] = {
        **_names([sighting]),
        "built": signatures.built.strftime("%Y-%m-%d %H:%M UTC"),
        "days": max(0, age.days),
    }
    evidence = (Quote(signatures.read, (signatures.line,)),)
    if age < -_SKEW:
        return Verdict(Result.ERROR, "future", Method.OBSERVED, values, evidence)
    if age <= stale and (unseen := _not_loaded(signatures)):
        return Verdict(Result.ERROR, "not_loaded", Method.OBSERVED, values | unseen, evidence)
    if age <= fresh:
        until = signatures.built + fresh
        return Verdict(Result.PASS, "fresh", Method.OBSERVED, values, evidence, until)
    if age <= stale:
        return Verdict(Result.PARTIAL, "ageing", Method.OBSERVED, values, evidence)
    return Verdict(Result.FAIL, "stale", Method.OBSERVED, values, evidence)
