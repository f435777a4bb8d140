"""Whose hosts got worse since they were looked at before, and who was never looked at."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.commands.pledge.over_all.since import Since
from collector.model import Capture, Result
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.changed import changed, compared
from collector.pledges.status.findings import lives
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made
from tests.pledges.test_findings import HASH, bundle, day
from tests.pledges.test_follow_ups import another

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
Run = Callable[..., Ended]


def _look(name: str, id: str) -> Capture:
    """Each pledge's host is a machine of its own."""
    return another(captured(name), id[-1])


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """One that was mended, one that got worse, one looked at once, one never."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    signer = Signer(tmp_path / "made")
    for id, looks in (
        ("mended-1", ("weak", "hardened")),
        ("worse-2", ("hardened", "weak")),
        ("first-3", ("weak",)),
        ("mute-4", ()),
    ):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
        for number, name in enumerate(looks):
            check(register, id, signer, _look(name, id), NOW - timedelta(days=9 - number))
    return register


@pytest.fixture
def run(tmp_path: Path, register: Register) -> Run:
    del register

    def pledge(*words: object, **more: str) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path, **more)

    return pledge


def test_evidence_in_which_something_got_worse_is_listed_alone(run: Run) -> None:
    for id, sequences in (("worse-2", [2]), ("mended-1", []), ("first-3", []), ("mute-4", [])):
        told = answer(run("history", id, "--worse", "--format", "json").out)
        assert [one["sequence"] for one in told["evidence"]] == sequences, id
        assert told["versions"] == []
    shown = run("history", "worse-2", "--worse", "--lang", "zh").out
    assert "第 2 份证据" in shown and "新发现" in shown
    assert "第 1 份证据" not in shown and "第 1 版" not in shown
    ended = run("history", "mended-1", "--worse")
    assert (ended.status, "no evidence shows anything worse" in ended.out) == (0, True)


def test_a_finding_that_got_graver_is_told_with_the_bundle_that_says_so() -> None:
    looks = [bundle(n, {"a": {HASH: verdict}}) for n, verdict in
             enumerate(("partial", "fail", "partial", "fail", "pass", "fail"), 1)]  # fmt: skip
    (life,) = lives(made(), looks, day(7))
    # that it is there again after it was mended is another word
    assert life.worsened == (2, 4)
    assert [event.what for event in life.events] == ["opened", "closed", "reopened"]


def test_which_customers_got_worse_is_one_command(
    run: Run, register: Register, tmp_path: Path
) -> None:
    since = (TODAY - timedelta(days=1)).isoformat()
    ended = run("history", "--since", since, "--worse", "--format", "json")
    # who was looked at twice since is held against the first look; a single one against nothing
    told = [one["pledge"] for one in answer(ended.out)["pledges"]]
    assert (ended.status, told) == (0, ["worse-2"])
    assert "1 more pledge(s) were first looked at since" in ended.err
    # the whole list has the same word for the same customers
    all_of = run("history", "--since", since, "--format", "json")
    known = {one["pledge"]: one for one in answer(all_of.out)["pledges"]}
    assert [id for id, one in known.items() if one["worse"]] == ["worse-2"]
    assert [id for id, one in known.items() if one["first_look"]] == ["first-3"]
    # what was mended between two looks of that time counts, though it was not open before
    assert {id: bool(one["findings"]["closed"]) for id, one in known.items()} == {
        "mended-1": True, "worse-2": False, "first-3": False, "mute-4": False
    }  # fmt: skip
    said = " ".join(run("history", "--since", since).out.split())
    assert "1 got worse (--worse lists them), 1 had findings at a first look" in said

    start = datetime.now(UTC)
    signer = Signer(tmp_path / "again")
    check(register, "mended-1", signer, _look("weak", "mended-1"), NOW - timedelta(hours=1))
    check(register, "worse-2", signer, _look("hardened", "worse-2"), NOW - timedelta(hours=1))
    check(register, "mute-4", signer, _look("weak", "mute-4"), NOW - timedelta(hours=1))
    ids = ("mended-1", "worse-2", "first-3", "mute-4")
    found = {id: changed(register, id, start, datetime.now(UTC)) for id in ids}
    assert [id for id, one in found.items() if one is not None and one.worsened] == ["mended-1"]
    assert found["mute-4"] is not None and found["mute-4"].worse
    text = str(Since(register, start, worse=True).drawn("json"))
    assert [one["pledge"] for one in answer(text)["pledges"]] == ["mended-1"]
    assert run("history", "--worse").status == 2
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    assert "nothing got worse since" in run("history", "--since", tomorrow, "--worse").out


def test_who_has_no_evidence_is_one_command(run: Run, register: Register) -> None:
    register.add(made(id="draft-5", draft=True, documents=[]))
    rows = list(csv.DictReader(io.StringIO(
        run("list", "--no-evidence", "--format", "csv").out.lstrip("\ufeff"))))  # fmt: skip
    assert [row["id"] for row in rows] == ["mute-4"]
    assert answer(run("list", "--no-evidence", "--summary", "--format", "json").out)["summary"][
        "without_evidence"
    ] == 1  # fmt: skip
    # what was attached by mistake is none
    assert run("void", "first-3", "1", "--reason", "另一台", "--by", "王安").status == 0
    told = answer(run("list", "--no-evidence", "--format", "json").out)["pledges"]
    assert [one["id"] for one in told] == ["first-3", "mute-4"]
    either = answer(run("list", "--no-evidence", "--older-than", "9", "--format", "json").out)
    old = answer(run("list", "--older-than", "9", "--format", "json").out)["pledges"]
    assert {one["id"] for one in either["pledges"]} == {one["id"] for one in (*old, *told)}


def test_which_evidence_is_void_is_one_command(run: Run, tmp_path: Path) -> None:
    assert run("list", "--void").out == "no evidence is void\n"
    assert run("void", "mended-1", "1", "--reason", "另一台", "--by", "王安").status == 0
    shown = "".join(run("list", "--void", "--lang", "zh").out.split())
    assert "mended-1" in shown and "另一台" in shown and "1份登记，作废证据1份" in shown
    assert "worse-2" not in shown
    (one,) = answer(run("list", "--void", "--format", "json").out)["pledges"]
    assert [(e["sequence"], e["by"]) for e in one["void"]] == [(1, "王安")]
    (row,) = csv.DictReader(
        io.StringIO(run("list", "--void", "--format", "csv").out.lstrip("\ufeff"))
    )
    assert (row["id"], "另一台" in row["void"]) == ("mended-1", True)
    assert run("list", "--void", "--format", "xlsx", "-o", tmp_path / "v.xlsx").status == 0
    assert run("list", "--void", "--veto").status == 2


def test_who_was_not_looked_at_again_did_not_get_worse() -> None:
    """What was seen counts as not verified once it is too old, and nothing is worse by that."""
    (before,) = lives(made(), [bundle(1, {"a": {HASH: "partial"}})], day(2))
    aged = replace(before, verdict=Result.ERROR)
    assert compared([before], [aged]).worse == []
    (again,) = lives(made(), [bundle(n, {"a": {HASH: verdict}})
                              for n, verdict in ((1, "partial"), (2, "fail"))], day(3))  # fmt: skip
    assert compared([before], [again]).worse == [again]
