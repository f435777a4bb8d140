"""What is left of a pledge once its keeping is over, and that the log stays what it was."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from collector.attest.bundle.evidence import PledgeReference
from collector.attest.log.checkpoint import parse, sign
from collector.errors import BadInput
from collector.handin import links, quarantine
from collector.handin.places import Places
from collector.pledges.database import tables
from collector.pledges.due.lifecycle import state
from collector.pledges.record.form import from_document
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.status.latest_bundle import Newest
from collector.pledges.transfer import archive, disposal
from collector.pledges.transfer.backup import write as backup
from collector.pledges.transfer.restore import restore
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.records import TODAY, example

# evidence made now is kept for a year
AFTER = datetime.now(UTC).date() + timedelta(days=800)
ABOUT = {"date": AFTER.isoformat(), "method": "消磁", "by": "接入方"}
ID = "demo-2026"


def _ended(**changes: Any) -> dict[str, Any]:
    ended = {"date": "2026-11-20", "reason": "停业", "by": "接入方"}
    keep = {"pledge_years": 1, "evidence_years": 1}
    return example(ended=ended, retention=keep, **changes)


def _register(place: str, tmp_path: Path) -> tuple[Register, Signer, list[Path]]:
    """Two versions and two bundles of a pledge that ended, one bundle of another."""
    register, signer = Register.open(place), Signer(tmp_path / "made")
    for document in (example(), _ended(), example(id="other")):
        known = from_document(document, where="t", today=TODAY)
        register.add(known, update=document["id"] in {r.id for r in register.list()})
    made = signer.chain(ID, 2)
    others = signer.chain("other", 1)
    attach(register, ID, made[0].path, signer.trust)
    attach(register, "other", others[0].path, signer.trust)
    attach(register, ID, made[1].path, signer.trust)
    return register, signer, [m.path for m in made]


def _looked_at(register: Register) -> set[str]:
    with register._database.read() as connection:
        return set(connection.execute(select(tables.looks.c.pledge)).scalars())


def test_nothing_is_destroyed_before_its_time(place: str, tmp_path: Path) -> None:
    register, _, _ = _register(place, tmp_path)
    with pytest.raises(BadInput, match="has not ended"):
        disposal.dispose(register, "other", ABOUT, AFTER, renewed=False)
    with pytest.raises(BadInput, match="is to be kept to 20"):
        disposal.dispose(register, ID, ABOUT, TODAY + timedelta(days=300), renewed=False)
    assert len(register.history(ID)) == 2
    assert all(e.path.exists() for e in register.evidence(ID))


def test_what_is_left(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register, signer, _ = _register(place, tmp_path)
    kept = sign(register.log().checkpoint(), signer.key)
    evidence, digests = register.evidence(ID), [v.record.digest for v in register.history(ID)]
    secret = register.get(ID).document["safety_contact"]["name"]
    opened = Newest(evidence[-1])
    taken = list(opened.captures())
    assert _looked_at(register) == {ID, "other"}
    done = disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)
    assert (done.versions, done.bundles) == (2, 2)
    assert _looked_at(register) == {"other"}
    with monkeypatch.context() as late:
        # a status that had read the bundle when it was destroyed
        late.setattr(opened, "hold_captures", lambda: None)
        late.setattr(opened, "captures", lambda: taken)
        assert register.shown(opened)
    assert _looked_at(register) == {"other"}
    (left,) = register.history(ID)
    assert left.number == 3
    assert state(left.record, AFTER, renewed=False) == "disposed"
    assert set(left.record.document) == {
        *("schema", "id", "grade", "customer", "documents", "period", "ended", "retention"),
        "disposed",
    }
    signed = {"type", "version", "sha256", "signed_on"}
    assert all(set(d) <= signed for d in left.record.document["documents"])
    # of every version its digest, of every bundle its row; nothing of the other pledge is touched
    assert register.evidence(ID) == evidence
    assert not any(e.path.exists() for e in evidence)
    assert register.evidence("other")[0].path.exists()
    assert register.get("other").document["safety_contact"]["name"] == secret
    # the log is what it was, and what was kept of it says so
    log = register.log()
    log.check_begins_with(parse(kept.encode(), where="kept").checkpoint, where="t")
    assert len(log.leaves) == 3
    # a second time there is nothing to do
    again = disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)
    assert (again.versions, again.bundles) == (0, 0)
    # it is exported and backed up as what it is now
    archive.write(register, ID, tmp_path / "p.zip")
    names = zipfile.ZipFile(tmp_path / "p.zip").namelist()
    assert f"pledge-{ID}/versions/3.json" in names
    assert not any("bundles/" in name for name in names)
    backup(register, tmp_path / "b.zip")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    restore(tmp_path / "b.zip", str(fresh / "r.sqlite"))
    restored = Register.open(str(fresh / "r.sqlite"))
    assert restored.emptied() == {ID}
    assert restored.log().leaves == log.leaves
    # append-only as before
    with pytest.raises(BadInput), register._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM versions")
    assert len(register.history(ID)) == 1
    assert digests != [left.record.digest]


def test_nothing_is_attached_afterwards(place: str, tmp_path: Path) -> None:
    """An intake that had made a bundle of what waited comes a moment later."""
    register, signer, made = _register(place, tmp_path)
    next = signer.make("next", PledgeReference(ID, 3, register.evidence(ID)[-1].digest))
    disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)
    with pytest.raises(BadInput, match="disposed of: nothing is attached"):
        attach(register, ID, next.path, signer.trust)
    assert len(register.evidence(ID)) == len(made) == 2
    assert not any(one.path.exists() for one in register.evidence(ID))


def test_no_trace_in_the_file(tmp_path: Path) -> None:
    """What was overwritten is not in SQLite's file, nor in its log, nor in the store."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    told = "只在这份登记中".encode()
    document = _ended(title=told.decode())
    register.add(from_document(document, where="t", today=TODAY))

    def holds() -> bool:
        files = (p for p in (tmp_path / "r").rglob("*") if p.is_file())
        return any(told in p.read_bytes() for p in files)

    assert holds()
    disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)
    assert not holds()


def test_killed_between_the_record_and_the_bundles(tmp_path: Path) -> None:
    """Repeated, it destroys what was left; the register is whole in between."""
    (tmp_path / "r").mkdir()
    register, _, _ = _register(str(tmp_path / "r"), tmp_path)
    register.replace_all(ID, lambda newest: disposal.remains(newest, ABOUT, AFTER))
    assert len(register.log().leaves) == 3
    assert all(e.path.exists() for e in register.evidence(ID))
    done = disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)
    assert (done.versions, done.bundles) == (0, 2)


def test_as_a_user_does_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert hostpledge("key", "new", home=home).status == 0
    ended = datetime.now(UTC).date() - timedelta(days=800)
    document = example(
        documents=[
            {**d, "signed_on": str(ended - timedelta(days=9))} for d in example()["documents"]
        ],
        period={"from": str(ended - timedelta(days=8)), "until": str(ended)},
        ended={"date": str(ended), "reason": "停业", "by": "接入方"},
        retention={"pledge_years": 1, "evidence_years": 1},
    )
    file = tmp_path / "p.json"
    file.write_text(json.dumps(document))
    added = hostpledge("pledge", "add", file, home=home)
    assert added.status == 0, added.err
    places = Places(home / "hand-in")
    made = [links.new(places, ID, "web-01", 2, timedelta(days=3))[0] for _ in range(2)]
    other, _ = links.new(places, "other-2026", "web-01", 2, timedelta(days=3))
    upload = quarantine.Upload(places, made[0])
    upload.write(b"what a host said")
    upload.sync()
    upload.take_in("2026-01-01T00:00:00+00:00", "192.0.2.1")
    upload.close()
    words = ("pledge", "dispose", ID, "--method", "消磁", "--by", "接入方")
    assert "no terminal" in hostpledge(*words, home=home).err
    done = hostpledge(*words, "--yes", home=home)
    assert (done.status, "disposed of" in done.out) == (0, True), done.err
    assert "1 hand-in link(s) ended, 1 capture(s) that waited taken away" in done.out
    assert list((home / "hand-in" / "quarantine").iterdir()) == []
    assert [links.state(places, link) for link in (*made, other)] == ["used", "revoked", "open"]
    again = hostpledge("pledge", "add", "--update", file, home=home)
    assert again.status == 2
    assert "disposed of, and takes no further version" in again.err
    assert hostpledge("pledge", "due", home=home).out == "nothing is overdue or falls due\n"
    assert "disposed" in hostpledge("pledge", "status", ID, home=home).out
