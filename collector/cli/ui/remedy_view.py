"""The steps of a remedy on a terminal. Lines to type begin in the first column and stay whole:

what is indented or broken is no longer what was tested once it is copied (a here-document ends
nowhere).
"""

from __future__ import annotations

from collections.abc import Iterable

from collector import catalog
from collector.cli.ui.columns import wrap
from collector.cli.ui.language import lang, tr
from collector.model import Control
from collector.remedies.steps import Step, filled_steps, words
from collector.remedies.work import Fill, before, comes_last, hardened, to_fill


def by_hand(control: Control, platform: str | None) -> list[str]:
    """The role's command and every step of the platform, or of all where none is named."""
    lines = _order(control.id)
    command = hardened(control.id)
    if command is not None:
        lines += ["", _label("by_role"), command]
        if some_words := to_fill(control.id):
            lines += [_label("role_fill"), *_fill(some_words)]
    some = [
        step
        for step in filled_steps(control.id, control.grades[0])
        if platform is None or platform in step.platforms
    ]
    for number, step in enumerate(some, 1):
        lines += ["", *_step(number, step)]
    return lines


def _order(control: str) -> list[str]:
    """What is to be done before this one, and whether all else is."""
    lines = []
    if some := before(control):
        names = tr("、", ", ").join(catalog.control(id).number for id in some)
        lines += ["", f"{_label('before')} {names}"]
    if comes_last(control):
        lines += ["", wrap(words()["label"]["last"].to(lang()))]
    return lines


def _step(number: int, step: Step) -> list[str]:
    names = words()["platform"]
    where = tr("；", "; ").join(names[platform].to(lang()) for platform in step.platforms)
    title = f"{words()['label']['step'].to(lang())} {number}"
    lines = [wrap(tr(f"{title}（{where}）", f"{title} ({where})"))]
    lines.append(wrap(step.why.to(lang()), indent="  "))
    if step.warning is not None:
        kinds = tr("、", ", ").join(words()["kind"][kind].to(lang()) for kind in step.warns)
        lines += [_label("warning", kinds), wrap(step.warning.to(lang()), indent="  ")]
    if step.packages:
        lines.append(wrap(f"{_label('packages')} {' '.join(step.packages)}"))
    if step.fill:
        lines += [
            _label("fill"),
            *_fill(step.fill),
            *_typed(tuple(f"{f.name}=''" for f in step.fill)),
        ]
    if step.look_for is not None:
        lines += [_label("look"), wrap(step.look_for.to(lang()), indent="  "), *_typed(step.look)]
    for part in ("commands", "check", "back"):
        if written := step.check_said if part == "check" else getattr(step, part):
            lines += [_label(part), *_typed(written)]
    return [*lines, wrap(words()["label"][step.standing].to(lang()))]


def _fill(some: Iterable[Fill]) -> list[str]:
    lines = []
    for word in some:
        example = f"{words()['label']['example'].to(lang())} {word.example}"
        about = word.about.to(lang())
        told = tr(f"{word.name}：{about}，{example}", f"{word.name}: {about}, {example}")
        lines.append(wrap(told, indent="  "))
    return lines


def _typed(lines: tuple[str, ...]) -> list[str]:
    return ["", *lines, ""]


def _label(name: str, more: str = "") -> str:
    word = words()["label"][name].to(lang())
    if more:
        word = tr(f"{word}（{more}）", f"{word} ({more})")
    return word + tr("：", ":")
