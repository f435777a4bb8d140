"""Whether a ban of fail2ban keeps its address away from sshd, by the rules that the kernel has.

What is banned now is sent a packet in thought. Where nobody is banned, but a jail has made its
chain or its set, one is banned in thought: what stands in front of it, or that nothing leads to
it, is told by who gets in all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.base.intervals import everything
from collector.facts.firewall.exposure import READS as _EXPOSURE_READS
from collector.facts.firewall.exposure import Exposure, breadth, exposures, exposures_of
from collector.facts.firewall.live_ruleset import firewall
from collector.facts.firewall.rules.packet import OneOf, Source, Unknown
from collector.facts.firewall.rules.rules import Go, Rule, Step
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = _EXPOSURE_READS

# a network of 8 bits; of IPv6, as many networks of 48 bits
SPARED = 1 << 24


@dataclass(frozen=True, slots=True)
class Held:
    """Does a jail's ban hold? `address` and `why` tell what gets in, and by which rule.

    `unstarted`: nobody is banned, and the jail has not made its chain, which its first ban does.
    """

    answer: Literal["yes", "no", "unknown", "unstarted"]
    address: str = ""
    why: str = ""


def held(capture: Capture, jail: str, banned: Iterable[str], ports: Iterable[int]) -> Held:
    """Raises FactError where the rules or the sockets could not be seen."""
    told = list(banned)
    if told:
        return _banned(capture, told, frozenset(ports))
    return _in_thought(capture, jail, frozenset(ports))


def _banned(capture: Capture, addresses: list[str], ports: frozenset[int]) -> Held:
    found: list[Held] = []
    for text in addresses:
        try:
            address = ip_address(text)
        except ValueError:
            raise NotUnderstood("bans.fail2ban", msg("not_output_read")) from None
        reached = [
            e for e in exposures(capture, (address.version, int(address))) if _asked(e, ports)
        ]
        sure = next((e for e in reached if e.reachable == "yes"), None)
        doubt = next((e for e in reached if e.reachable == "unknown"), None)
        if sure is not None:
            found.append(Held("no", text, sure.why))
        elif doubt is not None:
            found.append(Held("unknown", text, doubt.why))
        else:
            found.append(Held("yes", text))
    out = [one for one in found if one.answer == "no"]
    if out:
        # between two looks a ban may end
        return out[0] if len(out) == len(found) else replace(out[0], answer="unknown")
    return next((one for one in found if one.answer == "unknown"), found[0])


def _in_thought(capture: Capture, jail: str, ports: frozenset[int]) -> Held:
    known = firewall(capture)
    families: set[int] = set()
    chains = {
        name: _with_a_ban(name, rules, jail, families) for name, rules in known.rules.chains.items()
    }
    if not families:
        return Held("unstarted")
    changed = replace(known, rules=replace(known.rules, chains=chains))
    reached = [e for e in exposures_of(capture, changed) if _asked(e, ports)]
    # of one family alone it has made its chain where nobody of the other was banned yet
    reached = [e for e in reached if e.listener.family in families]
    for exposure in reached:
        if breadth(exposure.yes, exposure.listener.family) > SPARED:
            return Held("no", "", exposure.why)
    for exposure in reached:
        if breadth(exposure.unknown, exposure.listener.family) > SPARED:
            return Held("unknown", "", exposure.why)
    return Held("yes")


def _with_a_ban(
    name: str, rules: tuple[Rule, ...], jail: str, families: set[int]
) -> tuple[Rule, ...]:
    """The chain as it is once everybody is banned by this jail; itself where it is none of his.

    The families that it bans go into `families`.
    """
    if name.rpartition(" ")[2] == f"f2b-{jail}":
        families.add(6 if name.startswith("ip6") else 4)
        return (Rule((Go("drop"),), f"{name}: drop"), *rules)
    own = re.compile(rf"(?:@addr6?-set-|--match-set f2b-){re.escape(jail)}6?(?![\w.-])")
    changed: list[Rule] = []
    for rule in rules:
        if not own.search(rule.text):
            changed.append(rule)
            continue
        kept = [step for step in rule.steps if not _who(step)]
        family = 6 if name.startswith("ip6") or "@addr6-set-" in rule.text else 4
        families.add(family)
        changed.append(replace(rule, steps=(Source(family, everything(family)), *kept)))
    return tuple(changed)


def _who(step: Step) -> bool:
    """Does it ask where the packet comes from?"""
    if isinstance(step, OneOf):
        return any(_who(match) for group in step.alternatives for match in group)
    return isinstance(step, Source | Unknown)


def _asked(exposure: Exposure, ports: frozenset[int]) -> bool:
    one = exposure.listener
    return one.proto == "tcp" and one.port in ports and not one.loopback
