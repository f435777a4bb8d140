"""`hostpledge check`: do files that people wrote fit their form? For editors, hooks and CI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import CollectorError
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese, msg
from collector.private import opened
from collector.schema import check as fits
from collector.schema import load_yaml

# what people write by hand; all else is made by a command, which checks it
KINDS = (
    "pledge-record",
    "data-inventory",
    "event-ledger",
    "restore-test",
    "backup-report",
    "policy",
)
_PREFIX = "urn:hostpledge:schema:"
_MOST = 4 << 20


@click.command(
    help=tr(
        "检查手写的文件是否合乎格式：登记记录、数据清单、事件台账、恢复测试记录、备份报告、核验策略。"
        "种类取自文件的 schema 字段。离线，不写任何内容。\n\n"
        "退出码：0 都合格；1 有不合格的；2 无法读取。",
        "Do files that people wrote fit their form? Pledge records, data inventories, event "
        "ledgers, restore tests, backup reports, policies; which of them a file is, its `schema` "
        "says. Offline, nothing is written.\n\n"
        "Exit status: 0 all do; 1 one does not; 2 one cannot be read.",
    )
)
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=FilePath(path_type=Path))
@form_option("text", "json")
@lang_option
def check(files: tuple[Path, ...], form: str) -> int:
    told: list[dict[str, Any]] = []
    for file in files:
        with opened(file) as source:
            data = source.read(_MOST + 1)
        kind, why = "", ""
        try:
            kind = _checked(data, str(file))
        except CollectorError as problem:
            why = in_chinese(problem.said) if lang() == "zh" else str(problem)
        told.append({"file": str(file), "kind": kind, "fits": not why, "why": why})
        if form == "text":
            click.echo(f"{file}: {kind}" if not why else f"hostpledge: {why}", err=bool(why))
    if form == "json":
        out(as_json("check", {"files": told}, indent=2))
    return 0 if all(one["fits"] for one in told) else 1


def _checked(data: bytes, where: str) -> str:
    """Which kind of document it is; raises BadInput where it is none, or has a fault."""
    from collector.errors import BadInput

    if len(data) > _MOST:
        raise BadInput(msg("larger_mib_no_document", largest=_MOST >> 20), where=where)
    document = load_yaml(data, where=where)
    named = document.get("schema") if isinstance(document, dict) else None
    kind = str(named or "").removeprefix(_PREFIX).rpartition(":")[0]
    if kind not in KINDS:
        raise BadInput(
            msg("names_no_schema_of_ours", schema=str(named)),
            where=where,
            mend=msg("begin_it_with_schema", kinds=", ".join(f"{_PREFIX}{k}:1" for k in KINDS)),
        )
    if kind == "pledge-record":
        from collector.pledges.record.form import from_bytes

        from_bytes(data, where=where)
    else:
        fits(document, kind, where=where)
    return kind
