"""What a run leaves to be mended, control by control: by name, the gravest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from collector import catalog
from collector.cli.ui.columns import labelled
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.model import Control, Result
from collector.remedies.work import before, comes_last, in_turn

_WANTING = (Result.FAIL, Result.PARTIAL, Result.ERROR, Result.NOTCHECKED)
_WEIGHT = {"high": 0, "medium": 1, "low": 2}
_NAMED = 3
_SHOWN = 15
_COLUMN = 6


def lines(hosts: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Each control with a verdict that wants something, and the hosts that want it.

    `hosts` are those of evidence.json that answered, by name; what somebody has waived for a while
    is left out. Empty where nothing is to be done.
    """
    wanting: dict[tuple[Result, str], list[str]] = {}
    whole = 0
    for name, entry in hosts:
        whole += 1
        for finding in entry["findings"]:
            result, waiver = Result(finding["verdict"]), finding["waiver"]
            if result in _WANTING and (waiver is None or waiver["expired"]):
                wanting.setdefault((result, finding["control"]), []).append(name)
    if not wanting:
        return []
    ranked = sorted(
        ((result, catalog.control(id), names) for (result, id), names in wanting.items()),
        key=lambda one: _rank(*one),
    )
    ranked = in_turn(ranked, lambda one: one[1].id)
    wanted = {control.id for _, control, _ in ranked}
    shown = [_line(*one, whole, wanted) for one in ranked[:_SHOWN]]
    if len(ranked) > _SHOWN:
        more = len(ranked) - _SHOWN
        shown.append(tr(f"… 另有 {more} 条，详见报告", f"… {more} more, see the report"))
    title = tr(
        "待整改（轻重与先后为序；办法见 hostpledge explain 编号）：",
        "To mend, the gravest first, and in turn (hostpledge explain NUMBER says how):",
    )
    return [title, *shown]


def _rank(result: Result, control: Control, names: Sequence[str]) -> tuple[Any, ...]:
    """A veto control outweighs the others, then the severe one, then the one of more hosts."""
    place = _WANTING.index(result)
    return place, not control.veto, _WEIGHT[control.severity], -len(names), control.number


def _line(
    result: Result, control: Control, names: Sequence[str], whole: int, wanted: Collection[str]
) -> str:
    from collector.export.table import SIGNS

    text = control.title.to(lang())
    if control.veto:
        text += tr("【一票否决】", " [veto]")
    if first := [one for one in before(control.id) if one in wanted]:
        numbers = tr("、", ", ").join(catalog.control(one).number for one in first)
        text += tr(f"（先做 {numbers}）", f" (after {numbers})")
    elif comes_last(control.id):
        text += tr("（放在最后做）", " (do this last)")
    if whole > 1:
        some = tr("、", ", ").join(one_line(name, 60) for name in names[:_NAMED])
        more = tr(" 等", " …") if len(names) > _NAMED else ""
        count = tr(f"{len(names)}/{whole} 台", f"{len(names)} of {whole} hosts")
        text += tr(f"：{count}（{some}{more}）", f": {count} ({some}{more})")
    return labelled(f"{SIGNS[result]} {control.number}", text, column=_COLUMN)
