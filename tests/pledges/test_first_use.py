"""A register that its user has not used before: what is in force is held to its bundles, once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.attest.keys import keys
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, VerifyFailed
from collector.pledges.database import last_kept, log
from collector.pledges.register import signers
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer import restore as restoring
from collector.pledges.transfer.backup import write as backup
from tests.cli.running import Ended, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.places import owner
from tests.pledges.test_against_log import DELETED, ID, Home, _rewritten

Reader = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    monkeypatch.delenv("HOSTPLEDGE_TRUST", raising=False)
    return Home(tmp_path)


@pytest.fixture
def reader(home: Home, tmp_path: Path) -> Reader:
    """Somebody who never attached anything, with a folder of their own."""
    register = home.register.where

    def run(*words: object, **environment: str) -> Ended:
        environment["HOSTPLEDGE_REGISTER"] = str(register)
        return hostpledge("pledge", *words, home=tmp_path / "reader", **environment)

    (tmp_path / "reader").mkdir(mode=0o700)
    return run


def _trust(home: Home) -> str:
    return str(home.home / "keys" / "trust.json")


def _said(ended: Ended) -> str:
    """What the list says of the pledge."""
    found = {one["id"]: one for one in json.loads(ended.out)["pledges"]}
    return json.dumps(found[ID])


def test_it_is_taken_as_it_stands_and_that_is_said_once(reader: Reader) -> None:
    first = reader("list", "--format", "json")
    assert (first.status, len(first.err.splitlines())) == (0, 1)
    assert f"taken on the register's word: the newest evidence of 1 record(s) ({ID})" in first.err
    assert "HOSTPLEDGE_TRUST" in first.err
    assert reader("list").err == ""


def test_who_only_looks_goes_on_so(home: Home, reader: Reader) -> None:
    """What is attached later is taken and told in the same way; held to its bundle all the same."""
    assert reader("list").status == 0
    attach(home.register, ID, home.bundles[2], home.trust)
    ended = reader("list", "--format", "json")
    assert (ended.status, len(ended.err.splitlines())) == (0, 1)
    assert json.loads(_said(ended))["last"]["sequence"] == 3
    assert reader("list").err == ""
    _rewritten(home, notes="none")
    assert reader("list").status == 2


def test_whoever_says_whom_they_trust_hears_nothing(home: Home, reader: Reader) -> None:
    ended = reader("list", "--format", "json", HOSTPLEDGE_TRUST=_trust(home))
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(_said(ended))["last"]["sequence"] == 2


@pytest.mark.parametrize("trusting", [True, False])
def test_a_rewritten_register_proves_nothing(home: Home, reader: Reader, trusting: bool) -> None:
    """Rows, log and checkpoints say the same; the signed bundle beside them does not."""
    _rewritten(home, notes="none")
    named = {"HOSTPLEDGE_TRUST": _trust(home)} if trusting else {}
    for _ in range(2):  # and it is not known from then on
        ended = reader("list", "--format", "json", **named)
        assert (ended.status, len(ended.err.splitlines())) == (2, 1), ended.err
        assert "another verdicts of evidence" in ended.err
        assert '"pass"' not in _said(ended)
    for words in (("due",), ("status", ID), ("list", "--clause", "2.2"), ("list", "--summary")):
        assert reader(*words, **named).status == 2, words


def test_a_bundle_that_is_not_there(home: Home, reader: Reader) -> None:
    """Without trust it is said; whoever names theirs wants it held."""
    shutil.rmtree(home.register.store.path(home.register.evidence(ID)[-1].digest))
    strict = reader("list", HOSTPLEDGE_TRUST=_trust(home))
    assert (strict.status, len(strict.err.splitlines())) == (2, 1)
    loose = reader("list")
    assert (loose.status, f"({ID}) is not here" in loose.err) == (0, True)


def _behind_a_link(home: Home) -> None:
    file = Path(home.register.where)
    with owner(str(file)) as theirs:
        theirs.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    hidden = file.with_name(".r2.sqlite")
    file.rename(hidden)
    for more in file.parent.glob(f"{file.name}-*"):
        more.unlink()
    file.symlink_to(hidden)


@pytest.mark.parametrize("act", ["rewritten", "shortened"])
def test_a_link_in_its_place_is_no_other_register(home: Home, act: str) -> None:
    if act == "rewritten":
        _rewritten(home, notes="none")
    else:
        home.change(DELETED, "DELETE FROM log_entries WHERE number = 1")
    _behind_a_link(home)
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1), err
    assert listed[ID]["proof"] is False
    assert "log" in err


def test_all_evidence_taken_away_behind_a_link(home: Home) -> None:
    home.change("DELETE FROM evidence", "DELETE FROM log_entries", "DELETE FROM sightings")
    _behind_a_link(home)
    status, _, err = home.listed()
    assert (status, "entries were removed from it" in err) == (2, True)


def test_a_restore_that_fails_leaves_what_was_known(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(home.register, tmp_path / "b.zip")
    known = last_kept.read(home.register.where)
    assert known is not None

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "read", full)
    with pytest.raises(OSError, match="No space"):
        restoring.restore(tmp_path / "b.zip", None, replace=True)
    assert last_kept.read(home.register.where) == known


@pytest.fixture
def bo(home: Home, tmp_path: Path) -> Signer:
    """A colleague with a key of their own, whose bundles the user attaches by their trust file."""
    with pytest.MonkeyPatch.context() as theirs:
        theirs.setenv("HOSTPLEDGE_HOME", str(tmp_path / "bo"))
        keyring.new("default", "p256", None)
        made = Signer(tmp_path / "made-by-bo")
        made.key, made.trust = keys.load(keyring.path_of("default")), keyring.trust()
    return made


def _revoked(trust: Trust) -> Trust:
    over = datetime.now(UTC) - timedelta(days=400)
    return Trust(tuple(replace(key, revoked_at=over) for key in trust.keys))


def test_a_key_that_was_revoked_counts_no_more(home: Home, bo: Signer, tmp_path: Path) -> None:
    other = "other-2026"
    first, second = bo.chain(other, 2)
    attach(home.register, other, first.path, bo.trust)
    # a later trust file says that the key is over; the bundle of the thief is refused by it
    with pytest.raises(VerifyFailed):
        attach(home.register, other, second.path, _revoked(bo.trust))
    with pytest.MonkeyPatch.context() as theirs:
        theirs.setenv("HOSTPLEDGE_HOME", str(tmp_path / "thief"))
        attach(Register.open(str(home.register.where)), other, second.path, bo.trust)
    status, _, err = home.listed()
    assert (status, "revoked" in err) == (2, True), err


def test_what_was_refused_makes_no_key_known(home: Home, bo: Signer) -> None:
    _, second = bo.chain("other-2026", 2)
    with pytest.raises(BadInput):
        attach(home.register, "other-2026", second.path, bo.trust)
    known = signers._all().get(last_kept.place(home.register.where), {})
    assert "other-2026" not in known


def test_a_key_as_an_earlier_release_kept_it(home: Home, bo: Signer) -> None:
    (key,) = bo.trust.keys
    kept = {last_kept.place(home.register.where): {"other-2026": {key.keyid: key.key.pem}}}
    signers._write(kept)
    (first,) = bo.chain("other-2026", 1)
    found = signers.Signers(home.register.where)
    (held,) = found._accepted("other-2026")
    assert (held.keyid, held.revoked_at) == (key.keyid, None)
    attach(home.register, "other-2026", first.path, bo.trust)
    (held,) = found._accepted("other-2026")
    assert held.keyid == key.keyid
