"""What the register keeps to be quick, against whoever can write the database.

Such a row is believed where the user's own key sealed it, and made anew where not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.attest.keys import own_key
from collector.errors import BadInput
from collector.pledges.database import keeper
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.status import brief
from collector.pledges.status import snapshots as looks
from collector.pledges.status.latest_bundle import Newest
from tests.pledges.bundles import AT, Signer
from tests.pledges.places import owner
from tests.pledges.records import made
from tests.pledges.test_seen_before import ID, bundled, taken

FAR = AT + timedelta(days=5000)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "made")


@pytest.fixture
def register(place: str, signer: Signer) -> Register:
    opened = Register.open(place)
    for id, host in ((ID, "web-01"), ("other-2026", "web-09")):
        opened.add(made(id=id, resources={"hosts": [host]}))
    first = bundled(opened, signer, ID, taken("web-01", "hardened", AT))
    attach(opened, ID, first, signer.trust)
    return opened


def _rows(place: str, table: str) -> list[tuple[Any, ...]]:
    with owner(place) as theirs:
        return sorted(theirs.execute(f"SELECT * FROM {table}"))


def _shown(register: Register, newest: Newest) -> str:
    return json.dumps([looks._plain(one) for one in register.shown(newest)])


def _without_key(*told: str) -> list[str]:
    """Seals that anybody can make: as they were made before there was a key, and with others."""
    text = "".join(f"{len(one)}:{one}" for one in told)
    return [
        hashlib.sha256("\n".join(told).encode()).hexdigest(),
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        keeper.Keeper("", b"").seal(*told),
        keeper.Keeper("", bytes(32)).seal(*told),
        hashlib.sha256(text.encode()).hexdigest(),
        "",
        "登记",
    ]


def test_a_brief_that_was_changed_and_sealed_without_the_key_is_made_anew(
    register: Register, place: str
) -> None:
    before = register.briefs(FAR)
    with owner(place) as theirs:
        ((sha256,),) = theirs.execute("SELECT sha256 FROM versions WHERE pledge = ?", (ID,))
        ((document,),) = theirs.execute("SELECT document FROM briefs WHERE pledge = ?", (ID,))
    changed = json.loads(document) | {"period": {"from": "2026-01-10", "until": "2036-01-09"}}
    text = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
    for seal in _without_key(brief.made_by(), sha256, text, "[]", "2036-01-01"):
        with owner(place) as theirs:
            theirs.execute(
                "UPDATE briefs SET document = ?, deadlines = '[]', first_on = '2036-01-01', "
                "seal = ? WHERE pledge = ?",
                (text, seal[:64], ID),
            )
        assert Register.open(place).briefs(FAR) == before


def test_a_look_that_was_changed_and_sealed_without_the_key_is_made_anew(
    register: Register, place: str
) -> None:
    newest = Newest(register.evidence(ID)[-1])
    before = _shown(register, newest)
    with owner(place) as theirs:
        ((document,),) = theirs.execute("SELECT document FROM looks")
    changed = [
        one | {"addresses": [], "domains": [], "ports": [], "unseen": {}}
        for one in json.loads(document)
    ]
    text = json.dumps(changed, separators=(",", ":"))
    assert text != document
    for seal in _without_key(*looks._told(newest, text)):
        with owner(place) as theirs:
            theirs.execute("UPDATE looks SET document = ?, seal = ?", (text, seal[:64]))
        assert _shown(Register.open(place), newest) == before


TAMPERED: dict[str, tuple[str, ...]] = {
    "marks gone": ("DELETE FROM marks",),
    "one mark gone": ("DELETE FROM marks WHERE kind IN ('capture', 'output')",),
    "marks changed": ("UPDATE marks SET mark = 'x' || substr(mark, 2)",),
    "of another kind": ("UPDATE marks SET kind = 'machine'",),
    "of another host": ("UPDATE marks SET host = 'web-09', pledge = 'other-2026'",),
    "all gone": ("DELETE FROM marks", "DELETE FROM sightings", "DELETE FROM seals"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_one_capture_is_not_of_two_pledges_whatever_became_of_the_marks(
    register: Register, place: str, signer: Signer, name: str
) -> None:
    given = taken("web-01", "hardened", AT)
    register.add(made(id="other-2026", resources={"hosts": ["web-01"]}), update=True)
    second = bundled(register, signer, "other-2026", given)
    before = _rows(place, "marks")
    with owner(place) as theirs:
        for statement in TAMPERED[name]:
            theirs.execute(statement)
    with pytest.raises(BadInput, match="capture"):
        attach(Register.open(place), "other-2026", second, signer.trust)
    assert _rows(place, "marks") == before


def test_a_host_was_looked_at_when_its_captures_say(
    register: Register, place: str, signer: Signer
) -> None:
    known = register.newest_looks(ID)
    with owner(place) as theirs:
        theirs.execute("UPDATE sightings SET looked_at = '2020-01-01T00:00:00+00:00'")
        theirs.execute(
            "INSERT INTO sightings VALUES (?, 9, 'web-01', 1, '2099-01-01T00:00:00+00:00')", (ID,)
        )
    assert Register.open(place).newest_looks(ID) == known
    late = bundled(register, signer, ID, taken("web-01", "hardened", AT - timedelta(days=3)))
    with pytest.raises(BadInput, match="--older"):
        attach(Register.open(place), ID, late, signer.trust)


def test_what_was_changed_just_before_is_not_vouched_for(
    register: Register, place: str, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at all seals and the write."""
    second = bundled(register, signer, ID, taken("web-01", "hardened", AT + timedelta(days=1)))
    looked = Register.take_in
    done: list[None] = []

    def then(self: Register, id: str | None = None) -> None:
        looked(self, id)
        # what is asked for within the write comes too late
        if id is None and not done:
            done.append(id)
            with owner(place) as theirs:
                theirs.execute("DELETE FROM marks WHERE kind = 'capture'")

    with monkeypatch.context() as between:
        between.setattr(Register, "take_in", then)
        attach(Register.open(place), ID, second, signer.trust)
    again = Register.open(place)
    again.take_in()
    assert len([row for row in _rows(place, "marks") if "capture" in row]) == 2


def _another_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / name))


def test_two_operators_do_not_write_over_each_other(
    register: Register, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = Newest(register.evidence(ID)[-1])
    asked: list[Callable[[Register], Any]] = [
        lambda opened: opened.briefs(FAR),
        lambda opened: _shown(opened, newest),
        lambda opened: opened.take_in(),
    ]
    tables = ("briefs", "looks", "sightings", "marks", "seals")
    found = [ask(register) for ask in asked]
    for name in ("home", "second"):
        _another_home(tmp_path, monkeypatch, name)
        assert [ask(Register.open(place)) for ask in asked] == found
    before = {table: _rows(place, table) for table in tables}
    assert len({row[1] for row in before["briefs"]}) == 2
    for name in ("home", "second", "home"):
        _another_home(tmp_path, monkeypatch, name)
        assert [ask(Register.open(place)) for ask in asked] == found
        assert {table: _rows(place, table) for table in tables} == before
    # a new version takes those of everybody with it
    Register.open(place).add(made(resources={"hosts": ["web-07"]}), update=True)
    assert len([row for row in _rows(place, "briefs") if row[0] == ID]) == 1
    _another_home(tmp_path, monkeypatch, "second")
    assert next(b for b in Register.open(place).briefs() if b.id == ID).hosts == ("web-07",)


@pytest.mark.parametrize("state", ["gone", "another", "no_key", "none_can_be_made"])
def test_without_its_key_nothing_kept_is_believed(
    register: Register, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    newest = Newest(register.evidence(ID)[-1])
    before = register.briefs(FAR), _shown(register, newest)
    key = own_key.place(keeper.NAME)
    assert key.stat().st_mode & 0o777 == 0o600
    with owner(place) as theirs:
        theirs.execute("UPDATE briefs SET document = '{}'")
        theirs.execute("UPDATE looks SET document = '[]'")
    if state in ("gone", "none_can_be_made"):
        key.unlink()
    else:
        key.write_text("0" * 64 if state == "another" else "none")
    if state == "none_can_be_made":
        monkeypatch.setattr(own_key, "make", lambda name: (_ for _ in ()).throw(OSError("full")))
    opened = Register.open(place)
    for _ in range(2):
        assert (opened.briefs(FAR), _shown(opened, newest)) == before


def test_bundles_of_another_operators_store_are_left_as_they_are(
    register: Register, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _rows(place, "marks")
    evidence = register.evidence(ID)[0]
    shutil.move(evidence.path, tmp_path / "elsewhere")
    _another_home(tmp_path, monkeypatch, "second")
    Register.open(place).take_in()
    assert _rows(place, "marks") == before
    # the log vouches for them, so that the other operator has nothing to seal
    assert len({row[1] for row in _rows(place, "seals") if row[0] == ID}) == 1
    with owner(place) as theirs:
        theirs.unguard()
        theirs.execute("DELETE FROM marks")
        theirs.execute("DELETE FROM sightings")
    again = Register.open(place)
    with pytest.raises(BadInput, match=f"evidence 1 of {ID} other hosts and machines are kept"):
        again.take_in()
    with pytest.raises(BadInput, match="other hosts and machines are kept"):
        again.take_in()
    assert len({row[1] for row in _rows(place, "seals") if row[0] == ID}) == 1
    shutil.move(tmp_path / "elsewhere", again.evidence(ID)[0].path)
    again.take_in()
    assert _rows(place, "marks") == before
