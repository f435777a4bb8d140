"""What a signer, or root on a host, named the page writes out: nothing acts, turns or hides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.attest.bundle import making as bundle
from collector.verify.webpage import page
from tests.browser import Page, browser, opened
from tests.hostile import clean, fill
from tests.test_webpage import told

pytestmark = pytest.mark.skipif(browser() is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found


def test_a_hostile_word_in_every_place(shown: Page, tmp_path: Path) -> None:
    fill(tmp_path)
    bundle.pack(tmp_path / "b", tmp_path / "b.zip")
    trust = (tmp_path / "trust.json").read_text()
    for _ in ("one language", "the other"):
        state, said = told(shown, tmp_path / "b.zip", trust)
        assert state == "narrow", said
        clean(said, "page")
        assert "absentw\\u{a}FORGED" in said
        assert "“one, two”" in said
        assert "“db-1, db-2, db-3”" in said
        shown.ask("document.getElementById('language').click()")


def test_what_takes_no_ink_is_written_out(shown: Page) -> None:
    assert shown.ask("plain('a\\u3164\\u2800\\ufe0f\\u00ad\\u200b\\n\\u202eb')") == (
        "a\\u{3164}\\u{2800}\\u{fe0f}\\u{ad}\\u{200b}\\u{a}\\u{202e}b"
    )
    assert shown.ask("plain('数据库 é ﷼ 😀')") == "数据库 é ﷼ 😀"
