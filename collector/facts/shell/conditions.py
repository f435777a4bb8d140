"""`test`, `[` and `[[`: true, false, or not known because it hangs on files or on output.

POSIX.1-2017 XCU test; where dash and bash differ (`==`), the answer for `sh` is not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.expansion import Expander
from collector.facts.shell.state import State
from collector.facts.shell.values import (
    EMPTY,
    Hole,
    Value,
    certainly_some,
    compared,
    equal,
    matches,
    number,
    plain,
    splitting,
)

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine
    from collector.facts.shell.state import Frame

_NUMBERS = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge")


def test(fields: list[Value], *, double: bool) -> bool | None:
    """The answer of `test` to its arguments; `double` says whether `==` is known to it."""
    if any(splitting(f) or any(isinstance(p, Hole) and p.kind == "glob" for p in f)
           for f in fields):  # fmt: skip
        return None
    if not fields:
        return False
    if plain(fields[0]) == "!" and len(fields) > 1:
        inner = test(fields[1:], double=double)
        return None if inner is None else not inner
    if len(fields) == 1:
        return _some(fields[0])
    if len(fields) == 2:
        return _unary(plain(fields[0]), fields[1])
    if len(fields) == 3:
        return _binary(fields[0], plain(fields[1]), fields[2], double=double)
    return None


def _some(of: Value) -> bool | None:
    if of == EMPTY:
        return False
    return True if certainly_some(of) else None


def _unary(op: str | None, of: Value) -> bool | None:
    some = _some(of)
    if op == "-n":
        return some
    if op == "-z":
        return None if some is None else not some
    if op in ("-e", "-f", "-d", "-s", "-r", "-x", "-w") and of == EMPTY:
        return False
    return None


def _binary(left: Value, op: str | None, right: Value, *, double: bool) -> bool | None:
    if op == "=" or (op == "==" and double):
        return equal(left, right)
    if op == "!=":
        same = equal(left, right)
        return None if same is None else not same
    if op in _NUMBERS:
        for side in (left, right):
            text = plain(side)
            if text is not None and number(side) is None and not re.search(r"\d", text):
                # an error, which is no success
                return False
        return compared(left, op, right)
    return None


def condition(machine: Machine, node: s.Condition, state: State, frame: Frame) -> list[State]:
    """`[[ … ]]`, which only bash knows."""
    if machine.dialect == "dash":
        return machine.checked([state.with_status(127)], frame)
    expander = Expander(machine, state, frame)
    answer = _answer(expander, node) if machine.dialect == "bash" else None
    after = expander.state
    if expander.ends:
        frame.exits.append(after.with_status(1))
        return []
    states = [after.with_status(0)] if answer is not False else []
    states += [after.with_status(1)] if answer is not True else []
    return machine.checked(states, frame)


def _answer(expander: Expander, node: s.Condition) -> bool | None:
    op, operands = node.op, node.operands
    if op in ("and", "or", "not"):
        answers = [_answer(expander, x) for x in operands if isinstance(x, s.Condition)]
        if op == "not":
            return None if answers[0] is None else not answers[0]
        decides = op == "or"
        if decides in answers:
            return decides
        return None if None in answers else not decides
    values = [expander.joined(x) for x in operands if isinstance(x, s.Word)]
    if op == "word":
        return _some(values[0])
    if len(values) == 1:
        return _unary(op, values[0])
    if op in ("=", "==", "!="):
        pattern = operands[1]
        quoted = isinstance(pattern, s.Word) and all(
            isinstance(p, s.Lit | s.Param) and p.quoted for p in pattern.parts
        )
        some = matches(values[0], values[1], literal=quoted)
        return some if op != "!=" or some is None else not some
    return compared(values[0], op, values[1]) if op in _NUMBERS else None
