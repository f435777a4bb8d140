"""`hostpledge collect`: captures only, or the collector script itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from collector import catalog, script
from collector.cli.from_register import choosing_options, from_register, inventory_option
from collector.cli.language import lang_option, tr
from collector.cli.openness import say_open
from collector.cli.outputs import check_output
from collector.cli.parts import Wanted, choice
from collector.cli.pledged import length_of_time, pledged
from collector.cli.progress import HostProgress
from collector.model import HostStatus
from collector.run.ansible import engine
from collector.run.ansible.inventory import How, asked_by_default, hosts_of
from collector.run.collected.run_folder import Arrived, RunFolder

family_option = click.option(
    "--family",
    "families",
    multiple=True,
    metavar="F",
    help=tr("只看这一类核查项（可重复）", "only this family of controls (repeatable)"),
)

_ANSIBLE: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-l", "--limit"), {"default": "", "help": tr("只查这些主机", "only these hosts")}),
    (("-u", "--user"), {"default": "", "help": tr("登录用户", "user to log in as")}),
    (("-b", "--become"), {"is_flag": True, "help": tr("提升为 root", "become root")}),
    (("-k", "--ask-pass"), {"is_flag": True, "help": tr("询问登录口令", "ask for the password")}),
    (
        ("-K", "--ask-become-pass"),
        {"is_flag": True, "help": tr("询问提权口令", "ask for the become password")},
    ),
    (
        ("--private-key",),
        {"default": "", "metavar": "FILE", "help": tr("SSH 私钥", "SSH private key")},
    ),
    (
        ("--vault-password-file",),
        {
            "multiple": True,
            "metavar": "FILE",
            "help": tr("Ansible Vault 口令文件", "password file of Ansible Vault"),
        },
    ),
    (
        ("-e", "--extra-vars"),
        {"multiple": True, "metavar": "VARS", "help": tr("附加变量", "extra variables")},
    ),
    (
        ("-f", "--forks"),
        {
            "type": click.IntRange(1, 500),
            "default": 50,
            "show_default": True,
            "help": tr("同时查几台主机", "hosts at a time"),
        },
    ),
    (
        ("--seconds",),
        {
            "type": click.IntRange(5, 86_400),
            "default": 300,
            "show_default": True,
            "help": tr(
                "每台主机的时限；整改时也是每一步的时限（不指定则一步 1800 秒）",
                "seconds one host may take to be looked at, and each step of hardening (1800 there "
                "where this is not given)",
            ),
        },
    ),
)


def ansible_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that are handed on to Ansible, under Ansible's own names."""
    for names, how in reversed(_ANSIBLE):
        command = click.option(*names, **how)(command)
    return command


def how_of(inventory: tuple[str, ...], given: dict[str, Any]) -> How:
    """The Ansible options as one value; asks for passwords where that was wanted.

    Downloads and first scans take longer than a look: only who says `--seconds` limits them by it.
    """
    login, become = _asked(*asked_by_default(), given)
    return How(
        inventory=inventory,
        limit=given["limit"],
        user=given["user"],
        become=given["become"],
        ask_pass=login,
        ask_become_pass=become,
        vault_password_files=given["vault_password_file"],
        private_key=given["private_key"],
        extra_vars=given["extra_vars"],
        forks=given["forks"],
        seconds=given["seconds"],
        step_seconds=given["seconds"] if _said("seconds") else How.step_seconds,
    )


def _asked(login: bool, become: bool, given: dict[str, Any]) -> tuple[str, str]:
    """The passwords, as Ansible asks for them: where both are, an empty one is the same again."""
    first = second = ""
    if login or given["ask_pass"]:
        first = click.prompt(tr("SSH 口令", "SSH password"), hide_input=True, err=True)
    if become or given["ask_become_pass"]:
        text = tr("提权口令", "become password")
        if first:
            text += tr("（留空则同上）", " (empty: the same)")
        default = "" if first else None
        second = click.prompt(text, default, hide_input=True, show_default=False, err=True)
    return first, second or (first if become or given["ask_become_pass"] else "")


def _said(option: str) -> bool:
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    return source is not None and source is not click.core.ParameterSource.DEFAULT


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
    type=click.Path(path_type=Path, file_okay=False),
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
@lang_option
def collect(
    inventory: tuple[str, ...],
    output: Path | None,
    print_script: bool,
    retry: bool,
    families: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
    due: bool,
    within: str,
    given_grade: int | None,
    **given: Any,
) -> int:
    """Exit status 0 when every host gave a whole capture, 1 otherwise."""
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
    how = how_of(inventory, given)
    if whole_register:
        wanted = Wanted(pledge_id or "", due, given_grade or 0, retry, length_of_time(within))
        with choice(how, location, output, wanted) as chosen:
            if chosen is None:
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
    else:
        grade = _grade(pledge_id, location, given_grade)
        arrived = gather(output, how, families, grade, retry=retry)
    complete = sum(a.status is HostStatus.COMPLETE for a in arrived.values())
    click.echo(
        tr(
            f"{complete}/{len(arrived)} 台主机采集完整：{output / 'captures'}",
            f"{complete} of {len(arrived)} hosts gave a whole capture: {output / 'captures'}",
        )
    )
    return 0 if complete == len(arrived) else 1


def _grade(pledge: str | None, location: str | None, given: int | None) -> int:
    found = pledged(pledge, location, given)
    return given or (found.record.grade if found else 2)


def gather(
    output: Path,
    how: How,
    families: tuple[str, ...],
    grade: int,
    *,
    retry: bool = False,
    end: bool = True,
    hosts: Sequence[str] | None = None,
    begun: Callable[[], None] | None = None,
) -> dict[str, Arrived]:
    """Begins or resumes the run in `output` and collects, showing progress.

    With `end=False` the run stays open: what comes after collecting is part of it. With `hosts`
    it is about these of the inventory alone. `begun` is called before the first host is asked.
    """
    # first: an unusable inventory leaves no empty run behind
    hosts = hosts_of(how) if hosts is None else hosts
    catalog.select(families, grade)
    say_open(output)
    taken = RunFolder.taken(output, families, grade, patience=how.seconds + 10, retry=retry)
    with taken as folder, HostProgress() as progress:
        if begun is not None:
            begun()
        return engine.collect(folder, how, hosts, progress=progress, end=end)
