"""`hostpledge diff`: what became of an earlier bundle's findings. Offline."""

from __future__ import annotations

from pathlib import Path

import click

from collector import replay as engine
from collector.cli.options.bundles import identity_of, open_trusted, trust_option
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.differences import difference_line
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.scope_line import line
from collector.errors import listed, shown
from collector.export.envelope import as_json


@click.command(
    help=tr(
        "比较先后两个证据包。退出码：0 没有变差；1 有变差；2 无法完成。",
        "Compares an earlier bundle A with a later one B. Exit status: 0 nothing got worse; 1 "
        "something did; 2 the command could not do its work.",
    )
)
@click.argument("earlier", metavar="A", type=FilePath(path_type=Path))
@click.argument("later", metavar="B", type=FilePath(path_type=Path))
@trust_option(required=False)
@form_option("table", "json")
@lang_option
def diff(earlier: Path, later: Path, trust_file: Path | None, form: str) -> int:
    with open_trusted(earlier, trust_file) as old, open_trusted(later, trust_file) as new:
        result, about = engine.diff(old, new), identity_of(new)
    if form == "json":
        click.echo(as_json("diff", result.to_json(), about), nl=False)
    else:
        _table(result)
    return 1 if result.regressed or result.lost else 0


def _table(result: engine.Comparison) -> None:
    for title, differences in (
        (tr("变差", "regressed"), result.regressed),
        (tr("已改好", "fixed"), result.fixed),
        (tr("有变化", "changed"), result.changed),
    ):
        if differences:
            click.echo(f"{title} ({len(differences)})")
            for difference in differences:
                click.echo(f"  {difference_line(difference)}")
    if result.lost:
        title = tr("未满六个月即消失的日志记录", "log records gone before six months")
        click.echo(f"{title} ({len(result.lost)})")
        for lost in result.lost:
            click.echo(f"  {_lost_line(lost)}")
    for title, names in (
        (tr("新增主机", "new hosts"), result.new_hosts),
        (tr("不再出现的主机", "hosts gone"), result.gone_hosts),
        (tr("新增核查项", "new controls"), result.new_controls),
        (tr("不再有的核查项", "controls gone"), result.gone_controls),
        (tr("日志无法比较的主机", "hosts whose logs could not be compared"), result.uncompared),
        (tr("前者中由用户提交的主机", "handed in, in the earlier"), result.handed_in[0]),
        (tr("后者中由用户提交的主机", "handed in, in the later"), result.handed_in[1]),
    ):
        if names:
            click.echo(f"{title} ({len(names)}): {listed(names)}")
    if not all(scope.whole for scope in result.scopes) or result.gone_controls:
        for name, scope in zip("AB", result.scopes, strict=True):
            click.echo(f"{name}{tr('：', ': ')}{line(scope, lang())}")
    if not (result.regressed or result.fixed or result.changed or result.lost):
        click.echo(tr("共有的主机没有变化", "nothing changed on the hosts of both"))
    if result.catalogs[0] != result.catalogs[1]:
        click.echo(
            tr("两个证据包所用的核查项版本不同", "the two were judged with different controls"),
            err=True,
        )


def _lost_line(lost: engine.Lost) -> str:
    loss = lost.loss
    start, end = f"{loss.first:%Y-%m-%d}", f"{loss.last:%Y-%m-%d}"
    said = tr(f"{start} 至 {end}", f"{start} to {end}")
    if not loss.seen:
        said += tr(
            "（部分文件未打开，可能在其中）", " (some files were not opened: it may be there)"
        )
    return f"{shown(lost.host)}  {shown(loss.path)}  {said}"
