"""The workbook: opened again, complete, with filters, and with no cell that a spreadsheet runs."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from collector.model import Capture, Lang, Text
from collector.pledges.record import form as record
from collector.pledges.standing.due import due
from collector.pledges.status.findings import Event, Life, State
from collector.report.model.contents import contents
from collector.report.render.html import words_in
from collector.report.render.xlsx import to_xlsx
from tests.pledges.records import EXAMPLE, TODAY
from tests.report import recorded
from tests.report.recorded import FORMULAS, NOW

SHEETS = ("summary", "findings", "retention", "exposure", "backup", "due")


@pytest.fixture(scope="module", params=["zh", "en"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    lang: Lang = request.param
    source = recorded.source(tmp_path_factory.mktemp("xlsx"), lang)
    falls_due = due(
        record.load(EXAMPLE, today=TODAY),
        (),
        NOW,
        within=timedelta(days=366),
        renewed=False,
        lives=None,
    )
    given = contents(source, lang)
    return lang, given, to_xlsx(given, source.capture, falls_due, NOW)


def sheet(made: Any, name: str) -> Worksheet:
    lang, _, data = made
    return load_workbook(io.BytesIO(data))[words_in(lang)["t"][f"sheet_{name}"]]


def rows(made: Any, name: str) -> list[dict[str, Any]]:
    head, *found = sheet(made, name).iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in found]


def test_every_sheet_has_a_frozen_header_and_a_filter_over_all_of_it(made: Any) -> None:
    lang, _, data = made
    book = load_workbook(io.BytesIO(data))
    assert book.sheetnames == [words_in(lang)["t"][f"sheet_{name}"] for name in SHEETS]
    for page in book:
        assert page.freeze_panes in ("A2", "B2")
        assert page.auto_filter.ref == page.dimensions
        assert page.max_row > 1, page.title
        assert all(cell.font.bold for cell in page[1])


def test_on_paper_each_sheet_is_as_wide_as_a_page_and_can_be_read(made: Any) -> None:
    """Of the findings what somebody mends by; the width of a column is in characters."""
    lang, _, data = made
    t = words_in(lang)["t"]
    book = load_workbook(io.BytesIO(data))
    for page in book:
        assert page.print_title_rows == "$1:$1"
        assert (page.page_setup.orientation, page.page_setup.fitToHeight) == ("landscape", 0)
        assert page.print_area.split("!")[1].startswith("$A$1:$")
        assert page.print_area.endswith(f"${page.max_row}")
    page = book[t["sheet_findings"]]
    last = [cell.value for cell in page[1]].index(t["mend_state"]) + 1
    assert f":${get_column_letter(last)}$" in page.print_area
    wide = sum(page.column_dimensions[get_column_letter(n)].width for n in range(1, last + 1))
    # A4 landscape takes about 145 at full size: three fifths of it can still be read
    assert wide < 240


def test_every_finding_is_in_it(made: Any) -> None:
    lang, given, _ = made
    t = words_in(lang)["t"]
    found = rows(made, "findings")
    assert len(found) == sum(len(host.by_control) for host in given["hosts"])
    assert {row[t["number"]] for row in found} == {c["number"] for c in given["controls"]}
    assert any(row[t["waived_until"]] for row in found)


def test_who_mends_what_until_when(tmp_path: Path) -> None:
    """Of the register: the person, the day, and how far it is; nothing is made up without it."""
    source = recorded.source(tmp_path, "en")
    given = contents(source, "en")
    host = next(h for h in given["hosts"] if len(h.open) > 1)
    late, other = host.open[:2]

    def life(shown: Any, state: State, owner: str, until: datetime | None) -> Life:
        opened = Event("opened", NOW, 1, shown.result)
        return Life(
            shown.control, host.name, shown.number, Text("", ""), False, state, shown.result, 1,
            (opened,), owner, until,
        )  # fmt: skip

    lives = {
        (host.name, late.control): life(late, "open", "李 13912345678", NOW - timedelta(days=1)),
        (host.name, other.control): life(other, "waived", "", None),
    }
    t = words_in("en")["t"]
    book = load_workbook(io.BytesIO(to_xlsx(given, source.capture, (), NOW, lives)))
    head, *cells = book[t["sheet_findings"]].iter_rows(values_only=True)
    found = [dict(zip(map(str, head), row, strict=True)) for row in cells]
    by = {(row[t["host"]], row[t["number"]]): row for row in found}
    owner, by_day, state = t["responsible"], t["mend_by"], t["mend_state"]
    row = by[(host.name, late.number)]
    assert row[owner].startswith("李 ")
    assert "13912345678" not in row[owner], "telephone numbers are masked"
    assert row[by_day] == (NOW - timedelta(days=1) + timedelta(hours=8)).replace(tzinfo=None)
    assert row[state] == "overdue"
    assert by[(host.name, other.number)][state] == "waived"
    rest = [r for key, r in by.items() if key not in {(host.name, x.number) for x in (late, other)}]
    assert rest
    assert not any(r[owner] or r[by_day] or r[state] for r in rest)


def test_retention_exposure_backup_and_due_list(made: Any) -> None:
    lang, given, _ = made
    t = words_in(lang)["t"]
    logs = rows(made, "retention")
    assert len(logs) >= sum(len(host.logs.rows) for host in given["hosts"] if host.logs)
    assert any(isinstance(row[t["log_oldest"]], date) for row in logs)
    assert all(row[t["log_path"]] or row[t["xlsx_why"]] for row in logs)
    reached = rows(made, "exposure")
    assert {t["reach_unknown"]} <= {row[t["reachable"]] for row in reached}
    assert any(row[t["store"]] for row in rows(made, "backup"))
    falls_due = rows(made, "due")
    assert {row[t["due_state"]] for row in falls_due} <= {t["due_overdue"], t["due_coming"]}
    assert all(isinstance(row[t["due_at"]], date) for row in falls_due)


def test_text_of_hosts_stays_text(made: Any) -> None:
    _, _, data = made
    for page in load_workbook(io.BytesIO(data)):
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f", cell.value
                if isinstance(cell.value, str):
                    assert not re.search(
                        r"[\x00-\x09\x0b-\x1f\u200b-\u200f\u202a-\u202e]", cell.value
                    )
                    if cell.value.startswith(("=", "+", "-", "@")):
                        assert cell.quotePrefix, cell.value
    names = {cell.value for cell in sheet(made, "findings")["A"]}
    assert FORMULAS[0] in names
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pages = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
    assert pages
    assert not any(b"<f>" in page or b"<f " in page for page in pages)


@pytest.mark.parametrize("start", FORMULAS)
def test_no_start_of_a_formula_is_one(tmp_path: Path, start: str) -> None:
    from openpyxl import Workbook

    from collector.report.render import workbook

    book = Workbook(write_only=True)
    t = {"sheet_x": "x", "a": "A"}
    workbook.write(book, workbook.Sheet("sheet_x", ("a",), [(start,), (f"{start}\x00\x1b",)]), t)
    book.save(tmp_path / "x.xlsx")
    page = load_workbook(tmp_path / "x.xlsx").active
    assert page is not None
    assert [cell.data_type for row in page.iter_rows() for cell in row] == ["s"] * 3
    assert page["A2"].value == start.replace("\t", "\\x09")
    assert page["A3"].value.endswith("\\x00\\x1b")


def test_columns_are_wide_enough_for_chinese(made: Any) -> None:
    lang, _, _ = made
    page = sheet(made, "findings")
    width = page.column_dimensions["D"].width
    titles = [str(cell.value) for cell in page["D"]]
    longest = max(len(t) * (2 if lang == "zh" else 1) for t in titles)
    assert 14 <= width <= 62
    assert width >= min(longest * 0.7, 60)


def test_numbers_of_people_are_masked(made: Any) -> None:
    _, _, data = made
    text = "\n".join(
        str(cell)
        for page in load_workbook(io.BytesIO(data))
        for row in page.iter_rows(values_only=True)
        for cell in row
    )
    for secret in ("13912345678", "13800000001", "110101199003070011", "0571-88000000"):
        assert secret not in text


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_libreoffice_reads_it(made: Any, tmp_path: Path) -> None:
    _, _, data = made
    (tmp_path / "r.xlsx").write_bytes(data)
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "csv", "--outdir", tmp_path, tmp_path / "r.xlsx"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert (tmp_path / "r.csv").stat().st_size


def test_a_host_that_was_not_reached_is_in_it(tmp_path: Path) -> None:
    from collector.model import HostStatus
    from collector.report.model.contents import Source
    from tests.report.evidence import RECORD, evidence
    from tests.report.evidence import host as lost

    gone: Capture = lost("gone", status=HostStatus.UNREACHABLE, detail="timed out")
    document, known = evidence([gone], tmp_path)
    source = Source(document, known.__getitem__, RECORD, "", "")
    data = to_xlsx(contents(source, "en"), source.capture, (), NOW)
    assert [row[0].value for row in load_workbook(io.BytesIO(data))["Findings"].iter_rows()] == [
        "Host",
        "gone",
    ]
