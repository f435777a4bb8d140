"""What is asked of all customers at once: what changed, what somebody has to do, what is nobody's.

Each is one command, for people and for programs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import openpyxl
import pytest

from collector.model import Result
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.changed import compared
from collector.pledges.status.findings import lives
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import CONTROLS, captured, check
from tests.pledges.records import made
from tests.pledges.test_findings import DISK, HASH, bundle, day
from tests.pledges.test_follow_ups import another

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
STATE = "monitoring.state"
# of the last two the captures say nothing: they are open
MORE = (*CONTROLS, STATE, "logging.remote_copy")
Run = Callable[..., Ended]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """Two pledges with weakly hashed passwords, and one that nobody looked at."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    signer = Signer(tmp_path / "made")
    for id, taken in (("one-1", captured("weak")), ("two-2", another(captured("weak")))):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
        check(register, id, signer, taken, NOW - timedelta(days=2), controls=MORE)
    register.add(made(id="mute-3", resources={"hosts": ["web-03"]}))
    return register


@pytest.fixture
def run(tmp_path: Path, register: Register) -> Run:
    del register

    def pledge(*words: object, **more: str) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path, **more)

    return pledge


def _in(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def _rows(ended: Ended) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ended.out.lstrip("\ufeff"))))


def test_what_a_person_has_to_do_in_the_next_days_is_one_command(run: Run) -> None:
    for id, owner, due in (("one-1", "李工", _in(3)), ("two-2", "李工", _in(30))):
        assert run("assign", id, HASH, "web-01", "--owner", owner, "--due", due).status == 0
    assert run("assign", "two-2", STATE, "web-01", "--owner", "王工", "--due", _in(2)).status == 0

    def found(*words: str) -> list[tuple[str, str]]:
        told = answer(run("findings", *words, "--format", "json").out)["findings"]
        return sorted((one["pledge"], one["control"]) for one in told)

    assert found("--owner", "李工", "--within", "7d") == [("one-1", HASH)]
    assert found("--owner", "李工", "--within", _in(30)) == [("one-1", HASH), ("two-2", HASH)]
    # of everybody; what has no day is not among them
    assert found("--within", "7d") == [("one-1", HASH), ("two-2", STATE)]
    assert "李工" in run("findings", "--owner", "李工", "--within", "7d", "--format", "csv").out
    assert run("findings", "--within", "7x").status == 2
    # a deadline is told with its owner, and by its owner alone
    entries = answer(run("due", "--owner", "李工", "--within", "60d", "--format", "json").out)[
        "due"
    ]
    assert [(one["pledge"], one["kind"], one["owner"]) for one in entries] == [
        ("one-1", "finding", "李工"),
        ("two-2", "finding", "李工"),
    ]
    every = answer(run("due", "--within", "60d", "--format", "json").out)["due"]
    assert {one["owner"] for one in every} == {None, "李工", "王工"}
    rows = _rows(run("due", "--owner", "王工", "--format", "csv"))
    assert [(row["id"], row["owner"]) for row in rows] == [("two-2", "王工")]
    ended = run("due", "--owner", "李公")
    assert ended.status == 2
    assert "李工" in ended.err


def test_which_customers_have_findings_of_nobody_is_one_command(
    run: Run, register: Register, tmp_path: Path
) -> None:
    assert run("assign", "one-1", HASH, "web-01", "--owner", "李工").status == 0
    told = answer(run("list", "--unowned", "--format", "json").out)["pledges"]
    counts = {one["id"]: (one["findings"]["open"], one["findings"]["unowned"]) for one in told}
    single = answer(run("findings", "one-1", "--state", "open", "--format", "json").out)["findings"]
    assert counts["one-1"] == (len(single), len(single) - 1)
    assert counts["two-2"] == (len(single), len(single))
    assert "mute-3" not in counts, "nothing is known of it, and nothing open"
    rows = _rows(run("list", "--unowned", "--format", "csv"))
    assert {row["id"]: (int(row["open"]), int(row["unowned"])) for row in rows} == counts
    shown = run("list", "--unowned", "--lang", "zh").out
    assert f"全部 {len(single)} 项" in shown
    assert f"{len(single)} 项中 {len(single) - 1} 项" in shown
    assert f"2 份登记，{2 * len(single) - 1} 项" in shown
    file = tmp_path / "nobody.xlsx"
    assert run("list", "--unowned", "--format", "xlsx", "-o", file).status == 0
    assert openpyxl.load_workbook(file).active.max_row == 3
    # what is somebody's is not in it
    assert run("assign", "--pledge", "two-2", "--owner", "王工").status == 0
    assert "two-2" not in run("list", "--unowned").out
    for other in ("--veto", "--absent", "--history"):
        assert run("list", "--unowned", other).status == 2
    # what cannot be read is told, and the others go on
    (row,) = register.evidence("one-1")
    (row.path / "data" / "evidence.json").unlink()
    ended = run("list", "--unowned")
    assert ended.status == 2
    assert "one-1" in ended.err


def test_what_changed_since_a_day_is_one_command(
    run: Run, register: Register, tmp_path: Path
) -> None:
    told = answer(run("history", "--since", _in(-5), "--format", "json").out)["pledges"]
    assert [one["pledge"] for one in told] == ["one-1", "two-2", "mute-3"], "the worse ones first"
    assert all(one["first"] for one in told)
    # all of that was before
    start = datetime.now(UTC)
    signer = Signer(tmp_path / "again")
    check(register, "one-1", signer, captured("hardened"), NOW - timedelta(hours=1))
    blind = captured("weak")
    reads = {id: read for id, read in blind.reads.items() if id != "accounts.shadow"}
    blind = another(replace(blind, reads=MappingProxyType(reads)))
    check(register, "two-2", signer, blind, NOW - timedelta(hours=1))
    from collector.pledges.standing.changed import changed

    found = {id: changed(register, id, start, datetime.now(UTC)) for id in ("one-1", "two-2")}
    assert changed(register, "mute-3", start, datetime.now(UTC)) is None
    one, two = found["one-1"], found["two-2"]
    assert one is not None
    assert two is not None
    assert HASH in {life.control for life in one.findings.closed}
    assert one.begun
    assert [each.sequence for each in one.evidence] == [2]
    assert one.findings.then - len(one.findings.closed) + len(one.findings.opened) == (
        one.findings.now
    )
    # a failure that cannot be looked at any more: no better, and no worse is made of it
    assert HASH in {life.control for life in two.findings.better}
    assert two.findings.better[0].verdict is Result.ERROR


def test_each_form_says_the_same_of_what_changed(run: Run, tmp_path: Path) -> None:
    since = _in(-5)
    rows = _rows(run("history", "--since", since, "--format", "csv"))
    told = answer(run("history", "--since", since, "--format", "json").out)["pledges"]
    assert [
        (row["id"], int(row["opened"]), int(row["open_now"]), row["clause_2.4_now"]) for row in rows
    ] == [
        (
            one["pledge"],
            len(one["findings"]["opened"]),
            one["findings"]["open_now"],
            one["clauses"].get("2.4", {"now": "none"})["now"],
        )
        for one in told
    ]
    shown = run("history", "--since", since, "--lang", "zh").out
    # none of them had been looked at before
    assert "3 份登记有变化，其中 0 份变差（--worse 只列它们），2 份为首次核查即有问题" in shown
    assert "首次登记" in shown
    for words in (("--since", since), ("one-1",)):
        file = tmp_path / f"{len(words)}.xlsx"
        assert run("history", *words, "--format", "xlsx", "-o", file).status == 0
        assert openpyxl.load_workbook(file).active.max_row > 1
    assert "nothing changed since" in run("history", "--since", _in(3)).out
    ended = run("history")
    assert ended.status == 2
    assert "--since" in ended.err


def test_a_pledge_that_cannot_be_read_does_not_hide_the_others(
    run: Run, register: Register
) -> None:
    (row,) = register.evidence("one-1")
    (row.path / "data" / "evidence.json").unlink()
    ended = run("history", "--since", _in(-5), "--format", "json")
    assert ended.status == 2
    assert "one-1" in ended.err
    assert [one["pledge"] for one in answer(ended.out)["pledges"]] == ["two-2", "mute-3"]


def test_findings_are_compared_by_what_they_are_now() -> None:
    looks = [
        bundle(1, {"a": {HASH: "partial", DISK: "fail"}, "b": {HASH: "fail"}, "c": {HASH: "fail"}}),
        bundle(2, {"a": {HASH: "fail", DISK: "partial"}, "b": {HASH: "pass", DISK: "fail"}}),
    ]
    plain = made()
    waiver = {"control": HASH, "host": "c", "reason": "x", "approver": "y", "expires": "2026-12-31"}
    then = lives(plain, looks[:1], day(1))
    found = compared(then, lives(made(waivers=[waiver]), looks, day(3)))

    def keys(some: object) -> list[tuple[str, str]]:
        return [(life.control, life.host) for life in some]  # type: ignore[attr-defined]

    assert keys(found.worse) == [(HASH, "a")]
    assert keys(found.better) == [(DISK, "a")]
    assert keys(found.opened) == [(DISK, "b")]
    assert keys(found.closed) == [(HASH, "b")]
    assert keys(found.waived) == [(HASH, "c")]
    assert (found.then, found.now) == (4, 3)
    # a waiver that ended since opens it again, and nobody attached anything
    ended = compared(lives(made(waivers=[waiver]), looks, day(3)), lives(plain, looks, day(3)))
    assert keys(ended.opened) == [(HASH, "c")]
