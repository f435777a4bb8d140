"""Pledges that have ended among those that are asked for: nobody owes anything of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from collector.cli.ui.language import lang, tr

if TYPE_CHECKING:
    from collector.pledges.due.lifecycle import State
    from collector.pledges.register.register import Register

_NAMED = 5


def over(register: Register, now: datetime) -> dict[str, State]:
    """By id those that ended, or were disposed of, by the end of today."""
    from collector.pledges.due.lifecycle import continued, state
    from collector.pledges.record.times import CHINA

    every, today = register.briefs(), now.astimezone(CHINA).date()
    again = continued(every)
    states = {one.id: state(one, today, renewed=one.id in again) for one in every}
    return {id: found for id, found in states.items() if found in ("ended", "disposed")}


def say(
    register: Register,
    ended: Mapping[str, State],
    ids: Collection[str],
    *,
    skipped: bool = False,
) -> None:
    """Which of `ids` are among them; `skipped`: they are left out, unless somebody names them.

    Those of which nothing was ever found are not worth a word.
    """
    from collector.pledges.due.lifecycle import WORDS

    found = [id for id in ids if id in ended and register.evidence(id)]
    if not found:
        return
    shown = [f"{id} ({WORDS[ended[id]].to(lang())})" for id in found[:_NAMED]]
    names, count = tr("、", ", ").join(shown), len(found)
    more = tr(f" 等 {count} 份", f" … {count} in all") if count > _NAMED else ""
    if skipped:
        said = tr(
            f"已终止的登记不发：{names}{more}；仍要发的，写出编号",
            f"left out, for it has ended: {names}{more}; name the id to give one all the same",
        )
    else:
        said = tr(
            f"请留意：其中有已终止的登记，不再计到期：{names}{more}",
            f"note: of these has ended, and nothing of it falls due: {names}{more}",
        )
    click.echo(said, err=True)
