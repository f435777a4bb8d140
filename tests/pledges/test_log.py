"""The register's log against whoever has the database in their hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest

from collector.attest.keys.keys import PrivateKey
from collector.attest.log import checkpoint as checkpoints
from collector.attest.log import logged
from collector.attest.log.logged import Log
from collector.errors import CollectorError, VerifyFailed
from collector.pledges.database import log as logs
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.places import Owner, owner
from tests.pledges.records import made

IDS = ("p-1", "p-2")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    made_here = Signer(tmp_path_factory.mktemp("made"))
    for id in IDS:
        made_here.chain(id, 2)
    return made_here


@pytest.fixture
def register(place: str, signer: Signer) -> Register:
    opened = Register.open(place)
    for id in IDS:
        opened.add(made(id=id))
    for number in (1, 2):
        for id in IDS:
            attach(opened, id, signer.folder / f"{id}-{number}", signer.trust)
    return opened


@contextmanager
def _database(register: Register) -> Iterator[Owner]:
    """As somebody who owns the database opens it, with nothing in their way."""
    with owner(register.where) as theirs:
        theirs.unguard()
        yield theirs


def _entries(log: Log) -> list[tuple[str, int]]:
    found = [logged.entry(leaf, where="") for leaf in log.leaves]
    return [(one["pledge"], one["sequence"]) for one in found]


def test_what_is_attached_is_logged_in_its_order(register: Register) -> None:
    log = register.log()
    assert _entries(log) == [("p-1", 1), ("p-2", 1), ("p-1", 2), ("p-2", 2)]
    assert Register.open(register.where).log() == log
    last = logged.entry(log.leaves[3], where="")
    row = register.evidence("p-2")[1]
    assert (last["digest"], last["previous"]) == (row.digest, row.previous)
    assert last["logged_at"] == last["attached_at"] == row.attached_at.isoformat()
    assert last["verdicts"] == row.verdicts


def test_two_registers_have_logs_of_different_names(tmp_path: Path) -> None:
    logs_ = {Register.open(str(tmp_path / f"{n}.sqlite")).log().origin for n in range(3)}
    assert len(logs_) == 3


def test_the_database_refuses_to_change_its_log(register: Register) -> None:
    register.keep_checkpoint(4, "note")
    deleted = [f"DELETE FROM {t}" for t in ("log_head", "log_entries", "checkpoints")]
    updated = ["UPDATE log_head SET origin = 'x'", "UPDATE log_entries SET number = 9"]
    for statement in deleted + updated:
        with owner(register.where) as theirs, pytest.raises(Exception, match="append-only"):
            theirs.execute(statement)


# what somebody does who owns the database: each shows without any checkpoint, since rows and log
# no longer agree, or times run backwards
CLUMSY: dict[str, tuple[tuple[str, ...], str]] = {
    "evidence_deleted": (
        ("DELETE FROM evidence WHERE pledge = 'p-2' AND sequence = 2",),
        "entry 3 of the log is evidence 2 of p-2, which is not in the register any more",
    ),
    "entry_deleted": (("DELETE FROM log_entries WHERE number = 3",), "evidence 2 of p-2 is not in"),
    "entry_deleted_within": (
        ("DELETE FROM log_entries WHERE number = 1",),
        "entry 1 of the log is missing",
    ),
    "evidence_back_dated": (
        ("UPDATE evidence SET attached_at = '2020-01-01T00:00:00+00:00' WHERE sequence = 2",),
        "another attached_at of evidence 2 of p-1 than entry 2",
    ),
    "verdict_bettered": (
        ("UPDATE evidence SET verdicts = replace(verdicts, 'error', 'pass')",),
        "another verdicts of evidence 1 of p-1 than entry 0",
    ),
    "entry_back_dated": (
        (
            'UPDATE log_entries SET leaf = replace(leaf, \'"logged_at":"20\', '
            '\'"logged_at":"19\') WHERE number = 2',
        ),
        "entry 2 of the log .* is dated 19.*, before the entry ahead of it",
    ),
    "moved": (
        (
            "UPDATE log_entries SET number = 99 WHERE number = 0",
            "UPDATE log_entries SET number = 0 WHERE number = 1",
            "UPDATE log_entries SET number = 1 WHERE number = 99",
            "DELETE FROM evidence WHERE pledge = 'p-1' AND sequence = 1",
        ),
        "entry 1 of the log is evidence 1 of p-1, which is not",
    ),
    "not_canonical": (
        ("UPDATE log_entries SET leaf = replace(leaf, ',', ', ') WHERE number = 0",),
        "not in its canonical bytes",
    ),
    "no_entry": (("UPDATE log_entries SET leaf = '{}'",), "not a log entry"),
    "doubled": (
        ("INSERT INTO log_entries VALUES (4, (SELECT leaf FROM log_entries WHERE number = 3))",),
        "entry 4 of the log is evidence 2 of p-2, which is not",
    ),
    "log_gone": (("DELETE FROM log_head",), "the register's log is gone"),
}


@pytest.mark.parametrize("name", CLUMSY)
def test_rows_and_log_must_agree(register: Register, name: str) -> None:
    statements, said = CLUMSY[name]
    with _database(register) as theirs:
        for statement in statements:
            theirs.execute(statement)
    with pytest.raises(CollectorError, match=said):
        register.log()


def _delete_newest(theirs: Owner) -> None:
    theirs.execute("DELETE FROM evidence WHERE pledge = 'p-2' AND sequence = 2")
    theirs.execute("DELETE FROM log_entries WHERE number = 3")


def _delete_oldest(theirs: Owner) -> None:
    """And closes the gap, so that nothing seems to be missing."""
    theirs.execute("DELETE FROM evidence WHERE pledge = 'p-1'")
    for number in (0, 2):
        theirs.execute("DELETE FROM log_entries WHERE number = ?", (number,))
    theirs.execute("UPDATE log_entries SET number = 0 WHERE number = 1")
    theirs.execute("UPDATE log_entries SET number = 1 WHERE number = 3")


def _reorder(theirs: Owner) -> None:
    theirs.execute("UPDATE log_entries SET number = 99 WHERE number = 0")
    theirs.execute("UPDATE log_entries SET number = 0 WHERE number = 1")
    theirs.execute("UPDATE log_entries SET number = 1 WHERE number = 99")


def _back_date(theirs: Owner) -> None:
    """In the row and in the entry, as if it had been attached two minutes earlier."""
    ((at,),) = theirs.execute(
        "SELECT attached_at FROM evidence WHERE pledge = 'p-1' AND sequence = 2"
    )
    before = (datetime.fromisoformat(at) - timedelta(minutes=2)).isoformat()
    theirs.execute("UPDATE evidence SET attached_at = ? WHERE attached_at = ?", (before, at))
    theirs.execute("UPDATE log_entries SET leaf = replace(leaf, ?, ?)", (at, before))


def _begin_anew(theirs: Owner) -> None:
    """Makes it seem a register that never had a log."""
    for table in ("log_head", "log_entries", "checkpoints"):
        theirs.execute(f"DROP TABLE {table}")
    for column in ("scope", "record", "seen"):
        theirs.execute(f"ALTER TABLE evidence DROP COLUMN {column}")
    theirs.execute("DROP TABLE seals")
    theirs.execute("DROP TABLE marks")
    theirs.execute("DROP TABLE sightings")
    theirs.execute("DROP TABLE looks")
    theirs.execute("DROP TABLE briefs")
    theirs.execute("DROP TABLE alembic_version")
    theirs.execute("UPDATE form SET version = 1")


# what a careful one does: rows and log agree again; only an older checkpoint shows it
CAREFUL: dict[str, tuple[Callable[[Owner], None], str]] = {
    "newest_deleted": (_delete_newest, "had 4 entries and has 3: entries were removed"),
    "oldest_deleted": (_delete_oldest, "had 4 entries and has 2: entries were removed"),
    "reordered": (_reorder, "the first 4 entries of the log are not those of the checkpoint"),
    "back_dated": (_back_date, "the first 4 entries of the log are not those of the checkpoint"),
    "log_begun_anew": (_begin_anew, "a checkpoint of another log"),
}


@pytest.mark.parametrize("name", CAREFUL)
def test_whoever_kept_a_checkpoint_sees_it(register: Register, name: str) -> None:
    change, said = CAREFUL[name]
    kept = register.log().checkpoint()
    with _database(register) as theirs:
        change(theirs)
    now = Register.open(register.where).log()
    with pytest.raises(VerifyFailed, match=said):
        now.check_begins_with(kept, where="r")
    key = PrivateKey.generate()
    if kept.size > len(now.leaves) or kept.origin != now.origin:
        return
    note = checkpoints.sign(now.checkpoint(), key)
    proof = logged.read_consistency(now.consistency(kept.size, note).encode(), where="p")
    with pytest.raises(VerifyFailed):
        proof.check(kept, where="p")


def test_deleted_and_grown_again_shows(register: Register, signer: Signer) -> None:
    kept = register.log().checkpoint()
    with _database(register) as theirs:
        _delete_newest(theirs)
    other = signer.make(f"other-{uuid4()}", register.reference("p-2"))
    attach(register, "p-2", other.path, signer.trust)
    now = register.log()
    assert len(now.leaves) == kept.size
    with pytest.raises(VerifyFailed, match="are not those of the checkpoint"):
        now.check_begins_with(kept, where="r")


def test_an_entry_dated_before_the_checkpoint_it_is_not_in(register: Register) -> None:
    log = register.log()
    now = datetime.now(UTC)
    logs.check_since(log, 2, now - timedelta(hours=1), where="r")
    logs.check_since(log, 4, now + timedelta(days=1), where="r")
    with pytest.raises(VerifyFailed, match=r"entry 2 of the log is dated .*back-dated"):
        logs.check_since(log, 2, now + timedelta(hours=1), where="r")


def _as_of_form_1(register: Register) -> None:
    """The database as a hostpledge without a log left it."""
    with _database(register) as theirs:
        _begin_anew(theirs)


def test_a_register_older_than_its_log_is_taken_in_where_it_is(
    register: Register, signer: Signer
) -> None:
    before = {id: register.evidence(id) for id in IDS}
    _as_of_form_1(register)
    again = Register.open(register.where)
    assert {id: again.evidence(id) for id in IDS} == {
        id: tuple(replace(e, scope=None, absent=0, handed_in=None) for e in found)
        for id, found in before.items()
    }
    log = again.log()
    assert _entries(log) == [("p-1", 1), ("p-2", 1), ("p-1", 2), ("p-2", 2)]
    for leaf in log.leaves:
        document = logged.entry(leaf, where="")
        assert document["logged_at"] > document["attached_at"]
    third = signer.make(f"third-{uuid4()}", again.reference("p-1"))
    attach(again, "p-1", third.path, signer.trust)
    assert _entries(Register.open(register.where).log())[-1] == ("p-1", 3)
    with owner(register.where) as theirs:
        forms = theirs.execute("SELECT version FROM form ORDER BY version")
        assert forms == [(1,), (3,)]
        with pytest.raises(Exception, match="append-only"):
            theirs.execute("DELETE FROM log_entries")


def test_checkpoints_are_kept_for_reports(register: Register) -> None:
    digest = register.evidence("p-1")[1].digest
    assert register.checkpoint_over(digest) is None
    register.keep_checkpoint(2, "too small")
    assert register.checkpoint_over(digest) is None
    register.keep_checkpoint(3, "three")
    register.keep_checkpoint(4, "four")
    assert register.checkpoint_over(digest) == "three"
    assert register.checkpoint_over("0" * 64) is None


def test_an_empty_register_has_an_empty_log(place: str) -> None:
    log = Register.open(place).log()
    assert log.leaves == ()
    assert log.checkpoint().root.hex().startswith("e3b0c442")


def _clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    monkeypatch.setattr("collector.pledges.register.attached.datetime", Ahead)


def test_a_clock_that_was_ahead_once_breaks_nothing(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = Register.open(str(tmp_path))
    register.add_all([made(id=id) for id in IDS])
    _clock(monkeypatch, timedelta(hours=2))
    attach(register, "p-1", signer.folder / "p-1-1", signer.trust)
    monkeypatch.undo()
    attach(register, "p-2", signer.folder / "p-2-1", signer.trust)
    found = [logged.entry(leaf, where="") for leaf in register.log().leaves]
    assert found[1]["logged_at"] == found[0]["logged_at"]
    assert found[1]["attached_at"] < found[0]["attached_at"]
    assert list(logs.stepped_back(register.log())) == []


def test_what_such_a_clock_did_before_is_said_and_not_refused(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries took the time of whoever attached, whatever stood ahead of them."""
    register = Register.open(str(tmp_path / "r.sqlite"))
    register.add_all([made(id=id) for id in IDS])
    _clock(monkeypatch, timedelta(hours=2))
    attach(register, "p-1", signer.folder / "p-1-1", signer.trust)
    monkeypatch.undo()
    attach(register, "p-2", signer.folder / "p-2-1", signer.trust)
    last = logged.entry(register.log().leaves[1], where="")
    before, after = last["logged_at"], last["attached_at"]
    with _database(register) as theirs:
        theirs.execute(
            f'UPDATE log_entries SET leaf = replace(leaf, \'"logged_at":"{before}"\', '
            f'\'"logged_at":"{after}"\') WHERE number = 1'
        )
    assert list(logs.stepped_back(register.log())) == [(1, after, before)]
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    ended = hostpledge("register", "checkpoint", "--register", register.where, home=home)
    assert ended.status == 0
    assert f"entry 1 of the log is dated {after}, before one ahead of it ({before})" in ended.err
    # between the two
    _clock(monkeypatch, timedelta(hours=1))
    attach(register, "p-2", signer.folder / "p-2-2", signer.trust)
    monkeypatch.undo()
    attach(register, "p-1", signer.folder / "p-1-2", signer.trust)
    assert [number for number, _, _ in logs.stepped_back(register.log())] == [1, 2, 3]
