"""encryption.database_access: no database lets in whoever comes from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts.data.database_access import ALWAYS_ASK, Access, access, asked
from collector.facts.data.database_listeners import database_of
from collector.facts.firewall.exposure import Exposure, exposures
from collector.judges import relays
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Who can reach it comes from the exposure engine; what is open to nobody may be open."""
    ports = {int(p) for p in parameters.strings("ports")}
    seen = [(e, database_of(e, ports)) for e in facts.get(exposures)]
    known = [(e, engine) for e, engine in seen if engine]
    others = [f"{e.listener.port} {e.listener.process}" for e, n in seen
              if not n and e.reachable != "no"]  # fmt: skip
    left: dict[str, Value] = {"others": [*dict.fromkeys(others)] or ["-"]}
    if not known:
        quotes = (Quote("sockets.listening"),)
        return Verdict(Result.NOTAPPLICABLE, "no_database", Method.OBSERVED, left, quotes)
    reachable = [(e, engine) for e, engine in known if e.reachable != "no"]
    beside = relays.leading(facts)
    # what listens for this host alone is reached by whoever reaches such a program, and may ask
    # nobody who comes from here
    behind = [(e, engine) for e, engine in known if e.reachable == "no"] if beside else []
    if not reachable and not behind:
        return _verdict(Result.PASS, "not_reachable", known, {}, left)
    told = facts.get(access)
    auth = {n: told[n].auth if n in told else "unknown" for _, n in reachable}
    auth |= dict.fromkeys(_not_all_asked(facts, known) & {n for n in auth if auth[n] == "asks"},
                          "unknown")  # fmt: skip
    auth |= dict.fromkeys((e for e in auth if e in ALWAYS_ASK), "asks")
    opened = [(e, n) for e, n in reachable if auth[n] == "open"]
    sure = [(e, n) for e, n in opened if e.reachable == "yes"]
    doubtful = opened or [(e, n) for e, n in reachable if auth[n] == "unknown"]
    if sure:
        return _verdict(Result.FAIL, "open", sure, told)
    if not doubtful and not behind:
        return _verdict(Result.PASS, "asks", reachable, told, left)
    answer = attested(facts, "encryption.database_access", clock)
    if answer is not None:
        values: dict[str, Value] = {"by": f"{answer.by}: {answer.statement}"}
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, values, (answer.quote,), answer.until
        )
    if not doubtful:
        through: dict[str, Value] = {"relays": [*relays.shown(beside)]}
        return _verdict(Result.ERROR, "relayed", behind, told, through)
    return _verdict(Result.ERROR, "untold", doubtful, told)


def _not_all_asked(facts: Facts, known: list[tuple[Exposure, str]]) -> set[str]:
    """Engines of which a server listens that was not asked: what another one says is not its own.

    Anybody starts one that says what he likes.
    """
    at: dict[int | None, set[int]] = {}
    for exposure, _ in known:
        at.setdefault(exposure.listener.pid, set()).add(exposure.listener.port)
    return {
        engine
        for exposure, engine in known
        if not (pid := exposure.listener.pid) or not asked(facts.capture, engine, pid, at[pid])
    }


def _verdict(
    result: Result,
    reason: str,
    seen: list[tuple[Exposure, str]],
    told: Mapping[str, Access],
    left: Mapping[str, Value] | None = None,
) -> Verdict:
    lines = tuple(dict.fromkeys(e.listener.line for e, _ in seen if e.listener.line))
    quotes = [Quote("sockets.listening", lines)]
    shown: list[str] = []
    for exposure, engine in seen:
        found = told.get(engine)
        word = f"{engine} {exposure.listener.shown}:{exposure.listener.port}"
        shown.append(f"{word} ({found.why})" if found else word)
        if found and found.lines:
            quotes.append(Quote("database_access.state", found.lines[:20]))
    values: dict[str, Value] = {"told": [*dict.fromkeys(shown)], **(left or {})}
    return Verdict(result, reason, Method.OBSERVED, values, tuple(dict.fromkeys(quotes)))
