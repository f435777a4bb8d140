"""Ports asked from the control node, held against what the exposure engine says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from collector.errors import FactError
from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.probed.outcome import Outcome, failed, not_done, untold, why_undone, worked
from collector.facts.probed.recording import Recording
from collector.i18n.message import Message, msg
from collector.model import Capture

_PORT = re.compile(r"([0-9]{1,5}) (open|closed|silent)")
_MOST = 20
# FTP, telnet, and what rexec, rlogin and rsh listen on
_CLEARTEXT = {21, 23, 512, 513, 514}
# rules and listeners are those of a look that lies no further back
_SAME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _View:
    """Ports as they answered one node, and what the engine says of them from there."""

    asked: Mapping[int, str]
    answers: Mapping[int, str]

    @property
    def wrong(self) -> tuple[int, ...]:
        """Open, though the engine lets nobody in or knows of no listener."""
        shut = ("no", "nobody")
        return tuple(
            p for p in sorted(self.asked) if self.asked[p] == "open" and self.answers[p] in shut
        )

    @property
    def unused(self) -> tuple[int, ...]:
        return tuple(p for p in self.asked if self.answers[p] == "nobody")

    @property
    def answered_for(self) -> bool:
        """Something on the way answers for everybody."""
        return len(self.unused) > 1 and all(self.asked[p] == "open" for p in self.unused)

    @property
    def silent(self) -> bool:
        return all(state == "silent" for state in self.asked.values())

    @property
    def opened(self) -> str:
        found = sorted(p for p in self.asked if self.asked[p] == "open")
        return ", ".join(map(str, found[:_MOST])) or "-"

    def lines(self, *only: int) -> tuple[str, ...]:
        ports = only or sorted(self.asked)
        return tuple(f"port {p} {self.asked[p]}, engine: {self.answers[p]}" for p in ports)[:_MOST]


def outside_ports(capture: Capture, made: Recording) -> Outcome:
    """Port by port: what the engine calls unreachable must not answer. Raises no FactError."""
    if (undone := not_done(made)) is not None:
        return undone
    try:
        view = _view(capture, made, "")
    except (ValueError, FactError):
        return untold(made, msg("probe_ports_not_comparable"))
    if not view.asked:
        return untold(made, msg("probe_said_too_little"))
    looked = capture.collected_at
    if looked is None or abs(made.begun - looked) > _SAME:
        return untold(made, msg("probe_ports_stale"))
    first = _first(made, view)
    return _with_second(capture, made, first) if made.all("second") else first


def _view(capture: Capture, made: Recording, by: str) -> _View:
    """Raises ValueError and FactError where the two cannot be compared."""
    asked = {int(m[1]): m[2] for text in made.all(f"{by}port") if (m := _PORT.fullmatch(text))}
    source = address(next(iter(made.all(f"{by}source")), ""))
    target = address(next(iter(made.all("target")), ""))
    known = exposures(capture, source)
    return _View(asked, {port: _answer(known, target, port) for port in asked})


def _first(made: Recording, view: _View) -> Outcome:
    count = len(view.asked)
    if view.answered_for:
        return untold(made, msg("probe_ports_all_open", count=len(view.unused)), *view.lines())
    if wrong := view.wrong:
        said = msg("probe_ports_open", ports=_some(wrong), count=count)
        return failed(made, said, *view.lines(*wrong))
    if view.silent:
        # a filter on the way would look the same
        return untold(made, msg("probe_ports_all_silent", count=count), *view.lines())
    if made.all("afterwards") != ("open",):
        return untold(made, msg("probe_ports_lost"), *view.lines())
    holds = _holds(made, view)
    if not holds:
        return untold(made, msg("probe_ports_let_in", ports=view.opened), *view.lines())
    said = msg("probe_ports_agree", count=count, ports=view.opened)
    return worked(made, "blocked", said, *view.lines(), of=tuple(holds))


def _holds(made: Recording, view: _View) -> list[str]:
    """What is open to this node says nothing of who else gets in."""
    opened = {p for p, state in view.asked.items() if state == "open"}
    listed = {int(p) for text in made.all("listed") for p in text.split() if p.isdecimal()}
    holds = []
    if listed and not opened & listed:
        holds.append("firewall.exposed_ports")
    if not opened & _CLEARTEXT:
        holds.append("intrusion.cleartext_services")
    # what nobody listens on shows whether the rules keep it out, or only the lack of a listener
    if view.unused and all(view.asked[p] == "silent" for p in view.unused):
        holds.append("firewall.default_deny")
    return holds


def _with_second(capture: Capture, made: Recording, first: Outcome) -> Outcome:
    """What the second node found: it can take away what the first one showed.

    A port that is open to the first one and shut to it shows that sources are told apart. Where
    nothing answers it and the rules let it in nowhere, that is as it should be.
    """
    node = made.all("second")[0]
    if (how := next(iter(made.all("second_asked")), "")) != "ok":
        return _half(first, node, msg("probe_ports_second_unasked", why=why_undone(how)))
    try:
        view = _view(capture, made, "second_")
    except (ValueError, FactError):
        return _half(first, node, msg("probe_ports_not_comparable"))
    count = len(view.asked)
    if set(view.asked) != {int(text.split(" ")[0]) for text in made.all("port")}:
        return _half(first, node, msg("probe_said_too_little"))
    if view.answered_for:
        return _half(first, node, msg("probe_ports_all_open", count=len(view.unused)))
    if wrong := view.wrong:
        said = msg("probe_ports_second_open", ports=_some(wrong), count=count, node=node)
        return failed(made, said, *view.lines(*wrong))
    if view.silent and "yes" in view.answers.values():
        return _half(first, node, msg("probe_ports_all_silent", count=count))
    again = next(iter(made.all("second_afterwards")), "")
    if not view.silent and again not in {f"{p} {state}" for p, state in view.asked.items()}:
        return _half(first, node, msg("probe_ports_second_lost"))
    if first.broken:
        return first
    said = msg("probe_ports_second", said=first.why, node=node, count=count, ports=view.opened)
    own = {
        int(m[1]) for text in made.all("port") if (m := _PORT.fullmatch(text)) and m[2] == "open"
    }
    apart = [p for p in own if view.answers[p] == "no" and view.asked[p] != "open"]
    holds = (*first.holds, *(["firewall.admin_sources"] if apart and first.came else []))
    return replace(first, why=said, holds=holds)


def _half(first: Outcome, node: str, why: Message) -> Outcome:
    said = msg("probe_ports_second_untold", said=first.why, node=node, why=why)
    return replace(first, why=said, complete=False)


def _some(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports[:_MOST]))


def _answer(known: tuple[Exposure, ...], target: tuple[int, int], port: int) -> str:
    """What the engine says: yes, no or unknown, and `nobody` where none listens."""
    family, number = target
    own = [
        e.reachable
        for e in known
        if (e.listener.proto, e.listener.family, e.listener.port) == ("tcp", family, port)
        and (e.listener.any or e.listener.address == number)
    ]
    return next((answer for answer in ("yes", "unknown", "no") if answer in own), "nobody")
