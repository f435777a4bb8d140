"""Changes that are taken back: of one record, of many, and what is not."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.commands.pledge.changes import undoing
from collector.pledges.database.rows import Version
from collector.pledges.record.reverting import KEPT, reverted, stays
from collector.pledges.register.register import Register
from collector.resources import shared
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import TODAY, made

Pledge = Callable[..., Ended]
_OWNED = [{"control": "backup.fresh", "host": "db-01", "owner": "周示例", "due": "2026-12-31"}]
_SIGNED = {"type": "pledge", "version": "2", "sha256": "1" * 64, "signed_on": "2026-02-01"}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    found = Register.open(str(tmp_path / "r.sqlite"), create=True)
    for id in ("a-2026", "b-2026", "c-2026"):
        found.add(made(id=id))
    return found


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path)

    return run


def test_kept_fields_are_of_the_schema() -> None:
    schema = json.loads(shared("schemas/pledge-record.schema.json").read_bytes())
    assert schema["properties"].keys() > KEPT


def test_what_was_signed_or_happened_stays() -> None:
    before = made(draft=True, documents=[], grade=2)
    after = made(documents=[_SIGNED], grade=3, follow_ups=_OWNED, title="改过的")
    back = reverted(after, before, today=TODAY)
    assert back.grade == 2
    assert "follow_ups" not in back.document
    assert back.document["title"] == before.document["title"]
    assert back.document["documents"] == [_SIGNED]
    assert "draft" not in back.document
    assert stays(after, before) == ["documents", "draft"]


def test_named_fields_alone() -> None:
    before, after = made(grade=2), made(grade=3, follow_ups=_OWNED)
    back = reverted(after, before, fields=["follow_ups"], today=TODAY)
    assert back.grade == 3
    assert "follow_ups" not in back.document


def test_a_bulk_change_is_taken_back(register: Register, pledge: Pledge) -> None:
    before = datetime.now(UTC)
    for id in ("a-2026", "b-2026"):
        register.add(made(id=id, follow_ups=_OWNED), update=True)
    since = before.isoformat()
    looked = pledge("revert", "--all", "--before", since, "--check", "--lang", "en")
    assert looked.status == 0, looked.err
    assert "a-2026: version 2 would say what version 1 said" in looked.out
    assert "2 record(s) would go back; 1 with nothing to take back" in looked.out
    assert len(register.history("a-2026")) == 2
    # nobody is there to be asked
    asked = pledge("revert", "--all", "--before", since, "--lang", "en")
    assert asked.status == 2
    assert len(asked.err.splitlines()) == 1
    assert f"2 record(s) would say what they said before {since}" in asked.err
    assert "give --yes" in asked.err
    assert len(register.history("a-2026")) == 2
    done = pledge("revert", "--all", "--before", since, "--yes", "--lang", "zh")
    assert done.status == 0, done.err
    assert "已撤回 2 份登记的改动，1 份无可撤回" in done.out
    assert [len(register.history(id)) for id in ("a-2026", "b-2026", "c-2026")] == [3, 3, 1]
    assert "follow_ups" not in register.get("a-2026").document
    # a second time there is nothing to do
    again = pledge("revert", "--all", "--before", since, "--lang", "en")
    assert "0 record(s) went back" in again.out
    assert len(register.history("a-2026")) == 3


def test_one_to_a_version(register: Register, pledge: Pledge) -> None:
    register.add(made(id="a-2026", title="第二"), update=True)
    register.add(made(id="a-2026", title="第三"), update=True)
    assert pledge("revert", "a-2026", "--to", 2).status == 0
    assert register.get("a-2026").document["title"] == "第二"
    told = json.loads(pledge("revert", "a-2026", "--to", 1, "--format", "json").out)
    assert told["pledges"][0]["version"] == 5
    assert [c["field"] for c in told["pledges"][0]["changes"]] == ["title"]


def test_what_was_not_there_then_stays(register: Register, pledge: Pledge) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    done = pledge("revert", "a-2026", "--before", before.isoformat(), "--lang", "en")
    assert (done.status, "0 record(s) went back" in done.out) == (0, True)
    assert "none of them was there then: the first version was written at" in done.err
    ended = pledge("revert", "--all", "--before", before.isoformat(), "--lang", "zh")
    assert (ended.status, "那时还没有这些登记" in ended.err) == (0, True)


def test_a_time_after_all_that_was_written(register: Register, pledge: Pledge) -> None:
    now = datetime.now(UTC).isoformat()
    done = pledge("revert", "--all", "--before", now, "--lang", "en")
    assert (done.status, "nothing was written since: the last version" in done.err) == (0, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a-2026",), "--before"),
        (("--before", "2026-01-01"), "--all"),
        (("a-2026", "--all", "--before", "2026-01-01"), "--all"),
        (("a-2026", "b-2026", "--to", "1"), "--to"),
        (("a-2026", "--to", "9"), "has no version 9"),
        (("a-2026", "--to", "1", "--field", "documents"), "is not taken back: documents"),
        (("a-2026", "--to", "1", "--field", "follow_up"), "no field of a record: follow_up"),
        (("x-2026", "--to", "1"), "x-2026"),
        (("a-2026", "--before", "yesterday"), "not a time"),
        (("a-2026", "--to", "1", "--until", "2026-01-01"), "--until goes with --before"),
        (("a-2026", "--before", "2026-01-01", "--until", "soon"), "--until: not a time"),
        (("--all", "--before", "2126-01-01", "--yes"), "--before: has not come yet"),
        (("--all", "--before", "2026-01-02", "--until", "2026-01-01"), "lies before --before"),
    ],
)
def test_what_cannot_be_asked(
    register: Register, pledge: Pledge, words: tuple[str, ...], said: str
) -> None:
    ended = pledge("revert", *words, "--lang", "en")
    assert ended.status == 2
    assert said in ended.err
    assert len(register.history("a-2026")) == 1


def test_what_was_changed_again_since_is_left_alone(register: Register, pledge: Pledge) -> None:
    times = []
    for id in ("a-2026", "b-2026"):
        times.append(register.add(made(id=id, follow_ups=_OWNED), update=True).added_at)
    # another operator, afterwards: of one that was changed, and of one that was not
    register.add(made(id="b-2026", follow_ups=[{**_OWNED[0], "owner": "李工"}]), update=True)
    register.add(made(id="c-2026", follow_ups=_OWNED), update=True)
    since = ("--before", min(times).isoformat(), "--until", max(times).isoformat())
    words = ("revert", "--all", *since, "--lang", "en")
    looked = pledge(*words, "--check")
    assert (looked.status, "1 record(s) would go back" in looked.out) == (1, True)
    done = pledge(*words, "--format", "json")
    told = answer(done.out)
    assert ([one["pledge"] for one in told["pledges"]], told["left"]) == (["a-2026"], ["b-2026"])
    assert "1 record(s) were changed again since, and are left alone: b-2026" in done.err
    assert "follow_ups" not in register.get("a-2026").document
    assert register.get("b-2026").document["follow_ups"][0]["owner"] == "李工"
    assert register.get("c-2026").document["follow_ups"]
    # a second time what went back has nothing to take back
    assert answer(pledge(*words, "--format", "json").out)["pledges"] == []


def test_an_import_says_how_it_is_taken_back(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    sheet = tmp_path / "x.csv"
    customer = made().document["customer"]
    rows = "".join(
        f"{id},2,{customer['name']},企业,{customer['credit_code']}\n" for id in ("a-2026", "b-2026")
    )
    sheet.write_text(f"编号,等级,用户名称,性质,统一社会信用代码\n{rows}", encoding="utf-8")
    ended = pledge("import", sheet, "--update", "--lang", "en")
    assert ended.status == 0, ended.err
    assert register.get("a-2026").grade == 2
    command = ended.out.splitlines()[-1]
    assert command.startswith("hostpledge pledge revert a-2026 b-2026 --before ")
    before = register.history("a-2026")[0].record
    back = hostpledge(*shlex.split(command)[1:], home=tmp_path)
    assert back.status == 0, back.err
    again = register.get("a-2026")
    assert (again.grade, again.hosts) == (before.grade, before.hosts)


def test_the_password_of_a_register_is_not_told() -> None:
    version = Version(2, made(), datetime.now(UTC))
    said = undoing._words([version], "postgresql://u:secret@db/x", ["follow_ups"], answered=False)
    assert "secret" not in said
    assert said.endswith("--field follow_ups --register URL")
    many = [Version(2, made(id=f"a-{n}"), datetime.now(UTC)) for n in range(9)]
    assert undoing._words(many, None, (), answered=False).startswith(
        "hostpledge pledge revert --all --before "
    )
