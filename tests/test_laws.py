"""What each judge does about each law, as `docs/laws.toml` says: whole, and true of the source."""

from __future__ import annotations

import ast
import importlib
import operator
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import catalog
from tests.laws import LAWS, ROOT, listed, reached

# who says that a law asks nothing of it may not reach these, which keep the law for all
_SHARED = {
    "taken_up": ("judges.taken_up:running", "judges.taken_up:of_logs"),
    "unexamined": ("judges.ssh_servers:refuse_others",),
    "status": (
        "facts.shell.exit_status:tells",
        "facts.shell.exit_status:whose",
        "facts.shell.exit_status:of_unit",
        "facts.backup.ended:proven",
        "facts.backup.ended:sealed",
    ),
    "shell": ("facts.shell.program:read",),
}
# judges that ask sshd and say nothing of another SSH server beside it
_OTHER_SERVERS = {
    "intrusion.empty_passwords": "rests on shadow: an empty password is one for every server",
    "intrusion.password_quality": "rests on PAM: how a password is set is the same for each",
    "firewall.admin_sources": "goes by the port of whatever takes commands, dropbear too",
    "logging.logins": "asks which stacks and logs there are, and what was recorded",
}
# (control, law) where `docs/laws.toml` says that the judge does not yet do what the law asks
_OWED = 12
# what weighs how a run of a unit ended by what its script lets through
_WEIGHS = {"proven", "sealed", "_proves", "_told", "whose", "of_unit", "tells"}
_EXCUSED = {
    f"facts/backup/contradicted.py:{name}": "a run that failed takes away, and never gives"
    for name in ("partly", "by_failed_run")
}


@pytest.mark.parametrize("control", list(catalog.controls()))
def test_each_law_has_its_answer(control: str) -> None:
    entry = listed()[control]
    assert tuple(entry) == LAWS
    for law, answer in entry.items():
        assert set(answer) in ({"by"}, {"not"}, {"owes"}, {"by", "owes"}), law
        assert all(answer.values()), law
        for name in answer.get("by", ()):
            module, _, function = name.partition(":")
            assert operator.attrgetter(function)(importlib.import_module(f"collector.{module}"))
            assert name in reached(control), f"{law}: {name} is not used by this judge"
        if "not" in answer:
            kept = [name for name in _SHARED.get(law, ()) if name in reached(control)]
            assert not kept, f"{law}: it does ask something of it: {kept}"


def test_no_other_control_is_listed() -> None:
    assert list(listed()) == list(catalog.controls())


def test_what_is_owed_only_becomes_less() -> None:
    owed = [(c, law) for c, laws in listed().items() for law in laws if "owes" in laws[law]]
    assert len(owed) == _OWED, "less? then lower the number; more is a step back"


def test_who_asks_sshd_says_what_runs_beside_it() -> None:
    """An SSH server beside sshd has settings of its own: nobody asked for them."""
    for control in catalog.controls():
        path = ROOT / "controls" / f"{control.replace('.', '/')}.py"
        asks = bool({"listeners", "refused", "enter_by_key"} & _imported(path))
        kept = "judges.ssh_servers:refuse_others" in reached(control)
        excused = control in _OTHER_SERVERS
        assert asks is (kept or excused), control
        assert not (kept and excused), f"{control}: the excuse is out of date"


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in found for alias in node.names}


def test_no_judge_reads_how_a_unit_ended() -> None:
    """That is what facts are for, which weigh it."""
    for path in sorted((ROOT / "controls").glob("*/*.py")):
        text = path.read_text(encoding="utf-8")
        found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute)]
        assert not [n for n in found if n.attr == "run"], path
        assert "Result=" not in text and "ExecMainStatus" not in text, path


def test_how_a_unit_ended_is_weighed() -> None:
    """Who takes the end of a run for evidence asks in the same function what the script lets on."""
    around = set()
    for path in sorted((ROOT / "facts").rglob("*.py")):
        # where what systemd says of a run is read first
        for function in _functions(path) if path.parent.name != "scheduling" else ():
            if _takes_an_end(function) and not _weighs(function):
                around.add(f"{path.relative_to(ROOT)}:{function.name}")
    assert around == set(_EXCUSED)


def _functions(path: Path) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _takes_an_end(function: ast.FunctionDef) -> bool:
    """Does it read `good` of a run (a name or an attribute that is called so), or its status?"""
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and "ExecMainStatus=" in str(node.value):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "good":
            of = node.value
            name = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
            if name == "run":
                return True
    return False


def _weighs(function: ast.FunctionDef) -> bool:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    return bool(names & _WEIGHS)
