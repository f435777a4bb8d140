"""Hosts that evidence of a pledge is to be made of, and that its record does not declare.

What is found on them counts for the pledge: whoever names the wrong one is told so, and asked,
ahead of all the work.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from collector.cli.ui.language import tr
from collector.errors import one_line
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.cli.options.pledge import Pledged
    from collector.pledges.database.rows import Evidence

# of so many hosts, and pledges, the names are told
_NAMED = 8


def agreed(pledge: Pledged | None, hosts: Sequence[str], *, yes: bool = False) -> bool:
    """Names them on stderr; may it go on? Asked on a terminal; scripts go on, and are told."""
    lines = list(undeclared(pledge, hosts)) if pledge is not None else []
    for line in lines:
        click.echo(line, err=True)
    if not lines or yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(
        tr("仍作为此登记的证据？", "Evidence of this pledge all the same?"), err=True
    )


def undeclared(pledge: Pledged, hosts: Sequence[str]) -> Iterator[str]:
    """What is to be said of those that the record does not declare; nothing of one without hosts.

    Whose they are, and whether evidence of them was declared void, as it was attached by mistake.
    """
    record = pledge.record
    others = [host for host in hosts if host not in record.hosts]
    if not record.hosts or not others:
        return
    yield tr(
        f"登记 {record.id} 中没有的主机：{_named(others)}（登记的是 {_named(record.hosts)}）；"
        "其问题也记在此登记名下",
        f"not declared in the pledge {record.id}: {_named(others)} (it declares "
        f"{_named(record.hosts)}); what is found there counts for it",
    )
    for known in pledge.register.briefs():
        theirs = [host for host in others if host in known.hosts] if known.id != record.id else []
        if theirs:
            yield tr(
                f"{_named(theirs)} 是登记 {known.id} 的主机",
                f"declared in the pledge {known.id}: {_named(theirs)}",
            )
    yield from _void(pledge, others)


def _void(pledge: Pledged, others: Collection[str]) -> Iterator[str]:
    from collector.pledges.record.voiding import voided

    entries = {int(entry["sequence"]): entry for entry in voided(pledge.record)}
    if not entries:
        return
    for row in pledge.register.every_evidence(pledge.record.id, hold=False):
        again = sorted(set(others) & _hosts(pledge, row)) if row.sequence in entries else []
        if again:
            why = one_line(str(masked(entries[row.sequence]["reason"])), 200)
            yield tr(
                f"{_named(again)} 的第 {row.sequence} 份证据已作废：{why}",
                f"evidence {row.sequence} of {_named(again)} was declared void: {why}",
            )


def _hosts(pledge: Pledged, row: Evidence) -> frozenset[str]:
    return frozenset(one.host for one in pledge.register.sightings_of(row))


def _named(hosts: Sequence[str]) -> str:
    shown = tr("、", ", ").join(one_line(str(masked(host)), 60) for host in hosts[:_NAMED])
    more = len(hosts) - _NAMED
    return shown + (tr(f" 等 {len(hosts)} 台", f" and {more} more") if more > 0 else "")
