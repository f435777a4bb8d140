"""What the tool itself says is never taken for the signer's own words, in the page or in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collector import catalog
from collector.attest.trust.trust_file import trust_of
from collector.verify import open_bundle, verify
from tests import bundles, cases
from tests.browser import Page, browser
from tests.test_webpage import KEYS, made, shown, told, trust, zipped

__all__ = ["made", "shown"]
# a reason that the control has other words for, and an attestation that stands behind its words
CASES = {
    "logging.logins": "logging/logins/looks_right_written_by_logger.error.yml",
    "backup.versions": "backup/versions/attested_but_pruned.fail.yml",
}


@pytest.fixture(params=CASES)
def made_of(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    case = cases.load(cases.HERE / "controls" / CASES[request.param])
    found = replace(case.capture, host="web-1")
    answer, _ = bundles.make(
        tmp_path, [found], KEYS["ed25519"], attached=case.attached,
        controls=[catalog.control(request.param)], grade=case.grade,
    )  # fmt: skip
    return answer.path


def test_python_takes_them_for_the_tools(made_of: Path) -> None:
    with open_bundle(made_of) as opened:
        assert not verify(opened, trust_of([KEYS["ed25519"].public])).strange


@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_the_page_takes_them_for_the_tools(shown: Page, made_of: Path, tmp_path: Path) -> None:
    _, said = told(shown, zipped(made_of, tmp_path / "b.zip"), trust())
    assert "Verified" in said
    assert "but the signer's own:" not in said
