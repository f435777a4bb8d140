"""Drafts that were made by mistake: taken back in one step, or none of them is."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.errors import BadInput
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import TODAY, made

Pledge = Callable[..., Ended]


def _today() -> date:
    """Not of the module: a run begins before midnight and ends after it."""
    return datetime.now(UTC).astimezone(CHINA).date()


_WHY = ("--reason", "续签错了", "--by", "王安")


@pytest.fixture
def register(tmp_path: Path) -> Register:
    found = Register.open(str(tmp_path / "r.sqlite"), create=True)
    until = (_today() + timedelta(days=20)).isoformat()
    for id in ("a-2026", "b-2026"):
        found.add(made(id=id, period={"from": "2026-01-10", "until": until}))
    return found


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        place = tmp_path / "r.sqlite"
        return hostpledge("pledge", *words, "--register", place, "--lang", "en", home=tmp_path)

    return run


def test_what_was_renewed_by_mistake_is_taken_back(register: Register, pledge: Pledge) -> None:
    done = pledge("renew", "a-2026", "b-2026", "--ids", "2026=2027")
    assert done.status == 0, done.err
    line = done.out.splitlines()[-1]
    assert line.startswith("hostpledge pledge withdraw-draft a-2027 b-2027 --reason WHY --by NAME")
    words = shlex.split(line)[2:-2]
    looked = pledge(*words, "--check")
    assert (looked.status, "2 draft(s) would be withdrawn" in looked.out) == (0, True), looked.err
    assert "ended" not in register.get("a-2027").document
    done = pledge(*words)
    assert (done.status, "a-2026 can be renewed again" in done.out) == (0, True), done.err
    document = register.get("a-2027").document
    assert document["ended"] == {"date": today().isoformat(), "reason": "WHY", "by": "NAME"}
    assert "renews" not in document
    # what it was stays in the history
    assert register.history("a-2027")[0].record.document["renews"] == "a-2026"
    again = pledge(*words)
    assert (again.status, "withdrawn on" in again.err) == (2, True), again.err
    # under another id, and under the same one
    assert pledge("renew", "a-2026", "a-27b").status == 0
    done = pledge("renew", "b-2026", "--ids", "2026=2027")
    assert done.status == 0, done.err
    document = register.get("b-2027").document
    assert (document["renews"], document["draft"]) == ("b-2026", True)
    assert "ended" not in document
    assert len(register.history("b-2027")) == 3


def test_one_draft_alone_and_one_that_ended_by_a_list(register: Register, pledge: Pledge) -> None:
    done = pledge("renew", "a-2026", "a-27b")
    assert "withdraw-draft a-27b" in done.out
    document = dict(register.get("a-27b").document)
    document["ended"] = {"date": _today().isoformat(), "reason": "x", "by": "y"}
    register.add(made(**document), update=True)
    # it binds nobody: the record is renewed under the right id
    assert pledge("renew", "a-2026", "a-2027", "--check").status == 0
    assert pledge("renew", "a-2026", "a-2027").status == 0


def test_imported_by_mistake(register: Register, pledge: Pledge, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    text = (
        "编号,用户名称,统一社会信用代码,等保级别\n"
        "W-1,甲,91330106MA0DEM2670,三级\nW-2,乙,91330106MA0DEM2696,三级\n"
    )
    rows.write_text(text, "utf-8")
    done = pledge("import", rows)
    assert done.status == 0, done.err
    (line,) = (line for line in done.out.splitlines() if "withdraw-draft W-1 W-2" in line)
    assert pledge(*shlex.split(line)[2:-2]).status == 0
    assert "withdraw-draft" not in pledge("import", rows, "--check").out
    rows.write_text(text.replace("乙", "丙"), "utf-8")
    done = pledge("import", rows)
    assert done.status == 0, done.err
    assert register.get("W-2").customer == "丙"
    # what is there and stands is not written over
    assert pledge("import", rows).status == 2


def test_what_came_of_it_stays(register: Register, pledge: Pledge, tmp_path: Path) -> None:
    assert pledge("renew", "a-2026", "b-2026", "--ids", "2026=2027").status == 0
    check(register, "b-2027", Signer(tmp_path / "s"), captured("weak"), datetime.now(UTC))
    for id, said in (
        ("a-2026", "is no draft that nobody signed"),
        ("b-2027", "evidence is attached to it"),
        ("nobody", "nobody"),
    ):
        ended = pledge("withdraw-draft", id, *_WHY)
        assert (ended.status, said in ended.err) == (2, True), ended.err
    # all of them, or none
    ended = pledge("withdraw-draft", "a-2027", "b-2027", "a-2026", *_WHY)
    assert (ended.status, "2 of 3 cannot be withdrawn; nothing is withdrawn" in ended.err) == (
        2,
        True,
    ), ended.err
    assert "ended" not in register.get("a-2027").document
    assert len(register.history("a-2027")) == 1
    number: dict[str, Any] = {
        "number": "N-1",
        "kind": "mend",
        "date": TODAY.isoformat(),
        "sha256": "0" * 64,
    }
    number["evidence"] = 1
    document = {**register.get("a-2027").document, "notices": [{**number, "findings": []}]}
    register.add(made(**document), update=True)
    ended = pledge("withdraw-draft", "a-2027", *_WHY)
    assert (ended.status, "notices of it were given" in ended.err) == (2, True), ended.err


def test_for_programs(register: Register, pledge: Pledge) -> None:
    done = pledge("renew", "a-2026", "a-2027", "--format", "json")
    assert answer(done.out)["undo_drafts"].startswith("hostpledge pledge withdraw-draft a-2027 ")
    found = answer(pledge("withdraw-draft", "a-2027", *_WHY, "--format", "json").out)
    assert found["withdrawn"] == [{"id": "a-2027", "renews": "a-2026", "version": 2}]


def test_its_id_stays_that_customer_s(register: Register, pledge: Pledge) -> None:
    """Accounts and hand-in links were given out by it."""
    register.add(made(id="x-2026", draft=True, documents=[]))
    done = pledge("withdraw-draft", "x-2026", *_WHY)
    assert done.status == 0, done.err
    mine = made().document["customer"]
    other = {**mine, "name": "乙公司", "credit_code": "91310000MA1FL0000N"}
    with pytest.raises(BadInput, match="accounts and hand-in links"):
        register.add(made(id="x-2026", draft=True, documents=[], customer=other))
    register.add(made(id="x-2026", draft=True, documents=[]))
    assert "ended" not in register.get("x-2026").document
