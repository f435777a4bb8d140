"""Captures that were tampered with or garbled on their way: BadInput, or a capture."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import captures
from collector.errors import BadInput
from collector.model import HostStatus, ReadStatus
from collector.script import parse_output
from tests import bundles

NONCE = b"0123456789abcdef0123456789abcdef"
START = b"hostpledge-capture 1 " + NONCE + b"\n"
SECTIONS = [
    b"head\nuid=0\nclock=1764000000\nhostkey=a b\nhostkey=c d",
    b"read t.one 100\nfirst",
    b"stderr\nsome words",
    b"done ok 0 0",
    b"read t.files 100\n",
    b"file ok 644 0 0 5 1764000000\n/etc/x",
    b"data\nhello",
    b"file refused\n/etc/y",
    b"done ok 0 1",
    b"end 2 1764000001",
]
NUMBERS = [b"-1", b"9" * 5000, b"99999999999", b"1_0", b"\xd9\xa3", b"", b"0x1", b" "]


def output(sections: list[bytes]) -> bytes:
    return START + b"".join(b"\n@" + NONCE + b" " + section for section in sections)


def tampered() -> st.SearchStrategy[bytes]:
    word = st.sampled_from(SECTIONS).flatmap(
        lambda section: st.one_of(
            st.just(section),
            st.integers(0, len(section)).map(lambda n: section[:n]),
            st.tuples(st.integers(0, len(section)), st.binary(max_size=4)).map(
                lambda at: section[: at[0]] + at[1] + section[at[0] :]
            ),
            st.tuples(st.integers(0, 5), st.sampled_from(NUMBERS)).map(
                lambda change: _changed(section, *change)
            ),
        )
    )
    return st.lists(word, max_size=14).map(output)


def _changed(section: bytes, place: int, number: bytes) -> bytes:
    line, separator, content = section.partition(b"\n")
    words = line.split(b" ")
    words[place % len(words)] = number
    return b" ".join(words) + separator + content


@settings(max_examples=300, deadline=2000, suppress_health_check=list(HealthCheck))
@given(tampered())
def test_whatever_comes_is_a_capture_that_can_be_kept(raw: bytes) -> None:
    capture = parse_output(raw, host="h")
    again = captures.from_bytes(captures.to_bytes(capture), where="f")
    assert (again.reads, dict(again.head)) == (capture.reads, dict(capture.head))
    assert again.collected_at == capture.collected_at


def of(*sections: bytes) -> Any:
    return parse_output(output(list(sections)), host="h")


@pytest.mark.parametrize(
    "sections",
    [
        [b"read t.one\nx", b"done ok 0 0"],
        [b"read t.one -5\nx", b"done ok 0 0"],
        [b"read t.one 100\nx", b"done fine 0 0"],
        [b"read t.one 100\nx", b"done ok 0"],
        [b"read t.one 100\nx", b"done ok " + b"9" * 5000 + b" 0"],
        [b"read t.one 100\nx", b"unheard of\ny", b"done ok 0 0"],
        [b"read t.one 100\nx", b"read t.two 100\ny", b"done ok 0 0"],
        [b"read t.one 100\nx", b"end 1 1"],
        [b"read t.one 100\nx", b"done ok 0 0", b"read t.one 100\nother", b"done ok 0 0"],
        [b"read  t.one 100\nx", b"done ok 0 0"],
    ],
)
def test_a_garbled_read_is_lost(sections: list[bytes]) -> None:
    assert of(*sections).read("t.one").status is ReadStatus.LOST


def test_a_file_without_its_numbers_is_lost() -> None:
    capture = of(b"read t.f 9\n", b"file ok \n/x", b"data\nhello", b"done ok 0 0", b"end 1 1")
    assert capture.read("t.f").files[0].status is ReadStatus.LOST


def test_another_run_s_sections_are_content() -> None:
    forged = b"\n@" + b"f" * 32 + b" done ok 0 0"
    capture = of(b"read t.one 100\nx" + forged, b"done exit 1 0", b"end 1 1")
    assert capture.read("t.one").status is ReadStatus.EXIT


def test_changed_line_ends_are_told() -> None:
    with pytest.raises(BadInput, match="CR LF"):
        parse_output(output(SECTIONS).replace(b"\n", b"\r\n"), host="h")


def test_the_time_of_looking_is_known_though_nothing_came() -> None:
    clock = "2026-11-25T03:00:00+00:00"
    for status in HostStatus:
        capture = parse_output(b"", host="h", status=status, origin={"clock": clock})
        assert capture.collected_at is not None
        assert capture.collected_at.isoformat() == clock


@pytest.mark.parametrize("clock", [b"0", b"946684800", b"4294967295", b"-1", b"", b"9" * 40])
def test_a_clock_that_is_not_set_is_no_time(clock: bytes) -> None:
    assert of(b"head\nclock=" + clock, b"end 0 0").collected_at is None


def test_much_of_the_same_takes_no_long() -> None:
    begun = time.monotonic()
    of(b"head\n" + b"a=b\n" * 500_000, *[b"read t.one 9\n", b"file ok"] * 50_000)
    assert time.monotonic() - begun < 10


_MANY = {
    "files": (b"file ok", 2_400_000),
    "files with a path": (b"file ok 644 0 0 5 1764000000\n/etc/x", 900_000),
    "reads": (b"read t.r%d 9", 400_000),
    "few reads": (b"read t.r%d 9", 2_000),
}


@pytest.mark.parametrize("name", _MANY)
@pytest.mark.parametrize("packed", [True, False])
def test_more_than_any_host_has_is_refused_at_once(name: str, packed: bool) -> None:
    """A hundred kilobytes, packed, cost half a minute and two gigabytes."""
    section, number = _MANY[name]
    some = [section % n if b"%" in section else section for n in range(number)]
    raw = output([b"read t.one 9", *some, b"done ok 0 0", b"end 1 1764000001"])
    raw = raw[: captures.LARGEST]
    del some
    data = gzip.compress(raw, 1) if packed else raw
    tracemalloc.start()
    begun = time.monotonic()
    with pytest.raises(BadInput, match="no capture has as many"):
        captures.from_bytes(data, where="f")
    assert time.monotonic() - begun < 4
    assert tracemalloc.get_traced_memory()[1] < 5 * captures.LARGEST
    tracemalloc.stop()
    told = parse_output(raw, host="h", status=HostStatus.COMPLETE)
    assert told.status is HostStatus.GARBLED
    assert not told.reads


@pytest.mark.parametrize("what", [b"\n", b"a\n"])
def test_lines_without_end_are_not_held_each_by_itself(what: bytes) -> None:
    data = gzip.compress(START + what * (captures.LARGEST // len(what) - 60), 1)
    tracemalloc.start()
    captures.from_bytes(data, where="f")
    assert tracemalloc.get_traced_memory()[1] < 4 * captures.LARGEST
    tracemalloc.stop()


# --- our own form --------------------------------------------------------------------------------


def lines() -> list[Any]:
    plain = gzip.decompress(captures.to_bytes(parse_output(output(SECTIONS), host="h")))
    return [json.loads(line) for line in plain.splitlines()]


@pytest.mark.parametrize(
    "change",
    [
        lambda ls: ls[0].update(host="\ud800"),
        lambda ls: ls[0]["head"].update(user="\udfff"),
        lambda ls: ls[0].update(collected_at="0001-01-01T00:00:00+14:00"),
        lambda ls: ls[0].update(collected_at="9999-12-31T23:59:59-14:00"),
        lambda ls: ls[0].update(collected_at="2026-11-25t20:00:00z"),
        lambda ls: ls[0].update(nonce=ls[0]["nonce"] + "\n"),
        lambda ls: ls[1].update(id="t.one\n"),
        lambda ls: ls[1].update(stdout_base64="é") or ls[1].pop("stdout"),
        lambda ls: ls.insert(1, ls[1]),
        lambda ls: ls.pop(),
        lambda ls: ls[1].update(stdout="other"),
        # what a host says of itself has no such length: each line of it is looked for by a register
        lambda ls: ls[0]["head"].update(hostkey="k\n" * 400_000),
    ],
)
def test_a_line_that_was_changed_is_told(change: Callable[[list[Any]], Any]) -> None:
    changed = lines()
    change(changed)
    data = gzip.compress(b"\n".join(json.dumps(line).encode() for line in changed))
    with pytest.raises(BadInput):
        captures.from_bytes(data, where="f")


@pytest.mark.parametrize("kind", ["read", "other", ["read"]])
@pytest.mark.parametrize("depth", [100, 1000, 100_000])
def test_a_line_that_nests_deeply_is_refused(kind: object, depth: int) -> None:
    """Whichever part of the schema it is looked at for, and however deep."""
    head = next(captures._lines(parse_output(output(SECTIONS), host="h")))
    line = json.dumps({"kind": kind})[:-1].encode() + b', "x": ' + b"[" * depth + b"]" * depth
    data = gzip.compress(b"\n".join([json.dumps(head).encode(), line + b"}"]))
    with pytest.raises(BadInput, match="nested too deeply"):
        captures.from_bytes(data, where="f")


@pytest.mark.parametrize("before", [b"\n", b" ", b"\t\n"])
def test_what_is_of_our_own_form_is_so_for_all_who_ask(before: bytes) -> None:
    """What a control node knows alone is taken away of what is handed in, and of no output."""
    data = gzip.decompress(captures.to_bytes(bundles.capture("db-1")))
    assert captures.own_form(gzip.compress(data))
    odd = gzip.compress(before + data)
    assert not captures.own_form(odd)
    with pytest.raises(BadInput):
        captures.from_bytes(odd, where="x")
