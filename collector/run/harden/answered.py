"""Holds what the modules of a host answer to its bounds, in the process of Ansible."""

from __future__ import annotations

import functools
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ansible.errors import AnsibleActionFail
from ansible.executor.task_executor import TaskExecutor
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display

from collector.run.harden.answers import (
    FOLDER,
    LARGEST,
    LOOK,
    MOST,
    SECONDS,
    THOUGHT,
    OddAnswer,
    Spent,
    of_a_module,
    shown,
)
from collector.run.probes.looking import LOOKED, Looks


def bind() -> None:
    """From now on in this process and its workers; a second time changes nothing."""
    if os.environ.get(FOLDER) and not hasattr(ActionBase._execute_module, "__wrapped__"):  # noqa: SLF001
        ActionBase._execute_module = _answering(ActionBase._execute_module)  # noqa: SLF001
        ActionBase._low_level_execute_command = _asking(  # noqa: SLF001
            ActionBase._low_level_execute_command  # noqa: SLF001
        )
        ActionBase._transfer_file = _handing(ActionBase._transfer_file)  # noqa: SLF001
        TaskExecutor.run = _thinking(TaskExecutor.run)
        Display.display = _shown(Display.display)
        # callbacks compare in the process of all hosts, whatever the difference was made of
        CallbackBase._get_diff = _comparing(CallbackBase._get_diff)  # noqa: SLF001


def _answering(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: ActionBase, *given: Any, **named: Any) -> Any:
        try:
            return of_a_module(original(self, *given, **named), str(self._task.action))
        except OddAnswer:
            raise AnsibleActionFail("a module answered what none does") from None

    return execute


def _asking(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def ask(self: ActionBase, *given: Any, **named: Any) -> Any:
        answer = _timed(self, original, *given, **named)
        # before anybody reads it: what is no answer of a module is told to people as well
        size = sum(len(str(answer.get(stream) or "")) for stream in ("stdout", "stderr"))
        # what such an action asks of a module goes on, as of any other
        if isinstance(self, Looks) and given[:1] == (LOOKED,):
            if size > LOOK:
                raise _past("bytes", LOOK)
        else:
            _count(_host(self), size)
        return answer

    return ask


def _handing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def hand(self: ActionBase, *given: Any, **named: Any) -> Any:
        return _timed(self, original, *given, **named)

    return hand


def _timed(action: ActionBase, original: Callable[..., Any], *given: Any, **named: Any) -> Any:
    spent, most = Spent.of(_host(action)), int(os.environ.get(SECONDS) or 0)
    if most and spent.seconds > most:
        raise _past("seconds", most)
    began = time.monotonic()
    try:
        return original(action, *given, **named)
    finally:
        spent.add(took=time.monotonic() - began)


class _Late(BaseException):
    """A task has thought for too long; nothing on the way may take it for an error of its own."""


def _thinking(original: Callable[..., Any]) -> Callable[..., Any]:
    """Ends a task that computes without end: each is a process of its own, and all wait for it.

    What a host answered is looked through by the patterns and the loops of our roles.
    """
    most = int(os.environ.get(THOUGHT) or 0)

    @functools.wraps(original)
    def run(self: TaskExecutor) -> Any:
        def ring(*_: object) -> NoReturn:
            raise _Late

        def past() -> NoReturn:
            raise _past("seconds", most)

        before, began = signal.signal(signal.SIGPROF, ring), _processor()
        try:
            # again and again, for whoever would go on after the first
            signal.setitimer(signal.ITIMER_PROF, most, 1)
            return original(self)
        except _Late:
            signal.setitimer(signal.ITIMER_PROF, 0)
            # Ansible itself makes its answer of a failure
            self._get_loop_items = past
            return original(self)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            Spent.of(str(self._host.name)).add(took=_processor() - began)

    return run


def _processor() -> float:
    """Seconds of processor time of this process alone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _shown(original: Callable[..., Any]) -> Callable[..., Any]:
    """What hosts say holds no control characters: to who follows the play they are events of it."""

    @functools.wraps(original)
    def display(self: Display, msg: Any, *given: Any, **named: Any) -> Any:
        return original(self, str(msg).replace("\x1b", "?"), *given, **named)

    return display


def _comparing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compare(self: CallbackBase, difference: Any) -> Any:
        return original(self, shown(difference))

    return compare


def _count(host: str, size: int) -> None:
    """Raises AnsibleActionFail past a bound."""
    spent = Spent.of(host)
    spent.add(answered=size)
    if size > LARGEST or spent.bytes > MOST:
        most = LARGEST if size > LARGEST else MOST
        raise _past("bytes", most)


def _past(bound: str, most: int) -> AnsibleActionFail:
    """Told as a step without an end is: each role leaves such a host, and asks it no more."""
    told = {"timedout": {"period": most, "bound": bound}}
    return AnsibleActionFail(f"past its bound of {most} {bound}", result=told)


def _host(action: ActionBase) -> str:
    """The host of the inventory, to whomever the task is delegated."""
    return str(action._templar.available_variables.get("inventory_hostname") or "")  # noqa: SLF001
