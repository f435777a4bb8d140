"""The reports of a bundle for people, each made of the same contents."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import write_aside
from collector.cli.options.bundles import open_trusted
from collector.cli.ui.language import lang, tr
from collector.cli.workflows.evidence import earlier_of
from collector.cli.workflows.history import Kept, compared_with
from collector.errors import BadInput, CollectorError
from collector.i18n.message import in_chinese
from collector.resources import home_place

if TYPE_CHECKING:
    from collector.verify import Bundle


def write(
    opened: Bundle,
    places: tuple[Path | None, Path | None, Path | None],
    against: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
    mode: int,
) -> None:
    """HTML, PDF and XLSX, where each is wanted; raises BadInput for a record of another pledge."""
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
