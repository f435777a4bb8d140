"""firewall.default_deny: what nobody asked for does not come in, neither now nor after a boot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collector.errors import NotUnderstood
from collector.facts.base.intervals import NONE, Spans
from collector.facts.firewall.boot_files import booted, opened_at_boot
from collector.facts.firewall.boot_ruleset import at_boot
from collector.facts.firewall.exposure import breadth
from collector.facts.firewall.ingress import Ways
from collector.facts.firewall.live_ruleset import firewall
from collector.facts.firewall.reachability import Firewall, numerics
from collector.facts.firewall.rules.packet import PROTOCOLS
from collector.facts.firewall.undone import Undone, flushes
from collector.i18n.message import in_chinese, msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


@dataclass(frozen=True)
class _Seen:
    """What a packet to a port that no rule names meets, for one family."""

    family: int
    yes: Spans
    unknown: Spans
    lets: list[str]
    keeps: list[str]


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Both families are sent a TCP and a UDP packet in thought, to a port that no rule names."""
    del clock
    filtering = facts.get(firewall)
    families = [f for f in (4, 6) if filtering.network.global_addresses(f)]
    if not families:
        return Verdict(Result.NOTAPPLICABLE, "no_network", Method.OBSERVED)
    most = parameters.integer("most_sources")
    seen = [_unlisted(filtering, family) for family in families]
    opened = [s for s in seen if breadth(s.yes, s.family) > most]
    if opened:
        reason = "open" if any(_loaded(filtering, s.family) for s in opened) else "none"
        return _verdict(Result.FAIL, reason, opened, [line for s in opened for line in s.lets])
    doubtful = [s for s in seen if breadth(s.yes | s.unknown, s.family) > most]
    if doubtful:
        return _verdict(
            Result.ERROR, "unknown", doubtful, [line for s in doubtful for line in s.lets]
        )
    loaders = {family: at_boot(facts.capture, family) for family in families}
    keeps = [line for s in seen for line in s.keeps]
    lost = [s for s in seen if not loaders[s.family]]
    if lost:
        return _verdict(Result.PARTIAL, "not_at_boot", lost, keeps)
    boot = facts.get(booted)
    if boot is not None:
        then = [_unlisted(boot, family) for family in families]
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


def _unlisted(filtering: Firewall, family: int) -> _Seen:
    port = _port(filtering)
    ways = Ways(filtering, family)
    yes, unknown = NONE, NONE
    lets: list[str] = []
    keeps: list[str] = []
    for name in ("tcp", "udp"):
        found = ways.reach(PROTOCOLS[name], port, ways.places(name))
        yes |= found.yes
        unknown |= found.unknown
        lets += found.lets
        keeps += found.keeps
    return _Seen(family, yes, unknown, lets, keeps)


def _port(filtering: Firewall) -> int:
    """A port outside of every list and range that a rule names."""
    named = NONE
    for numeric in numerics(filtering.rules):
        if numeric.field in ("dport", "first_dport"):
            named |= numeric.values
    free = Spans(((1, 65_535),)) - named
    if not free:
        raise NotUnderstood("firewall.nft", msg("every_port_named_some"))
    return free.ranges[-1][1]
