"""Every package of an installation has a licence that goes with ours, and stands on the page."""

from __future__ import annotations

import pytest

from tools.licences import GO_WITH_OURS, PAGE, licence, packages


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
