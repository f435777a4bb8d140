"""What evidence rests on and the record does not say any more proves nothing from then on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures, catalog, releases
from collector.cli.workflows import hand_over
from collector.cli.workflows.hand_over import of_export
from collector.cli.workflows.history import Kept
from collector.model import Result
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.due import too_old
from collector.pledges.standing.ended_documents import BY_DOCUMENT, lost
from collector.pledges.standing.finding_history import all_lives, last_lives
from collector.pledges.standing.since import Since
from collector.pledges.standing.standing import standing
from collector.pledges.standing.status import status
from collector.pledges.status.latest_bundle import Newest
from tests.laws import reached
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.records import made

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
ID, ATTESTED, INVENTORY = "demo-2026", "logging.daemon_protection", "classification.inventory"
CLAUSE = catalog.control(ATTESTED).clause
CONTROLS = (ATTESTED, INVENTORY)
CAPTURE = Path(__file__).parents[1] / "captures" / "audit-trixie-killed.capture.gz"


def _attested(control: str = ATTESTED, *, days: int = 20, **more: Any) -> dict[str, Any]:
    return {"clause": "responsibility.2.4", "control": control, "statement": "已擦除",
            "by": "周示例", "date": (TODAY - timedelta(days=10)).isoformat(),
            "expires": (TODAY + timedelta(days=days)).isoformat(),
            **more}  # fmt: skip


def _record(**changes: Any) -> Any:
    document = made().document
    resources = {**document["resources"], "hosts": ["web-01"]}
    reviewed = (TODAY - timedelta(days=10)).isoformat()
    fresh = {
        "id": ID,
        "resources": resources,
        "data_inventory": {**document["data_inventory"], "reviewed": reviewed},
        "attestations": [_attested()],
    }
    return made(**fresh | changes)


@pytest.fixture
def days() -> int:
    """How long the attestation holds that the evidence rests on."""
    return 20


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int) -> Register:
    known = releases.current()
    mine = {id: known.controls[id] for id in CONTROLS}
    small = replace(known, controls=MappingProxyType(mine))
    monkeypatch.setattr(releases, "current", lambda: small)
    monkeypatch.setattr(releases, "find", lambda _digest: small)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = Register.open(str(tmp_path / "register.sqlite"))
    found.add(_record(attestations=[_attested(days=days)]))
    signer = Signer(tmp_path / "signer")
    at = NOW - timedelta(hours=1)
    lives.check(found, ID, signer, captures.load(CAPTURE), at, controls=CONTROLS, bearing=True)
    (finding,) = _findings(found, ATTESTED)
    assert (finding["verdict"], finding["method"]) == ("pass", "attested")
    return found


def _findings(register: Register, control: str) -> list[Any]:
    (one,) = Newest(register.evidence(ID)[-1]).evidence["hosts"].values()
    return [f for f in one["findings"] if f["control"] == control]


def _said(register: Register, now: datetime = NOW) -> tuple[str, str, list[str]]:
    """What a list and the status say of the clause where its row says that it passes, and why."""
    passing = {
        id: tuple(replace(e, verdicts=dict.fromkeys(e.verdicts, "pass")) for e in rows)
        for id, rows in register.newest_evidence().items()
    }
    counted = Since().counted(register, passing, now)
    (one,) = listing.listed(register.briefs(now), counted, now, timedelta(0), {})
    found = status(register.get(ID), register.evidence(ID), now, renewed=False,
                   shown=lambda _newest: ())  # fmt: skip
    (clause,) = (c for c in found.clauses if c.clause.id == f"responsibility.{CLAUSE}")
    return one.verdict(CLAUSE), str(clause.verdict), [text.en for text in clause.reasons]


def _rests(told: list[str]) -> bool:
    return any("attestation that" in one and "withdrawn or changed" in one for one in told)


def test_while_it_stands_in_the_record(register: Register) -> None:
    assert _said(register)[0] == "pass"
    assert not _rests(_said(register)[2])
    # what is new in the record takes nothing away
    register.add(
        _record(attestations=[_attested(), _attested("encryption.transport")]), update=True
    )
    word, _, told = _said(register)
    assert (word, _rests(told)) == ("pass", False)


@pytest.mark.parametrize(
    "now_attested",
    [None, [_attested(by="另一人")], [_attested("encryption.transport")]],
    ids=["withdrawn", "replaced", "of another control"],
)
def test_withdrawn_it_proves_nothing(register: Register, now_attested: Any) -> None:
    register.add(_record(attestations=now_attested), update=True)
    word, verdict, told = _said(register)
    assert (word, verdict) == ("error", "error")
    assert _rests(told)


def test_ended_it_proves_nothing(register: Register) -> None:
    before, after = NOW + timedelta(days=18), NOW + timedelta(days=22)
    assert _said(register, before)[0] == "pass"
    word, verdict, told = _said(register, after)
    assert (word, verdict, _rests(told)) == ("error", "error", True)


def test_what_failed_fails_all_the_same(register: Register) -> None:
    register.add(_record(attestations=None), update=True)
    failing = {
        id: tuple(replace(e, verdicts=dict.fromkeys(e.verdicts, "fail")) for e in rows)
        for id, rows in register.newest_evidence().items()
    }
    (one,) = Since().counted(register, failing, NOW)[ID]
    assert one.word(CLAUSE) == "fail"


def test_what_cannot_be_read_is_not_verified(register: Register) -> None:
    register.add(_record(attestations=None), update=True)
    place = register.evidence(ID)[-1].path
    place.rename(place.with_name("elsewhere"))
    assert _said(register)[0] == "error"


def test_an_inventory_that_was_taken_out(register: Register) -> None:
    newest = Newest(register.evidence(ID)[-1])
    assert lost(register.get(ID), newest, NOW) == ()
    (finding,) = _findings(register, INVENTORY)
    assert finding["verdict"] == "pass"
    register.add(_record(data_inventory=None), update=True)
    (one,) = lost(register.get(ID), newest, NOW)
    assert (one.control, one.hosts) == (INVENTORY, ("web-01",))


def test_every_control_that_reads_a_document_is_known() -> None:
    ways = {
        "data-inventory": "facts.data.inventory:as_found",
        "event-ledger": "facts.monitoring.event_ledger:ledger",
    }
    for document, way in ways.items():
        reading = {c for c in catalog.controls() if any(n.startswith(way) for n in reached(c))}
        assert reading <= BY_DOCUMENT[document]
    inventory = "facts.data.inventory:inventory"
    assert {c for c in catalog.controls() if inventory in reached(c)} <= BY_DOCUMENT[
        "data-inventory"
    ]


def test_what_it_carried_is_a_finding_again(register: Register) -> None:
    assert [life.state for life in all_lives(register.get(ID), register.evidence(ID), NOW)] == []
    register.add(_record(attestations=None), update=True)
    record, evidence = register.get(ID), register.evidence(ID)
    for found in (all_lives(record, evidence, NOW), last_lives(record, evidence, NOW)):
        (life,) = found
        assert (life.control, life.state, life.verdict) == (ATTESTED, "open", Result.ERROR)
        assert "has ended since, or was withdrawn or changed" in life.said.en
        assert "put the document that holds now on record" in life.mend.en
    # and after the next look, which had it again, it is closed
    register.add(_record(), update=True)
    assert all_lives(register.get(ID), register.evidence(ID), NOW) == ()


def test_a_report_for_people_says_so_first(register: Register, tmp_path: Path) -> None:
    (digest,) = (e.digest for e in register.evidence(ID))
    shown = Kept(register, ID).since(digest, NOW)[CLAUSE]
    assert not shown.outweighs(shown.result)
    register.add(_record(attestations=None), update=True)
    now = Kept(register, ID).since(digest, NOW)[CLAUSE]
    assert now.result is Result.ERROR
    assert now.outweighs(Result.PASS)
    assert not now.outweighs(Result.FAIL)
    page = of_export(register, ID)["report.html"].decode()
    answer = page[page.index('class="answers"') : page.index('class="facts"')]
    assert "has ended since, or was withdrawn or changed" in answer
    assert of_export(register, ID)["report.html"].decode() == page


def test_so_does_one_of_evidence_that_is_too_old(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return NOW.astimezone(tz) + timedelta(days=200)

    monkeypatch.setattr(hand_over, "datetime", Later)
    page = of_export(register, ID)["report.html"].decode()
    answer = page[page.index('class="answers"') : page.index('class="facts"')]
    assert "at least every 90 days" in answer
    assert "Kept" not in answer


@pytest.mark.parametrize(
    ("changes", "renewed"),
    [({"ended": {"date": "2027-05-31", "by": "customer"}}, False),
     ({"period": {"from": "2026-11-01", "until": "2027-05-31"}}, True),
     ({"draft": True}, False)],
    ids=["ended", "renewed", "a draft"],
)  # fmt: skip
def test_what_is_too_old_stays_so(
    register: Register, changes: dict[str, Any], renewed: bool
) -> None:
    """Once nobody asks for evidence any more, what it proved is not proven again."""
    late = datetime(2027, 7, 1, tzinfo=CHINA)
    document = {**json.loads(register.get(ID).canonical()), **changes, "attestations": []}
    record = PledgeRecord({k: v for k, v in document.items() if v is not None})
    evidence = register.evidence(ID)
    assert too_old(record, evidence, NOW, renewed=renewed) is None
    assert too_old(record, evidence, late, renewed=renewed) is not None
    clauses = standing(record, evidence, late, renewed=renewed)
    told = {c.clause.id: c.verdict for c in clauses}
    assert told[f"responsibility.{CLAUSE}"] in (Result.ERROR, Result.FAIL)


def test_what_was_fresh_when_it_ended_still_says_how_it_ended(register: Register) -> None:
    document = json.loads(register.get(ID).canonical())
    day = (TODAY + timedelta(days=30)).isoformat()
    record = PledgeRecord({**document, "ended": {"date": day, "by": "customer"}})
    evidence = register.evidence(ID)
    assert too_old(record, evidence, NOW + timedelta(days=300), renewed=False) is None
    assert too_old(register.get(ID), evidence, NOW + timedelta(days=300), renewed=False) is not None


def test_an_inventory_that_was_to_be_reviewed_since(register: Register) -> None:
    record, newest = register.get(ID), Newest(register.evidence(ID)[-1])
    (finding,) = _findings(register, INVENTORY)
    until = datetime.fromisoformat(finding["until"])
    before = [one.control for one in lost(record, newest, until - timedelta(hours=1))]
    assert INVENTORY not in before
    assert INVENTORY in [one.control for one in lost(record, newest, until)]
    passing = {
        id: tuple(replace(e, verdicts=dict.fromkeys(e.verdicts, "pass")) for e in rows)
        for id, rows in register.newest_evidence().items()
    }
    clause = catalog.control(INVENTORY).clause
    assert clause != CLAUSE
    for at, word in ((until - timedelta(days=2), "pass"), (until, "error")):
        (one,) = Since().counted(register, passing, at)[ID]
        assert one.word(clause) == word
