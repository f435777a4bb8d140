"""Further sheets, every fault told in the words of the list, and what workbooks hide."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from collector.errors import BadInput
from collector.pledges.lists import reading
from collector.pledges.record import form
from collector.pledges.register.register import Register
from tests.pledges.filled import book, fill, saved

TODAY = date(2026, 11, 25)
WHOLE = Path(__file__).with_name("whole.yml")
HEAD = ["合同号", "客户名称", "信用代码", "安全联系人", "手机"]
GOOD = ["C-1", "某公司", "91330106MA0DEM2670", "林示例", "13800000001"]
TRAINING = ["登记编号", "培训名称", "日期", "参加人数"]

Rows = Sequence[Sequence[Any]]


def _book(**sheets: Any) -> Workbook:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    return made


def _read(made: Workbook, folder: Path) -> reading.Listed:
    return reading.read(saved(made, folder), today=TODAY)


def _told(found: reading.Listed) -> list[tuple[str, int, str, str]]:
    return [(f.sheet, f.row, f.column, f.reason.en) for f in found.faults]


def test_rows_of_a_further_sheet_belong_to_their_pledges(tmp_path: Path) -> None:
    rows = [
        TRAINING,
        ["C-2", "消防", date(2026, 6, 18), 46],
        ["C-1", "入职", "2026年6月19日", "3人"],
        ["C-2", "钓鱼演练", "20260620", None],
    ]
    found = _read(_book(客户=[HEAD, GOOD, ["C-2", *GOOD[1:]]], 培训=rows, Sheet3=[]), tmp_path)
    assert found.faults == ()
    assert found.unknown == ()
    assert [record.document["training"] for record in found.records] == [
        [{"title": "入职", "date": "2026-06-19", "attendees": 3}],
        [
            {"title": "消防", "date": "2026-06-18", "attendees": 46},
            {"title": "钓鱼演练", "date": "2026-06-20"},
        ],
    ]


def test_every_fault_is_told_with_sheet_row_and_the_lists_own_heading(tmp_path: Path) -> None:
    main = [
        [*HEAD, "生效日期", "到期日期", "安全负责人电话", "性质"],
        [*GOOD, "长期", "2026-02-30", "0571-88000000", "x"],
        ["C-2", "乙公司", "91330106MA0DEM2671", "", "13800000001", "2026-02-01", "2026-01-01"],
        ["C-3", *GOOD[1:]],
    ]
    training = [
        TRAINING,
        ["C-1", "", "昨天", "-1"],
        ["C-9", "消防", "2026-06-18", 1],
        ["", "消防", "2026-06-18", 1],
        ["C-3", "消防", "2027-06-18", 1],
    ]
    holes = [
        ["登记编号", "漏洞编号", "发现日期", "情况", "修复日期", "扫描件"],
        ["C-3", "v-1", "2026-03-02", "一", "2026-03-01", ""],
        ["C-3", "v-1", "2026-03-02", "二", "", "ab"],
        ["C-3", "v-2", "2026-03-02", "三", "", ""],
        ["C-3", "v-2", "2026-03-02", "四", "", ""],
    ]
    found = _told(_read(_book(清单=main, 培训=training, 漏洞=holes), tmp_path))
    unfit = "91330106MA0DEM2671 is no unified social credit code: its check character does not fit"
    merged = (
        "is empty: every row needs the pledge's id (of merged cells only the first holds a value)"
    )
    assert found == [
        ("清单", 2, "生效日期", "'长期' is no day; write 2026-01-08"),
        ("清单", 2, "到期日期", "'2026-02-30': there is no such day"),
        ("清单", 2, "性质", "'x': write 单位 or 个人 (unit, person)"),
        ("清单", 2, "安全负责人", "is empty, and '安全负责人电话' is filled in"),
        ("清单", 3, "安全联系人", "is empty, and '手机' is filled in"),
        ("清单", 3, "信用代码", f"{unfit} (GB 32100-2015)"),
        ("清单", 3, "到期日期", "the period ends (2026-01-01) before it begins (2026-02-01)"),
        ("培训", 2, "日期", "'昨天' is no day; write 2026-01-08"),
        ("培训", 2, "参加人数", "'-1' is no whole number"),
        ("培训", 2, "培训名称", "is empty"),
        ("培训", 3, "登记编号", "there is no C-9 in '清单'; there is C-1, C-2, C-3"),
        ("培训", 4, "登记编号", merged),
        ("培训", 5, "日期", "2027-06-18 has not come yet"),
        ("漏洞", 2, "修复日期", "2026-03-01 lies before 2026-03-02"),
        ("漏洞", 3, "扫描件", "'ab' is no SHA-256; for the name of a file add --scans DIR"),
        ("漏洞", 5, "漏洞编号", "v-2 stands twice"),
    ]  # fmt: skip


def test_faults_of_documents_that_two_sheets_tell_of(tmp_path: Path) -> None:
    digest = "ab" * 32
    main = [[*HEAD, "签署日期", "责任书", "草稿"], [*GOOD, "2026-01-08", digest, ""],
            ["C-2", *GOOD[1:], "", "", "否"],
            ["C-3", *GOOD[1:], "2027-01-08", digest, ""]]  # fmt: skip
    signed = [
        ["登记编号", "文件", "版本", "扫描件", "签署日期"],
        ["C-1", "责任书", 2026, digest, "2026-01-09"],
        ["C-1", "承诺书", "", "", "2026-01-09"],
    ]
    no = (
        "is no, and there is neither day nor scan of the documents: what is not signed yet is a "
        "draft; write yes, or nothing"
    )
    assert _told(_read(_book(清单=main, 签署文件=signed), tmp_path)) == [
        ("清单", 3, "草稿", no),
        ("清单", 4, "签署日期", "2027-01-08 has not come yet"),
        ("签署文件", 2, "文件", "responsibility 2026 stands twice"),
        ("签署文件", 3, "版本", "is empty"),
        ("签署文件", 3, "扫描件", "is empty"),
    ]  # fmt: skip


def _import(place: str, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "import", str(path), "--register", place,
         "--lang", "zh", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_fifty_lines_and_a_count_and_nothing_is_added(place: str, tmp_path: Path) -> None:
    rows = [[f"C-{n}", *GOOD[1:4], "无"] for n in range(200)]
    made = _book(清单=[HEAD, ["C-x", *GOOD[1:]], *rows], 培训=[TRAINING, ["C\u202e1", "", "", ""]])
    done = _import(place, saved(made, tmp_path))
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert lines[0] == (
        "工作表“清单”第 3 行，“手机”列：“无”不能用：请写一个电话号码，如 13800000001、"
        "0571-88000000、0571-88000000转123"
    )
    assert len(lines) == 52
    assert lines[50] == "另有 151 处未列出"
    assert "201 处有误，未导入任何登记" in lines[51]
    assert "\u202e" not in done.stderr
    assert Register.open(place).list() == ()


def test_a_list_whose_every_cell_is_wrong_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    head = "编号,用户名称,生效日期,到期日期,联系电话,等保级别\n"
    path.write_text(head + "//,,x,x,x,x\n" * 90_000, "utf-8")
    begun = time.monotonic()
    found = reading.read(path, today=TODAY)
    assert found.cut
    assert len(found.faults) <= reading.MOST_FAULTS
    assert time.monotonic() - begun < 30


def test_sheets_of_the_same_meaning_are_refused(tmp_path: Path) -> None:
    made = _book(清单=[HEAD, GOOD], 培训=[TRAINING], training=[TRAINING])
    with pytest.raises(BadInput, match="two sheets for the same: 培训, training"):
        _read(made, tmp_path)
    made = _book(填写说明=[["x"]], 登记=[HEAD, GOOD], pledges=[HEAD, GOOD])
    with pytest.raises(BadInput, match="two sheets for the same: 登记, pledges"):
        _read(made, tmp_path)


def test_a_sheet_of_a_known_name_and_of_other_headings(tmp_path: Path) -> None:
    made = _book(清单=[HEAD, GOOD], 培训=[["姓名", "成绩"], ["张三", 90]])
    with pytest.raises(BadInput, match=r"no row of headings in the sheet 培训.*name the sheet"):
        _read(made, tmp_path)
    assert _read(_book(清单=[HEAD, GOOD], 培训=[[None, " "]]), tmp_path).faults == ()


def test_what_is_not_taken_is_told(tmp_path: Path) -> None:
    training = [[*TRAINING, "成绩"], ["C-1", "消防", "2026-06-18", 1, 90]]
    made = _book(清单=[[*HEAD, "备注"], GOOD], 培训=training, 名单=[["x"]])
    assert _read(made, tmp_path).unknown == ("备注", "名单", "培训: 成绩")


def test_the_main_sheet_need_not_be_the_first(tmp_path: Path) -> None:
    rows = [TRAINING, ["C-1", "消防", "2026-06-18", 1]]
    found = _read(_book(培训=rows, 登记=[HEAD, GOOD]), tmp_path)
    assert (found.faults, len(found.records)) == ((), 1)
    # a list of before, whose other sheets are not ours, is its first sheet
    found = _read(_book(名单=[HEAD, GOOD], 登记=[["x"], ["y"]]), tmp_path)
    assert (found.unknown, len(found.records)) == (("登记",), 1)


def test_csv_files_beside_the_list(tmp_path: Path) -> None:
    def write(name: str, rows: Rows) -> Path:
        text = "".join(",".join(map(str, row)) + "\n" for row in rows)
        (tmp_path / name).write_bytes(text.encode("gb18030"))
        return tmp_path / name

    path = write("customers.csv", [HEAD, GOOD])
    write("customers.培训.csv", [TRAINING, ["C-1", "消防", "2026-06-18", 1]])
    write("customers.self-checks.csv", [["登记编号", "日期", "自查人"], ["C-1", "昨天", ""]])
    write("customers.old.csv", [["x"]])
    write("others.培训.csv", [["x"]])
    found = reading.read(path, today=TODAY)
    assert found.unknown == ("customers.old.csv",)
    assert _told(found) == [
        ("", 2, "自查周期", "is empty, and 'customers.self-checks.csv' is filled in"),
        ("customers.self-checks.csv", 2, "日期", "'昨天' is no day; write 2026-01-08"),
        ("customers.self-checks.csv", 2, "自查人", "is empty"),
    ]
    write("customers.training.csv", [TRAINING])
    with pytest.raises(BadInput, match="two sheets for the same"):
        reading.read(path)


def test_a_formula_counts_by_its_result_alone(tmp_path: Path) -> None:
    path = saved(_book(清单=[HEAD, GOOD, ["C-2", *GOOD[1:]]]), tmp_path)
    formulas = {
        "D2": b'<c r="D2" t="str"><f>A1</f><v>worked out</v></c>',
        "E2": b'<c r="E2"><f>1+1</f></c>',
        "D3": b'<c r="D3" t="str"><f>IF(A1="","",1)</f><v></v></c>',
        "E3": b'<c r="E3" t="e"><f>NA()</f><v>#N/A</v></c>',
    }
    for place, cell in formulas.items():
        _edit(path, b'<c r="' + place.encode() + b'".*?</c>', cell)
    unworked = (
        "is a formula without a result: open and save it in a spreadsheet, or write the value"
    )
    assert _told(reading.read(path, today=TODAY)) == [
        ("", 2, "手机", unworked),
        ("", 3, "手机", "is #N/A, the error of a formula"),
    ]


def _edit(path: Path, pattern: bytes, by: bytes) -> None:
    """Changes the bytes of the first sheet."""
    with zipfile.ZipFile(path) as old:
        held = {entry.filename: old.read(entry) for entry in old.infolist()}
    sheet = "xl/worksheets/sheet1.xml"
    held[sheet], count = re.subn(pattern, by, held[sheet])
    assert count == 1
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in held.items():
            new.writestr(name, data)


def test_cells_merged_over_rows_are_told(tmp_path: Path) -> None:
    made = _book(
        清单=[["客户登记表"], HEAD, GOOD, ["C-2", *GOOD[1:]], ["C-3", *GOOD[1:]]],
        培训=[TRAINING, ["C-1", "消防", "2026-06-18", 1], ["", "入职", "2026-06-18", 1]],
    )
    made.worksheets[0].merge_cells("A1:E1")
    made.worksheets[0].merge_cells("E3:E4")
    made.worksheets[1].merge_cells("A2:A3")
    found = _told(_read(made, tmp_path))
    assert [(sheet, row, column, told[:40]) for sheet, row, column, told in found] == [
        ("清单", 3, "手机", "the cells of the rows 3 to 4 are merged,"),
        ("清单", 4, "手机", "is empty, and '安全联系人' is filled in"),
        ("培训", 2, "登记编号", "the cells of the rows 2 to 3 are merged,"),
        ("培训", 3, "登记编号", "is empty: every row needs the pledge's i"),
    ]


def test_hidden_rows_and_sheets_are_read_and_told(tmp_path: Path) -> None:
    training = [TRAINING, ["C-2", "消防", "2026-06-18", 1]]
    made = _book(清单=[HEAD, GOOD, ["C-2", *GOOD[1:]]], 培训=training)
    made.worksheets[0].row_dimensions[3].hidden = True
    made.worksheets[1].sheet_state = "hidden"
    found = _read(made, tmp_path)
    assert len(found.records) == 2
    assert [note.en for note in found.notes] == [
        "hidden rows of the sheet '清单', which were read as well: 1",
        "the sheet '培训' is hidden, and was read as well",
        "no column '等保级别': 2 of 2 records take grade 2",
    ]


def test_numbers_that_a_spreadsheet_cut_are_refused(tmp_path: Path) -> None:
    head = [*HEAD, "性质", "证件号码", "生效日期", "到期日期"]
    rows = [
        ["C-1", "张三", "", *GOOD[3:], "个人", 110101199001011000, 46030, 46394.0],
        ["C-2", "李四", "", *GOOD[3:], "个人", "110101199001011237", 46030.5, 46394],
        ["C-3", "王五", "", *GOOD[3:], "个人", "110101199001011237", 46030, 46394],
    ]
    found = _read(_book(清单=[head, *rows]), tmp_path)
    assert _told(found) == [
        ("", 2, "证件号码", "'1.10101199001011E+17': the spreadsheet cut this number; make the "
         "cell text and write it again"),
        ("", 3, "生效日期", "'46030.5' is no day; write 2026-01-08"),
    ]  # fmt: skip
    (record,) = found.records
    assert record.document["customer"]["identity_masked"] == "110101********1237"
    assert record.document["period"] == {"from": "2026-01-08", "until": "2027-01-07"}


def test_days_of_a_workbook_that_counts_from_1904(tmp_path: Path) -> None:
    made = _book(清单=[[*HEAD, "生效日期", "到期日期"], [*GOOD, datetime(2026, 1, 8), 44932]])  # noqa: DTZ001
    made.epoch = CALENDAR_MAC_1904
    ((_, row, column, told),) = _told(_read(made, tmp_path))
    assert (row, column) == (2, "到期日期")
    assert "counts days from 1904" in told


@pytest.mark.parametrize("dimension", [b"A1", b"A1:E1", b"A1:XFD1048576"])
def test_the_size_that_a_sheet_claims_is_not_believed(tmp_path: Path, dimension: bytes) -> None:
    path = saved(_book(清单=[HEAD, GOOD]), tmp_path)
    _edit(path, b'<dimension ref="A1:E2"', b'<dimension ref="' + dimension + b'"')
    assert len(reading.read(path, today=TODAY).records) == 1


def test_characters_that_hide_are_told_wherever_they_stand(tmp_path: Path) -> None:
    training = [TRAINING, ["C-1", "消\u202e防", "2026-06-18", 1], ["C-1", "a\nb", "2026-06-18", 1]]
    main = [HEAD, [*GOOD[:3], "林\u2066示例", GOOD[4]]]
    found = _told(_read(_book(清单=main, 培训=training), tmp_path))
    assert found == [
        ("清单", 2, "安全联系人", "holds the unseen character U+2066"),
        ("培训", 2, "培训名称", "holds the unseen character U+202E"),
        ("培训", 3, "培训名称", "holds the unseen character U+000A"),
    ]


@pytest.mark.parametrize(("word", "count"), [(b"<row ", 99_000), (b"<mergeCell ", 4_000_000)])
def test_tags_that_never_end_take_no_time(tmp_path: Path, word: bytes, count: int) -> None:
    path = saved(_book(清单=[HEAD, GOOD]), tmp_path)
    _edit(path, b"</sheetData>", word * count + b"</sheetData>")
    begun = time.process_time()
    with pytest.raises(BadInput):
        reading.read(path)
    assert time.process_time() - begun < 10


def test_a_sheet_that_is_not_called_xml_is_not_read(tmp_path: Path) -> None:
    path = saved(_book(清单=[HEAD, GOOD]), tmp_path)
    with zipfile.ZipFile(path) as old:
        held = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in held.items():
            new.writestr(
                name.replace("sheet1.xml", "sheet1.bin"), data.replace(b"sheet1.xml", b"sheet1.bin")
            )
    with pytest.raises(BadInput, match="XML that no workbook has"):
        reading.read(path)


def test_many_sheets_count_together(tmp_path: Path) -> None:
    """A small file of which each sheet alone would be within bounds."""
    path = saved(_book(清单=[HEAD, GOOD], 培训=[TRAINING], 豁免=[["x"]]), tmp_path)
    with zipfile.ZipFile(path) as old:
        held = {entry.filename: old.read(entry) for entry in old.infolist()}
    row = b"<row>" + b"<c><v>1</v></c>" * 90 + b"</row>"
    for number in (1, 2, 3):
        name = f"xl/worksheets/sheet{number}.xml"
        held[name] = held[name].replace(b"</sheetData>", row * 9_000 + b"</sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in held.items():
            new.writestr(name, data)
    with pytest.raises(BadInput, match="2000000 cells"):
        reading.read(path)


def test_a_large_csv_is_refused_within_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes("编号,用户名称\n".encode() + (b"," * 14 + b"\n") * 3_700_000)
    tracemalloc.start()
    with pytest.raises(BadInput, match="more than 100000 rows"):
        reading.read(path)
    # the file, and not its text besides
    assert tracemalloc.get_traced_memory()[1] < 160 << 20
    tracemalloc.stop()


def test_three_hundred_customers_with_every_list_in_seconds(tmp_path: Path) -> None:
    record = form.load(WHOLE, today=TODAY)
    one = book()
    fill(one, record.document, 3)
    many = Workbook(write_only=True)
    for page in one.worksheets[:-1]:
        copy = many.create_sheet(page.title)
        head, names, *rows = ([cell.value for cell in row] for row in page.iter_rows())
        for row in (head, names):
            copy.append(row)
        for number in range(300):
            for row in rows:
                copy.append([f"W-{number:04}", *row[1:]])
    path = saved(many, tmp_path)
    begun = time.process_time()
    found = reading.read(path, today=TODAY)
    assert time.process_time() - begun < 15
    assert found.faults == ()
    assert len(found.records) == 300
    wanted = {**record.document, "id": "W-0299"}
    # what commands alone write is in no list
    for field in ("notices", "taken_back", "voided"):
        del wanted[field]
    assert found.records[-1].document == wanted


def test_memory_does_not_grow_with_what_pledges_share(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    row = ",".join(GOOD[1:]) + ",2026-01-10,2027-01-09,三级,安全教育"
    path.write_text(
        ",".join([*HEAD, "生效日期", "到期日期", "等级", "备注"])
        + "\n"
        + "".join(f"C-{number},{row}\n" for number in range(10_000)),
        "utf-8",
    )
    tracemalloc.start()
    found = reading.read(path, today=TODAY)
    assert len(found.records) == 10_000
    held, peak = tracemalloc.get_traced_memory()
    assert held < 24 << 20
    # what is set aside for the largest file
    assert peak < (64 + 24) << 20
    tracemalloc.stop()


def test_a_heading_that_is_not_known_is_one_fault(tmp_path: Path) -> None:
    """标题 for 培训名称: sixty lines said that a cell is empty, and the one that helps was gone."""
    head = ["编号", "用户名称", "统一社会信用代码", "安全联系人", "手机", "生效日期", "到期日"]
    rows = [
        [f"C-{n}", "某公司", "91330106MA0DEM2670", "林示例", "13800000001", "20260110", "20270109"]
        for n in range(60)
    ]
    training = [["登记编号", "标题", "日期", "参加人数"]]
    training += [[f"C-{n}", "消防", "2026-06-18", "3"] for n in range(60)]
    for name, lines in (("l.csv", [head, *rows]), ("l.培训.csv", training)):
        text = "".join(",".join(line) + "\n" for line in lines)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = reading.read(tmp_path / "l.csv", today=TODAY)
    told = [(f.sheet, f.row, f.column, f.reason.en) for f in found.faults]
    why = "there is no such column (is it the one headed '到期日'?), for which 60 rows are wrong: "
    assert len(told) == 2, told[:4]
    assert told[0][:3] == ("", 1, "到期日期")
    assert told[0][3].startswith(why)
    assert told[1] == (
        "l.培训.csv",
        1,
        "培训名称",
        "there is no such column, for which 60 rows are wrong: is empty",
    )
    assert "60 行因此有误：为空" in found.faults[1].reason.zh
