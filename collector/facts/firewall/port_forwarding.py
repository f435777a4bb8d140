"""The ports whose packets are sent on to another destination, as if something listened there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.facts.base.intervals import NONE, Spans
from collector.facts.firewall.reachability import Firewall, published
from collector.facts.firewall.rules.packet import PROTOCOLS, Match, Numeric, OneOf
from collector.facts.firewall.rules.rules import Go, Rewrite, Rule, Step
from collector.facts.network.listeners import Listener

_MOST_PORTS = 1024
_NAMES = ("tcp", "udp")


def sent_on(filtering: Firewall, family: int) -> list[Listener]:
    """The ports that a rule names which rewrites their destination itself."""
    found: dict[tuple[str, int], Listener] = {}
    for rule, rewrite, before in published(filtering.rules):
        if rewrite.family not in (0, family):
            continue
        if any(n.field == "family" and (family in n.values) is n.negate for n in before):
            continue
        ports = NONE
        for numeric in before:
            if numeric.field == "dport" and not numeric.negate:
                ports |= numeric.values
        if ports.size > _MOST_PORTS:
            continue
        for port, name in _each(ports, _protos(before)):
            found[name, port] = Listener(name, family, 0, port, "", "", 0, rule.text)
    return [found[key] for key in sorted(found)]


def led_on(filtering: Firewall, family: int) -> list[Listener]:
    """Ports named on the way to a rule that rewrites whatever comes to it.

    By a jump (kube-proxy), by a mark (forward ports of firewalld with iptables), in a set or map.
    Whether they are sent on is still to be seen.
    """
    found: dict[tuple[str, int], Listener] = {}
    if not unbounded(filtering, family):
        return []
    for rule in _coming(filtering, family):
        own = [s for s in rule.steps if isinstance(s, Numeric | OneOf)]
        ports = NONE
        for match in _leaves(own):
            if _names_ports(match) and match.values.size <= _MOST_PORTS:
                ports |= match.values
        if len(found) + ports.size <= 4 * _MOST_PORTS:
            for port, name in _each(ports, _protos(own)):
                found.setdefault((name, port), _listener(name, family, port, rule))
    return [found[key] for key in sorted(found)]


def unbounded(filtering: Firewall, family: int) -> str:
    """A rule that rewrites and names no port itself, or too many to be told one by one."""
    for rule in _coming(filtering, family):
        if not any(isinstance(s, Rewrite) and s.family in (0, family) for s in rule.steps):
            continue
        named = [s.values for s in rule.steps if isinstance(s, Numeric) and _names_ports(s)]
        if not named or max(ports.size for ports in named) > _MOST_PORTS:
            return rule.text
    return ""


def among(family: int, ports: Spans) -> list[Listener]:
    """These ports, as if something listened there."""
    every = Spans.one(*(PROTOCOLS[name] for name in _NAMES))
    return [Listener(n, family, 0, p, "", "", 0, "") for p, n in _each(ports, every)]


def _listener(name: str, family: int, port: int, rule: Rule) -> Listener:
    return Listener(name, family, 0, port, "", "", 0, rule.text)


def _protos(matches: Iterable[Match]) -> Spans:
    found = Spans.one(*(PROTOCOLS[name] for name in _NAMES))
    for match in matches:
        if isinstance(match, Numeric) and match.field == "proto" and not match.negate:
            found &= match.values
    return found


def _each(ports: Spans, protos: Spans) -> Iterator[tuple[int, str]]:
    for low, high in ports.ranges:
        for port in range(low, high + 1):
            yield from ((port, name) for name in _NAMES if PROTOCOLS[name] in protos)


def _coming(filtering: Firewall, family: int) -> Iterator[Rule]:
    """The rules that a packet to this host may meet before it is routed."""
    rules, network = filtering.rules, filtering.network
    mine = network.addresses(family)
    for of, held in network.more:
        mine |= held if of == family else NONE
    pending = [
        base.chain
        for base in rules.bases
        if base.hook in ("ingress", "prerouting") and base.family in (0, family)
    ]
    seen: set[str] = set()
    while pending:
        chain = pending.pop()
        if chain in seen:
            continue
        seen.add(chain)
        for rule in rules.chains.get(chain, ()):
            if _for_others(rule.steps, mine):
                continue
            yield rule
            pending += [step.target for step in rule.steps if isinstance(step, Go) and step.target]


def _for_others(steps: Iterable[Step], mine: Spans) -> bool:
    return any(
        isinstance(s, Numeric)
        and s.field in ("daddr", "first_daddr")
        and not s.negate
        and not s.values & mine
        for s in steps
    )


def _names_ports(match: Match) -> bool:
    return (
        isinstance(match, Numeric) and match.field in ("dport", "first_dport") and not match.negate
    )


def _leaves(matches: Iterable[Match]) -> Iterator[Numeric]:
    for match in matches:
        if isinstance(match, Numeric):
            yield match
        elif isinstance(match, OneOf) and not match.negate:
            for group in match.alternatives:
                yield from _leaves(group)
