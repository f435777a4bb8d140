"""Captures that a command line names: whose are they, and what may be believed of them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from collector import captures
from collector.attest.bundle.part import take_in
from collector.cli.ui.language import lang
from collector.model import Capture
from collector.run.collected.run_folder import RunFolder
from collector.verify.provenance import odd_clocks


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture, and whether the run in whose folder it lies had it from its host."""

    capture: Capture
    collected: bool


class Intake:
    """Reads captures for one command; what a run folder of ours vouches for is looked up once."""

    def __init__(self) -> None:
        self._vouched: dict[Path, frozenset[str]] = {}

    def take(self, path: Path) -> Taken:
        """A capture file of either form; raises BadInput for anything else."""
        vouched = self._of(path)
        capture, stored = take_in(path, vouched)
        return Taken(capture, captures.digest(stored) in vouched)

    def _of(self, path: Path) -> frozenset[str]:
        folder = path.parent.parent
        if folder not in self._vouched:
            found: frozenset[str] = frozenset()
            if path.parent.name == "captures" and (folder / "run.json").is_file():
                found = RunFolder.open(folder).vouched()
            self._vouched[folder] = found
        return self._vouched[folder]


def say_clocks(looked: Mapping[str, datetime]) -> None:
    """Tells of hosts that were handed in with a clock that is far from this machine's."""
    for text in odd_clocks(looked, datetime.now(UTC)):
        click.echo(text.to(lang()), err=True)
