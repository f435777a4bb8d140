"""`hostpledge pledge assign` of many findings at once: one new version of each record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge import found_rows
from collector.cli.options.answering import answer
from collector.cli.options.findings import Asked
from collector.cli.ui.columns import out
from collector.cli.ui.language import tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.pledges.record.changes import Entries
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

# of a table that is only looked at
_SHOWN = 40


def assign_many(
    register: Register,
    pledges: Sequence[str],
    asked: Asked,
    given: Mapping[str, str] | None,
    now: datetime,
    *,
    check: bool,
) -> int:
    """Gives every open finding that is asked for to somebody; without `given`: to nobody.

    2 where a pledge could not be read: the others are done.
    """
    found = found_rows.Found(register, pledges, now)
    rows = found.shown(asked)
    by_pledge: dict[str, list[Life]] = {}
    for record, life in rows:
        by_pledge.setdefault(record.id, []).append(life)
    if given is not None and "owner" not in given:
        without = sum(not life.owner for _, life in rows)
        if without:
            raise BadInput(
                tr(f"{without} 项还没有责任人", f"{without} of them have no owner yet"),
                where="--owner",
                mend=tr("一并给出 --owner", "give --owner with it"),
            )
    done: list[dict[str, Any]] = []
    for id, lives in by_pledge.items():
        change = partial(_changed, lives=lives, given=given, now=now)
        version = None
        if check:
            change(register.get(id))
        else:
            version = register.change(id, change).number
        done.append({"pledge": id, "version": version, "findings": _named(lives)})
    answer(check=check, pledges=done)
    if check and rows:
        out(found_rows.table(_after(rows, given)[:_SHOWN], now))
        if len(rows) > _SHOWN:
            rest = len(rows) - _SHOWN
            out(tr(f"… 另有 {rest} 项\n", f"… {rest} more\n"))
    out(_said(len(rows), len(done), given, check=check))
    return 2 if found.status() == 2 else 0


def _changed(
    record: PledgeRecord, lives: Sequence[Life], given: Mapping[str, str] | None, now: datetime
) -> PledgeRecord:
    from collector.pledges.record.changes import followed_up
    from collector.pledges.record.times import CHINA
    from collector.pledges.status.findings import follow_up

    entries: dict[tuple[str, str], Mapping[str, Any] | None] = {}
    for life in lives:
        # what is said for all hosts holds for this one, where nothing else is said now
        before = follow_up(record, life.control, life.host)
        kept = {word: before[word] for word in ("owner", "due", "note") if word in before}
        entries[life.control, life.host] = None if given is None else {**kept, **given}
    made: Entries = entries
    return followed_up(record, made, today=now.astimezone(CHINA).date())


def _after(rows: Sequence[found_rows.Row], given: Mapping[str, str] | None) -> list[found_rows.Row]:
    """As they would be."""
    from collector.pledges.record.times import waiver_end

    def changed(life: Life) -> Life:
        if given is None:
            return replace(life, owner="", due=None)
        due = waiver_end(given["due"]) if "due" in given else life.due
        return replace(life, owner=given.get("owner", life.owner), due=due)

    return [(record, changed(life)) for record, life in rows]


def _named(lives: Sequence[Life]) -> list[dict[str, str]]:
    return [{"control": life.control, "host": life.host} for life in lives]


def _said(findings: int, pledges: int, given: Mapping[str, str] | None, *, check: bool) -> str:
    if not findings:
        click.echo(tr("没有符合条件的未闭环问题", "no open finding is so"), err=True)
    what = told(given)
    if check:
        return tr(
            f"将改 {findings} 项问题、{pledges} 份登记：{what}（只检查，未写入）\n",
            f"{findings} finding(s) of {pledges} pledge(s) would be: {what} (nothing is written)\n",
        )
    return tr(
        f"已改 {findings} 项问题、{pledges} 份登记：{what}\n",
        f"{findings} finding(s) of {pledges} pledge(s): {what}\n",
    )


def told(entry: Mapping[str, Any] | None) -> str:
    """What is said of a follow-up, or of none."""
    if entry is None:
        return tr("已取消指定", "nobody's any more")
    owner, due = entry.get("owner"), entry.get("due")
    parts = [
        tr(f"责任人 {owner}", f"owner {owner}") if owner else "",
        (tr(f"期限 {due}", f"by {due}")) if due else "",
    ]
    said = tr("，", ", ").join(part for part in parts if part)
    return said or tr("说明已改", "the remark")
