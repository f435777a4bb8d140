"""`hostpledge bundle`: a folder of captures → a signed bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.captures import (
    capture_files,
    data_documents,
    document,
    owner_keys_option,
)
from collector.cli.options.common import families_option
from collector.cli.options.packing import encrypt_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import Pledged, pledge_options, pledged
from collector.cli.options.signing_key import open_key, open_sm2_key, signing_options, sm2_options
from collector.cli.options.times import parse_time
from collector.cli.options.timestamps import stampers, tsa_option
from collector.cli.ui.language import lang_option, tr
from collector.cli.ui.scope_line import scope_said
from collector.cli.workflows.bundling import many, one
from collector.cli.workflows.selection import part_of
from collector.errors import BadInput, shown
from collector.export.envelope import Identity
from collector.facts.monitoring import event_ledger as ledger


@click.command(
    help=tr(
        "把 run 或 collect 的输出目录（或存放采集文件的目录）制成签名证据包；"
        "其中多份登记的主机（-i register）以 --pledge 只取该登记的。"
        "BUNDLE 以 .zip 结尾时打成 ZIP，以 .age 结尾时打成加密的 ZIP（见 --encrypt-to）。"
        "--per-pledge 则为每份登记各制作一份，写入一个目录，"
        "用 hostpledge pledge attach --each 目录/* 附上。",
        "Makes a signed bundle of the output of run or collect, or of a folder of captures. "
        "Where that was `-i register`, --pledge takes the hosts of that pledge alone. "
        "A BUNDLE that ends in .zip becomes a ZIP file, one that ends in .age an encrypted ZIP "
        "file (--encrypt-to). With --per-pledge, one for each pledge, into a folder: `hostpledge "
        "pledge attach --each FOLDER/*` attaches them.",
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
@click.option(
    "--per-pledge",
    is_flag=True,
    help=tr(
        "为每份有效且登记了其中主机的登记各制作一份，写入 BUNDLE 目录，文件名为 编号.zip；"
        "不属于任何登记或属于多份登记的主机逐台说明，不计入",
        "one for each pledge in force that declares hosts in it, as ID.zip in the folder BUNDLE; "
        "hosts of no pledge, or of several, are named and left out",
    ),
)
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
    per_pledge: bool,
    location: str | None,
) -> int:
    if per_pledge:
        _alone(pledge_id, inventory, owner_keys, documents)
    stamps, held = stampers(tsa), one.run_in(folder)
    pledge = pledged(pledge_id, location, grade)
    source = one.Source(folder, capture_files([folder]), held)
    given = _documents(data_documents(inventory, owner_keys), documents)
    sealing = one.Sealing(
        open_key(key_name, passphrase_file, role="bundle"),
        open_sm2_key(sm2_key, sm2_passphrase_file),
        stamps,
        encrypt_to,
        families,
        grade,
        parse_time(at) if at else None,
    )
    if per_pledge:
        return many.bundles(source, output, sealing, location)
    _bundle(source, output, sealing, given, pledge)
    return 0


def _bundle(
    source: one.Source,
    output: Path,
    sealing: one.Sealing,
    given: dict[str, bytes],
    pledge: Pledged | None,
) -> None:
    part = part_of(source.folder, pledge.record.id) if source.held and pledge else None
    own = pledge.record.grade if pledge else 2
    level = sealing.grade or max(own, part.grade if part else source.grade or own)
    if part:
        source = replace(source, files=one.of_hosts(part.hosts, source))
    attached = (pledge.attached() if pledge else {}) | given
    hosts = part.hosts if part else None
    made = one.sealed(source, output, sealing, level, pledge, attached, hosts)
    id = pledge.record.id if pledge else None
    answer(Identity(id, made.digest), bundle=str(output), hosts=made.hosts, keyid=made.keyid)
    click.echo(f"{output}  sha256:{made.digest}")
    second = sealing.second
    by = made.keyid + (f" + {second.keyid}" if second else "")
    click.echo(
        tr(
            f"{made.hosts} 台主机，由 {by} 签名",
            f"{made.hosts} host(s), signed by {by}",
        ),
        err=True,
    )
    scope_said(made.scope)


def _alone(pledge_id: str | None, *of_one: object) -> None:
    if pledge_id is not None:
        raise click.UsageError(
            tr("--per-pledge 不与 --pledge 合用", "--per-pledge goes without --pledge")
        )
    if any(of_one):
        raise click.UsageError(
            tr(
                "--per-pledge 不与 --inventory、--owner-keys、--attach 合用：那是一份登记的，"
                "请写入该登记",
                "--per-pledge goes without --inventory, --owner-keys and --attach: they are of one "
                "pledge, and stand in its record",
            )
        )


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
