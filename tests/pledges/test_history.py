"""`pledge history`: what each version of a record says otherwise than the one before."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.record.differences import Change, by_entry, changes
from collector.pledges.record.times import CHINA
from collector.pledges.register.nearest import nearest
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.places import owner
from tests.pledges.records import example, made

ID = "KM-2026-0040"
CONTACT = example()["safety_contact"]
FOLLOWED = {"control": "encryption.password_hash", "host": "web-01", "owner": "李运维"}
Run = Callable[..., Ended]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A record of three versions: other hosts and contact, then another owner and contact."""
    opened = Register.open(str(tmp_path / "r.sqlite"))
    for number in (39, 140, 240, 41):
        opened.add(made(id=f"KM-2026-{number:04}"))
    named = {"control": "encryption.residual", "host": "web-01", "owner": "周示例"}
    opened.add(made(id=ID, resources={"hosts": ["web-01"]}, follow_ups=[FOLLOWED, named]))
    first = {**CONTACT, "name": "钱示例", "phone": "13900001111"}
    more = {"resources": {"hosts": ["web-01", "web-02"]}, "safety_contact": first}
    opened.add(made(id=ID, follow_ups=[FOLLOWED, named], **more), update=True)
    # of this number nobody sees what changed
    more["safety_contact"] = {**first, "phone": "13922221111"}
    other = {**FOLLOWED, "owner": "赵网管 13812345678", "due": "2026-12-31"}
    opened.add(made(id=ID, follow_ups=[other, named], **more), update=True)
    return opened


@pytest.fixture
def run(tmp_path: Path, register: Register) -> Run:
    del register

    def pledge(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path)

    return pledge


def test_every_version_is_told_with_what_it_changed(register: Register, run: Run) -> None:
    ended = run("history", ID, "--lang", "en")
    assert ended.status == 0, ended.err
    times = [
        version.added_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")
        for version in register.history(ID)
    ]
    assert ended.out.splitlines()[1:] == [
        f"version 3  {times[2]}",
        "  follow-ups encryption.password_hash @ web-01 due: (nothing) → 2026-12-31",
        "  follow-ups encryption.password_hash @ web-01 owner: 李运维 → 赵网管",
        "  138****5678",
        "  phone: a masked number changed (139*****111)",
        f"version 2  {times[1]}",
        "  hosts: (nothing) → web-02",
        f"  contact: {CONTACT['name']} → 钱示例",
        f"  phone: {CONTACT['phone'][:3]}*****{CONTACT['phone'][-3:]} → 139*****111",
        f"version 1  {times[0]}  first put on record",
    ]
    for number in ("13922221111", "13900001111", "13812345678", CONTACT["phone"]):
        assert number not in ended.out
    said = run("history", ID, "--lang", "zh").out
    assert "整改责任 encryption.password_hash @ web-01 责任人：李运维 → 赵网管" in said
    assert "掩码的号码有变化" in said
    assert "首次登记" in said
    # the other finding's owner is as it was
    assert "周示例" not in said
    # what the register does not keep is not said
    assert "root" not in said


def test_programs_get_the_same(register: Register, run: Run) -> None:
    told = answer(run("history", ID, "--format", "json").out)
    assert (told["pledge"], told["gone"]) == (ID, [])
    assert [one["version"] for one in told["versions"]] == [3, 2, 1]
    for one, version in zip(told["versions"], reversed(register.history(ID)), strict=True):
        assert (one["added_at"], one["sha256"]) == (
            version.added_at.isoformat(),
            version.record.digest,
        )
    newest, second, first = (one["changes"] for one in told["versions"])
    assert first is None
    assert {
        "field": "resources.hosts",
        "before": ["web-01"],
        "after": ["web-01", "web-02"],
    } in second
    of_owner = "follow_ups[encryption.password_hash @ web-01].owner"
    assert {"field": of_owner, "before": "李运维", "after": "赵网管 138****5678"} in newest
    (hidden,) = [one for one in newest if one.get("masked")]
    assert hidden["field"] == "safety_contact.phone"
    rows = list(
        csv.DictReader(io.StringIO(run("history", ID, "--format", "csv").out.lstrip("\ufeff")))
    )
    assert [(row["version"], row["field"]) for row in rows] == [
        *(("3", one["field"]) for one in newest),
        *(("2", one["field"]) for one in second),
        ("1", ""),
    ]
    (owned,) = [row for row in rows if row["field"] == of_owner]
    assert (owned["before"], owned["after"], owned["masked"]) == (
        "李运维",
        "赵网管 138****5678",
        "no",
    )
    assert datetime.fromisoformat(owned["added_at"]).utcoffset() == CHINA.utcoffset(None)


def test_what_was_disposed_of_is_not_told_and_not_passed_over(register: Register, run: Run) -> None:
    gone = {"date": "2026-11-25", "method": "粉碎", "by": "王安"}
    register.replace_all(ID, lambda record: made(**{**record.document, "disposed": gone}))
    said = run("history", ID, "--lang", "en")
    assert said.status == 0, said.err
    assert "version 1–3: disposed of, its digest alone is kept" in said.out
    assert "the one before is gone" in said.out
    assert "李运维" not in said.out
    assert answer(run("history", ID, "--format", "json").out)["gone"] == [3, 2, 1]


def test_a_version_that_somebody_changed_is_no_history(
    register: Register, run: Run, tmp_path: Path
) -> None:
    with owner(str(tmp_path / "r.sqlite")) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE versions SET document = replace(document, '李运维', '张三')")
    ended = run("history", ID)
    assert (ended.status, ended.out) == (2, "")
    assert "does not match" in ended.err or "digest" in ended.err


@pytest.mark.parametrize("command", ["history", "show", "status", "findings"])
def test_a_mistyped_id_is_told_with_the_one_that_may_be_meant(run: Run, command: str) -> None:
    ended = run(command, "KM-2026-040", "--lang", "en")
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "no pledge is named KM-2026-040" in ended.err
    assert f"did you mean {ID}?" in ended.err
    ended = run(command, "nothing-like-it", "--lang", "en")
    assert "`hostpledge pledge list` lists them" in ended.err
    assert "是否要找 KM-2026-0040？" in run(command, "km-2026-0040", "--lang", "zh").err


def test_where_no_register_is_no_id_is_near(tmp_path: Path) -> None:
    ended = hostpledge("pledge", "history", ID, home=tmp_path)
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert f"no pledge is named {ID}" in ended.err


def test_a_change_of_what_is_not_there_is_told_in_its_write_too(register: Register) -> None:
    with pytest.raises(BadInput, match=r"did you mean KM-2026-0040\?"):
        register.change("KM-2026-040", lambda record: record)
    with pytest.raises(BadInput, match=r"did you mean KM-2026-0040\?"):
        register.add(made(id="KM-2026-040"), update=True)


def test_the_nearest_of_many() -> None:
    every = [f"KM-2026-{number:04}" for number in range(300)]
    assert nearest("KM-2026-040", every) == [ID]
    assert nearest("km2026 0040", every) == [ID]
    assert nearest("KM-2026-0o40", every) == [ID]
    found = nearest("KM-2026-0x40", every)
    assert len(found) == 3
    assert ID in found


def test_lists_of_entries_are_told_entry_by_entry() -> None:
    one, two = {"number": 1, "by": "a"}, {"number": 2, "by": "b"}
    found = list(by_entry(changes({"notices": [one]}, {"notices": [two, one]})))
    assert found == [Change("notices", None, two)]
    # in another order the list is what differs
    (whole,) = by_entry(changes({"notices": [one, two]}, {"notices": [two, one]}))
    assert whole.before == [one, two]
    # of two for the same control and host neither is taken for the other
    twice = [FOLLOWED, {**FOLLOWED, "owner": "b"}]
    found = list(by_entry(changes({"f": twice}, {"f": [{**FOLLOWED, "owner": "c"}]})))
    assert [(c.before or {}).get("owner") for c in found] == ["李运维", "b", None]
    (new,) = by_entry(changes({}, {"follow_ups": [FOLLOWED]}))
    named = "follow_ups[encryption.password_hash @ web-01]"
    assert new == Change(named, None, {"owner": "李运维"})
