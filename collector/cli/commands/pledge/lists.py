"""`hostpledge pledge import|inventory`: from the lists a provider keeps, and to Ansible's."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from collector.cli.commands.pledge.changes import elsewhere, import_check, slips, undoing
from collector.cli.options.answering import answer, answering
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import Ahead
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.lists.complaints import Fault
    from collector.pledges.lists.reading import Listed

_SHOWN = 50
# what commands put into a record stays, where a list says nothing of it; and what happened
_OF_COMMANDS = (
    *("follow_ups", "waivers", "notices", "voided", "renews"),
    *("ended", "suspensions"),
)


@click.command(
    "import",
    help=tr(
        "从清单（XLSX 或 CSV，UTF-8 或 GB 18030）导入登记。任何一行有误则一份都不导入，"
        "并逐行列出原因。没有签署日期与扫描件摘要的登记作为草稿导入。"
        "--template 写出可填写的工作簿，含登记的全部字段；--scans 目录中的扫描件按文件名填写即可。",
        "Adds the pledge records of a list (XLSX, or CSV in UTF-8 or GB 18030). Where any row is "
        "wrong nothing is added, and every wrong row is named with its column and the reason. A "
        "row without the day and the digests of the signed documents becomes a draft. --template "
        "writes a workbook with every field of a record to fill in; with --scans a list names the "
        "files of scans instead of their digests.",
    ),
)
@click.argument("file", required=False, type=FilePath(path_type=Path))
@click.option(
    "--scans",
    type=FilePath(path_type=Path),
    metavar="DIR",
    help=tr(
        "扫描件所在目录：清单中写文件名，由本命令计算摘要",
        "a folder of scans: the list names its files, and they are digested",
    ),
)
@click.option(
    "--template",
    type=FilePath(path_type=Path),
    metavar="FILE.xlsx",
    help=tr("写出空白工作簿，不导入", "write a workbook to fill in, add nothing"),
)
@click.option(
    "--update",
    is_flag=True,
    help=tr("作为已有登记的新版本", "as new versions of records that are there"),
)
@click.option(
    "--changed-hands",
    "sure",
    is_flag=True,
    help=tr(
        "与 --update 合用：某份登记改用另一用户的名称，确是名称易主，而非各行错位",
        "with --update: a record that takes another customer's name does so rightly, and no rows "
        "have slipped against their ids",
    ),
)
@click.option(
    "--check",
    is_flag=True,
    help=tr(
        "只检查，不导入；列出与登记库中现有登记的不同",
        "look only, add nothing; with what differs from the records that are there",
    ),
)
@click.option("--columns", is_flag=True, help=tr("列出可用的表头", "list the headings there are"))
@register_option
@lang_option
@answering("pledge-import")
def import_(
    *,
    file: Path | None,
    scans: Path | None,
    template: Path | None,
    update: bool,
    sure: bool,
    check: bool,
    columns: bool,
    location: str | None,
) -> int:
    """Exit status 2 where a row is wrong: then nothing was added."""
    if columns:
        out(_headings())
        return 0
    if template is not None:
        if file is not None:
            raise click.UsageError(
                tr("--template 不与清单同用", "--template goes without a list to import")
            )
        _write_template(template, location)
        return 0
    if file is None:
        raise click.UsageError(tr("缺少 FILE", "FILE is missing"))
    from collector.pledges.lists.reading import read

    # of a register that nobody made yet nothing is known, and nothing is made by looking
    held = import_check.known(location) if update else {}
    found = read(file, scans=scans, known=held)
    _say_aside(found)
    if found.faults:
        _refuse(found, file)
    count = len(found.records)
    answer(records=count, drafts=len(found.drafts), imported=not check)
    if check:
        drafts = import_check.show(found, location, update=update, sure=sure, keep=_OF_COMMANDS)
        zh, en = f"可导入 {count} 份登记\n", f"{count} pledge records can be added\n"
        if update:
            zh, en = f"可更新 {count} 份登记\n", f"{count} pledge records can be brought in\n"
        out(tr(zh, en))
    else:
        versions = _write(found, location, update=update, sure=sure)
        drafts = sum(bool(version.record.document.get("draft")) for version in versions)
    if drafts:
        out(
            tr(
                f"其中 {drafts} 份为草稿：缺签署日期或扫描件摘要\n",
                f"{drafts} of them as drafts: no day or no digest of the signed documents\n",
            )
        )
    return 0


def _write(found: Listed, location: str | None, *, update: bool, sure: bool) -> Collection[Version]:
    """All of the records, or none; and what there is to say of it."""
    begun, register = datetime.now(UTC), open_register(location, create=not update)
    before = {record.id: record for record in register.list()}
    import_check.check_ids(found.records, before, update=update)
    if update:
        import_check.check_hands(found.records, before, sure=sure)
    versions = register.add_all(found.records, update=update, keep=_OF_COMMANDS, told=found.told)
    _say_added(versions, begun)
    if update:
        import_check.tell_lost(before, [version.record for version in versions], found.headings)
    elsewhere.tell(before, [version.record for version in versions])
    slips.tell(before, [version.record for version in versions])
    undoing.tell_made(versions, before, location)
    return versions


def _say_added(versions: Collection[Version], begun: datetime) -> None:
    made = [version for version in versions if version.added_at >= begun]
    fresh = sum(version.number == 1 for version in made)
    count, changed, same = len(versions), len(made) - fresh, len(versions) - len(made)
    rest = tr(f"，未变 {same}", f", {same} as they were") if same else ""
    out(
        tr(
            f"已导入 {count} 份登记：新增 {fresh}，更新 {changed}",
            f"{count} pledge records: {fresh} added, {changed} updated",
        )
        + f"{rest}\n"
    )


def _headings() -> str:
    """A line for each column; those of further sheets below the name of the sheet."""
    from collector.pledges.lists.places import tables

    lines = []
    for table in tables().values():
        if table.field:
            sheet = tr("工作表", "sheet")
            lines += ["", f"{sheet} {' | '.join(table.names)}"]
        lines += [" | ".join(column.names) for column in table.columns.values()]
    return "\n".join(lines) + "\n"


def _write_template(place: Path, location: str | None) -> None:
    from collector.cli.options.outputs import check_output
    from collector.pledges.lists.template import template
    from collector.private import write_aside

    check_output(place, location=location)
    if place.suffix.lower() != ".xlsx":
        raise BadInput(
            tr("模板是 XLSX 工作簿", "a template is an XLSX workbook"),
            where=str(place),
            mend=tr("请以 .xlsx 结尾", "give it a name that ends in .xlsx"),
        )
    if place.is_symlink() or place.exists():
        raise BadInput(
            tr("已经存在，可能已填写", "is there already, and may be filled in"),
            where=str(place),
            mend=tr("请换一个文件名", "name another file"),
        )
    write_aside(place, template(lang()))
    out(tr(f"已写出模板 {place}\n", f"wrote the template {place}\n"))


def _say_aside(found: Listed) -> None:
    """What was not taken of a list, and what else there is to know of it."""
    if found.unknown:
        names = tr("、", ", ").join(_untaken(name, found.near) for name in found.unknown)
        click.echo(
            tr(f"未取用的列或工作表：{names}", f"columns or sheets not taken: {names}"), err=True
        )
    for note in found.notes:
        click.echo(one_line(note.to(lang())), err=True)


def _untaken(name: str, near: Mapping[str, str]) -> str:
    if name not in near:
        return one_line(name)
    meant = one_line(near[name])
    return tr(f"{one_line(name)}（是否为“{meant}”？）", f"{one_line(name)} ({meant!r}?)")


def _refuse(found: Listed, file: Path) -> NoReturn:
    for fault in found.faults[:_SHOWN]:
        click.echo(_told(fault), err=True)
    count = len(found.faults)
    if count > _SHOWN:
        rest = count - _SHOWN
        click.echo(tr(f"另有 {rest} 处未列出", f"and {rest} more, not listed"), err=True)
    least = tr("至少 ", "at least ") if found.cut else ""
    raise BadInput(
        tr(f"{least}{count} 处有误，未导入任何登记", f"{least}{count} faults, nothing was added"),
        where=str(file),
        mend=tr("更正后重新导入", "mend the rows and import it again"),
    )


def _told(fault: Fault) -> str:
    from collector.i18n.message import in_chinese

    told = fault.reason.to(lang())
    reason = one_line(in_chinese(told) if lang() == "zh" else told, 300)
    sheet, name = one_line(fault.sheet, 40), one_line(fault.column, 60)
    page = tr(f"工作表“{sheet}”", f"sheet {sheet}, ") if sheet else ""
    where = tr(f"第 {fault.row} 行", f"row {fault.row}")
    column = tr(f"，“{name}”列", f", column {name}") if name else ""
    return f"{page}{where}{column}{tr('：', ': ')}{reason}"


@click.command(
    help=tr(
        "将登记的主机输出为 Ansible 动态清单（JSON），按登记、等级、是否到期分组；"
        "可写成脚本供 -i 使用。草稿与已终止的登记不在其中。",
        "Prints the hosts of the register as a dynamic inventory for Ansible (JSON), in groups by "
        "pledge, grade and what is overdue. Drafts and pledges that ended are left out.",
    )
)
@click.option("--list", "all_", is_flag=True, help=tr("全部（默认）", "all of it (the default)"))
@click.option("--host", metavar="NAME", help=tr("一台主机的变量", "the variables of one host"))
@click.option(
    "--within",
    type=Ahead(),
    default="0d",
    show_default=True,
    metavar="TIME",
    help=tr("把多久之内到期也算作 due", "what falls due within that time counts as due too"),
)
@register_option
@lang_option
def inventory(*, all_: bool, host: str | None, within: timedelta, location: str | None) -> int:
    """Ansible's own contract of inventory scripts: --list and --host."""
    from collector.cli.options.register_source import say_odd
    from collector.pledges.standing.finding_history import lives_of_all
    from collector.pledges.transfer.inventory import inventory_of, without_odd

    del all_
    register = open_register(location)
    now, ahead, records = datetime.now(UTC), within, register.list()
    lives = lives_of_all(register, records, now, now + ahead)
    every = inventory_of(records, register.newest_evidence(), now, ahead, lives)
    found, odd = without_odd(every)
    say_odd(odd)
    if host is not None:
        out(json.dumps(found["_meta"]["hostvars"].get(host, {}), ensure_ascii=False) + "\n")
        return 0
    out(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    return 0
