"""What actions share that look at a host in the middle of a role: one exec, nothing kept there.

What the reads returned is judged by the same facts and judges as evidence is; nothing is changed.
"""

from __future__ import annotations

import contextlib
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from collector import script
from collector.errors import CollectorError
from collector.judging.confined import LIMITS, within_limits
from collector.model import Capture, HostStatus, Read
from collector.sizes import as_collected

T = TypeVar("T")
LOOKED = "/bin/sh -s"
"""The command that takes the script of a look."""


class Looks(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """An action that can look at its host."""

    host = ""

    def captured(self, reads: Iterable[Read]) -> Capture:
        """What the reads return, each asked once. Raises CollectorError."""
        with contextlib.suppress(KeyError, AnsibleError):
            self._connection.set_option("pipelining", True)
        once = {read.id: read for read in reads}
        nonce = secrets.token_hex(16)
        text = script.with_nonce(script.collector_script(tuple(once.values())), nonce)
        clock = datetime.now(UTC)
        done = self._low_level_execute_command(LOOKED, in_data=text.encode())
        capture = script.parse_output(
            str(done["stdout"]).encode("utf-8", "surrogateescape"),
            host=self.host,
            status=HostStatus.COMPLETE if done["rc"] == 0 else HostStatus.LOST,
            nonce=nonce,
            origin={"clock": clock.isoformat(timespec="milliseconds")},
        )
        return as_collected(capture)


def looked(act: Callable[[], T]) -> T:
    """What `act` makes of what a host answered, however much that is to look through.

    Raises CollectorError past the limits.
    """
    return within_limits(act, limits=LIMITS.wider(2))


class LookingAction(Looks):
    """Never changed, and so the same in check mode. `spec` is the argument spec of the action.

    What goes wrong is said after `about`.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    spec: ClassVar[Mapping[str, Any]] = {}
    about: ClassVar[str] = ""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: what `look` found."""
        variables = dict(task_vars or {})
        result: dict[str, Any] = super().run(tmp, variables)
        _, given = self.validate_argument_spec(argument_spec=dict(self.spec))
        self.host = str(variables.get("inventory_hostname") or "localhost")
        try:
            return result | {"changed": False} | self.look(given)
        except CollectorError as problem:
            raise AnsibleActionFail(f"{self.about}{problem}") from None

    @abstractmethod
    def look(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the role's tasks decide by, as plain values. Raises CollectorError."""
