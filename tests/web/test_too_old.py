"""Evidence older than it may be: the same word wherever one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.commands.pledge.tables import list_table
from collector.model import Result
from collector.pledges.database.rows import Evidence
from collector.pledges.record.times import CHINA
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.standing import standing
from collector.report.model import listed as columns
from collector.report.model.cells import Word
from collector.web.pages import customer
from collector.web.reading import monthly
from collector.web.reading.monthly import Monthly
from collector.web.reading.standings import standing_of
from tests.web.sites import Place, Site, filled, with_accounts
from tests.web.test_declared_since import _passing

NOW = datetime.now(UTC)
# demo-1 was looked at nine days ago
IN_TIME, LATE = NOW + timedelta(days=80), NOW + timedelta(days=82)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    return found


def _listed(register: Register, now: datetime, word: str = "pass") -> listing.Listed:
    def of(one: Evidence) -> Evidence:
        return replace(_passing(one), verdicts=dict.fromkeys(listing.CLAUSES, word))

    attached = {id: tuple(map(of, few)) for id, few in register.newest_evidence().items()}
    every = listing.listed(register.briefs(now), attached, now, timedelta(0), {})
    return next(one for one in every if one.record.id == "demo-1")


@pytest.mark.parametrize(
    ("word", "late"), [("pass", "error"), ("partial", "error"), ("fail", "fail")]
)
def test_lists_say_what_the_status_says(own: Place, word: str, late: str) -> None:
    register = Register.open(own.register)
    for now, said in ((IN_TIME, word), (LATE, late)):
        one = _listed(register, now, word)
        assert [one.verdict(n) for n in listing.CLAUSES] == [said] * 3
        told = standing(register.get("demo-1"), one.evidence, now, renewed=False)
        (clause,) = (c for c in told if c.clause.id == "responsibility.2.4")
        assert (clause.state, clause.verdict) == ("verdict", Result(said))
        cells = [cell.code for cell in columns.row(one, "en") if isinstance(cell, Word)]
        assert cells.count(said) == 3
        assert (f" {word} " in list_table([one])) is (said == word)
    assert "at least every 90 days" in " ".join(list_table([one]).split())
    assert standing_of(one) == ("broken" if late == "fail" else "unverified")


def test_so_does_the_page(own: Place) -> None:
    site = Site(own)
    known = site.house.customer.dossier("demo-1", LATE, None, "en")
    passing = replace(known, evidence=tuple(map(_passing, known.evidence)))
    assert [passing.listed().verdict(n) for n in listing.CLAUSES] == ["error"] * 3
    assert passing.standing in ("unverified", "broken")
    answers = customer._answers(passing, None, "en", readable=True)
    assert {str(one["result"]) for one in answers} <= {"error", "fail"}
    # what that evidence proved stays in its row
    assert passing.verdict_of(passing.evidence[-1], "2.4") == "pass"


def test_and_so_do_the_months(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # its documents have ends of their own, and the rows only say that they passed
    monkeypatch.setattr(monthly, "_changed", lambda *_: False)
    register = ReadOnlyRegister.open_read_only(own.register)
    far = NOW + timedelta(days=200)
    one = _listed(register, far)
    found = Monthly().months(register, [one], {"demo-1": one.evidence}, far)
    today = NOW.astimezone(CHINA).date().isoformat()
    # the first end of a month from now on: kept while it was fresh, and not from then on
    assert next(m["kept"] for m in found if str(m["day"]) >= today) == 1
    assert (found[-1]["kept"], found[-1]["unverified"]) == (0, 1)
    assert (found[-2]["kept"], found[-2]["unverified"]) == (0, 1)
