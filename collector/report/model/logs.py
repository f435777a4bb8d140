"""The table of logs that an inspector asks for: one row for each log of a host.

Kind, path, oldest and newest record, days held and kept, holes, copy on another host, three masked
sample lines, and whether it is six months, with the reason; made anew from the capture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from collector import catalog
from collector.facts.logs.gaps import Gap
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.retention import Retention
from collector.i18n.message import in_chinese
from collector.judges.retention import both, configured, days, observed
from collector.model import Capture, Lang, Result
from collector.report.model.log_columns import LogColumns, log_columns

_ORDER = (Result.FAIL, Result.ERROR, Result.PARTIAL, Result.PASS)


@dataclass(frozen=True, slots=True)
class Log:
    """`days`: surely kept by configuration (None: never removed, "": not known); `held`: days
    between the oldest record and the collection. `full` is when a young log will have six months.

    `gaps`, `remote` and `samples` are None where nobody looked, and `troubles` says why by those
    names; `unseen`: part of it was not looked into for holes. `judged`: the log is one of a family
    that must be kept, and no copy of another.
    """

    family: str
    path: str
    days: int | str | None
    oldest: datetime | None
    newest: datetime | None
    held: int | None
    result: Result
    why: str
    full: datetime | None
    gaps: tuple[Gap, ...] | None
    unseen: bool
    remote: tuple[str, ...] | None
    samples: tuple[str, ...] | None
    troubles: Mapping[str, str]
    copy: bool = False

    @property
    def holes(self) -> int | None:
        """How many holes nothing explains; None where nobody looked."""
        return None if self.gaps is None else sum(not g.explained_by for g in self.gaps)


@dataclass(frozen=True, slots=True)
class Note:
    """Why a column was not looked at; `paths` are the logs that this is so for, none: all."""

    column: str
    why: str
    paths: tuple[str, ...] = ()


def notes(found: Sequence[Log]) -> list[Note]:
    """Each reason once, with its logs."""
    by: dict[tuple[str, str], list[str]] = {}
    for row in found:
        for column, why in sorted(row.troubles.items()):
            by.setdefault((column, why), []).append(row.path)
    return [
        Note(column, why, tuple(paths) if len(paths) < len(found) else ())
        for (column, why), paths in by.items()
    ]


def rows(capture: Capture, known: Retention, now: datetime, grade: int, lang: Lang) -> list[Log]:
    """Every log of a host, the shortest-lived first."""
    columns = log_columns(capture)
    found = [_log(log, known, columns, now, grade, lang) for log in known.logs]
    found.sort(key=lambda row: (_ORDER.index(row.result), row.family, row.path))
    return found


def _log(
    log: LogKept, known: Retention, columns: LogColumns, now: datetime, grade: int, lang: Lang
) -> Log:
    rule = catalog.control("logging.retention_configured").for_grade(grade)
    need = rule.integer("days")
    months = catalog.control("logging.retention_observed").for_grade(grade).integer("months")
    result, why = both(log, known, now, need, months)
    seen = observed([log], known, now, months)
    beside = columns.of(log)
    sure = days(log)
    kept: int | str | None = sure if log.known else ""
    if not log.known and sure is not None and sure < need:
        kept = sure
    elif not log.known and result is not Result.FAIL and configured(log, need) is Result.PASS:
        kept = log.floor
    return Log(
        log.family,
        log.path,
        kept,
        log.oldest,
        log.newest,
        max((now - log.oldest).days, 0) if log.oldest else None,
        result,
        why.to(lang),
        seen.full if seen and result is Result.PARTIAL else None,
        beside.gaps,
        beside.unseen,
        beside.remote,
        beside.samples,
        {k: v if lang == "en" else in_chinese(v) for k, v in beside.troubles.items()},
        log.copy,
    )
