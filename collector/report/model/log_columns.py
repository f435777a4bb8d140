"""What a table of logs says besides their keeping: holes, copies elsewhere, masked sample lines.

None of it decides how long a log is kept. What could not be had leaves its column unknown, with
the reason: it is never empty in silence, and never takes the table away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from collector.errors import FactError, one_line
from collector.facts.logs.forwarding import targets as _shipping
from collector.facts.logs.forwarding.targets import Shipping, log_shipping
from collector.facts.logs.gaps import READS as _GAPS
from collector.facts.logs.gaps import Gap, Gaps, gaps
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.records.samples import READS as _SAMPLES
from collector.facts.logs.records.samples import SHOWN, Samples, records
from collector.i18n.message import msg, told
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_GAPS, *_shipping.READS, *_SAMPLES)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one log; None is "not looked", and `troubles` says why by column name.

    `unseen` says that part of the log was not looked into for holes.
    """

    gaps: tuple[Gap, ...] | None
    unseen: bool
    remote: tuple[str, ...] | None
    samples: tuple[str, ...] | None
    troubles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogColumns:
    """The facts that columns are made of; None where one could not be had (see `troubles`)."""

    gaps: Gaps | None
    shipping: Shipping | None
    samples: Samples | None
    troubles: Mapping[str, str] = field(default_factory=dict)

    def of(self, log: LogKept) -> Columns:
        troubles = dict(self.troubles)
        known = self.gaps.logs.get(log.path) if self.gaps else None
        if self.gaps and known is None and log.written:
            troubles["gaps"] = msg("log_files_times_not")
        remote = None
        if self.shipping is not None:
            targets = self.shipping.copies_of(log.path)
            remote = tuple(dict.fromkeys(f"{t.sender} → {t.host or '?'}" for t in targets))
        lines = None
        if self.samples is not None:
            lines = self._lines(log)
            if not lines and log.written:
                troubles["samples"] = msg("record_samples_lines_no")
                lines = None
        return Columns(
            known.gaps if known else None,
            bool(known and known.unseen),
            remote,
            lines,
            {k: v for k, v in troubles.items() if k in ("gaps", "remote", "samples")},
        )

    def _lines(self, log: LogKept) -> tuple[str, ...]:
        """Of the log itself, else of its newest file that was sampled."""
        sampled = self.samples.logs if self.samples else {}
        newest = sorted(log.files, key=lambda f: -f.mtime)
        for path in (log.path, *(f.path for f in newest)):
            if path in sampled:
                return sampled[path].lines[-SHOWN:]
        return ()


def log_columns(capture: Capture) -> LogColumns:
    """Raises nothing: what cannot be had is None, and `troubles` says why."""
    troubles: dict[str, str] = {}
    return LogColumns(
        _tried("gaps", gaps, capture, troubles),
        _tried("remote", log_shipping, capture, troubles),
        _tried("samples", records, capture, troubles),
        troubles,
    )


def _tried(
    name: str, parse: Callable[[Capture], T], capture: Capture, troubles: dict[str, str]
) -> T | None:
    try:
        return parse(capture)
    except FactError as problem:
        troubles[name] = told(problem)
    except Exception as problem:  # noqa: BLE001 - a parser's defect must not take the table away
        troubles[name] = one_line(f"{type(problem).__name__}: {problem}")
    return None
