"""Evidence that was attached wrongly: void, with why and by whom; in the log still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made
from tests.pledges.test_findings import HASH
from tests.pledges.test_follow_ups import another

NOW = datetime.now(UTC)
WHY = ("--reason", "采集的是另一台主机", "--by", "王安")
Run = Callable[..., Ended]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A pledge whose host is well, by its first evidence; the second is of another machine."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    signer = Signer(tmp_path / "made")
    for id in ("one-1", "two-2"):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
    good, wrong = captured("hardened"), another(captured("weak"))
    check(register, "one-1", signer, good, NOW - timedelta(days=9))
    check(register, "one-1", signer, wrong, NOW - timedelta(days=2))
    return tmp_path / "r"


@pytest.fixture
def run(place: Path, tmp_path: Path) -> Run:
    def pledge(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", place, home=tmp_path)

    return pledge


def test_what_is_void_says_nothing_and_stays(place: Path, run: Run, tmp_path: Path) -> None:
    register = Register.open(str(place))
    assert run("findings", "one-1", "--verdict", "fail").status == 1
    before = register.log().leaves
    ended = run("void", "one-1", "2", *WHY)
    assert ended.status == 0, ended.err
    assert "evidence 2 is void" in ended.out
    # the first one says how it stands
    assert run("findings", "one-1", "--verdict", "fail").status == 0
    assert [one.sequence for one in register.evidence("one-1")] == [1]
    assert register.newest_evidence()["one-1"][-1].sequence == 1
    (listed,) = (
        one
        for one in answer(run("list", "--format", "json").out)["pledges"]
        if one["id"] == "one-1"
    )
    assert listed["last"]["sequence"] == 1
    told = answer(run("status", "one-1", "--format", "json").out)
    assert (told["evidence"], [entry["sequence"] for entry in told["void"]]) == (1, [2])
    assert "evidence 2 is void since" in run("status", "one-1").out
    shown = run("show", "one-1").out
    assert "采集的是另一台主机" in shown
    # it stays: the bundle, the log, and the place in the sequence
    assert register.log().leaves == before
    assert register.every_evidence("one-1")[1].path.exists()
    assert register.reference("one-1").sequence == 3
    assert run("export", "one-1", "-o", tmp_path / "all.zip").status == 0


def test_the_machine_may_be_looked_at_where_it_belongs(
    place: Path, run: Run, tmp_path: Path
) -> None:
    """The very same capture is taken of another pledge once it says nothing of the first."""
    register = Register.open(str(place))
    signer = Signer(tmp_path / "again")
    at, wrong = NOW - timedelta(days=2), another(captured("weak"))
    with pytest.raises(BadInput, match="one-1"):
        check(register, "two-2", signer, wrong, at)
    assert run("void", "one-1", "2", *WHY).status == 0
    check(Register.open(str(place)), "two-2", Signer(tmp_path / "third"), wrong, at)
    # and a look that is older than the void one, and newer than the first, is no past one
    later = another(captured("hardened"))
    anew = check(
        Register.open(str(place)), "one-1", Signer(tmp_path / "fourth"), later,
        NOW - timedelta(days=5),
    )  # fmt: skip
    assert (anew.sequence, anew.past) == (3, None)


def test_it_can_be_taken_back(place: Path, run: Run) -> None:
    register = Register.open(str(place))
    assert run("void", "one-1", "2", *WHY).status == 0
    assert run("void", "one-1", "2", "--withdraw").status == 0
    assert [one.sequence for one in register.evidence("one-1")] == [1, 2]
    assert run("findings", "one-1", "--control", HASH).status == 1
    assert "voided" not in register.get("one-1").document
    assert len(register.history("one-1")) == 3
    assert "taken_back" not in register.get("one-1").document


def test_why_it_counts_again_stays_on_record(place: Path, run: Run) -> None:
    assert run("void", "one-1", "2", *WHY).status == 0
    why = ("--reason", "核对后确属该客户", "--by", "李定")
    assert run("void", "one-1", "2", "--withdraw", *why).status == 0
    (entry,) = Register.open(str(place)).get("one-1").document["taken_back"]
    assert (entry["fields"], entry["evidence"], entry["by"]) == (["voided"], 2, "李定")
    said = "".join(run("show", "one-1", "--lang", "zh").out.split())
    assert "第2份证据的作废：核对后确属该客户" in said


def test_what_rests_on_void_evidence_is_listed(run: Run, tmp_path: Path) -> None:
    given = ("--by", "2040-12-31", "--number", "AQ-17")
    assert run("notice", "one-1", "-o", tmp_path / "n.html", *given).status == 0
    assert run("void", "one-1", "2", *WHY).status == 0
    (one,) = answer(run("list", "--void", "--format", "json").out)["pledges"]
    assert [entry["notices"] for entry in one["void"]] == [["AQ-17"]]
    shown = " ".join(run("list", "--void").out.split())
    assert "notices given of it, not withdrawn: AQ-17" in shown
    words = ("--reason", "依据已作废", "--by", "王安")
    assert run("withdraw-notice", "one-1", "AQ-17", *words).status == 0
    (one,) = answer(run("list", "--void", "--format", "json").out)["pledges"]
    assert [entry["notices"] for entry in one["void"]] == [[]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("one-1", "3", *WHY), "NUMBER: there is no evidence 3 of one-1"),
        (("one-1", "2"), "give --reason and --by (with --withdraw both may be left out)"),
        (
            ("one-1", "2", "--reason", "x"),
            "give --reason and --by (with --withdraw both may be left out)",
        ),
        (("one-1", "2", "--withdraw"), "evidence 2 is not void"),
        (("one-1", "2", "--reason", " ", "--by", "x"), "--reason: is blank"),
        (("none", "2", *WHY), "no pledge is named none"),
    ],
)
def test_what_cannot_be_void(place: Path, run: Run, words: tuple[str, ...], says: str) -> None:
    ended = run("void", *words)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert len(Register.open(str(place)).history("one-1")) == 1


def test_findings_of_void_evidence_alone_say_that_it_is(run: Run) -> None:
    for number in ("1", "2"):
        assert run("void", "one-1", number, *WHY).status == 0
    ended = run("findings", "one-1")
    # nobody knows what is open: that is no "nothing is"
    assert (ended.status, ended.out) == (1, "")
    assert "no evidence attached yet" not in ended.err
    assert ended.err.count("is void since") == 2
    assert "no evidence attached yet" in run("findings", "two-2").err


def test_nobody_need_know_of_a_pledge_that_another_continues(run: Run, place: Path) -> None:
    """It ran out without evidence: a look is owed until a record says that it continues it."""
    register = Register.open(str(place))
    over = {"from": "2020-01-01", "until": "2020-12-31"}
    register.add(made(id="ran-out", period=over))
    ended = run("findings", "ran-out")
    assert ended.status == 1
    assert "ran-out" in run("findings").err
    register.add(made(id="follows-it", renews="ran-out", resources={"hosts": ["web-02"]}))
    assert run("findings", "ran-out").status == 0
    assert "ran-out" not in run("findings").err
