"""What was signed, or ended, on record by mistake: taken back in one step, and never hidden."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.due.lifecycle import state
from collector.pledges.record.drafts import is_withdrawn
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import TODAY, made

Pledge = Callable[..., Ended]
_WHY = ("--reason", "签错了", "--by", "王安")
_A = {"kind": "unit", "name": "甲", "credit_code": "91330106MA0DEM2670"}
_B = {"kind": "unit", "name": "乙", "credit_code": "91330106MA0DEM2696"}
_HEAD = "编号,用户名称,统一社会信用代码,等保级别"
_ROW = "W-1,甲,91330106MA0DEM2670,三级"


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register.open(str(tmp_path / "r.sqlite"), create=True)


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        place = tmp_path / "r.sqlite"
        return hostpledge("pledge", *words, "--register", place, "--lang", "en", home=tmp_path)

    return run


@pytest.fixture
def scans(tmp_path: Path) -> tuple[Any, ...]:
    found = []
    for name in ("responsibility", "pledge"):
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(b"%PDF " + name.encode())
        found += [f"--{name}", path]
    return (*found, "--signed-on", "2026-11-20")


def _draft(register: Register, id: str, customer: dict[str, Any]) -> None:
    register.add(made(id=id, customer=customer, draft=True, documents=[], renews=None))


def _printed(done: Ended, command: str) -> list[str]:
    """The words of the command that it ends with, without those that name the register."""
    assert done.status == 0, done.err
    start = f"hostpledge pledge {command}"
    (line,) = (one for one in done.out.splitlines() if one.startswith(start))
    return shlex.split(line)[2:-2]


def test_the_wrong_draft_was_signed(
    register: Register, pledge: Pledge, scans: tuple[Any, ...]
) -> None:
    _draft(register, "a-1", _A)
    _draft(register, "b-1", _B)
    looked = pledge("sign", "b-1", *scans, "--check")
    assert (looked.status, "b-1 (乙) would be signed" in looked.out) == (0, True), looked.err
    assert register.get("b-1").document["draft"] is True
    done = pledge("sign", "b-1", *scans)
    assert "b-1 (乙), version 2: signed" in done.out
    assert pledge("sign", "a-1", *scans).status == 2
    words = _printed(done, "withdraw-signed")
    looked = pledge(*words, "--check")
    assert "1 signed record(s) would be withdrawn" in looked.out
    assert "draft" not in register.get("b-1").document
    done = pledge(*words)
    assert (done.status, "b-1 (乙): a draft again" in done.out) == (0, True), done.err
    document = register.get("b-1").document
    assert (document["draft"], document["documents"]) == (True, [])
    assert "ended" not in document
    (entry,) = document["taken_back"]
    assert (entry["reason"], entry["by"], len(entry["documents"])) == ("WHY", "NAME", 2)
    # it blocks nobody, and is not hidden
    assert pledge("sign", "a-1", *scans).status == 0
    assert len(register.history("b-1")[1].record.document["documents"]) == 2
    shown = pledge("show", "b-1").out
    assert "put on record by mistake, taken back on" in shown
    assert "2026-11-20" in shown
    # nothing drops what was taken back
    _update = made(id="b-1", customer=_B, draft=True, documents=[], title="x", renews=None)
    register.add(_update, update=True)
    assert register.get("b-1").document["taken_back"] == [entry]
    again = pledge(*words)
    assert (again.status, "is not signed" in again.err) == (2, True)


@pytest.mark.parametrize("way", ["import", "add", "renew"])
def test_signed_when_it_was_made(
    register: Register, pledge: Pledge, scans: tuple[Any, ...], way: str, tmp_path: Path
) -> None:
    register.add(made(id="o-1"))
    if way == "renew":
        done, id = pledge("renew", "o-1", "n-1", *scans), "n-1"
    elif way == "add":
        path = tmp_path / "n.json"
        path.write_bytes(made(id="n-1", renews=None).canonical())
        done, id = pledge("add", path), "n-1"
    else:
        done, id = pledge("import", _signed_list(tmp_path), "--scans", tmp_path), "W-1"
    assert pledge("withdraw-draft", id, *_WHY).status == 2
    words = _printed(done, "withdraw-signed")
    done = pledge(*words)
    assert (done.status, "its id can be used again" in done.out) == (0, True), done.err
    document = register.get(id).document
    assert is_withdrawn(document)
    assert "renews" not in document
    known = register.get(id)
    assert state(known, TODAY, renewed=False) == "draft" or document["ended"]["reason"] == "WHY"
    if way == "renew":
        assert pledge("renew", "o-1", "n-2", *scans).status == 0
    if way == "import":
        # under the right id, with the same scans; and under the same one
        text = (tmp_path / "rows.csv").read_text("utf-8")
        (tmp_path / "rows.csv").write_text(text.replace("W-1", "W-2"), "utf-8")
        assert pledge("import", tmp_path / "rows.csv", "--scans", tmp_path).status == 0
        (tmp_path / "rows.csv").write_text(text, "utf-8")
        assert pledge("import", tmp_path / "rows.csv", "--scans", tmp_path).status == 0
        assert len(register.get("W-1").document["taken_back"]) == 1


def _signed_list(tmp_path: Path, more: str = "", values: str = "") -> Path:
    for name in ("r.pdf", "p.pdf"):
        (tmp_path / name).write_bytes(name.encode())
    head = f"{_HEAD},签署日期,责任书,承诺书,主机{more}"
    path = tmp_path / "rows.csv"
    path.write_text(f"{head}\n{_ROW},2026-11-20,r.pdf,p.pdf,w-01{values}\n", "utf-8")
    return path


_CHANGES = {
    "ended": (",合同解除日期,合同解除原因,合同解除经办人", ",2026-11-25,误,王安"),
    "grade": (",标题", ",另一个"),
}


@pytest.mark.parametrize("kind", [*_CHANGES, "signed"])
def test_what_a_list_changed_is_taken_back_as_printed(
    register: Register, pledge: Pledge, tmp_path: Path, kind: str
) -> None:
    if kind == "signed":
        path = tmp_path / "draft.csv"
        path.write_text(f"{_HEAD}\n{_ROW}\n", "utf-8")
        assert pledge("import", path).status == 0
    else:
        done = pledge("import", _signed_list(tmp_path), "--scans", tmp_path)
        assert done.status == 0, done.err
    before = dict(register.get("W-1").document)
    rows = _signed_list(tmp_path, *_CHANGES.get(kind, ()))
    done = pledge("import", rows, "--scans", tmp_path, "--update")
    words = _printed(done, "revert")
    assert dict(register.get("W-1").document) != before
    done = pledge(*words)
    assert (done.status, "1 record(s) went back" in done.out) == (0, True), done.err
    after = dict(register.get("W-1").document)
    told = after.pop("taken_back", [])
    assert after == before
    assert bool(told) is (kind != "grade")


def test_an_end_is_not_taken_back_without_a_reason(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    register.add(made(id="a-1"))
    ended = {"date": "2026-11-24", "reason": "x", "by": "y"}
    register.add(made(id="a-1", ended=ended), update=True)
    done = pledge("revert", "a-1", "--to", 1)
    assert (done.status, "a-1: not taken back: the end" in done.err) == (1, True), done.err
    assert "--reason WHY --by NAME" in done.err
    assert pledge("revert", "a-1", "--to", 1, "--reason", "x").status == 2
    assert pledge("revert", "a-1", "--to", 1, "--field", "ended", *_WHY).status == 0
    assert "ended" not in register.get("a-1").document
    assert pledge("revert", "--all", "--before", "2026-01-01", *_WHY).status == 2


def test_a_true_pledge_is_not_hidden(register: Register, pledge: Pledge, tmp_path: Path) -> None:
    for id in ("a-1", "b-1", "c-1"):
        register.add(made(id=id))
    check(register, "a-1", Signer(tmp_path / "s"), captured("weak"), datetime.now(UTC))
    register.add(made(id="b-2", renews="b-1"))
    for id, said in (("a-1", "evidence rests on it: 1"), ("b-1", "b-2 continues it")):
        ended = pledge("withdraw-signed", id, *_WHY)
        assert (ended.status, said in ended.err) == (2, True), ended.err
    ended = pledge("withdraw-signed", "c-1", "a-1", *_WHY)
    assert (ended.status, "draft" in register.get("c-1").document) == (2, False), ended.err
    # what was attached wrongly too is void first
    assert pledge("void", "a-1", 1, *_WHY).status == 0
    found = answer(pledge("withdraw-signed", "a-1", *_WHY, "--format", "json").out)
    assert found["withdrawn"] == [{"id": "a-1", "version": 3, "ended": True}]
    assert register.every_evidence("a-1")


def test_no_file_makes_a_draft_of_it(register: Register, pledge: Pledge, tmp_path: Path) -> None:
    register.add(made(id="a-1"))
    path = tmp_path / "n.json"
    path.write_bytes(made(id="a-1", draft=True, documents=[]).canonical())
    ended = pledge("add", "--update", path)
    assert (ended.status, "no file makes a draft of it" in ended.err) == (2, True)
    path.write_bytes(made(id="a-1").canonical())
    assert "version 1" in (said := pledge("add", "--update", path).out)
    assert "as it was" in said
