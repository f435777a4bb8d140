"""Captures judged within limits, each in a process of its own: one host never costs another.

The same captures give the same findings, except that what goes past a limit of time or memory is
`error` and says so. Where a control, or a fact that it rests on, does, the others are judged
without it: ADR 23.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from collector.assess import assess_each
from collector.errors import PastLimit
from collector.i18n.message import msg
from collector.judging.confined import LIMITS, Confined, Limits
from collector.model import Capture, Control, Finding, Waiver

T = TypeVar("T")
# how often what is left of a host is judged once more, without what broke off
_ANEW = 8
# seconds of which nothing can be made any more
_LEAST = 0.5
_IN_ALL = PastLimit(msg("host_took_all_its_time"))


def judge(
    capture: Capture,
    controls: Sequence[Control],
    *,
    grade: int = 2,
    at: datetime | None = None,
    attached: Mapping[str, bytes] | None = None,
    waivers: Sequence[Waiver] = (),
    limits: Limits = LIMITS,
) -> list[Finding]:
    """As `assess.assess_host`, within the limits. Raises OSError where no process can be had."""
    return Judging(
        capture, controls, grade=grade, at=at, attached=attached, waivers=waivers, limits=limits
    ).findings()


class Judging:
    """One capture being judged: begun when it is made, `findings` waits for the end."""

    def __init__(
        self,
        capture: Capture,
        controls: Sequence[Control],
        *,
        grade: int = 2,
        at: datetime | None = None,
        attached: Mapping[str, bytes] | None = None,
        waivers: Sequence[Waiver] = (),
        limits: Limits = LIMITS,
    ) -> None:
        self._controls = controls
        self._each = partial(
            assess_each, capture, grade=grade, at=at, attached=attached, waivers=waivers
        )
        self._left = limits
        self._barred: dict[str, PastLimit] = {}
        self._found: list[Finding] = []
        self._running = self._begun()

    def _begun(self) -> Confined:
        controls = self._controls[len(self._found) :]

        def act(say: Callable[[object], None], at: Callable[[str], None]) -> None:
            def watch(control: str, fact: str) -> None:
                at(fact or control)

            for finding in self._each(controls, watch=watch, barred=self._barred):
                say(finding)

        return Confined(act, self._left)

    def findings(self) -> list[Finding]:
        """One for every control, in their order. Raises what `assess_host` raises."""
        for _ in range(_ANEW):
            try:
                for finding in self._running.said():
                    self._found.append(finding)
                return self._found
            except PastLimit as limit:
                if not self._bar(limit):
                    break
                self._running = self._begun()
        self.end()
        rest = self._controls[len(self._found) :]
        for control in rest:
            self._barred.setdefault(control.id, _IN_ALL)
        return [*self._found, *self._each(rest, barred=self._barred)]

    def _bar(self, limit: PastLimit) -> bool:
        """Notes what went past a limit; is there anything left to judge the others with?"""
        place = self._running.place or self._controls[len(self._found)].id
        if place in self._barred:
            return False
        self._barred[place] = PastLimit(msg("at", where=place, what=limit))
        cpu = self._left.cpu - self._running.cpu
        seconds = self._left.seconds - self._running.seconds
        self._left = replace(self._left, cpu=cpu, step=min(self._left.step, cpu), seconds=seconds)
        return cpu > _LEAST and seconds > _LEAST

    def end(self) -> None:
        """Ends it, whatever is left to judge."""
        self._running.end()


def in_order(begun: Iterable[tuple[T, Judging]]) -> Iterator[tuple[T, list[Finding]]]:
    """The findings of each, in the order in which they are begun; a few are judged at a time.

    `begun` is asked for the next one as soon as a processor is free for it.
    """
    most = len(os.sched_getaffinity(0))
    waiting: deque[tuple[T, Judging]] = deque()
    try:
        for one in begun:
            waiting.append(one)
            if len(waiting) >= most:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        for _, judging in waiting:
            judging.end()


def _next(waiting: deque[tuple[T, Judging]]) -> tuple[T, list[Finding]]:
    of, judging = waiting[0]
    findings = judging.findings()
    waiting.popleft()
    return of, findings
