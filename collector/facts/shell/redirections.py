"""Redirections of the grammar's tree, here-documents and what stands behind them on their line.

A redirection belongs to the command that it stands behind: `a && b > f` is none of `a`.
"""

from __future__ import annotations

import re

from tree_sitter import Node as Tree

from collector.facts.shell import syntax as s
from collector.facts.shell.word_parser import plain_text as _plain
from collector.facts.shell.word_parser import text_of as _text
from collector.facts.shell.word_parser import word, words


def redirection(tree: Tree, depth: int) -> s.Redirect:
    fd, op, target = "", "", None
    for child in tree.children:
        if child.type == "file_descriptor":
            fd = _text(child)
        elif not child.is_named:
            op = op or child.type
        else:
            target = word(child, depth)
    return s.Redirect(op, fd, target)


def and_or(first: s.Node, rest: list[tuple[str, s.Node]]) -> s.AndOr:
    """One list, though its members are lists themselves: all of it is read from the left."""
    flat: list[tuple[str, s.Node]] = []
    if isinstance(first, s.AndOr):
        flat, first = list(first.rest), first.first
    for op, node in rest:
        if isinstance(node, s.AndOr):
            flat += [(op, node.first), *node.rest]
        else:
            flat.append((op, node))
    return s.AndOr(first, tuple(flat))


def redirected(tree: Tree, depth: int) -> s.Node:
    from collector.facts.shell.parser import _odd, statement

    body: s.Node | None = None
    redirects: list[s.Redirect] = []
    after: list[tuple[str, s.Node]] = []
    more: list[s.Word] = []
    for child in tree.children:
        if child.type == "heredoc_redirect":
            doc = _heredoc(child, depth)
            if doc is None:
                return _odd(tree)
            redirects += doc[0]
            after += doc[1]
            more += doc[2]
        elif child.type in ("file_redirect", "herestring_redirect"):
            redirects.append(redirection(child, depth))
        elif child.is_named and child.type != "comment":
            body = statement(child, depth + 1)
    body = body or s.Simple((), (), at=tree.start_byte)
    if more:
        if not isinstance(body, s.Simple):
            return _odd(tree)
        body = s.Simple(body.assigns, (*body.words, *more), body.redirects, body.at)
    whole = attach(body, tuple(redirects))
    for op, node in after:
        whole = feeds(whole, node) if op == "|" else and_or(whole, [(op, node)])
    return whole


def attach(node: s.Node, redirects: tuple[s.Redirect, ...]) -> s.Node:
    """A redirection belongs to the command that it stands behind."""
    if isinstance(node, s.Simple):
        return s.Simple(node.assigns, node.words, node.redirects + redirects, node.at)
    if isinstance(node, s.Not):
        return s.Not(attach(node.body, redirects))
    if isinstance(node, s.Pipe):
        return s.Pipe((*node.stages[:-1], attach(node.stages[-1], redirects)))
    if isinstance(node, s.AndOr):
        op, last = node.rest[-1]
        return s.AndOr(node.first, (*node.rest[:-1], (op, attach(last, redirects))))
    return s.Redirected(node, redirects)


def feeds(node: s.Node, other: s.Node) -> s.Node:
    """`node | other`, where `other` is all that stands on the rest of the line."""
    if isinstance(other, s.AndOr):
        return s.AndOr(feeds(node, other.first), other.rest)
    if isinstance(node, s.AndOr):
        op, last = node.rest[-1]
        return s.AndOr(node.first, (*node.rest[:-1], (op, feeds(last, other))))
    if isinstance(node, s.Not):
        return s.Not(feeds(node.body, other))
    stages = node.stages if isinstance(node, s.Pipe) else (node,)
    stages += other.stages if isinstance(other, s.Pipe) else (other,)
    return s.Pipe(stages)


_Doc = tuple[list[s.Redirect], list[tuple[str, s.Node]], list[s.Word]]


def _heredoc(tree: Tree, depth: int) -> _Doc | None:
    """Its redirections, what goes on behind its first line, and words that follow it there."""
    start = next((c for c in tree.children if c.type == "heredoc_start"), None)
    end = next((c for c in tree.children if c.type == "heredoc_end"), None)
    inside = next((c for c in tree.children if c.type == "heredoc_body"), None)
    if start is None or tree.has_error or (end is None and inside is not None):
        return None
    from collector.facts.shell.parser import statement

    mark, dashed = _text(start), tree.children[0].type == "<<-"
    body = _body(tree, start, end) if end is not None else ""
    if dashed:
        body = re.sub(r"^\t+", "", body, flags=re.MULTILINE)
    if re.search(r"['\"\\]", mark):
        made: s.Word | None = s.Word((s.Lit(body, quoted=True),))
    else:
        plain = re.sub(r'(?<!\\)"', r"\\\"", body)
        found = words('"' + plain + '"', depth) if body else [s.Word((s.Lit("", quoted=True),))]
        made = found[0] if found and len(found) == 1 else None
    redirects, after, more = [s.Redirect("<<", "", made)], list[tuple[str, s.Node]](), []
    op = ""
    for at, child in enumerate(tree.children):
        field = tree.field_name_for_child(at)
        if child.type == "pipeline":
            inner = [statement(c, depth + 1) for c in child.children if c.is_named]
            after += [("|", x) for x in inner]
        elif field == "redirect":
            redirects.append(redirection(child, depth))
        elif field == "operator":
            op = child.type
        elif field == "right":
            after.append((op, statement(child, depth + 1)))
        elif field == "argument":
            more.append(word(child, depth))
    return redirects, after, more


def _body(tree: Tree, start: Tree, end: Tree) -> str:
    """The lines between the first one and the last one, from the source itself."""
    source = tree.text or b""
    begin = source.find(b"\n", start.end_byte - tree.start_byte)
    stop = source.rfind(b"\n", 0, end.start_byte - tree.start_byte) + 1
    return _plain(source[begin + 1 : max(stop, begin + 1)])
