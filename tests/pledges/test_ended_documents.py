"""What evidence rests on and the record does not say any more proves nothing from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures, catalog, releases
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.ended_documents import BY_DOCUMENT, lost
from collector.pledges.standing.since import Since
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
            "by": "周示例", "date": "2026-11-20",
            "expires": (TODAY + timedelta(days=days)).isoformat(),
            **more}  # fmt: skip


def _record(**changes: Any) -> Any:
    document = made().document
    resources = {**document["resources"], "hosts": ["web-01"]}
    return made(**{"id": ID, "resources": resources, "attestations": [_attested()], **changes})


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    known = releases.current()
    mine = {id: known.controls[id] for id in CONTROLS}
    small = replace(known, controls=MappingProxyType(mine))
    monkeypatch.setattr(releases, "current", lambda: small)
    monkeypatch.setattr(releases, "find", lambda _digest: small)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = Register.open(str(tmp_path / "register.sqlite"))
    found.add(_record())
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
    (one,) = listing.listed(register.briefs(now), counted, now, timedelta(0))
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
