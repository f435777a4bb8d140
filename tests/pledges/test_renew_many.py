"""Drafts that continue all records which end soon: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.pledges.records import made

Pledge = Callable[..., Ended]
_TODAY = datetime.now(UTC).astimezone(CHINA).date()


def _period(days: int) -> dict[str, str]:
    first = datetime(2026, 1, 10, tzinfo=UTC).date()
    return {"from": first.isoformat(), "until": (_TODAY + timedelta(days=days)).isoformat()}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    found = Register.open(str(tmp_path / "r.sqlite"), create=True)
    found.add(made(id="soon-2026", period=_period(20)))
    found.add(made(id="sooner-2026", period=_period(3)))
    found.add(made(id="later-2026", period=_period(200)))
    found.add(made(id="done-2026", period=_period(10)))
    found.add(made(id="done-2027", period=_period(400), renews="done-2026"))
    return found


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path)

    return run


def test_all_that_end_soon(register: Register, pledge: Pledge) -> None:
    words = ("renew", "--expiring", "1m", "--ids", "2026=2027")
    looked = pledge(*words, "--check", "--lang", "en")
    assert looked.status == 0, looked.err
    assert "2 record(s) would be renewed" in looked.out
    assert looked.out.index("sooner-2027") < looked.out.index("soon-2027")
    assert "later-2027" not in looked.out
    assert len(register.list()) == 5
    done = pledge(*words, "--lang", "zh")
    assert done.status == 0, done.err
    assert "已续签 2 份登记" in done.out
    new = register.get("soon-2027").document
    assert (new["renews"], new["draft"], new["documents"]) == ("soon-2026", True, [])
    again = pledge(*words, "--lang", "en")
    assert (again.status, "no record is to be renewed" in again.out) == (0, True)


def test_one_that_cannot_be_holds_all_back(register: Register, pledge: Pledge) -> None:
    register.add(made(id="odd", period=_period(9)))
    ended = pledge("renew", "--expiring", "30d", "--ids", "2026=2027", "--lang", "en")
    assert ended.status == 2
    assert 'odd: "2026" is not in the id; nothing is renewed' in ended.err
    assert len(register.list()) == 6


def test_a_taken_id_holds_all_back(register: Register, pledge: Pledge) -> None:
    register.add(made(id="soon-2027", period=_period(300)))
    ended = pledge("renew", "--expiring", "30d", "--ids", "2026=2027", "--lang", "en")
    assert ended.status == 2
    assert "soon-2027" in ended.err
    assert {r.id for r in register.list()} >= {"soon-2027"}
    assert "sooner-2027" not in {r.id for r in register.list()}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--expiring", "30d"), "--ids"),
        (("--expiring", "30d", "--ids", "2026"), "--ids"),
        (("--expiring", "30d", "--ids", "=x"), "--ids"),
        (("--expiring", "soon", "--ids", "2026=2027"), "no length of time"),
        (("soon-2026", "--expiring", "30d", "--ids", "2026=2027"), "--expiring"),
        (("soon-2026",), "NEW-ID"),
        (("--ids", "2026=2027"), "--expiring"),
        (("soon-2026", "new", "--check"), "--expiring"),
    ],
)
def test_what_cannot_be_asked(
    register: Register, pledge: Pledge, words: tuple[str, ...], said: str
) -> None:
    ended = pledge("renew", *words, "--lang", "en")
    assert ended.status == 2
    assert said in ended.err
    assert len(register.list()) == 5
