"""A log that a user can write tells of his own jobs alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, Result
from tests import cases

CONTROL = "backup.fresh"
# its job is one of postgres, and its repository is encrypted: nothing but the log tells of it
CASE = cases.load(cases.HERE / "controls/backup/fresh/looks_wrong_encrypted_pgbackrest.pass.yml")


def _written_by(user: str) -> Capture:
    capture = CASE.capture
    told = capture.reads["backup.logs"]
    lines = told.stdout.replace(b"log 1", f"log-of {user} 1".encode() if user else b"log 1")
    reads = {**capture.reads, "backup.logs": replace(told, stdout=lines)}
    return replace(capture, reads=reads)


@pytest.mark.parametrize(
    ("user", "verdict"), [("", Result.PASS), ("postgres", Result.PASS), ("mal", Result.ERROR)]
)
def test_a_log_counts_for_who_can_write_it(user: str, verdict: Result) -> None:
    (found,) = assess_host(
        _written_by(user),
        [catalog.control(CONTROL)],
        grade=CASE.grade,
        at=CASE.at,
        attached=CASE.attached,
    )
    assert found.result is verdict, found.message.en
