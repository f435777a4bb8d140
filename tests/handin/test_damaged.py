"""A damaged file of one hand-in holds up nobody else: it is named in one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.handin import ended, quarantine
from tests.handin.served import output
from tests.handin.test_intake import Desk, begun, desk
from tests.notify.servers import mail

__all__ = ["begun", "desk"]


def _spoil(path: Path, how: str) -> None:
    if how == "receipt of another form":
        path.write_text(json.dumps({"digest": path.stem}))
    elif how == "time without a zone":
        document = json.loads(path.read_text())
        path.write_text(json.dumps(document | {"received_at": "2026-11-01T00:00:00"}))
    else:
        path.write_bytes(b"\xff\x00{")


@pytest.mark.parametrize("how", ["bytes", "receipt of another form", "time without a zone"])
def test_one_damaged_receipt_stops_nobody(desk: Desk, how: str) -> None:
    now = datetime.now(UTC)
    bad = desk.came(output("a", now), "web-1", "P-1")
    good = desk.came(output("b", now), "web-1", "P-2")
    path = desk.places.file("receipts", bad.digest, ".json")
    _spoil(path, how)
    shown = desk("intake")
    assert shown.status == 2
    assert good.id in shown.out
    (line,) = [one for one in shown.err.splitlines() if str(path) in one]
    assert line.startswith("hostpledge: ")
    taken = desk("intake", "--all")
    assert taken.status == 2
    assert "taken in as handed in" in taken.out
    assert str(path) in taken.err
    assert len(desk.evidence("P-2")) == 1
    # nothing of it was decided, or let go
    assert desk.places.file("quarantine", bad.digest).exists()


def test_one_damaged_receipt_lets_the_others_be_told_of(desk: Desk) -> None:
    now = datetime.now(UTC)
    bad = desk.came(output("a", now), "web-1", "P-1")
    desk.came(output("b", now), "web-2", "P-1")
    path = desk.places.file("receipts", bad.digest, ".json")
    _spoil(path, "bytes")
    with mail() as server:
        to = f"mailto://127.0.0.1:{server.port}?from=a@example.org&to=office@example.org"
        settings = desk.home / "notify.yml"
        settings.write_text(json.dumps({"people": {"*": [to]}}))
        settings.chmod(0o600)
        told = desk("pledge", "notify", "--settings", settings)
        assert told.status == 1
        assert str(path) in told.err
        assert "web-2" in "".join(one.get_content() for one in server.taken)


def test_what_is_disposed_of_goes_beside_damaged_files_of_others(desk: Desk) -> None:
    now = datetime.now(UTC)
    bad = desk.came(output("a", now), "web-1", "P-1")
    good = desk.came(output("b", now), "web-1", "P-2")
    broken = [desk.places.file("receipts", bad.digest, ".json"),
              desk.places.file("links", bad.digest, ".json")]  # fmt: skip
    for path in broken:
        _spoil(path, "bytes")
    over = ended.end(desk.places, "P-2")
    assert over.captures == 1
    told = " ".join(map(str, over.damaged))
    assert len(over.damaged) == 2 and all(str(path) in told for path in broken)
    receipt = quarantine.receipt(desk.places, good.digest)
    assert receipt is not None and quarantine.decision(desk.places, receipt) is not None
    assert desk.places.file("quarantine", bad.digest).exists()
    # a second time it is as it was
    assert ended.end(desk.places, "P-2").captures == 0


def test_one_damaged_job_stops_nobody(desk: Desk) -> None:
    now = datetime.now(UTC)
    desk.came(output("b", now), "web-1", "P-2")
    work = desk.places.work("P-1")
    work.mkdir(parents=True)
    (work / "job.json").write_bytes(b"\xff")
    taken = desk("intake", "--all")
    assert taken.status == 2
    assert str(work) in taken.err
    assert len(desk.evidence("P-2")) == 1
    waits, damaged = quarantine.undecided(desk.places)
    assert (waits, damaged) == ([], [])
