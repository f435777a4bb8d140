"""Registers of older forms, as the first hostpledges made them, become those of today."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from collector.errors import BadInput
from collector.pledges import migrations
from collector.pledges.database import log, sightings, tables
from collector.pledges.database.against_log import AgainstLog
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.pledges.bundles import Signer
from tests.pledges.places import Owner, owner
from tests.pledges.records import made

LOG = ("log_head", "log_entries", "checkpoints")
_COLUMN = {"log_head": "origin", "log_entries": "leaf", "checkpoints": "note"}


def _older(theirs: Owner, form: int) -> None:
    """Takes away what later forms brought."""
    theirs.execute("ALTER TABLE evidence DROP COLUMN seen")
    theirs.execute("ALTER TABLE evidence DROP COLUMN record")
    if form > 7:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute("DROP TABLE seals")
    if form > 6:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute("DROP TABLE marks")
    theirs.execute("DROP TABLE sightings")
    if form > 5:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute("ALTER TABLE evidence DROP COLUMN scope")
    if form > 4:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute("DROP TABLE looks")
    if form > 3:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute("DROP TABLE briefs")
    if form > 2:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '{form:04d}'")
        return
    theirs.execute(f"DROP TABLE {migrations.TABLE}")
    theirs.execute("DELETE FROM form")
    for number in range(1, form + 1):
        theirs.execute("INSERT INTO form VALUES (?)", (number,))
    if form < 2:
        for table in LOG:
            theirs.execute(f"DROP TABLE {table}")


@pytest.mark.parametrize("form", [1, 2, 3, 4, 5, 6, 7, 8])
def test_tables_of_each_form_become_those_that_are_made_today(
    place: str, form: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = Signer(tmp_path / "made")
    register = Register.open(place)
    register.add(made())
    fields = log._fields
    scoped = form > 5
    with monkeypatch.context() as earlier:
        # as it was logged before there was a record, or a scope
        without = {"record": None, "seen": None} | ({} if scoped else {"scope": None})
        earlier.setattr(log, "_fields", lambda row: fields({**row, **without}))
        # which the rows of then had not either, and those of today have until they are older
        earlier.setattr(AgainstLog, "agrees", lambda *_: True)
        for one in signer.chain("demo-2026", 2):
            attach(register, "demo-2026", one.path, signer.trust)
        before = register.evidence("demo-2026")
    with owner(place) as theirs:
        _older(theirs, form)
    again = Register.open(place)
    assert again.evidence("demo-2026") == tuple(
        (e if scoped else replace(e, scope=None, absent=0, handed_in=None))
        for e in (before if form > 6 else [replace(e, hosts=None) for e in before])
    )
    # what later forms keep of it is made from its bundles
    assert again.newest_looks("demo-2026") == {}
    with again._database.read() as connection:
        assert sightings.missing(connection) == []
    assert len(again.log().leaves) == 2
    again.keep_checkpoint(2, "note")
    with again._database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []
        assert set(inspect(connection).get_table_names()) == {
            *tables.metadata.tables,
            migrations.TABLE,
        }
    with owner(place) as theirs:
        assert theirs.execute("SELECT max(version) FROM form") == [(tables.FORM,)]
    for table in LOG:
        with owner(place) as theirs, pytest.raises(Exception, match="append-only"):
            theirs.execute(f"UPDATE {table} SET {_COLUMN[table]} = '-'")


def test_a_newer_register_is_left_alone(place: str) -> None:
    Register.open(place)
    with owner(place) as theirs:
        theirs.execute(f"UPDATE {migrations.TABLE} SET version_num = '0999'")
    with pytest.raises(BadInput, match="made by a newer hostpledge"):
        Register.open(place)


def test_revisions_follow_one_another() -> None:
    files = sorted((Path(migrations.__file__).parent / "versions").glob("0*.py"))
    assert [path.name[:4] for path in files] == list(migrations._REVISIONS)
    assert migrations._REVISIONS[-1] == migrations.HEAD


OPEN = """import sys
from collector.pledges.register.register import Register
Register.open(sys.argv[1])
"""


def test_killed_while_migrating_it_is_as_before_or_as_after(place: str) -> None:
    register = Register.open(place)
    register.add(made())
    begun = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        {
            "pledge": "demo-2026",
            "sequence": number,
            "digest": f"{number:064x}",
            "previous": f"{number - 1:064x}" if number > 1 else None,
            "collected_at": "2026-11-01T00:00:00+00:00",
            "made_at": "2026-11-01T00:00:00+00:00",
            "attached_at": (begun + timedelta(seconds=number)).isoformat(),
            "verdicts": "{}",
        }
        for number in range(1, 3001)
    ]
    with register._database.write() as connection:
        connection.execute(tables.evidence.insert(), rows)
    moments = random.Random(20261125)
    finished = cut = 0
    for _ in range(10):
        with owner(place) as theirs:
            if theirs.has(migrations.TABLE):
                _older(theirs, 1)
        child = subprocess.Popen([sys.executable, "-c", OPEN, place])
        time.sleep(moments.uniform(0.3, 1.6))
        child.kill()
        child.wait()
        with owner(place) as theirs:
            if theirs.has(migrations.TABLE):
                finished += 1
                assert theirs.execute("SELECT count(*) FROM log_entries") == [(3000,)]
            else:
                cut += 1
                assert not any(theirs.has(table) for table in LOG)
            assert theirs.execute("SELECT count(*) FROM evidence") == [(3000,)]
    assert cut
    assert len(Register.open(place).log().leaves) == 3000
