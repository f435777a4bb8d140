"""`hostpledge repack`: a bundle as a folder, a ZIP, encrypted, or redacted; same signature."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from collector.cli.options.bundles import identity_option, open_named
from collector.cli.options.outputs import check_output
from collector.cli.options.packing import encrypt_option, packed
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput
from collector.i18n.message import of_system
from collector.private import copy_tree


@click.command(
    help=tr(
        "把已有的证据包转为另一形式，签名不变：目录、ZIP（.zip）、加密的 ZIP（.age），"
        "或略去采集文件的删节版（--redact）。",
        "Gives a bundle another form, under the same signature: a folder, a ZIP file (.zip), an "
        "encrypted one (.age), or a redacted one, without captures (--redact).",
    )
)
@click.argument("bundle", metavar="BUNDLE", type=FilePath(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(path_type=Path),
    metavar="OUT",
    help=tr("新证据包的位置，不得已存在", "where it goes; nothing may be there yet"),
)
@click.option(
    "--redact",
    is_flag=True,
    help=tr(
        "略去采集文件，保留其摘要；结论中引用的内容与所附文件仍在其中",
        "leave the captures out and keep their digests; what findings quote, and attached "
        "documents, stay in it",
    ),
)
@encrypt_option
@identity_option
@lang_option
def repack(
    *,
    bundle: Path,
    output: Path,
    redact: bool,
    encrypt_to: tuple[str, ...],
    identity: Path | None,
) -> None:
    from collector.attest.bundle import redacted
    from collector.attest.bundle.making import place

    check_output(output, bundle, identity, anew=True)
    aside, packing = packed(output, encrypt_to)
    if os.path.lexists(output):
        raise BadInput(tr("已经存在", "exists already"), where=str(output))
    with open_named(bundle, identity) as opened:
        digest = opened.digest

        def make(folder: Path) -> None:
            if redact or opened.redacted:
                redacted.write(opened.root, folder, opened.info)
            else:
                copy_tree(opened.root, folder)

        try:
            if packing:
                make(aside)
                packing(aside)
            else:
                place(make, output)
        except OSError as problem:
            raise BadInput(of_system(problem, "cannot_written"), where=str(output)) from None
        finally:
            if packing:
                shutil.rmtree(aside, ignore_errors=True)
    click.echo(f"{output}  sha256:{digest}")
