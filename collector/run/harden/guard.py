"""No lock-out: a rollback armed on the host, disarmed only through a connection made anew."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from collector import catalog
from collector.errors import CollectorError
from collector.i18n.message import msg
from collector.judging.hosts import judge
from collector.model import HostStatus, Result
from collector.resources import shared
from collector.run.ansible.reached import option
from collector.run.collected import outcome
from collector.run.probes.looking import Looks

MODULE = "hostpledge_remember"
UNDO = "/var/lib/hostpledge/undo/undo.sh"
# well below what locks an account (intrusion.lockout)
_GUESSES = 2
_FRESH = "-o ControlMaster=no -o ControlPath=none"
# of what a host tells that an earlier run left
_MOST, _LONGEST = 20, 2000
_STATES = ("armed", "confirmed", "abandoned")
_THINGS: dict[str, dict[str, Any]] = {
    "family": {"type": "str", "required": True},
    "paths": {"type": "list", "elements": "str", "default": []},
    "attributes": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "list", "elements": "str", "default": []},
    "after": {"type": "list", "elements": "str", "default": []},
}


def undo_text() -> str:
    """The script that stays on the host."""
    return shared("roles", "safeguard", "files", "undo.sh").read_text(encoding="utf-8")


class RememberModule(Looks):
    """Hands the module of the same name the script that puts things back.

    A file that cannot be written is no hindrance where the control at hand is satisfied: what
    changes nothing needs nothing kept.
    """

    TRANSFERS_FILES = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: returns the module's result."""
        variables = dict(task_vars or {})
        result: dict[str, Any] = super().run(tmp, variables)
        del tmp
        _, given = self.validate_argument_spec(argument_spec=_THINGS)
        words = {**given, "undo": undo_text()}
        done: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=words, task_vars=task_vars
        )
        if done.get("barred") and self._satisfied(given["family"], variables):
            done = self._execute_module(
                module_name=MODULE, module_args={**words, "spare": True}, task_vars=task_vars
            )
        return result | _without_script(done)

    def _satisfied(self, family: str, variables: Mapping[str, Any]) -> bool:
        """Does the judge say so of the control that is being brought about?"""
        control = catalog.controls().get(f"{family}.{variables.get('harden_name')}")
        if control is None:
            return False
        self.host = str(variables.get("inventory_hostname") or "localhost")
        grade = int(self._templar.template(variables.get(f"{family}_grade", 2)))
        try:
            capture = self.captured(catalog.reads_for([control]).values())
            (finding,) = judge(capture, [control], grade=grade)
        except CollectorError:
            return False
        return finding.result is Result.PASS


class GuardModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """`armed` before a change that could cut the path, `confirmed` after it.

    `abandoned`, in a `rescue`, puts back at once what was changed since `armed`, and fails.
    """

    TRANSFERS_FILES = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: arms, or confirms."""
        result: dict[str, Any] = super().run(tmp, dict(task_vars or {}))
        del tmp
        _, given = self.validate_argument_spec(
            argument_spec={
                **_THINGS,
                "state": {"type": "str", "choices": list(_STATES), "required": True},
                "seconds": {"type": "int", "default": 60},
            }
        )
        if self._task.check_mode:
            return result | {"changed": False}
        if given["state"] == "armed":
            return result | self._arm(given, task_vars)
        if given["state"] == "abandoned":
            return result | self._abandon(given["family"], task_vars)
        return result | self._confirm(given["family"], task_vars)

    def _arm(self, given: Mapping[str, Any], task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        if not 5 <= given["seconds"] <= 3600:
            raise AnsibleActionFail("seconds: from 5 to 3600, the time to confirm the change")
        things = {name: given[name] for name in _THINGS}
        token = secrets.token_hex(8)
        done: dict[str, Any] = self._execute_module(
            module_name=MODULE,
            module_args={
                **things,
                "undo": undo_text(),
                "token": token,
                "seconds": given["seconds"],
            },
            task_vars=task_vars,
        )
        if done.get("failed"):
            return _without_script(done)
        told: dict[str, Any] = {
            "changed": False,
            "timer": done["timer"],
            "ansible_facts": {
                _fact(given["family"]): {"token": token, "until": time.time() + given["seconds"]}
            },
        }
        if done["left_over"]:
            told["warnings"] = [str(line)[:_LONGEST] for line in [*done["left_over"]][:_MOST]]
        return told

    def _confirm(self, family: str, task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        facts = (task_vars or {}).get("ansible_facts") or {}
        armed = facts.get(_fact(family))
        if not armed:
            raise AnsibleActionFail(f"{family}: nothing was armed in this run")
        cleared = {"ansible_facts": {_fact(family): None}}
        command = f"/bin/sh {UNDO} --disarm {family} {armed['token']}"
        self._anew()
        said = "no answer"
        refused = 0
        # a server that is being reloaded refuses for a moment
        while True:
            try:
                done = self._low_level_execute_command(command)
                told = str(done["stdout"]).strip()
                said = told or str(done["stderr"]).strip() or msg("exit_status", rc=done["rc"])
                if done["rc"] == 0 and told.endswith("disarmed"):
                    return {"changed": False, **cleared}
                if done["rc"] == 3:
                    break
            except AnsibleError as problem:
                said = str(problem)
                refused += self._password_refused(said)
            if refused == _GUESSES or time.time() > armed["until"] - 1:
                break
            time.sleep(0.5)
            self._anew()
        return {"failed": True, "msg": self._rolled_back(family, said, armed["until"]), **cleared}

    def _abandon(self, family: str, task_vars: Mapping[str, Any] | None) -> dict[str, Any]:
        facts = (task_vars or {}).get("ansible_facts") or {}
        armed = facts.get(_fact(family))
        if not armed:
            return {"failed": True, "msg": f"{family}: see what failed above; nothing was armed"}
        self._anew()
        done = self._low_level_execute_command(
            f"/bin/sh {UNDO} --abandon {family} {armed['token']}"
        )
        said = " ".join(f"{done['stdout']} {done['stderr']}".split())
        told = "is put back" if done["rc"] == 0 else f"could not all be put back: {said}"
        return {
            "failed": True,
            "msg": f"{family}: see what failed above; what was changed before it {told}",
            "ansible_facts": {_fact(family): None},
        }

    def _anew(self) -> None:
        """The next command makes a connection of its own, that nothing open already can help."""
        connection = self._connection
        with contextlib.suppress(AnsibleError, AttributeError, NotImplementedError):
            connection.close()
        if connection.transport == "ssh":
            connection.set_option("ssh_args", _FRESH)
            connection.set_option("reconnection_retries", 0)
            connection.set_option("timeout", 5)
        else:
            with contextlib.suppress(AnsibleError, AttributeError, NotImplementedError):
                connection.reset()

    def _password_refused(self, said: str) -> bool:
        """A password that is refused again and again locks its account, and the way back in."""
        given = option(self._connection, "password") or self._play_context.password
        return bool(given) and outcome.classify(said, begun=False)[0] is HostStatus.AUTH_REFUSED

    def _rolled_back(self, family: str, said: str, until: float) -> str:
        """Waits until the host has put itself back, and tells whether it answers again."""
        why = " ".join(said.split())
        time.sleep(max(0.0, until - time.time()))
        last = time.time() + 20
        refused = 0
        while time.time() < last and refused < _GUESSES:
            time.sleep(1)
            self._anew()
            try:
                log = f"/var/lib/hostpledge/undo/.armed/{family}.fired/log"
                done = self._low_level_execute_command(f"cat {log}")
                if done["rc"] == 0:
                    left = " ".join(str(done["stdout"]).split())
                    wrong = f", but not all of it: {left}" if left else ""
                    return (
                        f"{family}: after the change no new connection could be made ({why}); "
                        f"the host has rolled it back{wrong}"
                    )
            except AnsibleError as problem:
                refused += self._password_refused(str(problem))
        return (
            f"{family}: after the change no new connection could be made ({why}), and the host "
            "still does not answer; look at it from its console"
        )


def _fact(family: str) -> str:
    return f"hostpledge_armed_{family}"


def _without_script(done: dict[str, Any]) -> dict[str, Any]:
    """What was handed in says nothing that the task does not, and holds the whole script."""
    return {key: value for key, value in done.items() if key != "invocation"}
