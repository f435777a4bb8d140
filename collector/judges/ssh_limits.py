"""Which sources sshd itself, or TCP wrappers in front of it, lets in: sets of addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collector.errors import NotUnderstood
from collector.facts.access.inetd import wrapped, wrapper_networks
from collector.facts.access.sshd_config import Block, blocks
from collector.facts.access.sshd_effective import OUTSIDE, Listener
from collector.facts.base.intervals import NONE, Spans, everything, network
from collector.facts.firewall.exposure import breadth
from collector.i18n.message import msg
from collector.model import Facts, Quote

_FAMILIES = (4, 6)
_ALL = frozenset(("yes", "*", "*@*"))
# addresses that a name stands for are few; a word of the wrappers may be anybody
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_WORDS = frozenset(("ALL", "KNOWN", "UNKNOWN", "PARANOID"))


def limit(facts: Facts, server: Listener, most: int) -> tuple[str, tuple[Quote, ...]] | None:
    """How sshd itself shuts out most of the world; None where it does not.

    Raises NotUnderstood where Match blocks make that depend on more than was asked.
    """
    mine = blocks(facts.capture, server)
    if any(b.value("allowusers") is not None for b in mine):
        raise NotUnderstood("sshd.files", msg("allowusers_inside_match_block"))
    for keyword in ("refuseconnection", "denyusers"):
        told = [server.all(keyword, user) for user in ("root", "nobody")]
        if not all(_ALL & set(values) for values in told):
            continue
        setting = [b for b in mine if b.value(keyword) is not None]
        if all(breadth(_let_in(setting, keyword, f), f) <= most for f in _FAMILIES):
            lines = tuple(b.line for b in setting)
            quote = Quote("sshd.files", lines) if lines else server.quote(keyword)
            return f"{keyword} {told[0][0]}", (quote,)
    allowed = server.all("allowusers", "nobody")
    everyone = allowed == server.all("allowusers", "root")
    if allowed and everyone and _narrow([p.partition("@")[2] for p in allowed], most):
        return f"AllowUsers {' '.join(allowed)}", (server.quote("allowusers"),)
    counts = wrapped(facts.capture, server.exe, server.first("sshdsessionpath", "root"))
    told_ = wrapper_networks(facts.capture, "sshd") if counts else None
    if told_ is not None:
        clients, quote = told_
        if _narrow(clients, most):
            return f"hosts.allow {' '.join(clients)}", (quote,)
    return None


def _let_in(setting: Iterable[Block], keyword: str, family: int) -> Spans:
    """The addresses from which somebody is not turned away by the keyword.

    What a matching block sets replaces what stands before all blocks, and the first block that
    sets it may be the one that counts: both are taken as it lets in more.
    """
    denied, spared = NONE, NONE
    by_a_block = False
    for block in setting:
        if _ALL & set((block.value(keyword) or "").lower().split()):
            hit = _hit(block, family)
            by_a_block = by_a_block or _from_there(block)
            denied |= (hit or NONE) - spared
        else:
            hit = _hit(block, family, some=True)
            spared |= everything(family) if hit is None else hit
    # asked about one address: where no block turned that away, the setting before them did
    return (everything(family) if by_a_block else spared) - denied


def _from_there(block: Block) -> bool:
    """Can the block have held for the address that sshd -T was asked about?"""
    hit = _hit(block, 4, some=True)
    return hit is None or bool(hit & network(OUTSIDE, 4))


def _hit(block: Block, family: int, *, some: bool = False) -> Spans | None:
    """The addresses for which a block holds whoever comes; `some`: for which it may hold.

    None where that is not understood.
    """
    found = everything(family)
    for name, value in block.criteria:
        if name == "address":
            listed = _listed(value, family)
            if listed is None:
                return None
            found &= listed
        elif name != "all" and not some:
            return None
    return found


def _listed(patterns: str, family: int) -> Spans | None:
    """The addresses of a list of patterns, of which one that is negated wins over all others."""
    taken, left_out = NONE, NONE
    for pattern in patterns.split(","):
        bare = pattern.removeprefix("!")
        spans = everything(family) if bare in ("*", "*.*.*.*") else None
        if spans is None:
            told = _sources(bare)
            if told is None:
                return None
            spans = told.get(family, NONE)
        if pattern.startswith("!"):
            # a name may stand for any address: what it leaves out is not known to be left out
            left_out |= spans
        else:
            taken |= spans
    return taken - left_out


def _narrow(patterns: Iterable[str], most: int) -> bool:
    """Were all patterns understood, and do they add up to few public sources?"""
    for family in _FAMILIES:
        total = NONE
        for pattern in patterns:
            found = _listed(pattern, family) if pattern else None
            if found is None:
                return False
            total |= found
        if breadth(total, family) > most:
            return False
    return True


def _sources(pattern: str) -> dict[int, Spans] | None:
    """The addresses of a host pattern (of sshd or TCP wrappers); None when it may be anything."""
    if not pattern or pattern.startswith(("*", "!", ".")) or pattern.upper() in _WORDS:
        return None
    if pattern.upper() in ("LOCAL", "LOCALHOST"):
        return {4: network("127.0.0.0/8", 4)}
    bare = pattern.strip("[]") if "]/" not in pattern else pattern.replace("[", "").replace("]", "")
    start = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3}){0,2})(?:\.\*?|\.\*\.\*|\.\*\.\*\.\*)", bare)
    if start:
        parts = start[1].split(".")
        bare = ".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}"
    family = 6 if ":" in bare else 4
    mask = re.fullmatch(r"([0-9.]+)/(255[0-9.]+)", bare)
    if mask:
        bits = sum(int(p).bit_count() for p in mask[2].split("."))
        bare = f"{mask[1]}/{bits}"
    try:
        return {family: network(bare, family)}
    except ValueError:
        return {} if _NAME.fullmatch(bare) else None
