"""The reports of a bundle for people, each made of the same contents."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.status.findings import Life
    from collector.report.model.standings import Outdated, Since
    from collector.verify import Bundle


class Places(NamedTuple):
    """Where each report goes, None where it is not wanted."""

    html: Path | None = None
    pdf: Path | None = None
    xlsx: Path | None = None
    brief: Path | None = None


def write(
    opened: Bundle,
    places: Places,
    against: Path | None,
    record_file: Path | None,
    trust_file: Path | None,
    mode: int,
) -> None:
    """Each that is wanted; raises BadInput for a record of another pledge."""
    from collector.report.model.contents import Source, contents

    evidence, now = opened.evidence, datetime.now(UTC)
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
        standings=kept.standings(opened.digest, now) if kept else None,
        since=kept.since(opened.digest, now) if kept else {},
        unchecked=trust_file is None,
        outdated=kept.outdated(opened.digest, now) if kept else None,
    )
    given = contents(source, lang())
    if places.html is not None:
        from collector.report.render import html

        write_aside(places.html, html.render(given).encode("utf-8"), mode)
    if places.brief is not None:
        from collector.report.render import pdf

        write_aside(places.brief, pdf.to_brief(given), mode)
    if places.pdf is not None:
        from collector.report.render import pdf

        click.echo(tr("正在排版 PDF …", "setting the pages of the PDF …"), err=True)
        write_aside(places.pdf, pdf.to_pdf(given), mode)
    if places.xlsx is not None:
        from collector.report.render.xlsx import to_xlsx

        due = kept.due(now) if kept and known else ()
        lives = _lives(kept, now) if kept and known else {}
        write_aside(places.xlsx, to_xlsx(given, opened.capture, due, now, lives), mode)


def since_of(opened: Bundle) -> Mapping[str, Since]:
    """What its clauses come to now, by the register that it is the newest evidence of."""
    kept = _kept(opened.evidence)
    return kept.since(opened.digest, datetime.now(UTC)) if kept else {}


def outdated(opened: Bundle) -> Outdated | None:
    """Why it does not say how its pledge is now, by the register that has it."""
    kept = _kept(opened.evidence)
    return kept.outdated(opened.digest, datetime.now(UTC)) if kept else None


def _lives(kept: Kept, now: datetime) -> dict[tuple[str, str], Life]:
    """By host and control; none where an attached bundle cannot be read, which is said."""
    try:
        return {(life.host, life.control): life for life in kept.lives(now)}
    except CollectorError as problem:
        click.echo(
            tr(
                f"表格中不含责任人与整改情况：{in_chinese(problem.said)}",
                f"the workbook goes without owners and the state of mending: {problem}",
            ),
            err=True,
        )
        return {}


def _record(
    file: Path | None, evidence: Mapping[str, Any], *, known: bool
) -> Mapping[str, Any] | None:
    """The pledge record to name in the report; None where there is none to be had.

    Of the register only where the bundle is `known`, as verified or attached: anybody may write
    the name of a pledge into a bundle.
    """
    pledge = evidence.get("pledge")
    if file is not None:
        return _plain(_loaded(file, pledge).canonical())
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


def record_of(
    file: Path | None, pledge: Mapping[str, Any] | None, digest: str, *, trusted: bool
) -> PledgeRecord | None:
    """The record of a bundle; None where there is none here, or the bundle only says its name.

    Raises BadInput for a file of another pledge, CollectorError where the register has none.
    """
    if file is not None:
        return _loaded(file, pledge)
    if pledge is None or not _has_register():
        return None
    from collector.pledges.register.register import Register

    register = Register.open(create=False)
    record = register.get(pledge["id"])
    return record if trusted or Kept(register, record.id).has(digest) else None


def _loaded(file: Path, pledge: Mapping[str, Any] | None) -> PledgeRecord:
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
    return record


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
