"""A server killed at each step of taking an upload in: whole or not at all, and never twice."""

from __future__ import annotations

import importlib
import os
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from collector.handin import links, quarantine
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
