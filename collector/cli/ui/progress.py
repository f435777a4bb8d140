"""How far a run is: one moving line on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click

from collector import catalog
from collector.cli.asked.loudness import quiet, verbose
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.model import HostStatus
from collector.run.ansible.tally import Tally

_EVERY = 5.0


class HostProgress:
    """Use as a context manager; call it with each host that ended."""

    def __init__(self) -> None:
        self.moving = sys.stderr.isatty() and not quiet()
        self.begun = time.monotonic()
        self.last = 0.0

    def __enter__(self) -> Self:
        return self

    def __call__(self, tally: Tally, host: str, status: HostStatus | None) -> None:
        now = time.monotonic()
        few = tally.left + tally.done + tally.failed <= 20
        if status is not HostStatus.COMPLETE:
            said = one_line(tally.said.get(host, ""), 300)
            if status is not None:
                said = f"{_word(status)}: {said.removeprefix(f'{status}: ')}"
            self._clear()
            click.echo(f"{one_line(host)}: {said}", err=True)
        elif verbose() and host:
            self._clear()
            click.echo(f"{one_line(host)}: {_word(status)}", err=True)
        if quiet():
            return
        if self.moving:
            click.echo(f"\r\033[K{self._line(tally, now)}", nl=False, err=True)
        elif few or now - self.last >= _EVERY or tally.left == 0:
            click.echo(self._line(tally, now), err=True)
            self.last = now

    def _line(self, tally: Tally, now: float) -> str:
        spent = int(now - self.begun)
        return tr(
            f"主机：完成 {tally.done}，失败 {tally.failed}，剩余 {tally.left}，用时 {spent} 秒",
            f"hosts: {tally.done} done, {tally.failed} failed, {tally.left} left, {spent} s",
        )

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


def _word(status: HostStatus) -> str:
    return catalog.words()["host_status"][status].to(lang())
