"""Whether a condition in a startup file holds, for an interactive login shell of bash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from collector.facts.shell import syntax as s

FOLDER = "/etc/profile.d/"
NAME = "TMOUT"
DECLARING = {"export", "readonly", "declare", "typeset"}
# what such a shell has: a prompt, the name of its program, who it is
_SET = {"PS1", "BASH", "BASH_VERSION", "HOME", "USER", "LOGNAME", "PATH", "SHELL"}


@dataclass(slots=True)
class Left:
    """By what a block is left: surely, or perhaps."""

    sure: str = ""
    perhaps: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Conditions:
    """`texts` are the files by path; `set_now`: is TMOUT set? None where nobody can tell."""

    texts: Mapping[str, str]
    bound: Mapping[str, str]
    set_now: Callable[[], bool | None]

    def resolved(self, word: s.Word) -> str:
        """The path in a variable that a loop over files has set; empty for anything else."""
        parts = [p for p in word.parts if not (isinstance(p, s.Lit) and not p.text)]
        if len(parts) == 1 and isinstance(parts[0], s.Param) and not parts[0].op:
            return self.bound.get(parts[0].name, "")
        return ""

    def holds(self, node: s.Node) -> bool | None:
        """Is it known of an interactive login shell? None where it is not, or does something."""
        match node:
            case s.Seq(items) if len(items) == 1:
                return self.holds(items[0].node)
            case s.Group(body) | s.Redirected(body, _):
                return self.holds(body)
            case s.Not(body):
                inner = self.holds(body)
                return None if inner is None else not inner
            case s.AndOr(first, rest):
                held = self.holds(first)
                for operator, other in rest:
                    answer = self.holds(other)
                    held = _and(held, answer) if operator == "&&" else _or(held, answer)
                return held
            case s.Condition(op, operands):
                return self._condition(op, operands)
            case s.Simple(assigns, words) if words and not assigns:
                return self._command([*words])
        return None

    def _command(self, words: list[s.Word]) -> bool | None:
        name = words[0].literal
        if name in ("true", ":", "shopt"):
            return True
        if name == "false":
            return False
        if name not in ("[", "test"):
            return None
        rest = words[1:-1] if name == "[" else words[1:]
        if rest and rest[0].literal == "!":
            inner = self._test(rest[1:])
            return None if inner is None else not inner
        for at, word in enumerate(rest):
            if word.literal in ("-a", "-o"):
                one, other = self._test(rest[:at]), self._test(rest[at + 1 :])
                return _and(one, other) if word.literal == "-a" else _or(one, other)
        return self._test(rest)

    def _test(self, words: list[s.Word]) -> bool | None:
        if len(words) == 1:
            return self._some(words[0])
        if len(words) == 2:
            return self._unary(words[0].literal or "", words[1])
        if len(words) == 3:
            return self._binary(words[0], words[1].literal or "", words[2])
        return None

    def _condition(self, op: str, operands: tuple[s.Condition | s.Word, ...]) -> bool | None:
        inner = [self._condition(o.op, o.operands) for o in operands if isinstance(o, s.Condition)]
        words = [o for o in operands if isinstance(o, s.Word)]
        if op == "not" and inner:
            return None if inner[0] is None else not inner[0]
        if op in ("and", "or") and len(inner) == 2:
            return (_and if op == "and" else _or)(inner[0], inner[1])
        if len(words) == 1:
            return self._some(words[0]) if op in ("word", "") else self._unary(op, words[0])
        return self._binary(words[0], op, words[1]) if len(words) == 2 else None

    def _some(self, word: s.Word) -> bool | None:
        """Is it certain that it is not empty, or that it is?"""
        if word.literal is not None:
            return bool(word.literal)
        names = [p.name for p in word.parts if isinstance(p, s.Param)]
        if any(name in _SET or name == "-" for name in names):
            return True
        if names == [NAME] and len(word.parts) == 1:
            return self.set_now()
        return None

    def _unary(self, op: str, word: s.Word) -> bool | None:
        some = self._some(word)
        if op == "-n":
            return some
        if op == "-z":
            return None if some is None else not some
        path = word.literal or self.resolved(word)
        if op in ("-e", "-f", "-r", "-s", "-d") and path:
            there = path in self.texts or path.rstrip("/") == FOLDER.rstrip("/")
            return True if there and (op != "-d" or path not in self.texts) else None
        return None

    def _binary(self, one: s.Word, op: str, other: s.Word) -> bool | None:
        names = [p.name for p in one.parts if isinstance(p, s.Param)]
        if names == ["BASH"] and other.literal == "/bin/sh" and op == "!=":
            return True
        flags = [p for p in one.parts if is_param(p, "-")]
        if flags and isinstance(flags[0], s.Param) and flags[0].op and op == "!=":
            # "${-#*i}" != "$-": there is an `i`
            operand = flags[0].operand
            return True if operand is not None and "i" in (operand.literal or "") else None
        if flags and op in ("=~", "=", "==", "!="):
            held = "i" in (other.literal or "")
            return (op != "!=") if held else None
        return None


def _and(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _or(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


def is_param(part: s.Part, name: str) -> bool:
    return isinstance(part, s.Param) and part.name == name


def is_option(word: s.Word) -> bool:
    return bool(re.match(r"-\w", word.literal or ""))


def _parts(word: s.Word) -> Iterator[s.Part]:
    for part in word.parts:
        yield part
        if isinstance(part, s.Param) and part.operand is not None:
            yield from _parts(part.operand)
        if isinstance(part, s.CommandSub | s.OddPart) and part.body is not None:
            for item in part.body.items:
                if isinstance(item.node, s.Simple):
                    for inner in item.node.words:
                        yield from _parts(inner)


def mentions(word: s.Word, text: str) -> bool:
    wanted = text.rstrip("/")
    return any(isinstance(p, s.Lit) and wanted in p.text for p in _parts(word))


def gives(word: s.Word) -> bool:
    """Does it give TMOUT a value in passing, as `${TMOUT:=600}` does?"""
    return any(
        isinstance(p, s.Param) and p.name == NAME and "=" in p.op for p in _parts(word)
    ) or any(isinstance(p, s.Arith) and NAME in p.text for p in _parts(word))


def aliases(word: s.Word) -> bool:
    text = "".join(p.text for p in word.parts if isinstance(p, s.Lit))
    return text.partition("=")[0] in {*DECLARING, "unset", "return", ".", "source", NAME}
