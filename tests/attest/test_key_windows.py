"""Rotated, ended, revoked: which bundles of a kept key still verify, stamped and not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from collector.attest.envelope.timestamp import Authority, Request
from collector.attest.keys import keys
from collector.attest.trust import keyring
from collector.errors import BadInput, VerifyFailed
from collector.verify import open_bundle, verify
from tests import bundles
from tests.attest.shell import Shell
from tests.tsa import Tsa

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _stamp(tsa: Tsa, signature: bytes) -> bytes:
    asked = Request(signature)
    return asked.accept(tsa.reply(asked.bytes), where="t")


def _verdict(folder: Path, name: str, at: datetime | None = None) -> str:
    with open_bundle(folder / name) as opened:
        try:
            verify(opened, keyring.trust(), now=at)
        except VerifyFailed as problem:
            return problem.what
    return "verified"


def test_before_and_after_a_rotation_and_a_revocation(tmp_path: Path, now: datetime) -> None:
    tsa = Tsa(tmp_path / "tsa")
    authority = Authority.from_pem("test", tsa.root.read_text(), where="t")
    first = keyring.new("default", "p256", None)
    keyring.trust_authority(authority)
    keyring.window("default", valid_from=now - timedelta(days=9))
    found = [bundles.unreachable("a")]
    stamps = [partial(_stamp, tsa)]
    bundles.make(tmp_path, found, first, "plain")
    bundles.make(tmp_path, found, first, "stamped", stamps=stamps)
    assert (_verdict(tmp_path, "plain"), _verdict(tmp_path, "stamped")) == ("verified", "verified")

    # an end planned ahead: all verifies until then, what is stamped afterwards too
    keyring.window("default", valid_until=now + 10 * MINUTE)
    assert _verdict(tmp_path, "plain") == "verified"
    later = now + timedelta(days=4000)
    assert "nothing but the signer's word" in _verdict(tmp_path, "plain", later)
    assert _verdict(tmp_path, "stamped", later) == "verified"
    keyring.check_usable(first, "k")

    # rotated: the end is now, and what the old key signs from here on is refused
    second, ended = keyring.rotate("default", "p256", None)
    assert ended.valid_until is not None
    assert ended.valid_until < now + 10 * MINUTE
    with pytest.raises(BadInput, match="that is not undone"):
        keyring.window(ended.name, valid_until=now + timedelta(days=9))
    with pytest.raises(BadInput, match="this key ended"):
        keyring.check_usable(first, "k")
    bundles.make(tmp_path, found, second, "newer")
    assert _verdict(tmp_path, "newer") == "verified"

    # revoked: only what was shown to be there before counts, since the time that is told
    keyring.revoke("default")
    assert "revoked" in _verdict(tmp_path, "newer")
    revoked = keyring.revoke(first.keyid, now + timedelta(seconds=-1))
    assert revoked.revoked_at == now - timedelta(seconds=1)
    assert "what shows its time is not older" in _verdict(tmp_path, "stamped")
    assert "nothing but the signer's word" in _verdict(tmp_path, "plain")
    # never later again, and earlier when more becomes known
    assert keyring.revoke(first.keyid).revoked_at == revoked.revoked_at
    earlier = keyring.revoke(first.keyid, now - timedelta(days=3))
    assert earlier.revoked_at == now - timedelta(days=3)
    with pytest.raises(BadInput, match="not revoked in advance"):
        keyring.revoke("default", now + timedelta(days=1))
    # the same, had it been revoked after the timestamp
    known = keyring.trust()
    calm = replace(known.keys[0], revoked_at=datetime.now(UTC) + MINUTE, valid_until=None)
    with open_bundle(tmp_path / "stamped") as opened:
        assert verify(opened, replace(known, keys=(calm,)), now=later).stamp is not None
    with (
        open_bundle(tmp_path / "plain") as opened,
        pytest.raises(VerifyFailed, match="nothing but the signer's word"),
    ):
        verify(opened, replace(known, keys=(calm,)), now=later)


def test_a_rotation_takes_no_end_back(tmp_path: Path, now: datetime) -> None:
    tsa = Tsa(tmp_path / "tsa")
    thief = keyring.new("default", "p256", None)
    keyring.trust_authority(Authority.from_pem("test", tsa.root.read_text(), where="t"))
    end = now - MINUTE
    keyring.window("default", valid_from=now - timedelta(days=9), valid_until=end)
    stamps = [partial(_stamp, tsa)]
    bundles.make(tmp_path, [bundles.unreachable("a")], thief, "late", stamps=stamps)
    assert "after the end of the key" in _verdict(tmp_path, "late")
    _, ended = keyring.rotate("default", "p256", None)
    assert ended.valid_until == end
    assert "after the end of the key" in _verdict(tmp_path, "late")
    # nor does making the key anew, whose file is gone
    second = keyring.trust().keys[-1]
    keyring.window("default", now - timedelta(days=9), end)
    keyring.path_of("default").unlink()
    keyring.new("default", "p256", None)
    known = keyring.trust().find(second.keyid)
    assert known is not None
    assert known.valid_until == end


def test_a_revocation_in_advance_hides_no_end(now: datetime) -> None:
    key = keyring.new("default", "p256", None)
    keyring.window("default", now - timedelta(days=9), now - MINUTE)
    known = keyring.trust()
    # by hand: no command revokes in advance
    late = replace(known.keys[0], revoked_at=now + timedelta(days=9))
    (keyring.folder() / keyring.TRUST).write_bytes(replace(known, keys=(late,)).to_bytes())
    with pytest.raises(BadInput, match="this key ended"):
        keyring.check_usable(key, "k")
    with pytest.raises(BadInput, match="that is not undone"):
        keyring.window("default", valid_until=now + timedelta(days=9))


def test_a_key_that_begins_later_signs_nothing_yet(tmp_path: Path, now: datetime) -> None:
    key = keyring.new("default", "ed25519", None)
    with pytest.raises(BadInput, match="it would end before it begins"):
        keyring.window("default", now + MINUTE, now)
    keyring.window("default", now + timedelta(days=1))
    with pytest.raises(BadInput, match="this key begins"):
        keyring.check_usable(key, "k")
    bundles.make(tmp_path, [bundles.unreachable("a")], keys.load(keyring.find("default")), "b")
    assert "before the key default was valid" in _verdict(tmp_path, "b")
    with pytest.raises(BadInput, match="no key is named none"):
        keyring.window("none", now)


def test_windows_and_revocations_from_the_command_line(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell("key", "new")
    assert "in use until 2099-01-01" in shell("key", "window", "default", "--until", "2099-01-01")
    assert "in use until 2099-01-01" in shell("key", "show")
    assert "--until: not a time: x" in shell("key", "window", "default", "--until", "x", status=2)
    assert "give --from or --until" in shell("key", "window", "default", status=2)
    assert "revoked 2026-01-02" in shell("key", "revoke", "default", "--since", "2026-01-02")
    said = shell("key", "window", "default", "--until", "2098-01-01", "--lang", "zh", status=2)
    assert "不能恢复" in said
