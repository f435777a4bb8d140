r"""Words of a shell script, of the grammar's tree or of a text: their parts, and their quotes.

>>> [type(p).__name__ for p in words('a"$b"$(c)')[0].parts]
['Lit', 'Param', 'CommandSub']
>>> words(r"x\ y 'z'")[0].literal
'x y'

What stands between two expansions is taken from the source, for the tree leaves blanks out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node as Tree

from collector.facts.shell import syntax as s

# stands for `[` while the grammar reads
BRACKET = b"\x02"
_ESCAPED = re.compile(r"\\(\n|.)", re.DOTALL)
_IN_QUOTES = re.compile(r'\\([\\"$`\n])')
_SIMPLE_NAME = re.compile(r"[A-Za-z_]\w*|[0-9]+|[@*#?$!-]")
_OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "%%", "%", "##", "#")
_PLAIN = {"word", "number", "variable_name", "extglob_pattern", "regex", "test_operator",
          "special_variable_name", "string_content", "heredoc_content"}  # fmt: skip


def plain_text(source: bytes) -> str:
    return source.replace(BRACKET, b"[").decode("utf-8", "surrogateescape")


def text_of(tree: Tree) -> str:
    return plain_text(tree.text or b"")


def ends_of_line(words: list[Tree], source: bytes) -> Iterator[tuple[int, int]]:
    """Newlines that stand between these words or in one, with the blanks before each."""
    at = 0
    for some in words:
        if at and some.start_byte > at and (found := _newline(source[at : some.start_byte])) >= 0:
            yield at, at + found
        for part in some.children if some.type == "concatenation" else [some]:
            if part.type == "word" and (found := _newline(part.text or b"")) >= 0:
                yield part.start_byte + found, part.start_byte + found
        at = some.end_byte


def _newline(text: bytes) -> int:
    return text.replace(b"\\\n", b"  ").find(b"\n")


def word(tree: Tree, depth: int) -> s.Word:
    """A word of the grammar's tree."""
    parts: list[s.Part] = []
    _add(tree, parts, depth, quoted=False)
    return s.Word(tuple(_without_braces(parts)))


def words(text: str, depth: int = 0) -> list[s.Word] | None:
    """The words of `text`, as the arguments of a command; None when they cannot be read.

    A `]` at the end, of a test, is one of them.
    """
    from collector.facts.shell.parser import parse

    if depth > 40:
        return None
    made = parse(": " + text)
    node = made.items[0].node if len(made.items) == 1 else None
    if not isinstance(node, s.Simple) or node.assigns or node.redirects:
        return None
    return list(node.words[1:])


def assignment(tree: Tree, depth: int) -> s.Assign:
    """`name=value`; an element of an array, or a whole one, has no plain value."""
    name, value = tree.child_by_field_name("name"), tree.child_by_field_name("value")
    append = any(c.type == "+=" for c in tree.children)
    if name is None or name.type == "subscript":
        inner = name.child_by_field_name("name") if name is not None else None
        return s.Assign(text_of(inner) if inner else "", None)
    if value is None:
        return s.Assign(text_of(name), s.Word(()), append)
    if value.type == "array":
        return s.Assign(text_of(name), None)
    return s.Assign(text_of(name), word(value, depth), append)


def condition(tree: Tree, depth: int) -> s.Condition | s.Odd:
    """The inside of `[[ … ]]`."""
    if depth > 40 or tree.has_error:
        return s.Odd()
    if tree.type == "parenthesized_expression":
        inside = [c for c in tree.children if c.is_named]
        return condition(inside[0], depth + 1) if len(inside) == 1 else s.Odd()
    if tree.type == "unary_expression":
        operand = tree.children[-1]
        op = text_of(tree.children[0])
        if op == "!":
            inner = condition(operand, depth + 1)
            return inner if isinstance(inner, s.Odd) else s.Condition("not", (inner,))
        return s.Condition(op, (word(operand, depth),))
    if tree.type == "binary_expression" and len(tree.children) == 3:
        left, middle, right = tree.children
        op = text_of(middle)
        if op in ("&&", "||"):
            one, two = condition(left, depth + 1), condition(right, depth + 1)
            if isinstance(one, s.Odd) or isinstance(two, s.Odd):
                return s.Odd()
            return s.Condition("and" if op == "&&" else "or", (one, two))
        return s.Condition(op, (word(left, depth), word(right, depth)))
    if tree.type.endswith("_expression"):
        return s.Odd()
    return s.Condition("word", (word(tree, depth),))


def _add(tree: Tree, parts: list[s.Part], depth: int, *, quoted: bool) -> None:
    kind = tree.type
    if kind in _PLAIN or not tree.is_named:
        text = text_of(tree)
        for at, piece in enumerate(_ESCAPED.split(text)):
            if at % 2 == 0 and piece:
                parts.append(s.Lit(piece, quoted=quoted))
            elif at % 2 and piece != "\n":
                parts.append(s.Lit(piece, quoted=True))
    elif kind == "concatenation":
        _gaps(tree, parts, depth, quoted=quoted, skip=0)
    elif kind == "string":
        before = len(parts)
        _gaps(tree, parts, depth, quoted=True, skip=1)
        if len(parts) == before:
            parts.append(s.Lit("", quoted=True))
    elif kind == "raw_string":
        parts.append(s.Lit(text_of(tree)[1:-1], quoted=True))
    elif kind == "simple_expansion":
        parts.append(_simple_expansion(text_of(tree)[1:], quoted=quoted))
    elif kind == "expansion":
        parts.append(_expansion(tree, depth, quoted=quoted))
    elif kind in ("command_substitution", "process_substitution"):
        parts.append(_substitution(tree, depth, quoted=quoted))
    elif kind == "arithmetic_expansion":
        parts.append(s.Arith(text_of(tree), quoted))
    else:
        parts.append(s.OddPart(quoted))


def _simple_expansion(name: str, *, quoted: bool) -> s.Part:
    return s.Param(name, quoted) if _SIMPLE_NAME.fullmatch(name) else s.OddPart(quoted)


def _substitution(tree: Tree, depth: int, *, quoted: bool) -> s.Part:
    from collector.facts.shell.parser import _sequence

    if depth > 40 or tree.has_error:
        return s.OddPart(quoted)
    inside = [c for c in tree.children[1:-1] if c.type not in ("$(", "`", ")")]
    made = _sequence(inside, depth + 1)
    if tree.type == "process_substitution":
        return s.OddPart(quoted, made)
    return s.CommandSub(made, quoted)


def _gaps(tree: Tree, parts: list[s.Part], depth: int, *, quoted: bool, skip: int) -> None:
    """The children that are expanded, and between them the source as it stands."""
    source, start = tree.text or b"", tree.start_byte
    at = skip
    for child in tree.children:
        if not child.is_named or (skip and child.type == "string_content"):
            continue
        _plain(source[at : child.start_byte - start], parts, quoted=quoted)
        _add(child, parts, depth, quoted=quoted)
        at = child.end_byte - start
    _plain(source[at : len(source) - skip], parts, quoted=quoted)


def _plain(raw: bytes, parts: list[s.Part], *, quoted: bool) -> None:
    text = plain_text(raw)
    if quoted:
        text = _IN_QUOTES.sub(lambda m: "" if m[1] == "\n" else m[1], text)
    if text:
        parts.append(s.Lit(text, quoted=quoted))


def _expansion(tree: Tree, depth: int, *, quoted: bool) -> s.Part:
    """`${…}`, of the forms of POSIX; the others are odd."""
    text = text_of(tree)[2:-1]
    if re.fullmatch(r"#(?:[A-Za-z_]\w*|\d+|[@*])", text):
        return s.Param(text[1:], quoted, size=True)
    name = _SIMPLE_NAME.match(text)
    if name is None or tree.has_error or depth > 40:
        return s.OddPart(quoted)
    rest = text[name.end() :]
    if not rest:
        return s.Param(name[0], quoted)
    op = next((o for o in _OPERATORS if rest.startswith(o)), "")
    if not op:
        return s.OddPart(quoted)
    operand = rest[len(op) :]
    if not operand:
        return s.Param(name[0], quoted, op, s.Word(()))
    if quoted and '"' not in operand and "'" not in operand:
        # within quotes an operand is read as if it stood in them
        operand = f'"{operand}"'
    found = words(operand, depth + 1)
    if not found or len(found) != 1:
        return s.OddPart(quoted)
    return s.Param(name[0], quoted, op, found[0])


def _without_braces(parts: list[s.Part]) -> list[s.Part]:
    """`{a,b}` and `{1..3}` are several words in bash, and one in sh."""
    bare = "".join(p.text if isinstance(p, s.Lit) and not p.quoted else "x" for p in parts)
    if re.search(r"\{[^{}]*(?:,|\.\.)[^{}]*\}", bare):
        return [s.OddPart(quoted=False)]
    return parts
