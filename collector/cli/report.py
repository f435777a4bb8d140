"""`hostpledge report`: a bundle for people, as one HTML file or on A4."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from collector.captures import refuse_special, write_aside
from collector.cli.chinese import whole_in_chinese
from collector.cli.language import lang, lang_option, tr
from collector.cli.verify import open_trusted, trust_option
from collector.errors import BadInput, CollectorError
from collector.resources import home


@click.command(
    help=tr(
        "由证据包生成供人阅读的报告。HTML 为单个文件，无需联网；PDF 由本机的 Chromium 打印。",
        "Makes a report for people out of an evidence bundle. The HTML is one file that needs no "
        "network; the PDF is printed by a Chromium that is there.",
    )
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("写入此 HTML 文件", "write this HTML file"),
)
@click.option(
    "--pdf",
    "pdf_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("写入此 PDF 文件（需要 Chromium）", "write this PDF file (wants a Chromium)"),
)
@click.option(
    "--record",
    "record_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr(
        "责任书登记文件；默认从登记库中取证据包所属的登记",
        "the pledge record, as a file; default: the one that the bundle names, from the register",
    ),
)
@trust_option(required=False)
@lang_option
def report(
    *,
    bundle: Path,
    html_file: Path | None,
    pdf_file: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
) -> int:
    from collector.report.html import render

    if html_file is None and pdf_file is None:
        raise BadInput(
            tr("没有说明写到哪里", "nowhere to write to"),
            mend=tr("给出 --html 或 --pdf", "give --html or --pdf"),
        )
    targets = [target for target in (html_file, pdf_file) if target is not None]
    for target in targets:
        _check_target(target)
    if pdf_file is not None:
        from collector.report.pdf import program

        program()
    with open_trusted(bundle, trust_file) as opened:
        evidence = opened.evidence
        page = render(
            evidence,
            opened.capture,
            record=_record(record_file, evidence),
            lang=lang(),
            digest=opened.digest,
            keyid=opened.keyid,
        )
    if html_file is not None:
        write_aside(html_file, page.encode("utf-8"))
    if pdf_file is not None:
        from collector.report.pdf import to_pdf

        click.echo(tr("正在打印 PDF …", "printing the PDF …"), err=True)
        write_aside(pdf_file, to_pdf(page))
    for target in targets:
        click.echo(str(target))
    return 0


def _check_target(target: Path) -> None:
    """Before minutes of work, not after them."""
    if target.is_dir():
        raise BadInput(tr("是目录", "is a folder"), where=str(target))
    refuse_special(target)
    if not target.absolute().parent.is_dir():
        raise BadInput(
            tr("没有这个目录", "no such folder"),
            where=str(target.absolute().parent),
            mend=tr("先建立它", "make it first"),
        )


def _record(file: Path | None, evidence: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pledge record to name in the report; None where there is none to be had."""
    pledge = evidence.get("pledge")
    if file is not None:
        from collector.pledges.record import load

        record = load(file)
        if pledge is not None and pledge["id"] != record.id:
            raise BadInput(
                tr(
                    f"是登记 {record.id}，而证据包属于登记 {pledge['id']}",
                    f"is the record {record.id}, while the bundle belongs to {pledge['id']}",
                ),
                where=str(file),
            )
        return _plain(record.canonical())
    if pledge is None:
        return None
    from collector.pledges.register import FILE, Register

    try:
        if not os.environ.get("HOSTPLEDGE_REGISTER") and not (home() / FILE).exists():
            return None
    except OSError:
        # an auditor may have no folder of their own: then there is no register either
        return None
    try:
        return _plain(Register.open(create=False).get(pledge["id"]).canonical())
    except CollectorError as problem:
        click.echo(
            tr(
                f"报告中不含登记内容：{whole_in_chinese(problem)}",
                f"the report names no customer: {problem}",
            ),
            err=True,
        )
        return None


def _plain(canonical: bytes) -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(canonical)
    return document
