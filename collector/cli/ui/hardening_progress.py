"""How far applying is: one moving line on a terminal, a line per control elsewhere. On stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click
from rich.cells import set_cell_size

from collector import catalog
from collector.cli.asked.loudness import quiet
from collector.cli.ui.answers import spoken
from collector.cli.ui.columns import cells, out, wrap
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.run.ansible.events import Failure, Told


class ApplyProgress:
    """Use as a context manager; call it with each moment of a play.

    With `show`, what Ansible prints of a change (its diff) goes to stdout.
    """

    def __init__(self, *, show: bool = False) -> None:
        self.moving = sys.stderr.isatty() and not show and not quiet()
        self.show = show
        self.begun = time.monotonic()
        self.said: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __call__(self, told: Told) -> None:
        if told.failure is not None:
            self._clear()
            click.echo(failure_line(told.failure), err=True)
            return
        if told.waits:
            self._clear()
            click.echo(
                tr(
                    f"{one_line(told.host)}：连接中断，最多等 {told.waits} 秒，恢复后继续",
                    f"{one_line(told.host)}: the connection broke; waiting up to {told.waits} s "
                    "for it to answer, then going on",
                ),
                err=True,
            )
            return
        if told.output and self.show:
            out(f"{_head(told)}\n{_printed(spoken(told.output))}\n")
            return
        if quiet():
            return
        spent = int(time.monotonic() - self.begun)
        if self.moving:
            # what a task is called stands in English in its role
            step = tr("", told.task)
            line = _cut(f"{named(told.control)} {step}".strip() or tr("准备", ""), 60)
            wait = tr(f"用时 {spent} 秒", f"{spent} s")
            click.echo(f"\r\033[K{line}  {wait}", nl=False, err=True)
        elif told.control and told.control not in self.said:
            self.said.add(told.control)
            click.echo(f"{named(told.control)}  {tr(f'{spent} 秒', f'{spent} s')}", err=True)

    def _clear(self) -> None:
        if self.moving:
            click.echo("\r\033[K", nl=False, err=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()


def named(id: str) -> str:
    """A control with its number and title, or a family by its name."""
    known = catalog.controls().get(id)
    if known is not None:
        return f"{known.number} {known.title.to(lang())}"
    family = catalog.words()["family"].get(id)
    return family.to(lang()) if family else id


def number(id: str) -> str:
    """A control's number alone."""
    known = catalog.controls().get(id)
    return known.number if known is not None else id


def _cut(text: str, columns: int) -> str:
    line = one_line(text)
    return line if cells(line) <= columns else f"{set_cell_size(line, columns - 1)}…"


def failure_line(failure: Failure) -> str:
    """HOST: CONTROL: TASK: why, on one line."""
    where = named(failure.control or failure.family)
    parts = [failure.host, where, *told_of(failure.task, failure.message)]
    return one_line(tr("：", ": ").join(part for part in parts if part), 600)


def told_of(task: str, message: str) -> list[str]:
    """A step that failed, and why. What a step is called is English: it stands beside a reason

    that is English too.
    """
    known = spoken(message)
    return [task, message] if known == message else [known]


def _head(told: Told) -> str:
    step = spoken(told.task)
    # what a step is called stands in English in its role; a difference speaks for itself
    if lang() == "zh" and step == told.task and "\n" in told.output.strip():
        step = ""
    return wrap(tr("：", ": ").join(filter(None, [f"{told.host}  {named(told.control)}", step])))


def _printed(text: str) -> str:
    """Ansible's own lines; what could move the cursor is shown as its number."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").splitlines()
    return "\n".join(line if line.isprintable() else one_line(line, 2000) for line in lines)
