"""What somebody puts behind the last entry that this user knows is held to its signed bundle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import captures
from collector.attest.envelope import dsse
from collector.attest.log import logged
from collector.pledges.database import last_kept, log
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.pledges.places import owner
from tests.pledges.test_against_log import ID, PASSES, WHOLE, Home

OTHER = "other-2026"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    return Home(tmp_path)


def _invent(home: Home, digest: str) -> None:
    """A row and its entry, as `attach` would write them, for a pledge that nobody looked at."""
    now = datetime.now(UTC)
    row = {
        "pledge": OTHER,
        "sequence": 1,
        "digest": digest,
        "previous": None,
        **dict.fromkeys(("collected_at", "made_at", "attached_at"), now.isoformat()),
        "verdicts": PASSES,
        "scope": WHOLE,
        "record": None,
        "seen": None,
    }
    leaf = logged.entry_bytes(log._fields(row), now).decode()
    with owner(home.register.where) as theirs:
        theirs.unguard()
        theirs.execute(
            f"INSERT INTO evidence VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
        theirs.execute("INSERT INTO log_entries VALUES (2, ?)", (leaf,))


def test_an_invented_entry_proves_nothing(home: Home) -> None:
    """It was believed by lists until somebody asked for its status."""
    _, before, _ = home.listed()
    _invent(home, "f" * 64)
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1)
    assert "pass" not in json.dumps(listed[OTHER])
    assert listed[OTHER]["proof"] is False
    assert listed[ID] == before[ID]
    assert "cannot be read" in err
    assert home("show", OTHER).status == 2
    assert home("show", ID).status == 0


def test_nor_one_that_names_the_bundle_of_another_pledge(home: Home) -> None:
    """Which lies in the store, whole and signed."""
    with home.register.store.aside(home.bundles[2]) as copy:
        sealed = dsse.unseal((copy / "data" / dsse.FILE).read_bytes())
        digest = captures.digest(sealed.payload)
        home.register.store.keep(copy, digest)
    _invent(home, digest)
    status, listed, err = home.listed()
    assert status == 2
    assert "the register says another pledge of evidence 1 of other-2026" in err
    assert "pass" not in json.dumps(listed[OTHER])


def test_it_is_not_remembered_with_what_is_attached_next(home: Home) -> None:
    known = last_kept.read(home.register.where)
    assert known is not None
    _invent(home, "f" * 64)
    again = Register.open()
    attach(again, ID, home.bundles[2], home.trust)
    assert last_kept.read(again.where) == known
    status, listed, _ = home.listed()
    assert status == 2
    assert "pass" not in json.dumps(listed[OTHER])


def test_what_another_process_attached_is_believed(home: Home, tmp_path: Path) -> None:
    """It has a bundle that says so; the user knows it from then on."""
    known = last_kept.read(home.register.where)
    with pytest.MonkeyPatch.context() as alone:
        alone.setattr(last_kept, "_write", lambda every: None)
        attach(Register.open(), ID, home.bundles[2], home.trust)
    assert last_kept.read(home.register.where) == known
    status, listed, err = home.listed()
    assert (status, err) == (0, "")
    assert listed[ID]["last"]["sequence"] == 3
