"""`hostpledge controls`: what is checked, as a list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
from rich.cells import cell_len

from collector import catalog
from collector.cli.options.common import families_option, form_option
from collector.cli.options.times import parse_time
from collector.cli.ui.columns import out, pad, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.export.envelope import as_json
from collector.export.oscal_controls import FORMS
from collector.model import Control
from collector.remedies.steps import filled_steps, shown
from collector.remedies.work import hardened


@click.command(help=tr("列出全部核查项", "Lists the controls"))
@families_option("只列此类，可重复", "only this family, repeatable")
@click.option(
    "--grade",
    type=click.Choice(["2", "3"]),
    help=tr("只列适用于此级的", "only what applies at this grade"),
)
@form_option("table", "json", *FORMS)
@click.option(
    "--at",
    metavar="TIME",
    help=tr(
        "OSCAL 文件所载的时间（ISO 8601）；默认当天零时（UTC）",
        "the time that an OSCAL document bears (ISO 8601); default: the beginning of this day, UTC",
    ),
)
@lang_option
def controls(families: tuple[str, ...], grade: str | None, form: str, at: str | None) -> int:
    # a profile picks those of a grade itself, out of the catalog of all
    grades = (int(grade),) if grade and form != "oscal-profile" else catalog.GRADES
    selected = [
        control
        for control in catalog.controls().values()
        if (not families or control.family in families) and set(control.grades) & set(grades)
    ]
    if form in FORMS:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        moment = parse_time(at) if at else today
        out(FORMS[form](selected, moment, lang(), int(grade or catalog.GRADES[0])))
    else:
        out(_json(selected) if form == "json" else _table(selected))
    return 0


def _table(selected: list[Control]) -> str:
    words = catalog.words()
    lines: list[str] = []
    families = list(dict.fromkeys(control.family for control in selected))
    longest = max((len(control.id) for control in selected), default=0)
    for family in families:
        word = words["family"][family].to(lang())
        lines += [tr(f"{word}（{family}）", f"{word} ({family})")]
        for control in (c for c in selected if c.family == family):
            marks = [words["severity"][control.severity].to(lang())]
            if control.veto:
                marks.append(tr("一票否决", "veto"))
            if control.grades == (3,):
                marks.append(tr("仅三级", "grade 3"))
            start = f"  {control.number}  {control.id.ljust(longest)}  "
            title = control.title.to(lang())
            text = tr(f"{title}（{'，'.join(marks)}）", f"{title} ({', '.join(marks)})")
            lines.append(_beside(start, text))
        lines.append("")
    count = len(selected)
    lines.append(
        tr(
            f"共 {count} 项；用 hostpledge explain 查看某一项",
            f"{count} controls; `hostpledge explain CONTROL` tells more of one",
        )
    )
    return "\n".join(lines) + "\n"


def _beside(start: str, text: str) -> str:
    indent = pad("", cell_len(start))
    return start + wrap(text, indent=indent)[len(indent) :]


def _json(selected: list[Control]) -> str:
    document = {"controls": {control.id: entry_of(control) for control in selected}}
    return as_json("controls", document, indent=2)


def entry_of(control: Control) -> dict[str, Any]:
    """All of a control, for programs; its texts in the language of this process."""
    return {
        "number": control.number,
        "family": control.family,
        "clause": control.clause,
        "title": control.title.to(lang()),
        "about": control.about.to(lang()),
        "criterion": control.criterion.to(lang()),
        "severity": str(control.severity),
        "veto": control.veto,
        "grades": list(control.grades),
        "parameters": {
            name: {str(grade): value for grade, value in by_grade.items()}
            for name, by_grade in control.parameters.items()
        },
        "reads": sorted(catalog.reads_for([control])),
        "remediation": control.remediation.to(lang()),
        "harden": hardened(control.id),
        "steps": [shown(step, lang()) for step in filled_steps(control.id)],
        "mappings": dict(control.mappings),
        "sha256": control.digest,
    }
