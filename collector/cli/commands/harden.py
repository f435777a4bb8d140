"""`hostpledge harden`: check → plan → apply → check again, and one bundle with both checks."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from collector import catalog
from collector.cli.options.ansible import ansible_options, family_option, how_of
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import ControlName, find
from collector.cli.options.openness import say_open
from collector.cli.options.outputs import output_folder
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import pledged
from collector.cli.options.register_source import choosing_options, from_register, inventory_option
from collector.cli.options.signing_key import open_sm2_key, signing_options, sm2_options
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.ui import harden_summary as hardened
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.workflows.evidence import (
    Signing,
    check_attachable,
    first_key,
    make_bundle,
    write_report,
)
from collector.cli.workflows.fleet_harden import FleetHardening, prove_fleet, those_concerned
from collector.cli.workflows.fleet_summary import answer_of, answer_of_one
from collector.cli.workflows.hardening import Hardening, note
from collector.cli.workflows.run_summary import say
from collector.cli.workflows.selection import Choice, Wanted, choice
from collector.cli.workflows.whose.declared import agreed
from collector.errors import BadInput
from collector.model import Control
from collector.run.ansible.inventory import hosts_of

_NAMED = 8


@click.command(
    help=tr(
        "整改：先核查，列出计划（改什么、风险、能否撤销、哪些须由人处理），确认后逐类整改，"
        "再核查一遍，制成含前后两次采集的证据包和报告。"
        "--check 只预演并显示差异；--undo 按主机上的留存恢复原状；"
        "-i register 整改登记库中登记的主机，每份登记各得一份证据（不属于任何登记的主机不动）；"
        "被中断后以同一命令（含同一 -o）继续。",
        "Hardens hosts: checks them, shows the plan (what will change, the risk, whether it can be "
        "undone, what is left to a person), brings it about once you agree, checks again, and "
        "proves it by one bundle with both checks. --check only looks ahead and shows the "
        "differences; --undo puts back what hardening found; `-i register` hardens the hosts of "
        "the pledges in the register, each pledge gets evidence of its own, and hosts under none "
        "are not touched; the same command with the same -o takes an interrupted hardening up "
        "again.",
    )
)
@inventory_option()
@choosing_options
@click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path, file_okay=False),
    help=tr("输出目录，默认 hostpledge-<时间>", "output folder; default: hostpledge-<time>"),
)
@family_option
@click.option(
    "--control",
    "named",
    type=ControlName(),
    multiple=True,
    metavar="C",
    help=tr(
        "只整改这一核查项，编号或名称（可重复）；点名的，未能核查或已豁免也照改",
        "only this control, by number or name (repeatable); one that is named is brought about "
        "even where it could not be looked at or is waived",
    ),
)
@click.option(
    "--check",
    is_flag=True,
    help=tr("只预演：显示将改动的内容，什么也不改", "only look ahead: show what would change"),
)
@click.option("--yes", is_flag=True, help=tr("不询问，直接整改", "do not ask"))
@click.option(
    "--undo",
    is_flag=True,
    help=tr(
        "恢复到整改之前（可用 --family 限定），并以前后两次核查为证",
        "put back what hardening found (of --family), proved by a check before and after",
    ),
)
@signing_options
@sm2_options
@tsa_option
@ansible_options
@lang_option
@answering("harden")
def harden(
    *,
    inventory: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
    due: bool,
    within: timedelta,
    given_grade: int | None,
    output: Path | None,
    families: tuple[str, ...],
    named: tuple[str, ...],
    check: bool,
    yes: bool,
    undo: bool,
    key_name: str,
    passphrase_file: Path | None,
    sm2_key: str | None,
    sm2_passphrase_file: Path | None,
    tsa: tuple[str, ...],
    **given: Any,
) -> int:
    """Exit status 0 when all that was asked for is satisfied on every host, 1 otherwise."""
    from collector.run.collected.locks import sole
    from collector.run.harden.harden_folder import HardenFolder

    _can_ask(yes=yes or check, undo=undo)
    _check_undo(undo, named, check=check)
    whole_register = from_register(inventory, due=due)
    stamps = stampers(tsa)
    how = how_of(inventory, given)
    place = output_folder(output, location)
    with ExitStack() as open_until_the_end:
        chosen = None
        if whole_register:
            wished = Wanted(pledge_id or "", due, given_grade or 0, ahead=within, others=False)
            chosen = open_until_the_end.enter_context(choice(how, location, place, wished))
            if chosen is None:
                return answer_of(())
        pledge = None if chosen else pledged(pledge_id, location, given_grade)
        grade = given_grade or (chosen.grade if chosen else pledge.record.grade if pledge else 2)
        wanted = _wanted(families, named, grade)
        if chosen is not None:
            chosen = those_concerned(chosen, wanted)
            how = chosen.how
            _say_whose(chosen)
        touched = [f for f in catalog.FAMILIES if any(c.family == f for c in wanted)]
        # first: an unusable inventory leaves no empty folder behind
        hosts = chosen.hosts if chosen else hosts_of(how)
        if undo and not _agreed_to_undo(hosts, touched, yes=yes):
            return 1
        signing = None
        if not check:
            key = first_key(key_name, passphrase_file)
            signing = Signing(key, open_sm2_key(sm2_key, sm2_passphrase_file), stamps)
        if signing is not None and (chosen is not None or pledge is not None):
            check_attachable(signing)
        if not agreed(pledge, hosts, yes=yes or check):
            return 1
        if output is None:
            note(f"{tr('输出目录', 'output folder')}{tr('：', ': ')}{place}")
        open_until_the_end.enter_context(_resumable(place, given=output is not None))
        open_until_the_end.enter_context(sole(place))
        say_open(place)
        folder = HardenFolder.begin(place, touched, [c.id for c in wanted], grade, undo=undo)
        asked = (folder, how, pledge, grade, wanted, bool(named))
        if chosen is None:
            return _through(Hardening(*asked), signing, undo=undo, yes=yes)
        chosen.write_down(place)
        fleet = FleetHardening(*asked, chosen.hosts, chosen=chosen)
        return _through(fleet, signing, undo=undo, yes=yes)


def _check_undo(undo: bool, named: Sequence[str], *, check: bool) -> None:
    if undo and (named or check):
        raise click.UsageError(
            tr("--undo 不与 --control、--check 同用", "--undo goes without --control and --check")
        )


def _through(hardening: Hardening, signing: Signing | None, *, undo: bool, yes: bool) -> int:
    """All stages, to the evidence; without `signing`, only a look ahead."""
    status = _staged(hardening, signing, undo=undo, yes=yes)
    folder = hardening.folder
    answer(satisfied=status == 0, output=str(folder.path), hardening=folder.about)
    return status


def _staged(hardening: Hardening, signing: Signing | None, *, undo: bool, yes: bool) -> int:
    if undo and signing is not None:
        hardening.undo()
        prove = _prove_undone
    else:
        plans = hardening.plan()
        if signing is None:
            return hardening.look_ahead(plans)
        if not hardening.agreed(plans, yes=yes):
            return 1
        hardening.apply()
        prove = _prove
    if isinstance(hardening, FleetHardening):
        return prove_fleet(hardening, signing)
    return prove(hardening, signing)


def _say_whose(chosen: Choice) -> None:
    names = [f"{part.id} ({len(part.hosts)})" for part in chosen.parts[:_NAMED]]
    listed = tr("、", ", ").join(names) + (" …" if len(chosen.parts) > _NAMED else "")
    note(
        tr(
            f"{len(chosen.parts)} 份登记，{len(chosen.hosts)} 台主机：{listed}",
            f"{len(chosen.parts)} pledge(s), {len(chosen.hosts)} host(s): {listed}",
        )
    )


@contextmanager
def _resumable(place: Path, *, given: bool) -> Iterator[None]:
    """Who did not choose the folder is told which one takes an interrupted hardening up again."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise BadInput(
            tr("磁盘空间不足", "no space left on the disk"),
            where=str(place),
            mend=tr(
                f"腾出空间后，同一命令加 -o {place} 可继续",
                f"make room; the same command with -o {place} takes it up",
            ),
        ) from None
    except BadInput as problem:
        if given or not problem.what.startswith("interrupted"):
            raise
        mend = tr(f"同一命令加 -o {place} 可继续", f"the same command with -o {place} takes it up")
        raise BadInput(problem.what, where=problem.where, mend=mend) from None


def _can_ask(*, yes: bool, undo: bool) -> None:
    """Before minutes of work: is there anybody to ask?"""
    if not yes and not sys.stdin.isatty():
        ahead = tr(
            "加 --yes 直接整改，或加 --check 只预演",
            "give --yes to go ahead, or --check to look ahead only",
        )
        raise BadInput(
            tr("没有终端可供确认", "there is no terminal to ask on"),
            mend=tr("加 --yes 直接恢复", "give --yes to go ahead") if undo else ahead,
        )


def _wanted(families: tuple[str, ...], named: tuple[str, ...], grade: int) -> list[Control]:
    """The controls that are to be satisfied. Raises BadInput where one is not to be had."""
    selected = {c.id: c for c in catalog.select(families, grade)}
    if not named:
        return list(selected.values())
    wanted = [find(name) for name in named]
    for control in wanted:
        if control.id not in selected:
            raise BadInput(
                tr(
                    f"{control.id} 不在所选的类别或级别中",
                    f"{control.id} is not of the families or the grade asked for",
                ),
                where="--control",
            )
    return [c for c in selected.values() if c in wanted]


def _prove(hardening: Hardening, signing: Signing) -> int:
    """One bundle with both checks, attached to the pledge record; the report; the exit status."""
    from collector.verify import open_bundle

    folder, pledge = hardening.folder, hardening.pledge
    run, before = hardening.checked()
    made = make_bundle(run, folder.path, signing, hardening.grade, pledge, before)
    with open_bundle(made) as opened:
        report = write_report(folder.path, opened, pledge, signing.key)
        folder.end()
        answer_of_one(made, report, pledge, hardening.grade)
        say(opened, pledge)
        _say_where(report, opened.path)
        click.echo()
        if opened.before is None:
            click.echo(
                tr("没有可自动整改的项，未作改动", "nothing to bring about: nothing was changed")
            )
            return 0 if hardening.satisfied(opened) else 1
        hardened.say(opened, opened.before)
        return 0 if hardened.satisfied(opened, opened.before) else 1


def _agreed_to_undo(hosts: Sequence[str], families: Sequence[str], *, yes: bool) -> bool:
    names = tr("、", ", ").join(catalog.words()["family"][f].to(lang()) for f in families)
    question = tr(
        f"{len(hosts)} 台主机恢复到整改之前：{names}。继续？",
        f"Put {len(hosts)} host(s) back to before hardening: {names}. Go on?",
    )
    return yes or click.confirm(question, err=True)


def _prove_undone(hardening: Hardening, signing: Signing) -> int:
    """What each host answered, and a bundle with both checks; 1 where something is left."""
    from collector.verify import open_bundle

    folder, pledge = hardening.folder, hardening.pledge
    run, before = hardening.checked()
    made = make_bundle(run, folder.path, signing, hardening.grade, pledge, before)
    with open_bundle(made) as opened:
        report = write_report(folder.path, opened, pledge, signing.key)
        folder.end()
        answer_of_one(made, report, pledge, hardening.grade)
        if opened.before is not None:
            hardened.say_undone(opened, opened.before)
        _say_where(report, opened.path)
    entries = folder.about["hosts"].values()
    failed = any(step["outcome"] == "failed" for entry in entries for step in entry["steps"])
    return 1 if failed or any(entry["said"] for entry in entries) else 0


def _say_where(report: Path, bundle: Path) -> None:
    from collector.attest.trust import keyring

    trust = keyring.folder() / keyring.TRUST
    click.echo(f"{tr('报告：', 'report: ')}{report}")
    click.echo(f"{tr('核验：', 'verify: ')}hostpledge verify {bundle} --trust {trust}")
