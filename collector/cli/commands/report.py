"""`hostpledge report`: a bundle for people, as one HTML file, on A4 pages, or as a workbook."""

from __future__ import annotations

from pathlib import Path

import click

from collector.captures import refuse_special
from collector.cli.options.answering import answer, answering
from collector.cli.options.bundles import identity_of, identity_option, open_trusted, trust_option
from collector.cli.options.openness import mode_of, public_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows import exports as report_exports
from collector.cli.workflows.exports import at_option, export_option
from collector.cli.workflows.reports import Places, outdated, write
from collector.errors import BadInput


@click.command(
    help=tr(
        "由证据包生成供人阅读的报告。HTML 为单个文件，无需联网；PDF 为可签字盖章的 A4 文档；"
        "XLSX 为可筛选的表格；--brief 为至多两页的简报。登记库在本机时，附历次核查走势与到期事项。"
        "--export 写给程序读。",
        "Makes a report for people out of an evidence bundle. The HTML is one file that needs no "
        "network, the PDF is set on A4 pages to be signed and sealed, the XLSX is a workbook with "
        "filters, the brief two pages for a manager. Where the register is here, the trend and the "
        "due list come from it. --export is for programs.",
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
@click.option(
    "--brief",
    "brief_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "写入此 PDF 文件：至多两页，供负责人阅读",
        "write this PDF file: two pages at most, for a manager",
    ),
)
@export_option
@at_option
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
@answering("report")
def report(
    *,
    bundle: Path,
    html_file: Path | None,
    pdf_file: Path | None,
    xlsx_file: Path | None,
    brief_file: Path | None,
    exports: tuple[str, ...],
    at: str | None,
    against: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
    identity: Path | None,
    public: bool,
) -> int:
    places = Places(html_file, pdf_file, xlsx_file, brief_file)
    for_people = [target for target in places if target is not None]
    for_programs = report_exports.wanted(exports)
    targets = [*for_people, *(file for _, file in for_programs)]
    if not targets:
        raise BadInput(
            tr("没有说明写到哪里", "nowhere to write to"),
            mend=tr(
                "给出 --html、--pdf、--xlsx、--brief 或 --export",
                "give --html, --pdf, --xlsx, --brief or --export",
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
    if pdf_file is not None or brief_file is not None:
        from collector.report.render import pdf

        pdf.check()
    with open_trusted(bundle, trust_file, identity) as opened:
        about = identity_of(opened)
        mode = mode_of(public=public)
        if for_programs:
            unchecked = trust_file is None
            moment = report_exports.moment_of(at, opened, record_file, trusted=not unchecked)
            old = outdated(opened)
            report_exports.write(
                for_programs, opened, mode, moment, unchecked=unchecked, outdated=old
            )
        if for_people:
            write(opened, places, against, record_file, trust_file, mode)
    answer(about, files=[str(target) for target in targets])
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
