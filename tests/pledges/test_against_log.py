"""Lists and looks at one pledge, against whoever has rewritten the register's rows.

Each of them is held to the log that the register has of what was attached.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from collector.attest.keys import keys
from collector.attest.log import merkle
from collector.attest.log.checkpoint import Checkpoint, sign
from collector.attest.trust import keyring
from collector.errors import BadInput, VerifyFailed
from collector.pledges.database import bound_versions, last_kept, seals, tables, voids
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer.backup import write as backup
from collector.pledges.transfer.disposal import dispose
from tests.cli.running import Ended, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.places import owner
from tests.pledges.records import made

ID = "demo-2026"
PASSES = json.dumps({"2.2": "pass", "2.3": "pass", "2.4": "pass"})
WHOLE = json.dumps(
    {
        "absent": 0,
        "clauses": {n: {"judged": 9, "of": 9} for n in ("2.2", "2.3", "2.4")},
        "grade": 3,
        "handed_in": 0,
        "judged": 27,
        "known": True,
        "of": 27,
        "whole": True,
    }
)
FORGED = f"UPDATE evidence SET verdicts = '{PASSES}', scope = '{WHOLE}'"
DELETED = f"DELETE FROM evidence WHERE sequence = 2 AND pledge = '{ID}'"


class Home:
    """A key and a register, with two bundles attached to one of its two pledges."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        keyring.new("default", "p256", None)
        signer = Signer(folder / "made")
        signer.key = keys.load(keyring.path_of("default"))
        self.trust = signer.trust = keyring.trust()
        self.register = Register.open()
        self.register.add_all([made(), made(id="other-2026")])
        self.bundles = [one.path for one in signer.chain(ID, 3)]
        for path in self.bundles[:2]:
            attach(self.register, ID, path, signer.trust)

    def __call__(self, *words: object) -> Ended:
        return hostpledge("pledge", *words, home=self.home)

    def change(self, *statements: str) -> None:
        with owner(self.register.where) as theirs:
            theirs.unguard()
            for statement in statements:
                theirs.execute(statement)

    def listed(self) -> tuple[int, dict[str, dict[str, Any]], str]:
        ended = self("list", "--format", "json")
        return ended.status, {p["id"]: p for p in json.loads(ended.out)["pledges"]}, ended.err


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    return Home(tmp_path)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (FORGED, f"the register says another verdicts of evidence 1 of {ID} than entry 0 of"),
        (DELETED, f"entry 1 of the log is evidence 2 of {ID}, which is not in the register any"),
        ("UPDATE evidence SET collected_at = '2030-01-01T00:00:00+00:00'", "another collected_at"),
        ("UPDATE evidence SET verdicts = '['", "another verdicts of evidence 1"),
        ("UPDATE evidence SET sequence = 7 WHERE sequence = 2", "evidence 2 of demo-2026, which"),
    ],
    ids=["forged", "deleted", "dated", "garbled", "moved"],
)
def test_what_the_log_does_not_say_is_no_proof(home: Home, statement: str, said: str) -> None:
    status, before, err = home.listed()
    assert (status, err) == (0, "")
    home.change(statement)
    status, listed, err = home.listed()
    assert status == 2
    assert len(err.splitlines()) == 1
    assert said in err
    assert "restore it from a backup" in err
    assert "pass" not in json.dumps(listed[ID])
    assert listed[ID]["proof"] is False
    was, now = before[ID]["last"], listed[ID]["last"]
    assert was["collected_at"] == now["collected_at"], "as the log has it"
    assert listed["other-2026"] == before["other-2026"]
    table = home("list").out
    assert " pass " not in table
    assert "not proven: the register says another thing" in " ".join(table.split())
    due = home("due")
    assert (due.status, due.err) == (2, err)
    assert due.out
    for words in (("show", ID), ("attach", ID, home.bundles[1]), ("attach", ID, home.bundles[2])):
        ended = home(*words)
        assert (ended.status, ended.out) == (2, ""), words
        assert said in ended.err, words
    assert home("show", "other-2026").status == 0


def test_evidence_that_is_gone_is_not_attached_once_more(home: Home) -> None:
    home.change(DELETED)
    ended = home("status", ID)
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "which is not in the register any more" in ended.err
    with pytest.raises(BadInput, match="not in the register any more"):
        attach(home.register, ID, home.bundles[1], home.trust)
    with owner(home.register.where) as theirs:
        assert theirs.execute("SELECT count(*) FROM log_entries") == [(2,)]
    chinese = home("show", ID, "--lang", "zh").err
    assert f"日志第 1 条为 evidence 2 of {ID}，而登记库中已没有" in chinese


def test_a_row_that_was_never_attached_is_not_listed(home: Home) -> None:
    home.change(
        "INSERT INTO evidence SELECT 'other-2026', 1, "
        "CASE WHEN digest LIKE 'f%' THEN 'e' ELSE 'f' END || substr(digest, 2), NULL, "
        f"collected_at, made_at, attached_at, '{PASSES}', '{WHOLE}', record, seen FROM evidence "
        "WHERE sequence = 1"
    )
    status, listed, err = home.listed()
    assert status == 2
    assert "evidence 1 of other-2026 is not in the log" in err
    assert "pass" not in json.dumps(listed["other-2026"])
    assert home("show", "other-2026").status == 2
    assert home("show", ID).status == 0


def _altered(home: Home, version: int) -> str:
    """A statement that makes another record of a version, and its digest the one that it has."""
    held = home.register.history(ID)[version - 1].record
    person = {**held.document["safety_contact"], "name": "Mallory"}
    record = PledgeRecord({**held.document, "safety_contact": person})
    document = record.canonical().decode().replace("'", "''")
    return (
        f"UPDATE versions SET document = '{document}', sha256 = '{record.digest}' "
        f"WHERE pledge = '{ID}' AND version = {version}"
    )


@pytest.mark.parametrize("act", ["altered", "earlier", "dated", "deleted", "put in"])
def test_versions_are_those_that_stood_when_evidence_was_attached(home: Home, act: str) -> None:
    held = home.register.get(ID)
    person = {**held.document["safety_contact"], "phone": "13900001111"}
    home.register.add(PledgeRecord({**held.document, "safety_contact": person}), update=True)
    assert home("show", ID).status == 0, "a version that is newer than the evidence is none of it"
    attach(home.register, ID, home.bundles[2], home.trust)
    status, before, err = home.listed()
    assert (status, err) == (0, "")
    second = f"WHERE pledge = '{ID}' AND version = 2"
    home.change(
        *{
            "altered": [_altered(home, 2)],
            "earlier": [_altered(home, 1)],
            "dated": [f"UPDATE versions SET added_at = '2026-01-01T00:00:00+00:00' {second}"],
            "deleted": [f"DELETE FROM versions {second}"],
            "put in": [
                f"UPDATE versions SET version = 3 {second}",
                "INSERT INTO versions SELECT pledge, 2, document, sha256, added_at FROM versions "
                f"WHERE pledge = '{ID}' AND version = 1",
            ],
        }[act]
    )
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1)
    assert f"the versions of the record {ID} up to" in err
    assert listed[ID]["proof"] is False
    assert listed["other-2026"] == before["other-2026"]
    assert home("show", ID).status == 2
    assert hostpledge("register", "checkpoint", home=home.home).status == 2
    with pytest.raises(VerifyFailed, match="are not those that stood when evidence"):
        home.register.log()
    ended = hostpledge("register", "backup", "-o", home.home / "b.zip", home=home.home)
    assert (ended.status, (home.home / "b.zip").exists()) == (2, False)


def test_a_backup_whose_versions_were_altered_is_none(home: Home, tmp_path: Path) -> None:
    backup(home.register, tmp_path / "good.zip")
    home.change(_altered(home, 1))
    with pytest.MonkeyPatch.context() as blind:
        blind.setattr(bound_versions, "altered", lambda *_: {})
        with pytest.raises(BadInput, match="does not read back"):
            backup(home.register, tmp_path / "bad.zip")
        blind.setattr(bound_versions, "check", lambda *_, **__: None)
        backup(home.register, tmp_path / "bad.zip")
    for name, why in (("good", None), ("bad", "are not those that stood when evidence")):
        place = tmp_path / name
        place.mkdir()
        file, target = tmp_path / f"{name}.zip", place / "r.sqlite"
        ended = hostpledge("register", "restore", file, "--register", target, home=home.home)
        assert ended.status == (2 if why else 0), ended.err
        assert (why or "") in ended.err


def test_an_emptied_version_is_no_disposal(home: Home) -> None:
    """What is skipped of a record that was disposed of is skipped of no other."""
    said = f"a version of the record {ID} is empty, and no disposal is on record"
    held = home.register.get(ID)
    person = {**held.document["safety_contact"], "phone": "13900001111"}
    home.register.add(PledgeRecord({**held.document, "safety_contact": person}), update=True)
    first = home.register.history(ID)[0].record.canonical().decode().replace("'", "''")
    home.change(
        f"UPDATE versions SET document = '' WHERE pledge = '{ID}' AND version = 1",
        f"DELETE FROM sightings WHERE pledge = '{ID}'",
    )
    status, listed, err = home.listed()
    assert (status, listed[ID]["proof"]) == (2, False)
    assert said in err
    gone = ("dispose", ID, "--method", "x", "--by", "x", "--yes")
    for words in (("show", ID), ("export", ID, "-o", home.home / "e.zip"), gone,
                  ("attach", ID, home.bundles[2])):  # fmt: skip
        ended = home(*words)
        assert (ended.status, said in ended.err) == (2, True), words
    assert all(one.path.exists() for one in home.register.evidence(ID, hold=False))
    # what was kept was made anew from the bundles, and nothing else was vouched for
    home.change(f"UPDATE versions SET document = '{first}' WHERE pledge = '{ID}' AND version = 1")
    Register.open().take_in()
    with home.register.snapshot() as connection:
        assert not seals.unlike(connection, ID)


def _rewritten(home: Home, *, notes: str) -> None:
    """As whoever has the database does it: rows, leaves, and the checkpoints (kept, none, ours)."""
    with owner(home.register.where) as theirs:
        theirs.unguard()
        leaves = []
        for number, leaf in theirs.execute("SELECT number, leaf FROM log_entries ORDER BY number"):
            document = json.loads(leaf) | {"verdicts": json.loads(PASSES)}
            leaves.append(rfc8785.dumps(document))
            theirs.execute(
                "UPDATE log_entries SET leaf = ? WHERE number = ?", (leaves[-1].decode(), number)
            )
        theirs.execute("UPDATE evidence SET verdicts = ?", (PASSES,))
        for number, note in theirs.execute("SELECT number, note FROM checkpoints"):
            origin, size, _, *rest = note.split("\n")
            root = merkle.root([merkle.leaf_hash(leaf) for leaf in leaves[: int(size)]])
            made = Checkpoint(origin, int(size), root)
            text = "\n".join([*made.body().splitlines(), *rest])
            if notes == "of another key":
                text = sign(made, keys.PrivateKey.generate())
            theirs.execute("UPDATE checkpoints SET note = ? WHERE number = ?", (text, number))
        if notes in ("none", "begun anew"):
            theirs.execute("DELETE FROM checkpoints")
        if notes == "begun anew":
            theirs.execute("UPDATE log_head SET origin = origin || '0'")


@pytest.mark.parametrize("notes", ["kept", "of another key", "none", "begun anew"])
@pytest.mark.parametrize("remembered", [True, False])
def test_checkpoints_are_not_believed_for_standing_there(
    home: Home, notes: str, remembered: bool
) -> None:
    assert hostpledge("register", "checkpoint", home=home.home).status == 0
    memory = home.home / "register.logs.json"
    assert memory.stat().st_mode & 0o777 == 0o600
    _rewritten(home, notes=notes)
    if not remembered:
        memory.unlink()
    # with neither signature nor memory the signed bundles tell
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1), err
    assert "pass" not in json.dumps(listed[ID])
    assert home("show", ID).status == 2
    assert hostpledge("register", "checkpoint", home=home.home).status == 2


def test_what_is_put_back_on_purpose_is_not_held_against_it(home: Home, tmp_path: Path) -> None:
    backup(home.register, tmp_path / "older.zip")
    attach(home.register, ID, home.bundles[2], home.trust)
    assert hostpledge("register", "checkpoint", home=home.home).status == 0
    words = ("register", "restore", tmp_path / "older.zip", "--replace")
    ended = hostpledge(*words, home=home.home)
    assert ended.status == 0, ended.err
    status, _, err = home.listed()
    assert (status, err) == (0, "")


def test_a_database_that_changes_what_is_written_takes_nothing(home: Home) -> None:
    home.change(
        "CREATE TRIGGER theirs AFTER INSERT ON seals BEGIN "
        f"DELETE FROM sightings WHERE pledge = '{ID}'; END",
        "DELETE FROM seals",
    )
    with pytest.raises(BadInput, match="the database changes what is written to it"):
        attach(home.register, ID, home.bundles[2], home.trust)
    assert len(home.register.evidence(ID)) == 2


@pytest.mark.parametrize("field", ["voided", "disposed"])
def test_a_text_that_is_not_of_its_digest_makes_nothing_void_or_gone(
    home: Home, field: str
) -> None:
    _, before, _ = home.listed()
    document = json.loads(home.register.get(ID).canonical())
    about = {"on": "2026-11-20", "reason": "x", "by": "x"}
    document[field] = [{"sequence": 2, **about}] if field == "voided" else about
    text = rfc8785.dumps(document).decode().replace("'", "''")
    home.change(
        f"UPDATE versions SET document = '{text}' WHERE pledge = '{ID}'",
        "INSERT INTO versions SELECT pledge, 2, document, sha256, added_at FROM versions "
        f"WHERE pledge = '{ID}'",
        f"UPDATE versions SET document = '' WHERE pledge = '{ID}' AND version = 1",
    ) if field == "disposed" else home.change(
        f"UPDATE versions SET document = '{text}' WHERE pledge = '{ID}'"
    )
    with home.register.snapshot() as connection:
        assert voids.of(connection) == {}
        assert tables.emptied(connection) == frozenset()
    listed = home("list", "--format", "json")
    if field == "voided":
        (here,) = (p for p in json.loads(listed.out)["pledges"] if p["id"] == ID)
        assert (listed.status, here["last"]) == (0, before[ID]["last"])
    else:
        assert listed.status == 2
    assert home("show", ID).status == 2


def test_what_was_attached_is_held_without_a_checkpoint_too(home: Home) -> None:
    """The last that this user attached, or signed, lies in the user's own folder."""
    _rewritten(home, notes="none")
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1)
    assert "pass" not in json.dumps(listed[ID])
    assert hostpledge("register", "checkpoint", home=home.home).status == 2


def test_a_newest_entry_that_is_gone_is_missed(home: Home) -> None:
    home.change(DELETED, "DELETE FROM log_entries WHERE number = 1")
    status, _, err = home.listed()
    assert (status, "entries were removed from it" in err) == (2, True)


@pytest.mark.parametrize("spelt", ["link", "dots"])
def test_the_place_is_known_however_it_is_spelt(home: Home, tmp_path: Path, spelt: str) -> None:
    assert hostpledge("register", "checkpoint", home=home.home).status == 0
    _rewritten(home, notes="begun anew")
    file = Path(home.register.where)
    (tmp_path / "link").symlink_to(file.parent)
    other = tmp_path / "link" if spelt == "link" else file.parent / ".." / file.parent.name
    ended = home("list", "--register", other / file.name)
    assert ended.status == 2
    assert "when you last used it" in ended.err


def test_a_register_begun_anew_on_purpose_is_another(home: Home) -> None:
    assert hostpledge("register", "checkpoint", home=home.home).status == 0
    for file in home.home.glob("register.sqlite*"):
        file.unlink()
    assert home("list").status == 0
    register = Register.open()
    register.add_all([made(), made(id="other-2026")])
    attach(register, ID, home.bundles[0], home.trust)
    status, _, err = home.listed()
    assert (status, err) == (0, "")


def test_one_name_for_each_place() -> None:
    urls = [f"postgresql+pg8000://u@{host}/r" for host in ("localhost", "127.0.0.1:5432", "[::1]")]
    assert len({last_kept.place(url) for url in urls}) == 1
    assert last_kept.place("postgresql+pg8000://u@db/r") not in map(last_kept.place, urls)


def test_a_log_of_an_odd_name_gets_no_signature(home: Home) -> None:
    (home.home / "register.logs.json").unlink()
    home.change("UPDATE log_head SET origin = 'REAL' || char(10) || '500' || char(10) || 'x'")
    ended = hostpledge("register", "checkpoint", home=home.home)
    assert (ended.status, ended.out) == (2, "")


def test_a_leaf_that_the_database_changes_is_not_logged(home: Home) -> None:
    home.change(
        "CREATE TRIGGER theirs AFTER INSERT ON log_entries BEGIN UPDATE log_entries SET "
        "leaf = replace(leaf, 'fail', 'pass') || ' ' WHERE number = NEW.number; END",
        "DROP TRIGGER IF EXISTS log_entries_no_update",
    )
    with pytest.raises(BadInput, match="the database changes what is written to it"):
        attach(home.register, ID, home.bundles[2], home.trust)
    assert len(home.register.evidence(ID, hold=False)) == 2


def test_what_is_destroyed_is_of_that_pledge(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = home.register.evidence(ID)[0]
    theirs = replace(mine, pledge="other-2026")
    monkeypatch.setattr(Register, "every_evidence", lambda *_, **__: (theirs,))
    with pytest.raises(BadInput, match=f"made for {ID}: nothing is destroyed"):
        dispose(home.register, "other-2026", {}, date(2026, 11, 29), renewed=False)
    assert mine.path.exists()


def test_a_brief_is_what_its_record_says(home: Home) -> None:
    _, before, _ = home.listed()
    due = home("due").out
    told = made().customer
    for change in (
        f"document = replace(document, '{told}', 'Mallory')",
        "deadlines = '[]'",
        "first_on = NULL",
    ):
        home.change(f"UPDATE briefs SET {change}")
        assert home.listed() == (0, before, "")
        home.change(f"UPDATE briefs SET {change}")
        assert home("due").out == due
    assert "Mallory" not in home("list").out


def test_a_register_in_order_has_no_doubts(place: str, tmp_path: Path) -> None:
    register = Register.open(place)
    register.add_all([made(), made(id="other-2026")])
    signer = Signer(tmp_path / "made")
    bundles = [one.path for one in signer.chain(ID, 3)]
    for number, path in enumerate(bundles, 1):
        attach(Register.open(place), ID, path, signer.trust)
        newest, doubts = register.newest_and_doubts()
        assert (newest[ID][-1].sequence, doubts) == (number, [])
        with register.snapshot() as connection:
            assert not register._against.differing(connection), "told by digests alone"
    with owner(place) as theirs:
        theirs.unguard()
        theirs.execute(DELETED)
    newest, (why,) = register.newest_and_doubts()
    assert "evidence 2 of demo-2026, which is not in the register" in str(why)
    assert {v for one in newest[ID] for v in one.verdicts.values()} == {"error"}
    with pytest.raises(BadInput, match="not in the register any more"):
        register.evidence(ID)


def _with_its_leaf(home: Home) -> None:
    """A row of evidence and its entry of the log, so that each says what the other does."""
    with owner(home.register.where) as theirs:
        theirs.unguard()
        ((leaf,),) = theirs.execute("SELECT leaf FROM log_entries WHERE number = 0")
        document = json.loads(leaf) | {"verdicts": json.loads(PASSES), "scope": json.loads(WHOLE)}
        theirs.execute(f"{FORGED} WHERE sequence = 1")
        said = rfc8785.dumps(document).decode()
        theirs.execute("UPDATE log_entries SET leaf = ? WHERE number = 0", (said,))


def _without_the_newest(home: Home) -> None:
    home.change(
        "DELETE FROM evidence WHERE sequence = 2", "DELETE FROM log_entries WHERE number = 1"
    )


def _of_another_name(home: Home) -> None:
    home.change("UPDATE log_head SET origin = 'hostpledge-register/another'")


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (_with_its_leaf, "the first 2 entries of the log are not those of the checkpoint"),
        (_without_the_newest, "the log had 2 entries and has 1"),
        (_of_another_name, "a checkpoint of another log"),
    ],
    ids=["changed", "removed", "begun_anew"],
)
def test_a_log_that_is_not_the_one_that_was_signed_proves_nothing(
    home: Home, forge: Callable[[Home], None], said: str
) -> None:
    assert hostpledge("register", "checkpoint", home=home.home).status == 0
    assert home.listed()[2] == ""
    attach(home.register, ID, home.bundles[2], home.trust)
    # an older one counts, whatever was signed since
    if forge is not _with_its_leaf:
        with owner(home.register.where) as theirs:
            theirs.unguard()
            theirs.execute("DELETE FROM evidence WHERE sequence = 3")
            theirs.execute("DELETE FROM log_entries WHERE number = 2")
        # what this user remembers of it is another test's
        (home.home / "register.logs.json").unlink()
    before = home.register.newest_and_doubts()[1]
    shown = home("show", ID)
    assert (before, shown.status, shown.err) == ([], 0, "")
    forge(home)
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1)
    assert said in err
    assert "pass" not in json.dumps(listed[ID])
    assert listed[ID]["proof"] is False
    assert f'"{ID}"' not in home("list", "--clause", "2.2=pass", "--format", "json").out
    due = home("due")
    assert (due.status, due.err) == (2, err)
    for words in (("show", ID), ("attach", ID, home.bundles[2]), ("status", ID)):
        ended = home(*words)
        assert (ended.status, ended.out) == (2, ""), words
        assert said in ended.err or words[0] == "status", words


def test_each_kept_checkpoint_counts(place: str, tmp_path: Path) -> None:
    register = Register.open(place)
    register.add(made())
    signer = Signer(tmp_path / "made")
    bundles = [one.path for one in signer.chain(ID, 5)]

    def signed() -> None:
        key = keys.PrivateKey.generate("p256")
        log = Register.open(place).log()
        register.keep_checkpoint(len(log.leaves), sign(log.checkpoint(), key))

    signed()
    for path in bundles:
        attach(register, ID, path, signer.trust)
        signed()
        # within one process, and in another
        assert register.newest_and_doubts()[1] == []
        assert Register.open(place).newest_and_doubts()[1] == []
    last = Register.open(place).log().checkpoint()
    other = keys.PrivateKey.generate("p256")
    register.keep_checkpoint(3, sign(Checkpoint(last.origin, 3, b"\x01" * 32), other))
    register.keep_checkpoint(5, sign(last, other))
    for opened in (register, Register.open(place)):
        (why,) = opened.newest_and_doubts()[1]
        assert "two roots for one size" in str(why)
        with pytest.raises(VerifyFailed, match="two roots for one size"):
            opened.log()
