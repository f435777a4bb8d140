"""A register whose last word was not heard: what it has attached is told, once it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collector.cli.workflows.evidence import Signing, first_key
from collector.cli.workflows.handed import taking_in
from collector.cli.workflows.handed.taking_in import Taken
from collector.cli.workflows.handed.waiting import undecided
from collector.handin import quarantine
from collector.pledges.database.transactions import DatabaseSaysError
from collector.pledges.register.register import Register
from tests.handin.served import output
from tests.handin.test_intake import Desk, begun, desk

__all__ = ["begun", "desk"]


@pytest.fixture
def register(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(desk.home))
    return Register.open(str(desk.home / "register.sqlite"), create=False)


def _broken() -> DatabaseSaysError:
    return DatabaseSaysError("network error", where="db")


def _breaks_off(monkeypatch: pytest.MonkeyPatch, *, once: bool) -> None:
    """Right behind the end of what attaches; unless `once`, nobody is answered from then on."""
    real, every = Register.attaching, Register.every_evidence
    gone: list[bool] = []

    @contextmanager
    def attaching(self: Register, id: str) -> Iterator[None]:
        with real(self, id):
            yield
        if not gone:
            gone.append(True)
            raise _broken()

    def unheard(self: Register, id: str, **named: bool) -> object:
        if gone and not once:
            raise _broken()
        return every(self, id, **named)

    monkeypatch.setattr(Register, "attaching", attaching)
    monkeypatch.setattr(Register, "every_evidence", unheard)


def _taken(desk: Desk, register: Register) -> list[Taken]:
    signing = Signing(first_key("default", None), None, ())
    with desk.places.held("intake.lock"):
        done = taking_in.settle(register, desk.places)
        waits = undecided(desk.places)
        return done + taking_in.take(register, desk.places, waits, signing, moved=False)


def _verdicts(desk: Desk) -> list[str | None]:
    decided = [quarantine.decision(desk.places, one) for one in quarantine.every(desk.places)]
    return [str(one["verdict"]) if one else None for one in decided]


@pytest.mark.parametrize("hosts", [1, 2])
def test_what_is_attached_though_the_connection_broke_off_is_taken_in(
    desk: Desk, register: Register, monkeypatch: pytest.MonkeyPatch, hosts: int
) -> None:
    for number in range(hosts):
        desk.came(output(str(number)), f"web-{number + 1}")
    _breaks_off(monkeypatch, once=True)
    done = _taken(desk, register)
    assert [(one.sequence, one.trouble) for one in done] == [(1, None)] * hosts
    assert _verdicts(desk) == ["accepted"] * hosts
    assert _taken(desk, register) == []
    assert len(desk.evidence()) == 1


def test_where_nobody_answers_any_more_the_next_intake_finds_it(
    desk: Desk, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.came(output("a"), "web-1")
    desk.came(output("b"), "web-2")
    with monkeypatch.context() as broken:
        _breaks_off(broken, once=False)
        done = _taken(desk, register)
        assert all("network error" in str(one.trouble) for one in done) and len(done) == 2
        # nor does another attempt take away what says so
        desk.came(output("c"), "web-1")
        assert all(one.trouble is not None for one in _taken(desk, register))
    assert _verdicts(desk) == [None] * 3
    assert [one.sequence for one in _taken(desk, register) if one.trouble is None] == [1, 1]
    assert sorted(map(str, _verdicts(desk))) == ["None", "accepted", "accepted"]
    assert len(desk.evidence()) == 1


def test_what_may_be_attached_is_not_refused(
    desk: Desk, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where rows and log of its pledge differ: the register does not say what it has."""
    one = desk.came(output("a"), "web-1")
    desk.came(output("b"), "web-2")
    with monkeypatch.context() as broken:
        _breaks_off(broken, once=False)
        _taken(desk, register)
    job = desk.places.room("work") / "P-1" / "job.json"
    known = json.loads(job.read_text())
    job.write_text(json.dumps(known | {"pledge": "P-9"}))
    done = desk("intake", "--refuse", one.id, "--why", "x")
    assert done.status == 2
    assert _verdicts(desk) == [None, None]
    job.write_text(json.dumps(known))
    assert desk("intake", "--all").status == 0
    assert _verdicts(desk) == ["accepted", "accepted"]
