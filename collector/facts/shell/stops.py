"""What ends or holds up the shell itself: signals to its own process, `set -n`, a sleep for good.

kill(1p), sleep(1), POSIX.1-2017 XCU 2.14 set, execve(2). A shell that a signal ends runs no EXIT
trap in dash and runs it in bash; what a trap does with a signal is not followed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell.state import ANY, NONZERO, Frame, State
from collector.facts.shell.values import Hole, Value, plain

if TYPE_CHECKING:
    from collector.facts.shell.simple import Call

# what `$$` holds: the number of this very shell
SELF: Value = (Hole("self"),)
_FATAL = {"", "TERM", "15", "HUP", "1", "INT", "2", "QUIT", "3", "KILL", "9", "ABRT", "6", "ALRM",
          "14", "USR1", "10", "USR2", "12", "PIPE", "13", "SEGV", "11"}  # fmt: skip
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# longer than from one night's run to the next
_FOR_GOOD = 20 * 3600


def kill(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    """The states after `kill`: none where it surely ends the shell that runs it."""
    signal: Value = ()
    rest = list(fields[1:])
    if rest and plain(rest[0]) in ("-s", "-n"):
        signal, rest = rest[1] if len(rest) > 1 else (), rest[2:]
    elif rest and re.fullmatch(r"-[A-Za-z0-9]+", plain(rest[0]) or ""):
        signal, rest = ((plain(rest[0]) or "")[1:],), rest[1:]
    if rest and plain(rest[0]) == "--":
        rest = rest[1:]
    name = plain(signal)
    if name in ("l", "L", "0") or not any(map(_itself, rest)):
        return [state.with_status(0), state.with_status(NONZERO)]
    text = "" if name is None else name.upper().removeprefix("SIG")
    machine = call.machine
    ignored = text not in ("KILL", "9") and (machine.signals or "EXIT" in state.traps)
    if name is None or text not in _FATAL or ignored or frame.sub:
        return machine.lose(state, frame)
    frame.exits.append(replace(state.with_status(NONZERO), traps={}))
    return []


def _itself(target: Value) -> bool:
    """Is it this shell, or all that belong to its group?"""
    return any(isinstance(p, Hole) and p.kind == "self" for p in target) or plain(target) == "0"


def execute(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    """After `exec`: nothing of this shell, where it names a program."""
    if len(fields) < 2:
        return [state.with_status(0)]
    if (plain(fields[1]) or "").startswith("-"):
        return call.machine.lose(state, frame)
    ends = call.external(fields[1:], state, frame)
    # no trap is run: there is no shell left to run it
    frame.exits += [replace(x, traps={}) for x in ends]
    return []


def rehash(call: Call, fields: list[Value], state: State, frame: Frame) -> list[State]:
    """After `hash`; with -p bash runs another program under a name."""
    if any((plain(f) or "-p").startswith("-p") for f in fields[1:2]):
        return call.machine.lose(state, frame)
    return [state.with_status(0), state.with_status(NONZERO)]


def unread(state: State, frame: Frame) -> list[State]:
    """After `set -n` the rest is read and not run, and the shell ends well."""
    frame.exits.append(state.with_status(0))
    return []


def noexec(options: str) -> bool:
    """Do the options of a shell, as its first line or its words name them, say `-n`?"""
    return any(re.fullmatch(r"-[a-zA-Z]*n[a-zA-Z]*", x) for x in options.split()) or (
        "noexec" in options
    )


def waits(words: list[Value]) -> float:
    """For how many seconds a command does nothing but wait; infinite where it never ends."""
    name = (plain(words[0]) or "").rpartition("/")[2]
    texts = [plain(w) for w in words[1:]]
    if name == "tail" and texts[-1:] == ["/dev/null"]:
        return float("inf") if {"-f", "-F", "--follow"} & set(texts) else 0
    if name != "sleep":
        return 0
    told = [re.fullmatch(r"(\d{1,9}(?:\.\d*)?)([smhd]?)", t) for t in texts if t is not None]
    if any(re.fullmatch(r"(?i)\+?inf(inity)?", t or "") for t in texts):
        return float("inf")
    return sum(float(m[1]) * _SECONDS[m[2]] for m in told if m)


def _by_name(call: Call, words: list[Value]) -> bool:
    """Does it send a signal to all processes that are called as a script that runs now?"""
    name = (plain(words[0]) or "").rpartition("/")[2]
    if name not in ("pkill", "killall"):
        return False
    told = [t for w in words[1:] if (t := plain(w)) and not t.startswith("-")]
    whole = any(re.fullmatch(r"-\w*f|--full", plain(w) or "") for w in words[1:])
    for path in call.machine.running:
        base = path.rpartition("/")[2]
        if name == "killall" and base in told:
            return True
        # the kernel keeps 15 characters of a name
        seen = path if whole else base[:15]
        if name == "pkill" and any(t in seen for t in told):
            return True
    return False


def stopped(call: Call, words: list[Value], state: State, frame: Frame) -> list[State] | None:
    """The states after a program that may end this shell, or that waits for longer than a job may.

    None for any other one.
    """
    if (plain(words[0]) or "").rpartition("/")[2] == "kill":
        return kill(call, words, state, frame)
    if _by_name(call, words):
        return call.machine.lose(state.with_status(ANY), frame)
    much = waits(words)
    if much < _FOR_GOOD:
        return None
    if much == float("inf"):
        call.machine.endless.append(state)
        return []
    return call.machine.lose(state.with_status(ANY), frame)


def cannot_start(text: str) -> bool:
    r"""Does execve(2) find no program for its first line, whatever the host has?

    >>> cannot_start("#!/bin/sh\r\necho a\r\n"), cannot_start("#!/bin/sh\necho a\n")
    (True, False)
    """
    return re.match(r"#![^\n]*\r(?:\n|\Z)", text) is not None


def foreign_lines(text: str) -> bool:
    """Do its lines end as those of DOS? A shell takes the carriage return for a part of a word."""
    return re.search(r"\r(?:\n|\Z)", text) is not None
