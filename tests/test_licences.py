"""Every package of an installation has a licence that goes with ours, and stands on the page."""

from __future__ import annotations

import re
import tomllib

import pytest

from tools.licences import GO_WITH_OURS, PAGE, ROOT, licence, packages


@pytest.mark.parametrize("name", [name for name, _ in packages()])
def test_it_goes_with_ours(name: str) -> None:
    told = licence(name)
    if told:
        assert any(word.lower() in told.lower() for word in GO_WITH_OURS), f"{name}: {told}"
        assert "AGPL" not in told
        assert "Affero" not in told


def test_the_page_names_each() -> None:
    """With the locked version; what another Python wants is not installed here."""
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    for name, version in packages():
        if licence(name):
            row = next((row for row in rows if row.startswith(f"| {name} | ")), "")
            assert f"| {version} | " in row, f"{name}: python -m tools.licences"


def test_the_page_names_each_that_we_ask_for_ourselves() -> None:
    """Whatever a package says of itself: what it says nothing of stood on no line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(one for n in extras if n != "dev" for one in extras[n])]
    rows = {row.split(" | ")[0][2:] for row in PAGE.read_text("utf-8").splitlines() if "|" in row}
    names = {re.split(r"[\[<>=~! ;]", one)[0].lower() for one in asked}
    assert names - rows == set()


def test_two_versions_of_one_package_are_both_named() -> None:
    """Which of them is installed, the Python decides."""
    known = dict(packages())
    assert len(known["ansible-core"].split(", ")) == 2
    assert f"| ansible-core | {known['ansible-core']} | GPL" in PAGE.read_text("utf-8")
