"""What a host prints may be spoilt in any way: then the finding says so, and no judge breaks.

Each case is garbled some times over, always in the same ways (the seed is its name).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import ReadResult
from collector.script import parse_output
from tests import cases

_TIMES = 12
_ODD = (b"", b"-1", b"9" * 20, b"\xc2\xb2", b"0x10", b'"', b"'", b"$(x)", b"{x}", b"/", b"1e9",
        b"2026-02-30", b"\xff\xfe", b":", b"=")  # fmt: skip


def _byte(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes((dice.randrange(256),)) + data[at + 1 :]


def _gap(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 20) :]


def _word(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    words = lines[at].split(b" ")
    words[dice.randrange(len(words))] = dice.choice(_ODD)
    lines[at] = b" ".join(words)
    return b"\n".join(lines)


def _short_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
    return b"\n".join(lines)


def _order(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join(lines)


def _twice(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"\n".join(lines)


def _ends(data: bytes, dice: random.Random) -> bytes:
    del dice
    return data.replace(b"\n", b"\r\n")


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _byte, _gap, _word, _short_line, _order, _twice, _ends,
)  # fmt: skip


def _garbled(old: ReadResult, dice: random.Random) -> ReadResult:
    way = dice.choice(_WAYS)
    whole = [n for n, file in enumerate(old.files) if file.data]
    if not whole or (old.stdout and dice.random() < 0.5):
        return replace(old, stdout=way(old.stdout, dice)) if old.stdout else old
    at = dice.choice(whole)
    file = replace(old.files[at], data=way(old.files[at].data, dice))
    return replace(old, files=(*old.files[:at], file, *old.files[at + 1 :]))


@pytest.mark.parametrize("path", cases.case_files(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_judge_breaks(path: Path) -> None:
    case = cases.load(path)
    control = catalog.control(case.control)
    dice = random.Random(path.name)
    known = case.capture.reads
    told = [id for id in catalog.reads_for([control]) if id in known]
    for _ in range(_TIMES if told else 0):
        id = dice.choice(told)
        reads = {**known, id: _garbled(known[id], dice)}
        (found,) = assess_host(
            replace(case.capture, reads=MappingProxyType(reads)),
            [control],
            grade=case.grade,
            at=case.at,
            attached=case.attached,
        )
        assert found.reason != "judge_failed", f"{id}: {found.message.en}: {reads[id]}"[:4000]


def test_a_head_without_end_is_cut() -> None:
    """Whoever hands a capture in writes its head: what the script never prints is not kept."""
    nonce = "0" * 32
    keys = "".join(f"k{n}=v\n" for n in range(200_000))
    raw = (
        f"hostpledge-capture 1 {nonce}\n\n@{nonce} head\nuid=0\n{keys}\n@{nonce} end 0 1764000000\n"
    )
    found = parse_output(raw.encode(), host="h")
    assert found.head["uid"] == "0"
    assert len(found.head) < 20_000
