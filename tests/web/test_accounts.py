"""`serve account`: who may look, since when, by whom, and until when."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, Type

from collector import private
from collector.errors import BadInput
from collector.pledges.record.times import CHINA
from collector.web.keeping import access, managers, one_time, tables
from collector.web.keeping.access import Access, Line
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.changes import change
from collector.web.keeping.names import is_same
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State
from tests.cli.running import Ended, hostpledge
from tests.clock import today
from tests.web.sites import Place, Site

TODAY = datetime.now(UTC).astimezone(CHINA).date()


def _account(home: Path, *words: object) -> Ended:
    return hostpledge("serve", "account", *words, home=home)


def test_the_list_says_who_when_and_by_whom(tmp_path: Path) -> None:
    assert _account(tmp_path, "add", "lin", "--role", "engineer").status == 0
    until = (TODAY + timedelta(days=9)).isoformat()
    words = ("--role", "auditor", "--pledge", "p-1", "--until", until)
    assert _account(tmp_path, "add", "ins", *words).status == 0
    known = Accounts(State.open(str(tmp_path / "web")))
    known.add(Account("past", "auditor", frozenset({"p-1"}), TODAY - timedelta(days=1)), None)
    known.mark("lin", "signed_in")
    shown = _account(tmp_path, "list").out
    (lin,) = [line for line in shown.splitlines() if line.startswith("lin")]
    assert lin.count(today().isoformat()) == 2
    assert "root" in lin or "in use" in lin
    (past,) = [line for line in shown.splitlines() if line.startswith("past")]
    assert " over " in past
    told = {
        one["account"]: one
        for one in json.loads(_account(tmp_path, "list", "--format", "json").out)["accounts"]
    }
    assert told["past"]["over"] is True
    assert told["ins"]["until"] == until
    assert told["lin"]["added_by"]
    assert told["lin"]["signed_in_at"]
    assert told["ins"]["signed_in_at"] is None


def test_a_password_takes_the_work_that_is_asked_for(real_hasher: PasswordHasher) -> None:
    """RFC 9106 section 4, the second of its recommended settings."""
    assert (real_hasher.type, real_hasher.time_cost) == (Type.ID, 3)
    assert (real_hasher.memory_cost, real_hasher.parallelism) == (2**16, 4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "engineer", "--pledge", "p-1"), "sees every pledge"),
        (("--role", "auditor", "--pledge", "p-1", "--until", "2020-01-01"), "is over already"),
    ],
)
def test_what_would_do_nothing_is_refused(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = _account(tmp_path, "add", "x", *words)
    assert done.status == 2
    assert said in done.err


def test_strangers_do_not_fill_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "STRANGERS", 30)
    monkeypatch.setattr(access, "_OFTEN", 10)
    state = State.open(str(tmp_path / "s"))
    log = Access(state)
    line = Line(datetime.now(UTC), "-", "a", "GET", "/", 303, "")
    log.put(Line(line.at, "boss", "a", "GET", "/", 200, ""))
    for _ in range(200):
        log.put(line)
    with state.read() as connection:
        names = [row.account for row in connection.execute(tables.access.select())]
    assert 30 <= names.count("-") <= 41
    assert names.count("boss") == 1


def test_strangers_do_not_push_out_who_signed_in(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for pages without end keeps their tries, and the sign-in after them."""
    site = Site(replace(place, state=str(shutil.copytree(place.state, tmp_path / "state"))))
    browser = site.browser(peer="198.51.100.77")
    assert browser.sign_in("eng", "guessed at random").status_code == 401
    assert browser.sign_in("eng").status_code == 303
    monkeypatch.setattr(access, "STRANGERS", 5)
    monkeypatch.setattr(access, "_OFTEN", 2)
    stranger = site.browser(peer="198.51.100.78")
    for _ in range(30):
        stranger.get("/nothing")
    found = [one for _, one in site.house.access.newest(200) if one.address == "198.51.100.77"]
    assert [(one.account, one.note) for one in found] == [
        ("eng", "signed in: eng"), ("-", "failed: eng"),
    ]  # fmt: skip


def test_a_log_is_put_aside_once_it_is_large(tmp_path: Path) -> None:
    """By several at once: no line is lost, and none is open to others."""
    path = tmp_path / "log.jsonl"

    def write(number: int) -> None:
        for count in range(40):
            private.append(path, f"{number}-{count}\n".encode(), most=200, kept=60)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = list(tmp_path.glob("log.jsonl*"))
    assert len(files) > 3
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert len(lines) == len(set(lines)) == 160
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.stat().st_size <= 220
    for count in range(40):
        private.append(path, f"more {count}\n".encode(), most=50, kept=2)
    assert len(list(tmp_path.glob("log.jsonl.?"))) >= 2
    assert not (tmp_path / "log.jsonl.61").exists()


def test_an_account_is_changed(tmp_path: Path) -> None:
    """An auditor's end moves, and a customer sees the pledge that continues theirs."""
    until = (TODAY + timedelta(days=9)).isoformat()
    later = (TODAY + timedelta(days=99)).isoformat()
    words = ("--role", "auditor", "--pledge", "p-1", "--until", until)
    assert _account(tmp_path, "add", "ins", *words).status == 0
    state = State.open(str(tmp_path / "web"))
    known, sessions = Accounts(state), Sessions(state)
    before = known.find("ins")
    assert before is not None
    token = sessions.begin(before)
    assert token is not None
    assert _account(tmp_path, "change", "ins", "--until", later).status == 0
    assert sessions.find(token) is None
    done = _account(tmp_path, "change", "ins", "--pledge", "p-1", "--pledge", "p-2")
    assert done.out == f"ins: auditor, p-1 p-2, {later}\n"
    assert known.find("ins") == replace(
        before, pledges=frozenset({"p-1", "p-2"}), ends=date.fromisoformat(later)
    )
    # who becomes one that sees all sees all
    done = _account(tmp_path, "change", "ins", "--role", "engineer", "--format", "json")
    told = json.loads(done.out)
    assert (told["role"], told["pledges"]) == ("engineer", None)
    found = known.find("ins")
    assert found is not None
    assert found.pledges is None
    # and one that a proxy is to name, or was once given a password by mistake, has none
    assert found.local
    assert _account(tmp_path, "change", "ins", "--elsewhere").status == 0
    assert known.find("ins") == replace(found, local=False, must_change=False)


def test_what_was_changed_can_be_changed_back(tmp_path: Path) -> None:
    until = (TODAY + timedelta(days=9)).isoformat()
    made = _account(tmp_path, "add", "lin", "--role", "engineer", "--until", until)
    known = Accounts(State.open(str(tmp_path / "web")))
    assert _account(tmp_path, "change", "lin", "--no-until").out == "lin: engineer, all, -\n"
    assert known.find("lin").ends is None  # type: ignore[union-attr]
    # who has a password is given another one in its own way
    done = _account(tmp_path, "change", "lin", "--here")
    assert done.status == 2 and "serve account password" in done.err
    assert _account(tmp_path, "change", "lin", "--elsewhere").status == 0
    assert _account(tmp_path, "password", "lin").status == 2
    back = _account(tmp_path, "change", "lin", "--here")
    assert "one-time password of lin: " in back.out
    password = back.out.strip().rpartition(": ")[2]
    assert password not in made.out
    found = known.known("lin", password, datetime.now(UTC))
    assert found is not None and found.must_change
    told = json.loads(_account(tmp_path, "list", "--format", "json").out)
    assert [one["password"] for one in told["accounts"] if one["account"] == "lin"] == [True]
    for words in (("--here", "--elsewhere"), ("--until", until, "--no-until")):
        assert _account(tmp_path, "change", "lin", *words).status == 2
    auditor = ("--role", "auditor", "--pledge", "p", "--until", until)
    assert _account(tmp_path, "add", "ins", *auditor).status == 0
    assert _account(tmp_path, "change", "ins", "--no-until").status == 2


def test_somebody_can_manage(tmp_path: Path) -> None:
    """No change, no end and no stop takes away the last who can, or who can for ever."""
    until = (TODAY + timedelta(days=9)).isoformat()
    assert _account(tmp_path, "add", "boss", "--role", "manager").status == 0
    assert _account(tmp_path, "add", "soon", "--role", "manager", "--until", until).status == 0
    takes = (("change", "boss", "--until", until), ("change", "boss", "--role", "engineer"),
             ("disable", "boss"))  # fmt: skip
    for words in takes:
        done = _account(tmp_path, *words)
        assert done.status == 2, words
        assert "make another manager first" in done.err
    assert _account(tmp_path, "disable", "soon").status == 0
    assert _account(tmp_path, "add", "other", "--role", "manager").status == 0
    for words in takes:
        assert _account(tmp_path, *words).status == 0, words
    assert _account(tmp_path, "disable", "boss", "--back").status == 0


def test_a_manager_whom_the_provider_names_no_more_is_none(tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "state"))
    known = Accounts(state)
    known.add(Account("boss", "manager"), "correct horse battery")
    theirs = Account("x~0123456789abcdef", "manager", local=False, ground="by a group")
    known.told(theirs)
    known.disable("boss")
    known.disable("boss", back=True)
    known.untold(theirs.name)
    with pytest.raises(BadInput, match="manager"):
        known.disable("boss")
    known.told(theirs)
    known.disable("boss")


def test_a_manager_by_a_word_that_the_settings_have_no_more_is_none(tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "state"))
    known = Accounts(state)
    known.add(Account("boss", "manager"), "correct horse battery")
    known.told(Account("x~0123456789abcdef", "manager", local=False, ground="by a group"))
    managers.vouch(state, ["by another group"])
    with pytest.raises(BadInput, match="manager"):
        known.disable("boss")
    managers.vouch(state, ["by a group"])
    known.disable("boss")


def test_a_manager_whose_one_time_password_has_ended_is_none(tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "state"))
    known = Accounts(state)
    known.add(Account("boss", "manager"), "correct horse battery")
    known.add(Account("lin", "manager", must_change=True), "drawn-at-random-1")
    then = (datetime.now(UTC) - timedelta(days=one_time.DAYS + 1)).isoformat()
    with state.write() as connection:
        connection.execute(tables.accounts.update().values(added_at=then))
        connection.execute(tables.marks.update().values(at=then))
    with pytest.raises(BadInput, match="manager"):
        known.disable("boss")
    known.change_password("lin", "drawn-at-random-2", must_change=True)
    known.disable("boss")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to change"), (("--pledge", "p-1"), "sees every pledge"),
        (("--role", "customer"), "--pledge"), (("--until", "2020-01-01"), "is over already"),
        (("--role", "auditor", "--pledge", "p"), "last day"),
    ],
)  # fmt: skip
def test_what_an_account_cannot_become(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert _account(tmp_path, "add", "lin", "--role", "engineer").status == 0
    done = _account(tmp_path, "change", "lin", *words)
    assert done.status == 2
    assert said in done.err
    assert _account(tmp_path, "change", "nobody", "--role", "engineer").status == 2
    known = Accounts(State.open(str(tmp_path / "web")))
    one = Account("lin~0123456789abcdef", "engineer", local=False)
    assert known.told(one) is not None
    done = _account(tmp_path, "change", one.name, "--role", "manager")
    assert "the settings of the page" in done.err
    assert known.find(one.name) == one


def test_a_letter_that_is_like_two_makes_no_other_account(tmp_path: Path) -> None:
    assert _account(tmp_path, "add", "ross", "--role", "engineer").status == 0
    known = Accounts(State.open(str(tmp_path / "web")))
    assert known.find("ROSS") is not None
    assert known.find("ro\u00df") is None


def test_a_one_time_password_ends(tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "web"))
    known, password = Accounts(state), "correct horse battery"
    known.add(Account("lin", "engineer", must_change=True), password)
    known.add(Account("wei", "engineer"), password)
    later, late = (datetime.now(UTC) + timedelta(days=d) for d in (6.9, 7.1))
    assert known.known("lin", password, later) is not None
    assert known.known("lin", password, late) is None
    # what somebody chose goes on
    assert known.known("wei", password, late) is not None
    table = tables.accounts
    with state.write() as connection:
        connection.execute(table.update().values(added_at="2020-01-01T00:00:00+00:00"))
        connection.execute(tables.marks.delete())
    assert known.known("lin", password, datetime.now(UTC)) is None
    known.change_password("lin", password, must_change=True)
    assert known.known("lin", password, datetime.now(UTC)) is not None


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("lin", "lin", True), ("lin", "lan", False),
        ("lin~0123456789abcdef", "x~0123456789abcdef", True),
        ("lin~0123456789abcdef", "lin~0123456789abcde0", False),
        ("lin", "lin~0123456789abcdef", False), ("0123456789abcdef", "x~0123456789abcdef", False),
    ],
)  # fmt: skip
def test_one_person_by_two_names(name: str, other: str, same: bool) -> None:
    assert is_same(name, other) is same


def test_two_changes_at_once_do_not_undo_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what one looks at and what it writes nobody else writes."""
    for name in ("race", "boss"):
        assert _account(tmp_path, "add", name, "--role", "manager").status == 0
    later = (TODAY + timedelta(days=99)).isoformat()
    state = State.open(str(tmp_path / "web"))
    find = Accounts.find

    def overtaken(self: Accounts, name: str) -> object:
        found = find(self, name)
        monkeypatch.undo()
        change(state, "race", role="customer", pledges=["p-1"])
        return found

    monkeypatch.setattr(Accounts, "find", overtaken)
    change(state, "race", ends=date.fromisoformat(later))
    monkeypatch.undo()
    change(state, "race", role="customer", pledges=["p-1"])
    known = Accounts(state).find("race")
    assert known is not None
    assert (known.role, known.ends) == ("customer", date.fromisoformat(later))
