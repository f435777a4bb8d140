"""Drafts that continue all records which end soon: all of them, or none."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.cli.commands.pledge.changes.renewing_many import Which, renew_many
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges import killed
from tests.pledges.records import made

Pledge = Callable[..., Ended]


def _today() -> date:
    """Not of the module: a run begins before midnight and ends after it."""
    return datetime.now(UTC).astimezone(CHINA).date()


def _period(days: int) -> dict[str, str]:
    first = datetime(2026, 1, 10, tzinfo=UTC).date()
    return {"from": first.isoformat(), "until": (_today() + timedelta(days=days)).isoformat()}


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
        (("soon-2026", "new", "--ids", "2026=2027", "--until", "2099-01-01"), "without days"),
        (("--grade", "2", "--ids", "2026=2027"), "--expiring"),
        (("--search", "x"), "--ids"),
        (("a", "b", "c"), "NEW-ID"),
        (("soon-2026", "later-2026", "--check"), "later-2026: is in the register already"),
    ],
)
def test_what_cannot_be_asked(
    register: Register, pledge: Pledge, words: tuple[str, ...], said: str
) -> None:
    ended = pledge("renew", *words, "--lang", "en")
    assert ended.status == 2
    assert said in ended.err
    assert len(register.list()) == 5


def test_those_that_are_named(register: Register, pledge: Pledge) -> None:
    words = ("renew", "soon-2026", "later-2026", "soon-2026", "--ids", "2026=2027")
    looked = pledge(*words, "--check", "--lang", "en")
    assert "2 record(s) would be renewed (nothing is written)" in looked.out
    assert len(register.list()) == 5
    told = answer(pledge(*words, "--format", "json").out)
    assert [one["id"] for one in told["renewed"]] == ["soon-2027", "later-2027"]
    assert register.get("later-2027").document["renews"] == "later-2026"
    assert len(register.list()) == 7


def test_every_fault_of_a_spoiled_list_is_named(register: Register, pledge: Pledge) -> None:
    register.add(made(id="odd", period=_period(9)))
    names = ("soon-2026", "none-2026", "odd", "done-2026")
    ended = pledge("renew", *names, "--ids", "2026=2027", "--lang", "en")
    assert (ended.status, ended.out) == (2, "")
    for said in (
        "no pledge is named none-2026",
        'odd: "2026" is not in the id',
        "done-2026: is continued by done-2027 already",
        "3 of 4 records cannot be renewed; nothing is renewed",
    ):
        assert said in ended.err, said
    assert len(register.list()) == 6
    # two that would have one id
    register.add(made(id="x-2026-2026", period=_period(9)))
    register.add(made(id="x-2027-2026", period=_period(9)))
    ended = pledge("renew", "x-2026-2026", "x-2027-2026", "--ids", "2026=2027", "--lang", "en")
    assert "x-2027-2026: the new id x-2027-2027 is taken" in ended.err
    assert len(register.list()) == 8


def test_only_those_of_a_filter(register: Register, pledge: Pledge) -> None:
    register.add(made(id="two-2026", period=_period(9), grade=2))
    words = ("--expiring", "1m", "--ids", "2026=2027", "--check", "--format", "json")
    told = answer(pledge("renew", "--grade", "2", *words).out)
    assert [one["renews"] for one in told["renewed"]] == ["two-2026"]
    told = answer(pledge("renew", "--search", "sooner", *words).out)
    assert [one["renews"] for one in told["renewed"]] == ["sooner-2026"]


def test_one_may_be_looked_at_first(register: Register, pledge: Pledge) -> None:
    looked = pledge("renew", "soon-2026", "soon-2027", "--check", "--lang", "en")
    assert looked.status == 0, looked.err
    assert "soon-2027 continues soon-2026" in looked.out
    assert "(nothing is written)" in looked.out
    assert len(register.list()) == 5


def _dies_at_the_second(place: Path) -> None:
    register, count = Register.open(str(place)), []
    add = register._add

    def dies(*words: Any, **more: Any) -> Any:
        count.append(1)
        if len(count) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return add(*words, **more)

    register._add = dies  # type: ignore[method-assign]
    renew_many(register, Which(expiring=timedelta(days=30)), "2026=2027", check=False)


def test_killed_in_the_middle_none_is_made(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    child = killed.begin(partial(_dies_at_the_second, tmp_path / "r.sqlite"))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert len(register.list()) == 5
    done = pledge("renew", "--expiring", "30d", "--ids", "2026=2027", "--lang", "en")
    assert "2 record(s) renewed" in done.out
    assert len(register.list()) == 7
