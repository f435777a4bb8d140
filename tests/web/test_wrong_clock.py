"""A clock that is ahead, or was: what is to be kept stays, and nothing waits for that time."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.web.keeping import access
from collector.web.keeping.access import Access, Line
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State
from collector.web.keeping.throttle import Throttle
from tests.web.sites import PASSWORD

_NOW = datetime(2026, 11, 30, tzinfo=UTC)
_DAY = 86400.0
_LINE = Line(_NOW, "a", "b", "GET", "/", 200, "")


class _Clock:
    """What the log takes for now, and for how long its process runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.ran = _NOW, 0.0
        clock = self

        class Ours(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return clock.now

        monkeypatch.setattr(access, "datetime", Ours)
        monkeypatch.setattr(time, "monotonic", lambda: clock.ran)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def _put(log: Access, at: datetime) -> None:
    log.put(replace(_LINE, at=at))


def _kept(log: Access) -> list[str]:
    return [line.at.date().isoformat() for _, line in log.newest(1000)]


@pytest.mark.parametrize("known", [True, False])
def test_a_clock_that_is_ahead_once_takes_no_line_away(
    tmp_path: Path, clock: _Clock, known: bool
) -> None:
    state = State.open(str(tmp_path / "s"))
    for days in (150, 100, 1):
        clock.now = _NOW - timedelta(days=days)
        _put(Access(state), clock.now)
    if not known:
        # as one of an earlier version has it
        with state.write() as connection:
            connection.exec_driver_sql("DELETE FROM web_kept WHERE name = 'log_clock'")
    clock.now = datetime(2028, 1, 1, tzinfo=UTC)
    for _ in range(5):
        # started again and again, and running for a day
        log = Access(state)
        _put(log, clock.now)
    clock.ran += 2 * _DAY
    _put(log, clock.now)
    clock.now = _NOW
    right = Access(state)
    _put(right, _NOW)
    assert {"2026-07-03", "2026-08-22", "2026-11-29"} <= set(_kept(right))


def test_after_a_long_standstill_old_lines_go_bit_by_bit(tmp_path: Path, clock: _Clock) -> None:
    state = State.open(str(tmp_path / "s"))
    _put(Access(state), _NOW)
    clock.now = _NOW + timedelta(days=300)
    log = Access(state)
    for _ in range(100):
        _put(log, clock.now)
        clock.ran += _DAY + 1
        clock.now += timedelta(days=1)
    assert _kept(log)[-1] == "2026-11-30"
    for _ in range(120):
        _put(log, clock.now)
        clock.ran += _DAY + 1
        clock.now += timedelta(days=1)
    assert _kept(log)[-1] > "2026-11-30"


def test_tries_of_a_clock_that_was_ahead_hold_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.open(str(tmp_path / "s"))
    tries, really = Throttle(state), time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: really() + 400 * _DAY)
        assert tries.take([("one", 1)]).wait == 0
        assert tries.take([("one", 1)]).wait > 0
    assert tries.take([("one", 1)]).wait == 0
    assert tries.take([("one", 1)]).wait > 0


def test_a_session_of_a_clock_that_was_ahead_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.open(str(tmp_path / "s"))
    Accounts(state).add(Account("one", "manager"), PASSWORD)
    account, really = Accounts(state).find("one"), time.time
    assert account is not None
    found = Sessions(state)
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: really() + 400 * _DAY)
        token = found.begin(account)
    assert token is not None
    assert found.find(token) is None
    again = found.begin(account)
    assert again is not None
    assert found.find(again) is not None
