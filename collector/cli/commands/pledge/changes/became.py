"""Which findings each attached bundle closed, opened, or found graver: as `pledge history` says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

Found = tuple[str, str, str]
"""Of a finding: the control, its number, the host."""


@dataclass(frozen=True, slots=True)
class Became:
    """`opened` (also anew) and `closed` by one bundle; `worse`: open before, and graver in it."""

    opened: Sequence[Found] = ()
    closed: Sequence[Found] = ()
    worse: Sequence[Found] = ()

    def lines(self) -> Iterator[str]:
        """For people: how many, and of which controls."""
        if self.closed:
            count, named = len(self.closed), _numbers(self.closed)
            yield tr(f"闭环 {count} 项：{named}", f"closed {count}: {named}")
        if self.opened:
            count, named = len(self.opened), _numbers(self.opened)
            yield tr(f"新发现 {count} 项：{named}", f"opened {count}: {named}")
        if self.worse:
            count, named = len(self.worse), _numbers(self.worse)
            yield tr(f"加重 {count} 项：{named}", f"got worse {count}: {named}")

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            name: [{"control": control, "host": host} for control, _, host in found]
            for name, found in (
                ("opened", self.opened),
                ("closed", self.closed),
                ("worsened", self.worse),
            )
        }


def findings_by_evidence(register: Register, id: str) -> Mapping[int, Became]:
    """By the sequence of a bundle; where one cannot be read that is said, and nothing is known."""
    from collector.pledges.standing.found_now import lives_now

    try:
        lives = lives_now(register, register.get(id), datetime.now(UTC))
    except BadInput as problem:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        zh, en = f"看不出各份证据的发现：{said}", f"what each bundle found cannot be told: {said}"
        click.echo(tr(zh, en), err=True)
        return {}
    opened, closed = _by_bundle(lives, ("opened", "reopened")), _by_bundle(lives, ("closed",))
    worse = _worse(lives)
    return {
        sequence: Became(*(tuple(of.get(sequence, ())) for of in (opened, closed, worse)))
        for sequence in opened.keys() | closed.keys() | worse.keys()
    }


def _by_bundle(lives: Sequence[Life], what: Sequence[str]) -> dict[int, list[Found]]:
    found = defaultdict[int, list[Found]](list)
    for life in lives:
        for event in life.events:
            if event.what in what:
                found[event.sequence].append((life.control, life.number, life.host))
    return {sequence: sorted(ones, key=lambda one: one[1:]) for sequence, ones in found.items()}


def _worse(lives: Sequence[Life]) -> dict[int, list[Found]]:
    found = defaultdict[int, list[Found]](list)
    for life in lives:
        for sequence in life.worsened:
            found[sequence].append((life.control, life.number, life.host))
    return {sequence: sorted(ones, key=lambda one: one[1:]) for sequence, ones in found.items()}


def _numbers(found: Sequence[Found]) -> str:
    """Each control once, with how many hosts where it is of several."""
    hosts = defaultdict[str, int](int)
    for _, number, _ in found:
        hosts[number] += 1
    return " ".join(f"{number}×{n}" if n > 1 else number for number, n in hosts.items())
