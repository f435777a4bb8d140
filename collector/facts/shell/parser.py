"""A shell script as a tree: tree-sitter-bash reads it, this turns its tree into `syntax`.

>>> tree = parse("D=/b; cp a $D && echo done")
>>> [type(item.node).__name__ for item in tree.items]
['Simple', 'AndOr']

The grammar's tree is put right where it binds otherwise than a shell does (`! a | b`, `a && b > f`,
here-documents), and what it could not read becomes `Odd`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import tree_sitter_bash
from tree_sitter import Language, Parser
from tree_sitter import Node as Tree

from collector.facts.shell import syntax as s
from collector.facts.shell.redirections import and_or, redirected, redirection
from collector.facts.shell.stops import foreign_lines
from collector.facts.shell.word_parser import BRACKET, assignment, condition, ends_of_line, word
from collector.facts.shell.word_parser import text_of as _text

LONGEST = 256 << 10
# the grammar's time grows with the square of a pipeline's length, and of some broken redirections'
_MOST_PIPES = 4000
_DEEPEST = 60
_ROUNDS = 6
_WORDS = {"command", "declaration_command", "unset_command", "variable_assignments"}
_TEST = re.compile(rb"(?<![^\s;&|({!`])\[(?=[ \t])")
_ASKS = re.compile(r"\$\{?\?|\b(?:exit|return|eval|trap)\b|(?:^|\s)\.\s|\bsource\b")


@lru_cache(maxsize=1)
def _language() -> Language:
    return Language(tree_sitter_bash.language())


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser(_language())


@lru_cache(maxsize=256)
def parse(text: str) -> s.Seq:
    """The whole of a script; one `Odd` where it is longer than `LONGEST`, or in DOS form."""
    source = text.encode("utf-8", "surrogateescape")
    most = source.count(b"|") + source.count(b"<") > _MOST_PIPES
    if most or len(source) > LONGEST or "\0" in text or BRACKET in source or foreign_lines(text):
        return s.Seq((s.Item(s.Odd()),))
    # a command like others, but the grammar takes `[ -d / ]` for a division
    source = _TEST.sub(BRACKET, source)
    root = _parser().parse(source).root_node
    if root.type == "ERROR":
        return s.Seq((s.Item(_odd(root)),))
    for _ in range(_ROUNDS):
        ends = _swallowed(root, source)
        if not ends:
            return _sequence(root.children, 0)
        source = _ended(source, ends)
        root = _parser().parse(source).root_node
    return s.Seq((s.Item(_odd(root)),)) if _swallowed(root, source) else _sequence(root.children, 0)


def _swallowed(root: Tree, source: bytes) -> list[tuple[int, int]]:
    """Where the grammar took the next line for more words of a command.

    It does so behind some pipelines: between two of its words, or in one, the source has a newline.
    Of each command the first one is told, for what is behind it is read otherwise then.
    """
    found = []
    waiting = [(root, 0)]
    while waiting:
        tree, depth = waiting.pop()
        children = tree.children
        # what is nested deeper is not run anyway
        if depth < 5 * _DEEPEST:
            waiting += [(c, depth + 1) for c in children if c.is_named and c.child_count]
        if tree.type not in _WORDS:
            continue
        end = next(ends_of_line(children, source), None)
        if end is not None:
            found.append(end)
    return sorted(set(found))


def _ended(source: bytes, ends: list[tuple[int, int]]) -> bytes:
    """The same text with a semicolon for each of these ends of lines."""
    made = bytearray(source)
    for begin, end in ends:
        made[begin:end] = b" " * (end - begin)
        made[end : end + 1] = b";"
    return bytes(made)


def _sequence(children: list[Tree], depth: int) -> s.Seq:
    items: list[s.Item] = []
    for child in children:
        if child.type == "&" and items and not items[-1].background:
            last = items[-1]
            items[-1] = s.Item(last.node, background=True, asks=last.asks)
        elif child.type == "ERROR" or child.is_missing:
            items.append(s.Item(_odd(child)))
        elif child.is_named and child.type != "comment":
            made = statement(child, depth + 1)
            asks = _ASKS.search(_text(child)) is not None
            items.append(s.Item(made, asks=asks))
    return s.Seq(tuple(items))


def statement(tree: Tree, depth: int) -> s.Node:
    """One statement. `Odd` when it is nested too deep or holds what could not be read."""
    if depth > _DEEPEST or tree.type == "ERROR" or tree.is_missing:
        return _odd(tree) if depth <= _DEEPEST else s.Odd()
    made = _MAKERS.get(tree.type)
    if made is None:
        return _odd(tree)
    if tree.has_error and (tree.type in _FLAT or _broken(tree)):
        return _odd(tree)
    return made(tree, depth)


def _broken(tree: Tree) -> bool:
    """Is there something in it that could not be read, or missing, outside of its statements?"""
    return any(
        c.type == "ERROR" or c.is_missing or (c.type in _PARTS and c.has_error and _broken(c))
        for c in tree.children
    )


def _odd(tree: Tree) -> s.Odd:
    """What is in it is kept by name, so that nothing in it is taken for absent."""
    found: list[s.Simple] = []
    waiting = [(tree, 0)]
    while waiting and len(found) < 200:
        node, depth = waiting.pop()
        if node.type == "command" and not node.has_error and depth < _DEEPEST:
            made = _command(node, depth)
            if isinstance(made, s.Simple):
                found.append(made)
        elif depth < _DEEPEST:
            waiting += [(c, depth + 1) for c in reversed(node.children) if c.is_named]
    return s.Odd(tuple(found))


def _command(tree: Tree, depth: int) -> s.Node:
    assigns, found, redirects = [], [], []
    for child in tree.children:
        if child.type == "variable_assignment":
            assigns.append(assignment(child, depth))
        elif child.type in ("file_redirect", "herestring_redirect"):
            redirects.append(redirection(child, depth))
        elif child.type == "command_name":
            found.append(word(child.children[0], depth) if child.children else word(child, depth))
        elif child.is_named:
            found.append(word(child, depth))
        elif child.type == "$":
            return s.Odd()
        else:
            found.append(s.Word((s.Lit(_text(child), quoted=False),)))
    if found and found[0].literal in ("{", "}", "!", "then", "do", "fi", "done", "esac"):
        return s.Odd()
    return s.Simple(tuple(assigns), tuple(found), tuple(redirects), tree.start_byte)


def _assignments(tree: Tree, depth: int) -> s.Node:
    found = tree.children if tree.type == "variable_assignments" else [tree]
    return s.Simple(tuple(assignment(x, depth) for x in found), (), at=tree.start_byte)


def _declaration(tree: Tree, depth: int) -> s.Node:
    items: list[s.Assign | s.Word] = []
    for child in tree.children[1:]:
        made = assignment(child, depth) if child.type == "variable_assignment" else None
        items.append(made or word(child, depth))
    return s.Declare(_text(tree.children[0]), tuple(items))


def _unset(tree: Tree, depth: int) -> s.Node:
    plain = [s.Word((s.Lit(_text(tree.children[0]), quoted=False),))]
    plain += [word(c, depth) for c in tree.children[1:] if c.is_named]
    return s.Simple((), tuple(plain), at=tree.start_byte)


def _test(tree: Tree, depth: int) -> s.Node:
    kind = tree.children[0].type
    if kind == "[[":
        inside = [c for c in tree.children[1:-1] if c.type != "comment"]
        return condition(inside[0], depth) if len(inside) == 1 else s.Odd()
    return s.ArithCommand(_text(tree))


def _negated(tree: Tree, depth: int) -> s.Node:
    inner = next((c for c in tree.children if c.is_named), None)
    return s.Odd() if inner is None else s.Not(statement(inner, depth + 1))


def _pipeline(tree: Tree, depth: int) -> s.Node:
    stages: list[s.Node] = []
    negated = False
    for child in tree.children:
        if child.type == "|&":
            return _odd(tree)
        if not child.is_named or child.type == "comment":
            continue
        made = statement(child, depth + 1)
        if not stages and isinstance(made, s.Not):
            negated, made = True, made.body
        stages += made.stages if isinstance(made, s.Pipe) else [made]
    whole: s.Node = s.Pipe(tuple(stages)) if len(stages) > 1 else stages[0]
    return s.Not(whole) if negated else whole


def _list(tree: Tree, depth: int) -> s.Node:
    rest: list[tuple[str, s.Node]] = []
    at: Tree = tree
    while at.type == "list" and not (at is not tree and at.has_error):
        named = [c for c in at.children if c.is_named and c.type != "comment"]
        op = next((c.type for c in at.children if c.type in ("&&", "||")), "")
        if len(named) != 2 or not op:
            return _odd(tree)
        rest.append((op, statement(named[1], depth + 1)))
        at = named[0]
    return and_or(statement(at, depth + 1), rest[::-1])


def _between(tree: Tree, first: str, last: tuple[str, ...], depth: int) -> s.Seq:
    """The statements between the token `first` and the next of `last`, or clauses."""
    children, inside = [], False
    for child in tree.children:
        if child.type == first:
            inside = True
        elif child.type in last:
            if inside:
                break
        elif inside:
            children.append(child)
    return _sequence(children, depth)


_CLAUSES = ("elif_clause", "else_clause", "fi", "done")


def _if(tree: Tree, depth: int) -> s.Node:
    branches = [(_between(tree, "if", ("then",), depth), _between(tree, "then", _CLAUSES, depth))]
    otherwise = None
    for child in tree.children:
        if child.type == "elif_clause":
            branches.append(
                (_between(child, "elif", ("then",), depth), _between(child, "then", (), depth))
            )
        elif child.type == "else_clause":
            otherwise = _between(child, "else", (), depth)
    return s.If(tuple(branches), otherwise)


def _body_of(tree: Tree, depth: int) -> s.Seq:
    found = next((c for c in tree.children if c.type in ("do_group", "compound_statement")), None)
    if found is None:
        return s.Seq((s.Item(s.Odd()),))
    if found.has_error and _broken(found):
        return s.Seq((s.Item(_odd(found)),))
    return _sequence([c for c in found.children if c.type not in ("do", "done", "{", "}")], depth)


def _while(tree: Tree, depth: int) -> s.Node:
    kind = tree.children[0].type
    condition_ = _between(tree, kind, ("do_group",), depth)
    return s.Loop(condition_, _body_of(tree, depth), until=kind == "until")


def _for(tree: Tree, depth: int) -> s.Node:
    if tree.children[0].type != "for":
        return _odd(tree)
    name = tree.child_by_field_name("variable")
    listed: tuple[s.Word, ...] | None = None
    if any(c.type == "in" for c in tree.children):
        found = [
            c for at, c in enumerate(tree.children) if tree.field_name_for_child(at) == "value"
        ]
        listed = tuple(word(c, depth) for c in found)
    if name is None:
        return _odd(tree)
    return s.For(_text(name), listed, _body_of(tree, depth))


def _case(tree: Tree, depth: int) -> s.Node:
    value = tree.child_by_field_name("value")
    if value is None:
        return _odd(tree)
    branches = []
    for item in tree.children:
        if item.type != "case_item":
            continue
        patterns, body, ends, inside = [], [], ";;", False
        for child in item.children:
            if child.type in (";;", ";&", ";;&"):
                ends = child.type
            elif child.type == ")" and not inside:
                inside = True
            elif inside:
                body.append(child)
            elif child.is_named:
                patterns.append(word(child, depth))
        branches.append((tuple(patterns), _sequence(body, depth), ends))
    return s.Case(word(value, depth), tuple(branches))


def _compound(tree: Tree, depth: int) -> s.Node:
    if tree.children[0].type == "((":
        return s.ArithCommand(_text(tree))
    return s.Group(_sequence([c for c in tree.children if c.type not in ("{", "}")], depth))


def _subshell(tree: Tree, depth: int) -> s.Node:
    return s.Subshell(_sequence([c for c in tree.children if c.type not in ("(", ")")], depth))


def _function(tree: Tree, depth: int) -> s.Node:
    name, body = tree.child_by_field_name("name"), tree.child_by_field_name("body")
    if name is None or body is None or tree.children[0].type == "function":
        return _odd(tree)
    made = statement(body, depth + 1)
    more = [redirection(c, depth) for c in tree.children if c.type == "file_redirect"]
    return s.Function(_text(name), s.Redirected(made, tuple(more)) if more else made)


_PARTS = {"file_redirect", "elif_clause", "else_clause", "do_group", "case_item"}
_FLAT = {"command", "declaration_command", "unset_command", "test_command", "variable_assignment"}
_MAKERS = {
    "command": _command,
    "variable_assignment": _assignments,
    "variable_assignments": _assignments,
    "declaration_command": _declaration,
    "unset_command": _unset,
    "test_command": _test,
    "negated_command": _negated,
    "pipeline": _pipeline,
    "list": _list,
    "redirected_statement": redirected,
    "if_statement": _if,
    "while_statement": _while,
    "for_statement": _for,
    "case_statement": _case,
    "compound_statement": _compound,
    "subshell": _subshell,
    "function_definition": _function,
}
