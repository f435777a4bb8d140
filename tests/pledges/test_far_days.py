"""1926 and 2206 are typed for 2026: what cannot be is refused, what may be is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.pledges.lists.far_days import YEARS, faults, odd
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.pledges.records import TODAY, example, made

Pledge = Callable[..., Ended]
CODE = example()["customer"]["credit_code"]
HEAD = "编号,用户名称,统一社会信用代码,等保级别"
PAPER = {"type": "pledge", "version": "1", "sha256": "9" * 64, "signed_on": "1926-11-20"}
RULE = {"title": "安全管理制度", "sha256": "9" * 64, "date": "2003-05-01", "by": "王安"}


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return run


def _list(place: Path, head: str, *rows: str) -> Path:
    place.write_text("\n".join([f"{HEAD},{head}", *rows]) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"documents": [PAPER]}, "documents[0].signed_on"),
        ({"period": {"from": "1926-01-01", "until": "2027-01-01"}}, "period.from"),
        ({"period": {"from": "2206-01-01", "until": "2207-01-01"}}, "period.from"),
        (
            {"training": [{"date": "1926-03-01", "title": "x", "attendees": 3, "by": "王安"}]},
            "training[0].date",
        ),
    ],
)
def test_what_happened_under_a_pledge_is_of_some_years_around(
    changes: dict[str, object], place: str
) -> None:
    document = example(**changes)
    assert [where for where, _ in faults(document, TODAY)] == [place]
    # a record that says so already can be changed elsewhere
    assert list(faults({**document, "title": "x"}, TODAY, document)) == []


def test_what_may_be_old_or_has_no_end_is_none() -> None:
    assert (list(faults(example(), TODAY)), list(odd(example(), TODAY))) == ([], [])
    old = example(management_rules=[RULE])
    assert (list(faults(old, TODAY)), [place for place, _ in odd(old, TODAY)]) == (
        [],
        ["management_rules[0].date"],
    )
    endless = example(period={"from": "2026-01-01", "until": "2099-12-31"})
    assert (list(faults(endless, TODAY)), list(odd(endless, TODAY))) == ([], [])
    edge = TODAY.replace(year=TODAY.year - YEARS).isoformat()
    assert list(faults(example(documents=[{**PAPER, "signed_on": edge}]), TODAY)) == []


@pytest.mark.parametrize("more", [("--check",), ()])
def test_a_list_is_refused_with_row_and_column(
    pledge: Pledge, tmp_path: Path, more: tuple[str, ...]
) -> None:
    rows = [
        f"a-1,甲,{CODE},三级,2026-01-01,2027-01-01",
        f"a-2,乙,{CODE},三级,1926-01-01,2027-01-01",
    ]
    place = _list(tmp_path / "l.csv", "生效日期,到期日期", *rows)
    ended = pledge("import", place, *more, "--lang", "en")
    assert ended.status == 2
    (line,) = [line for line in ended.err.splitlines() if "1926-01-01" in line]
    assert "3" in line and "生效日期" in line
    assert f"1926-01-01 is more than {YEARS} years ago: look at the year" in line
    assert pledge("list").out.count("a-") == 0


def test_a_file_is_refused_by_its_field_and_nothing_is_made(pledge: Pledge, tmp_path: Path) -> None:
    place = tmp_path / "a.json"
    place.write_text(json.dumps(example(id="a-1", documents=[PAPER])), "utf-8")
    for ended in (pledge("add", place), hostpledge("check", place, home=tmp_path)):
        said = f"{place}: documents[0].signed_on: 1926-11-20 is more than {YEARS} years ago"
        assert (ended.status != 0, said in ended.err + ended.out) == (True, True), ended
    assert not (tmp_path / "r").exists()
    place.write_text(json.dumps(example(id="a-1", management_rules=[RULE])), "utf-8")
    ended = pledge("add", place, "--lang", "zh")
    assert ended.status == 0
    assert "请核对年份" in ended.err and "2003-05-01 距今已逾" in ended.err
    assert "请核对年份" not in pledge("add", place, "--update", "--lang", "zh").err


def test_a_record_from_before_is_changed_all_the_same(pledge: Pledge, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    register.add(made(id="a-1", documents=[PAPER], follow_ups=None))
    known = register.get("a-1").document
    file = tmp_path / "a.json"
    file.write_text(json.dumps({**known, "title": "x"}), "utf-8")
    assert pledge("add", file, "--update").status == 0
    # another slip beside it is none of what stands
    file.write_text(json.dumps({**known, "period": {**known["period"], "from": "1926-01-01"}}))
    assert pledge("add", file, "--update").status == 2
    place = _list(tmp_path / "l.csv", "联系人,联系电话", f"a-1,丙,{CODE},三级,王,13800000000")
    assert pledge("import", place, "--update").status == 0


@pytest.mark.parametrize(
    ("words", "option", "day"),
    [
        (("assign", "a-1", "D12", "*", "--owner", "李工", "--due"), "--due", "2206-12-31"),
        (("waive", "a-1", "D12", "*", "--reason", "x", "--approver", "王", "--until"), "--until",
         "2206-12-31"),
        (("notice", "a-1", "--check", "--by"), "--by", "2206-12-31"),
        (("sign", "b-1", "--pledge", "承诺书.pdf", "--signed-on"), "--signed-on", "1926-11-20"),
        (("renew", "a-1", "a-2", "--from"), "--from", "2206-01-01"),
    ],
)  # fmt: skip
def test_a_day_of_a_command_is_refused_by_its_option(
    pledge: Pledge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    option: str,
    day: str,
) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    before = register.add(made(id="a-1")).record
    register.add(made(id="b-1", draft=True, documents=[]))
    monkeypatch.chdir(tmp_path)
    Path("承诺书.pdf").write_bytes(b"%PDF")
    ended = pledge(*words, day, "--lang", "en")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert f"{option}: {day} is more than {YEARS} years" in ended.err
    assert register.get("a-1") == before
