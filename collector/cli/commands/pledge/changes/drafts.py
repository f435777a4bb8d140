"""`hostpledge pledge withdraw-draft`: drafts that were made by mistake, before anybody signed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from collector.cli.commands.pledge.changes.taking_back import all_or_none, said_of, taking_back
from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.pledges.record.drafts import withdrawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.pledges.record.form import PledgeRecord


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
@taking_back
@answering("pledge-withdraw-draft")
@register_option
@lang_option
def withdraw_draft(
    *, ids: tuple[str, ...], reason: str, by: str, check: bool, location: str | None
) -> int:
    from collector.pledges.record.times import today_in_china

    today, said = today_in_china(), said_of(reason, by)
    register = open_register(location)

    def planned(id: str) -> tuple[Callable[[PledgeRecord], PledgeRecord], tuple[str, str | None]]:
        record = register.get(id)
        attached = bool(register.every_evidence(id))
        change = partial(withdrawn, said=said, today=today, evidence=attached)
        change(record)
        return change, (id, record.document.get("renews"))

    done = all_or_none(register, ids, planned, check=check)
    answer(
        check=check,
        withdrawn=[{"id": id, "renews": old, "version": version} for (id, old), version in done],
    )
    for (id, old), _ in done:
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
