"""Runs the tree of a script over states: every end that a command may take is followed.

POSIX.1-2017 XCU 2.8 to 2.12 and `set -e`. An external command may end well or fail; what it prints
and what files hold is not known. Steps are counted: a script that would take more is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collector.facts.shell import syntax as s
from collector.facts.shell.compounds import RUNNERS
from collector.facts.shell.expansion import Expander
from collector.facts.shell.sites import Sites
from collector.facts.shell.state import ANY, NONZERO, Frame, State, merged
from collector.facts.shell.stops import cannot_start, noexec
from collector.facts.shell.values import EMPTY, Value, plain

STEPS = 20_000


class OutOfStepsError(Exception):
    """The script takes more than the model goes through."""


class Machine:
    """`dialect` is `bash`, `dash` or `sh` (either of them); `scripts` are texts by path.

    `odd` is set by what one of the two would not run as the other does. `settings` says that a file
    that is sourced and not known only sets variables.
    """

    def __init__(
        self,
        dialect: str,
        scripts: Mapping[str, str],
        name: Value,
        *,
        settings: bool,
        unable: frozenset[str] = frozenset(),
    ) -> None:
        self.dialect, self.scripts, self.name, self.settings = dialect, scripts, name, settings
        self.sites = Sites()
        self.steps = STEPS
        self.odd = False
        self.lost = False
        self.waited = False
        self.background = 0
        # sites whose status may or may not be passed on
        self.unclear = 0
        self.endless: list[State] = []
        self.signals: list[Value] = []
        # paths of scripts that execve(2) does not start
        self.unable = unable
        # paths of the scripts that are gone through now, one within the other
        self.running: list[str] = []
        # does a function look at the status of what was run before it?
        self.asking = False

    def never_starts(self, path: str) -> bool:
        """Does a script that is called by its path surely not run?"""
        return path in self.unable or cannot_start(self.scripts[path])

    def spend(self, much: int = 1) -> None:
        self.steps -= much
        if self.steps < 0:
            raise OutOfStepsError

    def run(self, node: s.Node, states: list[State], frame: Frame) -> list[State]:
        """The states after `node`, status set; those that leave it are in the frame."""
        found: list[State] = []
        for state in states:
            self.spend(1 + (len(state.vars) >> 4) + (state.must.bit_length() >> 9))
            found += RUNNERS[type(node)](self, node, state, frame)
        return merged(found)

    def lose(self, state: State, frame: Frame, node: s.Odd | None = None) -> list[State]:
        """From here on nothing is told: it may also end here."""
        self.lost = True
        gone = replace(state, lost=True, status=ANY)
        frame.exits.append(gone)
        if frame.returns is not None:
            frame.returns.append(gone)
        for inside in node.inside if node is not None else ():
            expander = Expander(self, gone, Frame())
            words = [expander.joined(w) for w in inside.words if _static(w)]
            if words and len(words) == len(inside.words):
                self.sites.visit(inside, words, gone)
        return [gone]

    def checked(self, states: list[State], frame: Frame) -> list[State]:
        """`set -e`: those that failed end the shell here. And the ERR trap of bash."""
        found = []
        for state in states:
            if state.status == 0 or frame.guarded:
                found.append(state)
                continue
            if (
                "ERR" in state.traps
                and not frame.sub
                and (frame.returns is None or "errtrace" in state.flags)
            ):
                found += self._on_error(state, frame)
                continue
            found += self.left(state, frame)
        return merged(found)

    def left(self, state: State, frame: Frame) -> list[State]:
        if state.status == 0 or "errexit" not in state.flags:
            return [state]
        frame.exits.append(state.with_status(NONZERO if state.status == ANY else state.status))
        return [state.with_status(0)] if state.status == ANY else []

    def _on_error(self, state: State, frame: Frame) -> list[State]:
        text = plain(state.traps["ERR"])
        if text is None:
            return self.lose(state, frame)
        from collector.facts.shell.parser import parse

        found = [state.with_status(0)] if state.status == ANY else []
        quiet = replace(state, traps={k: v for k, v in state.traps.items() if k != "ERR"})
        for end in self.run(parse(text), [quiet], frame):
            back = replace(end, traps=state.traps, status=state.status)
            found += self.left(back, frame)
        return found

    def subshell(
        self, node: s.Node, state: State, frame: Frame, *, piped: bool = False
    ) -> list[State]:
        """A copy of the shell runs `node`; of it only what was run, and the status, come back."""
        self.spend(2)
        inner = Frame(
            guarded=frame.guarded,
            piped=piped or frame.piped,
            depth=frame.depth + 1,
            sub=True,
            returns=[] if frame.returns is not None else None,
            stdin=frame.stdin,
            unsure=frame.unsure,
            inside=frame.inside,
        )
        inner.loops = [([], []) for _ in frame.loops]
        if frame.depth > 30:
            return self.lose(state, frame)
        quiet = {k: v for k, v in state.traps.items() if not plain(v) and plain(v) is not None}
        child = replace(state, traps=quiet, status=state.status)
        ends = self.run(node, [child], inner) + inner.exits + (inner.returns or [])
        for left, again in inner.loops:
            ends += [x.with_status(0) for x in left + again]
        return self.back(self.trapped(ends, inner), state)

    def back(self, ends: list[State], state: State) -> list[State]:
        """What the ends of another shell are to the one that waited for it."""
        return merged(
            replace(
                state,
                must=end.must,
                failed=end.failed,
                status=end.status,
                blurred=end.blurred or state.blurred or (end.lost and not state.lost),
            )
            for end in ends
        )

    def trapped(self, ends: list[State], frame: Frame) -> list[State]:
        """The ends of a shell after its EXIT trap was run."""
        from collector.facts.shell.parser import parse

        found: list[State] = []
        for end in merged(ends):
            action = end.traps.get("EXIT", EMPTY)
            text = plain(action)
            if action == EMPTY:
                found.append(end)
                continue
            if text is None:
                self.lost = True
                found.append(replace(end, lost=True, status=ANY))
                continue
            inner = Frame(depth=frame.depth + 1, sub=frame.sub, inside=frame.inside)
            quiet = replace(end, traps={k: v for k, v in end.traps.items() if k != "EXIT"})
            after = self.run(parse(text), [quiet], inner)
            found += [x.with_status(end.status) if not x.lost else x for x in after]
            found += inner.exits
        return merged(found)

    def program(
        self, text: str, child: State, inner: Frame, state: State, *, shell: str
    ) -> list[State] | None:
        """Another script, run by a shell of its own; None where it is none of a shell.

        `shell` names the one that is given it. Where it is empty its first line does, and the
        options there count then only.
        """
        from collector.facts.shell.parser import parse
        from collector.facts.shell.program import SHELLS, dialect_of, flags_of

        held = self.dialect, self.asking
        if shell:
            self.dialect = SHELLS.get(shell, self.dialect)
        else:
            self.dialect, options = dialect_of(text)
            child = replace(child, flags=child.flags | flags_of(options))
            text = "" if noexec(options) else text
        if self.dialect == "other":
            self.dialect = held[0]
            return None
        self.asking = self.asking or "$?" in text
        ends = self.run(parse(text), [child], inner) + inner.exits
        found = self.back(self.trapped(ends, inner), state)
        self.dialect, self.asking = held
        return found

    def substitution(self, body: s.Seq, state: State, frame: Frame) -> list[State]:
        """`$(…)`. In bash `set -e` does not count there, in dash it does."""
        ends: list[State] = []
        inner = Frame(
            depth=frame.depth,
            sub=True,
            returns=[],
            stdin=frame.stdin,
            unsure=frame.unsure,
            inside=frame.inside,
        )
        if self.dialect != "dash":
            calm = replace(state, flags=state.flags - {"errexit"})
            ends += self.back(self.subshell(body, calm, inner), state)
        if self.dialect != "bash":
            ends += self.subshell(body, state, inner)
        return merged(ends)

    def aside(self, body: s.Node, state: State, frame: Frame) -> State:
        """Run beside the script: it is reached, and its status goes nowhere."""
        before = state.failed
        beside = Frame(depth=frame.depth, sub=True, unsure=frame.unsure, inside=frame.inside)
        ends = self.subshell(body, state, beside)
        must, failed = ends[0].must if ends else state.must, before
        for end in ends:
            must &= end.must
            failed |= end.failed
        self.background |= failed & ~before
        return replace(state, must=must, failed=failed, status=0)

    def guarded(self, node: s.Node, states: list[State], frame: Frame) -> list[State]:
        held, frame.guarded = frame.guarded, True
        try:
            return self.run(node, states, frame)
        finally:
            frame.guarded = held

    def tested(
        self, node: s.Node, states: list[State], frame: Frame
    ) -> tuple[list[State], list[State]]:
        """Those in which the condition held, and those in which it did not."""
        yes, no = [], []
        for end in self.guarded(node, states, frame):
            if end.status in (0, ANY):
                yes.append(end.with_status(0))
            if end.status != 0:
                no.append(end.with_status(NONZERO if end.status == ANY else end.status))
        return merged(yes), merged(no)


def _static(word: s.Word) -> bool:
    return not any(isinstance(p, s.CommandSub | s.OddPart) for p in word.parts)
