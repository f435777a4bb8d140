"""Changes that are taken back: of one record, of many, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.record.reverting import KEPT, reverted, stays
from collector.pledges.register.register import Register
from collector.resources import shared
from tests.cli.running import Ended, hostpledge
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
    done = pledge("revert", "--all", "--before", since, "--lang", "zh")
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
    ],
)
def test_what_cannot_be_asked(
    register: Register, pledge: Pledge, words: tuple[str, ...], said: str
) -> None:
    ended = pledge("revert", *words, "--lang", "en")
    assert ended.status == 2
    assert said in ended.err
    assert len(register.history("a-2026")) == 1
