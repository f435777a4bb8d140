"""`hostpledge pledge notices`: the notices on record, and what became of what each names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.common import form_option, output_option
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import CollectorError, one_line
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.cli.ui.sheets import Cell
    from collector.cli.workflows.desk.noticed import Noticed
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


@click.command(
    "notices",
    help=tr(
        "列出登记在案的整改、复查通知书：文号、日期、期限、所列问题及其现状。\n\n"
        "退出码：0 所列的没有逾期；1 有逾期未整改的；2 无法完成。",
        "Lists the notices on record: number, day, day to mend by, findings named, and what "
        "became of them.\n\nExit status: 0 none that is listed is overdue; 1 one is; 2 the "
        "command could not do its work.",
    ),
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--open", "only_open", is_flag=True, help=tr("只列尚未整改完的", "what is open"))
@click.option("--overdue", is_flag=True, help=tr("只列逾期未整改的", "only what is overdue"))
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def notices(
    *,
    ids: tuple[str, ...],
    only_open: bool,
    overdue: bool,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.ui.sheets import put

    register, now = open_register(location), datetime.now(UTC)
    unread: list[str] = []
    with register.reading():
        known = [register.get(id) for id in dict.fromkeys(ids)] if ids else register.list()
        every = [one for record in known for one in _of(register, record, now, unread)]
    shown = [one for one in every if (one.open or not only_open) and (one.late or not overdue)]
    none = _none(len(every), overdue=overdue)
    put(drawn(shown, form, none=none), output)
    for line in unread:
        click.echo(line, err=True)
    return 2 if unread else int(any(one.late for one in shown))


def _none(count: int, *, overdue: bool) -> str:
    if not count:
        return tr("没有登记在案的通知书", "no notice is on record")
    if overdue:
        return tr(f"登记在案 {count} 份，没有逾期的", f"none of the {count} on record is overdue")
    return tr(f"登记在案 {count} 份，均已整改完", f"nothing is open of the {count} on record")


def _of(
    register: Register, record: PledgeRecord, now: datetime, unread: list[str]
) -> Iterator[Noticed]:
    """The notices of one record; where its bundles cannot be read, why is added to `unread`."""
    from collector.cli.workflows.desk.noticed import noticed
    from collector.pledges.record.notices import notices as on_record
    from collector.pledges.standing.found_now import lives_now

    if not on_record(record):
        return
    try:
        lives = lives_now(register, record, now)
    except CollectorError as problem:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        unread.append(f"{record.id}: {one_line(said, 600)}")
        return
    yield from noticed(record, lives, now)


def to_json(one: Noticed) -> dict[str, Any]:
    """One notice for programs."""
    return {
        "pledge": one.record.id,
        "customer": one.record.customer,
        **one.notice.entry,
        "last_day": one.notice.last_day or None,
        "next_day": one.next_day or None,
        "named": one.named,
        "open": one.open,
        "waived": one.waived,
        "mended": one.mended,
        "unproven": one.unproven,
        "gone": one.gone,
        "overdue": one.late,
        "void_evidence": one.void,
        "withdrawn": dict(one.notice.withdrawn) if one.notice.withdrawn else None,
    }


def drawn(rows: Sequence[Noticed], form: str, *, none: str) -> str | bytes:
    """As people, programs and Excel take it; `none` is what people read where there are none."""
    from collector.cli.ui.sheets import as_csv, as_xlsx
    from collector.pledges.record.masking import masked

    if form == "json":
        return as_json("pledge-notices", {"notices": masked([*map(to_json, rows)])}, indent=2)
    titles = {
        "number": tr("文号", "number"),
        "pledge": tr("登记编号", "pledge"),
        "customer": tr("用户名称", "customer"),
        "kind": tr("类别", "kind"),
        "date": tr("日期", "given"),
        "mend_by": tr("期限", "to mend by"),
        "next_day": tr("未整改最早期限", "next open day"),
        "last_day": tr("最后期限", "last day"),
        "named": tr("所列问题", "findings"),
        "open": tr("未闭环", "open"),
        "waived": tr("已豁免", "waived"),
        "mended": tr("已整改", "mended"),
        "overdue": tr("逾期", "overdue"),
        "withdrawn": tr("撤回", "withdrawn"),
        "void_evidence": tr("依据已作废", "rests on void evidence"),
    }
    cells = [_cells(one) for one in rows]
    if form == "csv":
        return as_csv(list(titles), cells)
    if form == "xlsx":
        return as_xlsx(tr("通知书", "notices"), titles, cells)
    if not rows:
        return f"{none}\n"
    return _table(rows)


def _table(rows: Sequence[Noticed]) -> str:
    """Neither a number, which is typed to take a notice back, nor a day is cut at 80 columns."""
    from collector.cli.ui.grid import Grid, room
    from collector.pledges.record.masking import masked

    # numbers that people chose name no pledge
    plain = all(one.notice.number.startswith(one.record.id) for one in rows)
    longest = max(len(one.notice.number) for one in rows)
    table = Grid(
        tr("文号、用户", "number, customer"),
        *(() if plain else (tr("登记编号", "pledge"),)),
        tr("类别", "kind"),
        tr("日期", "given"),
        tr("期限", "mend by"),
        tr("未闭环", "open"),
        tr("已豁免", "waived"),
        tr("已整改", "mended"),
        fixed={0: min(max(longest, 16), 24), **{n - plain: 10 for n in (3, 4)}},
    )
    for one in rows:
        late = tr(" 逾期", " late") if one.late else ""
        if one.void:
            late += tr(" 依据已作废", " evidence void")
        gone = tr(f"{one.withdrawn} 撤回", f"{one.withdrawn} withdrawn") if one.withdrawn else ""
        counts = (f"{one.open}/{one.named}", str(one.waived), str(one.mended))
        table.add_row(
            f"{one.notice.number} {masked(one.record.customer)}",
            *(() if plain else (one.record.id,)),
            kinds()[one.notice.kind],
            one.notice.date,
            gone or _days(one) + late,
            *("-" if gone else count for count in counts),
        )
    return table.drawn(room())


def _days(one: Noticed) -> str:
    """The day of the notice itself, and the first of what is open where that is another."""
    own, first = one.notice.own_day, one.next_day
    if first in ("", own):
        return own or "-"
    return tr(f"{own} 未整改 {first}", f"{own} open {first}")


def kinds() -> dict[str, str]:
    """What notices are, for people."""
    return {"mend": tr("整改", "mend"), "recheck": tr("复查", "recheck")}


def _cells(one: Noticed) -> list[Cell]:
    from collector.cli.ui.sheets import Word
    from collector.pledges.record.masking import masked

    return [
        one.notice.number,
        one.record.id,
        str(masked(one.record.customer)),
        Word(one.notice.kind, kinds()[one.notice.kind]),
        one.notice.date,
        one.notice.own_day,
        one.next_day,
        one.notice.last_day,
        one.named,
        one.open,
        one.waived,
        one.mended,
        one.late,
        one.withdrawn,
        one.void,
    ]
