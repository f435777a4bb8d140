"""How much was judged, said where a command ends: `7 of 57 controls: no proof of …`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.language import lang, tr
from collector.model import Text
from collector.scope import Scope, no_proof, not_seen, numbered, of_evidence

if TYPE_CHECKING:
    from collector.model import Lang


def scope_said(found: Scope) -> None:
    """One line on stderr, where not all of the grade was judged; nothing where it was."""
    if not found.whole:
        click.echo(line(found, lang()), err=True)


def line(found: Scope, lang: Lang) -> str:
    """`7 of 57 controls, grade 2: no proof of 二(二), 二(三), 二(四)`, or without an end."""
    said = found.said().to(lang)
    said += f"，{found.grade} 级" if lang == "zh" else f", grade {found.grade}"
    if found.absent:
        said += ("；" if lang == "zh" else "; ") + not_seen(found.absent).to(lang)
    if not found.known:
        said += "；版本未知，范围无从核对" if lang == "zh" else "; by a release not known here"
    if found.unproven:
        said += ("：" if lang == "zh" else ": ") + no_proof(found.unproven).to(lang)
    return said


def of_frame(frame: Mapping[str, Any]) -> str:
    """As `line`, of an evidence.json, with clauses cited as its report does."""
    said = line(of_evidence(frame), lang())
    return tr("核查范围：", "scope: ") + numbered(said, lang())


def void_line(entry: Mapping[str, Any]) -> str:
    """Of one entry of a record's `voided`."""
    return void_said(entry).to(lang())


def void_said(entry: Mapping[str, Any]) -> Text:
    """As `void_line`, in both languages."""
    # who only verifies has no rooms of pledges
    from collector.pledges.record.masking import masked

    by, reason = masked(entry["by"]), masked(entry["reason"])
    number, day = entry["sequence"], entry["date"]
    return Text(
        f"第 {number} 份证据已于 {day} 作废（{by}）：{reason}",
        f"evidence {number} is void since {day} ({by}): {reason}",
    )


def taken_back_line(entry: Mapping[str, Any]) -> str:
    """Of one entry of a record's `taken_back`, with the days of the papers it held by mistake."""
    from collector.pledges.record.masking import masked
    from collector.pledges.record.reverting import named

    by, reason = masked(entry["by"]), masked(entry["reason"])
    what = tr("、", ", ").join(one.to(lang()) for one in named(entry))
    days = sorted({str(paper["signed_on"]) for paper in entry.get("documents", ())})
    when = f" ({', '.join(days)})" if days else ""
    return tr(
        f"误登，已于 {entry['date']} 撤回（{by}）：{what}{when}：{reason}",
        f"put on record by mistake, taken back on {entry['date']} ({by}): {what}{when}: {reason}",
    )
