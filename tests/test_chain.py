"""How a verdict came about: nothing is told that the judge did not do, and nothing is left out."""

from __future__ import annotations

import importlib
import json
import operator
from pathlib import Path

import pytest

from collector import captures, catalog
from collector.assess import assess_host
from collector.captures import read_digest
from collector.cli.workflows.explained import LAWS, laws
from collector.judging.chain import MECHANISMS, chain
from collector.model import Result
from tests import cases
from tests.cli.running import hostpledge

REAL = Path(__file__).parent / "captures" / "intrusion-trixie.capture.gz"


def _case(name: str) -> cases.Case:
    return cases.load(Path(__file__).parent / "controls" / f"{name}.yml")


def _told(name: str) -> dict[int, list[str]]:
    case = _case(name)
    control = catalog.control(case.control)
    found = chain(case.capture, control, grade=case.grade, at=case.at, attached=case.attached)
    return dict(laws(found))


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_it_is_the_same_judge_and_what_it_quotes_it_looked_into(id: str) -> None:
    """Of each control the first case of a pass and of a fail."""
    control = catalog.control(id)
    for wanted in ("pass", "fail"):
        path = next(p for p in cases.case_files(id) if p.name.endswith(f".{wanted}.yml"))
        case = cases.load(path)
        grade, at, held = case.grade, case.at, case.attached
        found = chain(case.capture, control, grade=grade, at=at, attached=held)
        (plain,) = assess_host(case.capture, [control], grade=grade, at=at, attached=held)
        assert found.finding == plain
        asked = {read for one in found.asked for read in one.reads}
        assert {quote["read"] for quote in plain.evidence} <= asked
        assert asked == set(found.reads)
        if plain.result is Result.PASS and asked:
            assert dict(laws(found))[8], "how it is known"


def test_every_mechanism_is_there() -> None:
    """One that was renamed would be told of no more, and nobody would see it."""
    for (module, name), law in MECHANISMS.items():
        assert callable(operator.attrgetter(name)(importlib.import_module(f"collector.{module}")))
        assert law in LAWS


def test_written_is_not_running() -> None:
    said = _told("intrusion/root_login/reloaded.pass")
    assert any(line.startswith("taken_up(") and "→ yes" in line for line in said[1])
    stale = [p for p in cases.case_files("intrusion.root_login") if "stale" in p.name]
    for path in stale:
        told = _told(str(path.relative_to(Path(__file__).parent / "controls")).removesuffix(".yml"))
        assert any("→ no" in line for line in told[1])


def test_the_shell_that_was_read_is_told() -> None:
    """A backup by a script: what the engine was given stands there, with what it proves."""
    known = {law for path in cases.case_files("backup.fresh") for law in _laws_of(path)}
    assert {2, 5, 6, 8} <= known


def _laws_of(path: Path) -> set[int]:
    name = str(path.relative_to(Path(__file__).parent / "controls")).removesuffix(".yml")
    return set(_told(name)) if ".error" not in path.name else set()


def test_as_a_user_asks() -> None:
    ended = hostpledge("assess", REAL, "--explain", "D12")
    assert ended.status == 0, ended.err
    assert "uses a strong scheme" in ended.out
    assert "| ops1:$y$:1000:1000:/bin/bash" in ended.out
    assert "system.accounts.accounts" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    asked = json.loads(hostpledge("assess", REAL, "--explain", "D12", "--format", "json").out)
    (one,) = asked["explained"]
    assert (one["control"], one["verdict"]) == ("encryption.password_hash", "pass")
    reads = {r["read"]: r for fact in one["asked"] for r in fact["reads"]}
    passwd = captures.load(REAL).read("accounts.passwd")
    assert reads["accounts.passwd"]["sha256"] == read_digest(passwd)
    shown = hostpledge("assess", REAL, "--explain", "D04", "--lang", "zh")
    assert shown.status == 1
    assert "未能查看（inventory.document）" in shown.out
    assert "没有不是零，不知不是否" in shown.out
    for words, says in (
        (("--explain", "X99"), "X99"),
        (("--explain", "I09", "--format", "csv"), "--explain has table and json only"),
    ):
        ended = hostpledge("assess", REAL, *words)
        assert (ended.status, ended.out) == (2, "")
        assert says in ended.err
