"""`hostpledge repack`: a bundle as a folder, a ZIP, encrypted, or redacted; same signature."""

from __future__ import annotations

import os
from pathlib import Path

import click

from collector import private
from collector.cli.options.answering import answer, answering
from collector.cli.options.bundles import identity_option, open_named, open_trusted, trust_option
from collector.cli.options.outputs import check_output
from collector.cli.options.packing import encrypt_option, packed
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput
from collector.export.envelope import Identity
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
@click.option(
    "--for-inspector",
    is_flag=True,
    help=tr(
        "交给检查人的目录：证据包、报告（HTML、XLSX、PDF）、离线核验页、公钥与说明；须给 --trust",
        "a folder for an inspector: the bundle, its report (HTML, XLSX, PDF), a page that verifies "
        "it offline, the public keys, and how to check it all; wants --trust",
    ),
)
@trust_option(required=False)
@encrypt_option
@identity_option
@lang_option
@answering("repack")
def repack(
    *,
    bundle: Path,
    output: Path,
    redact: bool,
    for_inspector: bool,
    trust_file: Path | None,
    encrypt_to: tuple[str, ...],
    identity: Path | None,
) -> None:
    from collector.attest.bundle import redacted
    from collector.attest.bundle.making import place

    check_output(output, bundle, identity, anew=True)
    if for_inspector:
        _hand_over(bundle, output, trust_file, identity, redact=redact, encrypt_to=encrypt_to)
        return
    if os.path.lexists(output):
        raise BadInput(tr("已经存在", "exists already"), where=str(output))
    with packed(output, encrypt_to) as (aside, pack), open_named(bundle, identity) as opened:
        digest = opened.digest

        def make(folder: Path) -> None:
            if redact or opened.redacted:
                redacted.write(opened.root, folder, opened.info)
            else:
                copy_tree(opened.root, folder)

        try:
            if pack:
                make(aside)
                pack()
            else:
                place(make, output)
        except OSError as problem:
            where = problem.filename if pack and problem.filename else output
            raise BadInput(of_system(problem, "cannot_written"), where=str(where)) from None
    answer(Identity(digest=digest), output=str(output))
    click.echo(f"{output}  sha256:{digest}")


def _hand_over(
    bundle: Path,
    output: Path,
    trust_file: Path | None,
    identity: Path | None,
    *,
    redact: bool,
    encrypt_to: tuple[str, ...],
) -> None:
    from collector.attest.bundle.making import place
    from collector.cli.workflows import hand_over

    hand_over.check(output)
    if encrypt_to or trust_file is None or not trust_file.is_file():
        raise BadInput(
            tr("还须给出信任文件，且不加密", "wants the trust file, and is not encrypted"),
            where="--for-inspector",
            mend=tr(
                "加上 --trust FILE（hostpledge key trust 可生成）",
                "add --trust FILE (`hostpledge key trust` writes one)",
            ),
        )
    if os.path.lexists(output):
        raise BadInput(tr("已经存在", "exists already"), where=str(output))
    with open_trusted(bundle, trust_file, identity) as opened:
        digest, trust = opened.digest, trust_file

        def make(folder: Path) -> None:
            private.folder(folder)
            hand_over.write(opened, trust, folder, redacted=redact)

        place(make, output)
    answer(Identity(digest=digest), output=str(output))
    click.echo(f"{output}  sha256:{digest}")
    click.echo(
        tr(
            f"先看 {output / hand_over.README}；公钥指纹请另行告知检查人",
            f"begin with {output / hand_over.README}; tell the inspector the key's fingerprint "
            "by another way",
        )
    )
