"""`hostpledge pledge withdraw-draft`: drafts that were made by mistake, before anybody signed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.words import person_given, prose_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line
from collector.i18n.message import in_chinese
from collector.pledges.record.drafts import withdrawn

if TYPE_CHECKING:
    from collector.pledges.register.register import Register

# of what cannot be withdrawn so many are named
_NAMED = 20


@click.command(
    "withdraw-draft",
    help=tr(
        "撤回误建（误续签、误导入）的草稿：记明理由与经办人，作为登记的新版本，状态为已终止；"
        "历史照旧可查，它所续签的登记可再续签，它的编号可再用（renew、add、import 写为其下一版）。"
        "只撤回无人签署、没有证据与通知书的草稿；有一份不行则都不撤回，并逐份说明。",
        "Withdraws drafts that were made by mistake (renewed, or imported): with why and by whom, "
        "as a new version of each, which has ended. The history keeps it; what it continued can be "
        "renewed again, and its id be used again (`renew`, `add` and `import` write the next "
        "version of it). Only drafts that nobody signed, without evidence and notices; all of them "
        "or none, and then each that cannot be is named.",
    ),
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, metavar="TEXT", help=tr("理由", "why"))
@click.option("--by", required=True, metavar="NAME", help=tr("经办人", "who says so"))
@click.option("--check", is_flag=True, help=tr("只看，不写入", "look only, write nothing"))
@answering("pledge-withdraw-draft")
@register_option
@lang_option
def withdraw_draft(
    *, ids: tuple[str, ...], reason: str, by: str, check: bool, location: str | None
) -> int:
    from collector.pledges.record.times import CHINA

    said = {
        "reason": prose_given(reason, "--reason") or "",
        "by": person_given(by, "--by") or "",
    }
    today = datetime.now(UTC).astimezone(CHINA).date()
    register = open_register(location)
    every = list(dict.fromkeys(ids))
    done = _withdraw(register, every, said, today, check=check)
    answer(
        check=check,
        withdrawn=[{"id": id, "renews": old, "version": version} for id, old, version in done],
    )
    for id, old, _ in done:
        again = tr(f"；{old} 可再续签", f"; {old} can be renewed again") if old else ""
        out(f"{id}{again}\n")
    count = len(done)
    if check:
        out(
            tr(
                f"将撤回 {count} 份草稿（只检查，未写入）\n",
                f"{count} draft(s) would be withdrawn (nothing is written)\n",
            )
        )
    else:
        out(
            tr(
                f"已撤回 {count} 份草稿：登记中仍可查，编号可再用\n",
                f"{count} draft(s) withdrawn: they stay on record, and their ids can be used "
                "again\n",
            )
        )
    return 0


def _withdraw(
    register: Register, ids: Sequence[str], said: dict[str, str], today: date, *, check: bool
) -> list[tuple[str, str | None, int | None]]:
    """Each, what it continued, and its new version; all of them, or none: raises BadInput then."""
    found: list[tuple[str, str | None, int | None]] = []
    faults: list[BadInput] = []
    with ExitStack() as held:
        if not check:
            # nobody signs one, or attaches to it, while the others are looked at
            held.enter_context(register.attaching(ids[0]))
        for id in sorted(ids):
            try:
                record = register.get(id)
                attached = bool(register.every_evidence(id))
                change = partial(withdrawn, said=said, today=today, evidence=attached)
                change(record)
            except BadInput as problem:
                faults.append(problem)
                continue
            version = None if check or faults else register.change(id, change).number
            found.append((id, record.document.get("renews"), version))
        if faults:
            # within the transaction: what was written of the others goes with it
            raise refusal(faults, len(ids))
    return found


def refusal(faults: Sequence[BadInput], asked: int) -> BadInput:
    if asked == 1:
        return faults[0]
    for problem in faults[:_NAMED]:
        told = in_chinese(problem.said) if lang() == "zh" else str(problem)
        click.echo(one_line(told, 600), err=True)
    if (rest := len(faults) - _NAMED) > 0:
        click.echo(tr(f"… 另有 {rest} 份", f"… {rest} more"), err=True)
    count = len(faults)
    return BadInput(
        tr(
            f"{asked} 份中 {count} 份不能撤回，一份都没有撤回",
            f"{count} of {asked} cannot be withdrawn; nothing is withdrawn",
        )
    )
