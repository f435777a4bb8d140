"""Conditions of RainerScript over one message: True, False, None where it does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import Message
from collector.facts.logs.syslog.rsyslog.filters import (
    Properties,
    compared_texts,
    searched,
    selected,
)
from collector.i18n.message import msg

_READ = "syslog.rsyslog"
Value = str | int | bool | list["Value"] | None


_TOKEN = re.compile(
    r"""\s*+(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    | (?P<number>0x[0-9a-fA-F]+|\d+)
    | (?P<property>\$[$!./]?[\w!.-]*\w)
    | (?P<op>==|!=|<>|<=|>=|<|>|[-+*/%&(),\[\]]|=)
    | (?P<word>[A-Za-z_]\w*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARES = ("==", "=", "!=", "<>", "<", ">", "<=", ">=")
_TEXTUAL = ("contains", "contains_i", "startswith", "startswith_i", "endswith")


def expression(text: str, message: Message, known: Properties) -> bool | None:
    """A condition of RainerScript, over one message. Raises NotUnderstood when it is not one."""
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotUnderstood(_READ, msg("not_condition", text=text[:80]))
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    try:
        return _Expression(tokens, message, known).whole()
    except (IndexError, RecursionError):
        raise NotUnderstood(_READ, msg("not_condition", text=text[:80])) from None


class _Expression:
    """Precedence of rsyslogd's grammar: and or, comparisons, + - &, * / %, not."""

    def __init__(self, tokens: list[tuple[str, str]], message: Message, known: Properties) -> None:
        self.tokens, self.at = tokens, 0
        self.message, self.known = message, known

    def whole(self) -> bool | None:
        found = self._or()
        if self.at != len(self.tokens):
            raise IndexError
        return _truth(found)

    def _peek(self) -> str:
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def _take(self, *words: str) -> str:
        if self._peek() in words:
            self.at += 1
            return self.tokens[self.at - 1][1].lower()
        return ""

    def _or(self) -> Value:
        """`and` and `or` bind alike, from the left, as rsyslogd's grammar has them."""
        left = self._compare()
        while op := self._take("or", "and"):
            a, b = _truth(left), _truth(self._compare())
            if op == "or":
                left = True if a or b else (None if a is None or b is None else False)
            else:
                left = False if a is False or b is False else (None if None in (a, b) else True)
        return left

    def _compare(self) -> Value:
        left = self._sum()
        while op := self._take(*_COMPARES, *_TEXTUAL):
            left = _compared(op, left, self._sum())
        return left

    def _sum(self) -> Value:
        left = self._product()
        while op := self._take("+", "-", "&"):
            right = self._product()
            if op == "&" and left is not None and right is not None:
                left = f"{left}{right}"
            else:
                left = _calculated(op, left, right)
        return left

    def _product(self) -> Value:
        left = self._one()
        while op := self._take("*", "/", "%"):
            left = _calculated(op, left, self._one())
        return left

    def _one(self) -> Value:
        kind, text = self.tokens[self.at]
        self.at += 1
        if text.lower() == "not":
            found = _truth(self._one())
            return None if found is None else not found
        if kind == "string":
            return None if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return int(text, 16) if text.startswith("0x") else int(text)
        if kind == "property":
            return self.known.get(text[1:].lower())
        if kind == "word":
            return self._function(text.lower())
        if text == "-":
            return _calculated("-", 0, self._one())
        if text == "(":
            return self._closed(self._or(), ")")
        if text == "[":
            members = [self._or()]
            while self._take(","):
                members.append(self._or())
            return self._closed(members, "]")
        raise IndexError

    def _closed(self, found: Value, end: str) -> Value:
        if not self._take(end):
            raise IndexError
        return found

    def _function(self, name: str) -> Value:
        if not self._take("("):
            raise IndexError
        given: list[Value] = []
        if self._peek() != ")":
            given.append(self._or())
            while self._take(","):
                given.append(self._or())
        self._closed(None, ")")
        texts = [g if isinstance(g, str) else "" for g in given]
        if name == "prifilt" and len(given) == 1:
            # a word without a dot is what stands in the place of one that did not leave the host
            return selected(texts[0], self.message) if "." in texts[0] else None
        if not given or any(g is None for g in given):
            return None
        if name in ("re_match", "re_match_i") and len(given) == 2:
            lower = name.endswith("_i")
            form, text = (x.lower() if lower else x for x in (texts[1], texts[0]))
            return searched(form, text, extended=True)
        simple: dict[str, Callable[[str], Value]] = {
            "tolower": str.lower,
            "strlen": len,
            "cstr": str,
            "ltrim": str.lstrip,
            "rtrim": str.rstrip,
        }
        return simple[name](str(given[0])) if name in simple else None


def _truth(value: Value) -> bool | None:
    """A number is true unless it is 0; a string is what its number says."""
    if value is None or isinstance(value, list):
        return None
    number = _integer(value)
    return number is not None and number != 0


def _integer(value: Value) -> int | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    return None


def _calculated(op: str, left: Value, right: Value) -> Value:
    a, b = _integer(left), _integer(right)
    if a is None or b is None or (b == 0 and op in "/%"):
        return None
    return {"+": a + b, "-": a - b, "*": a * b}.get(op, a // b if op == "/" else a % (b or 1))


def _compared(op: str, left: Value, right: Value) -> bool | None:
    if isinstance(right, list):
        answers = [_compared(op, left, one) for one in right]
        if op in ("!=", "<>"):
            return False if False in answers else (None if None in answers else True)
        return True if True in answers else (None if None in answers else False)
    if left is None or right is None or isinstance(left, list):
        return None
    if op in _TEXTUAL:
        return compared_texts(op, str(left), str(right))
    a, b = _integer(left), _integer(right)
    first, second = (a, b) if a is not None and b is not None else (str(left), str(right))
    if op in ("==", "="):
        return first == second
    if op in ("!=", "<>"):
        return first != second
    return {
        "<": first < second,  # type: ignore[operator]  # both are numbers, or both are strings
        ">": first > second,  # type: ignore[operator]
        "<=": first <= second,  # type: ignore[operator]
        ">=": first >= second,  # type: ignore[operator]
    }[op]
