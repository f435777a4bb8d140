"""A case whose reads have grown, and what judging it takes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, CapturedFile, Finding, ReadResult, ReadStatus, Result
from tests import cases
from tests.growth.shapes import Shape


def told_most(control: str, id: str, most: int = 1) -> list[cases.Case]:
    """The passing case of the control whose read says most, or another where none says any."""
    found = [case for case in _cases(control) if id in case.capture.reads]
    found.sort(key=lambda case: (case.result is not Result.PASS, -_length(case.capture.reads[id])))
    return found[:most]


@cache
def _cases(control: str) -> tuple[cases.Case, ...]:
    return tuple(map(cases.load, cases.case_files(control)))


def _length(result: ReadResult) -> int:
    return len(result.stdout) + sum(len(file.data) for file in result.files)


def grown(result: ReadResult, shape: Shape, size: int) -> ReadResult:
    """Its output, or each of its first files, as the shape has it at that size (bytes)."""
    if result.files:
        files = result.files[:4]
        share = size // len(files)
        return replace(
            result,
            status=ReadStatus.OK,
            files=(
                *(
                    replace(f, data=d, size=len(d), status=ReadStatus.OK)
                    for f in files
                    for d in [shape(f.data, share)]
                ),
                *result.files[4:],
            ),
        )
    return replace(result, status=ReadStatus.OK, rc=0, stdout=shape(result.stdout, size))


def many_files(result: ReadResult, size: int) -> ReadResult:
    """Its files again and again, under other names."""
    found: list[CapturedFile] = list(result.files)
    left, number = size, 0
    while left > 0 and result.files:
        number += 1
        for file in result.files:
            stem, dot, end = file.path.rpartition(".")
            path = f"{stem}{number}{dot}{end}" if dot and "/" not in end else f"{file.path}{number}"
            found.append(replace(file, path=path))
            left -= len(file.data) + len(path) + 60
    return replace(result, files=tuple(found))


def with_reads(capture: Capture, results: Iterable[ReadResult]) -> Capture:
    """The capture with these reads instead of its own."""
    reads = {**capture.reads, **{result.id: result for result in results}}
    return replace(capture, reads=MappingProxyType(reads))


def seconds(case: cases.Case, capture: Capture, most: float) -> tuple[float, Finding | None]:
    """CPU seconds that judging the case's control takes; no finding where it is more than `most`.

    The facts are parsed anew. It is ended by a signal, in this very process.
    """
    control = catalog.control(case.control)
    before = signal.signal(signal.SIGPROF, _late)
    begun = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, most)
    found = None
    try:
        (found,) = assess_host(
            capture, [control], grade=case.grade, at=case.at, attached=case.attached
        )
    except _Late:
        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return time.process_time() - begun, found


class _Late(BaseException):
    """No parser may catch it."""


def _late(*_: object) -> None:
    raise _Late
