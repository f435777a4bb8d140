"""Simple commands: assignments alone, functions, builtins, programs, scripts that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.builtins import BUILTINS, assign
from collector.facts.shell.expansion import Expander
from collector.facts.shell.state import ANY, NONZERO, Frame, State, merged
from collector.facts.shell.stops import stopped
from collector.facts.shell.values import EMPTY, UNKNOWN, Hole, Value, plain
from collector.facts.shell.wrappers import Wrapped, unwrap

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine

_DEEPEST = 12
_Redirects = tuple[tuple[str, str, Value], ...]


def simple(machine: Machine, node: s.Simple, state: State, frame: Frame) -> list[State]:
    expander = Expander(machine, state, frame)
    machine.odd = False
    fields = expander.fields(node.words)
    prefix: list[tuple[str, Value]] = []
    for one in node.assigns:
        held = assign(machine, expander, one)
        prefix.append((one.name, held))
        if not fields:
            expander.state = expander.state.with_var(one.name, held)
    redirects = _redirects(expander, node.redirects)
    state = expander.state
    if machine.odd or (
        machine.dialect != "bash" and any(op in ("&>", "&>>", "<<<") for op, _, _ in redirects)
    ):
        machine.odd = False
        return machine.lose(state, frame)
    if expander.ends:
        frame.exits.append(state.with_status(NONZERO))
        return []
    if not fields:
        ends = expander.substituted
        after = [replace(state, must=e.must, failed=e.failed, status=e.status,
                         blurred=state.blurred or e.blurred) for e in ends]  # fmt: skip
        return machine.checked(merged(after) or [state.with_status(0)], frame)
    held_in = frame.stdin
    docs = [v for op, _, v in redirects if op in ("<<", "<<<")]
    frame.stdin = docs[-1] if docs else held_in
    found = Call(machine, node, redirects, dict(prefix), frame.inside).run(fields, state, frame)
    frame.stdin = held_in
    return machine.checked(found, frame)


def _redirects(expander: Expander, redirects: tuple[s.Redirect, ...]) -> _Redirects:
    return tuple((r.op, r.fd, expander.joined(r.word)) for r in redirects)


def declare(machine: Machine, node: s.Declare, state: State, frame: Frame) -> list[State]:
    """export, readonly, local and their kin: what is assigned, and to whom it is visible."""
    expander = Expander(machine, state, frame)
    names: list[str] = []
    for item in node.items:
        if isinstance(item, s.Assign):
            held = assign(machine, expander, item)
            _local(expander, node.keyword, item.name)
            expander.state = expander.state.with_var(item.name, held)
            names.append(item.name)
            continue
        for some in expander.split(item):
            text = plain(some) or ""
            if text.startswith("-"):
                continue
            name, equals, rest = text.partition("=")
            if text and (node.keyword in ("local", "typeset", "declare") or equals):
                _local(expander, node.keyword, name)
                held = (rest,) if rest else ()
                unset = node.keyword in ("local", "typeset", "declare") and not equals
                loose = UNKNOWN if unset else held
                expander.state = expander.state.with_var(name, loose)
            names.append(name)
    if expander.ends:
        frame.exits.append(expander.state.with_status(NONZERO))
        return []
    if machine.dialect != "bash" and node.keyword in ("declare", "typeset"):
        return machine.lose(expander.state, frame)
    after = expander.state
    if node.keyword == "export":
        after = replace(after, exported=after.exported | set(names))
    if node.keyword == "readonly":
        # what sets it again ends in an error, which the model does not follow
        after = replace(after, flags=after.flags | {f"readonly {n}" for n in names})
    return [after.with_status(0)]


def _local(expander: Expander, keyword: str, name: str) -> None:
    state = expander.state
    if state.local is None or keyword not in ("local", "declare", "typeset"):
        return
    if all(n != name for n, _, _ in state.local):
        was = state.vars.get(name)
        saved = (name, was, name in state.vars)
        expander.state = replace(state, local=(*state.local, saved))


class Call:
    """One command that is run, by whatever name: its words are there, its place is `node`."""

    def __init__(
        self,
        machine: Machine,
        node: s.Simple,
        redirects: _Redirects,
        prefix: dict[str, Value],
        inside: str = "",
    ) -> None:
        self.machine, self.node, self.redirects = machine, node, redirects
        self.prefix, self.inside = prefix, inside

    def run(
        self, fields: list[Value], state: State, frame: Frame, *, functions: bool = True
    ) -> list[State]:
        """The states after it, before `set -e` is asked."""
        self.machine.spend(2)
        name = plain(fields[0])
        if name is None:
            if state.functions and fields[0] and all(isinstance(p, Hole) for p in fields[0]):
                return self.machine.lose(state, frame)
            return self.external(fields, state, frame)
        if functions and name in state.functions:
            return self._function(state.functions[name], fields, state, frame)
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return builtin(self, fields, state, frame)
        return self.external(fields, state, frame)

    def _function(
        self, body: s.Node, fields: list[Value], state: State, frame: Frame
    ) -> list[State]:
        machine = self.machine
        if frame.depth > _DEEPEST:
            return machine.lose(state, frame)
        for name, held in self.prefix.items():
            state = state.with_var(name, held)
        inner = Frame(
            exits=frame.exits, returns=[], guarded=frame.guarded, piped=frame.piped,
            depth=frame.depth + 1, sub=frame.sub, stdin=frame.stdin, unsure=frame.unsure,
            inside=frame.inside,
        )  # fmt: skip
        begin = replace(state, arguments=tuple(fields[1:]), local=())
        ends = machine.run(body, [begin], inner) + (inner.returns or [])
        found = []
        for end in merged(ends):
            held_vars = dict(end.vars)
            for name, was, there in end.local or ():
                if there:
                    held_vars[name] = was
                else:
                    held_vars.pop(name, None)
            for name in self.prefix:
                held_vars[name] = UNKNOWN
            found.append(replace(end, vars=held_vars, arguments=state.arguments, local=state.local))
        return merged(found)

    def external(self, fields: list[Value], state: State, frame: Frame) -> list[State]:
        """A program: it may end well or not. What it runs itself is run, too."""
        machine = self.machine
        words = [tuple(replace(p, splits=False) if isinstance(p, Hole) else p for p in f)
                 for f in fields]  # fmt: skip
        known = {**state.vars, **self.prefix} if self.prefix else state.vars
        seen = replace(state, vars=known) if self.prefix else state
        number = machine.sites.visit(self.node, words, seen, self.redirects, self.inside)
        place = machine.sites.place(self.node)
        site = machine.sites.every[number]
        site.perhaps |= frame.unsure
        bits = 0 if state.lost or frame.unsure else 1 << number | 1 << place
        state = replace(state, must=state.must | bits)
        bad = replace(state, status=NONZERO, failed=state.failed | 1 << number)
        if (after := stopped(self, words, state, frame)) is not None:
            return after
        wrapped = unwrap(fields, frame.stdin)
        if wrapped is None and (script := self._script(fields)) is not None:
            wrapped = script
            if machine.never_starts(plain(fields[0]) or ""):
                return [bad]
        good = state.with_status(0)
        if wrapped is None or frame.depth > _DEEPEST:
            return [good, bad]
        return self._wrapped(wrapped, state, frame, bit=1 << number, bad=bad)

    def _script(self, fields: list[Value]) -> Wrapped | None:
        """The program is a script whose text is known."""
        name = plain(fields[0])
        if name is None or name not in self.machine.scripts:
            return None
        return Wrapped(file=fields[0], arguments=tuple(fields[1:]), direct=True)

    def _wrapped(
        self, wrapped: Wrapped, state: State, frame: Frame, *, bit: int, bad: State
    ) -> list[State]:
        inner = self._inner(wrapped, state, frame)
        if inner is None:
            return [state.with_status(0), bad]
        found: list[State] = []
        for end in inner:
            must = end.must if wrapped.sure else state.must
            kept = replace(state, must=must, failed=end.failed,
                           blurred=state.blurred or end.blurred)  # fmt: skip
            if wrapped.passes == "yes":
                if end.status in (0, ANY):
                    found.append(kept.with_status(0))
                if end.status != 0:
                    status = end.status if wrapped.exact and end.status != ANY else NONZERO
                    found.append(replace(kept, status=status, failed=kept.failed | bit))
            else:
                found.append(kept.with_status(0))
                found.append(replace(kept, status=NONZERO, failed=kept.failed | bit))
        if wrapped.passes == "untold":
            self.machine.unclear |= self._new(found, state) & ~bit
        if not wrapped.exact:
            must = state.must
            if wrapped.sure and inner:
                must = inner[0].must
                for end in inner:
                    must &= end.must
            found.append(replace(bad, must=must))
        if wrapped.skips:
            found.append(state.with_status(0))
        return merged(found)

    def _new(self, found: list[State], state: State) -> int:
        bits = 0
        for end in found:
            bits |= end.failed
        return bits & ~state.failed

    def _inner(self, wrapped: Wrapped, state: State, frame: Frame) -> list[State] | None:
        """How what it runs may end; None where nothing is known of it."""
        machine = self.machine
        unsure = frame.unsure or not wrapped.sure
        # a shell of its own is no copy of this one: its ERR trap and its `$$` are its own
        copied = wrapped.words is not None
        inner = Frame(depth=frame.depth + 1, sub=copied, unsure=unsure)
        inner.inside = self._deeper(wrapped)
        child = replace(
            state, arguments=wrapped.arguments, local=None, traps={}, functions={},
            vars={k: v for k, v in {**state.vars, **self.prefix}.items()
                  if wrapped.elsewhere is False and (k in state.exported or k in self.prefix)},
            flags=frozenset(wrapped.flags), status=0,
        )  # fmt: skip
        if wrapped.elsewhere:
            child = replace(child, folder=UNKNOWN)
        if wrapped.words is not None:
            inner.stdin = frame.stdin
            call = Call(machine, self.node, (), self.prefix, inner.inside)
            return machine.back(call.run(list(wrapped.words), child, inner, functions=False), state)
        text = wrapped.text
        if wrapped.file is not None:
            text = machine.scripts.get(plain(wrapped.file) or "")
        if text is None:
            return None
        shell = "" if wrapped.direct else wrapped.name
        machine.running.append(plain(wrapped.file or EMPTY) or "")
        try:
            return machine.program(text, child, inner, state, shell=shell)
        finally:
            machine.running.pop()

    def _deeper(self, wrapped: Wrapped) -> str:
        return f"{self.inside}/{wrapped.name}"
