"""Writes down which handlers are due, in the process of Ansible (see `due`)."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.playbook.handler import Handler
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase

from collector.run.ansible.due import VARIABLE


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible ships no types
    """Writes the journal. A handler that failed has run: its failure is told."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "hostpledge_due"

    def __init__(self) -> None:
        super().__init__()
        self._journal = os.environ.get(VARIABLE, "")
        # a handler that is a file of tasks has run once its host begins something else
        self._within: dict[str, tuple[str, str]] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Ansible's entry: `host` begins `task`."""
        if not (isinstance(task, Handler) and not _is_handler(task)):
            self._has_run(host.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        """Ansible's entry: a task ended well."""
        host, task = result.host.get_name(), result.task
        if _is_handler(task):
            if isinstance(task, TaskInclude):
                self._within[host] = _name(task)
            else:
                self._write(host, *_name(task), due=False)
        # of a loop each item tells by itself: what it notifies is known there alone
        if task.loop is None and not task.loop_with:
            self._notified(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Ansible's entry: one item of a loop ended well."""
        self._notified(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Ansible's entry: a task was not for this host."""
        if _is_handler(result.task):
            self._write(result.host.get_name(), *_name(result.task), due=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Ansible's entry: a task failed, or had no end in its time."""
        del ignore_errors
        if "timedout" in result.result:
            self._within.pop(result.host.get_name(), None)
        elif _is_handler(result.task):
            self._write(result.host.get_name(), *_name(result.task), due=False)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Ansible's entry: the connection broke."""
        self._within.pop(result.host.get_name(), None)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Ansible's entry: the end."""
        del stats
        for host in list(self._within):
            self._has_run(host)

    def _notified(self, result: Any) -> None:
        given = result.task.notify or ()
        names = [given] if isinstance(given, str) else given
        for notified in names if result.result.get("changed") else ():
            family, _, handler = notified.rpartition(" : ")
            own = family or _name(result.task)[0]
            self._write(result.host.get_name(), own, handler, due=True)

    def _has_run(self, host: str) -> None:
        if host in self._within:
            self._write(host, *self._within.pop(host), due=False)

    def _write(self, host: str, family: str, handler: str, *, due: bool) -> None:
        if self._journal:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(os.open(self._journal, flags, 0o600), "a", encoding="utf-8") as stream:
                stream.write(json.dumps([host, family, handler, due]) + "\n")


def _is_handler(task: Any) -> bool:
    return isinstance(task, Handler) and "/handlers/" in str(task.get_path())


def _name(task: Any) -> tuple[str, str]:
    """Its role, which is its family, and what it is called there."""
    role, _, name = str(task.get_name()).rpartition(" : ")
    return role, name
