"""`hostpledge harden -i register`: one plan, one play, and evidence for each pledge of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from collector.attest.trust import keyring
from collector.cli.commands import harden as command
from collector.cli.workflows import selection as parts
from collector.errors import BadInput
from collector.pledges.record.form import from_document
from collector.pledges.register.register import Register
from collector.run.ansible.events import Applied
from collector.run.harden import hardening as plays
from collector.verify import open_bundle, verify
from tests.cli.test_harden import CONTROL, GOOD, HOSTS, WEAK, World, number, world
from tests.pledges.records import example

__all__ = ["world"]

# web-1 is of both; lone is in the inventory of how to connect, and of no pledge
PLEDGES = {"higher": (3, ["web-1", "web-2"]), "lower": (2, ["web-1", "gone"])}
WAIVER = {"control": CONTROL, "reason": "停用中", "approver": "周示例", "expires": "2099-12-31"}
Harden = Callable[..., Result]


def put(id: str, *, update: bool = False, **changes: Any) -> None:
    grade, hosts = PLEDGES[id]
    document = example(id=id, grade=grade, resources={"hosts": hosts})
    Register.open().add(from_document(document | changes, where="test"), update=update)


@pytest.fixture
def harden(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harden:
    monkeypatch.setattr(parts, "hosts_of", lambda how: [*HOSTS, "lone"])
    (tmp_path / "home").mkdir()
    for id in PLEDGES:
        put(id)

    def call(*words: str, control: str | None = None) -> Result:
        arguments = ["-i", "register", "-o", str(tmp_path / "out"), "--yes"]
        arguments += ["--control", control or number(), *words]
        result = CliRunner().invoke(command.harden, arguments, standalone_mode=False)
        if result.exception and not isinstance(
            result.exception, BadInput | click.ClickException | click.Abort
        ):
            raise result.exception
        return result

    return call


def evidence(tmp_path: Path, id: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Verdicts per host before and after, and hardening.json, of a bundle that verifies."""
    with open_bundle(tmp_path / "out" / "pledges" / id / "bundle") as opened:
        verify(opened, keyring.trust())
        assert opened.before is not None
        assert opened.frame["grade"] == PLEDGES[id][0]
        (attached,) = Register.open().evidence(id)
        assert attached.digest == opened.digest
        found = [
            {
                host: next(f["verdict"] for f in entry["findings"] if f["control"] == CONTROL)
                for host, entry in check.hosts()
            }
            for check in (opened.before, opened)
        ]
        return found[0], found[1], opened.before.hardening


def result(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out" / "result.json").read_text())
    return found


def test_one_play_and_a_bundle_for_each_pledge(
    harden: Harden, world: World, tmp_path: Path
) -> None:
    ended = harden()
    assert ended.return_value == 1, "a host did not answer"
    assert world.plays == [{"web-1": [CONTROL], "web-2": [CONTROL]}]
    assert world.grades == [{"web-1": 3, "web-2": 3, "gone": 2}]
    assert world.collected == ["before", "after"]
    before, after, done = evidence(tmp_path, "higher")
    assert before == {"web-1": "fail", "web-2": "fail"}
    assert after == {"web-1": "pass", "web-2": "pass"}
    assert (done["grade"], sorted(done["hosts"])) == (3, ["web-1", "web-2"])
    before, after, done = evidence(tmp_path, "lower")
    assert before == {"web-1": "fail", "gone": "error"}
    assert after == {"web-1": "pass", "gone": "error"}
    assert (done["grade"], sorted(done["hosts"])) == (2, ["gone", "web-1"])
    assert [s["outcome"] for s in done["hosts"]["web-1"]["steps"]] == ["changed"]
    assert "2 pledge(s), 3 host(s): higher (2), lower (2)" in ended.output
    assert "1 host(s) are under no pledge and are not hardened: lone" in ended.output
    assert "lone" not in (tmp_path / "out" / "hardening.json").read_text()
    for id in PLEDGES:
        page = (tmp_path / "out" / "pledges" / id / "report.html").read_text()
        assert '<section id="between">' in page
    told = result(tmp_path)["pledges"]
    assert told["higher"]["counts_before"]["fail"] > told["higher"]["counts"].get("fail", 0)
    assert told["lower"]["hosts"]["gone"] == "unreachable"
    # the one that fell short comes first, each with what hardening came to under its name
    assert ended.output.index("evidence no. 1") < ended.output.index("before → after")
    assert "!! could not be checked: gone" in ended.output


def test_what_one_pledge_waives_and_another_does_not_is_brought_about(
    harden: Harden, world: World, tmp_path: Path
) -> None:
    put("higher", update=True, waivers=[WAIVER | {"host": host} for host in ("web-1", "web-2")])
    # a control that a person names is brought about though it is waived: here the family is named
    arguments = ["-i", "register", "-o", str(tmp_path / "out"), "--yes", "--family", "encryption"]
    ended = CliRunner().invoke(command.harden, arguments, standalone_mode=False)
    assert ended.exception is None, ended.output
    (plan,) = world.plays
    assert {host for host, names in plan.items() if CONTROL in names} == {"web-1"}
    assert evidence(tmp_path, "lower")[1]["web-1"] == "pass"
    _, after, done = evidence(tmp_path, "higher")
    assert after == {"web-1": "pass", "web-2": "fail"}
    steps = [
        next(s for s in done["hosts"][host]["steps"] if s["control"] == CONTROL)
        for host in ("web-1", "web-2")
    ]
    # told as it was done, though for the other pledge
    assert [(s["act"], s["outcome"]) for s in steps] == [("apply", "changed"), ("waived", None)]


def test_interrupted_the_same_command_ends_it(harden: Harden, world: World, tmp_path: Path) -> None:
    """Its pledges are those from then, whatever was written to the register meanwhile."""
    world.interrupts = 1
    assert "interrupted" in str(harden().exception)
    put("lower", update=True, resources={"hosts": ["gone"]})
    assert harden().return_value == 1
    assert world.collected == ["before", "after"]
    assert len(world.plays) == 2
    assert sorted(evidence(tmp_path, "lower")[1]) == ["gone", "web-1"]
    assert sorted(evidence(tmp_path, "higher")[1]) == ["web-1", "web-2"]


def test_one_that_cannot_be_attached_keeps_no_other_back(
    harden: Harden, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer moved to grade 3 while hosts were hardened; nothing is done twice after."""
    plain = World.apply

    def moved(self: World, *given: Any, **more: Any) -> Any:
        put("lower", update=True, grade=3)
        return plain(self, *given, **more)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(
            "collector.run.harden.hardening.apply", lambda *a, **m: moved(world, *a, **m)
        )
        ended = harden()
    assert ended.return_value == 2
    assert "lower: not done: " in ended.output
    assert "does what is left, and nothing twice" in ended.output
    evidence(tmp_path, "higher")
    assert not Register.open().evidence("lower")
    put("lower", update=True)
    assert harden().return_value == 1
    evidence(tmp_path, "higher")
    evidence(tmp_path, "lower")
    assert len(world.plays) == 1
    assert result(tmp_path)["pledges"]["lower"]["problem"] is None


def test_a_pledge_that_is_named_is_alone(harden: Harden, world: World, tmp_path: Path) -> None:
    assert harden("--pledge", "higher").return_value == 0
    assert world.plays == [{"web-1": [CONTROL], "web-2": [CONTROL]}]
    assert not Register.open().evidence("lower")
    assert [p.name for p in (tmp_path / "out" / "pledges").iterdir()] == ["higher"]
    again = harden("--pledge", "higher")
    assert "nothing was changed" in again.output
    assert (again.return_value, len(world.plays)) == (0, 1)
    assert len(Register.open().evidence("higher")) == 2


def test_looking_ahead_leaves_no_evidence(harden: Harden, world: World, tmp_path: Path) -> None:
    assert harden("--check").return_value == 1
    assert world.looked == [True]
    assert world.shadow == {"web-1": WEAK, "web-2": WEAK}
    assert not Register.open().all_evidence()


def test_put_back(
    harden: Harden, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.shadow = dict.fromkeys(world.shadow, GOOD)
    asked: list[str] = []

    def back(families: Sequence[str], how: Any, hosts: Sequence[str], *, watch: Any) -> Applied:
        done = Applied()
        asked.extend(hosts)
        for host in world.shadow:
            world.shadow[host] = WEAK
            done.undone[host] = dict.fromkeys(families, "changed")
            done.said[host] = ["encryption: put back /etc/shadow"]
        return done

    monkeypatch.setattr(plays, "undo", back)
    arguments = ["-i", "register", "-o", str(tmp_path / "out"), "--yes", "--undo"]
    arguments += ["--family", "encryption"]
    ended = CliRunner().invoke(command.harden, arguments, standalone_mode=False)
    assert ended.exception is None, ended.output
    assert asked == ["web-1", "web-2", "gone"]
    before, after, done = evidence(tmp_path, "higher")
    assert before == {"web-1": "pass", "web-2": "pass"}
    assert after == {"web-1": "fail", "web-2": "fail"}
    assert done["undo"]
    evidence(tmp_path, "lower")
    assert "before → after" in ended.output


def test_a_control_of_grade_3_alone_leaves_pledges_of_grade_2_alone(
    harden: Harden, world: World, tmp_path: Path
) -> None:
    ended = harden("--check", control="intrusion.two_factor")
    assert "of a grade without it, not touched: lower" in ended.output
    ended = harden("--pledge", "lower", control="intrusion.two_factor")
    assert "not of the families or the grade" in str(ended.exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--grade", "2"), "higher is of grade 3"),
        (("--pledge", "nobody"), "no pledge is named nobody"),
        (("--within", "soon"), "no length of time"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_done(
    harden: Harden, world: World, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    assert says in str(harden(*words).exception)
    assert not (tmp_path / "out").exists()
    assert not world.collected


def test_due_goes_with_the_register() -> None:
    given = ["-i", "x,", "--due", "--yes"]
    ended = CliRunner().invoke(command.harden, given, standalone_mode=False)
    assert "--due goes with -i register" in str(ended.exception)
