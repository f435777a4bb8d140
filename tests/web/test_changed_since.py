"""Something changed since the newest evidence: no place says more of it than the status does."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl
import pytest

from collector import captures, catalog, releases
from collector.attest.trust.trust_file import Trust
from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.status import status
from collector.web.pages import customer
from tests.cli.running import answer, hostpledge
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.test_ended_documents import ATTESTED, CAPTURE, ID, _attested, _record
from tests.web.sites import Place, Site, with_accounts

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
CLAUSE = catalog.control(ATTESTED).clause
Change = Callable[[Place], None]


def _changed(place: Place, **changes: Any) -> None:
    register = Register.open(place.register)
    known = json.loads(register.get(ID).canonical())
    new = {name: value for name, value in (known | changes).items() if value is not None}
    register.add(from_document(new, where="", today=TODAY), update=True)


def _hosts(place: Place, *hosts: str) -> None:
    known = json.loads(Register.open(place.register).get(ID).canonical())
    _changed(place, resources={**known["resources"], "hosts": list(hosts)})


def _revoked(place: Place) -> None:
    over = tuple(replace(key, revoked_at=NOW) for key in place.signer.trust.keys)
    (place.home / "trust.json").write_bytes(Trust(over).to_bytes())


# by change, how many days ago it was looked at, and what changed since
CHANGES: dict[str, tuple[int, Change]] = {
    "host added": (1, lambda place: _hosts(place, "web-01", "web-02")),
    "hosts are others": (1, lambda place: _hosts(place, "web-09")),
    "attestation withdrawn": (1, lambda place: _changed(place, attestations=None)),
    "key revoked": (1, _revoked),
    "evidence aged": (100, lambda _: None),
}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Place]:
    """A register of which the one clause passes, as it was looked at so many days ago."""
    known = releases.current()
    small = replace(known, controls=MappingProxyType({ATTESTED: known.controls[ATTESTED]}))
    monkeypatch.setattr(releases, "current", lambda: small)
    monkeypatch.setattr(releases, "find", lambda _digest: small)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(tmp_path / "trust.json"))
    signer = Signer(tmp_path / "signer")
    (tmp_path / "trust.json").write_bytes(signer.trust.to_bytes())
    place = Place(str(tmp_path / "register.sqlite"), str(tmp_path / "state"), signer, tmp_path)

    def build(days: int) -> Place:
        register = Register.open(place.register)
        register.add(_record(grade=3, attestations=[_attested() | {"date": "2026-01-20"}]))
        at = NOW - timedelta(days=days)
        lives.check(
            register, ID, signer, captures.load(CAPTURE), at, grade=3, controls=(ATTESTED,),
            bearing=True,
        )  # fmt: skip
        with_accounts(place.state)
        return place

    return build


def _told(place: Place, *words: str) -> str:
    given = ("--register", place.register, "--lang", "en")
    trust = str(place.home / "trust.json")
    done = hostpledge("pledge", *words, *given, home=place.home / "home", HOSTPLEDGE_TRUST=trust)
    assert done.status in (0, 1, 2) and done.out, done.err
    return done.out.lstrip("\ufeff")


def _csv(text: str) -> str:
    (row,) = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    return str(row[f"clause_{CLAUSE}"])


def _xlsx(data: bytes) -> set[str]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    return {str(cell) for row in sheet.iter_rows(values_only=True) for cell in row}


def _status(place: Place) -> str:
    """Here, as another process has the whole catalogue, and the bundle is of one control."""
    register = Register.open(place.register)
    told = status(register.get(ID), register.evidence(ID), datetime.now(UTC), renewed=False,
                  shown=lambda _newest: ())  # fmt: skip
    return next(str(c.verdict) for c in told.clauses if c.clause.id == f"responsibility.{CLAUSE}")


def _places(place: Place, site: Site) -> dict[str, str]:
    """By place, its word of the clause, or of the one finding that it rests on."""
    browser = site.browser("boss")
    (entry,) = answer(_told(place, "list", "--format", "json"))["pledges"]
    summary = answer(_told(place, "list", "--summary", "--format", "json"))["summary"]
    found = {
        "list json": entry["proven"][CLAUSE],
        "list csv": _csv(_told(place, "list", "--format", "csv")),
        "summary": next(iter(summary["clauses"][CLAUSE])),
        "overview": site.house.rows.one(ID)[f"c{CLAUSE.replace('.', '')}"],  # type: ignore[index]
        "overview csv": _csv(browser.get("/export.csv?life=all&lang=en").text),
    }  # fmt: skip
    known = site.house.customer.dossier(ID, datetime.now(UTC), None, "en")
    newest = known.found_now().looks(site.house.customer.looks(known))
    answers = customer._answers(known, newest, "en", readable=True)
    found["customer"] = next(str(one["result"]) for one in answers if one["id"] == CLAUSE)
    (finding,) = (f for f in newest.hosts["web-01"]["findings"] if f["control"] == ATTESTED)
    found["matrix"] = finding["verdict"]
    page = browser.get(f"/pledges/{ID}/findings/{ATTESTED}/web-01?lang=en").text
    (found["finding"],) = re.findall(r'<div class="finding (\w+)">', page)
    sheet = _xlsx(browser.get("/export.xlsx?life=all&lang=en").content)
    found["overview xlsx"] = "pass" if "pass" in sheet else "error"
    return found


# what a look found of one host stands, though that is no proof of the whole clause any more
_OF_ONE = {"matrix", "finding"}


@pytest.mark.parametrize("change", CHANGES)
def test_no_place_says_kept_where_the_status_does_not(
    kept: Callable[[int], Place], change: str
) -> None:
    days, happens = CHANGES[change]
    place = kept(days)
    site = Site(place)
    before = _places(place, site) if days == 1 else {}
    assert set(before.values()) <= {"pass"}, before
    happens(place)
    site.house.index.renew()
    assert _status(place) == "error"
    after = _places(place, site)
    if change in ("host added", "hosts are others"):
        after = {where: word for where, word in after.items() if where not in _OF_ONE}
    assert {where: word for where, word in after.items() if word != "error"} == {}
    assert site.house.rows.one(ID)["standing"] == "unverified"  # type: ignore[index]
