"""What the controls say of one capture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from collector import captures, catalog
from collector.attest.bundle.part import take_in
from collector.i18n.message import msg
from collector.judging.hosts import judge
from collector.model import Finding
from hostpledge.given import moment, named


def assess(
    capture: str | os.PathLike[str],
    *,
    grade: int = 2,
    families: Sequence[str] = (),
    at: datetime | None = None,
) -> tuple[Finding, ...]:
    """As `hostpledge assess CAPTURE`: one finding for each control, always, in the same order.

    `capture` is a capture file, or what the collector script printed; `grade` the MLPS grade, 2 or
    3; `families` such as `("logging",)`, all by default; `at` (aware) the time to judge for, by
    default that of the capture. The same capture gives the same findings; what could not be looked
    at, or was not understood, is `Result.ERROR`. Judged in a process of its own, within limits.

    Raises BadInput for a file that is no capture, for a family or grade that is none, and for a
    capture of a day to come; TypeError for arguments of another type.
    """
    if isinstance(families, str) or not isinstance(families, Sequence):
        raise TypeError('families: a sequence of names is wanted, such as ("logging",)')
    if type(grade) is not int:
        raise TypeError("grade: 2 or 3 is wanted, as a number")
    at = moment("at", at)
    path = named(capture, "capture")
    controls = catalog.select(tuple(families), grade)
    taken, _ = take_in(path)
    if at is None:
        captures.check_time(taken, datetime.now(UTC), str(path), msg("give_time_judge"))
    return tuple(judge(taken, controls, grade=grade, at=at))
