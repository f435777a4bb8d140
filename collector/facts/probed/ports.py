"""Ports asked from the control node, held against what the exposure engine says of them."""

from __future__ import annotations

import re
from datetime import timedelta

from collector.errors import FactError
from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.probed.outcome import Outcome, failed, not_done, untold, worked
from collector.facts.probed.recording import Recording
from collector.i18n.message import msg
from collector.model import Capture

_PORT = re.compile(r"([0-9]{1,5}) (open|closed|silent)")
_MOST = 20
# rules and listeners are those of a look that lies no further back
_SAME = timedelta(hours=1)


def outside_ports(capture: Capture, made: Recording) -> Outcome:
    """Port by port: what the engine calls unreachable must not answer. Raises no FactError."""
    if (undone := not_done(made)) is not None:
        return undone
    asked = {int(m[1]): m[2] for text in made.all("port") if (m := _PORT.fullmatch(text))}
    try:
        source = address(next(iter(made.all("source")), ""))
        target = address(next(iter(made.all("target")), ""))
        known = exposures(capture, source)
    except (ValueError, FactError):
        return untold(made, msg("probe_ports_not_comparable"))
    if not asked:
        return untold(made, msg("probe_said_too_little"))
    looked = capture.collected_at
    if looked is None or abs(made.begun - looked) > _SAME:
        return untold(made, msg("probe_ports_stale"))
    answers = {port: _answer(known, target, port) for port in asked}
    lines = tuple(f"port {p} {asked[p]}, engine: {answers[p]}" for p in sorted(asked))
    unused = [p for p in asked if answers[p] == "nobody"]
    if len(unused) > 1 and all(asked[p] == "open" for p in unused):
        return untold(made, msg("probe_ports_all_open", count=len(unused)), *lines[:_MOST])
    wrong = sorted(p for p in asked if asked[p] == "open" and answers[p] in ("no", "nobody"))
    count = len(asked)
    if wrong:
        shown = ", ".join(map(str, wrong[:_MOST]))
        lines = tuple(line for line in lines if int(line.split()[1]) in wrong)
        return failed(made, msg("probe_ports_open", ports=shown, count=count), *lines)
    opened = sorted(p for p in asked if asked[p] == "open")
    told = ", ".join(map(str, opened[:_MOST])) or "-"
    if all(state == "silent" for state in asked.values()):
        # a filter on the way would look the same
        return untold(made, msg("probe_ports_all_silent", count=count), *lines[:_MOST])
    if made.all("afterwards") != ("open",):
        return untold(made, msg("probe_ports_lost"), *lines[:_MOST])
    holds = ["firewall.exposed_ports", "firewall.admin_sources", "intrusion.cleartext_services"]
    # what nobody listens on shows whether the rules keep it out, or only the lack of a listener
    if unused and all(asked[p] == "silent" for p in unused):
        holds.append("firewall.default_deny")
    said = msg("probe_ports_agree", count=count, ports=told)
    return worked(made, "blocked", said, *lines[:_MOST], of=tuple(holds))


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
