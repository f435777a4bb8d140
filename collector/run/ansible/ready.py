"""Hosts made ready to be asked, each by Ansible's own executor, in the worker of one task.

It fills in a host's variables, opens the vault, finds its connection and become plugins and gives
them their options, as for any task of that host. Nothing is asked of the host yet.
"""

from __future__ import annotations

import contextvars
import importlib
import inspect
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.template import trust_as_template

from collector.run.ansible.action import SPEC, ActionModule
from collector.run.ansible.reached import option, unfit
from collector.run.collected.stream import Stream

_SSH = "ansible.plugins.connection.ssh"
_ACTION = "hostpledge_ready"
# the one argument of the role that the command leaves to each host
_OUTSIDE = "{{ collect_outside | default(true) }}"
# a lookup that asks somebody who does not answer holds its own host alone
_SECONDS = 5.0
# Ansible sleeps between them, up to half a minute, whatever time a host has left
_MOST_RETRIES = 5


class ReadyModule(ActionModule):
    """The action of one host, which its executor finds; it is asked afterwards, in a thread."""

    stream: Stream | None = None
    wanted: Callable[[], bool] | None = None
    own: Mapping[str, Any] | None = None

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: all that was wanted of Ansible is done by now."""
        del tmp, task_vars
        _, self.own = self.validate_argument_spec(argument_spec={"outside": SPEC["outside"]})
        return {"changed": False}

    def leave(self) -> None:
        """Nobody waits for this host any more."""
        if self.stream is not None:
            self.stream.leave()

    def _resumes(self) -> bool:
        return False

    def _wanted(self, given: Mapping[str, Any]) -> bool:
        return super()._wanted(given) and (self.wanted is None or self.wanted())

    @contextmanager
    def _led(self, stream: Stream) -> Iterator[None]:
        # no alarm: it would ring in another thread. A process of ssh ends with its stream
        self.stream = stream
        with stream.in_this_thread():
            yield


@dataclass(frozen=True, slots=True)
class Ready:
    """A host that may be asked. `run` calls a function as Ansible's own code of that host."""

    action: ReadyModule
    within: contextvars.Context

    def run(self, work: Callable[[ReadyModule], None]) -> None:
        """Calls `work` where Ansible knows the host's task."""
        self.within.run(work, self.action)


class Readier:
    """Lends the worker that it is made in to each host in turn.

    `names` are the hosts of the play. Raises AnsibleError where this Ansible has another form.
    """

    def __init__(self, names: list[str]) -> None:
        try:
            worker: Any = importlib.import_module("ansible.executor.process.worker").current_worker
            self._executor: Any = importlib.import_module(
                "ansible.executor.task_executor"
            ).TaskExecutor
            self._context: Any = importlib.import_module("ansible._internal._task").TaskContext
            self._given = {
                "play_context": worker._play_context,  # noqa: SLF001 - it has no other form
                "loader": worker._loader,  # noqa: SLF001
                "shared_loader_obj": worker._shared_loader_obj,  # noqa: SLF001
                "final_q": worker._final_q,  # noqa: SLF001
                "variable_manager": worker._variable_manager,  # noqa: SLF001
            }
            self._task = worker._task  # noqa: SLF001
            self._variables = worker._variable_manager  # noqa: SLF001
            self._inventory = self._variables._inventory  # noqa: SLF001
            self._takes = set(inspect.signature(self._executor.__init__).parameters)
        except (ImportError, AttributeError) as problem:
            raise AnsibleError("this Ansible has workers of another form") from problem
        self._names = names

    def ready(self, name: str) -> Ready | None:
        """The host, ready to be asked; None for one that the task of its own has to see to."""
        # whatever is wrong with its variables is told by that task, in Ansible's order
        try:
            with _alarm(_SECONDS):
                return contextvars.copy_context().run(self._ready, name)
        except (_Late, Exception):  # noqa: BLE001
            return None

    def _ready(self, name: str) -> Ready | None:
        host = self._inventory.get_host(name)
        task = self._task.copy(exclude_parent=True, exclude_tasks=True)
        task._parent = self._task._parent  # noqa: SLF001 - as the strategies of Ansible do
        task.action, task.args = _ACTION, {"outside": trust_as_template(_OUTSIDE)}
        variables = self._variables.get_vars(
            play=task.get_play(), host=host, task=task, _hosts=self._names, _hosts_all=self._names
        )
        given = {**self._given, "host": host, "task": task, "job_vars": variables}
        executor = self._executor(**{k: v for k, v in given.items() if k in self._takes})
        with self._entered(task, variables, name):
            executor.run()
            within = contextvars.copy_context()
        action = getattr(executor, "_handler", None)
        if not isinstance(action, ReadyModule) or action.own is None or not _plain(action):
            return None
        return Ready(action, within)

    def _entered(self, task: Any, variables: dict[str, Any], name: str) -> Any:
        if "create" in vars(self._context):
            return self._context.create(task=task, task_vars=variables, host_name=name)
        return self._context(task)


def _plain(action: ReadyModule) -> bool:
    """Is it reached by OpenSSH alone, as Ansible's own plugin calls it?"""
    connection, context = action._connection, action._play_context  # noqa: SLF001 - our own kind
    # a plugin of the user's may bear the same name
    if type(connection).__module__ != _SSH or not _ansibles_own(type(connection)):
        return False
    if unfit(connection, context) or getattr(connection._shell, "_IS_WINDOWS", False):  # noqa: SLF001
        return False
    # it may close a handle twice, which is another host's where they share a process
    by_sshpass = option(connection, "password_mechanism") == "sshpass"
    if by_sshpass and (option(connection, "password") or context.password):
        return False
    # these talk to more than ssh
    if option(connection, "pkcs11_provider") or option(connection, "private_key"):
        return False
    return int(option(connection, "reconnection_retries") or 0) <= _MOST_RETRIES


def _ansibles_own(plugin: type[Any]) -> bool:
    place = importlib.import_module("ansible.plugins.connection").__file__
    return Path(inspect.getfile(plugin)).parent == Path(str(place)).parent


class _Late(BaseException):
    """The alarm went off; no plugin must catch it on the way."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
