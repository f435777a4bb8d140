"""How far a run is, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from collector.model import HostStatus


@dataclass
class Tally:
    """How far a run is. `said` is what is wrong with a host that did not answer as it should."""

    left: int
    done: int = 0
    failed: int = 0
    said: dict[str, str] = field(default_factory=dict)

    def count(self, host: str, status: HostStatus | None, said: str = "") -> None:
        """One host more has ended, None: with no word of what became of it."""
        self.left -= 1
        if status is HostStatus.COMPLETE:
            self.done += 1
        else:
            self.failed += 1
            self.said[host] = said


Progress = Callable[[Tally, str, HostStatus | None], None]
