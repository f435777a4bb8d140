"""What commands that take records back share: whose and why, and that it is all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import click

from collector.cli.options.words import person_given, prose_given
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

C = TypeVar("C", bound=Callable[..., Any])
T = TypeVar("T")

# of what cannot be done so many are named
_NAMED = 20


def taking_back(command: C) -> C:
    """The arguments and options: which records, why, who says so, and only to look."""
    for option in (
        click.option("--check", is_flag=True, help=tr("只看，不写入", "look only, write nothing")),
        click.option("--by", required=True, metavar="NAME", help=tr("经办人", "who says so")),
        click.option("--reason", required=True, metavar="TEXT", help=tr("理由", "why")),
        click.argument("ids", nargs=-1, required=True, metavar="ID..."),
    ):
        command = option(command)
    return command


def said_of(reason: str, by: str) -> dict[str, str]:
    return {"reason": prose_given(reason, "--reason") or "", "by": person_given(by, "--by") or ""}


def all_or_none(
    register: Register,
    ids: Sequence[str],
    planned: Callable[[str], tuple[Callable[[PledgeRecord], PledgeRecord], T]],
    *,
    check: bool,
) -> list[tuple[T, int | None]]:
    """What is `planned` of each (its change, and what to tell of it), and its new version if any.

    `planned` raises BadInput of one that cannot be taken back; then all of it does.
    """
    found: list[tuple[T, int | None]] = []
    faults: list[BadInput] = []
    every = sorted(dict.fromkeys(ids))
    with ExitStack() as held:
        if not check:
            # nobody signs one, or attaches to it, while the others are looked at
            held.enter_context(register.attaching(every[0]))
        for id in every:
            try:
                change, told = planned(id)
            except BadInput as problem:
                faults.append(problem)
                continue
            found.append((told, None if check or faults else register.change(id, change).number))
        if faults:
            # within the transaction: what was written of the others goes with it
            raise refusal(faults, len(every))
    return found


def refusal(faults: Sequence[BadInput], asked: int) -> BadInput:
    """Of one its own words; of several each is told, and this is their sum."""
    if asked == 1:
        return faults[0]
    say_each(faults)
    count = len(faults)
    return BadInput(
        tr(
            f"{asked} 份中 {count} 份不能撤回，一份都没有撤回",
            f"{count} of {asked} cannot be withdrawn; nothing is withdrawn",
        )
    )


def say_each(faults: Sequence[BadInput]) -> None:
    """A line each, as they stand; so many that a terminal still shows the first."""
    for problem in faults[:_NAMED]:
        told = in_chinese(problem.said) if lang() == "zh" else str(problem)
        click.echo(one_line(told, 600), err=True)
    if (rest := len(faults) - _NAMED) > 0:
        click.echo(tr(f"… 另有 {rest} 份", f"… {rest} more"), err=True)
