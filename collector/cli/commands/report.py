"""`hostpledge report`: a bundle for people, as one HTML file, on A4 pages, or as a workbook."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import refuse_special, write_aside
from collector.cli.options.bundles import identity_option, open_trusted, trust_option
from collector.cli.options.openness import mode_of, public_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.workflows import exports as report_exports
from collector.cli.workflows.evidence import earlier_of
from collector.cli.workflows.exports import export_option
from collector.cli.workflows.history import Kept, compared_with
from collector.errors import BadInput, CollectorError
from collector.i18n.message import in_chinese
from collector.resources import home_place

if TYPE_CHECKING:
    from collector.verify import Bundle


@click.command(
    help=tr(
        "由证据包生成供人阅读的报告。HTML 为单个文件，无需联网；PDF 为可签字盖章的 A4 文档；"
        "XLSX 为可筛选的表格。登记库在本机时，附历次核查走势与到期事项。--export 写给程序读。",
        "Makes a report for people out of an evidence bundle. The HTML is one file that needs no "
        "network, the PDF is set on A4 pages to be signed and sealed, the XLSX is a workbook with "
        "filters. Where the register is here, the trend and the due list come from it. --export "
        "is for programs.",
    )
)
@click.argument("bundle", type=FilePath(path_type=Path))
@click.option(
    "--html",
    "html_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写入此 HTML 文件", "write this HTML file"),
)
@click.option(
    "--pdf",
    "pdf_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "写入此 PDF 文件（需要 hostpledge[pdf] 与中文字体）",
        "write this PDF file (wants hostpledge[pdf] and fonts)",
    ),
)
@click.option(
    "--xlsx",
    "xlsx_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写入此 XLSX 文件", "write this XLSX file"),
)
@export_option
@click.option(
    "--against",
    "against",
    type=FilePath(path_type=Path),
    metavar="BUNDLE",
    help=tr(
        "与此前的证据包对照；默认与登记库中的上一份对照",
        "hold it against this earlier bundle; default: the one before it in the register",
    ),
)
@click.option(
    "--record",
    "record_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "责任书登记文件；默认从登记库中取证据包所属的登记",
        "the pledge record, as a file; default: the one that the bundle names, from the register",
    ),
)
@trust_option(required=False)
@identity_option
@public_option
@lang_option
def report(
    *,
    bundle: Path,
    html_file: Path | None,
    pdf_file: Path | None,
    xlsx_file: Path | None,
    exports: tuple[str, ...],
    against: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
    identity: Path | None,
    public: bool,
) -> int:
    for_people = [target for target in (html_file, pdf_file, xlsx_file) if target is not None]
    for_programs = report_exports.wanted(exports)
    targets = [*for_people, *(file for _, file in for_programs)]
    if not targets:
        raise BadInput(
            tr("没有说明写到哪里", "nowhere to write to"),
            mend=tr(
                "给出 --html、--pdf、--xlsx 或 --export", "give --html, --pdf, --xlsx or --export"
            ),
        )
    for target in targets:
        _check_target(target)
        check_output(target, bundle, against, record_file, trust_file, identity)
    if len({target.resolve() for target in targets}) < len(targets):
        raise BadInput(
            tr("几种报告写到同一个文件", "more than one report goes into the same file"),
            where=str(targets[0]),
            mend=tr("各给一个文件", "give each a file of its own"),
        )
    if pdf_file is not None:
        from collector.report.render import pdf

        pdf.check()
    with open_trusted(bundle, trust_file, identity) as opened:
        mode = mode_of(public=public)
        report_exports.write(for_programs, opened, mode, unchecked=trust_file is None)
        if for_people:
            places = (html_file, pdf_file, xlsx_file)
            _write(opened, places, against, record_file, trust_file, mode)
    for target in targets:
        click.echo(str(target))
    return 0


def _write(
    opened: Bundle,
    places: tuple[Path | None, Path | None, Path | None],
    against: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
    mode: int,
) -> None:
    """What people read (HTML, PDF, XLSX), each made of the same contents."""
    html_file, pdf_file, xlsx_file = places
    from collector.report.model.contents import Source, contents

    evidence = opened.evidence
    kept = _kept(evidence)
    known = trust_file is not None or (kept is not None and kept.has(opened.digest))
    before = kept.before(opened.digest) if kept and against is None else against
    source = Source(
        evidence,
        opened.capture,
        _record(record_file, evidence, known=known),
        opened.digest,
        opened.keyid,
        attached=opened.attached,
        checkpoint=kept.checkpoint(opened.digest) if kept else "",
        earlier=earlier_of(opened),
        trend=kept.trend(opened.digest) if kept else None,
        compared=compared_with(
            opened, partial(open_trusted, before, trust_file), asked=against is not None
        )
        if before
        else None,
        standings=kept.standings(opened.digest) if kept else None,
        unchecked=trust_file is None,
    )
    given = contents(source, lang())
    if html_file is not None:
        from collector.report.render import html

        write_aside(html_file, html.render(given).encode("utf-8"), mode)
    if pdf_file is not None:
        from collector.report.render import pdf

        click.echo(tr("正在排版 PDF …", "setting the pages of the PDF …"), err=True)
        write_aside(pdf_file, pdf.to_pdf(given), mode)
    if xlsx_file is not None:
        from collector.report.render.xlsx import to_xlsx

        now = datetime.now(UTC)
        due = kept.due(now) if kept and known else ()
        write_aside(xlsx_file, to_xlsx(given, opened.capture, due, now), mode)


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


def _record(
    file: Path | None, evidence: Mapping[str, Any], *, known: bool
) -> Mapping[str, Any] | None:
    """The pledge record to name in the report; None where there is none to be had.

    Of the register only where the bundle is `known`, as verified or attached: anybody may write
    the name of a pledge into a bundle.
    """
    pledge = evidence.get("pledge")
    if file is not None:
        from collector.pledges.record.form import load

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
    if pledge is None or not _has_register():
        return None
    if not known:
        click.echo(
            tr(
                "报告中不含登记内容：证据包未附于登记，签名也未核验（可加 --trust）",
                "the report names no customer: the bundle is not attached to the pledge, and its "
                "signature was not checked (--trust does)",
            ),
            err=True,
        )
        return None
    from collector.pledges.register.register import Register

    try:
        return _plain(Register.open(create=False).get(pledge["id"]).canonical())
    except CollectorError as problem:
        click.echo(
            tr(
                f"报告中不含登记内容：{in_chinese(problem.said)}",
                f"the report names no customer: {problem}",
            ),
            err=True,
        )
        return None


def _kept(evidence: Mapping[str, Any]) -> Kept | None:
    if evidence.get("pledge") is None or not _has_register():
        return None
    from collector.pledges.register.register import Register

    try:
        return Kept(Register.open(create=False), evidence["pledge"]["id"])
    except CollectorError:
        # `_record` says what is wrong with the register
        return None


def _has_register() -> bool:
    from collector.pledges.register.register import FILE

    try:
        return bool(os.environ.get("HOSTPLEDGE_REGISTER")) or (home_place() / FILE).exists()
    except OSError:
        # an auditor may have no folder of their own: then there is no register either
        return False


def _plain(canonical: bytes) -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(canonical)
    return document
