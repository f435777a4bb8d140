"""Lists, pipelines and compound commands: how each hands states on to what is in it.

POSIX.1-2017 XCU 2.9.2 to 2.9.5. Each runner takes one state, and gives those after its node.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.conditions import condition
from collector.facts.shell.expansion import Expander
from collector.facts.shell.loops import for_loop, while_loop
from collector.facts.shell.simple import declare, simple
from collector.facts.shell.state import ANY, NONZERO, Frame, State, merged
from collector.facts.shell.values import UNKNOWN, Value, matches

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine


def _sequence(machine: Machine, node: s.Seq, state: State, frame: Frame) -> list[State]:
    states = [state]
    for item in node.items:
        if not states:
            break
        if item.background:
            made = []
            for one in states:
                machine.spend(2)
                made.append(machine.aside(item.node, one, frame))
            states = merged(made)
            continue
        if not item.asks and not isinstance(item.node, s.Function) and not machine.asking:
            # the next command sets it anew, and looks at nothing
            states = merged(x.with_status(ANY) for x in states)
        states = machine.run(item.node, states, frame)
    return states


def _ended(expander: Expander, frame: Frame) -> bool:
    """Did a word end the shell (`set -u`)? Then that end is one of the frame's."""
    if expander.ends:
        frame.exits.append(expander.state.with_status(NONZERO))
    return expander.ends


def _redirected(machine: Machine, node: s.Redirected, state: State, frame: Frame) -> list[State]:
    expander = Expander(machine, state, frame)
    for redirect in node.redirects:
        expander.joined(redirect.word)
    if _ended(expander, frame):
        return []
    held = frame.piped
    if any(r.op in (">", ">>", ">|", "&>") and r.fd in ("", "1") for r in node.redirects):
        frame.piped = False
    if any(r.op in ("&>", "&>>") for r in node.redirects) and machine.dialect != "bash":
        return machine.lose(expander.state, frame)
    found = machine.run(node.body, [expander.state], frame)
    frame.piped = held
    return found


def _pipe(machine: Machine, node: s.Pipe, state: State, frame: Frame) -> list[State]:
    current: list[tuple[State, bool]] = [(state, False)]
    last = len(node.stages) - 1
    for at, stage in enumerate(node.stages):
        found: dict[bool, list[State]] = {False: [], True: []}
        for one, broken in current:
            for end in machine.subshell(stage, one, frame, piped=at < last):
                if at < last and "pipefail" in state.flags:
                    kinds = [False, True] if end.status == ANY else [end.status != 0]
                else:
                    kinds = [False]
                for kind in kinds:
                    found[broken or kind].append(end)
        if at < last:
            current = [
                (x, kind)
                for kind, ends in found.items()
                # every stage looks back at what was before the first one
                for x in merged(e.with_status(state.status) for e in ends)
            ]
        else:
            done = found[False] + [
                e.with_status(NONZERO if e.status in (0, ANY) else e.status) for e in found[True]
            ]
            return machine.checked(merged(done), frame)
    return []


def _not(machine: Machine, node: s.Not, state: State, frame: Frame) -> list[State]:
    ends = machine.guarded(node.body, [state], frame)
    return [e.with_status(ANY if e.status == ANY else 1 if e.status == 0 else 0) for e in ends]


def _and_or(machine: Machine, node: s.AndOr, state: State, frame: Frame) -> list[State]:
    yes, no = machine.tested(node.first, [state], frame)
    for at, (op, member) in enumerate(node.rest):
        goes = yes if op == "&&" else no
        stays = no if op == "&&" else yes
        if at == len(node.rest) - 1:
            return merged(stays + (machine.run(member, goes, frame) if goes else []))
        one, two = machine.tested(member, goes, frame) if goes else ([], [])
        yes, no = (one, merged(stays + two)) if op == "&&" else (merged(stays + one), two)
    return merged(yes + no)


def _if(machine: Machine, node: s.If, state: State, frame: Frame) -> list[State]:
    left, found = [state], []
    for asked, body in node.branches:
        if not left:
            break
        yes, left = machine.tested(asked, left, frame)
        found += machine.run(body, yes, frame) if yes else []
    if left and node.otherwise is not None:
        found += machine.run(node.otherwise, left, frame)
    elif left:
        found += [x.with_status(0) for x in left]
    return found


def _case(machine: Machine, node: s.Case, state: State, frame: Frame) -> list[State]:
    expander = Expander(machine, state, frame)
    held = expander.joined(node.word)
    if _ended(expander, frame):
        return []
    stays = True
    found: list[State] = []
    for patterns, body, after in node.branches:
        if after != ";;":
            return found + machine.lose(expander.state, frame)
        # of each pattern that may match: where the shell stands when its body is begun
        fits: list[State] = []
        for pattern in patterns:
            answer = _fits(expander, held, pattern)
            if _ended(expander, frame):
                answer = True
            elif answer is not False:
                fits.append(expander.state)
            if answer:
                stays = False
                break
        if fits:
            ends = machine.run(body, merged(fits), frame)
            found += ends if body.items else [x.with_status(0) for x in ends]
        if not stays:
            return found
    return [*found, expander.state.with_status(0)]


def _fits(expander: Expander, held: Value, pattern: s.Word) -> bool | None:
    literal = all(isinstance(p, s.Lit) and p.quoted for p in pattern.parts)
    wanted = expander.joined(pattern)
    mixed = not literal and any(
        isinstance(p, s.Lit) and p.quoted and set(p.text) & set("*?[") for p in pattern.parts
    )
    return None if mixed else matches(held, wanted, literal=literal)


def _group(machine: Machine, node: s.Group, state: State, frame: Frame) -> list[State]:
    return machine.run(node.body, [state], frame)


def _subshell(machine: Machine, node: s.Subshell, state: State, frame: Frame) -> list[State]:
    return machine.checked(machine.subshell(node.body, state, frame), frame)


def _function(machine: Machine, node: s.Function, state: State, frame: Frame) -> list[State]:
    return [replace(state, functions={**state.functions, node.name: node.body}, status=0)]


def _odd(machine: Machine, node: s.Odd, state: State, frame: Frame) -> list[State]:
    return machine.lose(state, frame, node)


def _arithmetic(machine: Machine, node: s.ArithCommand, state: State, frame: Frame) -> list[State]:
    if machine.dialect != "bash":
        return machine.lose(state, frame)
    names = re.findall(r"([A-Za-z_]\w*)\s*(?:\+\+|--|[-+*/%&|^]?=(?!=))", node.text)
    names += re.findall(r"(?:\+\+|--)\s*([A-Za-z_]\w*)", node.text)
    for name in names:
        state = state.with_var(name, UNKNOWN)
    return machine.checked([state.with_status(0), state.with_status(1)], frame)


_Runner = Callable[..., list[State]]
RUNNERS: dict[type, _Runner] = {
    s.Seq: _sequence,
    s.Simple: simple,
    s.Declare: declare,
    s.Redirected: _redirected,
    s.Pipe: _pipe,
    s.Not: _not,
    s.AndOr: _and_or,
    s.If: _if,
    s.Loop: while_loop,
    s.For: for_loop,
    s.Case: _case,
    s.Group: _group,
    s.Subshell: _subshell,
    s.Function: _function,
    s.Condition: condition,
    s.ArithCommand: _arithmetic,
    s.Odd: _odd,
}
