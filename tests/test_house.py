"""The rooms: nothing flat where there are rooms, none too large, no circle among them.

A room is a package; what it imports of another is an arrow. A package and the packages inside it
are rooms of their own.
"""

from __future__ import annotations

import ast
import graphlib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import grimp
import pytest

import collector

ROOT = Path(collector.__file__).parent
# packages that hold rooms and nothing else
HOUSES = ("facts", "attest", "pledges", "report", "run", "controls", "cli", "web")
_DOOR = {"cli/app.py"}
MOST = 20
LONGEST = 350
LONGEST_FUNCTION = 60


def _modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if "versions" not in p.parts)


@cache
def _room(module: str) -> str:
    """The package that holds the module; a module of the ground floor is a room of its own."""
    place = ROOT.parent / module.replace(".", "/")
    if place.is_dir() or module.count(".") == 1:
        return module
    return module.rpartition(".")[0]


@pytest.mark.parametrize("house", HOUSES)
def test_nothing_stands_outside_a_room(house: str) -> None:
    found = {
        f"{house}/{p.name}"
        for p in (ROOT / house).iterdir()
        if p.suffix == ".py" and p.name[0] != "_"
    }
    for name in sorted(found - _DOOR):
        pytest.fail(f"{name}: give it a room (a folder of {house}/)")


def test_no_room_is_too_large() -> None:
    sizes = Counter(p.parent for p in _modules() if p.name != "__init__.py")
    large = {str(room.relative_to(ROOT)): n for room, n in sizes.items() if n > MOST}
    assert not large


def test_a_package_says_what_it_is_and_nothing_else() -> None:
    for path in _modules():
        if path.name == "__init__.py" and path.parent.parent.name in HOUSES:
            assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_no_module_is_too_long_to_read_at_one_sitting() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in _modules()
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert set(long) <= _LONG, long


# each goes when it is taken apart; none may be added
_LONG = {"model.py", "captures.py"}


# the length that each may have; none may be added, and a number only goes down
_FUNCTIONS = {
    "cli/commands/harden.py harden": 70,
    "verify/verification.py verify": 66,
}


def test_no_function_is_too_long_to_see_whole() -> None:
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(ROOT)} {node.name}"
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= _FUNCTIONS.get(name, LONGEST_FUNCTION), name


def test_no_default_of_a_dataclass_is_one_that_python_3_11_refuses() -> None:
    """A view of a mapping cannot be hashed there, and what cannot is taken for mutable."""
    refused = []
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                "dataclass" in ast.unparse(mark) for mark in node.decorator_list
            ):
                refused += [
                    f"{path.relative_to(ROOT)}:{line.lineno}"
                    for line in node.body
                    if isinstance(line, ast.AnnAssign)
                    and isinstance(line.value, ast.Call)
                    and ast.unparse(line.value.func) in ("MappingProxyType", "dict", "list", "set")
                ]
    assert refused == []


def test_rooms_form_no_circle() -> None:
    graph = grimp.build_graph("collector", cache_dir=None)
    arrows: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            here, there = _room(module), _room(imported)
            if here != there:
                arrows[here].add(there)
    try:
        list(graphlib.TopologicalSorter(arrows).static_order())
    except graphlib.CycleError as found:
        pytest.fail("rooms in a circle: " + " <- ".join(found.args[1]))
