"""An act in a process of its own, under limits of processor time, memory and time.

The process is a fork of this one: what is looked at need not be handed over, and what the act
says comes back object by object. It ends by itself at a limit (the kernel sees to that), and
with this process, however that ends: ADR 23.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import mmap
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar

from collector.errors import BadInput, FactError, PastLimit
from collector.i18n.message import msg

T = TypeVar("T")
_PR_SET_PDEATHSIG = 1
# what an act may say before anybody listens; bytes
_AHEAD = 1 << 20
_LONGEST_NAME = 256
_SAID, _END, _TROUBLE = range(3)
Act = Callable[[Callable[[object], None], Callable[[str], None]], None]
# a pipe end that a fork of another thread held would never come to its end
_FORKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """`step`: seconds of processor time between two places; `cpu`: in all. `memory`: bytes more

    than this process has. `seconds` that may pass: far more than `cpu`, for a machine that is busy.
    """

    step: float
    cpu: float
    memory: int
    seconds: float

    def wider(self, times: int) -> Limits:
        """As these, with so many times the time."""
        return replace(
            self, step=self.step * times, cpu=self.cpu * times, seconds=self.seconds * times
        )


# nothing seen in the field comes near: a host takes a tenth of a second, the largest two
LIMITS = Limits(step=4, cpu=8, memory=320 << 20, seconds=120)


class Confined:
    """`act(say, at)` in a process of its own.

    It gives out objects by `say(object)`, and names by `at(name)` where it is: that is where it
    was when it had to end. Raises OSError where no process can be had.
    """

    def __init__(self, act: Act, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._begun = time.monotonic()
        self._place = mmap.mmap(-1, mmap.PAGESIZE)
        self._status = 0
        self.cpu = self.seconds = 0.0
        with _FORKING:
            self._from, into = Pipe(duplex=False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(into.fileno(), fcntl.F_SETPIPE_SZ, _AHEAD)
            parent = os.getpid()
            self._child = os.fork()
            if self._child == 0:
                self._mind(act, into, parent)
            into.close()

    @property
    def place(self) -> str:
        """Where the act was last."""
        return self._place[:_LONGEST_NAME].rstrip(b"\0").decode("utf-8", "replace")

    def said(self) -> Iterator[Any]:
        """What the act says, until its end. Raises PastLimit where it was ended before.

        An error that the act raised on purpose is raised here.
        """
        late = True
        try:
            while self._from.poll(max(0.0, self._begun + self._limits.seconds - time.monotonic())):
                try:
                    kind, said = self._from.recv()
                except (EOFError, OSError):
                    late = False
                    break
                if kind == _END:
                    return
                if kind == _TROUBLE:
                    raise said()
                yield said
        finally:
            self.end()
        raise self._late() if late else self._why()

    def end(self) -> None:
        """Ends the process where it still runs."""
        if self._child == 0:
            return
        child, self._child = self._child, 0
        self._from.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            _, status, used = os.wait4(child, 0)
            self._status = os.waitstatus_to_exitcode(status)
            self.cpu = used.ru_utime + used.ru_stime
        self.seconds = time.monotonic() - self._begun

    def _late(self) -> PastLimit:
        seconds = f"{self._limits.seconds:g}"
        return PastLimit(msg("takes_too_long", seconds=seconds))

    def _why(self) -> PastLimit:
        """Why the process ended before its act did."""
        if self._status in (-signal.SIGPROF, -signal.SIGXCPU):
            step = self._status == -signal.SIGPROF
            seconds = f"{self._limits.step if step else self._limits.cpu:g}"
            return PastLimit(msg("takes_too_much_processor_time", seconds=seconds))
        return PastLimit(msg("judging_process_breaks_off"))

    def _mind(self, act: Act, into: Connection, parent: int) -> None:
        """In the new process: it never returns."""
        try:
            _bind(self._limits, parent)
            self._from.close()
            # what was there before is never looked through again
            gc.freeze()

            def say(said: object) -> None:
                into.send((_SAID, said))

            def at(name: str) -> None:
                word = name.encode("utf-8", "replace")[:_LONGEST_NAME]
                self._place[:_LONGEST_NAME] = word.ljust(_LONGEST_NAME, b"\0")
                signal.setitimer(signal.ITIMER_PROF, self._limits.step)

            at("")
            try:
                act(say, at)
                into.send((_END, None))
            except Exception as problem:  # noqa: BLE001 - raised where the act was asked for
                into.send((_TROUBLE, _again(problem)))
        finally:
            os._exit(0)


def _again(problem: Exception) -> Callable[[], Exception]:
    """What makes the same error in another process."""
    if isinstance(problem, BadInput):
        return partial(BadInput, problem.what, where=problem.where, mend=problem.mend)
    if isinstance(problem, FactError):
        return partial(type(problem), problem.read, problem.why, problem.status)
    if isinstance(problem, MemoryError):
        return partial(PastLimit, msg("takes_too_much_memory"))
    if isinstance(problem, RecursionError):
        return partial(PastLimit, msg("nested_too_deeply_to_judge"))
    return partial(RuntimeError, f"{type(problem).__name__}: {problem}")


def _bind(limits: Limits, parent: int) -> None:
    """Sets the limits in the new process, and ties it to the one that it is of."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPROF, signal.SIGXCPU):
        signal.signal(name, signal.SIG_DFL)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, ceil(limits.cpu))
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/statm", "rb") as statm:
            own = int(statm.read().split()[0]) * mmap.PAGESIZE
        _lower(resource.RLIMIT_AS, own + limits.memory)


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def within_limits(act: Callable[[], T], *, limits: Limits = LIMITS) -> T:
    """What `act` returns, had in a process of its own.

    Raises PastLimit when a limit is reached, and the BadInput and FactError that `act` raises.
    """

    def answering(say: Callable[[object], None], _: Callable[[str], None]) -> None:
        say(act())

    (found,) = Confined(answering, limits).said()
    return found  # type: ignore[no-any-return]  # what this very `act` returned


def looked_through(act: Callable[[], T], *, where: str) -> T:
    """As `within_limits`; raises BadInput, about `where`, when a limit is reached."""
    try:
        return within_limits(act)
    except PastLimit as problem:
        raise BadInput(
            msg("cannot_looked_through", problem=problem), where=where, mend=msg("see_reads_hold")
        ) from None
