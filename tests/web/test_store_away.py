"""With the bundles away nobody can look what was mended: that is said, and nothing is made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import answer, hostpledge
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.web.sites import Place, Site, record, with_accounts

SAID = "could not look whether it is mended"
SAID_ZH = "未能查看是否已整改"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """demo-0 has a finding that was to be mended in January; its evidence is away."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "register").mkdir()
    where = tmp_path / "register" / "register.sqlite"
    register, signer = Register.open(str(where)), Signer(tmp_path / "signer")
    register.add(record("demo-0", "杭州示例云帆科技有限公司", 0))
    at = datetime.now(UTC) - timedelta(days=2)
    attached = lives.check(register, "demo-0", signer, lives.captured("weak"), at)
    attached.path.rename(tmp_path / "away")
    with_accounts(str(tmp_path / "state"))
    return Place(str(where), str(tmp_path / "state"), signer, tmp_path)


def _pledge(own: Place, *words: str) -> str:
    words = ("pledge", *words, "--register", own.register)
    ended = hostpledge(*words, home=own.home / "home")
    assert ended.status == 1, ended.err
    return ended.out


def test_due_and_status_say_that_they_could_not_look(own: Place) -> None:
    found = answer(_pledge(own, "due", "--kind", "finding", "--format", "json"))["due"]
    assert [(one["overdue"], one["could_not_look"]) for one in found] == [(False, True)]
    assert SAID in found[0]["text"]
    shown = _pledge(own, "due", "--kind", "finding", "--overdue")
    assert "could not look" in " ".join(shown.split())
    assert "overdue" not in shown
    told = json.loads(_pledge(own, "status", "demo-0", "--format", "json"))
    assert [one["kind"] for one in told["could_not_look"]] == ["finding"]
    assert "finding" not in [one["kind"] for one in told["overdue"]]
    assert "could not look:" in _pledge(own, "status", "demo-0")
    assert SAID_ZH in "".join(_pledge(own, "status", "demo-0", "--lang", "zh").split())


def test_the_list_of_the_page_says_so(own: Place) -> None:
    browser = Site(own).browser("eng")
    shown = browser.get("/due?kind=finding").text
    assert SAID in shown
    assert "2026-01-20" in shown
    assert '<span class="warn">' not in shown
    rows = browser.get("/due/export.csv?kind=finding").text
    assert SAID in rows
    assert "+08:00,no,finding," in rows
