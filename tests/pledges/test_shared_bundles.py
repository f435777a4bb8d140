"""Operators of one register on a server, with a folder each, or one they share."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.errors import BadInput
from collector.pledges.database import tables
from collector.pledges.database.location import SHARED
from collector.pledges.record.form import from_document
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer import disposal
from collector.pledges.transfer.backup import write as backup
from collector.pledges.transfer.restore import restore
from tests.pledges.bundles import Signer
from tests.pledges.places import database
from tests.pledges.records import TODAY, example, made

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


def _ended() -> dict[str, Any]:
    ended = {"date": "2026-11-20", "reason": "停业", "by": "接入方"}
    return example(ended=ended, retention={"pledge_years": 1, "evidence_years": 1})


def _filled(at: str, signer: Signer, bundle: Path) -> Register:
    register = Register.open(at)
    register.add(from_document(example(), where="t", today=TODAY))
    register.add(from_document(_ended(), where="t", today=TODAY), update=True)
    attach(register, ID, bundle, signer.trust)
    return register


def _dispose(register: Register) -> disposal.Disposed:
    after = datetime.now(UTC).date() + timedelta(days=800)
    about = {"date": after.isoformat(), "method": "消磁", "by": "接入方"}
    return disposal.dispose(register, ID, about, after, renewed=False)


def test_a_register_beside_it_loses_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy made to try something, and another one that has the same bundle."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    signer, folder = Signer(tmp_path / "made"), tmp_path / "registers"
    folder.mkdir()
    bundle = signer.chain(ID, 1)[0].path
    first = _filled(str(folder / "a.sqlite"), signer, bundle)
    shutil.copy(folder / "a.sqlite", folder / "try.sqlite")
    tried = Register.open(str(folder / "try.sqlite"))
    for register, other in ((tried, "a.sqlite"), (first, "try.sqlite")):
        with pytest.raises(BadInput, match=rf"kept here for another register.*{other}"):
            _dispose(register)
        assert register.emptied() == frozenset()
        assert all(e.path.exists() for e in first.evidence(ID))
    backup(first, tmp_path / "all.zip")
    (folder / "try.sqlite").unlink()
    second = _filled(str(folder / "b.sqlite"), signer, bundle)
    with pytest.raises(BadInput, match=r"b\.sqlite"):
        _dispose(first)
    # one that has nothing of it keeps nobody from it, nor one whose own record is disposed of
    Register.open(str(folder / "c.sqlite")).add(made())
    with second._database.write() as connection, tables.unguarded(connection):
        connection.execute(tables.versions.update().values(document=""))
    kept = [e.path for e in first.evidence(ID)]
    assert _dispose(first).bundles == 1
    assert not any(path.exists() for path in kept)


def test_a_file_beside_it_that_cannot_be_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    signer = Signer(tmp_path / "made")
    (tmp_path / "r").mkdir()
    first = _filled(str(tmp_path / "r/a.sqlite"), signer, signer.chain(ID, 1)[0].path)
    (tmp_path / "r/b.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(BadInput, match="cannot be read"):
        _dispose(first)
    assert all(e.path.exists() for e in first.evidence(ID))


def test_nor_does_one_of_a_server_in_a_shared_folder(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv(SHARED, str(tmp_path / "shared"))
    signer = Signer(tmp_path / "made")
    bundle = signer.chain(ID, 1)[0].path
    first = _filled(database(postgresql), signer, bundle)
    second = _filled(database(postgresql), signer, bundle)
    with pytest.raises(BadInput, match=r"kept here for another register.*postgresql.*holders"):
        _dispose(first)
    assert all(e.path.exists() for e in second.evidence(ID))
    # a backup of it that is restored to another database is another register
    backup(first, tmp_path / "all.zip")
    third = database(postgresql)
    restore(tmp_path / "all.zip", third)
    first.store.holders.write_text(
        "".join(
            line
            for line in first.store.holders.read_text().splitlines(keepends=True)
            if json.loads(line)["where"] != second.where
        )
    )
    with pytest.raises(BadInput, match="kept here for another register"):
        _dispose(Register.open(third))
    first.store.holders.unlink()
    assert _dispose(first).bundles == 1
