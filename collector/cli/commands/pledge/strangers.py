"""A person or a host that the register does not know: of a slip nothing is ever found.

That reads as if there was nothing to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed
    from collector.pledges.status.brief import Brief

# of those there are so many are named
_MOST = 12
# of a name of two or three characters, one that is wrong is a third or half of it
_SHORT = 3


def refuse_person(register: Register, name: str | None, where: str) -> None:
    """Raises BadInput for a person that no record puts down for a finding, open or closed.

    `where` is the option that names the person.
    """
    if not name:
        return
    from collector.pledges.record.people import plain_name

    owners = _owners(register.briefs())
    called = {owner.partition(" ")[0] for owner in owners}
    if plain_name(name) in owners | called:
        return
    near = _near(name, called)
    others = sorted(called.difference(near))[: _MOST - len(near)]
    more = len(called) - len(near) - len(others)
    said = tr("没有问题归此人负责", "nobody of this name sees to a finding")
    raise BadInput(
        f"{said}{tr('：', ': ')}{one_line(name)}",
        where=where,
        mend=_there_are(near, others, more)
        or tr(
            "还没有任何问题指定了责任人，用 hostpledge pledge assign 指定",
            "nobody sees to any finding yet: `hostpledge pledge assign` says who does",
        ),
    )


def say_new_person(register: Register, name: str | None) -> None:
    """Says that nobody of this name sees to a finding yet, where others do: it may be a slip."""
    from collector.pledges.record.people import plain_name

    if not name:
        return
    owners = _owners(register.briefs())
    called = {owner.partition(" ")[0] for owner in owners}
    if not owners or plain_name(name) in owners | called:
        return
    near = _near(name, called)
    answer(new_owner=str(masked(name)), near=[str(masked(one)) for one in near])
    said = tr("此前没有问题由此人负责", "nobody of this name has seen to a finding so far")
    told = f"{said}{tr('：', ': ')}{one_line(str(masked(name)))}"
    if near:
        told += tr("；", "; ") + _there_are(near, (), 0)
    click.echo(told, err=True)


def say_unfound(every: Iterable[Listed], found: Collection[Listed], text: str) -> None:
    """Says of a search that found nothing that no record holds it, whatever else was asked for.

    No row is an answer, and not a slip alone: an address that strikes somebody may be nobody's.
    """
    from collector.pledges.record.networks import span
    from collector.pledges.record.sought import holds

    if not text or found or any(holds(one.record.sought, text) for one in every):
        return
    what = one_line(text.strip(), 120)
    if span(text.strip().casefold()) is not None:
        said = tr(
            f"没有登记声明此地址，也没有与其重合的网段：{what}",
            f"no pledge declares it, or a network that it shares an address with: {what}",
        )
    else:
        said = tr(f"没有登记含有：{what}", f"no pledge holds it: {what}")
    click.echo(said, err=True)


def refuse_hosts(register: Register, hosts: Iterable[str], where: str = "--host") -> None:
    """Raises BadInput for a host that no pledge declares, and no evidence has."""
    declared = {host for known in register.briefs() for host in known.hosts}
    if not (strange := sorted(set(hosts) - declared)):
        return
    known = declared | register.seen_hosts()
    for host in strange:
        if host in known:
            continue
        near = _near(host, known)
        raise BadInput(
            f"{tr('没有这台主机', 'no such host')}{tr('：', ': ')}{one_line(host)}",
            where=where,
            mend=_there_are(near, (), 0)
            or tr(
                "各登记的主机见 hostpledge pledge list --search",
                "`hostpledge pledge list --search` finds the hosts of the pledges",
            ),
        )


def _owners(records: Iterable[Brief]) -> set[str]:
    from collector.pledges.standing.listing import owners

    return {owner for record in records for owner in owners(record)}


def _near(word: str, known: Collection[str]) -> list[str]:
    cutoff = 0.5 if len(word) <= _SHORT else 0.6
    return difflib.get_close_matches(word, sorted(known), 3, cutoff)


def _there_are(near: Collection[str], others: Collection[str], more: int) -> str:
    """The near ones, and those there are beside them; empty where there are none."""
    parts = []
    if near:
        parts.append(tr(f"相近的有：{_names(near)}", f"near it: {_names(near)}"))
    if others:
        rest = tr(f" 等，另有 {more} 人", f" … {more} more") if more else ""
        said = tr("责任人还有：", "others: ") if near else tr("责任人有：", "there are: ")
        parts.append(f"{said}{_names(others)}{rest}")
    return tr("；", "; ").join(parts)


def _names(names: Iterable[str]) -> str:
    return tr("、", ", ").join(one_line(str(masked(name))) for name in names)
