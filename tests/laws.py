"""What a judge reaches: the functions of its module, what they call, and so on, by the source.

Names are followed, not objects: `collector.` is left off, `judges.taken_up:running` is a name of a
module, `model:ReadResult.text` a method that is called somewhere on the way, on whatever object.
"""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1] / "collector"
LIST = ROOT.parent / "docs" / "laws.toml"
LAWS = ("taken_up", "identity", "unexamined", "who_can", "status", "shell", "unknown", "effect",
        "message")  # fmt: skip
Name = tuple[str, str]


class Source:
    """One module: where the names in it come from, and what it defines itself."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.origin: dict[str, Name] = {}
        self.defined: dict[str, ast.AST] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("collector"):
                module = str(node.module).removeprefix("collector").lstrip(".")
                for alias in node.names:
                    self.origin[alias.asname or alias.name] = (module, alias.name)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.defined[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for part in ast.walk(node):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        self.defined[part.id] = node

    def leads_to(self, module: str, name: str) -> Name | None:
        """The module and the name that a word of this module stands for."""
        if name in self.defined:
            return module, name
        found = self.origin.get(name)
        return None if found is None or path_of(".".join(found).lstrip(".")) else found


def path_of(module: str) -> Path | None:
    path = ROOT / f"{module.replace('.', '/')}.py"
    return path if module and path.exists() else None


@cache
def source(module: str) -> Source | None:
    path = path_of(module)
    return Source(path) if path else None


@cache
def reached(control: str) -> frozenset[str]:
    """All names, as `module:name`, and `model:ReadResult.x` for each method x that is used."""
    todo: list[Name] = [(f"controls.{control}", "judge")]
    seen: set[Name] = set()
    methods: set[str] = set()
    while todo:
        module, name = todo.pop()
        if (module, name) in seen or source(module) is None:
            continue
        seen.add((module, name))
        found, methods_here = _used(module, name)
        todo += found
        methods |= methods_here
    names = {f"{module}:{name}" for module, name in seen}
    return frozenset(names | {f"model:ReadResult.{m}" for m in methods})


@cache
def _used(module: str, name: str) -> tuple[tuple[Name, ...], frozenset[str]]:
    here = source(module)
    assert here is not None
    node = here.defined.get(name)
    if node is None:
        found = here.leads_to(module, name)
        return ((found,) if found else ()), frozenset()
    names: list[Name] = []
    methods: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and (led := here.leads_to(module, part.id)):
            names.append(led)
        elif isinstance(part, ast.Attribute):
            methods.add(part.attr)
            whole = here.origin.get(part.value.id) if isinstance(part.value, ast.Name) else None
            if whole and path_of(".".join(whole).lstrip(".")):
                names.append((".".join(whole).lstrip("."), part.attr))
    return tuple(names), frozenset(methods)


def listed() -> dict[str, dict[str, Any]]:
    """{control: {law: {"by": [...]} or {"not": why}}}"""
    found: dict[str, dict[str, Any]] = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return found
