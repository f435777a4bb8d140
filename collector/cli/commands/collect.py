"""`hostpledge collect`: captures only, or the collector script itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from collector import catalog, script
from collector.cli.options.ansible import ansible_options, family_option, how_of
from collector.cli.options.answering import answer, answering
from collector.cli.options.mesh.choosing import mesh_of, mesh_options
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import pledged
from collector.cli.options.register_source import choosing_options, from_register, inventory_option
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows.gathering import gather
from collector.cli.workflows.selection import Wanted, choice, say_nothing_of
from collector.model import HostStatus


@click.command(
    help=tr(
        "从主机采集（只读），每台主机一份采集文件；被中断后以同一命令继续。"
        "-i register 采集登记库中全部登记的主机，不附证据。"
        "加 --script 则只打印采集脚本，可在任何主机上执行：sh collect.sh > host.capture",
        "Collects from hosts (read-only), one capture file per host; the same command resumes an "
        "interrupted run. `-i register` collects from the hosts of all pledges in the register, "
        "and attaches nothing. With --script it prints the collector script, which runs on any "
        "host: sh collect.sh > host.capture",
    )
)
@inventory_option(required=False)
@choosing_options
@click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path, file_okay=False),
    help=tr("存放采集文件的目录", "folder for the captures"),
)
@click.option(
    "--script", "print_script", is_flag=True, help=tr("打印采集脚本", "print the collector script")
)
@click.option(
    "--retry",
    is_flag=True,
    help=tr("已结束的采集：只重试未成功的主机", "an ended run: only the hosts that failed"),
)
@family_option
@ansible_options
@mesh_options
@lang_option
@answering("collect")
def collect(
    inventory: tuple[str, ...],
    output: Path | None,
    print_script: bool,
    retry: bool,
    families: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
    due: bool,
    within: timedelta,
    given_grade: int | None,
    **given: Any,
) -> int:
    """Exit status: 0 every host gave a whole capture; 1 some did not; 2 a pledge got nothing."""
    if print_script:
        if inventory or output:
            raise click.UsageError(
                tr("--script 不与 -i、-o 同用", "--script goes without -i and -o")
            )
        selected = catalog.select(families, _grade(pledge_id, location, given_grade))
        click.echo(script.collector_script(catalog.reads_for(selected).values()), nl=False)
        return 0
    if not inventory:
        raise click.UsageError(tr("缺少 -i", "-i is missing"))
    whole_register = from_register(inventory, due=due)
    if output is None:
        raise click.UsageError(tr("缺少 -o", "-o is missing"))
    check_output(output, location=location)
    how = how_of(inventory, given, mesh_of(given, location))
    if whole_register:
        wanted = Wanted(pledge_id or "", due, given_grade or 0, retry, within)
        with choice(how, location, output, wanted) as chosen:
            if chosen is None:
                answer(hosts={}, output=str(output))
                return 0
            arrived = gather(
                output,
                chosen.how,
                families,
                chosen.grade,
                retry=retry,
                hosts=chosen.hosts,
                begun=lambda: chosen.write_down(output),
            )
            nothing = say_nothing_of(chosen)
    else:
        grade = _grade(pledge_id, location, given_grade)
        arrived = gather(output, how, families, grade, retry=retry)
        nothing = False
    answer(hosts={host: str(a.status) for host, a in arrived.items()}, output=str(output))
    complete = sum(a.status is HostStatus.COMPLETE for a in arrived.values())
    click.echo(
        tr(
            f"{complete}/{len(arrived)} 台主机采集完整：{output / 'captures'}",
            f"{complete} of {len(arrived)} hosts gave a whole capture: {output / 'captures'}",
        )
    )
    if nothing:
        return 2
    return 0 if complete == len(arrived) else 1


def _grade(pledge: str | None, location: str | None, given: int | None) -> int:
    found = pledged(pledge, location, given)
    return given or (found.record.grade if found else 2)
