"""How a host is reached, as Ansible has it at last: templates filled in, the vault opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from collector import reaching


def unfit(connection: Any, play_context: Any) -> str:
    """Why this host is not to be asked, in one line; empty where it may be.

    Nothing is started for it: ssh and its like would take a name for an option.
    """
    if connection.transport == "local":
        return _wrong_become(connection, play_context)
    address = option(connection, "host") or play_context.remote_addr
    user = option(connection, "remote_user") or play_context.remote_user
    port = option(connection, "port") or play_context.port
    for name, value, wrong in (
        ("ansible_host", address, reaching.wrong_address),
        ("ansible_user", user, reaching.wrong_user),
        ("ansible_port", port, reaching.wrong_port),
    ):
        if value is not None and value != "" and (why := wrong(str(value))):
            return f"{name}: {why}; mend it in the inventory"
    return _wrong_become(connection, play_context)


def _wrong_become(connection: Any, play_context: Any) -> str:
    become = connection.become
    if become is None:
        return ""
    user = become.get_option("become_user", playcontext=play_context)
    why = reaching.wrong_user(str(user or ""))
    return f"ansible_become_user: {why}; mend it in the inventory" if why else ""


def option(connection: Any, name: str) -> Any:
    """An option of the connection plugin; None where it has none of that name."""
    try:
        return connection.get_option(name)
    except (KeyError, AnsibleError):
        return None


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """The first task of a play whose others are not all ours: fails for a host that is unfit."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: never changed, and nothing is asked of the host."""
        result: dict[str, Any] = super().run(tmp, dict(task_vars or {}))
        self.validate_argument_spec(argument_spec={})
        if why := unfit(self._connection, self._play_context):
            raise AnsibleActionFail(why)
        return result | {"changed": False}
