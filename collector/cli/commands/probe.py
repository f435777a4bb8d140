"""`hostpledge probe`: makes controls show themselves, where somebody agreed, and proves it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options import probe_places
from collector.cli.options.ansible import ansible_options, how_of
from collector.cli.options.answering import answer, answering
from collector.cli.options.outputs import output_folder
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import pledge_options, pledged
from collector.cli.options.register_source import inventory_option
from collector.cli.options.signing_key import open_sm2_key, signing_options, sm2_options
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows import probing
from collector.cli.workflows.evidence import (
    Signing,
    check_attachable,
    first_key,
    make_bundle,
    write_report,
)
from collector.cli.workflows.fleet_summary import answer_of_one
from collector.cli.workflows.gathering import gather
from collector.cli.workflows.hardening import note
from collector.errors import one_line
from collector.facts.probed.recording import NAMES
from collector.pledges.record.times import CHINA
from collector.run.probing import stops

if TYPE_CHECKING:
    from collector.cli.options.pledge import Pledged
    from collector.run.ansible.inventory import How
    from collector.run.probing.drive import Wanted


@click.command(
    help=tr(
        "实测：在征得同意后执行有限的动作（失败登录、测试文本、端口连接……），看控制措施是否真的生效，"
        "并将记录制成签名证据。从不属于 run。先以 --list 看各项的痕迹与会响的告警，"
        "以 --check 看计划。"
        "--stop 立即叫停此控制节点上的一切探测；主机上放置 /etc/hostpledge/probe.stop 亦然。",
        "Tests, where `run` only looks: with consent it acts in small ways (a failed login, a test "
        "text, connections to ports …), sees whether controls take effect, and makes signed "
        "evidence of it. Never part of `run`. --list tells the footprint of each probe and what "
        "will ring, --check the plan. --stop stops every probe of this control node at once; so "
        "does a file /etc/hostpledge/probe.stop on a host.",
    )
)
@inventory_option(required=False)
@pledge_options
@click.option(
    "--grade",
    "given_grade",
    type=click.IntRange(2, 3),
    help=tr("等级保护级别（默认取自登记，否则 2）", "MLPS grade (default: the record's, else 2)"),
)
@click.option(
    "--probe",
    "names",
    multiple=True,
    type=click.Choice(NAMES),
    metavar="NAME",
    help=tr(
        "哪一项（可重复）；默认为登记中已授权的",
        "which (repeatable); default: those agreed to in the record",
    ),
)
@click.option("--list", "listing", is_flag=True, help=tr("列出各项探测", "list the probes"))
@click.option(
    "--check",
    is_flag=True,
    help=tr("只看计划，不连接任何主机", "the plan alone: no host is connected to"),
)
@click.option("--yes", is_flag=True, help=tr("同意，不再询问", "agree, without being asked"))
@click.option(
    "--window",
    default="",
    metavar="HH:MM-HH:MM",
    help=tr("只在此时段内动作（本机时间）", "act only within these hours (of this machine)"),
)
@click.option("--stop", is_flag=True, help=tr("叫停一切探测", "stop all probes"))
@click.option("--clear-stop", is_flag=True, help=tr("撤销 --stop", "take --stop back"))
@click.option(
    "--log-store",
    "store",
    default="",
    metavar="STORE",
    help=tr(
        "log_arrival 要查询的日志库：ssh:主机:/路径、loki+https://…、es+https://…/索引",
        "the log store that log_arrival asks: ssh:HOST:/PATH, loki+https://…, es+https://…/INDEX",
    ),
)
@click.option(
    "--log-seconds",
    "store_seconds",
    type=click.IntRange(0, 600),
    default=30,
    show_default=True,
    help=tr("记录最迟多少秒到达", "seconds until a record has to have arrived"),
)
@click.option(
    "--ban-from",
    default="",
    metavar="ADDRESS",
    help=tr(
        "ban 从本机的哪个地址发起（不可是平时使用的）",
        "the address of this machine that `ban` has banned (none that is used)",
    ),
)
@click.option(
    "--second-node",
    default="",
    metavar="HOST",
    help=tr(
        "outside_ports 再从清单中的哪台主机询问同样的端口",
        "the host of the inventory from which outside_ports asks the same ports once more",
    ),
)
@click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path, file_okay=False),
    help=tr("输出目录，默认 hostpledge-<时间>", "output folder; default: hostpledge-<time>"),
)
@signing_options
@sm2_options
@tsa_option
@ansible_options
@lang_option
@answering("probe")
def probe(
    *,
    inventory: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
    given_grade: int | None,
    names: tuple[str, ...],
    listing: bool,
    stop: bool,
    clear_stop: bool,
    output: Path | None,
    **given: Any,
) -> int:
    """Exit status 0 when each probe showed its control to work, 1 otherwise."""
    # before all else, whatever stands beside it
    if stop or clear_stop:
        return _switch(stop=stop)
    if listing:
        probing.say_list()
        answer(probes=probing.listed())
        return 0
    if not inventory:
        raise click.UsageError(tr("缺少选项 -i", "missing option -i"))
    pledge = pledged(pledge_id, location, given_grade)
    wished = _wanted(given, probing.chosen(names, pledge, datetime.now(CHINA).date()), pledge)
    how = how_of(inventory, given)
    hosts = probe_places.hosts_to_probe(how, pledge, wished)
    wished = _consented(wished, pledge, hosts)
    probing.say_plan(hosts, wished.names, wished.until)
    if given["check"]:
        answer(hosts=list(hosts), probes=list(wished.names))
        return 0
    if not probing.agree(wished.names, hosts, yes=given["yes"]):
        return 1
    signing = Signing(
        first_key(given["key_name"], given["passphrase_file"]),
        open_sm2_key(given["sm2_key"], given["sm2_passphrase_file"]),
        stampers(given["tsa"]),
    )
    if pledge is not None:
        check_attachable(signing)
    place = output_folder(output, location)
    if output is None:
        note(f"{tr('输出目录', 'output folder')}{tr('：', ': ')}{place}")
    grade = given_grade or (pledge.record.grade if pledge else 2)
    return _through(place, how, hosts, wished, signing, grade, pledge)


def _switch(*, stop: bool) -> int:
    if stop:
        place = stops.stop()
        said = tr(
            f"已叫停：正在进行的探测不再有下一步，新的不会开始（{place}）",
            f"stopped: probes at work do no further act, and none begins ({place})",
        )
    elif stops.go_on():
        said = tr("已撤销叫停", "probes may be done again")
    else:
        said = tr("并未叫停", "they were not stopped")
    click.echo(said)
    answer(stopped=stop)
    return 0


def _wanted(given: dict[str, Any], names: tuple[str, ...], pledge: Pledged | None) -> Wanted:
    """What needs no host to be known. Raises BadInput: first of all, where probes are stopped."""
    from collector.errors import BadInput
    from collector.run.probing.arrived import host_of
    from collector.run.probing.drive import Wanted

    if (place := stops.stopped()) is not None:
        raise BadInput(
            tr("探测已被叫停", "probes are stopped"),
            where=str(place),
            mend=tr(
                "hostpledge probe --clear-stop 可撤销",
                "`hostpledge probe --clear-stop` takes it back",
            ),
        )
    host_of(given["store"])
    if given["ban_from"]:
        probe_places.check_source(given["ban_from"])
    elif "ban" in names:
        raise BadInput(
            tr(
                "ban 须指定本机一个可被封禁的地址",
                "ban needs an address of this machine that may be banned",
            ),
            where="--ban-from",
        )
    declared = pledge.record.document.get("resources", {}) if pledge else {}
    return Wanted(
        names,
        "",
        stops.until(given["window"], datetime.now().astimezone(), ahead=given["check"]),
        tuple(declared.get("addresses", ())),
        given["store"],
        given["store_seconds"],
        given["ban_from"],
        given["second_node"],
    )


def _consented(wished: Wanted, pledge: Pledged | None, hosts: list[str]) -> Wanted:
    from dataclasses import replace
    from getpass import getuser

    today = datetime.now(CHINA).date()
    by = f"{getuser()} on this control node, {datetime.now(CHINA):%Y-%m-%d %H:%M %z}"
    if pledge is not None:
        by = f"{probing.check_consent(pledge, hosts, wished.names, today)}; {by}"
    return replace(wished, consent=one_line(by))


def _through(
    place: Path,
    how: How,
    hosts: list[str],
    wished: Wanted,
    signing: Signing,
    grade: int,
    pledge: Pledged | None,
) -> int:
    """The look, the acts, the evidence, and what it came to."""
    from collector.run.collected.locks import sole
    from collector.run.collected.run_folder import RunFolder
    from collector.run.probing import drive
    from collector.verify import open_bundle

    def ended(host: str, said: str) -> None:
        if said:
            click.echo(f"{one_line(host)}: {one_line(said, 300)}", err=True)

    with ExitStack() as held:
        held.enter_context(stops.alone())
        gather(place, how, (), grade, end=False, hosts=hosts)
        held.enter_context(sole(place))
        folder = RunFolder.open(place)
        note(tr("探测中", "probing"))
        drive.probe(folder, how, hosts, wished, ended)
        opened = held.enter_context(open_bundle(make_bundle(folder, place, signing, grade, pledge)))
        report = write_report(place, opened, pledge, signing.key)
        folder.end()
        found = probing.results(folder, hosts, wished.names, pledge)
        found = probing.held_to(found, opened.evidence["hosts"])
        probing.say_results(found)
        click.echo(f"{tr('报告', 'report')}{tr('：', ': ')}{report}")
        click.echo(f"{tr('证据包', 'bundle')}{tr('：', ': ')}{opened.path}  sha256:{opened.digest}")
        answer_of_one(opened.path, report, pledge, grade)
        answer(probes=probing.to_json(found))
        return 0 if all(one.whole for one in found) else 1
