"""Lists and looks at one pledge, against whoever has rewritten the register's rows.

Each of them is held to the log that the register has of what was attached.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.attest.keys import keys
from collector.attest.trust import keyring
from collector.errors import BadInput
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
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
        "INSERT INTO evidence SELECT 'other-2026', 1, 'f' || substr(digest, 2), NULL, "
        f"collected_at, made_at, attached_at, '{PASSES}', '{WHOLE}' FROM evidence "
        "WHERE sequence = 1"
    )
    status, listed, err = home.listed()
    assert status == 2
    assert "evidence 1 of other-2026 is not in the log" in err
    assert "pass" not in json.dumps(listed["other-2026"])
    assert home("show", "other-2026").status == 2
    assert home("show", ID).status == 0


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
