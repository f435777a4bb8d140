"""Records that lay in a host's logs at one check, and are gone at a later one before their time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.errors import CouldNotLook
from collector.facts.logs.files import log_files
from collector.facts.logs.journald.journal import journald
from collector.facts.logs.model.families import family_of
from collector.facts.logs.model.shapes import LogFile, Look
from collector.i18n.message import msg
from collector.judges.predicates import months_after
from collector.model import Capture, Parameters

JOURNAL = "/var/log/journal"
_HAIR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Loss:
    """Of `path` the records of the days from `first` to `last` are gone, where all were looked at.

    `seen` is False where the later check has files of this log that nobody looked into, in which
    they may lie.
    """

    path: str
    family: str
    first: datetime
    last: datetime
    seen: bool


def losses(before: Capture, after: Capture, rule: Parameters) -> tuple[Loss, ...]:
    """What shrank or was emptied between the two, by the first record of each day.

    Only records of the `families` of `rule` (logging.retention_observed) are missed that are less
    than its `months` old at the second check. Raises FactError where the logs of either could not
    be looked at.
    """
    families = rule.strings("families")
    if after.collected_at is None:
        raise CouldNotLook("log_files.times", msg("capture_no_time_collection"))
    start = months_after(after.collected_at, -rule.integer("months"))
    later = log_files(after).grouped()
    found = []
    for path, files in log_files(before).grouped().items():
        family = "bastion" if any(f.session for f in files) else family_of(path)
        if family not in families:
            continue
        left = later.get(path, [])
        covered = [span for f in left for span in _covered(f)]
        seen = not any(f.look is Look.NONE and f.size > 0 for f in left)
        wanted = sorted({t for f in files for t in _firsts(f) if t >= start})
        found += [Loss(path, family, a, b, seen) for a, b in _missing(wanted, covered)]
    old, new = (_journal(capture) for capture in (before, after))
    if old and max(old[0], start) < old[1] and (new is None or new[0] - max(old[0], start) > _HAIR):
        last = old[1] if new is None else min(new[0], old[1])
        found.append(Loss(JOURNAL, "journal", max(old[0], start), last, seen=True))
    return tuple(found)


def _firsts(file: LogFile) -> Iterator[datetime]:
    """Times at which there is surely a record; days that only were sampled may begin elsewhere."""
    if file.look is Look.WHOLE and file.days and file.first:
        yield from (day.first for day in file.days if day.first >= file.first)
    elif file.first is not None:
        yield file.first


def _covered(file: LogFile) -> Iterator[tuple[datetime, datetime]]:
    """Stretches in which there is, or may be, each record."""
    if file.look is Look.WHOLE and file.days:
        yield from ((day.first, day.last) for day in file.days)
    elif file.first is not None:
        yield file.first, file.last or datetime.max.replace(tzinfo=file.first.tzinfo)


def _missing(
    wanted: Iterable[datetime], covered: Sequence[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """Runs of times that lie in none of the stretches."""
    run: list[datetime] = []
    for moment in wanted:
        if any(a - _HAIR <= moment and moment - _HAIR <= b for a, b in covered):
            if run:
                yield run[0], run[-1]
            run = []
        else:
            run.append(moment)
    if run:
        yield run[0], run[-1]


def _journal(capture: Capture) -> tuple[datetime, datetime] | None:
    for held in journald(capture).held:
        if held.path == JOURNAL and held.first and held.last:
            return held.first, held.last
    return None
