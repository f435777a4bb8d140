"""firewall.default_deny: what nobody asked for does not come in, neither now nor after a boot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from collector.errors import NotUnderstood
from collector.facts.base.intervals import NONE, Spans
from collector.facts.firewall.boot_files import booted, opened_at_boot
from collector.facts.firewall.boot_ruleset import at_boot
from collector.facts.firewall.exposure import breadth
from collector.facts.firewall.ingress import Outcome, Ways
from collector.facts.firewall.live_ruleset import firewall
from collector.facts.firewall.reachability import Firewall, numerics
from collector.facts.firewall.rules.packet import PROTOCOLS
from collector.facts.firewall.undone import Undone, csf_at_boot, flushes, zones_to_come
from collector.i18n.message import in_chinese, msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_PORTS = Spans(((1, 65_535),))
_HALF = 32_768
_WIDE = 1024
"""Ports of a range from which on it is no list: well-known ports are no more."""


@dataclass(frozen=True)
class _Seen:
    """What a packet to a port that no rule names meets, for one family."""

    family: int
    yes: Spans
    unknown: Spans
    lets: list[str]
    keeps: list[str]

    def and_of(self, found: Outcome) -> _Seen:
        return _Seen(
            self.family,
            self.yes | found.yes,
            self.unknown | found.unknown,
            [*self.lets, *found.lets],
            [*self.keeps, *found.keeps],
        )


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Both families are sent a TCP and a UDP packet in thought, to a port that no rule names."""
    del clock
    filtering = facts.get(firewall)
    families = [f for f in (4, 6) if filtering.network.global_addresses(f)]
    if not families:
        return Verdict(Result.NOTAPPLICABLE, "no_network", Method.OBSERVED)
    most = parameters.integer("most_sources")
    seen = [_unlisted(filtering, family, most) for family in families]
    opened = [s for s in seen if breadth(s.yes, s.family) > most]
    if opened:
        reason = "open" if any(_loaded(filtering, s.family) for s in opened) else "none"
        return _verdict(Result.FAIL, reason, opened, [line for s in opened for line in s.lets])
    doubtful = [s for s in seen if breadth(s.yes | s.unknown, s.family) > most]
    if doubtful:
        return _verdict(
            Result.ERROR, "unknown", doubtful, [line for s in doubtful for line in s.lets]
        )
    own = facts.get(csf_at_boot)
    loaders = {family: [*at_boot(facts.capture, family), *own] for family in families}
    keeps = [line for s in seen for line in s.keeps]
    lost = [s for s in seen if not loaders[s.family]]
    if lost:
        return _verdict(Result.PARTIAL, "not_at_boot", lost, keeps)
    boot = facts.get(booted)
    if boot is not None:
        then = [_unlisted(boot, family, most) for family in families]
        opens = [s for s in then if breadth(s.yes, s.family) > most]
        if opens:
            return _verdict(
                Result.PARTIAL, "not_at_boot", opens, [w for s in opens for w in s.lets]
            )
    undone = [e for e in facts.get(opened_at_boot) if breadth(e.yes, e.listener.family) > most]
    if undone:
        told = [e.listener.line for e in undone] + [e.why for e in undone]
        return _verdict(
            Result.PARTIAL,
            "opened_by_boot",
            [s for s in seen if s.family in {e.listener.family for e in undone}],
            told,
            ", ".join(dict.fromkeys(f"{e.listener.port}/{e.listener.proto}" for e in undone)),
        )
    if wider := facts.get(zones_to_come):
        found = _verdict(Result.PARTIAL, "opened_by_boot", seen, list(wider), ", ".join(wider))
        return replace(found, evidence=(*found.evidence, Quote("firewall.undone", wider)))
    if away := facts.get(flushes):
        return _flushed(seen, away)
    by = ", ".join(sorted({name for names in loaders.values() for name in names}))
    return _verdict(Result.PASS, "denied", seen, keeps, by)


def _flushed(seen: list[_Seen], away: tuple[Undone, ...]) -> Verdict:
    """Raises NotUnderstood where the same place makes rules of its own: what holds is not told."""
    for one in away:
        if one.adds:
            said = msg("rules_made_at_boot", path=one.path, command=one.command)
            raise NotUnderstood("firewall.undone", said)
    found = _verdict(Result.PARTIAL, "flushed_at_boot", seen, [], away[0].line)
    quote = Quote("firewall.undone", tuple(one.line for one in away))
    return replace(found, evidence=(*found.evidence, quote))


def _verdict(
    result: Result, reason: str, seen: list[_Seen], lines: list[str], by: str = ""
) -> Verdict:
    told = list(dict.fromkeys(line for line in lines if line))
    values: dict[str, Value] = {
        "families": ", ".join(f"IPv{s.family}" for s in seen),
        "why": told[0] if told else "",
        "why_zh": in_chinese(told[0]) if told else "",
        "by": by,
    }
    evidence = [Quote("firewall.nft", tuple(told))]
    if reason in ("denied", "not_at_boot", "opened_by_boot"):
        evidence += [Quote("services.unit_files"), Quote("firewall.saved")]
    return Verdict(result, reason, Method.OBSERVED, values, tuple(evidence))


def _loaded(filtering: Firewall, family: int) -> bool:
    """Is there any rule at all that a packet coming in would meet?"""
    return any(
        base.hook in ("input", "prerouting", "ingress")
        and base.family in (0, family)
        and (not base.accept or filtering.rules.chains.get(base.chain))
        for base in filtering.rules.bases
    )


def _unlisted(filtering: Firewall, family: int, most: int) -> _Seen:
    """What TCP and UDP meet at a port that no rule names, and at those of wide ranges.

    Rules that let in more than half of all ports list none: such a port is let in for no reason
    of its own.
    """
    single, atoms = _named(filtering)
    ways = Ways(filtering, family)
    seen = _Seen(family, NONE, NONE, [], [])
    for name in ("tcp", "udp"):
        proto, places = PROTOCOLS[name], tuple(ways.places(name))
        if single is not None:
            seen = seen.and_of(ways.reach(proto, single, places))
        wide = [(size, ways.reach(proto, port, places)) for port, size in atoms]
        let_in = [(size, found) for size, found in wide if breadth(found.yes, family) > most]
        if sum(size for size, _ in let_in) <= _HALF:
            let_in = [(n, o) for n, o in wide if breadth(o.yes | o.unknown, family) > most]
            if sum(size for size, _ in let_in) <= _HALF:
                continue
            let_in = [(n, replace(o, yes=NONE, unknown=o.yes | o.unknown)) for n, o in let_in]
        for _, found in let_in:
            seen = seen.and_of(found)
    return seen


def _named(filtering: Firewall) -> tuple[int | None, list[tuple[int, int]]]:
    """A port outside of every list and range that a rule names; of the stretches into which wide
    ranges cut the ports, one port of each that no narrow one names, and how many it stands for.

    Raises NotUnderstood where there is no port of either kind.
    """
    narrow = wide = NONE
    cuts: set[int] = set()
    for numeric in numerics(filtering.rules):
        if numeric.field not in ("dport", "first_dport"):
            continue
        for low, high in (numeric.values & _PORTS).ranges:
            if high - low < _WIDE:
                narrow |= Spans(((low, high),))
            else:
                wide |= Spans(((low, high),))
                cuts |= {low, high + 1}
    places = sorted(cuts)
    stretches = ((Spans(((low, high - 1),)) & wide) - narrow for low, high in pairwise(places))
    atoms = [(part.ranges[-1][1], part.size) for part in stretches if part]
    free = _PORTS - narrow - wide
    if not free and not atoms:
        raise NotUnderstood("firewall.nft", msg("every_port_named_some"))
    return free.ranges[-1][1] if free else None, atoms
