"""A server killed at each step of taking an upload in: whole or not at all, and never twice."""

from __future__ import annotations

import errno
import importlib
import os
import signal
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from collector import private
from collector.errors import BadInput
from collector.handin import ended, links, quarantine
from collector.handin.links import Link
from collector.handin.places import Places
from tests.pledges import killed

DATA = b"what came\n" * 1000
_STEPS = (
    ("collector.private", "append"),
    ("collector.private", "sync_folder"),
    ("collector.handin.quarantine", "store"),
)


def _upload(places: Places, link: Link) -> tuple[quarantine.Receipt, bool]:
    upload = quarantine.Upload(places, link)
    try:
        upload.write(DATA)
        upload.sync()
        return upload.take_in("", "test")
    finally:
        upload.close()


def _dying(places: Places, link: Link, module: str, name: str, when: str) -> None:
    place = importlib.import_module(module)
    act = getattr(place, name)

    def dies(*words: object, **named: object) -> None:
        if when == "after":
            act(*words, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, dies)
    _upload(places, link)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", _STEPS, ids=[name for _, name in _STEPS])
def test_a_receipt_means_that_all_is_there(
    tmp_path: Path, step: tuple[str, str], when: str
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    child = killed.begin(partial(_dying, places, link, *step, when))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    quarantine.settle(places)
    kept = places.file("quarantine", link.digest)
    told = quarantine.receipt(places, link.digest)
    assert list(places.room("incoming").iterdir()) == []
    assert kept.exists() is (told is not None)
    assert links.state(places, link) == ("open" if told is None else "used")
    receipt, new = _upload(places, link)
    assert new is (told is None)
    assert kept.read_bytes() == DATA
    assert list(quarantine.every(places)) == [receipt]


_FAILING = ("quarantine", "receipts")


def _fails_once(monkeypatch: pytest.MonkeyPatch, room: str, number: int) -> None:
    """As a folder of NFS or of a full btrfs: the rename is done, and its sync fails."""
    sync, left = private.sync_folder, [room]

    def failing(path: Path) -> None:
        if path.name in left:
            left.remove(path.name)
            raise OSError(number, os.strerror(number))
        sync(path)

    monkeypatch.setattr(private, "sync_folder", failing)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("room", _FAILING)
def test_a_receipt_has_its_bytes_where_a_sync_of_their_folder_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: str, number: int
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    kept = places.file("quarantine", link.digest)
    _fails_once(monkeypatch, room, number)
    with pytest.raises((quarantine.NoRoomError, OSError)):
        _upload(places, link)
    assert kept.exists() is (quarantine.receipt(places, link.digest) is not None)
    receipt, _ = _upload(places, link)
    quarantine.settle(places)
    assert kept.read_bytes() == DATA
    assert list(quarantine.every(places)) == [receipt]


@pytest.mark.parametrize("broken", ["lock", "receipt"])
def test_a_second_upload_that_fails_takes_nothing_of_the_first_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    second = quarantine.Upload(places, link)
    second.write(DATA)
    _upload(places, link)

    def fails(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    if broken == "lock":
        monkeypatch.setattr(Places, "held", fails)
    else:
        monkeypatch.setattr(quarantine, "load", fails)
    with pytest.raises(OSError, match="open files"):
        second.take_in("", "test")
    second.close()
    assert places.file("quarantine", link.digest).read_bytes() == DATA


def test_bytes_stay_where_nobody_can_tell_whether_they_have_a_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    _upload(places, link)
    told = places.file("receipts", link.digest, ".json")
    told.unlink()
    told.symlink_to(told.name)
    with suppress(OSError):
        quarantine.settle(places)
    assert places.file("quarantine", link.digest).read_bytes() == DATA


@pytest.mark.parametrize("when", ["listed", "opened"])
def test_an_upload_that_ends_while_others_are_settled_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    upload = quarantine.Upload(places, link)
    really = os.open

    def meanwhile(path: Path, *how: int, **named: int) -> int:
        if Path(path) == upload.path and when == "listed":
            upload.close()
        handle = really(path, *how, **named)
        if Path(path) == upload.path and when == "opened":
            upload.close()
        return handle

    monkeypatch.setattr(os, "open", meanwhile)
    quarantine.settle(places)
    assert list(places.room("incoming").iterdir()) == []


@pytest.mark.parametrize("by", ["revoked", "disposed"])
def test_what_was_looked_through_as_its_link_was_taken_back_does_not_come(
    tmp_path: Path, by: str
) -> None:
    places = Places(tmp_path / "hand-in")
    link, _ = links.new(places, "P-1", "web-1", 2, timedelta(days=1))
    upload = quarantine.Upload(places, link)
    upload.write(DATA)
    if by == "revoked":
        links.revoke(places, link.id)
    else:
        assert ended.end(places, "P-1") == ended.Ended(1, 0)
    with pytest.raises(BadInput, match="ended"):
        upload.take_in("", "test")
    upload.close()
    assert list(quarantine.every(places)) == []
    assert list(places.room("quarantine").iterdir()) == []
