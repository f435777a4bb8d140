"""A page that nobody told whom to trust says so, and proves nothing: it has a user of its own.

Who attaches was given a trust, and the page's user was not: a key that was revoked would count
there for ever.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from collector.cli.commands import doctor
from collector.cli.commands.serve import serving
from collector.pledges.register.register import Register
from collector.web.reading.library import Library
from tests.web.sites import Place, Site, filled, with_accounts

ROOT = Path(__file__).parents[2]
BANNER = "This page has no trust file"
CLAUSES = ("2.2", "2.3", "2.4")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """What engineers attached, and a page of another user's, as the unit in packaging/ has it."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "engineers"))
    monkeypatch.delenv("HOSTPLEDGE_TRUST", raising=False)
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    assert not Library(found.register).trusts_nobody, "who attached trusts somebody"
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "page"))
    return found


def _words(site: Site) -> set[str]:
    rows = csv.DictReader(io.StringIO(site.browser("boss").get("/export.csv?life=all").text[1:]))
    return {row[f"clause_{n}"] for row in rows if row["id"] != "demo-3" for n in CLAUSES}


def test_a_page_that_trusts_nobody_says_so_and_proves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = Site(place)
    assert _words(site) == {"error"}
    for path in ("/", "/due", "/accounts", "/pledges/demo-1"):
        assert BANNER in site.browser("boss").get(f"{path}?lang=en").text
    assert BANNER not in site.browser().get("/sign-in?lang=en").text
    assert "nobody is trusted here" in site.browser("boss").get("/pledges/demo-1?lang=en").text
    assert site.house.index.said("doubts") == []
    # it is put there, and no new start is needed
    named = tmp_path / "trust.json"
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    named.write_bytes(place.signer.trust.to_bytes())
    site.house.index.renew()
    assert BANNER not in site.browser("boss").get("/?lang=en").text
    known = Register.open(place.register)
    assert "nobody" not in "".join(row.refused for row in known.evidence("demo-1"))
    assert "nobody is trusted" not in site.browser("boss").get("/pledges/demo-1?lang=en").text


def test_it_is_said_at_its_start_and_by_the_doctor(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serving._say_trust(Library(place.register))
    assert "HOSTPLEDGE_TRUST" in capsys.readouterr().err
    assert doctor._trust().state is doctor.State.NOTE
    named = tmp_path / "trust.json"
    named.write_bytes(place.signer.trust.to_bytes())
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    serving._say_trust(Library(place.register))
    assert capsys.readouterr().err == ""
    assert doctor._trust().state is doctor.State.OK
    named.unlink()
    assert doctor._trust().state is doctor.State.BAD


@pytest.mark.parametrize(
    "name",
    ["docs/web.md", "docs/web.zh.md", "packaging/systemd/hostpledge-serve.service",
     "packaging/web/Containerfile"],
)  # fmt: skip
def test_where_it_goes_is_said(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "HOSTPLEDGE_TRUST" in text
    assert "/etc/hostpledge/trust.json" in text
