"""The workbook that asks for every field: all there is has a place, and comes back as it was."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collector.errors import BadInput
from collector.faults import documents
from collector.model import Lang
from collector.pledges.lists import reading, template
from collector.pledges.lists.forms import FORMS
from collector.pledges.lists.places import MAIN, OF_COMMANDS, PLEDGE, SIGNED, folded, tables
from collector.pledges.record import form
from tests.pledges.filled import book, fill, put, saved

TODAY = date(2026, 11, 25)
WHOLE = Path(__file__).with_name("whole.yml")
SCHEMA: Mapping[str, Any] = documents()["urn:hostpledge:schema:pledge-record:1"]


def _fields(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """(list that it is in, field) of everything that the schema lets a record hold."""
    if "$ref" in node:
        node = {**SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")], **node}
    if "properties" in node:
        for name, inner in node["properties"].items():
            if not path and name in OF_COMMANDS:
                # what a command alone does, no list can say that it was done
                continue
            yield from _fields(inner, f"{path}.{name}" if path else name)
    elif node.get("type") == "array" and ("properties" in node["items"]):
        for _, field in _fields(node["items"], ""):
            yield path, field
    else:
        yield MAIN, path


def test_every_field_of_the_schema_has_a_column_and_no_other_is_there() -> None:
    asked = {
        (table.field, column.field)
        for table in tables().values()
        for column in table.columns.values()
        if column.field != PLEDGE and not column.field.startswith(f"{SIGNED}.")
    }
    assert asked == set(_fields(SCHEMA, ""))
    assert len(asked) > 150


def test_each_column_and_sheet_has_names_of_its_own() -> None:
    names: Counter[str] = Counter()
    for table in tables().values():
        names.update({folded(name) for name in table.names})
        headings = Counter(folded(n) for c in table.columns.values() for n in set(c.names))
        assert not [name for name, count in headings.items() if count > 1], table.field
        for column in table.columns.values():
            assert any(c >= "\u4e00" for c in column.names[0]), column
            assert column.names[1].isascii(), column
            assert table.known[folded(column.names[0])] == column.field
    assert not [name for name, count in names.items() if count > 1]


def test_what_has_a_form_says_it_in_words() -> None:
    for table in tables().values():
        for column in table.columns.values():
            if "pattern" in column.node:
                assert column.kind in FORMS, column.field


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_template_has_a_sheet_for_each_list_and_drop_downs(lang: Lang) -> None:
    made = book(lang)
    assert made.sheetnames[:-1] == [template.title(table, lang) for table in tables().values()]
    main = made.worksheets[0]
    offered = {d.formula1 for d in main.data_validations.dataValidation}
    assert ('"单位,个人"' if lang == "zh" else '"unit,person"') in offered
    other = made.worksheets[1]
    assert f"'{main.title}'!$A$3:$A$10000" in {
        d.formula1 for d in other.data_validations.dataValidation
    }
    # digits that are no number are text from the start
    assert main.column_dimensions["D"].number_format == "@"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_that_nobody_filled_in(lang: Lang, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]*no row in it; fill in the sheet \S+, a row for"):
        reading.read(saved(book(lang), tmp_path))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_record_with_every_field_comes_back_as_it_was(lang: Lang, tmp_path: Path) -> None:
    whole = form.load(WHOLE, today=TODAY)
    told = {k: v for k, v in whole.document.items() if k not in OF_COMMANDS}
    record = form.from_document(told, where="whole", today=TODAY)
    filled = book(lang)
    fill(filled, record.document, template.FIRST, lang)
    found = reading.read(saved(filled, tmp_path), today=TODAY)
    assert found.faults == ()
    assert found.unknown == ()
    assert [one.canonical() for one in found.records] == [record.canonical()]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_examples_are_a_record(lang: Lang, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    filled = book(lang)
    for table in tables().values():
        page = filled[template.title(table, lang)]
        for column in table.columns.values():
            shown = template.example(column, lang)
            if column.field == PLEDGE:
                shown = "C-2026-001"
            if column.kind == "scan" and shown:
                (scans / shown).write_bytes(shown.encode())
            if shown and column.kind != "file":
                put(page, template.FIRST, template.heading(column, lang), shown)
    for kind in ("责任书", "承诺书"):
        (scans / f"C-2026-001-20260108-{kind}.pdf").write_bytes(kind.encode())
    found = reading.read(saved(filled, tmp_path), today=TODAY, scans=scans)
    assert found.faults == ()
    (record,) = found.records
    assert [d["type"] for d in record.document["documents"]] == [
        "responsibility", "pledge", "responsibility",
    ]  # fmt: skip
    assert record.document["acknowledgements"][0]["clauses"] == ["responsibility.1", "pledge.1"]
    assert "draft" not in record.document


def _import(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "import", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_writes_one_and_takes_the_place_of_nothing(tmp_path: Path, place: str) -> None:
    file = tmp_path / "t.xlsx"
    done = _import("--template", str(file), "--lang", "zh")
    assert (done.returncode, done.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    done = _import("--template", str(file), "--lang", "en")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    done = _import(str(file), "--register", place, "--lang", "zh")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "没有任何一行；请填写工作表“登记”" in done.stderr
    assert _import("--template", str(tmp_path / "t.csv")).returncode == 2
    assert _import("--template", str(tmp_path / "u.xlsx"), str(file)).returncode == 2
    assert not (tmp_path / "u.xlsx").exists()
    listed = _import("--columns").stdout.splitlines()
    assert listed[0].startswith("编号 | id | 登记编号")
    assert sum(len(t.columns) for t in tables().values()) + 2 * 18 == len(listed)
