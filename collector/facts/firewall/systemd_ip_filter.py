"""Which sources systemd keeps from the sockets of a unit: IPAddressDeny=, IPIngressFilterPath=.

systemd.resource-control(5): an address is let through that is in the list of those allowed, of
the unit or of a slice around it; otherwise it is held back where it is in a list of those denied.
Whether the kernel was able to enforce it, systemd does not show; so it puts in doubt, no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.facts.base.intervals import NONE, Spans, everything, network
from collector.i18n.message import msg
from collector.model import Capture

_UNIT = re.compile(r"(?<![^/])[^/]+\.(?:service|socket|scope|slice)")
# what a socket unit hands over is held by the manager itself, until its service starts
_MANAGER = "init.scope"


@dataclass(frozen=True, slots=True)
class Limit:
    """`denied` are the sources, by family, that some unit of `units` would hold back."""

    denied: Mapping[int, Spans]
    units: str


def limits(capture: Capture) -> dict[int, Limit]:
    """By process; those of a unit that limits nothing are left out. Raises FactError."""
    text = capture.read("sockets.listening").text()
    _, _, told = text.partition("== units\n")
    blocks = [_settings(block) for block in re.split(r"\n\s*\n", told)]
    known = {block["Id"]: block for block in blocks if "Id" in block}
    found: dict[int, Limit] = {}
    for pid, path in re.findall(r"^pid (\d+) (\S+)$", told, re.MULTILINE):
        names = _units(path)
        if _MANAGER in names:
            # one of the socket units, and it is not told which
            names += [name for name in known if name.endswith(".socket")]
        limit = _limit([known[name] for name in names if name in known])
        if "refused" in told:
            limit = Limit({4: everything(4), 6: everything(6)}, msg("systemd_not_answer"))
        if limit is not None:
            found[int(pid)] = limit
    return found


def _units(path: str) -> list[str]:
    """The system's units of a control group: what lies below the first that is no slice is left

    to that unit. A user's own manager calls there what it starts as the user likes.
    """
    names: list[str] = []
    for name in _UNIT.findall(path):
        names.append(name)
        if not name.endswith(".slice"):
            break
    return names


def _settings(block: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE))


def _limit(units: list[dict[str, str]]) -> Limit | None:
    denied = {4: NONE, 6: NONE}
    allowed = {4: NONE, 6: NONE}
    by: list[str] = []
    for unit in units:
        programs = unit.get("IPIngressFilterPath", "").strip()
        for family in (4, 6):
            mine = everything(family) if programs else _spans(unit.get("IPAddressDeny", ""), family)
            denied[family] |= mine
            allowed[family] |= _spans(unit.get("IPAddressAllow", ""), family)
            if mine:
                by.append(
                    f"{'IPIngressFilterPath' if programs else 'IPAddressDeny'}= of {unit['Id']}"
                )
        if programs:
            return Limit({f: everything(f) for f in (4, 6)}, by[-1])
    held = {family: denied[family] - allowed[family] for family in (4, 6)}
    return Limit(held, ", ".join(dict.fromkeys(by))) if held[4] or held[6] else None


def _spans(listed: str, family: int) -> Spans:
    found = NONE
    for word in listed.split():
        try:
            found |= network(word, family)
        except ValueError:
            found |= everything(family)
    return found
