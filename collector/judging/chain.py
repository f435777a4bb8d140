"""How one verdict came about: from the reads that were looked into, law by law, to what it says.

The judge is run anew in a process of its own, under its limits, and watched: which facts it asks
for, which reads they look into, and what the shared mechanisms of the laws answer (ADR 40).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import CodeType, FrameType
from typing import Any

from collector.assess import assess_each
from collector.errors import one_line
from collector.judging.confined import LIMITS, within_limits
from collector.model import Capture, Control, Finding, ReadResult

# the function that a law is kept by: module below collector, name → number of the law
MECHANISMS: Mapping[tuple[str, str], int] = {
    ("facts.system.taken_up", "taken_up"): 1,
    ("judges.taken_up", "running"): 1,
    ("judges.taken_up", "of_logs"): 1,
    ("judges.taken_up", "refuse_stale"): 1,
    ("judges.taken_up", "refuse_doubt"): 1,
    ("judges.taken_up", "refuse_unasked"): 1,
    ("facts.backup.identity", "same_place"): 2,
    ("facts.backup.identity", "alone_there"): 2,
    ("facts.backup.identity", "holds"): 2,
    ("facts.backup.identity", "record_of"): 2,
    ("facts.backup.identity", "stanza_holds"): 2,
    ("facts.backup.identity", "stanza_takes"): 2,
    ("facts.access.sudo_shells", "gives_root"): 4,
    ("facts.shell.exit_status", "tells"): 5,
    ("facts.shell.exit_status", "hides"): 5,
    ("facts.shell.exit_status", "whose"): 5,
    ("facts.shell.exit_status", "of_unit"): 5,
    ("facts.backup.ended", "proven"): 5,
    ("facts.backup.ended", "sealed"): 5,
    ("facts.shell.program", "read"): 6,
    ("facts.backup.contradicted", "bare"): 8,
    ("facts.backup.contradicted", "emptied"): 8,
    ("facts.backup.contradicted", "in_memory"): 8,
}
# what nobody reads to its end
_MOST, _LONGEST = 40, 160
_FACTORY = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact that the judge asked for, and what of the capture it looked into.

    `fact` is empty for what the judge looked into by itself.
    """

    fact: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What the mechanism of a law was asked with, and answered."""

    law: int
    mechanism: str
    given: str
    answer: str


@dataclass(frozen=True, slots=True)
class Chain:
    """`left_out`: so many answers more than are told."""

    finding: Finding
    asked: tuple[Asked, ...]
    answered: tuple[Answered, ...]
    left_out: int
    reads: Mapping[str, ReadResult] = field(default_factory=dict)


def chain(
    capture: Capture,
    control: Control,
    *,
    grade: int = 2,
    at: datetime | None = None,
    attached: Mapping[str, bytes] | None = None,
) -> Chain:
    """Raises PastLimit where judging takes too much, BadInput as `assess_each` does."""
    limits = LIMITS.wider(_FACTORY)
    found = within_limits(partial(_watched, capture, control, grade, at, attached), limits=limits)
    named = {id for one in found.asked for id in one.reads}
    return replace(found, reads={id: capture.read(id) for id in sorted(named)})


def _watched(
    capture: Capture,
    control: Control,
    grade: int,
    at: datetime | None,
    attached: Mapping[str, bytes] | None,
) -> Chain:
    seen: list[tuple[str, list[str]]] = []

    def watch(_: str, fact: str) -> None:
        seen.append((fact, []))

    def note(read: str) -> None:
        if seen:
            seen[-1][1].append(read)

    reads = _Noting(capture.reads, note)
    answers = _Answers()
    sys.setprofile(answers)
    try:
        (finding,) = assess_each(
            replace(capture, reads=reads),
            [control],
            grade=grade,
            at=at,
            attached=attached,
            watch=watch,
        )
    finally:
        sys.setprofile(None)
    told = dict.fromkeys(answers.told)
    kept = tuple(told)[:_MOST]
    asked = tuple(_merged(seen))
    return Chain(finding, asked, kept, len(told) - len(kept))


def _merged(seen: list[tuple[str, list[str]]]) -> Iterator[Asked]:
    """Each fact once, with its reads in the order in which they were first looked into."""
    found: dict[str, dict[str, None]] = {}
    for fact, reads in seen:
        found.setdefault(fact, {}).update(dict.fromkeys(reads))
    own = found.pop("", {})
    for fact, names in found.items():
        yield Asked(fact, tuple(names))
        # what is quoted is looked into once more
        own = {name: None for name in own if name not in names}
    if own:
        yield Asked("", tuple(own))


class _Noting(Mapping[str, ReadResult]):
    """The reads of a capture, which tell which of them are looked into."""

    def __init__(self, held: Mapping[str, ReadResult], note: Callable[[str], None]) -> None:
        self._held, self._note = held, note

    def __getitem__(self, id: str) -> ReadResult:
        self._note(id)
        return self._held[id]

    def get(self, id: str, default: Any = None) -> Any:
        self._note(id)
        return self._held.get(id, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def items(self) -> Any:
        """All of them at once: that is bookkeeping, and no look at any."""
        return self._held.items()

    def values(self) -> Any:
        return self._held.values()


class _Answers:
    """A profile function (sys.setprofile): what the mechanisms were given and gave."""

    def __init__(self) -> None:
        self.told: list[Answered] = []
        self._known: dict[CodeType, tuple[int, str] | None] = {}

    def __call__(self, frame: FrameType, event: str, value: object) -> None:
        if event != "return":
            return
        code = frame.f_code
        if code not in self._known:
            module = str(frame.f_globals.get("__name__", "")).removeprefix("collector.")
            law = MECHANISMS.get((module, code.co_qualname))
            name = f"{module}.{code.co_qualname}"
            self._known[code] = None if law is None else (law, name)
        known = self._known[code]
        if known is not None:
            given = ", ".join(
                _shown(frame.f_locals.get(name)) for name in code.co_varnames[: code.co_argcount]
            )
            self.told.append(Answered(*known, one_line(given, _LONGEST), _shown(value)))


def _shown(value: object) -> str:
    """Short, and of a value that has much in it only what kind it is."""
    answer = getattr(value, "answer", None)
    if answer is not None:
        where = [str(part) for part in (getattr(value, "path", ""),) if part]
        return one_line(" ".join([str(answer), *where]), _LONGEST)
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str):
        return one_line(repr(value), _LONGEST)
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return one_line(" ".join(value), _LONGEST)
    shown = getattr(value, "shown", None) or getattr(value, "command", None)
    if isinstance(shown, str):
        return one_line(f"{type(value).__name__} {shown!r}", _LONGEST)
    return type(value).__name__
