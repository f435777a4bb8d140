"""`for`, `while` and `until`: run as often as is known, else until nothing new comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.expansion import Expander
from collector.facts.shell.state import State, joined, merged
from collector.facts.shell.values import Hole, Value, plain, splitting

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine
    from collector.facts.shell.state import Frame

_ROUNDS = 24
_EXACT = 120


def for_loop(machine: Machine, node: s.For, state: State, frame: Frame) -> list[State]:
    expander = Expander(machine, state, frame)
    if node.words is not None:
        listed = expander.fields(node.words)
    elif state.arguments is None:
        listed = [(Hole(splits=True),)]
    else:
        listed = list(state.arguments)
    broken: list[State] = []
    if expander.ends:
        frame.exits.append(expander.state.with_status(1))
        return []
    # those of no round so far: the first one still sees the status of what is before the loop
    fresh, states = [expander.state], list[State]()
    for held in listed:
        begin = merged(fresh + states)
        if not begin:
            break
        machine.spend()

        def once(begin: list[State], held: Value = held) -> list[State]:
            begin = [x.with_var(node.name, _settled(held)) for x in begin]
            return _body(machine, node.body, begin, frame, broken)

        pattern = any(isinstance(p, Hole) and p.kind == "glob" for p in held)
        if splitting(held):
            states += _many(machine, once(begin), once, frame)
        elif pattern:
            # where no file fits, the pattern itself is the word
            kept = [x for x in states if "nullglob" in x.flags]
            fresh = [x for x in fresh if "nullglob" in x.flags]
            states = _many(machine, once(begin), once, frame) + kept
        else:
            fresh, states = [], once(begin)
    return merged([*states, *broken, *(x.with_status(0) for x in fresh)])


def _settled(held: Value) -> Value:
    return tuple(replace(p, splits=False) if isinstance(p, Hole) else p for p in held)


def _body(
    machine: Machine, body: s.Seq, begin: list[State], frame: Frame, broken: list[State]
) -> list[State]:
    """One round; what breaks goes to `broken`, what continues is among the result."""
    mine: tuple[list[State], list[State]] = ([], [])
    frame.loops.append(mine)
    try:
        after = machine.run(body, begin, frame)
    finally:
        frame.loops.pop()
    broken += mine[0]
    return merged(after + mine[1])


def _many(
    machine: Machine,
    states: list[State],
    once: Callable[[list[State]], list[State]],
    frame: Frame,
) -> list[State]:
    """The states after no round, one, or any number of them."""
    seen = merged(states)
    for at in range(_ROUNDS):
        after = once(seen)
        new = merged(seen + after)
        if at >= 6:
            new = joined(new)
        if _same(new, seen):
            return seen
        seen = new
    return [x for one in seen for x in machine.lose(one, frame)]


def _same(one: list[State], other: list[State]) -> bool:
    def seen(states: list[State]) -> dict[object, tuple[int, int]]:
        return {x.key(): (x.must, x.failed) for x in states}

    return seen(one) == seen(other)


def while_loop(machine: Machine, node: s.Loop, state: State, frame: Frame) -> list[State]:
    left, broken = list[State](), list[State]()
    mark = f"%{id(node)}"
    head = [state.with_var(mark, ("0",))]
    exact, at = True, 0
    while head:
        at += 1
        machine.spend()
        yes, no = machine.tested(node.condition, head, frame)
        if node.until:
            yes, no = no, yes
        left += [_as_before(x, mark) for x in no]
        after = _body(machine, node.body, yes, frame, broken) if yes else []
        new = [x.with_var(mark, (str(x.status),)) for x in after]
        exact = exact and not no and at < _EXACT and len(yes) == 1
        if exact and new and not _endless(new, head):
            head = merged(new)
            continue
        every = merged(head + new)
        if at >= 6 and not exact:
            every = joined(every)
        if _same(every, head):
            break
        if at > _EXACT + _ROUNDS:
            return [x for one in head for x in machine.lose(one, frame)]
        exact = False
        head = every
    if not left and not broken:
        machine.endless += head
    return merged([*left, *(x.without_var(mark) for x in broken)])


def _endless(new: list[State], head: list[State]) -> bool:
    """Does a round change nothing that the next one could see?"""
    return {x.key() for x in new} == {x.key() for x in head}


def _as_before(state: State, mark: str) -> State:
    """After a loop, the status is that of the last round's body."""
    text = plain(state.vars.get(mark) or ())
    status = int(text) if text and text.lstrip("-").isdigit() else -2
    return state.without_var(mark).with_status(status)
