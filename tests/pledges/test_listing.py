"""Which records of a register are listed: by state, verdict, end, owner and words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from collector.pledges.database.rows import Evidence
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.listing import Listed, Wanted
from collector.pledges.standing.renewals import by_history
from collector.pledges.status import briefs
from collector.scope import Part, Scope
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import made

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
TODAY = date(2026, 6, 1)


def _listed(id: str = "a-1", evidence: tuple[Evidence, ...] = (), **changes: Any) -> Listed:
    brief = briefs.of(made(id=id, **changes), NOW + timedelta(days=30))
    return listing.listed([brief], {id: evidence}, NOW, timedelta(days=30), {})[0]


def _period(until: str) -> dict[str, str]:
    return {"from": "2025-06-10", "until": until}


@pytest.mark.parametrize(
    ("until", "within", "shown"),
    [
        ("2026-06-01", 0, True),
        ("2026-06-30", 29, True),
        ("2026-07-01", 29, False),
        ("2026-05-20", 30, True),  # it ran out already, and nobody renewed it
    ],
)
def test_expiring(until: str, within: int, shown: bool) -> None:
    one = _listed(period=_period(until))
    assert Wanted(expiring=timedelta(days=within)).holds(one, TODAY) is shown


def test_what_has_no_period_does_not_expire() -> None:
    one = _listed(period=None)
    assert (one.state, one.until) == ("active", "")
    assert not Wanted(expiring=timedelta(days=3000)).holds(one, TODAY)


def test_what_has_ended_or_was_renewed_does_not_expire() -> None:
    old = briefs.of(made(id="a-1", period=_period("2026-05-20")), NOW)
    new = briefs.of(made(id="a-2", period=_period("2027-05-20"), renews="a-1"), NOW)
    rows = listing.listed([old, new], {}, NOW, timedelta(), {})
    assert [one.state for one in rows] == ["ended", "active"]
    assert not any(Wanted(expiring=timedelta(days=30)).holds(one, TODAY) for one in rows)


def test_state_grade_and_words() -> None:
    one = _listed(grade=3, resources={"hosts": ["Web-01", "数据库一号"]})
    for wanted, shown in (
        (Wanted(states=frozenset({"active"})), True),
        (Wanted(states=frozenset({"draft", "lapsed"})), False),
        (Wanted(grades=frozenset({3})), True),
        (Wanted(grades=frozenset({2})), False),
        (Wanted(search="web-0"), True),
        (Wanted(search="一号"), True),
        (Wanted(search=one.record.customer[2:5]), True),
        (Wanted(search="nobody"), False),
        (Wanted(grades=frozenset({3}), search="nobody"), False),
    ):
        assert wanted.holds(one, TODAY) is shown, wanted


def test_without_evidence_no_clause_is_kept() -> None:
    one = _listed()
    assert one.verdict("2.3") == "none"
    assert Wanted(clauses={"2.3": None}).holds(one, TODAY)
    assert Wanted(clauses={"2.3": frozenset({"none"})}).holds(one, TODAY)
    assert not Wanted(clauses={"2.3": frozenset({"fail"})}).holds(one, TODAY)


def test_who_sees_to_it() -> None:
    entry = {
        "control": "logging.persistent",
        "host": "web-01",
        "owner": "李四",
        "due": "2026-07-01",
    }
    one = _listed(follow_ups=[entry])
    assert Wanted(owner="李四").holds(one, TODAY)
    assert not Wanted(owner="李").holds(one, TODAY)


def test_a_part_of_a_clause_is_no_proof() -> None:
    """As the table has it: the same verdict, for programs."""
    scope = Scope(2, dict.fromkeys(listing.CLAUSES, Part(9, 9)))
    verdicts = {"2.2": "pass", "2.3": "fail", "2.4": "pass"}
    whole = Evidence("a-1", 1, "0" * 64, None, NOW, NOW, NOW, verdicts, Path("x"), scope)
    part = replace(whole, scope=replace(scope, clauses={**scope.clauses, "2.4": Part(8, 9)}))
    assert _listed(evidence=(part,), grade=2).verdict("2.4") == "error"
    one = _listed(evidence=(whole,), grade=2)
    assert [one.verdict(n) for n in listing.CLAUSES] == ["pass", "fail", "pass"]
    above = _listed(evidence=(whole,), grade=3)
    assert [above.verdict(n) for n in listing.CLAUSES] == ["error", "fail", "error"]
    unknown = _listed(evidence=(replace(whole, scope=None),), grade=2)
    assert unknown.verdict("2.2") == "error"
    assert Wanted(clauses={"2.3": None}).holds(one, TODAY)
    assert not Wanted(clauses={"2.2": None}).holds(one, TODAY)


def test_order_and_summary() -> None:
    rows = [
        _listed("b-2", period=_period("2026-06-20"), grade=2),
        _listed("a-3", draft=True, grade=2),
        _listed("c-1", period=_period("2026-08-01"), grade=3),
    ]
    for by, ids in (
        ("id", ["a-3", "b-2", "c-1"]),
        ("until", ["b-2", "c-1", "a-3"]),
        ("grade", ["c-1", "a-3", "b-2"]),
    ):
        assert [one.record.id for one in listing.ordered(rows, by)][: len(ids)] == ids, by
    found = listing.summary(rows, NOW)
    assert found["pledges"] == 3
    assert sum(found["states"].values()) == 3
    # a draft owes nothing
    assert (found["owed"], found["without_evidence"]) == (2, 2)
    assert found["clauses"]["2.2"] == {"none": 2}
    assert {grade: of["pledges"] for grade, of in found["grades"].items()} == {"3": 1, "2": 1}
    assert found["grades"]["2"]["clauses"]["2.3"] == {"none": 1}


def test_old_evidence_alone() -> None:
    """Not what was never looked at, which `due` has among it."""
    old = Wanted(older=timedelta(days=90))
    assert not old.holds(_listed(), TODAY)
    for days, shown in ((89, False), (90, False), (91, True)):
        at = NOW - timedelta(days=days)
        row = Evidence("a-1", 1, "0" * 64, None, at, at, at, {}, Path("/none"))
        assert old.holds(_listed(evidence=(row,)), TODAY) is shown, days


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def pledge(tmp_path: Path) -> Callable[..., Ended]:
    """A register of two customers."""
    home = tmp_path / "home"
    for name, customer in (("one-1", "杭州甲公司"), ("two-2", "=cmd|' /C calc'!A0")):
        document = dict(made(id=name).document)
        document["customer"] = {**document["customer"], "name": customer}
        file = tmp_path / f"{name}.yml"
        file.write_text(json.dumps(document, default=str))
        added = hostpledge("pledge", "add", str(file), home=home)
        assert added.status == 0, added.err

    def run(*args: str, **env: str) -> Ended:
        return hostpledge("pledge", "list", *args, home=home, **env)

    return run


def test_csv_is_for_excel_and_its_words_never_change(
    pledge: Callable[..., Ended], tmp_path: Path
) -> None:
    for lang in ("zh", "en"):
        ran = pledge("--format", "csv", "--lang", lang, "-o", str(tmp_path / "l.csv"))
        assert ran.status == 0, ran.err
        raw = (tmp_path / "l.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbfid,customer,grade,state,until,hosts,evidence,")
        rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
        assert [row["id"] for row in rows] == ["one-1", "two-2"]
        assert rows[1]["customer"] == "'=cmd|' /C calc'!A0"
        assert {row["clause_2.3"] for row in rows} == {"none"}


def test_who_asks_for_ends_is_told_them(pledge: Callable[..., Ended]) -> None:
    """What is over is marked, as it stands among those that are to end."""
    end = str(made().document["period"]["until"])
    for words in (("--expiring", "3000d"), ("--sort", "until")):
        shown = pledge(*words, "--lang", "en").out
        assert "until" in shown.splitlines()[0]
        assert shown.count(end) == 2
        assert "collected" not in shown
        assert max(map(len, shown.splitlines())) <= 80
    assert "until" not in pledge("--lang", "en").out.splitlines()[0]


def test_a_workbook_goes_to_a_file(pledge: Callable[..., Ended], tmp_path: Path) -> None:
    ran = pledge("--format", "xlsx")
    assert (ran.status, ran.out) == (2, "")
    assert "add -o FILE.xlsx" in ran.err
    place = tmp_path / "l.xlsx"
    assert pledge("--format", "xlsx", "-o", str(place), "--lang", "zh").status == 0
    sheet = openpyxl.load_workbook(place).active
    assert [cell.value for cell in sheet[1]][:3] == ["编号", "用户名称", "等级"]
    assert sheet["A2"].value == "one-1"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--clause", "2.9"), "--clause: no clause that is checked on hosts: 2.9"),
        (("--clause", "2.3=good"), "--clause: no such verdict: good"),
        (("--expiring", "soon"), "--expiring: no length of time: soon"),
        (("--due-within", "1y"), "--due-within: no length of time: 1y"),
    ],
)
def test_what_cannot_be_asked_for(
    pledge: Callable[..., Ended], args: tuple[str, ...], says: str
) -> None:
    ran = pledge(*args)
    assert ran.status == 2
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_none_and_how_many_there_are(pledge: Callable[..., Ended]) -> None:
    assert pledge("--search", "nobody").out == "none of 2 pledge records is so\n"
    assert answer(pledge("--search", "nobody", "--format", "json").out) == {"pledges": []}
    summed = json.loads(pledge("--summary", "--format", "json").out)["summary"]
    assert (summed["pledges"], summed["without_evidence"]) == (2, 2)
    assert "2 份" in pledge("--summary", "--lang", "zh").out
    assert "杭州甲公司" in pledge("--clause", "二(三)").out


def test_what_falls_due_by_kind(pledge: Callable[..., Ended], tmp_path: Path) -> None:
    home = tmp_path / "home"

    def due(*args: str) -> Ended:
        return hostpledge("pledge", "due", "--within", "4000d", *args, home=home)

    every = json.loads(due("--format", "json").out)["due"]
    kinds = {entry["kind"] for entry in every}
    assert {"period_end", "evidence"} <= kinds
    ran = due("--kind", "period_end", "--kind", "evidence", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out.removeprefix("\ufeff"))))
    assert {row["kind"] for row in rows} == {"period_end", "evidence"}
    assert len(rows) == sum(e["kind"] in ("period_end", "evidence") for e in every)
    late = json.loads(due("--overdue", "--format", "json").out)["due"]
    assert [e for e in every if e["overdue"]] == late
    summed = json.loads(due("--summary", "--format", "json").out)["summary"]["kinds"]
    assert sum(entry["due"] for entry in summed.values()) == len(every)
    assert due("--kind", "birthday").status == 2


def _history(*asked: str) -> list[tuple[str, bool]]:
    """What is shown of a-25 ← a-26 ← a-27 (a draft), of b-26, which continues what is not here, and

    of two that name each other.
    """
    every = [
        _listed("a-25", period=_period("2025-12-31")),
        _listed("a-26", period=_period("2026-12-31"), renews="a-25"),
        _listed("a-27", period=_period("2027-12-31"), renews="a-26", draft=True, documents=[]),
        _listed("b-26", renews="b-25"),
        _listed("x-1", renews="x-2"),
        _listed("x-2", renews="x-1"),
    ]
    rows = [one for one in every if one.record.id in asked]
    return [(one.record.id, old) for one, old in by_history(rows, every)]


def test_old_and_new_stand_together() -> None:
    whole = [("a-27", False), ("a-26", True), ("a-25", True)]
    for asked in (("a-25",), ("a-26",), ("a-27",), ("a-25", "a-26", "a-27")):
        assert _history(*asked) == whole, asked
    assert _history("b-26", "a-26") == [*whole, ("b-26", False)]
    assert [id for id, _ in _history("x-1")] == ["x-2", "x-1"]


def test_a_renewed_pledge_is_told_from_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    old = {"from": "2024-01-01", "until": "2024-12-31"}
    now = {"from": "2025-01-01", "until": "2099-12-31"}
    register.add(made(id="yun-2024", period=old))
    register.add(made(id="yun-2025", period=now, renews="yun-2024"))
    register.add(made(id="else", period=now))

    def listed(*words: object) -> str:
        words = ("pledge", "list", *words, "--register", place, "--lang", "en")
        ended = hostpledge(*words, home=tmp_path)
        assert ended.status == 0, ended.err
        return ended.out

    lines = listed("--state", "active", "--search", "yun", "--history").splitlines()
    assert [line.split()[:2] for line in lines if "yun-" in line.split("  ")[0]] == [
        ["yun-2025", lines[1].split()[1]], ["└", "yun-2024"]
    ]  # fmt: skip
    assert "continued by" in lines[0]
    assert max(map(len, lines)) <= 80
    told = {one["id"]: one for one in answer(listed("--format", "json"))["pledges"]}
    assert (told["yun-2024"]["continued_by"], told["yun-2024"]["renews"]) == (["yun-2025"], None)
    assert (told["yun-2025"]["continued_by"], told["yun-2025"]["renews"]) == ([], "yun-2024")
    shown = listed("--search", "yun-2025", "--history", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.removeprefix("\ufeff"))))
    assert [(row["id"], row["state"], row["continued_by"]) for row in rows] == [
        ("yun-2025", "active", ""), ("yun-2024", "ended", "yun-2025")
    ]  # fmt: skip
    # without it nothing is another than it was
    assert "continued" not in listed().splitlines()[0]
    refused = hostpledge("pledge", "list", "--history", "--summary", "--register", place,
                         home=tmp_path)  # fmt: skip
    assert refused.status == 2


def test_what_falls_due_is_a_day_and_none_is_none(tmp_path: Path) -> None:
    """The list counted to the hour, `due` to the end of the day; and `0d` was thirty days."""
    place = tmp_path / "r"
    place.mkdir()
    today = datetime.now(UTC).astimezone(CHINA).date()
    register = Register.open(str(place))
    for days in (0, 5):
        until = (today + timedelta(days=days)).isoformat()
        period = {"from": "2026-01-10", "until": until}
        register.add(made(id=f"in-{days}", period=period))
    for within, named in (("0d", {"in-0"}), ("4d", {"in-0"}), ("5d", {"in-0", "in-5"})):
        more = ("--format", "json", "--register", place, "--lang", "en")
        due = hostpledge("pledge", "due", "--within", within, *more, home=tmp_path)
        ends = {one["pledge"] for one in answer(due.out)["due"] if one["kind"] == "period_end"}
        listed = hostpledge("pledge", "list", "--due-within", within, *more, home=tmp_path)
        rows = answer(listed.out)["pledges"]
        told = {one["id"] for one in rows if "period_end" in {kind for kind, *_ in one["due"]}}
        assert ends == told == named, within
