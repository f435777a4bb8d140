"""`hostpledge pledge void`: evidence that was attached wrongly says nothing any more."""

from __future__ import annotations

from functools import partial

import click

from collector.cli.commands.pledge.changes import notice_check
from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.words import person_given, prose_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput
from collector.export.envelope import Identity


@click.command(
    "void",
    help=tr(
        "将附错的证据（第 NUMBER 份）作废：记明理由与经办人，作为登记的新版本。"
        "证据包、序号与日志条目都保留，但不再说明现状：不计结论、问题、时效；"
        "其采集文件可附于应属的登记。--withdraw 撤回（给出理由与经办人则一并记录）。",
        "Declares evidence NUMBER void, which was attached wrongly: with why and by whom, as a new "
        "version of the record. The bundle, its number and its entry in the log stay; no verdict, "
        "finding or age follows from it any more, and its captures may be attached where they "
        "belong. --withdraw takes that back (why and by whom stay on record where they are "
        "given).",
    ),
)
@click.argument("id")
@click.argument("number", type=click.IntRange(1), metavar="NUMBER")
@click.option("--reason", metavar="TEXT", help=tr("理由", "why"))
@click.option("--by", metavar="NAME", help=tr("经办人", "who says so"))
@click.option("--withdraw", is_flag=True, help=tr("撤回作废", "take it back"))
@register_option
@lang_option
@answering("pledge-void")
def void(
    *,
    id: str,
    number: int,
    reason: str | None,
    by: str | None,
    withdraw: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.notices import resting_on
    from collector.pledges.record.times import today_in_china
    from collector.pledges.record.voiding import voided, with_void, without_void

    said = _said(reason, by, withdraw=withdraw)
    register = open_register(location)
    attached = {one.sequence: one for one in register.every_evidence(id)}
    gone = {entry["sequence"] for entry in voided(register.get(id))}
    if number not in attached:
        raise BadInput(
            tr(f"登记 {id} 没有第 {number} 份证据", f"there is no evidence {number} of {id}"),
            where="NUMBER",
            mend=tr("见 hostpledge pledge show", "see `hostpledge pledge show`"),
        )
    if withdraw is not (number in gone):
        raise BadInput(
            tr(f"第 {number} 份证据没有作废", f"evidence {number} is not void")
            if withdraw
            else tr(f"第 {number} 份证据已作废", f"evidence {number} is void already"),
            where=id,
        )
    today = today_in_china()
    digest = attached[number].digest
    entry = {"sequence": number, "digest": digest, "date": today.isoformat(), **said}
    change = (
        partial(without_void, sequence=number, said=said if reason else None, today=today)
        if withdraw
        else partial(with_void, entry=entry, today=today)
    )
    version = register.change(id, change)
    register.look_anew(id)
    answer(Identity(id, digest), version=version.number, evidence=number, void=not withdraw)
    what = (
        tr("作废已撤回", "not void any more")
        if withdraw
        else tr("已作废，日志与证据包保留", "is void; its bundle and its entry in the log stay")
    )
    resting = [] if withdraw else resting_on(register.get(id).document, number)
    answer(notices=resting)
    out(
        tr(
            f"{id} 第 {version.number} 版：第 {number} 份证据{what}\n",
            f"{id}, version {version.number}: evidence {number} {what}\n",
        )
    )
    if resting:
        notice_check.tell_void([{"pledge": id, "number": one} for one in resting], location)
    return 0


def _said(reason: str | None, by: str | None, *, withdraw: bool) -> dict[str, str]:
    """Why, and who says so. Raises UsageError where only one of them is given."""
    if bool(reason) is not bool(by) or not (withdraw or reason):
        raise click.UsageError(
            tr(
                "给出 --reason 和 --by（--withdraw 时可一并省略）",
                "give --reason and --by (with --withdraw both may be left out)",
            )
        )
    return {"reason": prose_given(reason, "--reason") or "", "by": person_given(by, "--by") or ""}
