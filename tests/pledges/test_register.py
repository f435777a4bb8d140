from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.i18n.message import in_chinese
from collector.pledges.record.changes import check_same_customer
from collector.pledges.register.register import FILE, Register
from tests.cli.running import hostpledge
from tests.pledges.places import owner
from tests.pledges.records import made


def test_a_record_comes_back_as_it_was_added(place: str) -> None:
    register = Register.open(place)
    record = made()
    assert register.add(record).number == 1
    again = Register.open(place)
    assert again.get("demo-2026").document == record.document
    assert [known.id for known in again.list()] == ["demo-2026"]
    assert again.evidence("demo-2026") == ()


def test_an_id_is_taken_once_and_updated_with_its_history(place: str) -> None:
    register = Register.open(place)
    register.add(made())
    with pytest.raises(BadInput, match="in the register already; give another id"):
        register.add(made(title="other"))
    assert register.add(made(title="other"), update=True).number == 2
    assert register.add(made(title="other"), update=True).number == 2
    assert register.get("demo-2026").document["title"] == "other"
    history = register.history("demo-2026")
    assert [v.number for v in history] == [1, 2]
    assert history[0].record.document == made().document
    with pytest.raises(BadInput, match="no pledge is named new"):
        register.add(made(id="new"), update=True)


def test_an_unknown_id_is_said(place: str) -> None:
    register = Register.open(place)
    for ask in (register.get, register.history, register.evidence, register.reference):
        with pytest.raises(BadInput, match="no pledge is named x"):
            ask("x")


def test_the_first_reference_of_a_pledge(place: str) -> None:
    register = Register.open(place)
    register.add(made())
    reference = register.reference("demo-2026")
    assert (reference.id, reference.sequence, reference.previous) == ("demo-2026", 1, None)


def test_what_was_written_cannot_be_changed(place: str) -> None:
    Register.open(place).add(made())
    statements = ["UPDATE versions SET version = 9", "DELETE FROM versions"]
    for statement in [*statements, *(["TRUNCATE versions"] if "://" in place else [])]:
        with owner(place) as theirs, pytest.raises(Exception, match="append-only"):
            theirs.execute(statement)


def test_a_record_changed_behind_our_back_is_noticed(place: str) -> None:
    register = Register.open(place)
    register.add(made())
    with owner(place) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE versions SET document = replace(document, '2029', '2037')")
    with pytest.raises(BadInput, match="does not match its digest"):
        register.get("demo-2026")


def test_only_the_owner_reads_the_register(tmp_path: Path) -> None:
    Register.open(str(tmp_path)).add(made())
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    assert Register.open().where == str(home / FILE)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    monkeypatch.setenv("HOSTPLEDGE_REGISTER", str(tmp_path / "team.sqlite"))
    assert Register.open().where == str(tmp_path / "team.sqlite")
    url = f"sqlite:///{tmp_path}/url.sqlite"
    assert Register.open(url).where == str(tmp_path / "url.sqlite")


def test_what_is_no_register_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"just text, and enough of it to be no database at all. " * 40)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    newer = tmp_path / "newer.sqlite"
    Register.open(str(newer))
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for location, expected in (
        (str(text), "not a register"),
        (str(other), "a database, but no register"),
        (str(newer), "made by a newer hostpledge"),
        (str(tmp_path / "none" / "r.sqlite"), "no such folder"),
        ("nonsense://x", "no register can be in nonsense"),
        ("mysql://a@b/c", "no register can be in mysql"),
        ("://", "no database URL"),
        ("sqlite://", "keeps nothing"),
    ):
        with pytest.raises(BadInput, match=expected):
            Register.open(location)
    with pytest.raises(BadInput, match="no register there"):
        Register.open(str(tmp_path / "typo.sqlite"), create=False)
    assert not (tmp_path / "typo.sqlite").exists()
    with sqlite3.connect(other) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("mine",)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@h:SECRETPW/db",
        "postgresql://u:pa@ss:SECRETPW@h/db",
        "host=h port=1 password=SECRETPW dbname=x",
        "password = SECRETPW",
        "postgresql://u:SEC@SECRETPW@h/db",
        "postgresql://u:x@h:99999/db?SECRETPW",
        "postgresql://u:x@h/db?password=SECRETPW",
        "postgresql://u:x@h/db?SECRETPW=1",
        "postgresql:/u:SECRETPW@h/db",
        "postgresql+SECRETPW://u:p@h/db",
        "u:SECRETPW://x",
    ],
)
@pytest.mark.parametrize("given", ["--register", "HOSTPLEDGE_REGISTER", "-i"])
def test_no_part_of_a_url_with_a_slip_is_said_again(url: str, given: str, tmp_path: Path) -> None:
    """A password that was not percent-encoded ends up in any part of it, and cron mails it."""
    hostpledge("key", "new", home=tmp_path)
    if given == "-i":
        ran = hostpledge("run", "-i", f"register:{url}", "-o", tmp_path / "o", home=tmp_path)
    elif given == "--register":
        ran = hostpledge("pledge", "list", given, url, home=tmp_path)
    else:
        ran = hostpledge("pledge", "list", home=tmp_path, **{given: url})
    assert ran.status == 2
    assert "SECRETPW" not in (ran.out + ran.err).upper()
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("hostpledge: ")
    assert "defect" not in ran.err


_TAKES_THE_LOG = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDWR)
# SQLite's SHARED locks: whoever gets all of these bytes may delete the write-ahead log
fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
"""


def test_opening_it_again_leaves_the_locks_of_this_process(tmp_path: Path) -> None:
    """POSIX drops all locks of a process on a file as soon as it closes any handle to it."""
    register = Register.open(str(tmp_path))
    other = [sys.executable, "-c", _TAKES_THE_LOG, str(tmp_path / FILE)]
    assert subprocess.run(other, capture_output=True, check=False).returncode == 0
    with register._database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM form")
        Register.open(str(tmp_path))
        said = subprocess.run(other, capture_output=True, check=False)
        assert b"BlockingIOError" in said.stderr


def test_ids_that_differ_in_case_only_are_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They name folders, and many a disk takes them for one."""
    register = Register.open(place)
    register.add(made(id="p1"))
    for records in ([made(id="P1")], [made(id="q1"), made(id="Q1")]):
        with pytest.raises(BadInput, match=r"the ids .1 and .1 differ in upper") as refused:
            register.add_all(records)
        assert "仅大小写不同；请改用另一编号" in in_chinese(refused.value.said)
    assert [record.id for record in register.list()] == ["p1"]
    # what an older release took in stays, and goes on
    with monkeypatch.context() as patch:
        patch.setattr(Register, "_check_names", lambda *_: None)
        register.add(made(id="P1"))
    assert {record.id for record in register.list()} == {"p1", "P1"}
    assert register.add(made(id="P1", title="other"), update=True).number == 2


def test_a_register_on_a_file_system_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Register.open(str(tmp_path)).add(made())
    found = list(os.statvfs(tmp_path))
    found[8] |= os.ST_RDONLY
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(found))
    with pytest.raises(BadInput, match="on a file system that is read-only; copy its") as refused:
        Register.open(str(tmp_path))
    assert "所在的文件系统是只读的；请将其目录复制到可写之处" in in_chinese(refused.value.said)


def test_a_further_version_is_of_the_same_customer(place: str) -> None:
    """What was attached to a pledge is no evidence of somebody else's."""
    register = Register.open(place)
    register.add(made())
    known = made().document["customer"]
    name, code = {"name": "另一家公司"}, {"credit_code": "91330106MA0DEM2696"}
    assert known["credit_code"] != code["credit_code"]
    with pytest.raises(BadInput, match=r"demo-2026: of another customer.*an id of its own"):
        register.add(made(customer={**known, **name, **code}), update=True)
    assert len(register.history("demo-2026")) == 1
    # each alone is put right, and so both one after the other
    assert register.add(made(customer={**known, **name}), update=True).number == 2
    assert register.add(made(customer={**known, **name, **code}), update=True).number == 3
    # nor is it by way of a number of another kind
    person = {"kind": "person", "name": "王示例", "identity_masked": "330***********001X"}
    with pytest.raises(BadInput, match="of another customer"):
        register.add(made(customer=person), update=True)


def test_none_continues_another_customers(place: str) -> None:
    """A slip in an id would stop that one's clocks, and nobody be told."""
    register = Register.open(place)
    register.add(made())
    known = made().document["customer"]
    papers = [
        {**one, "sha256": f"{n:064x}"} for n, one in enumerate(made().document["documents"], 1)
    ]
    name, code = {"name": "另一家公司"}, {"credit_code": "91330106MA0DEM2696"}
    next = {"id": "next", "documents": papers, "renews": "demo-2026"}
    for draft in ({}, {"draft": True, "documents": []}):
        with pytest.raises(BadInput, match="next: says that it continues demo-2026, which is of"):
            register.add(made(**{**next, **draft}, customer={**known, **name, **code}))
    # one that was renamed, or whose number was mistyped, is the same
    register.add(made(**next, customer={**known, **name}))
    with pytest.raises(BadInput, match="another customer"):
        register.add(made(**next, customer={**known, **code}), update=True)


def test_two_people_of_one_name_are_two_customers() -> None:
    """Of an id that is free again; a company's name is its own."""
    person = {"kind": "person", "name": "王示例", "identity_masked": "330***********001X"}
    first = made(customer=person)
    with pytest.raises(BadInput, match="give another id"):
        check_same_customer(first, made(customer={**person, "identity_masked": "440******0029"}))
    check_same_customer(first, made(customer={**person, "name": "王示例子"}))
    company = made().document["customer"]
    code = {"credit_code": "91330106MA0DEM2696"}
    check_same_customer(made(), made(customer={**company, **code}))
