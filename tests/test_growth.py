"""Judging takes time that grows with what a host says, and not with the square of it.

Each control, with each read that it rests on, is judged with that read at a size and at twice the
size, in several shapes; where that takes a time that can be measured, it may hardly more than
double. HOSTPLEDGE_GROWTH=400000 (bytes) tries every shape up to that size: minutes, even hours.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice, pairwise

import pytest

from collector import catalog
from tests.cases import Case
from tests.growth import grown
from tests.growth.shapes import OWN, SHAPES

_MOST = int(os.environ.get("HOSTPLEDGE_GROWTH", "0"))
_SIZES = [n for n in (50_000, 100_000, 200_000, 400_000) if n <= _MOST] or [30_000, 60_000]
_SHAPES = list(SHAPES) if _MOST else [*OWN, "then b'['", "then b' '", "tails b'('", "tails b'a '"]
# how many shapes of a read are tried with each control that it is read for
_EACH = len(_SHAPES) if _MOST else 2
# seconds: what is quicker is not measured, what is slower is not waited for
_QUICK, _SLOW = 0.4, 3.0
_TIMES = 3.0


def _shapes(id: str, read: str) -> Iterator[str]:
    """Each shape comes to each read, with one control or another; the same in each run."""
    first = zlib.crc32(f"{id} {read}".encode()) % len(_SHAPES)
    return islice(cycle(_SHAPES), first, first + _EACH)


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_twice_as_much_takes_twice_as_long(id: str) -> None:
    for read in sorted(catalog.reads_for([catalog.control(id)])):
        for case in grown.told_most(id, read):
            for name in _shapes(id, read):
                _try(case, read, name)


def _try(case: Case, read: str, name: str) -> None:
    taken: list[float] = []
    for size in _SIZES:
        took = _took(case, read, name, size)
        if took > _SLOW / 2:
            # whatever else runs here may have been in the way
            took = min(took, _took(case, read, name, size))
        assert took < _SLOW, f"{read}, {name}, {size} bytes: more than {_SLOW} s"
        taken.append(took)
    for (small, large), size in zip(pairwise(taken), _SIZES[1:], strict=True):
        if large > _QUICK and large > _TIMES * small:
            again = [min(_took(case, read, name, n) for _ in range(3)) for n in (size // 2, size)]
            # so little of either that the clock shows none tells nothing
            quick = again[1] <= _QUICK
            assert quick or again[1] < _TIMES * again[0], f"{read}, {name}, {size} bytes: {again}"


def _took(case: Case, read: str, name: str, size: int) -> float:
    result = grown.grown(case.capture.reads[read], SHAPES[name], size)
    capture = grown.with_reads(case.capture, [result])
    took, found = grown.seconds(case, capture, _SLOW)
    if found is not None:
        assert found.reason != "judge_failed", f"{read}, {name}: {found.message.en}"
    return took


def test_many_processes_take_no_long() -> None:
    """Each agent was looked for in all processes, for each process."""
    for case in grown.told_most("monitoring.state", "processes.all"):
        said = b"".join(
            b"/proc/%d/status:Name:\tx\n/proc/%d/status:PPid:\t1\n/proc/%d/status:Uid:\t0\t0\t0\t0\n"
            b"/proc/%d/status:VmSize:\t1 kB\n" % (n, n, n, n)
            for n in range(20_000, 20_600)
        )
        exes = b"".join(
            b"lrwxrwxrwx 1 0 0 0 Nov 25 00:00 /proc/%d/exe -> /usr/bin/x\n" % n
            for n in range(20_000, 20_600)
        )
        read = case.capture.reads["processes.all"]
        stdout = read.stdout.replace(b"== exe\n", said + b"== exe\n") + exes
        capture = grown.with_reads(case.capture, [replace(read, stdout=stdout)])
        took, found = grown.seconds(case, capture, _SLOW)
        assert found is not None and found.reason == case.expect["reason"]
        assert took < 1


def test_a_finding_repeats_no_more_than_can_be_read() -> None:
    """However many accounts a host has that are wrong."""
    (case,) = grown.told_most("intrusion.empty_passwords", "accounts.passwd")
    lines = b"".join(b"u%d:x:0:0::/root:/bin/sh\n" % n for n in range(20_000))
    said = case.capture.reads["accounts.passwd"]
    large = grown.grown(said, lambda data, size: data + lines, 0)
    _, found = grown.seconds(case, grown.with_reads(case.capture, [large]), _SLOW)
    assert found is not None
    accounts = found.values["accounts"]
    assert isinstance(accounts, list)
    assert accounts[1000] == "… +19000"
