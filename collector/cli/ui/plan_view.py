"""The plan of a hardening for a person at a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from collector import catalog
from collector.cli.ui.columns import labelled, wrap
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.export.table import SIGNS
from collector.model import Result
from collector.plan import Act, HostPlan, Step, in_order

_COLUMN = 10
_NAMES = 300


def drawn(plans: Iterable[HostPlan]) -> str:
    """All of the plan. Hosts for which the same is meant stand together."""
    groups: dict[tuple[object, ...], list[HostPlan]] = {}
    untouched = []
    for plan in plans:
        if plan.untouched is not None:
            untouched.append(plan)
        else:
            groups.setdefault(_meant(plan), []).append(plan)
    lines = [line for group in groups.values() for line in [*_group(group), ""]]
    if untouched:
        lines.append(tr("不作任何改动的主机", "hosts that are not touched at all"))
        lines += [
            wrap(f"{one_line(plan.host)}{tr('：', ': ')}{one_line(_why(plan))}", indent="  ")
            for plan in untouched
        ]
        lines.append("")
    return "\n".join(lines)


def _why(plan: HostPlan) -> str:
    return plan.untouched.to(lang()) if plan.untouched else ""


def _meant(plan: HostPlan) -> tuple[object, ...]:
    return tuple((step.control, step.act, step.result) for step in plan.steps)


def _group(plans: Sequence[HostPlan]) -> list[str]:
    first, alone = plans[0], len(plans) == 1
    names = one_line(tr("、", ", ").join(plan.host for plan in plans), _NAMES)
    head = names if alone else tr(f"{len(plans)} 台：{names}", f"{len(plans)} hosts: {names}")
    lines = [wrap(head), "=" * min(cell_len(head), 80)]
    for act, title in (
        (Act.APPLY, tr("将要改动", "will be changed")),
        (Act.PERSON, tr("须由人处理", "a person has to")),
        (Act.LOOK, tr("未能核查，不作改动", "could not be looked at, so not touched")),
        (Act.WAIVED, tr("已豁免，不作改动", "waived, so not touched")),
    ):
        steps = [step for step in first.steps if step.act is act]
        if steps:
            lines += ["", tr(f"{title}（{len(steps)} 项）", f"{title} ({len(steps)})")]
            for step in in_order(steps):
                lines += _step(step, alone=alone)
    done = sum(step.act is Act.LEAVE for step in first.steps)
    lines += ["", tr(f"已符合或不适用，不动：{done} 项", f"satisfied or not applicable: {done}")]
    return lines


def _step(step: Step, *, alone: bool) -> list[str]:
    sign, word = SIGNS[step.result], catalog.words()["verdict"][step.result].to(lang())
    head = f"{sign} {step.number} {step.title.to(lang())}"
    marks = f"[{_risk(step)}]" if step.act is Act.APPLY else ""
    beside = marks and cell_len(f"  {head}  {marks}") <= 80
    lines = [
        wrap(f"{head}  {marks}" if beside else head, indent="  "),
        "" if beside else wrap(marks, indent="    "),
        _part(word, one_line(step.message.to(lang()), 1000)) if alone else "",
    ]
    if step.change is not None:
        lines.append(_part(tr("改动", "change"), step.change.to(lang())))
    if step.person is not None and step.act in (Act.APPLY, Act.PERSON):
        lines.append(_part(tr("由人", "person"), step.person.to(lang())))
    return [line for line in lines if line]


def _risk(step: Step) -> str:
    level = catalog.words()["severity"][step.risk].to(lang()) if step.risk else ""
    back = tr("可撤销", "can be undone") if step.reversible else tr("不可撤销", "cannot be undone")
    return tr(f"风险{level}，{back}", f"risk {level}, {back}")


def _part(label: str, text: str) -> str:
    lines = labelled(label, text, column=_COLUMN, width=76).splitlines()
    return "\n".join(f"    {line}" for line in lines)


def counted(plans: Iterable[HostPlan]) -> str:
    """The one line under a plan."""
    held = list(plans)
    steps = [step for plan in held for step in plan.steps]
    applied = [step for step in steps if step.act is Act.APPLY]
    hosts = sum(bool(plan.applied()) for plan in held)
    high = sum(step.risk == "high" for step in applied)
    people = sum(step.act is Act.PERSON for step in steps)
    return tr(
        f"合计：{hosts} 台主机将改动 {len(applied)} 项（其中风险高 {high} 项），"
        f"另有 {people} 项须由人处理",
        f"in all: {len(applied)} changes on {hosts} host(s), {high} of high risk; "
        f"{people} left to a person",
    )


def signs() -> str:
    """What the signs mean."""
    words = catalog.words()["verdict"]
    return "  ".join(f"{SIGNS[r]} {words[r].to(lang())}" for r in Result)
