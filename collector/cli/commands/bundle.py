"""`hostpledge bundle`: a folder of captures → a signed bundle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from collector import captures, catalog
from collector.attest.bundle import making as attest
from collector.attest.bundle.evidence import FILE
from collector.attest.bundle.provenance import is_collected
from collector.attest.bundle.reading import Evidence
from collector.captures import file_name
from collector.cli.options.answering import answer, answering
from collector.cli.options.captures import (
    capture_files,
    data_documents,
    document,
    owner_keys_option,
)
from collector.cli.options.common import families_option
from collector.cli.options.packing import encrypt_option, packed
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import Pledged, pledge_options, pledged
from collector.cli.options.signing_key import open_key, open_sm2_key, signing_options, sm2_options
from collector.cli.options.times import parse_time
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.ui.intake import say_clocks
from collector.cli.ui.language import lang_option, tr
from collector.cli.ui.scope_line import scope_said
from collector.cli.workflows.selection import part_of
from collector.cli.workflows.whose.declared import agreed
from collector.errors import BadInput, one_line, shown
from collector.export.envelope import Identity
from collector.facts.monitoring import event_ledger as ledger
from collector.run.collected.run_folder import RunFolder
from collector.verify.looks import recorded

_NAMED = 8


@click.command(
    help=tr(
        "把 run 或 collect 的输出目录（或存放采集文件的目录）制成签名证据包；"
        "其中多份登记的主机（-i register）以 --pledge 只取该登记的。"
        "BUNDLE 以 .zip 结尾时打成 ZIP，以 .age 结尾时打成加密的 ZIP（见 --encrypt-to）。",
        "Makes a signed bundle of the output of run or collect, or of a folder of captures. "
        "Where that was `-i register`, --pledge takes the hosts of that pledge alone. "
        "A BUNDLE that ends in .zip becomes a ZIP file, one that ends in .age an encrypted ZIP "
        "file (--encrypt-to).",
    )
)
@click.argument("folder", metavar="DIR", type=FilePath(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(path_type=Path),
    metavar="BUNDLE",
    help=tr("证据包的位置，不得已存在", "where the bundle goes; nothing may be there yet"),
)
@signing_options
@sm2_options
@families_option(
    "只判定此类，可重复；默认与 run.json 一致",
    "only this family, repeatable; default: as run.json says",
)
@click.option(
    "--grade",
    type=click.IntRange(2, 3),
    help=tr(
        "等级保护级别；默认按登记或 run.json，否则 2",
        "MLPS grade; default: the pledge record's or run.json's, else 2",
    ),
)
@click.option(
    "--at", metavar="TIME", help=tr("判定时点（ISO 8601）", "the time to judge for (ISO 8601)")
)
@click.option(
    "--inventory",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("数据分类分级清单", "the data inventory (classification register)"),
)
@owner_keys_option
@click.option(
    "--attach",
    "documents",
    multiple=True,
    metavar="NAME=FILE",
    help=tr("附上一份文件，可重复", "a document to attach, repeatable"),
)
@tsa_option
@encrypt_option
@pledge_options
@lang_option
@answering("bundle")
def bundle(
    *,
    folder: Path,
    output: Path,
    key_name: str,
    passphrase_file: Path | None,
    sm2_key: str | None,
    sm2_passphrase_file: Path | None,
    families: tuple[str, ...],
    grade: int | None,
    at: str | None,
    inventory: Path | None,
    owner_keys: Path | None,
    documents: tuple[str, ...],
    tsa: tuple[str, ...],
    encrypt_to: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
) -> None:
    stamps = stampers(tsa)
    held = run_in(folder)
    run = held.about if held else None
    chosen = families or tuple(run["families"] if run else ())
    pledge = pledged(pledge_id, location, grade)
    part = part_of(folder, pledge.record.id) if run and pledge else None
    own = pledge.record.grade if pledge else 2
    level = grade or max(own, part.grade if part else run["grade"] if run else own)
    files = capture_files([folder])
    if run and part:
        # a customer's evidence says nothing of the others' hosts
        run = {**run, "hosts": [host for host in run["hosts"] if host in part.hosts]}
        files = _of(part.hosts, files, held)
    given = _documents(data_documents(inventory, owner_keys), documents)
    attached = (pledge.attached() if pledge else {}) | given
    key = open_key(key_name, passphrase_file, role="bundle")
    second = open_sm2_key(sm2_key, sm2_passphrase_file)
    script = folder / "script.sh"
    try:
        with packed(output, encrypt_to) as (place, pack):
            made = attest.make(
                files,
                place,
                key,
                controls=catalog.select(chosen, level),
                grade=level,
                at=parse_time(at) if at else None,
                run=run,
                collected=held.vouched() if held else (),
                script=script.read_text(encoding="utf-8") if run and script.is_file() else None,
                attached=attached,
                waivers=pledge.waivers() if pledge else (),
                pledge=pledge.reference() if pledge else None,
                stamps=stamps,
                sm2_key=second,
                declared=pledge.record.hosts if pledge else (),
            )
            _say_handed_in(made, pledge)
            if pack:
                pack()
    except OSError as problem:
        problem.filename = problem.filename or str(output)
        raise
    answer(Identity(pledge_id, made.digest), bundle=str(output), hosts=made.hosts, keyid=made.keyid)
    click.echo(f"{output}  sha256:{made.digest}")
    by = made.keyid + (f" + {second.keyid}" if second else "")
    click.echo(
        tr(
            f"{made.hosts} 台主机，由 {by} 签名",
            f"{made.hosts} host(s), signed by {by}",
        ),
        err=True,
    )
    scope_said(made.scope)


def _of(hosts: Collection[str], files: Sequence[Path], held: RunFolder | None) -> list[Path]:
    """The captures of these hosts; those that are of no host of the run at all are named."""
    every = {file_name(host) for host in (held.about["hosts"] if held else ())}
    left = [file for file in files if file.name not in every]
    if left:
        names = tr("、", ", ").join(one_line(f.name) for f in left[:_NAMED])
        names += " …" if len(left) > _NAMED else ""
        click.echo(
            tr(
                f"{len(left)} 份采集文件不属于这次采集的主机，未取：{names}",
                f"{len(left)} capture(s) are of no host of the run, and not taken: {names}",
            ),
            err=True,
        )
    wanted = {file_name(host) for host in hosts}
    return [file for file in files if file.name in wanted]


def _say_handed_in(made: attest.Made, pledge: Pledged | None) -> None:
    """Which hosts nobody collected from, whose clock is odd, and of which nothing is dated.

    And which the pledge does not declare: nothing is attached yet, and `attach` says it again.
    """
    found = Evidence(made.path / "data" / FILE)
    looked: dict[str, datetime] = {}
    undated: list[str] = []
    hosts: list[str] = []
    try:
        run = found.frame["run"]
        for host, entry in found.hosts():
            hosts.append(host)
            if not is_collected(entry["origin"], run):
                looked[host] = datetime.fromisoformat(entry["assessed_at"])
            if _is_undated(made.path, entry):
                undated.append(host)
    finally:
        found.close()
    agreed(pledge, hosts, yes=True)
    _say_undated(undated)
    if looked:
        names = tr("、", ", ").join(map(one_line, list(looked)[:_NAMED]))
        names += " …" if len(looked) > _NAMED else ""
        click.echo(
            tr(
                f"{len(looked)} 台主机按“用户提交”记入，并非采集所得：{names}",
                f"{len(looked)} host(s) count as handed in, not collected: {names}",
            ),
            err=True,
        )
    say_clocks(looked)


def _is_undated(place: Path, entry: Mapping[str, Any]) -> bool:
    """Did it answer, and nothing says when?"""
    if recorded(entry) is not None or not entry["head"]:
        return False
    return captures.load(place / "data" / entry["capture"]).collected_at is None


def _say_undated(hosts: Sequence[str]) -> None:
    if not hosts:
        return
    names = tr("、", ", ").join(map(one_line, hosts[:_NAMED])) + (" …" if hosts[_NAMED:] else "")
    click.echo(
        tr(
            f"{len(hosts)} 台主机的采集时间无从得知（没有时钟，或从未校准），暂按此刻判定，不能附于"
            f"登记：{names}",
            f"nothing says when {len(hosts)} host(s) were looked at (no clock, or one that was "
            f"never set): judged as if it were now, and no register takes that: {names}",
        ),
        err=True,
    )


def run_in(folder: Path) -> RunFolder | None:
    """The run of this control node that a folder holds; None for one of captures alone.

    A run that somebody else began is none, and that is said: what is in it was handed in, and how
    narrow a check was asked for there is no reason to judge as little here.
    """
    if not (folder / "run.json").is_file():
        return None
    found = RunFolder.open(folder)
    if found.begun_here:
        return found
    click.echo(
        tr(
            f"{folder}：这次采集不是由本机发起的（run.json 没有本机的封印），其中的采集文件均按"
            "“提交”处理；范围以 --family、--grade 为准",
            f"{folder}: this run was not begun here (run.json does not bear our seal): the "
            "captures in it count as handed in, and --family and --grade alone say what is judged",
        ),
        err=True,
    )
    return None


def _documents(given: dict[str, bytes], documents: tuple[str, ...]) -> dict[str, bytes]:
    for word in documents:
        name, equals, file = word.partition("=")
        if not (name and equals and file) or name in given or not name.isprintable():
            raise BadInput(
                tr(f"不能附上：{shown(word)}", f"cannot be attached: {shown(word)}"),
                where="--attach",
                mend=tr("请写成 名称=文件，名称不重复", "write NAME=FILE, each name once"),
            )
        given[name] = document(Path(file))
        if name == ledger.DOCUMENT:
            ledger.read_ledger(given[name], where=file)
    return given
