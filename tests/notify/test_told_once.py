"""What is open all along is told once, whatever else is put on record."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

from collector.notify.outbox import Outbox
from collector.pledges.record.form import PledgeRecord, from_document
from tests.notify.test_notify import HASH, NOW, TODAY, Office, office
from tests.notify.test_told_anew import void
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check

__all__ = ["office"]


def test_what_never_was_mended_is_told_once(office: Office, tmp_path: Path) -> None:
    """Void evidence that found it too, and a waiver that was over, change nothing of it."""
    office()
    assert len(office.told()) == 1
    signer = Signer(tmp_path / "made")
    for number, days in enumerate((3, 1), 2):
        check(office.register, "one-1", signer, captured("weak"), NOW - timedelta(days=days))
        void(office, number)
        office()
        assert len(office.told()) == 1
    waiver = {"control": HASH, "host": "*", "reason": "x", "approver": "林示例"}

    def changed(known: PledgeRecord) -> PledgeRecord:
        over = waiver | {"expires": (NOW - timedelta(days=1)).isoformat()}
        document = json.loads(known.canonical()) | {"waivers": [over]}
        return from_document(document, where="", today=TODAY)

    office.register.change("one-1", changed)
    office()
    assert len(office.told()) == 1


def test_what_is_open_still_is_not_told_again_when_what_mended_it_once_is_void(
    office: Office, tmp_path: Path
) -> None:
    signer = Signer(tmp_path / "made")
    for taken, days in (("hardened", 9), ("weak", 5)):
        at = NOW - timedelta(days=days)
        check(office.register, "one-1", signer, captured(taken), at)
    office()
    assert len(office.told()) == 1
    void(office, 2)
    office()
    assert len(office.told()) == 1


def _looks(office: Office, folder: Path, *taken: tuple[str, int]) -> None:
    signer = Signer(folder / "made")
    for name, days in taken:
        check(office.register, "one-1", signer, captured(name), NOW - timedelta(days=days))


def test_what_came_back_is_told_though_what_opened_it_first_is_void(
    office: Office, tmp_path: Path
) -> None:
    office()
    assert len(office.told()) == 1
    _looks(office, tmp_path, ("hardened", 9), ("weak", 5))
    void(office, 1)
    office()
    assert len(office.told()) == 2


def test_what_came_back_is_told_once_when_what_opened_it_first_is_void_later(
    office: Office, tmp_path: Path
) -> None:
    _looks(office, tmp_path, ("hardened", 9), ("weak", 5))
    office()
    assert len(office.told()) == 1
    void(office, 1)
    office()
    assert len(office.told()) == 1


def test_a_void_bundle_that_is_lost_silences_nobody(office: Office, tmp_path: Path) -> None:
    _looks(office, tmp_path, ("weak", 5))
    lost = office.register.every_evidence("one-1")[1]
    shutil.rmtree(lost.path)
    void(office, 2)
    ended = office("--dry-run")
    assert "D12" in ended.out
    assert "cannot be read" not in ended.out


def test_a_bundle_that_is_lost_is_told_once_and_is_no_deadline(
    office: Office, tmp_path: Path
) -> None:
    _looks(office, tmp_path, ("weak", 5))
    shutil.rmtree(office.register.every_evidence("one-1")[1].path)
    office()
    (said,) = [text for text in office.told("office@example.org") if "cannot be read" in text]
    assert "overdue" not in next(line for line in said.splitlines() if "cannot be read" in line)
    (key,) = [
        item
        for message in Outbox(office.folder / "outbox").messages()
        for item in message.items
        if "|unread|" in item
    ]
    assert TODAY.isoformat() not in key
