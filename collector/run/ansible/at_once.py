"""The action of one task for all hosts that plain ssh reaches: a worker that asks many at a time.

What is done at a host is the very code of the action of one host, and of Ansible's connection
plugin; it runs in a thread of its own, which sleeps as long as ssh does. Who is not asked here, for
whatever reason, has no line in the journal afterwards, and is asked by the task of one host.
"""

from __future__ import annotations

import fcntl
import os
import queue
import resource
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals, signal
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from collector.errors import CollectorError
from collector.run.ansible.action import SPEC, connection_modules, ours
from collector.run.ansible.driver import driver_alive
from collector.run.ansible.ready import Readier, Ready, ReadyModule
from collector.run.collected.locks import lock
from collector.run.collected.run_folder import RunFolder
from collector.run.collected.stream import led

# pipes of a process, its file, what watches it; and what a worker has open anyway
_HANDLES, _OWN_HANDLES = 12, 200
_LOOKS = 1.0
# beyond a host's own seconds: its listeners are asked from here too, and all is written down
_GRACE = 60.0
# filling in variables is one after the other here, and in many workers side by side otherwise
_FIRST, _EACH = 10.0, 0.1


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Asks the hosts of the play. Needs a command that looks after those that were left out."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: how many were asked."""
        variables = dict(task_vars or {})
        result: dict[str, Any] = super().run(tmp, variables)
        _, given = self.validate_argument_spec(
            argument_spec={
                **SPEC,
                "driver": {"type": "str", "required": True},
                "forks": {"type": "int", "required": True},
            }
        )
        names = [str(name) for name in variables["ansible_play_hosts_all"]]
        try:
            folder = RunFolder.open(Path(given["output"]))
            with lock(folder.path / "workers.lock", fcntl.LOCK_SH, 60) as taken:
                if not taken:
                    raise ours(f"another hostpledge is at work in {folder.path}")
                asked = _Asking(folder, given).all(names, Readier(names))
        except CollectorError as problem:
            raise ours(str(problem)) from None
        return result | {"changed": False, "asked": asked}


class _Asking:
    """The hosts that are being asked: never more than `forks`, and none after its time."""

    def __init__(self, folder: RunFolder, given: Mapping[str, Any]) -> None:
        self._folder = folder
        self._given = given
        self._most = _handles_for(int(given["forks"]))
        self._parent = os.getppid()
        self._running: dict[str, tuple[ReadyModule, float]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def all(self, names: Sequence[str], readier: Readier) -> int:
        """How many were asked. Raises AnsibleError when nobody waits for the others any more."""
        left = iter(names)
        asked, more, spent, most_spent = 0, True, 0.0, _FIRST + _EACH * len(names)
        with led(connection_modules()), _on_signals(self._leave):
            try:
                while more or self._running:
                    while more and len(self._running) < self._most:
                        self._look()
                        begun = time.monotonic()
                        name = next(left, None)
                        ready = readier.ready(name) if name is not None else None
                        spent += time.monotonic() - begun
                        more = name is not None and spent < most_spent
                        if name is not None and ready is not None:
                            self._begin(name, ready)
                            asked += 1
                    self._wait()
            finally:
                self._leave()
        return asked

    def _begin(self, name: str, ready: Ready) -> None:
        action = ready.action
        action.wanted = self._wanted
        self._running[name] = (action, time.monotonic() + self._given["seconds"] + _GRACE)

        def ask(action: ReadyModule) -> None:
            # it has no line then, and is asked once more, by the task that tells why
            with _told_elsewhere():
                action.collect(self._folder, name, {**self._given, **(action.own or {})})

        def work() -> None:
            try:
                ready.run(ask)
            finally:
                self._ended.put(name)

        threading.Thread(target=work, daemon=True).start()

    def _wait(self) -> None:
        """Until a host has ended, or it is time to look."""
        try:
            while self._running:
                self._running.pop(self._ended.get(timeout=_LOOKS), None)
                if self._ended.empty():
                    break
        except queue.Empty:
            self._look()
            now = time.monotonic()
            for name, (action, last) in list(self._running.items()):
                # no process of ssh is left by now: whatever holds it holds nobody else
                if now > last:
                    action.leave()
                    del self._running[name]

    def _wanted(self) -> bool:
        """Ansible itself may be gone, and the command go on without it."""
        return os.getppid() == self._parent

    def _look(self) -> None:
        if not (self._wanted() and driver_alive(self._given["driver"])):
            raise ours("the command that started this run is gone")

    def _leave(self) -> None:
        for action, _ in list(self._running.values()):
            action.leave()


@contextmanager
def _told_elsewhere() -> Iterator[None]:
    try:
        yield
    except (AnsibleError, CollectorError, OSError):
        return


@contextmanager
def _on_signals(leave: Callable[[], None]) -> Iterator[None]:
    """The processes of ssh have sessions of their own: a signal to this worker ends them too."""

    def end(number: int, frame: Any) -> None:
        leave()
        if callable(then := before[Signals(number)]):
            then(number, frame)

    before = {number: signal(number, end) for number in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


def _handles_for(forks: int) -> int:
    """How many hosts at a time this process has handles for, at most `forks`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = forks * _HANDLES + _OWN_HANDLES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, soft), hard))
        return max(1, min(forks, (max(most, soft) - _OWN_HANDLES) // _HANDLES))
    return forks
