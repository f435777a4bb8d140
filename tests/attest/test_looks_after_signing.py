"""What somebody signed cannot hold what was seen later: a key is revoked, and its days go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.attest.envelope.timestamp import Stamp
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import TrustedKey
from collector.errors import VerifyFailed
from collector.verify import times
from collector.verify.looks import Looks
from collector.verify.times import Logged

_SIGNED = datetime(2026, 9, 1, 12, tzinfo=UTC)
_LOOK = _SIGNED + timedelta(days=91)
_LOOKS = Looks(_LOOK, _LOOK, _LOOK, last=_LOOK)
_STAMP = Stamp(_SIGNED, "Corp TSA")
_LOGGED = Logged("log", 0, 1, "p", 1, _SIGNED, "log", counts=True)


def _held(looks: Looks, made_at: datetime, *stamps: Stamp, logged: Logged | None = None) -> bool:
    try:
        times.hold_looks(looks, made_at, stamps, logged, where="evidence.json")
    except VerifyFailed as problem:
        assert problem.where == "evidence.json" and "later than it was signed" in problem.what
        return False
    return True


@pytest.mark.parametrize(
    ("made_at", "stamps", "logged"),
    [
        (_SIGNED, (), None),
        (_LOOK, (_STAMP,), None),
        (_LOOK, (replace(_STAMP, at=_LOOK), _STAMP), None),
        (_LOOK, (), _LOGGED),
    ],
)
def test_each_that_is_earlier_shows_it(
    made_at: datetime, stamps: tuple[Stamp, ...], logged: Logged | None
) -> None:
    assert not _held(_LOOKS, made_at, *stamps, logged=logged)


def test_what_was_seen_before_may_be_signed_later() -> None:
    late = _LOOK + timedelta(days=400)
    assert _held(_LOOKS, late, replace(_STAMP, at=late), logged=replace(_LOGGED, at=late))
    # the clock of a host may be ahead of that of whoever signs
    assert _held(_LOOKS, _LOOK - timedelta(hours=23))
    assert not _held(_LOOKS, _LOOK - timedelta(hours=25))


def test_who_looked_at_nothing_is_held_to_nothing() -> None:
    assert _held(replace(_LOOKS, last=None), _SIGNED)


def test_a_check_before_hardening_is_held_to_it_too() -> None:
    after = replace(_LOOKS, last=_SIGNED)
    assert _held(after, _SIGNED)
    assert not _held(after.and_before(_LOOKS), _SIGNED)
    assert not _held(_LOOKS.and_before(after), _SIGNED)
    assert not _held(replace(after, last=None).and_before(_LOOKS), _SIGNED)
    assert _held(replace(after, last=None).and_before(replace(_LOOKS, last=None)), _SIGNED)


def test_the_last_day_that_there_is_has_none_after_it() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    key = TrustedKey(PrivateKey.generate().public, "k")
    stamp = replace(_STAMP, at=last)
    times.check_window(key, _SIGNED, _LOOK, stamp=stamp, logged=None)
    assert _held(_LOOKS, last, stamp)
