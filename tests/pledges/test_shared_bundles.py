"""Operators of one register on a server, with a folder each, or one they share."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.database.location import SHARED
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer.backup import write as backup
from tests.pledges.bundles import Signer
from tests.pledges.places import database
from tests.pledges.records import made

ID = "demo-2026"


def _both(at: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bundle attached by each of two operators, in turn."""
    signer = Signer(folder / "made")
    for name, one in zip(("first", "second"), signer.chain(ID, 2), strict=True):
        monkeypatch.setenv("HOSTPLEDGE_HOME", str(folder / name))
        register = Register.open(at)
        if name == "first":
            register.add(made())
        attach(register, ID, one.path, signer.trust)


def test_without_a_shared_folder_a_backup_says_what_to_do(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = database(postgresql)
    _both(at, tmp_path, monkeypatch)
    with pytest.raises(BadInput, match=r"not in the store any more; .*HOSTPLEDGE_BUNDLES"):
        backup(Register.open(at), tmp_path / "all.zip")
    assert not (tmp_path / "all.zip").exists()


def test_with_one_each_backs_up_what_all_attached(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    monkeypatch.setenv(SHARED, str(shared))
    at = database(postgresql)
    _both(at, tmp_path, monkeypatch)
    for name in ("first", "second"):
        monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / name))
        told = backup(Register.open(at), tmp_path / f"{name}.zip")
        assert told["rows"]["evidence"] == 2
    kept = [path for path in shared.rglob("*") if not path.name.startswith(".aside")]
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o777 for path in kept if path.is_file()}
    assert modes == {0o660}
    folders = {stat.S_IMODE(path.stat().st_mode) & 0o777 for path in kept if path.is_dir()}
    assert folders == {0o770}


def test_what_is_kept_for_one_user_alone_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    signer = Signer(tmp_path / "made")
    register = Register.open()
    register.add(made())
    attach(register, ID, signer.chain(ID, 1)[0].path, signer.trust)
    modes = [path.stat().st_mode & 0o077 for path in register.store.folder.rglob("*")]
    assert set(modes) == {0}


def test_a_shared_folder_that_is_not_there_is_told(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not mounted, or mistyped: each would fill a folder of their own."""
    monkeypatch.setenv(SHARED, str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match=r"HOSTPLEDGE_BUNDLES=.*no such folder"):
        Register.open(database(postgresql))
