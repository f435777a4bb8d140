"""The trend says of a month's end what a pledge's own page says of that day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from collector.pledges.database.rows import Evidence
from collector.pledges.register import over_time
from collector.pledges.register.over_time import Then
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.web.reading import monthly
from collector.web.reading.monthly import Monthly
from tests.clock import today
from tests.pledges.test_ended_documents import (
    ATTESTED,
    CLAUSE,
    ID,
    NOW,
    _attested,
    _record,
    register,
)

__all__ = ["register"]
# evidence may be 90 days old, and a month's end lies in between
_WORDS = ("kept", "partly", "unverified", "broken")
SOON = NOW + timedelta(days=45)


@pytest.fixture
def days() -> int:
    """Past the end of this month, wherever in it we are."""
    return 40


@pytest.fixture(autouse=True)
def one_clause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "CLAUSES", (CLAUSE,))


def _passing(register: Register) -> Mapping[str, Sequence[Evidence]]:
    """As the register has it, as if the one clause passed."""
    return {
        id: tuple(replace(e, verdicts={CLAUSE: "pass"}) for e in rows)
        for id, rows in register.all_evidence().items()
    }


def _month(register: Register) -> str:
    """What the trend says of the first month's end from now on."""
    pages = ReadOnlyRegister.open_read_only(str(register.where))
    attached = _passing(register)
    every = listing.listed(register.briefs(SOON), attached, SOON, timedelta(0), {})
    found = Monthly().months(pages, every, attached, SOON)
    return next(name for month in found for name in _WORDS if month[name])


def test_what_changed_in_the_record_counts(register: Register, days: int) -> None:
    same = [_attested(days=days)]
    assert _month(register) == "kept"
    # an owner more changes nothing of that
    follow_up = {"control": ATTESTED, "host": "*", "owner": "李示例"}
    register.add(_record(attestations=same, follow_ups=[follow_up]), update=True)
    assert _month(register) == "kept"
    resources = {**_record().document["resources"], "hosts": ["web-01", "web-02"]}
    register.add(_record(attestations=same, resources=resources), update=True)
    assert _month(register) == "unverified"


def test_so_does_a_document_that_was_withdrawn(register: Register) -> None:
    register.add(_record(attestations=None), update=True)
    assert _month(register) == "unverified"


def test_and_one_that_ended(register: Register) -> None:
    pages = ReadOnlyRegister.open_read_only(str(register.where))
    attached, later = _passing(register), NOW + timedelta(days=80)
    every = listing.listed(register.briefs(later), attached, later, timedelta(0), {})
    found = Monthly().months(pages, every, attached, later)
    assert found[-2]["unverified"] == 1


def test_what_cannot_be_read_is_not_verified(register: Register, tmp_path: Path) -> None:
    register.add(_record(attestations=None), update=True)
    register.evidence(ID)[-1].path.rename(tmp_path / "elsewhere")
    assert _month(register) == "unverified"


def test_a_pledge_that_ran_out_counts_until_it_was_renewed(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = today() - timedelta(days=1)
    period = {"from": (until - timedelta(days=300)).isoformat(), "until": until.isoformat()}
    register.add(_record(period=period), update=True)
    assert _months(register)[:2] == (1, 1)
    # the next one binds nobody while it is a draft
    next_one = {"id": "next-1", "renews": ID, "attestations": None}
    register.add(_record(**next_one, documents=[], draft=True))
    assert _months(register)[:2] == (1, 1)
    register.add(_record(**next_one), update=True)
    assert _months(register)[:2] == (0, 0)
    known = ReadOnlyRegister.versions

    def signed_later(self: ReadOnlyRegister, read: over_time.Known) -> dict[str, Sequence[Then]]:
        found = known(self, read)
        first, last = found["next-1"]
        return {**found, "next-1": [first, replace(last, since=SOON - timedelta(hours=1))]}

    monkeypatch.setattr(ReadOnlyRegister, "versions", signed_later)
    assert _months(register)[:2] == (1, 0)


def test_what_was_written_later_takes_nobody_out_of_a_month(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that is dated back: the customer's page of that day shows it, and the trend counts."""
    ended = {"date": today().isoformat(), "reason": "用户销户", "by": "王安"}
    register.add(_record(ended=ended), update=True)
    assert _months(register)[:2] == (0, 0)
    known = ReadOnlyRegister.versions

    def written_later(self: ReadOnlyRegister, read: over_time.Known) -> dict[str, Sequence[Then]]:
        found = known(self, read)
        *before, last = found[ID]
        return {**found, ID: [*before, replace(last, since=SOON - timedelta(hours=1))]}

    monkeypatch.setattr(ReadOnlyRegister, "versions", written_later)
    assert _months(register)[:2] == (1, 0)


def _months(register: Register) -> tuple[int, ...]:
    """How many are counted at the first month's end from now on, and at `SOON`."""
    pages = ReadOnlyRegister.open_read_only(str(register.where))
    attached = {ID: _passing(register)[ID]}
    every = listing.listed(register.briefs(SOON), attached, SOON, timedelta(0), {})
    found = Monthly().months(pages, every, attached, SOON)
    then = next(one for one in found if str(one["day"]) >= today().isoformat())
    return tuple(sum(int(str(one[word])) for word in _WORDS) for one in (then, found[-1]))


def _then(*waivers: tuple[str, str, str]) -> Then:
    return Then(NOW, 2, frozenset({"web-01"}), "", (), waivers=waivers)


@pytest.mark.parametrize(
    ("before", "after", "no_more"),
    [
        ([("*", 90)], [], True),
        ([("web-01", 90)], [("web-01", 90)], False),
        ([("web-01", 90)], [("*", 90)], False),
        ([("*", 90)], [("web-01", 90)], True),
        ([("web-01", 90)], [("web-01", 10)], True),
        ([("web-01", 10)], [("web-01", 10)], True),
        ([("web-01", -10)], [], False),
        ([], [], False),
    ],
)
def test_a_waiver_that_was_withdrawn_or_ended_holds_at_no_months_end_after_it(
    register: Register, before: list[tuple[str, int]], after: list[tuple[str, int]], no_more: bool
) -> None:
    (last,) = register.evidence(ID)[-1:]
    end = last.collected_at + timedelta(days=40)

    def of(said: list[tuple[str, int]]) -> Then:
        day = last.collected_at
        return _then(*(("a.b", h, (day + timedelta(days=n)).isoformat()) for h, n in said))

    assert monthly._waived_no_more(last, of(before), of(after), end) is no_more
    assert not monthly._waived_no_more(last, None, of(after), end)


def test_versions_that_a_restore_replaced_are_not_remembered(register: Register) -> None:
    """Another one has the number of one that is gone, and may say something else."""
    pages = ReadOnlyRegister.open_read_only(str(register.where))
    read: over_time.Known = {}
    first = pages.versions(read)[ID]
    stale = {
        (id, number, "2020-01-01T00:00:00+00:00", "0" * 64): Then(NOW, 3, frozenset(), "", ())
        for id, number, _, _ in read
    }
    read = dict(stale)
    assert pages.versions(read)[ID] == first
    assert not stale.keys() & read.keys()
