"""The same register in PostgreSQL. Needs an empty database: HOSTPLEDGE_TEST_POSTGRESQL=URL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from collector.errors import BadInput
from collector.pledges.attach import attach
from collector.pledges.register import Register
from tests.pledges.bundles import Signer
from tests.pledges.records import made

URL = os.environ.get("HOSTPLEDGE_TEST_POSTGRESQL", "")
pytestmark = pytest.mark.skipif(not URL, reason="HOSTPLEDGE_TEST_POSTGRESQL is not set")


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    engine = create_engine(URL)
    with engine.begin() as connection:
        for table in ("evidence", "versions", "pledges", "form"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        for table in ("evidence", "versions"):
            connection.execute(text(f"DROP FUNCTION IF EXISTS {table}_refuse()"))
    return Register.open(URL)


def test_records_and_evidence(register: Register, tmp_path: Path) -> None:
    signer = Signer(tmp_path / "made")
    register.add(made())
    with pytest.raises(BadInput, match="in the register already"):
        register.add(made())
    assert register.add(made(title="other"), update=True).number == 2
    for one in signer.chain("demo-2026", 2):
        attach(register, "demo-2026", one.path, signer.trust)
        with pytest.raises(BadInput, match="attached already"):
            attach(register, "demo-2026", one.path, signer.trust)
    again = Register.open(URL)
    assert [e.sequence for e in again.evidence("demo-2026")] == [1, 2]
    assert again.all_evidence() == {"demo-2026": again.evidence("demo-2026")}
    assert [v.number for v in again.history("demo-2026")] == [1, 2]


def test_what_was_written_cannot_be_changed(register: Register) -> None:
    register.add(made())
    for statement in (
        "UPDATE versions SET version = 9",
        "DELETE FROM versions",
        "TRUNCATE versions",
    ):
        with pytest.raises(DBAPIError), create_engine(URL).begin() as connection:
            connection.execute(text(statement))
    assert len(register.history("demo-2026")) == 1
