"""What TMOUT a login shell of bash ends up with: its startup files, walked as bash runs them.

bash(1), INVOCATION. The tree is the shell engine's (`facts.shell.parser`); a condition is followed
where it is known for an interactive login shell, and what else stands under one is only told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.access.startup_conditions import (
    FOLDER,
    NAME,
    Conditions,
    Left,
    aliases,
    gives,
    is_option,
    is_param,
    mentions,
)
from collector.facts.shell import syntax as s
from collector.facts.shell.parser import parse
from collector.i18n.message import msg
from collector.model import Quote

_DEEPEST = 24
# by these a variable gets a value
_WRITERS = {"read", "printf", "eval", "let", "mapfile", "readarray", "getopts", "local"}


@dataclass(frozen=True, slots=True)
class Idle:
    """`seconds` of TMOUT (None: not set, 0: off), whether users cannot change it, the lines.

    `conditional` are lines that set it under a condition that is not known; `doubts` those of them
    that may have made it another one than is told here.
    """

    seconds: int | None = None
    fixed: bool = False
    quotes: tuple[Quote, ...] = ()
    conditional: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Walk:
    """One login shell. `texts` are the files by path, as far as it can read them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.state = Idle()
        self.seen: set[str] = set()
        self._path = ""
        self._bound: dict[str, str] = {}
        self._functions: dict[str, s.Node] = {}
        self._depth = 0
        self._inside = False
        self._conditions = Conditions(texts, self._bound, self._set_now)

    def file(self, path: str, *, certain: bool = True) -> None:
        """Raises NotUnderstood."""
        text = self.texts.get(path)
        if text is None or self._depth > _DEEPEST:
            return
        self.seen.add(path)
        before, self._path = self._path, path
        self._depth += 1
        self._node(parse(text), certain, Left())
        self._depth -= 1
        self._path = before

    def _node(self, node: s.Node, certain: bool, left: Left) -> None:
        match node:
            case s.Seq(items):
                for item in items:
                    if left.sure:
                        return
                    if not item.background:
                        self._node(item.node, certain and not left.perhaps, left)
            case s.Group(body) | s.Redirected(body, _):
                self._node(body, certain, left)
            case s.If():
                self._branches([*node.branches], node.otherwise, certain, left)
            case s.AndOr(first, rest):
                self._and_or(first, rest, certain, left)
            case s.Case():
                self._case(node, certain, left)
            case s.For():
                self._for(node, certain, left)
            case s.Loop(condition, body, until):
                if self._conditions.holds(condition) is not until:
                    self._apart(body, left, certain=False)
            case s.Function(name, body):
                self._functions[name] = body
            case s.Declare():
                self._declare(node, certain)
            case s.Simple():
                self._simple(node, certain, left)
            case _:
                self._other(node, certain, left)

    def _other(self, node: s.Node, certain: bool, left: Left) -> None:
        if isinstance(node, s.ArithCommand) and NAME in node.text:
            self._unclear(certain, NAME)
        elif isinstance(node, s.Odd):
            # what cannot be followed may leave the file, too
            left.perhaps.add("return")

    def _set_now(self) -> bool | None:
        return None if self.state.doubts else self.state.seconds is not None

    def _apart(self, body: s.Node, left: Left, *, certain: bool) -> None:
        """A block that is perhaps run: where it leaves the file, what follows is run perhaps."""
        inner = Left()
        self._node(body, certain, inner)
        left.perhaps |= inner.perhaps | ({inner.sure} if inner.sure else set())

    def _branches(
        self,
        branches: list[tuple[s.Seq, s.Seq]],
        otherwise: s.Seq | None,
        certain: bool,
        left: Left,
    ) -> None:
        if certain and otherwise is not None and not left.perhaps:
            conditions = [condition for condition, _ in branches]
            if all(self._conditions.holds(c) is None for c in conditions) and self._either(
                [*(body for _, body in branches), otherwise]
            ):
                return
        open_ = False
        for condition, body in branches:
            held = self._conditions.holds(condition)
            if held is False:
                continue
            if held and not open_:
                self._node(body, certain, left)
                return
            self._apart(body, left, certain=False)
            if held:
                return
            open_ = True
        if otherwise is not None and open_:
            self._apart(otherwise, left, certain=False)
        elif otherwise is not None:
            self._node(otherwise, certain, left)

    def _either(self, bodies: list[s.Seq]) -> bool:
        """One of these blocks is run: the longest TMOUT, if each sets one and all fix it or none.

        False, and nothing is changed, where that is not so.
        """
        before, ends = self.state, []
        for body in bodies:
            self.state, inner = before, Left()
            try:
                self._node(body, True, inner)
            except NotUnderstood:
                inner.sure = "untold"
            end, self.state = self.state, before
            left = inner.sure or inner.perhaps or end.doubts
            if left or end.seconds is None or end.conditional != before.conditional:
                return False
            if end.quotes == before.quotes:
                return False
            ends.append(end)
        if len({end.fixed for end in ends}) > 1:
            return False
        self.state = max(ends, key=lambda e: e.seconds or math.inf)
        return True

    def _and_or(
        self, first: s.Node, rest: tuple[tuple[str, s.Node], ...], certain: bool, left: Left
    ) -> None:
        held = self._conditions.holds(first)
        if held is None:
            self._node(first, certain, left)
        for operator, node in rest:
            wanted = operator == "&&"
            if held is not None and held is not wanted:
                continue
            if held is None:
                self._apart(node, left, certain=False)
            else:
                self._node(node, certain, left)
            held = None if held is None else self._conditions.holds(node)
            if left.sure:
                return

    def _case(self, node: s.Case, certain: bool, left: Left) -> None:
        # the read puts PS1 in the place of the flags, and `i` in that of `*i*`
        flags = len(node.word.parts) == 1 and any(
            is_param(node.word.parts[0], n) for n in ("-", "PS1")
        )
        open_ = not flags
        for patterns, body, _ in node.branches:
            texts = [p.literal for p in patterns]
            if flags and not open_ and None not in texts:
                # of an interactive login shell, as bash prints them
                if "i" in texts or any(fnmatchcase("himBHs", t or "") for t in texts):
                    self._node(body, certain, left)
                    return
                continue
            self._apart(body, left, certain=False)
            open_ = True

    def _for(self, node: s.For, certain: bool, left: Left) -> None:
        if node.name == NAME:
            self._unclear(certain, f"for {NAME}")
        folder = node.words is not None and any(mentions(w, FOLDER) for w in node.words)
        if not folder:
            self._apart(node.body, left, certain=False)
            return
        inner = Left()
        for path in sorted(p for p in self.texts if p.startswith(FOLDER)):
            self._bound[node.name] = path
            self._node(node.body, certain and not inner.perhaps, inner)
            inner.perhaps.discard("continue")
            if inner.sure == "continue":
                inner.sure = ""
            if inner.sure:
                break
        self._bound.pop(node.name, None)
        if inner.sure in ("return", "exit"):
            left.sure = inner.sure
        left.perhaps |= inner.perhaps & {"return", "exit"}

    def _simple(self, node: s.Simple, certain: bool, left: Left) -> None:
        if not node.words:
            for assign in node.assigns:
                if assign.name == NAME:
                    self._assign(assign, certain, fixes=False)
            return
        name, rest = node.words[0].literal or "", node.words[1:]
        if name in ("return", "exit", "break", "continue"):
            if certain:
                left.sure = name
            else:
                left.perhaps.add(name)
        elif name in (".", "source") and rest:
            self._source(rest[0], certain)
        elif name == "unset" and any(w.literal == NAME for w in rest):
            self._set(None, certain, ("unset", NAME))
        elif name == "exec" and rest:
            self._doubt("exec")
        elif name in self._functions and self._depth < _DEEPEST:
            self._depth += 1
            before, self._inside = self._inside, True
            inner = Left()
            self._node(self._functions[name], certain, inner)
            self._inside, self._depth = before, self._depth - 1
            left.perhaps |= (inner.perhaps | {inner.sure}) & {"exit"}
        elif (
            (name in _WRITERS and any(mentions(w, NAME) for w in rest))
            or (name == "alias" and any(aliases(w) for w in rest))
            or any(gives(w) for w in node.words)
        ):
            self._unclear(certain, name)

    def _source(self, word: s.Word, certain: bool) -> None:
        path = word.literal or self._conditions.resolved(word)
        if path in self.texts and path not in ("/etc/profile", self._path):
            self.file(path, certain=certain)
        elif self.state.seconds is not None and not self.state.fixed:
            self._doubt("source")

    def _declare(self, node: s.Declare, certain: bool) -> None:
        options = "".join(
            i.literal or "" for i in node.items if isinstance(i, s.Word) and is_option(i)
        )
        if node.keyword == "local" or (
            self._inside and node.keyword in ("declare", "typeset") and "g" not in options
        ):
            return
        fixes = node.keyword == "readonly" or "r" in options
        for item in node.items:
            if isinstance(item, s.Assign) and item.name == NAME:
                self._assign(item, certain, fixes=fixes)
            elif isinstance(item, s.Word) and item.literal == NAME and node.keyword != "local":
                self._fix(certain, node.keyword, fixes=fixes)

    def _assign(self, assign: s.Assign, certain: bool, *, fixes: bool) -> None:
        value = None if assign.word is None else assign.word.literal
        if not certain:
            self._perhaps((f"{NAME}=", value or ""), lasting=fixes)
            return
        if value is None or assign.append or not re.fullmatch(r"\d{1,9}", value):
            self._unclear(certain, NAME)
            return
        self._set(int(value), certain, (f"{NAME}=", value))
        if fixes and not self.state.fixed:
            self.state = replace(self.state, fixed=True)

    def _set(self, seconds: int | None, certain: bool, words: tuple[str, ...]) -> None:
        if self.state.fixed:
            return  # bash refuses: it is readonly
        if not certain:
            self._perhaps(words, lasting=False)
            return
        held = tuple(d for d in self.state.doubts if d.endswith("!"))
        self.state = replace(
            self.state,
            seconds=seconds,
            quotes=(*self.state.quotes, self._quote(*words)),
            doubts=held,
        )

    def _fix(self, certain: bool, keyword: str, *, fixes: bool) -> None:
        if self.state.fixed:
            return
        if not certain:
            self._perhaps((keyword, NAME), lasting=fixes)
            return
        quotes = (*self.state.quotes, self._quote(keyword, NAME))
        self.state = replace(self.state, fixed=self.state.fixed or fixes, quotes=quotes)

    def _perhaps(self, words: tuple[str, ...], *, lasting: bool) -> None:
        """`lasting`: no later assignment undoes it."""
        line = f"{self._path}: {self._quote(*words).lines[0]}"
        state = self.state
        doubts = state.doubts if state.fixed else (*state.doubts, line + ("!" if lasting else ""))
        self.state = replace(state, conditional=(*state.conditional, line), doubts=doubts)

    def _doubt(self, word: str) -> None:
        if not self.state.fixed or word == "exec":
            line = f"{self._path}: {self._quote(word).lines[0]}!"
            self.state = replace(self.state, doubts=(*self.state.doubts, line))

    def _unclear(self, certain: bool, word: str) -> None:
        if self.state.fixed:
            return
        line = self._quote(word, NAME).lines[0]
        if certain:
            raise NotUnderstood("startup.shell", msg("at", where=self._path, what=repr(line)))
        self._perhaps((word, NAME), lasting=True)

    def _quote(self, *words: str) -> Quote:
        """The first line that holds all of these words."""
        lines = [x.strip() for x in self.texts.get(self._path, "").splitlines()]
        hit = [x for x in lines if all(w in x for w in words)]
        some = hit or [x for x in lines if any(w in x for w in words)]
        return Quote("startup.shell", (some[0] if some else words[0],), self._path)
