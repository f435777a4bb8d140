"""Words become fields: variables, arguments, defaults, command substitutions.

POSIX.1-2017 XCU 2.6. A command substitution is run, for what it runs counts; what it prints is not
known.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.facts.shell import syntax as s
from collector.facts.shell.state import ANY, NONZERO, State
from collector.facts.shell.stops import SELF
from collector.facts.shell.values import (
    EMPTY,
    UNKNOWN,
    Hole,
    Value,
    certainly_some,
    counted,
    plain,
    trimmed,
    value,
)

if TYPE_CHECKING:
    from collector.facts.shell.machine import Machine
    from collector.facts.shell.state import Frame


_PATTERN = re.compile(r"[*?]|\[[^]]*\]")


class Expander:
    """Expands the words of one command. `state` moves on with what the words run or set.

    `substituted` holds how the last command substitution may have ended; `ends` is set when the
    shell surely ends here (`set -u`, `${x:?}`).
    """

    def __init__(self, machine: Machine, state: State, frame: Frame) -> None:
        self.machine, self.state, self.frame = machine, state, frame
        self.substituted: list[State] = []
        self.ends = False

    def fields(self, words: tuple[s.Word, ...]) -> list[Value]:
        found: list[Value] = []
        for word in words:
            found += self.split(word)
        return found

    def split(self, word: s.Word) -> list[Value]:
        """The fields that one word becomes."""
        if len(word.parts) == 1 and isinstance(word.parts[0], s.Param):
            only = word.parts[0]
            if only.name in ("@", "*") and not only.op and not only.size:
                return self._arguments(quoted=only.quoted and only.name == "@", part=only)
        made: list[Value] = []
        current: Value | None = None
        for part in word.parts:
            if isinstance(part, s.Lit):
                current = value(*(current or ()), *self._literal(part))
                if part.quoted and not current:
                    current = EMPTY
                continue
            got = self._part(part)
            quoted = part.quoted
            text = plain(got)
            if quoted:
                current = value(*(current or ()), *got)
            elif text is None:
                loose = [_loose(p) for p in got]
                current = value(*(current or ()), *loose)
            else:
                current = _splits(text, current, made)
        if current is not None:
            made.append(current)
        return [self._home(word, f) for f in made]

    def _home(self, word: s.Word, field: Value) -> Value:
        first = word.parts[0] if word.parts else None
        if not (isinstance(first, s.Lit) and not first.quoted and first.text.startswith("~")):
            return field
        text = plain(field)
        name, slash, rest = (text or "").partition("/")
        if text is None or name != "~":
            return UNKNOWN
        return value(*self._held("HOME"), slash + rest)

    def _literal(self, part: s.Lit) -> Value:
        if part.quoted or not _PATTERN.search(part.text):
            return (part.text,) if part.text else EMPTY
        pieces: list[str | Hole] = []
        for at, some in enumerate(part.text.replace("?", "*").split("*")):
            pieces += [Hole("glob"), some] if at else [some]
        return (Hole("glob"),) if "[" in part.text else value(*pieces)

    def joined(self, word: s.Word | None) -> Value:
        """Its one value where no splitting takes place: assignments, redirections, `case`."""
        if word is None:
            return UNKNOWN
        found: list[str | Hole] = []
        for part in word.parts:
            if isinstance(part, s.Lit):
                found.append(part.text)
            elif isinstance(part, s.Param) and part.name in ("@", "*") and not part.op:
                fields = self._arguments(quoted=True, part=part)
                for at, one in enumerate(fields):
                    found += [" ", *one] if at else [*one]
            else:
                found += [replace(p, splits=False) if isinstance(p, Hole) else p
                          for p in self._part(part)]  # fmt: skip
        made = value(*found)
        return self._home(word, made)

    def _arguments(self, *, quoted: bool, part: s.Param) -> list[Value]:
        held = self.state.arguments
        if held is None:
            return [(Hole(splits=True),)]
        if quoted:
            return list(held)
        if part.quoted:
            pieces: list[str | Hole] = []
            for at, one in enumerate(held):
                pieces += [" ", *one] if at else [*one]
            return [value(*pieces)]
        made: list[Value] = []
        for one in held:
            text = plain(one)
            if text is None:
                made.append(tuple(_loose(p) for p in one))
            else:
                last = _splits(text, None, made)
                made += [last] if last is not None else []
        return made

    def _part(self, part: s.Part) -> Value:
        if isinstance(part, s.Lit):
            return (part.text,)
        if isinstance(part, s.Param):
            return self._param(part)
        if isinstance(part, s.CommandSub):
            ends = self.machine.substitution(part.body, self.state, self.frame)
            if ends:
                self.substituted = ends
                self._ran(_all(ends, self.state), self._asked_after(ends))
            return (Hole(splits=not part.quoted),)
        if isinstance(part, s.Arith):
            return self.arithmetic(part.text.removeprefix("$((").removesuffix("))"))
        if part.body is not None:
            after = self.machine.aside(part.body, self.state, self.frame)
            self._ran(after, self.state.status)
        elif self.machine.dialect != "bash":
            self.machine.odd = True
        return (Hole(splits=True),)

    def _ran(self, after: State, status: int) -> None:
        """Takes over what a part of a word ran. A shell that ends at an earlier part does not."""
        must = self.state.must if self.ends else after.must
        self.state = replace(after, must=must, status=status)

    def _asked_after(self, ends: list[State]) -> int:
        """What `$?` is in later words: in bash that of the substitution, in dash what it was."""
        seen = set[int]()
        if self.machine.dialect != "bash":
            seen.add(self.state.status)
        if self.machine.dialect != "dash":
            seen |= {e.status for e in ends}
        return seen.pop() if len(seen) == 1 else ANY

    def arithmetic(self, text: str) -> Value:
        plain_text = ""
        for token in _tokens(text):
            name = token.lstrip("$").strip("{}")
            if name.isidentifier():
                if "nounset" in self.state.flags and self.state.vars.get(name) is None:
                    self.frame.exits.append(self.state.with_status(NONZERO))
                held = plain(self._held(name))
                if held is None or not held.lstrip("-").isdigit():
                    return (Hole("number"),) if "=" not in text else UNKNOWN
                plain_text += f"({held})"
            else:
                plain_text += token
        got = counted(plain_text)
        return (Hole("number"),) if got is None else (str(got),)

    def _held(self, name: str) -> Value:
        held = self.state.vars.get(name, UNKNOWN)
        return EMPTY if held is None else held

    def _raw(self, name: str) -> Value | None:
        """What the parameter holds, None when it is not set."""
        arguments = self.state.arguments
        if name == "?":
            status = self.state.status
            if status == ANY:
                return (Hole("number"),)
            return (Hole("nonzero"),) if status == NONZERO else (str(status),)
        if name == "#":
            return (Hole("number"),) if arguments is None else (str(len(arguments)),)
        if name == "0":
            return self.machine.name
        if name.isdigit():
            if arguments is None:
                return UNKNOWN
            at = int(name[:6])
            return arguments[at - 1] if at <= len(arguments) else None
        if name in ("@", "*"):
            if arguments is None:
                return UNKNOWN
            return (" ".join(plain(a) or "x" for a in arguments),) if arguments else None
        if name == "$":
            return SELF
        if name in "!-":
            return UNKNOWN
        return self.state.vars.get(name, UNKNOWN)

    def _param(self, part: s.Param) -> Value:
        held = self._raw(part.name)
        open_ = not part.quoted
        known = part.name.isdigit() or part.name in "?#@*$!-" or part.name in self.state.vars
        if part.op.lstrip(":") not in ("-", "=", "?", "+") or part.size:
            self._asked_for(part, held, known=known)
        if part.size:
            text = plain(held or EMPTY)
            return (Hole("number"),) if text is None or part.name in "@*" else (str(len(text)),)
        if not part.op:
            return _opened(held or EMPTY, open_=open_)
        if part.op.lstrip(":") in ("-", "=", "?", "+"):
            return self._default(part, held, known=known)
        pattern = self.joined(part.operand)
        text, wanted = plain(held or EMPTY), plain(pattern)
        got = trimmed(text, part.op, wanted) if text is not None and wanted is not None else None
        return (Hole(splits=open_),) if got is None else (got,)

    def _asked_for(self, part: s.Param, held: Value | None, *, known: bool) -> None:
        """`set -u`: what is not set ends the shell."""
        if "nounset" not in self.state.flags or part.name in ("@", "*"):
            return
        if held is None:
            self.ends = True
        elif not known:
            self.frame.exits.append(self.state.with_status(NONZERO))

    def _default(self, part: s.Param, held: Value | None, *, known: bool) -> Value:
        """`${x:-w}` and its kin; both are looked at where it is not known whether x is set."""
        op, colon = part.op.lstrip(":"), part.op.startswith(":")
        if held is None or (colon and known and held == EMPTY):
            some: bool | None = False
        elif known and (not colon or certainly_some(held)):
            some = True
        else:
            some = None
        wanted = (op == "+") == bool(some) if some is not None else None
        if op == "?":
            if some is False:
                self.ends = True
            elif some is None:
                self.frame.exits.append(self.state.with_status(NONZERO))
            return _opened(held or EMPTY, open_=not part.quoted)
        if wanted is False:
            return EMPTY if op == "+" else _opened(held or EMPTY, open_=not part.quoted)
        before, ended = self.state, self.ends
        operand = self.joined(part.operand)
        if wanted is None:
            if self.ends and not ended:
                self.frame.exits.append(self.state.with_status(NONZERO))
                self.ends = False
            self.state = replace(before, failed=before.failed | self.state.failed)
            operand = UNKNOWN if operand != held else held or EMPTY
        if op == "=":
            self.state = self.state.with_var(part.name, operand)
        return _opened(operand, open_=not part.quoted)


def _opened(of: Value, *, open_: bool) -> Value:
    return tuple(_loose(p) for p in of) if open_ else of


def _loose(piece: str | Hole) -> str | Hole:
    if isinstance(piece, Hole) and piece.kind == "any":
        return replace(piece, splits=True)
    if isinstance(piece, str) and _PATTERN.search(piece):
        return Hole("glob")
    return piece


def _all(ends: list[State], before: State) -> State:
    must, failed = ends[0].must, 0
    for end in ends:
        must &= end.must
        failed |= end.failed
    blurred = any(e.blurred for e in ends)
    return replace(before, must=must, failed=failed, blurred=before.blurred or blurred)


def _splits(text: str, current: Value | None, made: list[Value]) -> Value | None:
    """Splits plain text at blanks into `made`; what it ends with may go on."""
    parts = text.split()
    if not text:
        return current
    if text[0].isspace() and current is not None:
        made.append(current)
        current = None
    for at, one in enumerate(parts):
        if at and current is not None:
            made.append(current)
            current = None
        piece: str | Hole = Hole("glob") if _PATTERN.search(one) else one
        current = value(*(current or ()), piece)
    if text[-1].isspace() and current is not None and parts:
        made.append(current)
        current = None
    return current


def _tokens(text: str) -> list[str]:
    return re.findall(r"\$?\{?[A-Za-z_]\w*\}?|\d+|\S", text)
