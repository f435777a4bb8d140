"""The role `antivirus`: what it sees before it changes anything, and how it writes settings."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from collector.run.probes.antivirus import told
from tests.cases import HERE, load

ROLE = Path(__file__).parents[2] / "roles/antivirus"
clamav_settings = cast(
    "Callable[..., str]",
    runpy.run_path(str(ROLE.parents[1] / "plugins/filter/clamav_settings.py"))["clamav_settings"],
)


def seen(case: str) -> dict[str, Any]:
    return told(load(HERE / "controls/antivirus" / case).capture)


def test_what_blinds_is_named_and_nothing_else() -> None:
    assert list(seen("exclusions/tmp.fail.yml")["blinding"].values()) == [["^/tmp/"]]
    found = seen("exclusions/looks_wrong_tmp_in_its_name.pass.yml")["blinding"]
    assert set(map(len, found.values())) == {0}


def test_an_expression_that_is_not_understood_stays_for_a_person() -> None:
    found = seen("exclusions/class_of_posix.error.yml")["blinding"]
    assert set(map(len, found.values())) == {0}


def test_another_product_is_seen_with_its_units() -> None:
    names = {p["id"] for p in seen("exclusions/yunjing.error.yml")["products"]}
    assert names == {"yunjing"}
    assert seen("exclusions/tmp.fail.yml")["products"] == []


TEXT = 'Example\n# a word\nLocalSocket /run/x\nLogTime true\nLogTime false\nExcludePath "^/srv/"\n'


@pytest.mark.parametrize(
    ("exact", "default", "more", "drop", "wanted"),
    [
        ({}, {}, [], [], TEXT.removeprefix("Example\n")),
        ({"LogTime": "yes"}, {"LocalSocket": "/y"}, [["ExcludePath", "^/srv/"]],
         ["LocalSocket  /run/x"], '# a word\nLogTime yes\nExcludePath "^/srv/"\nLocalSocket /y\n'),
        ({"New": 1}, {"LogTime": "no"}, [["ExcludePath", "^/a/"], ["ExcludePath", "^/a"]], [],
         '# a word\nLocalSocket /run/x\nLogTime true\nLogTime false\nExcludePath "^/srv/"\nNew 1\n'
         "ExcludePath ^/a/\nExcludePath ^/a\n"),
    ],
)  # fmt: skip
def test_settings(
    exact: dict[str, Any], default: dict[str, Any], more: list[list[str]], drop: list[str],
    wanted: str,
) -> None:  # fmt: skip
    once = clamav_settings(TEXT, exact, default, more, drop)
    assert once == wanted
    assert clamav_settings(once, exact, default, more, drop) == once
