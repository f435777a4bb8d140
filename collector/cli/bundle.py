"""`hostpledge bundle`: a folder of captures → a signed bundle."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import click

from collector import catalog
from collector.attest import bundle as attest
from collector.cli.assess import capture_files, parse_time
from collector.cli.key import open_key, signing_options
from collector.cli.language import lang_option, tr
from collector.cli.pledged import pledge_options, pledged
from collector.errors import BadInput
from collector.schema import check, load_json


@click.command(
    help=tr(
        "把 run 或 collect 的输出目录（或存放采集文件的目录）制成签名证据包；"
        "BUNDLE 以 .zip 结尾时打成 ZIP。",
        "Makes a signed bundle of the output of run or collect, or of a folder of captures. "
        "A BUNDLE that ends in .zip becomes a ZIP file.",
    )
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help=tr("证据包的位置，不得已存在", "where the bundle goes; nothing may be there yet"),
)
@signing_options
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(catalog.FAMILIES),
    metavar="FAMILY",
    help=tr(
        "只判定此类，可重复；默认与 run.json 一致",
        "only this family, repeatable; default: as run.json says",
    ),
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
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("数据分类分级清单", "the data inventory (classification register)"),
)
@click.option(
    "--attach",
    "documents",
    multiple=True,
    metavar="NAME=FILE",
    help=tr("附上一份文件，可重复", "a document to attach, repeatable"),
)
@pledge_options
@lang_option
def bundle(
    *,
    folder: Path,
    output: Path,
    key_name: str,
    passphrase_file: Path | None,
    families: tuple[str, ...],
    grade: int | None,
    at: str | None,
    inventory: Path | None,
    documents: tuple[str, ...],
    pledge_id: str | None,
    location: str | None,
) -> None:
    run = read_run(folder)
    chosen = families or tuple(run["families"] if run else ())
    pledge = pledged(pledge_id, location, grade)
    own = pledge.record.grade if pledge else 2
    level = grade or max(own, run["grade"] if run else own)
    attached = (pledge.attached() if pledge else {}) | _documents(inventory, documents)
    key = open_key(key_name, passphrase_file)
    script = folder / "script.sh"
    place, zipped = output, output.suffix == ".zip"
    if zipped:
        if output.exists():
            raise BadInput(tr("已经存在", "exists already"), where=str(output))
        place = output.with_name(f".{output.stem}.{secrets.token_hex(8)}.part")
    try:
        made = attest.make(
            capture_files([folder]),
            place,
            key,
            controls=catalog.select(chosen, level),
            grade=level,
            at=parse_time(at) if at else None,
            run=run,
            script=script.read_text(encoding="utf-8") if run and script.is_file() else None,
            attached=attached,
            waivers=pledge.waivers() if pledge else (),
            pledge=pledge.reference() if pledge else None,
        )
        if zipped:
            attest.pack_into(place, output)
    except OSError as problem:
        problem.filename = problem.filename or str(output)
        raise
    finally:
        if zipped:
            shutil.rmtree(place, ignore_errors=True)
    click.echo(f"{output}  sha256:{made.digest}")
    click.echo(
        tr(
            f"{made.hosts} 台主机，由 {made.keyid} 签名",
            f"{made.hosts} host(s), signed by {made.keyid}",
        ),
        err=True,
    )


def read_run(folder: Path) -> dict[str, Any] | None:
    """The run that a folder holds; None for a folder of captures alone."""
    place = folder / "run.json"
    if not place.is_file():
        return None
    document: dict[str, Any] = load_json(place.read_bytes(), where=str(place))
    check(document, "run", where=str(place))
    return document


def _documents(inventory: Path | None, documents: tuple[str, ...]) -> dict[str, bytes]:
    named = {} if inventory is None else {"data-inventory": inventory}
    for document in documents:
        name, equals, file = document.partition("=")
        if not (name and equals and file) or name in named:
            raise BadInput(
                tr(f"不能附上：{document}", f"cannot be attached: {document}"),
                where="--attach",
                mend=tr("请写成 名称=文件，名称不重复", "write NAME=FILE, each name once"),
            )
        named[name] = Path(file)
    found = {}
    for name, path in named.items():
        try:
            found[name] = path.read_bytes()
        except OSError as problem:
            raise BadInput(problem.strerror or "cannot be read", where=str(path)) from None
    return found
