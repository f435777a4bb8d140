"""Lists as providers keep them: read whole, or not at all."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from collector.errors import BadInput
from collector.pledges.lists import reading as lists
from collector.pledges.record import changes
from collector.pledges.register.register import Register
from tests.pledges.records import made
from tests.zip_forms import parts, two_ends

TODAY = date(2026, 11, 25)
HEAD = ["编号", "用户名称", "统一社会信用代码", "等保级别", "生效日期", "到期日期", "安全联系人",
        "联系电话", "IP地址", "域名", "主机"]  # fmt: skip
GOOD = ["C-001", "杭州示例云帆科技有限公司", "91330106MA0DEM2670", "三级", "2026年1月10日",
        "2027/1/9", "林示例", "13800000001", "203.0.113.16/29，2001:db8:20::/64",
        "www.yunfan.example", "web-01、db-01"]  # fmt: skip


def _csv(folder: Path, *rows: list[str], encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    path.write_bytes(text.encode(encoding))
    return path


def _xlsx(folder: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


def _faults(path: Path) -> list[tuple[int, str, str]]:
    return [(f.row, f.column, f.reason.en) for f in lists.read(path, today=TODAY).faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_with_a_title_above_its_headings(tmp_path: Path, encoding: str) -> None:
    path = _csv(tmp_path, ["客户入网登记表"], HEAD, GOOD, [""] * len(HEAD), encoding=encoding)
    found = lists.read(path, today=TODAY)
    assert found.faults == ()
    assert found.drafts == ("C-001",)
    assert found.records[0].document == {
        "id": "C-001",
        "customer": {
            "name": "杭州示例云帆科技有限公司",
            "credit_code": "91330106MA0DEM2670",
            "kind": "unit",
        },
        "grade": 3,
        "period": {"from": "2026-01-10", "until": "2027-01-09"},
        "safety_contact": {"name": "林示例", "phone": "13800000001"},
        "resources": {
            "addresses": ["203.0.113.16/29", "2001:db8:20::/64"],
            "domains": ["www.yunfan.example"],
            "hosts": ["web-01", "db-01"],
        },
        "documents": [],
        "draft": True,
    }


def test_a_workbook_with_numbers_and_days_as_excel_keeps_them(tmp_path: Path) -> None:
    row: list[Any] = list(GOOD)
    row[0], row[3], row[7] = 2026001, 2.0, 13800000001
    row[4], row[5] = datetime(2026, 1, 10), date(2027, 1, 9)  # noqa: DTZ001 - as in a sheet
    path = _xlsx(tmp_path, HEAD, row)
    found = lists.read(path, today=TODAY)
    assert found.faults == ()
    document = found.records[0].document
    assert (document["id"], document["grade"]) == ("2026001", 2)
    assert document["period"] == {"from": "2026-01-10", "until": "2027-01-09"}
    assert document["safety_contact"]["phone"] == "13800000001"


def test_signed_documents(tmp_path: Path) -> None:
    head = [*HEAD, "签署日期", "责任书摘要", "承诺书摘要", "签署人"]
    row = [*GOOD, "2026.1.8", "AB" * 32, "cd" * 32, "陈示例"]
    (record,) = lists.read(_csv(tmp_path, head, row), today=TODAY).records
    assert "draft" not in record.document
    assert record.document["documents"] == [
        {"type": kind, "version": "2026", "sha256": digest * 32, "signed_on": "2026-01-08",
         "representative": "陈示例"}
        for kind, digest in (("responsibility", "ab"), ("pledge", "cd"))
    ]  # fmt: skip


def test_what_stands_for_a_digest_before_anything_is_signed(tmp_path: Path) -> None:
    head = [*HEAD, "签署日期", "责任书摘要", "承诺书摘要"]
    path = _csv(tmp_path, head, [*GOOD, "", "待签", "无"])
    assert lists.read(path, today=TODAY).drafts == ("C-001",)
    (fault,) = _faults(_csv(tmp_path, head, [*GOOD, "2026-01-08", "待签", "ab" * 32]))
    assert fault[:2] == (2, "责任书摘要")


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "no_such_day": ({"生效日期": "2026-02-30"}, "生效日期", "'2026-02-30': there is no such day"),
    "no_day": ({"到期日期": "长期"}, "到期日期", "'长期' is no day; write 2026-01-08"),
    "backwards": ({"到期日期": "2025-01-09"}, "", "period"),
    "grade": ({"等保级别": "5"}, "等保级别", "'5' is no grade; write 2 or 3 (二级, 三级)"),
    "code": ({"统一社会信用代码": "91330106MA0DEM2671"}, "统一社会信用代码", "check character"),
    "no_id": ({"编号": ""}, "编号", "is empty"),
    "no_name": ({"用户名称": " "}, "用户名称", "is empty"),
    "address": ({"IP地址": "300.1.1.1"}, "IP地址", "300.1.1.1"),
    "domain": ({"域名": "-x-.example"}, "域名", "-x-.example"),
    "phone": ({"联系电话": "无"}, "联系电话", "无"),
    "no_contact": ({"安全联系人": ""}, "安全联系人", "is empty"),
    "no_code": ({"统一社会信用代码": ""}, "统一社会信用代码", "is empty: a unit has a credit code"),
    "id": ({"编号": "../x"}, "编号", "'../x' cannot be taken: write letters (A-Z), digits"),
    "bidi": ({"用户名称": "某某\u202e公司"}, "用户名称", "unseen character U+202E"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_is_named_with_column_and_reason(tmp_path: Path, name: str) -> None:
    changes, column, reason = WRONG[name]
    row = [changes.get(heading, cell) for heading, cell in zip(HEAD, GOOD, strict=True)]
    found = _faults(_csv(tmp_path, HEAD, ["C-000", *GOOD[1:]], row))
    assert len(found) == 1, found
    assert (found[0][0], found[0][1]) == (3, column or found[0][1])
    assert reason in found[0][2]


def test_people_are_kept_with_a_masked_number_and_told_apart_from_units(tmp_path: Path) -> None:
    head = [*HEAD, "性质", "证件号码"]
    rows = [
        ["P-1", "张三", "", *GOOD[3:], "个人", "11010119900101123x"],
        ["P-2", "李四", "", *GOOD[3:], "", "E12345678"],
        ["P-3", "王五", "", *GOOD[3:], "个人", "110101********1234"],
    ]
    found = lists.read(_csv(tmp_path, head, *rows), today=TODAY)
    assert found.faults == ()
    assert [
        (r.document["customer"]["kind"], r.document["customer"]["identity_masked"])
        for r in found.records
    ] == [
        ("person", "110101********123X"),
        ("person", "E1*****78"),
        ("person", "110101********1234"),
    ]
    none = ["P-4", "赵六", "", *GOOD[3:], "个人", ""]
    odd = ["P-5", "钱七", "", *GOOD[3:], "个人", "见附件"]
    unit = ["P-6", "某单位", "", *GOOD[3:], "单位", "E12345678"]
    assert _faults(_csv(tmp_path, head, none, odd, unit)) == [
        (2, "证件号码", "is empty: a unit has a credit code, a person the number of a paper"),
        (3, "证件号码", "'见附件' is no number of a person's paper"),
        (4, "统一社会信用代码", "is empty"),
    ]


def test_an_id_that_stands_twice(tmp_path: Path) -> None:
    assert _faults(_csv(tmp_path, HEAD, GOOD, GOOD)) == [
        (3, "编号", "C-001 stands in row 2 already")
    ]


def _bomb(folder: Path) -> Path:
    path = folder / "b.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (600 << 20))
    return path


def _ambiguous(folder: Path) -> Path:
    """ZIP64's end leads to one workbook, the last record to another."""
    (folder / "one").mkdir()
    (folder / "other").mkdir()
    one = _xlsx(folder / "one", HEAD, GOOD).read_bytes()
    other = _xlsx(folder / "other", HEAD, ["C-002", *GOOD[1:]]).read_bytes()
    path = folder / "two.xlsx"
    path.write_bytes(two_ends(one, other, "good"))
    return path


@pytest.mark.parametrize("where", ["before", "after", "between", "named otherwise"])
def test_a_workbook_in_which_another_program_could_find_other_files(
    where: str, tmp_path: Path
) -> None:
    good = _xlsx(tmp_path, HEAD, GOOD)
    assert len(_faults(good)) == 0
    data = good.read_bytes()
    _, _, start = parts(data)
    changed = {
        "before": b"x" + data,
        "after": data + b"x",
        "between": data[:start] + b"PK\3\4x" + data[start:-6] + struct.pack("<LH", start + 5, 0),
        "named otherwise": data[:30] + b"X" + data[31:],
    }[where]
    good.write_bytes(changed)
    with pytest.raises(BadInput, match=r"another list of files|XLSX"):
        lists.read(good, today=TODAY)


def _other(data: bytes) -> Any:
    def make(folder: Path) -> Path:
        (folder / "l").write_bytes(data)
        return folder / "l"

    return make


NO_LIST: dict[str, tuple[Any, str]] = {
    "ambiguous": (_ambiguous, "another list of files could be read out of it"),
    "none": (lambda folder: folder / "none.csv", "No such file"),
    "empty": (_other(b""), "no row of headings"),
    "old_excel": (_other(b"\xd0\xcf\x11\xe0" + b"x" * 100), "an .xls of old Excel"),
    "zip": (_other(b"PK\x03\x04 no zip"), "cannot be read as XLSX"),
    "bomb": (_bomb, "unpacks to more than"),
    "binary": (_other(b"a\0b"), "neither CSV nor XLSX"),
    "encoding": (_other("编号,用户名称\n".encode() + b"\xff\xff\xff\n"), "neither UTF-8 nor GB"),
    "headings": (_other(b"a,b\n1,2\n"), "no row of headings"),
    "twice": (_other("编号,用户名称,单位名称\n".encode()), "two columns for the same"),
    "no_rows": (_other("编号,用户名称\n".encode()), "no row in it"),
    "quotes": (_other('编号,用户名称\n"1"x,2\n'.encode()), "not CSV"),
}


@pytest.mark.parametrize("name", NO_LIST)
def test_what_is_no_list(tmp_path: Path, name: str) -> None:
    make, said = NO_LIST[name]
    with pytest.raises(BadInput, match=said):
        lists.read(make(tmp_path))


def _import(place: str, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "import", str(path), "--register", place,
         "--lang", "zh", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_all_of_a_list_or_nothing(place: str, tmp_path: Path) -> None:
    good = [[f"C-{n:03}", *GOOD[1:]] for n in range(20)]
    bad = ["C-999", *GOOD[1:3], "9", *GOOD[4:]]
    done = _import(place, _csv(tmp_path, HEAD, *good, bad))
    assert done.returncode == 2
    assert "第 22 行，“等保级别”列：“9”不是等级" in done.stderr
    assert Register.open(place).list() == ()
    done = _import(place, _csv(tmp_path, HEAD, *good))
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "已导入 20 份登记：新增 20，更新 0",
    )
    # one that is there already: nothing of the list is taken
    done = _import(place, _csv(tmp_path, HEAD, ["C-100", *GOOD[1:]], good[3]))
    assert done.returncode == 2
    assert "C-003" in done.stderr
    assert len(Register.open(place).list()) == 20
    changed = [[*row[:1], "改名公司", *row[2:]] for row in good[:3]]
    done = _import(place, _csv(tmp_path, HEAD, *changed), "--update")
    assert done.stdout.startswith("已导入 3 份登记：新增 0，更新 3")
    done = _import(place, _csv(tmp_path, HEAD, *changed, *good[3:]), "--update")
    assert done.stdout.startswith("已导入 20 份登记：新增 0，更新 0，未变 20")


def test_a_list_takes_nothing_away_that_a_command_put_there(place: str, tmp_path: Path) -> None:
    """The list of last month comes again: who mends what, and what is waived, stays."""
    row = ["C-001", *GOOD[1:]]
    assert _import(place, _csv(tmp_path, HEAD, row)).returncode == 0
    register = Register.open(place)
    day = datetime.now(UTC).date() + timedelta(days=9)
    given = {"reason": "x", "approver": "y", "expires": day.isoformat()}
    where = ("encryption.password_hash", "*")
    register.change("C-001", lambda r: changes.waived(r, {where: given}, today=TODAY))
    owner = {"owner": "李工", "due": day.isoformat()}
    register.change("C-001", lambda r: changes.followed_up(r, {where: owner}, today=TODAY))
    done = _import(place, _csv(tmp_path, HEAD, row), "--update")
    assert done.stdout.startswith("已导入 1 份登记：新增 0，更新 0，未变 1")
    done = _import(place, _csv(tmp_path, HEAD, [*row[:1], "改名公司", *row[2:]]), "--update")
    assert done.stdout.startswith("已导入 1 份登记：新增 0，更新 1")
    held = Register.open(place).get("C-001")
    assert held.customer == "改名公司"
    assert held.document["waivers"][0]["reason"] == "x"
    assert held.document["follow_ups"][0]["owner"] == "李工"


def test_the_register_as_an_inventory(place: str, tmp_path: Path) -> None:
    register = Register.open(place)
    head = [*HEAD, "签署日期", "责任书摘要"]
    rows = [
        [*GOOD, "2026-01-08", "ab" * 32],
        ["c.2", *GOOD[1:3], "二级", *GOOD[4:10], "web-01 cache-1", "2026-01-08", "ab" * 32],
        ["draft", *GOOD[1:10], "never", "", ""],
    ]
    found = lists.read(_csv(tmp_path, head, *rows), today=TODAY)
    assert found.faults == ()
    register.add_all(found.records)
    done = subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "inventory", "--register", place],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    inventory = json.loads(done.stdout)
    assert inventory["_meta"]["hostvars"]["web-01"] == {
        "hostpledge_pledges": ["C-001", "c.2"],
        "hostpledge_grade": 3,
    }
    assert inventory["pledge_C_001"]["hosts"] == ["db-01", "web-01"]
    assert inventory["pledge_c_2"]["hosts"] == ["cache-1", "web-01"]
    assert inventory["grade_2"]["hosts"] == ["cache-1", "web-01"]
    assert "never" not in done.stdout
    # no evidence was ever attached
    assert inventory["due"]["hosts"] == ["cache-1", "db-01", "web-01"]


def test_ansible_reads_the_inventory(tmp_path: Path) -> None:
    place = str(tmp_path / "r.sqlite")
    head = [*HEAD, "签署日期", "责任书摘要"]
    register = Register.open(place)
    register.add_all(
        lists.read(_csv(tmp_path, head, [*GOOD, "2026-01-08", "ab" * 32]), today=TODAY).records
    )
    script = tmp_path / "pledges.sh"
    script.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m collector pledge inventory --register {place} "$@"\n'
    )
    script.chmod(0o755)
    tools = Path(sys.executable).parent
    done = subprocess.run(
        [tools / "ansible-inventory", "-i", script, "--graph"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "|--@pledge_C_001:\n  |  |--db-01\n  |  |--web-01" in done.stdout


def _packed(path: Path, sheet: bytes) -> Path:
    """A small file whose sheet is these bytes."""
    good = _xlsx(path.parent, HEAD, GOOD)
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            is_sheet = entry.filename == "xl/worksheets/sheet1.xml"
            new.writestr(entry.filename, sheet if is_sheet else old.read(entry))
    return path


_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_END = b"</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        (
            lambda: (
                _SHEET
                + b'<row><c t="inlineStr"><is><t>'
                + b"A" * (200 << 20)
                + b"</t></is></c></row>"
            ),
            "a cell of more than 32767 characters",
        ),
        (lambda: _SHEET + b"<row><c><v>1</v></c></row>" * 400_000 + _END, "more than 100000 rows"),
        (
            lambda: _SHEET + b"<row>" + b"<c><v>1</v></c>" * 2_100_000 + b"</row>" + _END,
            "2000000 cells",
        ),
        (
            lambda: (
                _SHEET
                + b'<row><c t="inlineStr"><is>'
                + b"<r><t>ab</t></r>" * 20_000
                + b"</is></c></row>"
                + _END
            ),
            "a cell of more than 32767 characters",
        ),
        (lambda: b'<!DOCTYPE x [<!ENTITY a "b">]>' + _SHEET + _END, "XML that no workbook has"),
        (lambda: (_SHEET + _END).decode().encode("utf-16"), "XML that no workbook has"),
        (lambda: b" " * (300 << 20), "unpacks to more than 256 MiB"),
    ],
    ids=["cell", "rows", "cells", "runs", "entities", "utf16", "large"],
)
def test_a_small_xlsx_is_no_large_one(
    tmp_path: Path, sheet: Callable[[], bytes], says: str
) -> None:
    path = _packed(tmp_path / "bomb.xlsx", sheet())
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(BadInput, match=says):
        lists.read(path)
    # tracing makes it several times as slow
    assert time.process_time() - begun < 40
    assert tracemalloc.get_traced_memory()[1] < 150 << 20
    tracemalloc.stop()


def test_what_an_update_would_change_is_shown_and_nothing_written(
    place: str, tmp_path: Path
) -> None:
    rows = [["C-001", *GOOD[1:]], ["C-002", "另一公司", *GOOD[2:]]]
    assert _import(place, _csv(tmp_path, HEAD, *rows), "--check").returncode == 0
    assert not Path(place).exists(), "looking makes no register"
    assert _import(place, _csv(tmp_path, HEAD, *rows)).returncode == 0
    again = _import(place, _csv(tmp_path, HEAD, *rows), "--check")
    assert again.returncode == 2
    assert "登记库中已有：C-001、C-002；加 --update" in again.stderr
    phone = HEAD.index("联系电话")
    changed = ["C-001", "改名公司", *GOOD[2:]]
    changed[phone] = "13900000009"
    told = _import(place, _csv(tmp_path, HEAD, changed, rows[1]), "--update", "--check")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert f"  用户名称：{GOOD[1]} → 改名公司" in lines
    assert [line for line in lines if line.startswith("  联系电话：")]
    assert "13900000009" not in told.stdout
    assert "新增 0，有变化 1，未变 1（只检查，未写入）" in lines
    register = Register.open(place)
    assert register.get("C-001").customer == GOOD[1]
    assert len(register.history("C-001")) == 1
    other = list(changed)
    other[HEAD.index("统一社会信用代码")] = "91330106MA0DEM2696"
    for more in (["--check"], []):
        refused = _import(place, _csv(tmp_path, HEAD, other), "--update", *more)
        assert refused.returncode == 2
        assert "C-001：用户名称与代码均不同" in refused.stderr or "C-001: 用户" in refused.stderr
    assert len(register.history("C-001")) == 1
    strange = _import(place, _csv(tmp_path, HEAD, ["C-9", *GOOD[1:]]), "--update", "--check")
    assert strange.returncode == 2
    assert "登记库中没有：C-9" in strange.stderr
    words = ("--update", "--check", "--format", "json")
    found = json.loads(_import(place, _csv(tmp_path, HEAD, changed, rows[1]), *words).stdout)
    assert (found["changed"], found["unchanged"]) == (1, 1)
    (one,) = found["differences"]
    assert one["id"] == "C-001"
    assert {"customer.name", "safety_contact.phone"} == {c["field"] for c in one["changes"]}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_csv_that_ends_within_a_row_is_refused(tmp_path: Path, encoding: str) -> None:
    """It was imported as if whole: a host cut short, or none at all."""
    second = ["C-002", *GOOD[1:]]
    whole = ["登记表", ",".join(HEAD), ",".join(GOOD), ",".join(second)]
    path = tmp_path / "list.csv"

    def faults(text: str) -> list[tuple[int, str, str]]:
        path.write_bytes(text.encode(encoding))
        return _faults(path)

    text = "\n".join(whole)
    # as an editor leaves it: all cells are there
    assert faults(text) == []
    assert faults(f"{text}\n") == []
    cut = text.removesuffix(",web-01、db-01")
    ((row, column, said),) = faults(cut)
    assert (row, column) == (4, "主机")
    assert said.startswith("the file ends within this row: 10 cells below 11 headings")
    ((_, column, _),) = faults(cut.removesuffix(",www.yunfan.example"))
    assert column == "域名"
    # what a spreadsheet leaves out of the end of a row, in a whole file
    assert faults(f"{cut}\n") == []
    assert faults(f"{text}\n  ") == []


def test_a_list_beside_it_is_cut_off_too(tmp_path: Path) -> None:
    _csv(tmp_path, [*HEAD, "自查周期"], [*GOOD, "90"])
    (tmp_path / "list.培训.csv").write_text("登记编号,主题,日期,人数\nC-001,消防,2026-06-18")
    ((row, column, said),) = _faults(tmp_path / "list.csv")[:1]
    assert (row, column, "no newline" in said) == (2, "人数", True)


def test_a_list_changes_no_paper_that_was_signed(place: str) -> None:
    register = Register.open(place)
    held = made()
    register.add(held)
    documents = held.document["documents"]
    assert documents and not held.document.get("draft")
    for change in ({"sha256": "f" * 64}, {"signed_on": "2026-01-02"}, {"version": "0"}):
        other = made(documents=[{**documents[0], **change}, *documents[1:]])
        with pytest.raises(BadInput, match="what was signed stays signed"):
            register.add_all([other], update=True, keep=("notices",))
    assert register.get(held.id) == held
    # what was not signed then may be; and one record is put right by itself
    fewer = made(id="b-2026", documents=documents[:1])
    register.add(fewer)
    register.add_all([made(id="b-2026", documents=documents)], update=True, keep=("notices",))
    register.add(made(documents=[{**d, "sha256": "e" * 64} for d in documents]), update=True)
