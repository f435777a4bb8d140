"""What somebody puts behind the last entry that this user knows is held to its signed bundle."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import captures
from collector.attest.envelope import dsse
from collector.attest.keys import keys
from collector.attest.log import logged
from collector.attest.trust import keyring
from collector.pledges.database import last_kept, log
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.pledges.bundles import Signer
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


@pytest.fixture
def stranger(home: Home, tmp_path: Path) -> Path:
    """Somebody who can write the register attached to it what their own key signed."""
    with pytest.MonkeyPatch.context() as theirs:
        theirs.setenv("HOSTPLEDGE_HOME", str(tmp_path / "stranger"))
        keyring.new("default", "p256", None)
        trust = keyring.folder() / keyring.TRUST
        signer = Signer(tmp_path / "made-there")
        signer.key, signer.trust = keys.load(keyring.path_of("default")), keyring.trust()
        attach(
            Register.open(str(home.register.where)),
            OTHER,
            signer.chain(OTHER, 1)[0].path,
            signer.trust,
        )
    return trust


def test_what_a_stranger_signed_proves_nothing(home: Home, stranger: Path) -> None:
    """It was believed by every command but `verify`."""
    del stranger
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1)
    assert "evidence 1 of other-2026 is signed by SHA256:" in err
    assert "HOSTPLEDGE_TRUST" in err
    assert "pass" not in json.dumps(listed[OTHER])
    assert listed[OTHER]["proof"] is False
    for command in ("status", "findings", "export"):
        words = ["-o", home.home / command] if command == "export" else []
        ended = home(command, OTHER, *words)
        assert ended.status == 2, command
        assert "no key that you trust" in ended.err
    # it would be known from then on
    ended = hostpledge("register", "checkpoint", home=home.home)
    assert ended.status == 2
    assert "no key that you trust" in ended.err


def test_what_a_colleague_signed_is_believed(home: Home, stranger: Path) -> None:
    def listed(trust: str) -> Ended:
        words = ("pledge", "list", "--format", "json")
        return hostpledge(*words, home=home.home, HOSTPLEDGE_TRUST=trust)

    ended = listed(str(stranger))
    assert (ended.status, ended.err) == (0, "")
    found = {one["id"]: one for one in json.loads(ended.out)["pledges"]}
    assert found[OTHER]["last"]["sequence"] == 1
    ended = listed(f"{stranger}.gone")
    assert ended.status == 2
    assert "trust.json.gone" in ended.err


def test_a_pipe_in_a_kept_bundle_holds_nobody_up(home: Home) -> None:
    """Nor does a device; both were read to their end, which they have not."""
    root = home.register.store.path(home.register.evidence(ID)[-1].digest) / "data"
    for name in ("evidence.json", dsse.FILE):
        (root / name).unlink()
        os.mkfifo(root / name)
        ended = home("status", ID)
        assert ended.status in (1, 2)
        assert "not a regular file" in ended.err + ended.out or "pipe" in ended.err + ended.out
