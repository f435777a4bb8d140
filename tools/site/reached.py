"""Which commands, tasks and controls can come to a place in the source, by what names what there.

Methods go with their class: what makes an object, or names its class, may call any of them.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

import click

from collector import catalog
from collector.cli.app import hostpledge
from tools.site.plan import ROOT
from tools.site.said import module, tops

# a module, and what stands at its top
_Name = tuple[str, str]
_Node = TypeVar("_Node", bound=ast.AST)
_CONTROLS = "collector.controls."
_ACTION = re.compile(r'action\("([\w.]+)", "(\w+)"\)')
# what is loaded by its name: by whom, and from where
_LOADED = {
    ("collector.assess", "_verdict"): _CONTROLS,
    ("collector.export", "exporter"): "collector.export.",
}


@cache
def commands(place: _Name) -> frozenset[str]:
    """The commands that can come there."""
    return frozenset(name for name, start in _commands().items() if place in _closure(start))


def gathered(names: set[str]) -> list[str]:
    """Commands the shortest way to say it: a group is all its commands, `hostpledge` every one."""
    return list(_gathered(names, set(_commands())))


@cache
def tasks(place: _Name) -> tuple[str, ...]:
    """The tasks of the collection whose action can come there."""
    return tuple(
        file.stem
        for file in sorted((ROOT / "plugins/action").glob("*.py"))
        for start in _ACTION.findall(file.read_text(encoding="utf-8"))
        if place in _closure(start)
    )


@cache
def controls(place: _Name) -> frozenset[str]:
    """The controls whose judge, or a fact that it takes, comes there."""
    found = {
        one[0].removeprefix(_CONTROLS)
        for one in _names()
        if one[0].startswith(_CONTROLS) and place in _closure(one)
    }
    return frozenset(found & set(catalog.controls()))


@cache
def _commands() -> Mapping[str, _Name]:
    return dict(_leaves(hostpledge, click.Context(hostpledge, info_name="hostpledge")))


def _leaves(command: click.Command, context: click.Context) -> Iterator[tuple[str, _Name]]:
    alone = not isinstance(command, click.Group) or command.invoke_without_command
    if command.callback is not None and alone:
        yield context.command_path, _callback(command.callback)
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            inner = command.get_command(context, word)
            if inner is not None:
                yield from _leaves(inner, click.Context(inner, info_name=word, parent=context))


def _callback(call: Callable[..., object]) -> _Name:
    real = inspect.unwrap(call)
    return real.__module__, real.__name__


def _gathered(names: set[str], every: set[str], above: str = "hostpledge") -> Iterator[str]:
    """Groups in the place of all their commands."""
    if not names:
        return
    below = {name for name in every if name == above or name.startswith(f"{above} ")}
    if below <= names:
        yield above
        return
    if above in names:
        yield above
    depth = above.count(" ") + 2
    for next_ in sorted({" ".join(name.split()[:depth]) for name in below - {above}}):
        mine = {name for name in names if name == next_ or name.startswith(f"{next_} ")}
        yield from _gathered(mine, every, next_)


@cache
def _closure(start: _Name) -> frozenset[_Name]:
    found, left = {start}, [start]
    while left:
        for one in _names().get(left.pop(), ()):
            if one not in found:
                found.add(one)
                left.append(one)
    return frozenset(found)


@cache
def _names() -> Mapping[_Name, frozenset[_Name]]:
    """By what stands at the top of a module, what it names that stands at the top of one."""
    files = {module(file): file for file in (ROOT / "collector").rglob("*.py")}
    found: dict[_Name, frozenset[_Name]] = {}
    for name, file in files.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        bound = _imported(tree, set(files))
        known = {**_own(name, tree), **bound}
        # what a package hands on under its own name
        found.update({(name, word): frozenset({one}) for word, one in bound.items()})
        for statement in tree.body:
            # to take one name of a module is to have it loaded
            used = frozenset({(name, ""), *_used(statement, known, set(files))})
            for top in tops(statement):
                found[name, top] = found.get((name, top), frozenset()) | used
    for by, where in _LOADED.items():
        found[by] |= frozenset(one for one in found if one[0].startswith(where))
    return found


def _own(name: str, tree: ast.Module) -> dict[str, _Name]:
    return {top: (name, top) for statement in tree.body for top in tops(statement) if top}


def _imported(tree: ast.Module, modules: set[str]) -> dict[str, _Name]:
    """What the imports of a module, wherever they stand in it, bind; a module is (module, "")."""
    found: dict[str, _Name] = {}
    for node in _of(tree, ast.ImportFrom):
        for each in node.names:
            whole = f"{node.module}.{each.name}"
            if whole in modules:
                found[each.asname or each.name] = (whole, "")
            elif node.module in modules:
                found[each.asname or each.name] = (str(node.module), each.name)
    return found


def _used(statement: ast.stmt, known: Mapping[str, _Name], modules: set[str]) -> Iterator[_Name]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in known:
            yield known[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of = known.get(node.value.id)
            if of is not None and of[0] in modules and of[1] == "":
                yield (of[0], node.attr)


def _of(tree: ast.AST, kind: type[_Node]) -> Iterator[_Node]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))
