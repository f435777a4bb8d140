"""Where in the source each message is said: with which values, in which error, with which mend."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collector.i18n.message import catalogue
from tools.site.plan import ROOT

_PACKAGE = ROOT / "collector"
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
# what only hands a message on: whoever stands around it is what says it
_HANDS_ON = {"str", "one_line", "shown", "cast"}


@dataclass(frozen=True)
class Said:
    """One place of a code; `top` is what holds it at the top of its module.

    `kind` is what is called with it, such as an error; `values` are the expressions that stand for
    its places; `mends` are codes that the same call gives as mend; with `mend` the code itself is
    given so.
    """

    module: str
    path: str
    line: int
    function: str
    top: str
    kind: str
    values: Mapping[str, str]
    mends: tuple[str, ...]
    mend: bool


@cache
def places() -> Mapping[str, tuple[Said, ...]]:
    """By code, each place that says it; codes that are put together there are not seen as such."""
    found: dict[str, list[Said]] = defaultdict(list)
    for file in sorted(_PACKAGE.rglob("*.py")):
        for code, said in _of(file):
            found[code].append(said)
    return {code: tuple(each) for code, each in found.items()}


def module(file: Path) -> str:
    """The dotted name of a module of the checkout."""
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tops(statement: ast.AST) -> Iterator[str]:
    """What a statement at the top of a module defines; "" stands for what it does when loaded."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            names = (one for target in targets for one in ast.walk(target))
            yield from (one.id for one in names if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            yield ""


def _of(file: Path) -> Iterator[tuple[str, Said]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node, above in _walk(tree, []):
        code = _code(node)
        if code is None or not isinstance(node, ast.Call):
            continue
        call, mend = _caller(node, above)
        yield (
            code,
            Said(
                module(file),
                str(file.relative_to(ROOT)),
                node.lineno,
                next((x.name for x in reversed(above) if isinstance(x, _FUNCTION)), ""),
                next((name for x in above[1:] for name in tops(x)), ""),
                _name(call),
                {one.arg: ast.unparse(one.value) for one in node.keywords if one.arg},
                () if mend or call is None else tuple(_mends(call)),
                mend,
            ),
        )


def _walk(node: ast.AST, above: list[ast.AST]) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    yield node, above
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, [*above, node])


def _code(node: ast.AST) -> str | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
        return None
    place = {"msg": 0, "of_system": 1}.get(node.func.id)
    first = node.args[place] if place is not None and place < len(node.args) else None
    known = isinstance(first, ast.Constant) and first.value in catalogue()
    return str(first.value) if known and isinstance(first, ast.Constant) else None


def _caller(node: ast.AST, above: Sequence[ast.AST]) -> tuple[ast.Call | None, bool]:
    """The nearest call around `node` that says something of its own; was it its `mend`?"""
    below, mend = node, False
    for one in reversed(above):
        if isinstance(one, ast.stmt):
            return None, mend
        if isinstance(one, ast.keyword):
            mend = mend or one.arg == "mend"
        elif isinstance(one, ast.Call) and below is not one.func and _name(one) not in _HANDS_ON:
            return one, mend
        below = one
    return None, mend


def _name(call: ast.Call | None) -> str:
    if call is None:
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def _mends(call: ast.Call) -> Iterator[str]:
    for given in call.keywords:
        if given.arg == "mend":
            for node in ast.walk(given.value):
                code = _code(node)
                if code is not None:
                    yield code
