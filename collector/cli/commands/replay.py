"""`hostpledge replay`: judge a bundle's captures again. Offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from collector import replay as engine
from collector.cli.options.bundles import identity_of, identity_option, open_trusted, trust_option
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.differences import difference_line
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.scope_line import line
from collector.errors import shown
from collector.export.envelope import as_json


@click.command(
    help=tr(
        "依据包内采集文件重新判定。退出码：0 结论相同；1 有不同；2 无法完成。",
        "Judges the captures of a bundle again. Exit status: 0 the same findings; 1 some differ; "
        "2 the command could not do its work.",
    )
)
@click.argument("bundle", metavar="BUNDLE", type=FilePath(path_type=Path))
@trust_option(required=False)
@identity_option
@form_option("table", "json")
@lang_option
def replay(bundle: Path, trust_file: Path | None, identity: Path | None, form: str) -> int:
    with open_trusted(bundle, trust_file, identity) as opened:
        result, about = engine.replay(opened), identity_of(opened)
    if form == "json":
        click.echo(as_json("replay", result.to_json(), about), nl=False)
        return 0 if result.same and not result.contradicts else 1
    if not result.same_catalog:
        click.echo(
            tr(
                f"核查项已有变化：当时 {result.catalog_then[:12]}，现在 {result.catalog_now[:12]}",
                f"the controls have changed: then {result.catalog_then[:12]}, "
                f"now {result.catalog_now[:12]}",
            ),
            err=True,
        )
    if result.contradicts:
        click.echo(engine.contradiction().to(lang()), err=True)
    if result.judged_then != result.judged_now:
        then, now = _judge(result.judged_then), _judge(result.judged_now)
        click.echo(
            tr(f"当时由 {then} 判定，现在由 {now}", f"judged by {then} then, by {now} now"),
            err=True,
        )
    for difference in result.differences:
        click.echo(difference_line(difference))
    if result.same:
        # in the same breath: that a part comes out the same says nothing of what was left out
        judged = line(result.scope, lang())
        reworded = (
            tr(f"，其中 {result.reworded} 条措辞有更新", f" ({result.reworded} reworded since)")
            if result.reworded
            else ""
        )
        click.echo(
            tr(
                f"结论相同：{judged}，{result.hosts} 台主机，{result.findings} 条结论{reworded}",
                f"the same: {judged}, {result.findings} findings on {result.hosts} host(s)"
                f"{reworded}",
            )
        )
        return 1 if result.contradicts else 0
    click.echo(
        tr(
            f"{result.findings} 条结论中有 {len(result.differences)} 条不同",
            f"{len(result.differences)} of {result.findings} findings differ",
        ),
        err=True,
    )
    click.echo(tr("核查范围：", "scope: ") + line(result.scope, lang()))
    return 1


def _judge(tool: Mapping[str, str]) -> str:
    code = tool.get("judging_code_sha256", "")[:12] or tr("代码未载明", "code not told")
    return f"hostpledge {shown(tool['version'], 60)} ({code})"
