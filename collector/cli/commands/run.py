"""`hostpledge run`: the main job, from an inventory to evidence attached to a pledge record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.ansible import ansible_options, family_option, how_of
from collector.cli.options.answering import answering, asked_form, prints
from collector.cli.options.mesh.choosing import mesh_of, mesh_options
from collector.cli.options.outputs import output_folder
from collector.cli.options.packing import encrypting
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import Pledged, pledged
from collector.cli.options.register_source import (
    choosing_options,
    from_register,
    inventory_option,
    spread_option,
)
from collector.cli.options.signing_key import open_sm2_key, signing_options, sm2_options
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows import exports
from collector.cli.workflows.evidence import (
    Signing,
    check_attachable,
    first_key,
    make_bundle,
    write_report,
)
from collector.cli.workflows.fleet_summary import answer_of, answer_of_one, is_satisfied
from collector.cli.workflows.gathering import gather
from collector.cli.workflows.run_summary import say
from collector.cli.workflows.whose.declared import agreed
from collector.export import FORMATS
from collector.model import HostStatus
from collector.run.ansible.inventory import hosts_of

if TYPE_CHECKING:
    from collector.verify import Bundle

_TRIES = 5


@click.command(
    help=tr(
        "主要工作：采集、判定、制成签名证据包、附于登记、生成报告。"
        "-i localhost, 只查本机，不用 SSH；-i register 查登记库中全部登记的主机，每台只连一次，"
        "每份登记各得一份证据（可再加一个 -i 给出连接变量）；被中断后以同一命令（含同一 -o）继续。",
        "The main job: collect, assess, make a signed bundle, attach it to the pledge record, "
        "write the report. `-i localhost,` checks this machine with no SSH; `-i register` checks "
        "the hosts of all pledges in the register, each of them once, and each pledge gets "
        "evidence of its own (a further -i gives how to connect); the same command with the same "
        "-o takes an interrupted run up again.",
    )
)
@inventory_option()
@choosing_options
@spread_option
@click.option(
    "--retry",
    is_flag=True,
    help=tr(
        "-o 中已结束的核查：只再查未采集完整的主机，有新结果的登记再得一份证据",
        "the run in -o that ended: only the hosts that did not answer in full; a pledge with a "
        "new answer gets evidence again",
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
@click.option(
    "--encrypt-to",
    multiple=True,
    metavar="RECIPIENT",
    help=tr(
        "另写一份加密的证据包 bundle.zip.age 给此接收方"
        "（age1…、SSH 公钥，或每行一个的文件），可重复",
        "write the bundle encrypted to this recipient too, as bundle.zip.age (age1…, an SSH public "
        "key, or a file with one a line), repeatable",
    ),
)
@family_option
@ansible_options
@mesh_options
@lang_option
@answering("run", *(form for form in FORMATS if form not in ("table", "json")))
def run(
    *,
    inventory: tuple[str, ...],
    pledge_id: str | None,
    due: bool,
    within: timedelta,
    spread: timedelta,
    retry: bool,
    output: Path | None,
    key_name: str,
    passphrase_file: Path | None,
    sm2_key: str | None,
    sm2_passphrase_file: Path | None,
    tsa: tuple[str, ...],
    encrypt_to: tuple[str, ...],
    location: str | None,
    given_grade: int | None,
    families: tuple[str, ...],
    **given: Any,
) -> int:
    """Exit status 0 when every host answered and every control is satisfied, 1 otherwise."""
    from collector.cli.workflows.fleet_run import run_fleet
    from collector.cli.workflows.selection import Wanted, choice
    from collector.run.collected.locks import sole
    from collector.run.collected.run_folder import RunFolder
    from collector.verify import open_bundle

    stamps, encrypted, mesh = stampers(tsa), encrypting(encrypt_to), mesh_of(given, location)
    whole_register = from_register(inventory, due=due)
    form = _form_for_programs(whole_register)
    times = within, _spread(spread, due=due)
    if retry and output is None:
        raise click.UsageError(tr("--retry 须给出 -o", "--retry needs -o"))
    pledge = None if whole_register else pledged(pledge_id, location, given_grade)
    grade = given_grade or (pledge.record.grade if pledge else 2)
    signing = Signing(
        first_key(key_name, passphrase_file), open_sm2_key(sm2_key, sm2_passphrase_file), stamps
    )
    if whole_register or pledge is not None:
        check_attachable(signing)
    output, how = output_folder(output, location), how_of(inventory, given, mesh)
    if whole_register:
        wanted = Wanted(pledge_id or "", due, given_grade or 0, retry, *times)
        with choice(how, location, output, wanted) as chosen:
            if chosen is None:
                return answer_of(())
            return run_fleet(chosen, output, families, signing, encrypted, retry=retry)
    if not agreed(pledge, hosts := hosts_of(how)):
        return 1
    arrived = gather(output, how, families, grade, retry=retry, end=False, hosts=hosts)
    folder = RunFolder.open(output)
    with sole(output), open_bundle(make_bundle(folder, output, signing, grade, pledge)) as opened:
        encrypted(opened.path)
        report = write_report(output, opened, pledge, signing.key)
        folder.end()
        say(opened, pledge)
        _tell(opened, report, pledge, grade, form)
        whole = all(a.status is HostStatus.COMPLETE for a in arrived.values())
        return 0 if whole and _satisfied(opened) else 1


def _form_for_programs(whole_register: bool) -> tuple[str, ...]:
    """What `--format` names beside text and json; raises UsageError for a whole register."""
    form = asked_form()
    if form in ("text", "json"):
        return ()
    if whole_register:
        raise click.UsageError(
            tr(
                f"--format {form} 只用于一份登记，或不属登记的核查：请逐份给出 --pledge",
                f"--format {form} is for one pledge, or none: name it with --pledge",
            )
        )
    return (form,)


def _satisfied(opened: Bundle) -> bool:
    return all(is_satisfied(f) for _, entry in opened.hosts() for f in entry["findings"])


def _spread(over: timedelta, *, due: bool) -> timedelta:
    if over and not due:
        raise click.UsageError(tr("--spread 与 --due 同用", "--spread goes with --due"))
    return over


def _tell(
    opened: Bundle, report: Path, pledge: Pledged | None, grade: int, form: tuple[str, ...]
) -> None:
    """Programs what came of it, and people where that lies."""
    answer_of_one(opened.path, report, pledge, grade)
    prints("".join(exports.texts(form, opened, exports.Moment())))
    _say_where(report, opened.path)


def _say_where(report: Path, bundle: Path) -> None:
    from collector.attest.trust import keyring

    trust = keyring.folder() / keyring.TRUST
    click.echo(f"{tr('报告', 'report')}: {report}")
    click.echo(f"{tr('核验', 'verify')}: hostpledge verify {bundle} --trust {trust}")
