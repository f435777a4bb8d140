"""A folder of scans: names become digests, and nothing outside of the folder is read."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.lists import reading, scans
from collector.pledges.lists.forms import Wrong
from collector.pledges.lists.scans import Scans
from collector.pledges.register.register import Register

TODAY = date(2026, 11, 25)
HEAD = (
    "合同号,客户名称,信用代码,签署日期,责任书扫描件,承诺书扫描件,任命书,安全负责人,"
    "数据清单,事件台账\n"
)
INVENTORY = """schema: urn:hostpledge:schema:data-inventory:1
owner: 周示例
reviewed: "2026-06-30"
stores:
  - {name: orders, kind: database, engine: postgresql, hosts: [db-01], category: 交易数据,
     level: 重要, personal: true, owner: 数据平台组,
     backup: {objective_hours: 24, offsite: true}}
"""


def _list(folder: Path, *rows: str) -> Path:
    path = folder / "list.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def _row(id: str = "C-1", **cells: str) -> str:
    given = {"day": "2026-01-08", **cells}
    words = ("day", "responsibility", "pledge", "officer_scan", "officer", "inventory", "ledger")
    return ",".join([id, "某公司", "91330106MA0DEM2670", *(given.get(w, "") for w in words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    for name in ("C-1-责任书.pdf", "C-1 承诺书 盖章.pdf", "任命书.pdf", "C-10-责任书.pdf"):
        (made / name).write_bytes(name.encode())
    (made / "空.pdf").touch()
    (made / "sub").mkdir()
    (made / "sub" / "a.pdf").write_bytes(b"inside")
    (made / "清单.yml").write_text(INVENTORY, "utf-8")
    return made


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _faults(path: Path, folder: Path | None) -> list[tuple[int, str, str]]:
    found = reading.read(path, today=TODAY, scans=folder)
    return [(f.row, f.column, f.reason.en) for f in found.faults]


def test_the_two_documents_are_found_by_the_pledge_they_are_of(
    tmp_path: Path, folder: Path
) -> None:
    path = _list(tmp_path, _row(), _row("C-10", day=""), _row("C-2"))
    found = reading.read(path, today=TODAY, scans=folder)
    assert found.faults == ()
    assert found.drafts == ("C-10", "C-2")
    documents = found.records[0].document["documents"]
    assert [(d["type"], d["sha256"]) for d in documents] == [
        ("responsibility", _digest("C-1-责任书.pdf")),
        ("pledge", _digest("C-1 承诺书 盖章.pdf")),
    ]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("c-1-责任书.PDF", True),
        ("C-1_2026-01-08_责任书.pdf", True),
        ("C-1（杭州某公司）责任书2.pdf", True),
        ("C-1-signed-responsibility.pdf", True),
        ("Ｃ－１责任书.pdf", True),
        ("C-1-2-责任书.pdf", None),
        ("C-1-2026-责任书.pdf", None),
        ("C-1.b-责任书.pdf", None),
        ("C-10-责任书.pdf", False),
        ("C-1X责任书.pdf", False),
        ("责任书-C-1.pdf", False),
        ("C-1-合同.pdf", False),
    ],
)
def test_whose_a_file_is(tmp_path: Path, name: str, taken: bool | None) -> None:
    """Taken, not taken, or (None) told: it may be of a pledge with a longer id."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / name).write_bytes(b"x")
    path = _list(tmp_path, _row())
    found = reading.read(path, today=TODAY, scans=tmp_path / "s")
    if taken is None:
        ((row, column, told),) = _faults(path, tmp_path / "s")
        assert (row, column) == (2, "责任书扫描件")
        assert "may be of another pledge" in told
        assert name in told
        # where that pledge is on the list too, it is that one's
        other = name.partition("-责任书")[0]
        path = _list(tmp_path, _row(), _row(other))
        found = reading.read(path, today=TODAY, scans=tmp_path / "s")
        assert found.drafts == ("C-1",)
        return
    assert found.faults == ()
    assert len(found.records[0].document["documents"]) == (1 if taken else 0)


def test_several_files_that_may_be_the_document_are_listed(tmp_path: Path, folder: Path) -> None:
    (folder / "C-1责任书（新）.pdf").write_bytes(b"new")
    ((row, column, told),) = _faults(_list(tmp_path, _row()), folder)
    assert (row, column) == (2, "责任书扫描件")
    assert "C-1-责任书.pdf, C-1责任书（新）.pdf" in told
    # named, it is that one
    named = _row(responsibility="C-1责任书（新）.pdf")
    assert _faults(_list(tmp_path, named), folder) == []


@pytest.mark.parametrize(
    "name",
    ["任命书.pdf", "任命书", " 任命书.PDF ", "sub/a.pdf", _digest("x").upper()],
)
def test_a_file_is_named_by_its_name(tmp_path: Path, folder: Path, name: str) -> None:
    row = _row(officer="周示例", officer_scan=name)
    found = reading.read(_list(tmp_path, row), today=TODAY, scans=folder)
    assert found.faults == ()
    wanted = {"sub/a.pdf": _digest("inside"), _digest("x").upper(): _digest("x")}
    digest = found.records[0].document["security_officer"]["sha256"]
    assert digest == wanted.get(name, _digest("任命书.pdf"))


def _make(folder: Path, kind: str) -> None:
    outside = folder.parent / "outside.pdf"
    outside.write_bytes(b"secret")
    place = folder / "x.pdf"
    match kind:
        case "link":
            place.symlink_to(outside)
        case "link_inside":
            place.symlink_to(folder / "任命书.pdf")
        case "folder_link":
            (folder / "out").symlink_to(folder.parent)
        case "fifo":
            os.mkfifo(place)
        case "socket":
            with socket.socket(socket.AF_UNIX) as one:
                here = Path.cwd()
                os.chdir(folder)
                one.bind("x.pdf")
                os.chdir(here)
        case "unreadable_name":
            (folder / "x.pdf").mkdir()


REFUSED = {
    "link": ("x.pdf", "is a link, which is not followed"),
    "link_inside": ("x.pdf", "is a link, which is not followed"),
    "folder_link": ("out/outside.pdf", "Not a directory"),
    "fifo": ("x.pdf", "is a device or a pipe, not a file"),
    "socket": ("x.pdf", "No such device or address"),
    "unreadable_name": ("x.pdf", "is a folder, not a file"),
    "above": ("../outside.pdf", "is not in the folder of scans"),
    "above_inside": ("sub/../../outside.pdf", "is not in the folder of scans"),
    "absolute": ("/etc/passwd", "is not in the folder of scans"),
    "here": ("./任命书.pdf", "is not in the folder of scans"),
    "empty": ("空.pdf", "is empty"),
    "missing": ("任命.pdf", "is not in the folder of scans; there is 任命书.pdf"),
    "nothing_near": ("qqqqqqqqqqqqqqq.tif", "is not in the folder of scans"),
    "long": ("x" * 5000, "is not in the folder of scans"),
    "sub": ("sub", "is a folder, not a file"),
    "odd": ("a\u202eb.pdf", "is not in the folder of scans"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_of_the_folder(tmp_path: Path, folder: Path, kind: str) -> None:
    name, told = REFUSED[kind]
    _make(folder, kind)
    row = _row(officer="周示例", officer_scan=name)
    ((number, column, reason),) = _faults(_list(tmp_path, row), folder)
    assert (number, column) == (2, "任命书")
    assert told in reason


def test_a_name_without_a_folder_says_what_to_add(tmp_path: Path) -> None:
    row = _row(officer="周示例", officer_scan="a.pdf", inventory="b.yml")
    assert [(c, r.rpartition("; ")[2]) for _, c, r in _faults(_list(tmp_path, row), None)] == [
        ("任命书", "for the name of a file add --scans DIR"),
        ("数据清单", "'b.yml': add --scans DIR, the folder that holds the file"),
    ]


def test_a_document_of_the_further_sheet_is_looked_up_too(tmp_path: Path, folder: Path) -> None:
    path = _list(tmp_path, _row(day=""), _row("C-2", day=""))
    beside = tmp_path / "list.签署文件.csv"
    rows = ("C-1,责任书,2026,2026-01-08", "C-2,承诺书,2026,2026-01-08")
    beside.write_text("登记编号,文件,版本,签署日期\n" + "\n".join(rows), "utf-8")
    found = reading.read(path, today=TODAY, scans=folder)
    assert [r.document["documents"][0]["sha256"] for r in found.records] == [
        _digest("C-1-责任书.pdf")
    ]
    assert _faults(path, folder) == [
        (3, "扫描件", "is empty, and no file of scans begins with C-2 and has pledge in its name")
    ]


def test_a_link_to_a_document_is_not_looked_up_either(tmp_path: Path, folder: Path) -> None:
    (folder / "C-3-责任书.pdf").symlink_to(folder / "任命书.pdf")
    found = reading.read(_list(tmp_path, _row("C-3")), today=TODAY, scans=folder)
    assert found.drafts == ("C-3",)


def test_a_data_inventory_and_a_ledger_by_their_files(tmp_path: Path, folder: Path) -> None:
    rows = [_row(inventory="清单.yml"), _row("C-2", inventory="清单.yml")]
    found = reading.read(_list(tmp_path, *rows), today=TODAY, scans=folder)
    assert found.faults == ()
    first, second = (record.document["data_inventory"] for record in found.records)
    assert first == second
    assert first is not second
    assert first["stores"][0]["name"] == "orders"
    wrong: dict[str, tuple[str | bytes, str]] = {
        "level.yml": (INVENTORY.replace("level: 重要", "level: 绝密"), "绝密"),
        "text.yml": ("just text", "is not of type"),
        "broken.yml": ("a: [", "not YAML"),
        "bomb.yml": ("a: &a [x, x]\nb: [*a, *a]\n", "alias"),
        "gbk.yml": (INVENTORY.encode("gbk"), "not UTF-8"),
        "large.yml": (b"#" * (5 << 20), "is larger than 4 MiB"),
        "pattern.yml": (
            INVENTORY.replace("name: orders", "name: ' '"),
            "is not of the form that is wanted",
        ),
    }
    for name, (content, told) in wrong.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
        ((_, column, reason),) = _faults(_list(tmp_path, _row(inventory=name)), folder)
        assert column == "数据清单"
        assert told in reason, name
        assert name in reason
        assert "^" not in reason
        assert "schemas/" not in reason
    ((_, column, reason),) = _faults(_list(tmp_path, _row(ledger="清单.yml")), folder)
    assert column == "事件台账"


def test_a_large_scan_is_digested_a_piece_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "large.tif").open("wb") as out:
        out.truncate(80 << 20)
    tracemalloc.start()
    assert len(Scans(folder).digest("large.tif")) == 64
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    monkeypatch.setattr(scans, "LARGEST", 64 << 20)
    with pytest.raises(Wrong, match="larger than"):
        Scans(folder).digest("large.tif")


def test_three_hundred_pledges_and_their_scans_through_the_command(
    place: str, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(300):
        for kind in ("责任书", "承诺书"):
            (folder / f"C-{number}_{kind}.pdf").write_bytes(os.urandom(1 << 16))
    path = _list(tmp_path, *(_row(f"C-{number}") for number in range(300)))
    begun = time.monotonic()
    done = _import(place, path, "--scans", str(folder))
    assert done.returncode == 0
    made = "" if "://" in place else f"新建了登记库：{place}；如路径有误，请删除它并改正\n"
    assert done.stderr == f"没有“等保级别”列：共 300 份登记，其中 300 份按二级登记\n{made}"
    assert done.stdout == "已导入 300 份登记：新增 300，更新 0\n"
    assert time.monotonic() - begun < 60
    (record,) = (r for r in Register.open(place).list() if r.id == "C-29")
    data = (folder / "C-29_承诺书.pdf").read_bytes()
    assert record.document["documents"][1]["sha256"] == hashlib.sha256(data).hexdigest()
    # one scan that is not there, and nothing of the list is taken
    path = _list(tmp_path, _row("D-1"), _row("D-2", responsibility="D-2.pdf"))
    done = _import(place, path, "--scans", str(folder))
    assert done.returncode == 2
    assert done.stderr.startswith("第 3 行，“责任书扫描件”列：文件“D-2.pdf”不在扫描件目录中")
    assert len(Register.open(place).list()) == 300


def _import(place: str, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "import", str(path), "--register", place,
         "--lang", "zh", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_no_folder_of_scans(tmp_path: Path, folder: Path, kind: str) -> None:
    place = tmp_path / "none" if kind == "missing" else folder / "任命书.pdf"
    with pytest.raises(BadInput, match=r"none: No such|Not a directory"):
        reading.read(_list(tmp_path, _row()), scans=place)
