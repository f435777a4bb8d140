"""What the role `collect` does at one host, inside an Ansible worker: one exec, one capture."""

from __future__ import annotations

import fcntl
import importlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from collector import captures, reaching, script
from collector.errors import BadInput, CollectorError
from collector.model import Capture, HostStatus
from collector.run.ansible.driver import driver_alive
from collector.run.ansible.reached import option, unfit
from collector.run.collected import outcome
from collector.run.collected.locks import idle, lock, sole
from collector.run.collected.run_folder import RunFolder
from collector.run.collected.stream import Stream
from collector.run.collected.unsaid import OURS
from collector.run.net.outside import with_outside
from collector.schema import validator

_PATCHED = ("ansible.plugins.connection.ssh", "ansible.plugins.connection.local")
_SHARED = "-C -o ControlMaster=auto -o ControlPersist=60s"
SPEC = {
    "output": {"type": "path", "required": True},
    "seconds": {"type": "int", "default": 300},
    "limit": {"type": "int", "default": 64 << 20},
    "driver": {"type": "str", "default": ""},
    "outside": {"type": "bool", "default": True},
}
_MISSING = {HostStatus.UNREACHABLE, HostStatus.AUTH_REFUSED, HostStatus.HOST_KEY_CHANGED}


# Ansible imports this once and forks a worker per host: what is made here is made once
for _name in ("run", "journal"):
    validator(_name)


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Sends the script on the connection's stdin and writes down what came back.

    Only the status and the digest of the capture go through Ansible, never the capture.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: returns the task result of one host."""
        result: dict[str, Any] = super().run(tmp, dict(task_vars or {}))
        _, given = self.validate_argument_spec(argument_spec=SPEC)
        host = (task_vars or {}).get("inventory_hostname") or "localhost"
        try:
            folder = RunFolder.open(Path(given["output"]))
            with lock(folder.path / "workers.lock", fcntl.LOCK_SH, 60) as taken:
                if not taken:
                    raise ours(f"another hostpledge is at work in {folder.path}")
                # looked at under the lock: who waits for it then knows that none comes after
                if given["driver"] and not driver_alive(given["driver"]):
                    raise ours("the command that started this run is gone")
                return result | self.collect(folder, host, given)
        except CollectorError as problem:
            raise ours(str(problem)) from None

    def collect(self, folder: RunFolder, host: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Asks the host and writes down what came of it."""
        if self._resumes() and folder.has(host):
            return {"changed": False, "skipped": True, "skip_reason": "collected already"}
        nonce = script.host_nonce(folder.nonce, host)
        begun = time.monotonic()
        clock = datetime.now(UTC)
        stream = Stream(
            folder.part_path(host),
            nonce,
            limit=given["limit"],
            seconds=given["seconds"],
            wanted=lambda: self._wanted(given),
        )
        status, said = self._exec(stream, script.with_nonce(folder.script, nonce))
        raw = stream.close()
        if stream.left:
            raise ours("the command that started this run is gone")
        status, detail = self._status(stream, status, said, given)
        capture = script.parse_output(
            raw,
            host=host,
            status=status,
            detail=detail,
            nonce=nonce,
            origin=self._origin(folder, stream.own, clock, time.monotonic() - begun, raw),
        )
        if capture.status is HostStatus.GARBLED and "sudo" in outcome.without_debug(said):
            capture = replace(capture, detail=outcome.answered(said))
        if given["outside"] and capture.status is HostStatus.COMPLETE:
            capture = with_outside(capture, stream.own)
        digest = folder.take(capture, time.monotonic() - begun)
        stream.part.unlink(missing_ok=True)
        return _task_result(capture, digest)

    def _resumes(self) -> bool:
        """A driver names the hosts that are missing itself; plain ansible-playbook does not."""
        return not self._task.args.get("driver")

    def _wanted(self, given: Mapping[str, Any]) -> bool:
        """Is the command that started this run still there? Plain ansible-playbook is none."""
        return not given["driver"] or driver_alive(given["driver"])

    @contextmanager
    def _led(self, stream: Stream) -> Iterator[None]:
        """Within it the connection's process goes through `stream`, and comes to an end."""
        with stream.instead_of_popen(connection_modules()), _deadline(stream):
            yield

    def _exec(self, stream: Stream, text: str) -> tuple[HostStatus | None, str]:
        """One exec. Returns the status that the connection's failure means, and what was said."""
        connection = self._connection
        if why := unfit(connection, self._play_context):
            return HostStatus.UNREACHABLE, f"{outcome.UNFIT}{why}"
        for name, value in (("verbosity", 1), ("pipelining", True)):
            _set_option(connection, name, value)
        if option(connection, "ssh_args") == _SHARED:
            # a shared connection pays off from the second exec on, and hides the host key
            _set_option(connection, "ssh_args", "")
        try:
            with self._led(stream):
                done = self._low_level_execute_command("/bin/sh -s", in_data=text.encode())
        except AnsibleError as problem:
            said = f"{problem}\n{stream.untold()}"
            begun = stream.begun
            return outcome.classify(said, begun=begun)[0], said
        except _Expired:
            stream.timed_out = True
            return HostStatus.TIMED_OUT, ""
        stream.all(done["stdout"].encode("utf-8", "surrogateescape"))
        if stream.begun:
            return HostStatus.COMPLETE, done["stderr"]
        said = f"{stream.untold()}\n{done['stderr']}\n{done['stdout']}"
        if stream.program == "sshpass" and not outcome.logged_in(said):
            said = outcome.of_sshpass(done["rc"], said)
        if done["rc"] == 0:
            return HostStatus.GARBLED, said
        status, _ = outcome.classify(said, begun=False)
        # the connection itself worked, so a text that is not known is the host's own
        known = status is not HostStatus.UNREACHABLE or done["rc"] == 255
        return (status if known else HostStatus.GARBLED), said

    def _status(
        self,
        stream: Stream,
        status: HostStatus | None,
        said: str,
        given: Mapping[str, Any],
    ) -> tuple[HostStatus | None, str]:
        if stream.flooded:
            return HostStatus.FLOODED, f"more than {stream.bytes >> 10} KiB, ended at the limit"
        if stream.timed_out:
            where = "in the middle of the capture" if stream.begun else "before the capture began"
            return HostStatus.TIMED_OUT, f"no end after {given['seconds']} s, {where}"
        if status in (HostStatus.COMPLETE, None):
            return status, ""
        if status is HostStatus.GARBLED:
            return status, outcome.answered(said)
        return status, outcome.classify(said, begun=stream.begun)[1]

    def _origin(
        self, folder: RunFolder, said: outcome.Own, clock: datetime, seconds: float, raw: bytes
    ) -> dict[str, Any]:
        connection = self._connection
        transport = str(connection.transport)
        become = connection.become
        origin: dict[str, Any] = {
            "transport": f"ansible-{transport}",
            "clock": clock.isoformat(timespec="milliseconds"),
            "seconds": round(seconds, 3),
            "run": folder.nonce,
            "script_sha256": folder.about["script_sha256"],
            "output_sha256": captures.digest(raw),
            "become": str(become.name) if become else "",
        }
        user = option(connection, "remote_user")
        if user:
            origin["user"] = str(user)
        if transport == "local":
            return origin | {"address": "local"}
        origin["address"] = str(option(connection, "host") or self._play_context.remote_addr)
        port = option(connection, "port")
        if port and not reaching.wrong_port(port):
            origin["port"] = int(port)
        if at := outcome.connected_to(said):
            origin["address"], origin["port"] = at
        if key := outcome.host_key(said):
            origin["host_keys"] = [key]
        elif transport == "ssh":
            origin["host_key_note"] = "not shown: a shared connection was used, or none was made"
        return origin


def connection_modules() -> list[ModuleType]:
    """Those of Ansible's connection plugins whose processes we lead."""
    return [importlib.import_module(name) for name in _PATCHED]


def ours(said: str) -> AnsibleActionFail:
    """A failure in words of ours, which may go on as they are."""
    return AnsibleActionFail(said, result={OURS: True})


def _task_result(capture: Capture, digest: str) -> dict[str, Any]:
    """Plain ansible-playbook shows the same truth as the journal."""
    result: dict[str, Any] = {"changed": False, "status": str(capture.status), "sha256": digest}
    if capture.status is HostStatus.COMPLETE:
        return result | {"reads": len(capture.reads)}
    message = f"{capture.status}: {capture.detail}"
    if capture.status in _MISSING:
        return result | {"unreachable": True, "msg": message}
    return result | {"failed": True, "msg": message}


def _set_option(connection: Any, name: str, value: Any) -> None:
    """Sets what the connection plugin knows, leaves the rest."""
    if name in (getattr(connection, "_options", None) or {}) or connection.transport in (
        "ssh",
        "local",
    ):
        try:
            connection.set_option(name, value)
        except (KeyError, AnsibleError):
            return


class _Expired(BaseException):
    """The alarm went off; Ansible must not catch it on the way."""


class _deadline:  # noqa: N801 - a context manager
    """For connections whose process we cannot end: an alarm a little after the stream's own."""

    def __init__(self, stream: Stream) -> None:
        self.seconds = int(stream.seconds) + 5
        self.before: Callable[..., Any] | int | None = None

    def __enter__(self) -> None:
        def ring(*_: Any) -> None:
            raise _Expired

        self.before = signal.signal(signal.SIGALRM, ring)
        signal.alarm(self.seconds)

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, self.before or signal.SIG_DFL)


class PrepareModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Begins the run (or resumes it) when no `hostpledge` command did."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: lays out the folder."""
        result: dict[str, Any] = super().run(tmp, dict(task_vars or {}))
        _, given = self.validate_argument_spec(
            argument_spec={
                "output": {"type": "path", "required": True},
                "families": {"type": "list", "elements": "str", "default": []},
                "grade": {"type": "int", "default": 2},
            }
        )
        try:
            place, families = Path(given["output"]), given["families"]
            hosts = (task_vars or {}).get("ansible_play_hosts_all", [])
            _end_whole(place, hosts)
            with RunFolder.taken(place, families, given["grade"], patience=60) as folder:
                folder.expect(hosts)
        except BadInput as problem:
            raise AnsibleActionFail(str(problem)) from None
        return result | {"changed": False, "output": str(folder.path), "run": folder.nonce}


def _end_whole(place: Path, hosts: Sequence[str]) -> None:
    """Sets aside a run that no host is missing from any more: who plays again looks again.

    No task comes after the last host of a run that could have ended it.
    """
    if not (place / "run.json").exists():
        return
    with sole(place), idle(place, 60):
        folder = RunFolder.open(place)
        whole = all(folder.has(host) for host in {*folder.about["hosts"], *hosts})
        if whole and folder.about["ended"] is None:
            if folder.begun_here:
                folder.end()
            folder.set_aside()
