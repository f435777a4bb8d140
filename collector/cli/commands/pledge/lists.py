"""`hostpledge pledge import|inventory`: from the lists a provider keeps, and to Ansible's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import length_of_time
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.lists.reading import Fault

_SHOWN = 50


@click.command(
    "import",
    help=tr(
        "从清单（XLSX 或 CSV，UTF-8 或 GB 18030）导入登记。任何一行有误则一份都不导入，"
        "并逐行列出原因。没有签署日期与扫描件摘要的登记作为草稿导入。",
        "Adds the pledge records of a list (XLSX, or CSV in UTF-8 or GB 18030). Where any row is "
        "wrong nothing is added, and every wrong row is named with its column and the reason. A "
        "row without the day and the digests of the signed documents becomes a draft.",
    ),
)
@click.argument("file", required=False, type=FilePath(path_type=Path))
@click.option(
    "--update",
    is_flag=True,
    help=tr("作为已有登记的新版本", "as new versions of records that are there"),
)
@click.option("--check", is_flag=True, help=tr("只检查，不导入", "look only, add nothing"))
@click.option("--columns", is_flag=True, help=tr("列出可用的表头", "list the headings there are"))
@register_option
@lang_option
def import_(
    *, file: Path | None, update: bool, check: bool, columns: bool, location: str | None
) -> int:
    """Exit status 2 where a row is wrong: then nothing was added."""
    from collector.pledges.lists import reading as lists

    if columns:
        for headings in lists.COLUMNS.values():
            out(f"{' | '.join(headings)}\n")
        return 0
    if file is None:
        raise click.UsageError(tr("缺少 FILE", "FILE is missing"))
    found = lists.read(file)
    if found.unknown:
        names = ", ".join(one_line(name) for name in found.unknown)
        click.echo(tr(f"未取用的列：{names}", f"columns not taken: {names}"), err=True)
    if found.faults:
        for fault in found.faults[:_SHOWN]:
            click.echo(_told(fault), err=True)
        raise BadInput(
            tr(
                f"{len(found.faults)} 处有误，未导入任何登记",
                f"{len(found.faults)} faults, nothing was added",
            ),
            where=str(file),
            mend=tr("更正后重新导入", "mend the rows and import it again"),
        )
    count = len(found.records)
    if check:
        out(tr(f"可导入 {count} 份登记\n", f"{count} pledge records can be added\n"))
        return 0
    versions = open_register(location, create=True).add_all(found.records, update=update)
    fresh = sum(v.number == 1 for v in versions)
    out(
        tr(
            f"已导入 {count} 份登记：新增 {fresh}，更新 {count - fresh}\n",
            f"{count} pledge records: {fresh} added, {count - fresh} updated\n",
        )
    )
    if found.drafts:
        drafts = len(found.drafts)
        out(
            tr(
                f"其中 {drafts} 份为草稿：缺签署日期或扫描件摘要\n",
                f"{drafts} of them as drafts: no day or no digest of the signed documents\n",
            )
        )
    return 0


def _told(fault: Fault) -> str:
    from collector.i18n.message import in_chinese

    told = fault.reason.to(lang())
    reason = one_line(in_chinese(told) if lang() == "zh" else told, 300)
    where = tr(f"第 {fault.row} 行", f"row {fault.row}")
    column = tr(f"，“{fault.column}”列", f", column {fault.column}") if fault.column else ""
    return f"{where}{column}{tr('：', ': ')}{reason}"


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
    default="0d",
    show_default=True,
    metavar="TIME",
    help=tr("把多久之内到期也算作 due", "what falls due within that time counts as due too"),
)
@register_option
@lang_option
def inventory(*, all_: bool, host: str | None, within: str, location: str | None) -> int:
    """Ansible's own contract of inventory scripts: --list and --host."""
    from collector.cli.options.register_source import say_odd
    from collector.pledges.standing.finding_history import lives_of_all
    from collector.pledges.transfer.inventory import inventory_of, without_odd

    del all_
    register = open_register(location)
    now, ahead, records = datetime.now(UTC), length_of_time(within), register.list()
    lives = lives_of_all(register, records, now, now + ahead)
    every = inventory_of(records, register.newest_evidence(), now, ahead, lives)
    found, odd = without_odd(every)
    say_odd(odd)
    if host is not None:
        out(json.dumps(found["_meta"]["hostvars"].get(host, {}), ensure_ascii=False) + "\n")
        return 0
    out(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    return 0
