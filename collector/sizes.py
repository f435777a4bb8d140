"""How much of what a host says is looked at, and how much of it a finding may repeat. Pure.

These bounds are of bytes and numbers, never of time: every machine draws them at the same place.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from collector.catalog import all_reads
from collector.model import Capture, CapturedFile, ReadResult, ReadStatus, Scalar, Value

# quotes of a finding; values in a list, and characters of a value: more than anybody reads
QUOTES = 1000
_VALUES = 1000
_LONGEST = 10_000
# how many times its present limit a read may hold: when the capture was made it may have been more
_SLACK = 4
# of a read that no catalogue names
_LIMIT = 1 << 20
_MOST = 64


def as_collected(capture: Capture) -> Capture:
    """The capture with no read larger than the collector script can have made it.

    What was handed in, or was made elsewhere, may hold anything. What is several times as large
    as the script lets it be counts as truncated there.
    """
    cut = {id: _as_collected(id, result) for id, result in capture.reads.items()}
    if all(cut[id] is result for id, result in capture.reads.items()):
        return capture
    return replace(capture, reads=MappingProxyType(cut))


def _as_collected(id: str, result: ReadResult) -> ReadResult:
    read = all_reads().get(id)
    limit = _SLACK * (read.limit if read else _LIMIT)
    most = _SLACK * (read.most if read else _MOST)
    if len(result.stdout) > limit or len(result.files) > most:
        result = replace(
            result,
            status=ReadStatus.TRUNCATED,
            stdout=result.stdout[:limit],
            files=result.files[:most],
        )
    if any(len(file.data) > limit for file in result.files):
        result = replace(result, files=tuple(_cut(file, limit) for file in result.files))
    return result


def _cut(file: CapturedFile, limit: int) -> CapturedFile:
    if len(file.data) <= limit:
        return file
    return replace(file, status=ReadStatus.TRUNCATED, data=file.data[:limit])


def of(result: ReadResult) -> int:
    """Bytes of what a read returned."""
    return len(result.stdout) + sum(len(file.path) + len(file.data) for file in result.files)


def value(said: Value) -> Value:
    """A value of a finding: no host makes the evidence of all others too large to be read."""
    if not isinstance(said, list):
        return _shortened(said)
    shown: list[Scalar] = [_shortened(item) for item in said[:_VALUES]]
    return [*shown, f"… +{len(said) - _VALUES}"] if len(said) > _VALUES else shown


def _shortened(said: Scalar) -> Scalar:
    if isinstance(said, str) and len(said) > _LONGEST:
        return said[: _LONGEST - 1] + "…"
    return said
