"""`hostpledge retention`: for how long each log of one host is kept."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from collector import captures, catalog
from collector.cli.columns import out, wrap
from collector.cli.language import lang, lang_option, tr
from collector.controls.logging.keeping import both
from collector.errors import BadInput, FactError
from collector.facts.log_kept import LogKept
from collector.facts.retention import Retention
from collector.facts.retention import retention as parse
from collector.model import Capture, Result


@click.command(
    help=tr(
        "逐个日志列出按配置保留的天数、文件内最早记录的时间，以及是否满六个月。\n\n"
        "退出码：0 均满六个月；1 有不足或无法推算；2 无法完成。",
        "Lists for each log how many days its configuration keeps, the time of the oldest record "
        "inside it, and whether that is six months.\n\nExit status: 0 all are kept six months; 1 "
        "one is not, or it cannot be told; 2 the command could not do its work.",
    )
)
@click.argument("capture", type=click.Path(path_type=Path), metavar="CAPTURE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help=tr("输出格式", "form of the output"),
)
@lang_option
def retention(capture: Path, form: str) -> int:
    read = captures.load(capture)
    if read.collected_at is None:
        raise BadInput("the capture has no time of collection", where=str(capture))
    try:
        known = parse(read)
    except FactError as problem:
        raise BadInput(
            tr("无法得知日志的留存", "the retention of logs cannot be told") + f": {problem}",
            where=str(capture),
            mend=tr("以 root 重新采集", "collect again as root"),
        ) from None
    rows = [_row(log, known, read.collected_at) for log in known.logs]
    if form == "json":
        out(json.dumps({"retention": rows}, ensure_ascii=False, indent=2) + "\n")
    else:
        out(_table(rows, known, read))
    judged = [row for row, log in zip(rows, known.logs, strict=True) if not log.copy]
    return 0 if all(row["six_months"] == Result.PASS for row in judged) else 1


def _row(log: LogKept, known: Retention, now: datetime) -> dict[str, Any]:
    need = catalog.control("logging.retention_configured").for_grade(2).integer("days")
    months = catalog.control("logging.retention_observed").for_grade(2).integer("months")
    result, why = both(log, known, now, need, months)
    days: int | str | None = log.least if log.known else "unknown"
    if not log.known and log.most is not None and log.most < need:
        days = log.most
    return {
        "path": log.path,
        "family": log.family,
        "configured_days": days,
        "oldest": log.oldest.isoformat() if log.oldest else None,
        "six_months": str(result),
        "why": why.to(lang()),
    }


def _table(rows: list[dict[str, Any]], known: Retention, capture: Capture) -> str:
    words = {
        "pass": tr("符合", "pass"),
        "partial": tr("部分符合", "partial"),
        "fail": tr("不符合", "fail"),
        "error": tr("未能核查", "error"),
    }
    families = catalog.words()["log_family"]
    lines = [f"{capture.host}  {capture.collected_at:%Y-%m-%d %H:%M} UTC"]
    if known.since:
        since = f"{known.since:%Y-%m-%d}"
        lines.append(
            tr(
                f"约自 {since} 启用（依据：{known.evidence_zh}）",
                f"in use since {since} ({known.evidence})",
            )
        )
    runner = known.runner or tr("无（不会轮转）", "nothing: no file is rotated")
    lines.append(tr("执行 logrotate：", "logrotate is run by: ") + runner)
    for row in rows:
        days = row["configured_days"]
        shown = tr("不删除", "never removed") if days is None else f"{days} {tr('天', 'd')}"
        if days == "unknown":
            shown = tr("无法推算", "unknown")
        oldest = (row["oldest"] or "-")[:10]
        lines += [
            "",
            f"{row['path']}  [{families[row['family']].to(lang())}]",
            f"  {words[row['six_months']]}  {shown}  {tr('最早', 'oldest')} {oldest}",
            wrap(row["why"], indent="  "),
        ]
    return "\n".join(lines) + "\n"
