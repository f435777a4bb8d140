"""An update changes what its list has a column for; `--check` and the run say the same."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.lists import reading
from collector.pledges.lists.places import MAIN, SIGNED, tables
from collector.pledges.record import form
from collector.pledges.record.changes import following
from collector.pledges.record.differences import changes
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.filled import cell_of, held_at
from tests.pledges.records import EXAMPLE, TODAY, WHOLE, made

Pledge = Callable[..., Ended]
_HEAD = ["编号", "用户名称", "统一社会信用代码", "等保级别", "到期日期", "生效日期", "主机"]
_ROW = ["W-1", "甲", "91330106MA0DEM2670", "三级", "2027-01-09", "2026-01-10", "web-01、db-01"]
_RECORDS = {"unit": EXAMPLE, "every field": WHOLE}


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object, lang: str = "en") -> Ended:
        place = tmp_path / "r.sqlite"
        return hostpledge("pledge", *words, "--register", place, "--lang", lang, home=tmp_path)

    return run


def _list(folder: Path, *rows: Sequence[str]) -> Path:
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)
    return path


def _columns(record: PledgeRecord) -> Mapping[str, str]:
    """By heading what a list has of the record, but for its papers, which are cells of others."""
    return {
        column.names[0]: str(cell_of(value, "zh") if value is not None else "")
        for field, column in tables()[MAIN].columns.items()
        if (value := held_at(record.document, field)) is not None
        and not field.startswith(f"{SIGNED}.")
        and field not in ("data_inventory", "event_ledger")
    }


def _updated(folder: Path, record: PledgeRecord, row: Mapping[str, str]) -> Any:
    """The record after an update by that row; None where the row is refused."""
    path = _list(folder, list(row), list(row.values()))
    found = reading.read(path, today=TODAY, known={record.id: record})
    if found.faults:
        return None
    (new,) = found.records
    return following(record, new, update=True, keep=(), told=found.told).document


@pytest.mark.parametrize("which", _RECORDS)
def test_a_column_that_is_not_there_takes_nothing_away(tmp_path: Path, which: str) -> None:
    record = form.load(_RECORDS[which], today=TODAY)
    every = _columns(record)
    bare = {name: every[name] for name in ("编号", "用户名称")}
    assert _updated(tmp_path, record, bare) == record.document
    for name, text in every.items():
        assert _updated(tmp_path, record, {**bare, name: text}) == record.document, name


@pytest.mark.parametrize("which", _RECORDS)
def test_an_empty_cell_takes_away_its_own_field_or_is_refused(tmp_path: Path, which: str) -> None:
    record = form.load(_RECORDS[which], today=TODAY)
    every = _columns(record)
    bare = {name: every[name] for name in ("编号", "用户名称")}
    fields = {column.names[0]: field for field, column in tables()[MAIN].columns.items()}
    gone = dict[str, list[str]]()
    for name in every.keys() - bare.keys():
        after = _updated(tmp_path, record, {**bare, name: ""})
        if after is not None:
            gone[name] = [one.field for one in changes(record.document, after)]
            # what nobody wrote lowers no grade, and makes no unit a person
            assert gone[name] in ([fields[name]], [f"{fields[name]}.by"], []), name
    assert gone["等保级别"] == []
    assert gone["到期日期"] == ["period.until"] if "到期日期" in gone else True
    assert sum(map(bool, gone.values())) > 5


def test_a_sheet_that_is_not_there_takes_no_entry_away(tmp_path: Path) -> None:
    record = form.load(WHOLE, today=TODAY)
    path = _list(tmp_path, ["编号", "用户名称"], [record.id, record.customer])
    # of training the date alone is told otherwise than it is called; who was there is not told
    (first,) = record.document["training"]
    row = [record.id, first["title"], first["date"], first["by"]]
    beside = _list(tmp_path, ["登记编号", "培训名称", "培训日期", "主讲人"], row)
    beside.rename(tmp_path / "list.培训.csv")
    _list(tmp_path, ["编号", "用户名称"], [record.id, record.customer])
    found = reading.read(path, today=TODAY, known={record.id: record})
    assert not found.faults
    assert found.records[0].document == record.document


def test_an_update_of_phones_leaves_the_rest(tmp_path: Path, pledge: Pledge) -> None:
    assert pledge("import", _list(tmp_path, _HEAD, _ROW)).status == 0
    register = Register.open(str(tmp_path / "r.sqlite"))
    before = register.get("W-1").document
    head = ["编号", "用户名称", "安全联系人", "联系电话"]
    path = _list(tmp_path, head, ["W-1", "甲", "林示例", "13800000001"])
    check = pledge("import", path, "--update", "--check")
    assert (check.status, "1 changed" in check.out) == (0, True), check.err
    done = pledge("import", path, "--update")
    assert (done.status, done.err) == (0, "")
    contact = {"name": "林示例", "phone": "13800000001"}
    assert register.get("W-1").document == {**before, "safety_contact": contact}
    assert register.get("W-1").grade == 3


def test_what_empty_cells_take_away_is_told_when_it_is_done(tmp_path: Path, pledge: Pledge) -> None:
    assert pledge("import", _list(tmp_path, _HEAD, _ROW)).status == 0
    path = _list(tmp_path, _HEAD, [*_ROW[:3], "", "", "", ""])
    lost = [{"id": "W-1", "fields": ["period.from", "period.until", "resources.hosts"]}]
    for words in (("--check",), ()):
        told = pledge("import", path, "--update", *words, lang="zh")
        assert "1 份登记因而不再有：\n  W-1  生效日期、到期日期、主机" in told.err, words
        again = pledge("import", path, "--update", "--check", "--format", "json")
        assert answer(again.out)["lost"] == (lost if words else [])
    assert Register.open(str(tmp_path / "r.sqlite")).get("W-1").grade == 3


def test_what_was_changed_since_the_list_was_read_stays(tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"))
    old = made(id="W-1", title="old")
    register.add(old)
    path = _list(tmp_path, ["编号", "用户名称"], ["W-1", old.customer])
    found = reading.read(path, today=TODAY, known={"W-1": old})
    register.add(made(id="W-1", title="of somebody else"), update=True)
    register.add_all(found.records, update=True, told=found.told)
    assert register.get("W-1").document["title"] == "of somebody else"


def _trail(tmp_path: Path, pledge: Pledge) -> None:
    """A draft that was signed by mistake, which stays told."""
    assert pledge("import", _list(tmp_path, _HEAD, _ROW)).status == 0
    papers = []
    for name in ("responsibility", "pledge"):
        (tmp_path / f"{name}.pdf").write_bytes(b"%PDF " + name.encode())
        papers += [f"--{name}", tmp_path / f"{name}.pdf"]
    assert pledge("sign", "W-1", *papers, "--signed-on", "2026-11-20").status == 0
    why = ("--reason", "签错了", "--by", "王安")
    assert pledge("withdraw-signed", "W-1", *why).status == 0


def test_a_check_says_what_the_run_does_of_what_was_taken_back(
    tmp_path: Path, pledge: Pledge
) -> None:
    _trail(tmp_path, pledge)
    register = Register.open(str(tmp_path / "r.sqlite"))
    before = register.get("W-1").document
    assert before["taken_back"]
    path = _list(tmp_path, _HEAD, _ROW)
    assert "0 changed, 1 as they were" in pledge("import", path, "--update", "--check").out
    assert "1 as they were" in pledge("import", path, "--update").out
    assert register.get("W-1").document == before


def test_a_check_of_an_id_that_is_free_again_says_what_the_run_does(
    tmp_path: Path, pledge: Pledge
) -> None:
    assert pledge("import", _list(tmp_path, _HEAD, _ROW)).status == 0
    assert pledge("withdraw-draft", "W-1", "--reason", "重复", "--by", "王安").status == 0
    path = _list(tmp_path, _HEAD, _ROW)
    check = answer(pledge("import", path, "--check", "--format", "json").out)
    assert [one["field"] for one in check["differences"][0]["changes"]] == [
        *("ended.by", "ended.date", "ended.reason")
    ]
    assert pledge("import", path).status == 0
    assert "ended" not in Register.open(str(tmp_path / "r.sqlite")).get("W-1").document
    assert pledge("withdraw-draft", "W-1", "--reason", "重复", "--by", "王安").status == 0
    other = _list(tmp_path, _HEAD, ["W-1", "乙", "91330106MA0DEM2696", *_ROW[3:]])
    for words in (("--check",), ()):
        refused = pledge("import", other, *words)
        assert (refused.status, "W-1" in refused.err) == (2, True), words


def test_who_signed_a_draft_is_told_as_not_taken(tmp_path: Path, pledge: Pledge) -> None:
    head = [*_HEAD, "签署人", "已盖章"]
    rows = [[*_ROW, "陈示例", "是"], ["W-2", *_ROW[1:], "", ""]]
    for words in (("--check",), ()):
        done = pledge("import", _list(tmp_path, head, *rows), *words, lang="zh")
        assert done.status == 0
        assert "“签署人”列有 1 行未取用" in done.err, words
        assert "“已盖章”列有 1 行未取用" in done.err, words
        assert "--representative" in done.err, words
    (tmp_path / "scans").mkdir()
    for name in ("责任书", "承诺书"):
        (tmp_path / "scans" / f"W-1-{name}.pdf").write_bytes(b"%PDF" + name.encode())
    path = _list(tmp_path, [*head, "签署日期"], [*rows[0], "2026-11-20"])
    done = pledge("import", path, "--update", "--scans", tmp_path / "scans", lang="zh")
    assert (done.status, "未取用" in done.err) == (0, False), done.err
    register = Register.open(str(tmp_path / "r.sqlite"))
    before = register.get("W-1").document
    assert [one["representative"] for one in before["documents"]] == ["陈示例"] * 2
    # a list that has no column for it leaves it as it is
    short = _list(tmp_path, ["编号", "用户名称", "签署日期"], ["W-1", "甲", "2026-11-20"])
    done = pledge("import", short, "--update", "--scans", tmp_path / "scans")
    assert (done.status, register.get("W-1").document) == (0, before), done.err
