"""Where there is not time for all tests, what is quick has run, and the others say why not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import long

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.delenv(long.MINUTES, raising=False)
    yield monkeypatch


def test_without_a_limit_there_is_always_time(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("HOSTPLEDGE_TEST_BEGUN", "0")
    assert not long.over()
    clean.setenv(long.MINUTES, "40")
    assert long.over()


def test_the_limit_is_in_minutes(clean: pytest.MonkeyPatch) -> None:
    clean.setenv(long.MINUTES, "40")
    for minutes, over in ((39, False), (41, True)):
        clean.setenv("HOSTPLEDGE_TEST_BEGUN", str(time.time() - 60 * minutes))
        assert long.over() is over


def test_a_test_goes_by_its_own_name_its_cases_or_its_file() -> None:
    whole = "tests/test_fleet_bare.py"
    assert long.named(f"{whole}::test_a_second_run_changes_nothing") == whole
    one = "tests/web/test_docs.py::test_the_commands_of_the_guide"
    assert long.named(f"{one}[web.md-en]") == one
    assert long.named("tests/test_long.py::test_nothing") == ""
    assert long.seconds({whole, one}) == long.seconds([whole]) + long.seconds([one])


def test_what_is_named_is_there() -> None:
    for name in long._known():
        path, _, test = name.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {test.partition('[')[0]}(" in text if test else "def test_" in text, name
