"""docs/exports.md: every form and reader stands in it, and in both languages the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.export import FORMATS
from collector.verify import summary
from tests.readers.__main__ import READERS

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("exports.md", "exports.zh.md")}


@pytest.mark.parametrize("name", PAGES)
def test_every_form_is_told_of(name: str) -> None:
    first = {form for row in _rows(PAGES[name]) for form in re.findall(r"`([a-z]+)`", row[0])}
    assert set(FORMATS) - {"table"} <= first


@pytest.mark.parametrize("name", PAGES)
def test_every_reader_stands_there_and_read_it(name: str) -> None:
    told = {row[1]: row for row in _rows(PAGES[name]) if row[-1] == "reads it"}
    assert set(told) == set(READERS)
    for reader, row in told.items():
        assert row[0] == READERS[reader][0]
        assert row[2] != "-"


def test_both_languages_have_the_same_table() -> None:
    tables = [[r for r in _rows(page) if r[-1] == "reads it"] for page in PAGES.values()]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("name", PAGES)
def test_every_property_of_a_summary_is_explained(name: str) -> None:
    source = Path(summary.__file__).read_text()
    names = set(re.findall(r'"([A-Z][A-Z_]+)"', source)) | {
        f"{found}N" for found in re.findall(r'f"(SCOPE_WHOLE_GRADE_|LOOKED_WITHIN_)', source)
    }
    explained = {row[0].strip("`") for row in _rows(PAGES[name])}
    assert names - {"HOSTPLEDGE_", "HOSTPLEDGE_SIGNATURE"} <= explained
    assert "CLAUSE_2_2_GRADE_N" in explained


def _rows(page: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
