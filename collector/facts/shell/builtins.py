"""The commands that a shell runs itself; a status of theirs that hangs on the host may be either.

POSIX.1-2017 XCU 2.14 and the builtins that dash and bash share. echo and printf are taken to
succeed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.conditions import test
from collector.facts.shell.expansion import Expander
from collector.facts.shell.state import ANY, NONZERO, Frame, State, merged
from collector.facts.shell.stops import execute, kill, rehash, unread
from collector.facts.shell.values import UNKNOWN, Hole, Value, number, plain, splitting, value

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine
    from collector.facts.shell.simple import Call

# characters of a value; nobody writes a longer one
_LONGEST = 16 << 10
_Builtin = Callable[["Call", list[Value], State, Frame], list[State]]


def assign(machine: Machine, expander: Expander, one: s.Assign) -> Value:
    """The value that is assigned."""
    if f"readonly {one.name}" in expander.state.flags:
        machine.odd = True
    if one.word is None:
        if machine.dialect != "bash":
            machine.odd = True
        return UNKNOWN
    held = expander.joined(one.word)
    if one.append:
        if machine.dialect != "bash":
            machine.odd = True
        before = expander.state.vars.get(one.name, UNKNOWN) or ()
        held = value(*before, *held)
    machine.spend(len(held) >> 4)
    return UNKNOWN if sum(len(p) for p in held if isinstance(p, str)) > _LONGEST else held


def _ends(state: State, *statuses: int) -> list[State]:
    return [state.with_status(x) for x in statuses]


def _always(*statuses: int) -> _Builtin:
    def ends(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
        return _ends(state, *statuses)

    return ends


def _test(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    arguments = fields[1:]
    if plain(fields[0]) == "[":
        if not arguments or plain(arguments[-1]) != "]":
            return _ends(state, 2)
        arguments = arguments[:-1]
    answer = test(arguments, double=call.machine.dialect == "bash")
    if answer is None:
        return _ends(state, 0, NONZERO)
    return _ends(state, 0 if answer else 1)


def _echo(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    """To a command that has ended it cannot be written: that ends the shell that tries to."""
    out = [v for op, fd, v in call.redirects if op in (">", ">>", ">|") and fd in ("", "1")]
    if frame.piped and not out:
        frame.exits.append(state.with_status(NONZERO))
    if any(plain(v) != "/dev/null" for v in out):
        number_ = call.machine.sites.visit(call.node, fields, state, call.redirects, call.inside)
        site = call.machine.sites.every[number_]
        site.undecided = True
        site.perhaps |= frame.unsure
        if not state.lost and not frame.unsure:
            state = replace(state, must=state.must | 1 << number_)
    return _ends(state, 0)


def _exit(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    frame.exits += _given(call, fields, state)
    return []


def _given(call: Call, fields: list[Value], state: State) -> list[State]:
    """The states with the status that exit or return name."""
    if len(fields) < 2:
        return [state]
    told = number(fields[1])
    if told is not None:
        return _ends(state, told & 255)
    if fields[1] == (Hole("nonzero"),):
        return _ends(state, NONZERO)
    if plain(fields[1]) is not None:
        # not a number: an error, whose number differs
        return _ends(state, 2)
    return [replace(state, status=ANY, blurred=True)]


def _return(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    if frame.returns is None:
        return call.machine.lose(state, frame)
    frame.returns += _given(call, fields, state)
    return []


def _leave(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    """Break and continue."""
    levels = number(fields[1]) if len(fields) > 1 else 1
    if not frame.loops:
        if frame.returns is not None and call.machine.dialect != "bash":
            return call.machine.lose(state, frame)
        return _ends(state, 0)
    if levels is None or levels < 1:
        return call.machine.lose(state, frame)
    at = max(len(frame.loops) - levels, 0)
    which = 0 if plain(fields[0]) == "break" else 1
    frame.loops[at][which].append(state.with_status(0))
    return []


_FLAGS = {"e": "errexit", "u": "nounset", "E": "errtrace"}
_NAMED = {"errexit", "nounset", "pipefail", "errtrace"}
_QUIET = {"x", "v", "f", "a", "b", "h", "m", "C", "B", "H", "T", "P"}
_QUIET_NAMED = {"xtrace", "verbose", "noglob", "allexport", "monitor", "noclobber", "posix",
                "functrace", "notify", "hashall", "ignoreeof", "nolog", "physical"}  # fmt: skip


def _set(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    flags = set(state.flags)
    rest = list(fields[1:])
    while rest:
        text = plain(rest[0])
        if text is None:
            return call.machine.lose(state, frame)
        if text in ("--", "-"):
            rest = rest[1:]
            return _ends(_with_arguments(state, rest, flags), 0)
        if not re.fullmatch(r"[-+][A-Za-z]+", text):
            return _ends(_with_arguments(state, rest, flags), 0)
        rest = rest[1:]
        on = text[0] == "-"
        for letter in text[1:]:
            name = _FLAGS.get(letter, "")
            if letter == "o":
                name = (plain(rest[0]) or "?") if rest else "posix"
                rest = rest[1:]
            if name == "pipefail" and call.machine.dialect == "sh":
                # a dash that does not know it ends here, with an error
                frame.exits.append(state.with_status(NONZERO))
            if on and (name == "noexec" or (not name and letter == "n")):
                return unread(state, frame)
            if name in _NAMED:
                (flags.add if on else flags.discard)(name)
            elif name not in _QUIET_NAMED and not (not name and letter in _QUIET):
                return call.machine.lose(state, frame)
    return _ends(replace(state, flags=frozenset(flags)), 0)


def _with_arguments(state: State, rest: list[Value], flags: set[str]) -> State:
    unknown = any(splitting(f) for f in rest)
    return replace(state, arguments=None if unknown else tuple(rest), flags=frozenset(flags))


def _shift(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    much = number(fields[1]) if len(fields) > 1 else 1
    if state.arguments is None or much is None:
        return _ends(replace(state, arguments=None), 0, NONZERO)
    if 0 <= much <= len(state.arguments):
        return _ends(replace(state, arguments=state.arguments[much:]), 0)
    if call.machine.dialect != "bash":
        frame.exits.append(state.with_status(2))
    return _ends(state, 1) if call.machine.dialect != "dash" else []


def _unset(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    functions = False
    for field in fields[1:]:
        name = plain(field)
        if name is None:
            return call.machine.lose(state, frame)
        if name.startswith("-"):
            functions = name == "-f"
        elif functions:
            kept = {k: v for k, v in state.functions.items() if k != name}
            state = replace(state, functions=kept)
        else:
            state = state.with_var(name, None)
    return _ends(state, 0)


def _trap(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    arguments = fields[1:]
    if arguments and plain(arguments[0]) == "--":
        arguments = arguments[1:]
    if len(arguments) == 1 and plain(arguments[0]) not in ("-p", "-l"):
        arguments = [("-",), *arguments]
    traps = dict(state.traps)
    for signal in arguments[1:]:
        name = (plain(signal) or "?").upper().removeprefix("SIG")
        if name in ("ERR", "DEBUG", "RETURN", "?") and (
            name != "ERR" or call.machine.dialect != "bash"
        ):
            return call.machine.lose(state, frame)
        action = arguments[0]
        if name in ("EXIT", "0", "ERR"):
            traps.pop("EXIT" if name == "0" else name, None)
            if plain(action) != "-":
                traps["EXIT" if name == "0" else name] = action
        elif plain(action) != "-":
            call.machine.signals.append(action)
    return _ends(replace(state, traps=traps), 0)


def _eval(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    texts = [plain(f) for f in fields[1:]]
    known = [t for t in texts if t is not None]
    if len(known) < len(texts) or frame.depth > 12:
        return call.machine.lose(state, frame)
    from collector.facts.shell.parser import parse

    body = parse(" ".join(known))
    if not body.items:
        return _ends(state, 0)
    frame.depth += 1
    found = call.machine.run(body, [state], frame)
    if frame.guarded and frame.sub and call.machine.dialect != "dash":
        # in a subshell bash forgets that `set -e` does not count here
        frame.guarded = False
        found = merged(found + call.machine.run(body, [state], frame))
        frame.guarded = True
    frame.depth -= 1
    return found


def _source(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    machine = call.machine
    path = plain(fields[1]) if len(fields) > 1 else None
    text = machine.scripts.get(path) if path else None
    if plain(fields[0]) == "source" and machine.dialect != "bash":
        return machine.lose(state, frame)
    if text is not None and frame.depth < 12:
        from collector.facts.shell.parser import parse

        inner = replace_frame(frame)
        ends = machine.run(parse(text), [state], inner) + (inner.returns or [])
        return merged(ends)
    if machine.settings:
        frame.exits.append(state.with_status(NONZERO))
        kept = {k: v for k, v in state.vars.items() if k.startswith("%")}
        return _ends(replace(state, vars=kept), 0, NONZERO)
    return machine.lose(state, frame)


def replace_frame(frame: Frame) -> Frame:
    """The frame of a file that is sourced: `return` ends the file."""
    return Frame(
        exits=frame.exits, returns=[], guarded=frame.guarded, piped=frame.piped,
        depth=frame.depth + 1, sub=frame.sub, stdin=frame.stdin, unsure=frame.unsure,
        inside=frame.inside,
    )  # fmt: skip


def _cd(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    target = fields[-1] if len(fields) > 1 else UNKNOWN
    text = plain(target)
    if text is not None and not text.startswith("/"):
        target = value(*state.folder, "/" + text) if state.folder else UNKNOWN
    there = replace(state, folder=target, status=0)
    return [there] if text == "/" else [there, state.with_status(NONZERO)]


def _read(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    for field in fields[1:]:
        name = plain(field)
        if name and re.fullmatch(r"[A-Za-z_]\w*", name):
            state = state.with_var(name, UNKNOWN)
    return _ends(state, 0, NONZERO)


def _getopts(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    for name in (plain(fields[2]) if len(fields) > 2 else None, "OPTARG", "OPTIND"):
        if name:
            state = state.with_var(name, UNKNOWN)
    return _ends(state, 0, NONZERO)


def _wait(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    if len(fields) < 2:
        return _ends(state, 0)
    call.machine.waited = True
    return _ends(state, 0, NONZERO)


def _command(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    rest = list(fields[1:])
    while rest and (plain(rest[0]) or "").startswith("-"):
        if set((plain(rest[0]) or "")[1:]) & set("vV"):
            return _ends(state, 0, NONZERO)
        rest = rest[1:]
    return call.run(rest, state, frame, functions=False) if rest else _ends(state, 0)


def _alias(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    if call.machine.dialect == "bash" or len(fields) < 2:
        return _ends(state, 0)
    return call.machine.lose(state, frame)


def _shopt(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    names = {plain(f) for f in fields[1:]}
    if call.machine.dialect != "bash" or names & {"lastpipe", "inherit_errexit",
                                                  "expand_aliases", "failglob", None}:  # fmt: skip
        return call.machine.lose(state, frame)
    if "nullglob" in names:
        state = replace(state, flags=state.flags | {"nullglob"})
    return _ends(state, 0)


def _lost(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    return call.machine.lose(state, frame)


BUILTINS: dict[str, _Builtin] = {
    **dict.fromkeys((":", "true", "umask", "pwd", "times"), _always(0)),
    "false": _always(1),
    "kill": kill,
    "hash": rehash,
    **dict.fromkeys(("type", "ulimit", "jobs", "bg"), _always(0, NONZERO)),
    **dict.fromkeys(("test", "["), _test),
    **dict.fromkeys(("echo", "printf"), _echo),
    "exit": _exit, "return": _return, "break": _leave, "continue": _leave, "set": _set,
    "shift": _shift, "unset": _unset, "trap": _trap, "eval": _eval, ".": _source,
    "source": _source, "cd": _cd, "read": _read, "getopts": _getopts, "wait": _wait,
    "command": _command, "builtin": _command, "exec": execute, "alias": _alias, "shopt": _shopt,
    "unalias": _alias,
    **dict.fromkeys(("fg", "let", "mapfile", "readarray", "enable", "pushd", "popd"), _lost),
}  # fmt: skip
