"""What the probes of a capture showed, each by the module that knows it."""

from __future__ import annotations

from collector.errors import FactError
from collector.facts.data.inventory import inventory
from collector.facts.probed import malware, ports, restored, shown
from collector.facts.probed.outcome import Outcome
from collector.facts.probed.recording import Recording, recorded, recording
from collector.model import Facts

_ALONE = {
    "log_arrival": shown.log_arrival,
    "failed_login": shown.failed_login,
    "malware_stream": malware.malware_stream,
    "integrity": shown.integrity,
    "time": shown.clock,
    "ban": shown.ban,
}


def outcome(facts: Facts, name: str) -> Outcome | None:
    """What came of a probe; None where it was not asked for. Raises FactError."""
    made = recording(facts.capture, name)
    if made is None:
        return None
    if name == "outside_ports":
        return ports.outside_ports(facts.capture, made)
    if name == "restore":
        return restored.restore(made, _important(facts))
    return _ALONE[name](made)


def every(facts: Facts) -> tuple[Outcome | FactError, ...]:
    """Of each that was asked for, in their order: what came of it, or why that is not known."""
    found: list[Outcome | FactError] = []
    for name in recorded(facts.capture):
        try:
            seen = outcome(facts, name)
        except FactError as problem:
            found.append(problem)
        else:
            found += [seen] if seen is not None else []
    return tuple(found)


def _important(facts: Facts) -> tuple[str, ...]:
    try:
        known = inventory(facts)
    except FactError:
        # which stores matter is not known, so a restore proves none of them; a broken one it is
        return ()
    return tuple(store.name for store in known.stores if store.important) if known else ()


__all__ = ["Outcome", "Recording", "every", "outcome"]
