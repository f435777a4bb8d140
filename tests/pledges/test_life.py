"""The life of one customer, from draft to disposal; the dossier is verified at each step."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows.pledge_status import status
from collector.errors import BadInput
from collector.model import Capture, Result
from collector.pledges.record import form as record
from collector.pledges.record.terms import months_on
from collector.pledges.register.register import Register
from collector.pledges.standing.due import due
from collector.pledges.standing.status import Status, counted
from collector.pledges.transfer import archive
from collector.pledges.transfer.disposal import dispose
from collector.verify import open_bundle, verify
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check, few
from tests.pledges.records import example

__all__ = ["few"]
ID = "demo-2026"
WEAK, GOOD = captured("weak"), captured("hardened")
CONTROL = "encryption.password_hash"
# captures are of the past: the customer signed 300 days ago, at noon in China
SIGNED = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=300)


def day(number: int) -> datetime:
    return SIGNED + timedelta(days=number)


def iso(number: int) -> str:
    return day(number).date().isoformat()


class Life:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signer = Signer(folder / "made")
        self.signer.folder.mkdir()
        self.register = Register.open(str(folder))
        self.record: dict[str, Any] = example(
            draft=True,
            documents=[],
            period={"from": iso(1), "until": iso(200)},
            self_check={"cycle_days": 30},
            training=[{"title": "x", "date": iso(0)}],
            resources={"hosts": ["web-01"], "addresses": ["203.0.113.16/29"]},
            filings={"no_websites": {"statement": "x", "by": "周示例", "date": iso(0)}},
            attestations=None,
            acknowledgements=None,
            no_transfer=None,
            data_inventory=None,
            retention={"pledge_years": 1, "evidence_years": 1},
        )

    def say(self, today: int, *, id: str = ID, **changes: Any) -> None:
        """A new version of the record, as it was written that day; None takes a field out."""
        self.record.update(changes)
        self.record = {name: v for name, v in self.record.items() if v is not None}
        known = record.from_document(self.record | {"id": id}, where="t", today=day(today).date())
        there = id in {r.id for r in self.register.list()}
        self.register.add(known, update=there)

    def check(self, today: int, taken: Capture) -> None:
        """A run over the host that day: judged, signed, attached."""
        check(self.register, ID, self.signer, taken, day(today))

    def stands(self, today: float, *, id: str = ID, renewed: bool = False) -> Status:
        """How it stands so many days after the signature."""
        now = SIGNED + timedelta(days=today)
        known, evidence = self.register.get(id), self.register.evidence(id)
        found = status(known, evidence, now, renewed=renewed, shown=self.register.shown)
        self.dossier(id)
        return found

    def overdue(self, today: float, *, id: str = ID, renewed: bool = False) -> set[str]:
        now = SIGNED + timedelta(days=today)
        known, evidence = self.register.get(id), self.register.evidence(id)
        return {
            d.kind
            for d in due(known, evidence, now, within=timedelta(0), renewed=renewed, lives=None)
        }

    def events(self) -> list[str]:
        """What became of the one finding, by the dossier."""
        self.dossier(ID)
        (file,) = (self.folder / "out").glob("*/findings.json")
        (finding,) = json.loads(file.read_text("utf-8"))["findings"]
        return [f"{e['what']} {e['evidence'] or 0}" for e in finding["events"]]

    def dossier(self, id: str) -> None:
        """What an inspector gets holds all versions and bundles, and each bundle verifies."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        archive.write(self.register, id, self.folder / "p.zip")
        shutil.unpack_archive(self.folder / "p.zip", out)
        (root,) = out.iterdir()
        subprocess.run(["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], cwd=root, check=True)
        kept = sorted((root / "bundles").glob("*"))
        gone = id in self.register.emptied()
        assert len(kept) == (0 if gone else len(self.register.evidence(id)))
        for folder in kept:
            with open_bundle(folder) as opened:
                verify(opened, self.signer.trust)
        assert len(list((root / "versions").iterdir())) == len(self.register.history(id))


def clause(found: Status, id: str) -> tuple[str, Result | None]:
    entry = next(entry for entry in found.clauses if entry.clause.id == id)
    return entry.state, entry.verdict


def why(found: Status, id: str) -> str:
    entry = next(entry for entry in found.clauses if entry.clause.id == id)
    return "; ".join(reason.en for reason in entry.reasons)


@pytest.mark.usefixtures("few")
def test_the_life_of_a_customer(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.say(0)
    drafted = life.stands(0)
    assert drafted.state == "draft"
    assert clause(drafted, "pledge.1") == ("missing", None)
    assert [b.blank.text.en for b in drafted.blanks if not b.value].count("date") == 2
    assert life.overdue(0) == set()

    signed = {"version": "1", "sha256": "0" * 64, "signed_on": iso(0), "representative": "陈示例"}
    both = [{**signed, "type": t, "sealed": True} for t in ("responsibility", "pledge")]
    life.say(0, draft=None, documents=both)
    assert life.stands(0).state == "signed"
    begun = life.stands(2)
    assert begun.state == "active"
    assert clause(begun, "pledge.1") == ("held", None)
    assert all(blank.value for blank in begun.blanks)

    # the first check fails, the host is hardened, the second passes
    life.check(3, WEAK)
    failed = life.stands(3)
    assert clause(failed, "responsibility.2.4") == ("verdict", Result.PARTIAL)
    assert "fail: " in why(failed, "responsibility.2.4")
    life.check(5, GOOD)
    passed = life.stands(5)
    assert clause(passed, "responsibility.2.4") == ("verdict", Result.PASS)
    assert "evidence 2" in why(passed, "responsibility.2.4")
    assert life.events() == ["opened 1", "closed 2"]
    # of clauses that no run looked at nothing is known
    assert clause(passed, "responsibility.2.2") == ("verdict", Result.NOTCHECKED)

    # the self-check is overdue, then done, and what it found is mended
    assert life.overdue(33) == {"self_check"}
    assert clause(life.stands(33), "responsibility.4") == ("open", None)
    checks = {"date": iso(33), "by": "周示例", "found": 1}
    life.say(33, self_check={"cycle_days": 90, "records": [checks]})
    assert clause(life.stands(33), "responsibility.4") == ("held", None)
    assert life.overdue(65) == {"self_check_findings"}
    checks |= {"mended_on": iso(65)}
    life.say(65, self_check={"cycle_days": 90, "records": [checks]})
    assert life.overdue(65) == set()

    # an incident: the authority within hours, the provider in writing
    notice = {"id": "i-1", "occurred_at": day(70).isoformat(), "summary": "网页被篡改"}
    contact = {"name": "安全值班", "phone": "0571-87000000"}
    life.say(70, incidents={"provider_contact": contact, "notices": [notice]})
    assert life.overdue(70.1) == set()
    assert life.overdue(70.2) == {"incident_authority"}
    assert life.overdue(71.1) == {"incident_authority", "incident_provider"}
    assert clause(life.stands(71.1), "pledge.8") == ("open", None)
    told = {
        "reported_at": day(70).isoformat(),
        "provider_notified_at": day(70).isoformat(),
        "measures": "断网，恢复",
        "sha256": "1" * 64,
        "records_sha256": "2" * 64,
    }
    life.say(71, incidents={"provider_contact": contact, "notices": [notice | told]})
    assert clause(life.stands(71.1), "pledge.8") == ("held", None)

    # a failure is waived, and the waiver expires
    waiver = {"control": CONTROL, "host": "web-01", "reason": "停用中", "approver": "王安"}
    life.say(80, waivers=[waiver | {"expires": day(100).isoformat()}])
    life.check(80, WEAK)
    waived = life.stands(81)
    assert clause(waived, "responsibility.2.4") == ("verdict", Result.PARTIAL)
    assert why(waived, "responsibility.2.4").startswith("fail, waived: ")
    assert life.events()[2:4] == ["reopened 3", "waived 3"]
    assert counted(waived) == {
        "open": 0, "overdue": 0, "unowned": 0, "waived": 1, "waiver_without_effect": 0,
    }  # fmt: skip
    assert life.overdue(101) == {"waiver"}
    life.check(102, WEAK)
    again = life.stands(102)
    assert "fail:" in why(again, "responsibility.2.4")
    assert life.events()[4:] == ["waiver_ended 0"]
    # somebody is to see to it, and is late
    whose = {"control": CONTROL, "host": "web-01", "owner": "周示例", "due": iso(102)}
    life.say(103, waivers=None, follow_ups=[whose])
    late = life.stands(103)
    assert counted(late) == {
        "open": 1, "overdue": 1, "unowned": 0, "waived": 0, "waiver_without_effect": 0,
    }  # fmt: skip
    assert [entry.kind for entry in late.overdue] == ["finding"]
    life.check(104, GOOD)
    assert life.events()[5:] == ["closed 5"]
    assert life.stands(104).overdue == ()
    life.say(105, follow_ups=None)

    # it runs out, is continued by another, which ends
    life.say(120, self_check={"cycle_days": 366, "records": [checks]})
    assert life.stands(201).state == "lapsed"
    assert "period_end" in life.overdue(201)
    renewal = {"renews": ID, "period": {"from": iso(201), "until": iso(900)}}
    life.say(201, id="demo-2027", **renewal)
    assert life.stands(202, id="demo-2027").state == "active"
    assert life.stands(202, renewed=True).state == "ended"
    assert life.overdue(202, renewed=True) == set()
    life.say(250, id="demo-2027", ended={"date": iso(250), "reason": "停业", "by": "接入方"})
    ended = life.stands(251, id="demo-2027")
    assert ended.state == "ended"
    assert ended.kept_until == months_on(day(250).date(), 12)
    assert life.overdue(251, id="demo-2027") == set()

    # kept for its terms, then disposed of: nothing is left but that it was there
    assert life.overdue(700, id="demo-2027") == {"disposal"}
    assert life.overdue(700, renewed=True) == {"disposal"}
    log, evidence = life.register.log(), life.register.evidence(ID)
    about = {"date": iso(700), "method": "消磁", "by": "接入方"}
    with pytest.raises(BadInput, match="is to be kept to"):
        dispose(life.register, ID, about, day(300).date(), renewed=True)
    dispose(life.register, ID, about, day(700).date(), renewed=True)
    assert life.stands(701, renewed=True).state == "disposed"
    assert life.overdue(9000) == set()
    assert life.register.evidence(ID) == evidence
    assert life.register.log() == log
    assert not any(one.path.exists() for one in evidence)
