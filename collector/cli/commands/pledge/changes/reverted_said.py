"""What `pledge revert` takes back, and how it tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import told
from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.record.differences import Change

# of one record, for people
_MOST = 20
# of those that are left alone so many are named
_LEFT = 8


@dataclass(frozen=True, slots=True)
class Back:
    """One record: what goes back to how it stood in `to`, and what differs and stays.

    `left`: it was changed again since, and is left alone.
    """

    id: str
    newest: Version
    to: int
    changes: Sequence[Change]
    stays: Sequence[str]
    version: int | None = None
    left: bool = False


def plain(one: Back) -> dict[str, Any]:
    return {
        "pledge": one.id,
        "newest": one.newest.number,
        "to": one.to,
        "version": one.version,
        "changes": [told.plain(change) for change in one.changes],
        "stays": list(one.stays),
    }


def lines(one: Back) -> Iterator[str]:
    if one.version is None:
        yield tr(
            f"{one.id}：第 {one.newest.number} 版将恢复为第 {one.to} 版的内容",
            f"{one.id}: version {one.newest.number} would say what version {one.to} said",
        )
    else:
        yield tr(
            f"{one.id}：第 {one.version} 版，内容恢复为第 {one.to} 版",
            f"{one.id}: version {one.version} says what version {one.to} said",
        )
    yield from told.lines(one.changes, _MOST)
    if one.stays:
        names = tr("、", ", ").join(map(told.named, one.stays))
        yield tr(f"  不撤回：{names}", f"  not taken back: {names}")


def say_left(left: Sequence[str]) -> None:
    names = tr("、", ", ").join(left[:_LEFT]) + (" …" if len(left) > _LEFT else "")
    click.echo(
        tr(
            f"{len(left)} 份登记此后又改过，未动：{names}",
            f"{len(left)} record(s) were changed again since, and are left alone: {names}",
        ),
        err=True,
    )


def said(done: int, asked: int, *, check: bool) -> str:
    rest = asked - done
    same = tr(f"，{rest} 份无可撤回", f"; {rest} with nothing to take back") if rest else ""
    if check:
        return tr(
            f"将撤回 {done} 份登记的改动{same}（只检查，未写入）\n",
            f"{done} record(s) would go back{same} (nothing is written)\n",
        )
    return tr(f"已撤回 {done} 份登记的改动{same}\n", f"{done} record(s) went back{same}\n")


def say_kept(kept: Sequence[Back], *, answerable: bool) -> None:
    """What was asked for, and stays as it is; `answerable`: somebody may answer for it yet."""
    for one in kept[:_LEFT]:
        names = tr("、", ", ").join(map(told.named, one.stays))
        click.echo(tr(f"{one.id} 不撤回：{names}", f"{one.id}: not taken back: {names}"), err=True)
    if (rest := len(kept) - _LEFT) > 0:
        click.echo(tr(f"… 另有 {rest} 份", f"… {rest} more"), err=True)
    if answerable:
        click.echo(
            tr(
                "是误登的：再加 --reason 理由 --by 经办人",
                "if it was put on record by mistake, give --reason WHY --by NAME too",
            ),
            err=True,
        )
