"""`hostpledge harden` with hosts and plays of the test's own: every stage, and each way to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from collector import catalog
from collector.attest.trust import keyring
from collector.cli.commands import harden as command
from collector.cli.workflows import hardening as stages
from collector.errors import BadInput
from collector.model import Capture, Harden, Severity, Text
from collector.pledges.register.register import Register
from collector.run.ansible import engine
from collector.run.ansible.events import Applied, Failure
from collector.run.collected.run_folder import Arrived, RunFolder
from collector.run.harden import hardening as plays
from collector.script import host_nonce
from collector.verify import open_bundle, verify
from collector.verify.before import Check
from tests import bundles
from tests.cli.running import hostpledge
from tests.report.evidence import host as a_host

WEAK = b"root:$1$:20000:0:99999:7:::\n"
GOOD = b"root:$y$:20000:0:99999:7:::\n"
CONTROL = "encryption.password_hash"
HOSTS = ["web-1", "web-2", "gone"]


class World:
    """The hosts as they are now, and what was done to them."""

    def __init__(self) -> None:
        self.shadow = dict.fromkeys(HOSTS[:2], WEAK)
        self.collected: list[str] = []
        self.plays: list[dict[str, list[str]]] = []
        self.looked: list[bool] = []
        self.seconds = (0, 0)
        self.grades: list[int | Mapping[str, int]] = []
        self.mends = True
        self.failing: str = ""
        self.changes = True
        self.loses = ""
        self.shares = ""
        self.interrupts = 0
        self.now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)

    def capture(self, run: RunFolder, host: str) -> Capture:
        self.now += timedelta(minutes=1)
        origin = {"run": run.nonce, "clock": self.now.isoformat()}
        if host not in self.shadow:
            return replace(bundles.unreachable(host), origin=MappingProxyType(origin))
        return replace(
            a_host(host, self.shadow[host]),
            nonce=host_nonce(run.nonce, host),
            collected_at=self.now,
            origin=MappingProxyType(origin),
        )

    def collect(
        self, run: RunFolder, how: Any, hosts: Sequence[str], **_: Any
    ) -> dict[str, Arrived]:
        run.expect(hosts)
        for host in hosts:
            capture = self.capture(run, host)
            run.take(capture, 0)
        self.collected.append(run.path.name)
        run.end()
        return run.arrived()

    def gather(
        self,
        output: Path,
        how: Any,
        families: tuple[str, ...],
        grade: int,
        *,
        hosts: Sequence[str] | None = None,
    ) -> Any:
        with RunFolder.taken(output, families, grade, patience=1) as run:
            return self.collect(run, how, HOSTS if hosts is None else hosts)

    def apply(
        self,
        plan: Mapping[str, list[str]],
        how: Any,
        *,
        grade: int | Mapping[str, int],
        check: bool = False,
        **_: Any,
    ) -> Applied:
        self.grades.append(grade)
        self.plays.append(dict(plan))
        self.looked.append(check)
        self.seconds = (how.seconds, how.step_seconds)
        if self.interrupts:
            self.interrupts -= 1
            raise BadInput("interrupted while hardening", mend="the same command")
        done = Applied()
        for host, names in plan.items():
            if host == self.loses:
                loss = Failure(host, "monitoring", "", "Install it", "Connection timed out")
                done.failures.append(loss)
                done.lost[host] = loss
                del self.shadow[host]
                continue
            if self.shares:
                done.shared[host] = {"encryption": [self.shares]}
            done.reached[host] = dict.fromkeys(names)
            if self.failing:
                done.failures.append(
                    Failure(host, "encryption", CONTROL, "Set the scheme", self.failing)
                )
            else:
                done.changed[host] = set(names) if self.changes else set()
                if self.mends and not check:
                    self.shadow[host] = GOOD
        return done


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = World()
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(stages, "gather", made.gather)
    monkeypatch.setattr(engine, "collect", made.collect)
    monkeypatch.setattr(plays, "apply", made.apply)
    monkeypatch.setattr(command, "hosts_of", lambda how: HOSTS)
    known = dict(catalog.controls())
    # a change that is this test's own, whatever the roles can do by now
    told = Harden(Text("改用强散列", "strong hashes"), Severity.HIGH, reversible=True, person=None)
    known[CONTROL] = replace(known[CONTROL], harden=told)
    monkeypatch.setattr(catalog, "controls", lambda: MappingProxyType(known))
    return made


def number() -> str:
    return catalog.control(CONTROL).number


@pytest.fixture
def harden(world: World, tmp_path: Path) -> Callable[..., Result]:
    def call(*words: str, answer: str | None = None) -> Result:
        arguments = ["-i", "x,", "-o", str(tmp_path / "out"), "--control", number(), *words]
        result = CliRunner().invoke(command.harden, arguments, input=answer, standalone_mode=False)
        if result.exception and not isinstance(
            result.exception, BadInput | click.ClickException | click.Abort
        ):
            raise result.exception
        return result

    return call


def evidence(tmp_path: Path, name: str = "out") -> tuple[dict[str, Any], dict[str, Any]]:
    """Verdicts of the control per host, before and after, of a bundle that verifies."""
    with open_bundle(tmp_path / name / "bundle") as opened:
        verify(opened, keyring.trust())
        sides: list[Check] = [opened.before, opened] if opened.before else [opened]
        found = [
            {
                host: f["verdict"]
                for host, entry in side.hosts()
                for f in entry["findings"]
                if f["control"] == CONTROL
            }
            for side in sides
        ]
    return found[0], found[-1]


def record(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out" / "hardening.json").read_text())
    return found


def test_from_fails_to_proven(harden: Callable[..., Result], world: World, tmp_path: Path) -> None:
    ended = harden("--yes")
    assert ended.return_value == 1, "a host did not answer"
    assert world.plays == [{"web-1": [CONTROL], "web-2": [CONTROL]}]
    assert world.collected == ["before", "after"]
    before, after = evidence(tmp_path)
    assert before == {"web-1": "fail", "web-2": "fail", "gone": "error"}
    assert after == {"web-1": "pass", "web-2": "pass", "gone": "error"}
    assert "2 hosts: web-1, web-2" in ended.output
    assert "strong hashes" in ended.output
    assert "risk high, can be undone" in ended.output
    assert "gone: unreachable: No route to host" in ended.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert '<section id="between">' in page
    outcomes = {s["outcome"] for s in record(tmp_path)["hosts"]["web-1"]["steps"]}
    assert outcomes == {"changed"}


def test_where_all_is_satisfied_nothing_is_done_and_it_ends_with_0(
    harden: Callable[..., Result], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cli.test_harden.HOSTS", HOSTS[:2])
    assert harden("--yes").return_value == 0
    again = harden("--yes")
    assert again.return_value == 0
    assert len(world.plays) == 1
    assert world.collected == ["before", "after", "before"]
    assert "nothing was changed" in again.output
    assert (tmp_path / "out" / "earlier").is_dir(), "the first is kept"
    with open_bundle(tmp_path / "out" / "bundle") as opened:
        assert opened.before is None


def test_it_becomes_the_evidence_of_its_pledge(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    """Killed between attaching and the report, it is not attached twice."""
    home = tmp_path / "home"
    pledge = Path(__file__).parents[2] / "examples" / "pledge.yml"
    assert hostpledge("pledge", "add", pledge, home=home).status == 0
    assert harden("--yes", "--pledge", "demo-2026").return_value == 1
    (entry,) = Register.open().evidence("demo-2026")
    with open_bundle(tmp_path / "out" / "bundle") as opened:
        assert opened.digest == entry.digest
        assert opened.before is not None
        assert opened.before.frame["pledge"] == opened.frame["pledge"]
        assert opened.frame["grade"] == 3
    shown = hostpledge("pledge", "show", "demo-2026", home=home)
    assert shown.status == 0, shown.err
    ended = record(tmp_path)
    ended["ended"] = None
    (tmp_path / "out" / "hardening.json").write_text(json.dumps(ended))
    harden("--yes", "--pledge", "demo-2026")
    assert len(Register.open().evidence("demo-2026")) == 1


def test_what_still_fails_is_shouted_with_its_evidence(
    harden: Callable[..., Result], world: World
) -> None:
    world.mends = False
    ended = harden("--yes")
    assert ended.return_value == 1
    assert "STILL NOT SATISFIED AFTER ITS MEND" in ended.output
    assert "| root:$1$" in ended.output
    assert "web-1, web-2" in ended.output.split("STILL")[1]


def waiting(monkeypatch: pytest.MonkeyPatch, **when: Any) -> None:
    """The control's metadata names reasons that are a person's."""
    known = dict(catalog.controls())
    person = Text("须由人改口令", "its owner changes it")
    told = replace(Harden(Text("改", "x"), Severity.LOW, reversible=True, person=person), **when)
    known[CONTROL] = replace(known[CONTROL], harden=told)
    monkeypatch.setattr(catalog, "controls", lambda: MappingProxyType(known))


def test_what_waits_for_a_person_is_not_shouted(
    harden: Callable[..., Result],
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting(monkeypatch, person_when=frozenset({"weak"}))
    world.mends = False
    ended = harden("--yes")
    assert ended.return_value == 1
    assert "STILL NOT SATISFIED" not in ended.output
    assert "weak scheme: root" in ended.output.rsplit("left to a person\n", 1)[1]
    assert "Not satisfied!" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(("changes", "shouted"), [(True, True), (False, False)])
def test_a_role_that_found_nothing_to_change_is_another_matter(
    harden: Callable[..., Result],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    changes: bool,
    shouted: bool,
) -> None:
    waiting(monkeypatch, person_when_unchanged=frozenset({"weak"}))
    world.mends, world.changes = False, changes
    assert ("STILL NOT SATISFIED" in harden("--yes").output) is shouted


def test_another_failure_than_the_persons_is_shouted(
    harden: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(monkeypatch, person_when=frozenset({"all_strong"}))
    world.mends = False
    assert "STILL NOT SATISFIED" in harden("--yes").output


def test_a_host_that_answers_no_more_is_shouted_once(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.loses = "web-2"
    ended = harden("--yes")
    assert ended.return_value == 1
    words = " ".join(ended.output.split())
    assert words.count("COULD NOT BE CHECKED AFTER HARDENING: web-2") == 1
    assert "COULD NOT BE CHECKED AFTER HARDENING: gone" not in words, "it never answered"
    assert "web-2: Encryption: the connection broke" not in words
    assert f"web-2: not begun: Encryption ({number()}); the same command takes it up" in words
    step = record(tmp_path)["hosts"]["web-2"]["steps"][0]
    assert step["outcome"] == "not_done"


@pytest.mark.parametrize(("given", "taken"), [((), (300, 1800)), (("--seconds", "77"), (77, 77))])
def test_only_who_says_seconds_limits_each_step_by_them(
    harden: Callable[..., Result], world: World, given: tuple[str, ...], taken: tuple[int, int]
) -> None:
    harden("--yes", *given)
    assert world.seconds == taken


def test_what_several_controls_share_is_told_as_shared(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.shares = "Load the rules"
    ended = harden("--yes")
    assert "changed by steps that controls share" in ended.output
    assert "Encryption: Load the rules (web-1, web-2)" in ended.output
    entry = record(tmp_path)["hosts"]["web-1"]
    assert entry["shared"] == [{"family": "encryption", "steps": ["Load the rules"]}]
    assert "Load the rules" in (tmp_path / "out" / "report.html").read_text()


def test_what_a_change_may_take_from_the_host_is_said_before_and_after(
    harden: Callable[..., Result],
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = dict(catalog.controls())
    warning = Text("先整改 L05", "logs are deleted: L05 first")
    told = replace(known[CONTROL].harden or pytest.fail(), warning=warning)
    known[CONTROL] = replace(known[CONTROL], harden=told)
    monkeypatch.setattr(catalog, "controls", lambda: known)
    ended = harden("--yes")
    plan, result = " ".join(ended.output.split()).split("before → after")
    assert "Take care: logs are deleted: L05 first" in plan
    number = known[CONTROL].number
    assert f"TAKE CARE web-1, web-2 ({number}): logs are deleted: L05 first" in result
    assert "logs are deleted: L05 first" in (tmp_path / "out" / "report.html").read_text()


def test_of_what_nothing_was_changed_for_nothing_is_feared(
    harden: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(catalog.controls())
    told = replace(known[CONTROL].harden or pytest.fail(), warning=Text("先", "L05 first"))
    known[CONTROL] = replace(known[CONTROL], harden=told)
    monkeypatch.setattr(catalog, "controls", lambda: known)
    world.changes = False
    assert "TAKE CARE" not in harden("--yes").output


def test_what_could_not_be_brought_about_is_said_in_a_line_a_host(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.failing = "Read-only file system"
    ended = harden("--yes")
    assert ended.return_value == 1
    said = "Set the scheme: Read-only file system"
    assert sum(said in " ".join(ended.output.split()) for _ in [0]) == 1
    step = record(tmp_path)["hosts"]["web-1"]["steps"][0]
    assert (step["outcome"], step["said"]) == ("failed", said)


def test_interrupted_while_applying_it_is_taken_up(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.interrupts = 1
    ended = harden("--yes")
    assert isinstance(ended.exception, BadInput)
    assert not (tmp_path / "out" / "bundle").exists()
    assert record(tmp_path)["applied"] is None
    world.shadow["web-1"] = GOOD  # half of it had been done
    again = harden("--yes")
    assert "taking up an interrupted hardening" in again.output
    assert world.collected == ["before", "after"], "the check before is the one from then"
    assert evidence(tmp_path)[0]["web-1"] == "fail"
    assert len(record(tmp_path)["begun"]) == 2


@pytest.mark.parametrize("stage", ["make_bundle", "write_report"])
def test_killed_after_applying_nothing_is_applied_twice(
    harden: Callable[..., Result],
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    real = getattr(command, stage)

    def killed(*_: Any, **__: Any) -> Any:
        raise BadInput("killed")

    monkeypatch.setattr(command, stage, killed)
    assert isinstance(harden("--yes").exception, BadInput)
    monkeypatch.setattr(command, stage, real)
    harden("--yes")
    assert len(world.plays) == 1
    assert world.collected == ["before", "after"]
    assert evidence(tmp_path)[1]["web-1"] == "pass"
    assert record(tmp_path)["hosts"]["web-1"]["steps"][0]["outcome"] == "changed"


def test_an_interrupted_one_of_other_controls_is_left_alone(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.interrupts = 1
    harden("--yes")
    kept = (tmp_path / "out" / "hardening.json").read_bytes()
    other = harden("--yes", "--grade", "3")
    assert "an interrupted hardening of other controls" in str(other.exception)
    assert (tmp_path / "out" / "hardening.json").read_bytes() == kept


def test_looking_ahead_changes_nothing_and_keeps_nothing_open(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    ended = harden("--check")
    assert ended.return_value == 1
    assert world.looked == [True]
    assert not (tmp_path / "out" / "bundle").exists()
    assert not (tmp_path / "home" / "keys").exists(), "no key is made to look"
    assert harden("--yes").return_value == 1
    assert world.collected == ["before", "before", "after"], "what was seen then may be old"


@pytest.mark.parametrize(("answer", "plays"), [("y\n", 1), ("n\n", 0), ("", 0)])
def test_a_person_is_asked(
    harden: Callable[..., Result],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    plays: int,
) -> None:
    monkeypatch.setattr(command, "_can_ask", lambda **_: None)
    ended = harden(answer=answer)
    assert len(world.plays) == plays
    if answer == "n\n":
        assert ended.return_value == 1
        assert "nothing was changed" in ended.output


def test_without_a_terminal_and_without_yes_nothing_begins(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    ended = harden()
    assert "no terminal to ask on; give --yes" in str(ended.exception)
    assert not (tmp_path / "out").exists()
    assert world.collected == []


def test_the_folder_of_a_run_is_not_taken(
    harden: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text("{}")
    assert "holds a run" in str(harden("--yes").exception)


def test_not_root_is_not_touched(
    harden: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = World.capture

    def other(self: World, run: RunFolder, host: str) -> Capture:
        found = real(self, run, host)
        if not found.reads:
            return found
        return replace(found, head=MappingProxyType({**found.head, "uid": "1000", "user": "op"}))

    monkeypatch.setattr(World, "capture", other)
    ended = harden("--yes")
    assert world.plays == []
    assert "logged in as op, not root" in ended.output
    assert ended.return_value == 1


def test_in_chinese_within_80_columns(
    harden: Callable[..., Result], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = {
        "commands": ("harden",),
        "workflows": ("hardening", "run_summary"),
        "ui": ("harden_summary", "plan_view", "hardening_progress"),
    }
    for name in (f"{room}.{name}" for room, names in rooms.items() for name in names):
        module = __import__(f"collector.cli.{name}", fromlist=["tr"])
        monkeypatch.setattr(module, "tr", lambda zh, en: zh)
        if hasattr(module, "lang"):
            monkeypatch.setattr(module, "lang", lambda: "zh")
    world.mends = False
    output = harden("--yes").output
    assert "将要改动（1 项）" in output
    assert "风险高，可撤销" in output
    assert "!! 整改后仍不符合" in output
    assert "未见其现状，不作任何改动" in output
    wide = [x for x in output.splitlines() if cell_len(x) > 80 and str(tmp_path) not in x]
    assert not wide


@pytest.fixture
def undo(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("tests.cli.test_harden.HOSTS", HOSTS[:2])
    said = "encryption: put back (3 files, 1 services)"

    def back(families: Sequence[str], how: Any, hosts: Sequence[str], **_: Any) -> Applied:
        assert list(families) == ["encryption"]
        world.plays.append({host: list(families) for host in hosts})
        if world.interrupts:
            world.interrupts -= 1
            raise BadInput("interrupted while undoing", mend="the same command")
        done = Applied()
        for host in hosts:
            failed = bool(world.failing) and host == "web-2"
            done.said[host] = [world.failing if failed else said]
            done.undone[host] = {"encryption": "failed" if failed else "changed"}
            world.shadow[host] = world.shadow[host] if failed else WEAK
            if failed:
                done.failures.append(Failure(host, "", "", "Run it", world.failing))
        return done

    def call(*more: str) -> Result:
        words = ["-i", "x,", "-o", str(tmp_path / "out"), "--undo", "--family", "encryption"]
        ended = CliRunner().invoke(command.harden, [*words, *more], standalone_mode=False)
        if ended.exception and not isinstance(ended.exception, BadInput | click.ClickException):
            raise ended.exception
        return ended

    monkeypatch.setattr(plays, "undo", back)
    return call


def test_undo_says_what_each_host_answered_and_proves_both_sides(
    undo: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.shadow = dict.fromkeys(HOSTS[:2], GOOD)
    ended = undo("--yes")
    assert ended.return_value == 0
    assert "web-1: encryption: put back (3 files, 1 services)" in ended.output
    assert world.collected == ["before", "after"]
    assert evidence(tmp_path) == (
        {"web-1": "pass", "web-2": "pass"},
        {"web-1": "fail", "web-2": "fail"},
    )
    assert record(tmp_path)["undo"] is True
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Before and after putting back" in page
    assert "Not satisfied!" not in page, "it was wanted so"
    assert "!!" not in ended.output


def test_undo_that_left_something_ends_with_1(
    undo: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.failing = "not put back: /etc/login.defs"
    ended = undo("--yes")
    assert ended.return_value == 1
    assert "web-2: not put back: /etc/login.defs" in ended.output
    outcomes = [
        {step["outcome"] for step in record(tmp_path)["hosts"][host]["steps"]} for host in HOSTS[:2]
    ]
    assert outcomes == [{"changed"}, {"failed"}]


def test_undo_that_was_interrupted_is_taken_up_and_nothing_else_is(
    undo: Callable[..., Result],
    harden: Callable[..., Result],
    world: World,
    tmp_path: Path,
) -> None:
    world.interrupts = 1
    assert isinstance(undo("--yes").exception, BadInput)
    other = harden("--yes")
    assert "an interrupted putting back lies here" in str(other.exception)
    assert undo("--yes").return_value == 0
    assert world.collected == ["before", "after"]


def test_undo_without_a_terminal_is_not_sent_to_look_ahead(undo: Callable[..., Result]) -> None:
    said = str(undo().exception)
    assert "no terminal to ask on; give --yes to go ahead" in said
    assert "--check" not in said


def test_undo_goes_without_control_and_check(undo: Callable[..., Result]) -> None:
    assert "goes without" in str(undo("--yes", "--check").exception)
    assert "goes without" in str(undo("--yes", "--control", CONTROL).exception)


def test_a_control_of_another_family_or_grade_is_refused(world: World, tmp_path: Path) -> None:
    words = ["-i", "x,", "-o", str(tmp_path / "o"), "--yes", "--family", "logging", "--control"]
    ended = CliRunner().invoke(command.harden, [*words, CONTROL], standalone_mode=False)
    assert "is not of the families" in str(ended.exception)
    assert not (tmp_path / "o").exists()
