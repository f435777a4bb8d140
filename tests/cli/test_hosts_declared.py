"""Evidence of a pledge, of hosts that it does not declare: said, and asked, ahead of all the work.

An operator ran `-i localhost,` for a customer, and what was wrong with the control node was the
customer's from then on; nothing had said so.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import click
import pytest

import collector
from collector import captures
from collector.cli.options.pledge import Pledged
from collector.cli.workflows.whose.declared import agreed, undeclared
from collector.pledges.record.voiding import with_void
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.bundles import AT, Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

COMMANDS = Path(collector.__file__).parent / "cli" / "commands"
# it takes the declared hosts of an inventory alone
_DECLARED_ALONE = {"probe.py"}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    opened = Register.open(str(tmp_path / "r.sqlite"))
    opened.add(made(id="one-1", resources={"hosts": ["h001-web"]}))
    opened.add(made(id="two-2", resources={"hosts": ["h002-web", "h002-db"]}))
    opened.add(made(id="none-3", resources={"addresses": ["198.51.100.7"]}))
    return opened


def _told(register: Register, id: str, *hosts: str) -> list[str]:
    return list(undeclared(Pledged(register, register.get(id)), hosts))


def test_who_declares_them_is_told(register: Register) -> None:
    assert _told(register, "one-1", "h001-web") == []
    (line,) = _told(register, "one-1", "localhost", "h001-web")
    assert line == (
        "not declared in the pledge one-1: localhost (it declares h001-web); "
        "what is found there counts for it"
    )
    lines = _told(register, "one-1", "h002-web", "h002-db")
    assert lines[1] == "declared in the pledge two-2: h002-web, h002-db"
    # a record without hosts says so wherever it is shown
    assert _told(register, "none-3", "localhost") == []
    many = _told(register, "one-1", *(f"x{n}" for n in range(20)))
    assert "x7 and 12 more" in many[0]


def test_what_was_declared_void_before_is_told(register: Register, tmp_path: Path) -> None:
    register.add(made(id="four-4", resources={"hosts": ["h004-web"]}))
    row = check(register, "four-4", Signer(tmp_path / "made"), captured("weak"), AT)
    entry = {"sequence": 1, "digest": row.digest, "reason": "附错", "by": "王安",
             "date": "2026-11-20"}  # fmt: skip
    register.change("four-4", lambda known: with_void(known, entry, today=AT.date()))
    assert _told(register, "four-4", "web-01")[-1] == (
        "evidence 1 of web-01 was declared void: 附错"
    )
    assert not any("void" in line for line in _told(register, "four-4", "web-09"))


def test_a_person_is_asked_and_a_script_is_told(
    register: Register, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pledge = Pledged(register, register.get("one-1"))
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(click, "confirm", confirm)
    for terminal in (True, False):
        for stream in (sys.stdin, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal, raising=False)
        assert agreed(pledge, ["localhost"]) is not terminal
        assert "not declared" in capsys.readouterr().err
    assert len(asked) == 1
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert agreed(pledge, ["localhost"], yes=True)
    assert agreed(pledge, ["h001-web"])
    assert agreed(None, ["localhost"])
    assert len(asked) == 1


def test_a_bundle_of_another_customers_captures_says_so(register: Register, tmp_path: Path) -> None:
    folder = tmp_path / "cap"
    folder.mkdir()
    captures.write(captured("weak"), folder / f"web-01{captures.SUFFIX}")
    hostpledge("key", "new", home=tmp_path)
    ended = hostpledge(
        "bundle", folder, "-o", tmp_path / "b.zip", "--pledge", "one-1", "--register",
        register.where, home=tmp_path,
    )  # fmt: skip
    assert ended.status == 0, ended.err
    assert "not declared in the pledge one-1" in ended.err


def test_every_command_that_makes_evidence_of_a_pledge_asks() -> None:
    makers = set()
    for path in COMMANDS.rglob("*.py"):
        calls = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        }
        if "pledged" in calls and calls & {"make_bundle", "attest.make", "one.sealed"}:
            makers.add(path.name)
            # that one asks itself
            asks = calls & {"agreed", "one.sealed"}
            assert asks or path.name in _DECLARED_ALONE, path
    assert "agreed(" in (COMMANDS.parent / "workflows" / "bundling" / "one.py").read_text("utf-8")
    assert makers == {"run.py", "harden.py", "bundle.py", "probe.py"}
