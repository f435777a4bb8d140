"""What verifies and proves less than it seems to is not green in the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from tests import bundles
from tests.browser import Page, browser
from tests.counts import AT_2
from tests.signers import green, keeping, lie
from tests.test_webpage import KEYS, made, shown, told, trust, zipped

__all__ = ["made", "shown"]
pytestmark = pytest.mark.skipif(browser() is None, reason="chromium is not installed")
SEVEN = [one.id for one in catalog.select() if one.clause == "2.2"][:7]


def _of_no_release(document: dict[str, Any]) -> None:
    document["catalog_sha256"] = "ab" * 32


def test_what_is_dated_ahead_is_not_green(
    shown: Page, made: dict[str, Path], tmp_path: Path
) -> None:
    early = int((datetime.now(UTC) - timedelta(days=1)).timestamp() * 1000)
    shown.ask(f"globalThis.realNow = Date.now; Date.now = () => {early}; undefined")
    state, said = told(shown, zipped(made["ed25519"], tmp_path / "b.zip"), trust())
    shown.ask("Date.now = realNow; undefined")
    assert state == "narrow", said
    assert "it is dated in a time that is yet to come" in said
    assert "Its time, which is yet to come: a look, or what it was judged for, " in said


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        (keeping(SEVEN), "narrow", f"Verified, but only 7 of {AT_2} controls: no proof of 二(二)"),
        (_of_no_release, "partial", "made by a release that this page does not know"),
    ],
    ids=["a part alone", "a release that nobody knows"],
)
@pytest.mark.parametrize("scoped", [True, False], ids=["new", "as before scopes were told"])
def test_what_proves_nothing_is_not_green(
    shown: Page, tmp_path: Path, change: Callable[[dict[str, Any]], None],
    state: str, said: str, *, scoped: bool,
) -> None:  # fmt: skip
    """Its signer calls all of it a pass, and is trusted."""

    answer = bundles.make(tmp_path, [bundles.capture("web-1")], KEYS["ed25519"])[0].path

    def green_too(document: dict[str, Any]) -> None:
        change(document)
        green(document)

    lie(answer, KEYS["ed25519"], green_too, told=scoped)
    seen, text = told(shown, zipped(answer, tmp_path / "b.zip"), trust())
    assert (seen, said in text) == (state, True), text
    assert shown.ask("document.querySelector('.verdict[data-verdict=pass]')") is None
    assert "7 of 25 controls" in text or state == "partial"


def test_all_controls_on_some_hosts_are_not_only_so_many(shown: Page, tmp_path: Path) -> None:
    answer = bundles.make(tmp_path, [bundles.capture("web-1")], KEYS["ed25519"])[0].path
    lie(answer, KEYS["ed25519"], green, absent=("db-1",))
    state, said = told(shown, zipped(answer, tmp_path / "b.zip"), trust())
    assert state == "narrow", said
    assert "Verified, but not on every declared host: no proof of 二(二)" in said
