"""What was found on a host that was taken off the record since: open and late for nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import last_lives
from collector.pledges.standing.found_now import lives_now
from collector.pledges.status.findings import Life
from tests.cli.running import answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import example, made

HASH = "encryption.password_hash"
NOW = datetime.now(UTC)


def _record(*hosts: str) -> PledgeRecord:
    resources: dict[str, Any] = {**example()["resources"], "hosts": list(hosts)}
    late = {"control": HASH, "host": "web-01", "owner": "周示例", "due": "2026-01-20"}
    return made(resources=resources, follow_ups=[late])


def _open(found: tuple[Life, ...]) -> set[str]:
    return {life.host for life in found if life.state == "open"}


def test_of_a_host_that_was_taken_off_nothing_is_open(tmp_path: Path) -> None:
    register, signer = Register.open(str(tmp_path / "r")), Signer(tmp_path / "made")
    record = _record("web-01", "web-02")
    register.add(record)
    check(register, record.id, signer, captured("weak"), NOW - timedelta(days=4))
    assert _open(lives_now(register, record, NOW)) == {"web-01"}
    record = _record("web-02")
    register.add(record, update=True)
    # the newest evidence, of which its clauses are told, is of that host still
    rows = register.evidence(record.id)
    assert (
        _open(lives_now(register, record, NOW))
        == {"web-01"}
        == _open(last_lives(record, rows, NOW))
    )
    check(register, record.id, signer, captured("hardened"), NOW - timedelta(days=2), host="web-02")
    rows = register.evidence(record.id)
    assert _open(lives_now(register, record, NOW)) == set() == _open(last_lives(record, rows, NOW))

    def pledge(*words: str) -> str:
        ended = hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)
        return ended.out

    assert HASH not in pledge("due")
    listed = answer(pledge("findings", record.id, "--format", "json"))
    assert [x for x in listed["findings"] if x["overdue"] or x["state"] == "open"] == []
    assert "web-01" not in pledge("findings", "--format", "csv")
    counted = json.loads(pledge("status", record.id, "--format", "json"))
    assert counted["findings"]["open"] == 0
    # it is on record again, and nobody has mended anything
    record = _record("web-01", "web-02")
    register.add(record, update=True)
    (life,) = (x for x in lives_now(register, record, NOW) if x.state == "open")
    assert (life.host, life.opened.sequence, life.overdue(NOW)) == ("web-01", 1, True)
