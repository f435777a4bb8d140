"""Where a run of a script can stand: what is set, how the last command ended, what has been run.

Runs that stand alike are one state; those that do not are kept apart, so that `rc=1` stays with the
run in which the command before it failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from collector.facts.shell import syntax as s
from collector.facts.shell.values import UNKNOWN, Value

NONZERO = -1  # it failed, with whatever number
ANY = -2  # nobody knows how it ended
MOST = 48
# a variable that is certainly not set
UNSET = None


@dataclass(frozen=True, slots=True)
class State:
    """`must` and `failed` are sets of sites, as bits: surely run, and perhaps failed, so far.

    `vars` lacks what may come from the environment; `arguments` is None where they are not known.
    `lost`: something was run that the model has no meaning for. `blurred`: runs that differ were
    put together. `local` is what a function has to put back.
    """

    vars: Mapping[str, Value | None] = field(default_factory=dict)
    functions: Mapping[str, s.Node] = field(default_factory=dict)
    arguments: tuple[Value, ...] | None = ()
    flags: frozenset[str] = frozenset()
    traps: Mapping[str, Value] = field(default_factory=dict)
    exported: frozenset[str] = frozenset()
    folder: Value = UNKNOWN
    status: int = 0
    must: int = 0
    failed: int = 0
    lost: bool = False
    blurred: bool = False
    local: tuple[tuple[str, Value | None, bool], ...] | None = None

    def key(self) -> object:
        return (
            self.status,
            self.flags,
            self.arguments,
            self.lost,
            self.folder,
            self.local,
            self.exported,
            frozenset(self.vars.items()),
            frozenset((k, id(v)) for k, v in self.functions.items()),
            frozenset(self.traps.items()),
        )

    def with_status(self, status: int) -> State:
        return self if status == self.status else replace(self, status=status)

    def with_var(self, name: str, held: Value | None) -> State:
        return replace(self, vars={**self.vars, name: held})

    def without_var(self, name: str) -> State:
        return replace(self, vars={k: v for k, v in self.vars.items() if k != name})


@dataclass(slots=True)
class Frame:
    """Where a shell is: its ends go to `exits`, those of its function to `returns`.

    `guarded`: `set -e` does not count here. `piped`: what is printed goes to a command.
    `unsure`: nobody knows whether this shell is started (a trap, ssh).
    `loops` holds, for each loop around, the states that break and that continue.
    """

    exits: list[State] = field(default_factory=list)
    returns: list[State] | None = None
    loops: list[tuple[list[State], list[State]]] = field(default_factory=list)
    guarded: bool = False
    piped: bool = False
    depth: int = 0
    sub: bool = False
    stdin: Value | None = None
    unsure: bool = False
    inside: str = ""


def merged(states: Iterable[State]) -> list[State]:
    """Those that stand alike made one; beyond `MOST` they are put together, and blurred."""
    found: dict[object, State] = {}
    for state in states:
        key = state.key()
        other = found.get(key)
        if other is None:
            found[key] = state
        elif other is not state:
            found[key] = replace(
                other,
                must=other.must & state.must,
                failed=other.failed | state.failed,
                blurred=other.blurred or state.blurred,
            )
    every = list(found.values())
    return every if len(every) <= MOST else joined(every)


def joined(states: list[State]) -> list[State]:
    """One state for each set of flags, functions and traps: what differs in it is not known."""
    groups: dict[object, State] = {}
    for state in states:
        key = (
            state.flags,
            state.lost,
            frozenset((k, id(v)) for k, v in state.functions.items()),
            frozenset(state.traps.items()),
            state.local is None,
        )
        other = groups.get(key)
        groups[key] = state if other is None else _both(other, state)
    return list(groups.values())


def _both(one: State, other: State) -> State:
    shared = {k: v for k, v in one.vars.items() if k in other.vars and other.vars[k] == v}
    if one.local != other.local:
        # what has to be put back is not known: nothing of it is
        local: tuple[tuple[str, Value | None, bool], ...] | None = tuple(
            (n, UNKNOWN, False)
            for n in sorted({x[0] for x in (one.local or ()) + (other.local or ())})
        )
    else:
        local = one.local
    return replace(
        one,
        vars=shared,
        arguments=one.arguments if one.arguments == other.arguments else None,
        exported=one.exported & other.exported,
        folder=one.folder if one.folder == other.folder else UNKNOWN,
        status=one.status if one.status == other.status else ANY,
        must=one.must & other.must,
        failed=one.failed | other.failed,
        blurred=True,
        local=local,
    )
