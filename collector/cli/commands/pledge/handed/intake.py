"""`hostpledge intake`: what customers handed in becomes evidence, or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.signing_key import open_sm2_key, signing_options, sm2_options
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.options.words import prose_given
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, CollectorError, one_line
from collector.i18n.message import in_chinese, msg

if TYPE_CHECKING:
    from collector.cli.workflows.handed.taking_in import Taken
    from collector.cli.workflows.handed.waiting import Waiting
    from collector.handin.places import Places
    from collector.handin.quarantine import Receipt


@click.command(
    help=tr(
        "处理用户提交的采集文件（见 pledge hand-in-link）：列出待处理的及其疑点；--accept、--all "
        "判定、签名并附于登记，每份登记一个证据包，来源记为“用户提交”；--refuse 拒收并记明理由。"
        "未给出 machine-id，或主机密钥、读取结果与他处相同的，须以 --accept 指明才收用。"
        "主机或机器不符、过时、重复的不予收用，逐一说明，留待拒收。中断后重新执行即可，"
        "不会遗漏，也不会重复。\n\n退出码：0 没有待处理的；1 仍有待处理的；"
        "2 有未能收用的，或文件已损坏的。",
        "Works off the captures that customers handed in (see `pledge hand-in-link`): lists what "
        "waits, and what stands against it; --accept and --all judge, sign and attach, one bundle "
        "of each pledge, its hosts as handed in; --refuse refuses, with why. What tells no "
        "machine-id, or has the host key or the reads of another, is taken by --accept with its id "
        "alone. What is of another "
        "host or machine, outdated or handed in before is not taken, by name and reason, and stays "
        "until it is refused. Interrupted, it is run again: nothing is lost, nothing comes "
        "twice.\n\nExit status: 0 nothing waits; 1 something still does; 2 something could not be "
        "taken, or its files are damaged.",
    )
)
@click.option("--list", "listed", is_flag=True, help=tr("只列出（默认）", "list only (default)"))
@click.option("--accept", multiple=True, metavar="ID", help=tr("收用，可重复", "take it in"))
@click.option("--all", "all_", is_flag=True, help=tr("收用全部无疑点的", "take in all that may be"))
@click.option("--refuse", multiple=True, metavar="ID", help=tr("拒收，可重复", "refuse it"))
@click.option("--why", metavar="TEXT", help=tr("拒收的理由", "why it is refused"))
@click.option(
    "--moved",
    is_flag=True,
    help=tr(
        "主机已更换：machine-id 与此前不同也收用",
        "the host was replaced: take it with another machine-id than before",
    ),
)
@signing_options
@sm2_options
@tsa_option
@register_option
@lang_option
@answering("intake")
def intake(
    *,
    listed: bool,
    accept: tuple[str, ...],
    all_: bool,
    refuse: tuple[str, ...],
    why: str | None,
    moved: bool,
    key_name: str,
    passphrase_file: Path | None,
    sm2_key: str | None,
    sm2_passphrase_file: Path | None,
    tsa: tuple[str, ...],
    location: str | None,
) -> int:
    from collector.cli.workflows.evidence import Signing, check_attachable, first_key
    from collector.cli.workflows.handed import taking_in
    from collector.cli.workflows.handed.damaged import say_damaged
    from collector.cli.workflows.handed.waiting import held_all, place, undecided
    from collector.handin.places import INTAKE

    _check(listed=listed, taking=bool(accept or all_), refuse=refuse, why=why)
    register = open_register(location)
    places = place(register, location)
    taking = bool(accept or all_)
    signing = None
    if taking:
        # asked for before anything is held
        second = open_sm2_key(sm2_key, sm2_passphrase_file)
        signing = Signing(first_key(key_name, passphrase_file), second, stampers(tsa))
        check_attachable(signing)
    odd: list[CollectorError] = []
    with places.held(INTAKE):
        done = taking_in.settle(register, places, odd)
        # of what a job may have attached already nothing else is made, and nobody is told otherwise
        unsure = [one for one in done if one.trouble is not None]
        open_ = {one.receipt.digest for one in unsure}
        left = [one for one in undecided(places, register) if one.digest not in open_]
        refused = _refuse(places, _named(left, refuse, unsure), str(why)) if refuse else []
        if signing is not None:
            wanted = left if all_ else _named(left, accept, done)
            done += taking_in.take(register, places, wanted, signing, moved=moved, named=accept)
        left = undecided(places, register)
        shown = [] if taking or refuse else held_all(register, places, left, moved=moved)
    damaged = say_damaged(places, odd)
    _tell(done, refused, shown)
    answer(
        taken=[_of_taken(one) for one in done if one.trouble is None],
        not_taken=[_of_taken(one) for one in done if one.trouble is not None],
        refused=[_of(one) for one in refused],
        waiting=[_of_waiting(one) for one in shown] if not taking else [_of(one) for one in left],
    )
    if damaged or any(one.trouble is not None for one in done):
        return 2
    return 1 if left else 0


def _check(*, listed: bool, taking: bool, refuse: Sequence[str], why: str | None) -> None:
    if bool(listed) + taking + bool(refuse) > 1:
        raise click.UsageError(
            tr(
                "--list、--accept（或 --all）、--refuse 只能用一种",
                "give one of --list, --accept (or --all) and --refuse",
            )
        )
    if bool(refuse) is not bool(why):
        raise click.UsageError(tr("--refuse 与 --why 合用", "--refuse and --why go together"))
    prose_given(why, "--why")


def _named(
    left: Sequence[Receipt], ids: Sequence[str], done: Sequence[Taken] = ()
) -> list[Receipt]:
    """Raises BadInput for an id of nothing that waits, or was settled just now."""
    known = {one.id: one for one in left}
    settled = {one.receipt.id for one in done}
    for id in ids:
        if id not in known and id not in settled:
            raise BadInput(
                tr(f"没有待处理的提交 {id}", f"nothing waits that is called {id}"),
                mend=tr("见 hostpledge intake --list", "see `hostpledge intake --list`"),
            )
    return [known[id] for id in dict.fromkeys(ids) if id in known]


def _refuse(places: Places, receipts: Sequence[Receipt], why: str) -> list[Receipt]:
    from collector.handin import quarantine

    for one in receipts:
        quarantine.decide(places, one, "refused", again=True, why=why)
    return list(receipts)


def _tell(done: Sequence[Taken], refused: Sequence[Receipt], shown: Sequence[Waiting]) -> None:
    for one in done:
        name = f"{one.receipt.id} {one.receipt.pledge} {one_line(one.receipt.host)}"
        if one.trouble is None:
            out(
                tr(
                    f"{name}：已收用（用户提交），第 {one.sequence} 份证据\n",
                    f"{name}: taken in as handed in, evidence {one.sequence}\n",
                )
            )
        else:
            said = tr("未收用", "not taken")
            click.echo(f"{name}: {said}: {_said(one.trouble)}", err=True)
    for refusal in refused:
        name = f"{refusal.id} {refusal.pledge} {one_line(refusal.host)}"
        out(tr(f"{name}：已拒收\n", f"{name}: refused\n"))
    if shown:
        _table(shown)
    elif not done and not refused:
        click.echo(tr("没有待处理的提交", "nothing waits"), err=True)


def _table(shown: Sequence[Waiting]) -> None:
    from collector.cli.ui.grid import Grid, room
    from collector.pledges.record.times import minute

    grid = Grid(
        tr("编号", "ID"),
        tr("登记", "pledge"),
        tr("主机", "host"),
        tr("收到", "received"),
        "KiB",
        # an id is typed: it is not cut
        fixed={0: 12},
    )
    lines = []
    for one in shown:
        receipt = one.receipt
        at = minute(receipt.received_at)
        size = str((receipt.size + 1023) // 1024)
        grid.add_row(receipt.id, receipt.pledge, one_line(receipt.host), at, size)
        if one.against:
            said = tr("疑点：", "against it: ") + _said(one.against)
            lines.append(wrap(f"{receipt.id} {said}", width=room()))
    out(grid.drawn(room()) + "".join(f"{line}\n" for line in lines))


def _said(problem: CollectorError) -> str:
    """Without where: that is the folder that a bundle was made in."""
    said = problem.said
    if isinstance(problem, BadInput):
        said = (
            msg("with_mend", what=problem.what, mend=problem.mend) if problem.mend else problem.what
        )
    return one_line(in_chinese(said) if lang() == "zh" else said, 600)


def _of(one: Receipt) -> dict[str, Any]:
    return {
        "id": one.id,
        "pledge": one.pledge,
        "host": one.host,
        "sha256": one.sha256,
        "size": one.size,
        "received_at": _iso(one.received_at),
        "looked_at": one.looked_at or None,
    }


def _of_waiting(one: Waiting) -> dict[str, Any]:
    return {**_of(one.receipt), "against": _said(one.against) if one.against else None}


def _of_taken(one: Taken) -> dict[str, Any]:
    found = _of(one.receipt)
    if one.trouble is not None:
        return {**found, "why": _said(one.trouble)}
    return {**found, "evidence": one.sequence, "bundle": one.digest}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
