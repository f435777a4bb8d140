"""`hostpledge retention`: for how long each log of one host is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from collector import catalog
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.columns import WIDTH, out, pad, wrap
from collector.cli.ui.intake import Intake
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, FactError, listed, one_line, shown
from collector.export.envelope import as_json
from collector.facts.logs.gaps import Gap
from collector.facts.logs.model.families import NAMES
from collector.facts.logs.retention import Retention
from collector.facts.logs.retention import retention as parse
from collector.i18n.message import in_chinese
from collector.judging.confined import looked_through
from collector.model import Capture, Result
from collector.report.model.logs import Log, notes, rows

_GRADE = 2
# the columns of the table, from the left
_WIDTHS = (10, 12, 12, 8, 9, 9, 9)


@click.command(
    help=tr(
        "逐个日志列出种类、路径、最早与最新记录、实有与可保的天数、断档、异机副本、已遮蔽的样例，"
        "以及是否满六个月。\n\n"
        "退出码：0 均满六个月；1 有不足或无法推算；2 无法完成。",
        "Lists for each log its kind and path, the oldest and newest record inside it, the days "
        "held and the days that its configuration keeps, holes, the copy on another host, masked "
        "sample lines, and whether that is six months.\n\nExit status: 0 all are kept six months; "
        "1 one is not, or it cannot be told; 2 the command could not do its work.",
    )
)
@click.argument("capture", type=FilePath(path_type=Path), metavar="CAPTURE")
@form_option("table", "json")
@lang_option
def retention(capture: Path, form: str) -> int:
    read = Intake().take(capture).capture
    if read.collected_at is None:
        raise BadInput("the capture has no time of collection", where=str(capture))
    try:
        known, found = looked_through(partial(_looked, read, read.collected_at), where=str(capture))
    except FactError as problem:
        raise BadInput(
            tr(
                f"无法得知日志的留存：{in_chinese(problem.said)}",
                f"the retention of logs cannot be told: {problem}",
            ),
            where=str(capture),
            mend=tr("以 root 重新采集", "collect again as root"),
        ) from None
    if form == "json":
        document = {
            "retention": [_json(row) for row in found],
            "logrotate": {
                "run_by": known.runner or None,
                "last_run": _iso(known.last_run),
                "overdue": known.idle,
            },
        }
        out(as_json("retention", document, indent=2))
    else:
        out(_table(found, known, read))
    return 0 if all(row.result is Result.PASS for row in found if not row.copy) else 1


def _looked(read: Capture, now: datetime) -> tuple[Retention, list[Log]]:
    known = parse(read)
    return known, rows(read, known, now, _GRADE, lang())


def _json(row: Log) -> dict[str, Any]:
    """The keys of the contract, and below them what else the table shows."""
    return {
        "path": row.path,
        "family": row.family,
        "configured_days": "unknown" if row.days == "" else row.days,
        "oldest": _iso(row.oldest),
        "six_months": str(row.result),
        "why": row.why,
        "copy": row.copy,
        "newest": _iso(row.newest),
        "held_days": row.held,
        "six_months_on": f"{row.full:%Y-%m-%d}" if row.full else None,
        "gaps": None
        if row.gaps is None
        else [
            {"from": _iso(g.start), "to": _iso(g.end), "explained_by": g.explained_by or None}
            for g in row.gaps
        ],
        "gaps_complete": row.gaps is not None and not row.unseen,
        "remote": None if row.remote is None else list(row.remote),
        "samples": None if row.samples is None else list(row.samples),
        "not_looked": dict(row.troubles),
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _table(found: list[Log], known: Retention, capture: Capture) -> str:
    lines = [f"{capture.host}  {capture.collected_at:%Y-%m-%d %H:%M} UTC"]
    if known.since:
        since = f"{known.since:%Y-%m-%d}"
        said = tr(
            f"约自 {since} 启用（依据：{known.evidence_zh}）",
            f"in use since {since} ({known.evidence})",
        )
        lines.append(wrap(said))
    lines.append(wrap(tr("执行 logrotate：", "logrotate is run by: ") + _runner(known)))
    heads = (
        tr("种类", "kind"), tr("最早", "oldest"), tr("最新", "newest"), tr("实有", "held"),
        tr("可保", "kept"), tr("断档", "gaps"), tr("异机", "remote"), tr("满六个月", "six months"),
    )  # fmt: skip
    lines += ["", _cells(heads), "─" * WIDTH]
    for row in found:
        lines += [_cells(_summary(row)), *_details(row), ""]
    named = {"gaps": heads[5], "remote": heads[6], "samples": tr("样例", "samples")}
    for note in notes(found):
        said = tr(
            f"{named[note.column]}未查：{note.why}",
            f"{named[note.column]} not looked: {note.why}",
        )
        lines.append(wrap(said + _among(note.paths)))
    return "\n".join(lines).rstrip("\n") + "\n"


def _runner(known: Retention) -> str:
    if not known.runner:
        return tr("无（不会轮转）", "nothing: no file is rotated")
    last = f"{known.last_run:%Y-%m-%d %H:%M} UTC" if known.last_run else ""
    if known.idle and last:
        return known.runner + tr(f"，自 {last} 起未再运行", f", which has not run since {last}")
    if known.idle:
        return known.runner + tr("，但从未运行", ", which never ran")
    return known.runner + (tr(f"（最近一次 {last}）", f" (last run {last})") if last else "")


def _cells(cells: tuple[str, ...]) -> str:
    """All in their columns; a cell that is too long pushes the next ones on."""
    padded = [pad(cell, width - 1) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return " ".join([*padded, *cells[len(_WIDTHS) :]]).rstrip()


def _summary(row: Log) -> tuple[str, ...]:
    unseen = tr("未查", "not seen")
    family = NAMES.get(row.family, row.family) if lang() == "zh" else row.family
    if row.oldest is None:
        gaps = "-"
    elif row.holes is None:
        gaps = unseen
    elif row.holes:
        gaps = tr(f"{row.holes} 处", str(row.holes))
    else:
        gaps = tr("部分未查", "in part") if row.unseen else tr("无", "none")
    remote = unseen if row.remote is None else tr("有", "yes") if row.remote else tr("无", "no")
    return (
        family,
        f"{row.oldest:%Y-%m-%d}" if row.oldest else "-",
        f"{row.newest:%Y-%m-%d}" if row.newest else "-",
        "-" if row.held is None else tr(f"{row.held} 天", f"{row.held} d"),
        _kept(row.days),
        gaps,
        remote,
        catalog.words()["verdict"][str(row.result)].to(lang()),
    )


def _kept(days: int | str | None) -> str:
    if days is None:
        return tr("不删除", "forever")
    return tr("不明", "unknown") if days == "" else tr(f"{days} 天", f"{days} d")


def _details(row: Log) -> list[str]:
    lines = [wrap(shown(one, 4000), indent="  ") for one in (row.path, row.why)]
    lines += [wrap(_hole(gap), indent="  ") for gap in (row.gaps or ()) if not gap.explained_by][:5]
    if row.remote:
        lines.append(wrap(tr("异机：", "remote: ") + listed(row.remote), indent="  "))
    lines += [_one(f"  | {one_line(line)}") for line in row.samples or ()]
    return lines


def _hole(gap: Gap) -> str:
    start, end = f"{gap.start:%Y-%m-%d %H:%M}", f"{gap.end:%Y-%m-%d %H:%M}"
    said = tr(f"断档：{start} 至 {end}", f"gap: {start} to {end}")
    return said + _among((gap.missing,) if gap.missing else ())


def _among(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    return tr(f"（{listed(paths, '、', 4000)}）", f" ({listed(paths, most=4000)})")


def _one(text: str) -> str:
    """One line of the terminal, cut where it is longer."""
    return text if cell_len(text) <= WIDTH else set_cell_size(text, WIDTH - 1) + "…"
