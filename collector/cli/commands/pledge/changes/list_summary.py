"""How many of the listed records there are of each, for people, programs and Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collector import catalog
from collector.cli.commands.pledge.over_all import vetoes
from collector.cli.ui.columns import labelled
from collector.cli.ui.language import lang, tr
from collector.export.envelope import as_json
from collector.model import Text

if TYPE_CHECKING:
    from collector.pledges.standing.listing import Listed

_GRADES = {"2": "二级", "3": "三级"}
# as `listing.summary` names what it counts
_WHOLE = {
    "pledges": Text("登记", "pledges"),
    "hosts": Text("主机", "hosts"),
    "owed": Text("现行（有效、暂停、期满未续）", "in force, suspended or run out"),
    "without_evidence": Text("无证据", "without evidence"),
    "overdue": Text("有逾期", "with something overdue"),
    "falls_due": Text("有逾期或 30 天内到期", "overdue, or due in 30 days"),
    "comes_due": Text("30 天内另有到期", "with something that comes due in 30 days"),
}


def drawn(
    rows: Sequence[Listed], now: datetime, form: str, broken: vetoes.Broken | None = None
) -> str | bytes:
    """`broken`: the veto controls that the rows fail, where that was asked for."""
    from collector.cli.ui.sheets import as_csv, as_xlsx
    from collector.pledges.standing.listing import CLAUSES, summary

    found: dict[str, Any] = summary(rows, now)
    counted = vetoes.counted(broken) if broken is not None else {}
    if form == "json":
        if broken is not None:
            found["vetoes"] = counted
        return as_json("pledge-list-summary", {"summary": found}, indent=2)
    flat = [(name, "", found[name]) for name in found if isinstance(found[name], int)]
    flat += [("states", state, count) for state, count in found["states"].items()]
    flat += [(n, word, count) for n in CLAUSES for word, count in found["clauses"][n].items()]
    flat += [
        (f"grade {grade}, {n}", word, count)
        for grade, of in found["grades"].items()
        for n in CLAUSES
        for word, count in of["clauses"][n].items()
    ]
    flat += [("vetoes", control, one["pledges"]) for control, one in counted.items()]
    if form != "table":
        cells = [[name, of, str(count)] for name, of, count in flat]
        if form == "csv":
            return as_csv(["what", "of", "count"], cells)
        titles = {"what": tr("项目", "what"), "of": tr("其中", "of"), "count": tr("数量", "count")}
        told = [[*_words(name, of, counted), str(count)] for name, of, count in flat]
        return as_xlsx(tr("汇总", "summary"), titles, told)
    return _table(found, broken)


def _words(name: str, of: str, vetoes: Mapping[str, Any]) -> tuple[str, str]:
    """What is counted, as people say it: programs have it in the CSV, by names that stay."""
    from collector.pledges.due.lifecycle import WORDS
    from collector.pledges.standing.listing import CLAUSES
    from collector.report.model import listed

    if name == "states":
        states = {str(state): text.to(lang()) for state, text in WORDS.items()}
        return tr("状态", "state"), states[of]
    if name == "vetoes":
        title = catalog.described()[of].title if of in catalog.described() else None
        said = f"{vetoes[of]['number']} {title.to(lang()) if title else ''}".strip()
        return tr("不符合的一票否决项", "veto controls that fail"), said
    grade, _, clause = name.rpartition(", ")
    if clause in CLAUSES:
        said = catalog.clause_number(clause, lang())
        if grade:
            level = grade.removeprefix("grade ")
            said = tr(f"{said} {_GRADES[level]}", f"{said} (L{level})")
        return said, listed.verdicts(lang())[of]
    return _WHOLE[name].to(lang()), ""


def _table(found: Mapping[str, Any], broken: vetoes.Broken | None) -> str:
    from collector.pledges.due.lifecycle import WORDS
    from collector.pledges.standing.listing import CLAUSES
    from collector.report.model import listed

    words = {str(state): text.to(lang()) for state, text in WORDS.items()}
    lines = [
        labelled(
            tr("登记", "pledges"),
            tr(
                f"{found['pledges']} 份，{found['hosts']} 台主机",
                f"{found['pledges']} of {found['hosts']} hosts",
            ),
        ),
        labelled(tr("状态", "state"), _counted(found["states"], words)),
        labelled(
            tr("现行", "owed"),
            tr(
                f"{found['owed']} 份（有效、暂停、期满未续），下列条款只数这些；"
                f"无证据 {found['without_evidence']} 份",
                f"{found['owed']} in force, suspended or run out, of which the clauses below are; "
                f"{found['without_evidence']} without evidence",
            )
            if found["owed"]
            else tr(
                f"0 份；下列条款数的是全部所列，无证据 {found['without_evidence']} 份",
                f"0; the clauses below are of all that is listed, {found['without_evidence']} "
                "without evidence",
            ),
        ),
    ]
    lines += [
        labelled(
            str(catalog.clauses()[n]["number"]),
            _counted(found["clauses"][n], listed.verdicts(lang())),
        )
        for n in CLAUSES
    ]
    for grade, of in found["grades"].items() if len(found["grades"]) > 1 else ():
        for n in CLAUSES:
            number = catalog.clauses()[n]["number"]
            label = tr(f"{number} {_GRADES[grade]}", f"{number} (L{grade})")
            lines.append(labelled(label, _counted(of["clauses"][n], listed.verdicts(lang()))))
    lines.append(
        labelled(
            tr("到期", "due"),
            tr(
                f"有逾期 {found['overdue']} 份，30 天内另有到期（不含已逾期的事项） "
                f"{found['comes_due']} 份",
                f"{found['overdue']} overdue, {found['comes_due']} with something that comes due "
                "in 30 days (what is overdue aside)",
            ),
        )
    )
    if broken is not None:
        lines.append(labelled(tr("一票否决", "veto"), vetoes.told(broken)))
    return "\n".join(lines) + "\n"


def _counted(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    ranked = sorted(counts.items(), key=lambda one: -one[1])
    return tr("，", ", ").join(f"{words[name]} {count}" for name, count in ranked) or "-"
