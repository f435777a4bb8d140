"""A waiver that ended, or was withdrawn, softens nothing: all places say one thing."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.web.reading import broken
from collector.web.reading.monthly import Monthly
from tests.clock import today
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.records import made
from tests.web.sites import Place, Site, with_accounts
from tests.web.test_newest import GRAVE, _alone
from tests.web.test_same_truth import _told

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
LATER = (TODAY + timedelta(days=30)).isoformat()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """demo-0 fails GRAVE on web-01, waived when it was judged."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "register").mkdir()
    where = str(tmp_path / "register" / "register.sqlite")
    register, signer = Register.open(where), Signer(tmp_path / "signer")
    document = made().document
    known = {**document, "id": "demo-0", "waivers": [_waiver(LATER)],
             "resources": {**document["resources"], "hosts": ["web-01"]}}  # fmt: skip
    register.add(from_document(known, where="", today=TODAY))
    at = NOW - timedelta(days=2)
    _alone(register, signer, "web-01", lives.captured("weak"), (GRAVE,), at,
           waivers=register.waivers(register.get("demo-0")))  # fmt: skip
    place = Place(where, str(tmp_path / "state"), signer, tmp_path)
    with_accounts(place.state)
    return place


def _waiver(expires: str, control: str = GRAVE, host: str = "web-01") -> dict[str, str]:
    return {"control": control, "host": host, "reason": "x", "approver": "林示例",
            "expires": expires}  # fmt: skip


def _now_waived_by(place: Place, *waivers: dict[str, str]) -> None:
    register = Register.open(place.register)
    known: dict[str, Any] = json.loads(register.get("demo-0").canonical())
    known.pop("waivers", None)
    if waivers:
        known["waivers"] = list(waivers)
    register.add(from_document(known, where="", today=TODAY), update=True)


def _said(place: Place) -> dict[str, str]:
    """What each place says of 2(4)."""
    status = json.loads(_told(place, "pledge", "status", "demo-0", "--format", "json"))
    (clause,) = [c for c in status["clauses"] if c["clause"] == "responsibility.2.4"]
    (row,) = csv.DictReader(io.StringIO(_told(place, "pledge", "list", "--format", "csv")))
    (listed,) = json.loads(_told(place, "pledge", "list", "--format", "json"))["pledges"]
    site = Site(place)
    kept = site.house.rows.one("demo-0")
    assert kept is not None
    page = site.browser("boss").get("/pledges/demo-0?lang=en").text
    rows = dict(re.findall(r'<th class="name" scope="row" title="([^"]*)">(.*?)</tr>', page))
    return {
        "status": clause["verdict"],
        "list": row["clause_2.4"],
        "json": listed["proven"]["2.4"],
        "kept": kept["c24"],
        "standing": kept["standing"],
        "dossier": site.house.customer.dossier("demo-0", NOW, None, "en").standing,
        "matrix": "waived" if 'class="waived' in rows["web-01"] else "shown",
    }


SOFT = {"status": "error", "list": "error", "json": "error", "kept": "error",
        "standing": "unverified", "dossier": "unverified", "matrix": "waived"}  # fmt: skip
HARD = {"status": "fail", "list": "fail", "json": "fail", "kept": "fail",
        "standing": "broken", "dossier": "broken", "matrix": "shown"}  # fmt: skip


def test_while_it_holds_all_say_so(own: Place) -> None:
    assert _said(own) == SOFT
    # of all hosts, and to a later day: it is covered still
    _now_waived_by(own, _waiver(LATER, host="*"))
    assert _said(own) == SOFT


def test_withdrawn_it_softens_nothing(own: Place) -> None:
    before = Site(own)
    assert before.house.rows.one("demo-0")["standing"] == "unverified"  # type: ignore[index]
    _now_waived_by(own)
    assert _said(own) == HARD
    # and a page that was there before it was withdrawn says so as well
    before.house.index.renew()
    assert before.house.rows.one("demo-0")["standing"] == "broken"  # type: ignore[index]
    assert before.house.index.said("months")[-1]["broken"] == 1
    # judged with the waiver, what was attached stays as it was attached
    (listed,) = json.loads(_told(own, "pledge", "list", "--format", "json"))["pledges"]
    assert listed["last"]["verdicts"]["2.4"] != "fail"


def test_ended_since_it_softens_nothing(own: Place) -> None:
    ended = (TODAY - timedelta(days=1)).isoformat()
    _now_waived_by(own, _waiver(ended))
    assert _said(own) == HARD
    _now_waived_by(own, _waiver(today().isoformat()))
    assert _said(own) == SOFT


def test_of_another_control_it_waives_nothing(own: Place) -> None:
    _now_waived_by(own, _waiver(LATER, control="encryption.password_hash"))
    assert _said(own) == HARD


def test_of_what_cannot_be_read_nothing_is_proven(own: Place) -> None:
    register = Register.open(own.register)
    _now_waived_by(own)
    shutil.rmtree(register.evidence("demo-0")[-1].path)
    (row,) = csv.DictReader(io.StringIO(_told(own, "pledge", "list", "--format", "csv")))
    assert row["clause_2.4"] == "error"


def test_a_page_of_a_past_day_has_the_waiver_of_that_day(own: Place) -> None:
    _now_waived_by(own, _waiver((TODAY - timedelta(days=1)).isoformat()))
    customer = Site(own).house.customer
    now = customer.dossier("demo-0", NOW, None, "en")
    assert now.failing == {"2.4"}
    assert replace(now, at=TODAY).failing == {"2.4"}


@pytest.mark.parametrize("withdrawn", [True, False])
def test_at_a_months_end_it_counts_as_on_the_page_of_that_day(own: Place, withdrawn: bool) -> None:
    """The row says "not verified", for it was judged while the waiver held."""
    _now_waived_by(own, *([] if withdrawn else [_waiver((TODAY + timedelta(days=60)).isoformat())]))
    looked, later = ReadOnlyRegister.open_read_only(own.register), NOW + timedelta(days=45)
    attached = looked.all_evidence()
    every = listing.listed(looked.briefs(later), attached, later, timedelta(0), {})
    months = Monthly().months(looked, every, attached, later)
    first = next(month for month in months if str(month["day"]) >= today().isoformat())
    assert (first["broken"], first["unverified"]) == ((1, 0) if withdrawn else (0, 1))


@pytest.mark.parametrize("passes", ["a waiver's end", "midnight", "midnight in China"])
def test_what_was_read_of_bundles_is_read_anew_once_something_ended(
    own: Place, monkeypatch: pytest.MonkeyPatch, passes: str
) -> None:
    """A waiver may end at any time of a day, what is attested ends at midnight."""
    noon = NOW.replace(hour=12, minute=0) + timedelta(days=1)
    before, after = {
        "a waiver's end": (noon - timedelta(minutes=1), noon + timedelta(minutes=1)),
        "midnight": (noon.replace(hour=23, minute=59), noon + timedelta(hours=12)),
        "midnight in China": (noon.replace(hour=15, minute=59), noon.replace(hour=16)),
    }[passes]
    waived = _waiver(noon.isoformat()) if passes == "a waiver's end" else _waiver(LATER)
    _now_waived_by(own, waived)
    looked = ReadOnlyRegister.open_read_only(own.register)
    rows, course = looked.all_evidence()["demo-0"], looked.waiver_courses()["demo-0"]
    (one,) = listing.listed(
        looked.briefs(before), looked.newest_evidence(), before, timedelta(0), {}
    )
    asked: list[datetime] = []

    def read(*given: Any) -> bool:
        asked.append(given[-1])
        return False

    monkeypatch.setattr(broken, "may_be", lambda *_, **__: True)
    monkeypatch.setattr(broken, "_read", read)
    known = broken.Broken()
    for now in (before, before, after, after):
        known.is_broken(looked, one, "digest", rows, now, course)
    assert asked == [before, after]
