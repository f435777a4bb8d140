"""A disk that is full is told with the file that could not be written: the system does not say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector import private
from collector.attest.bundle import bag, making
from collector.pledges.database.store import Store
from tests.pledges.bundles import Signer


def test_a_file_says_its_name(tmp_path: Path) -> None:
    out = private.writer(os.open("/dev/full", os.O_WRONLY), tmp_path / "x")
    out.write(b"x" * 10)
    with pytest.raises(OSError, match="No space left") as told:
        out.flush()
    assert told.value.filename == str(tmp_path / "x")
    with pytest.raises(OSError, match="No space left"):
        out.close()


def test_so_does_what_is_made_of_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(tmp_path / "made")
    bundle = signer.chain("demo-2026", 1)[0].path
    making.pack(bundle, tmp_path / "b.zip")
    monkeypatch.setattr(
        private, "create", lambda path, mode=0: private.writer(os.open("/dev/full", 1), path)
    )
    with pytest.raises(OSError, match="No space left") as told:
        making.pack(bundle, tmp_path / "c.zip")
    assert told.value.filename == str(tmp_path / "c.zip")
    store = Store(tmp_path / "bundles")
    with pytest.raises(OSError, match="No space left") as told, store.aside(tmp_path / "b.zip"):
        pytest.fail("it was unpacked")
    assert str(told.value.filename).startswith(str(store.folder))


def test_a_file_of_a_bag_as_well(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as told:
        bag.store(tmp_path / "x", b"x")
    assert told.value.filename == str(tmp_path / "x")
