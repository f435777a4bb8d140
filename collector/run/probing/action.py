"""What `playbooks/probe.yml` does at one host, inside an Ansible worker."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from collector import captures
from collector.errors import CollectorError
from collector.facts.probed.recording import PREFIX, recording
from collector.model import Capture, HostStatus, ReadResult
from collector.run.ansible.driver import driver_alive
from collector.run.ansible.reached import option, unfit
from collector.run.collected.locks import lock
from collector.run.collected.run_folder import RunFolder
from collector.run.probing import arrived, stops
from collector.run.probing.acts import ACTS
from collector.run.probing.site import SECONDS, Site, Undone

_SHARED = "-C -o ControlMaster=auto -o ControlPersist=60s"
# a network that goes away is noticed; nothing is shared, so that each login is one of its own
_ALIVE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=4 -o ControlMaster=no -o ControlPath=none"
# seconds that a log store or a second node may take, beside those that records are waited for
_BESIDE = 180.0
_SPEC: Mapping[str, dict[str, Any]] = {
    "output": {"type": "path", "required": True},
    "probes": {"type": "list", "elements": "str", "required": True},
    "phase": {"type": "str", "choices": ["act", "store", "second", "others"], "default": "act"},
    "driver": {"type": "str", "default": ""},
    "window_end": {"type": "str", "default": ""},
    "consent": {"type": "str", "default": ""},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "store": {"type": "str", "default": ""},
    "store_seconds": {"type": "int", "default": 30},
    "second_node": {"type": "str", "default": ""},
    "ban_from": {"type": "str", "default": ""},
    "malware_folder": {"type": "str", "default": ""},
    "restore": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Each probe in its turn; its recording is in the capture before the next one begins."""

    TRANSFERS_FILES = False
    _supports_check_mode = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: returns what was recorded, by name."""
        result: dict[str, Any] = super().run(tmp, dict(task_vars or {}))
        _, given = self.validate_argument_spec(argument_spec=dict(_SPEC))
        host = str((task_vars or {}).get("inventory_hostname") or "localhost")
        if why := unfit(self._connection, self._play_context):
            raise AnsibleActionFail(why)
        self._lively()
        try:
            folder = RunFolder.open(Path(given["output"]))
            # a command that takes this up waits until who is at work for a killed one has let go
            with lock(folder.path / "workers.lock", fcntl.LOCK_SH, 60) as taken:
                if not taken:
                    raise AnsibleActionFail(f"another hostpledge is at work in {folder.path}")
                return result | self._phase(folder, host, given)
        except CollectorError as problem:
            raise AnsibleActionFail(str(problem)) from None

    def _phase(self, folder: RunFolder, host: str, given: Mapping[str, Any]) -> dict[str, Any]:
        capture = captures.load(folder.capture_path(host))
        if capture.status is not HostStatus.COMPLETE:
            return {"changed": False, "skipped": True}
        if given["phase"] == "store":
            return self._at_the_store(folder, capture, given)
        if given["phase"] == "second":
            return self._from_second(folder, capture, given)
        if given["phase"] == "others":
            return _with_others(folder, capture)
        return self._act(folder, capture, given)

    def _lively(self) -> None:
        with contextlib.suppress(KeyError, AnsibleError):
            self._connection.set_option("pipelining", True)
        given = option(self._connection, "ssh_args")
        if given is not None:
            # of options that come twice ssh takes the first
            words = _ALIVE if given == _SHARED else f"{_ALIVE} {given}".strip()
            with contextlib.suppress(KeyError, AnsibleError):
                self._connection.set_option("ssh_args", words)

    def _act(self, folder: RunFolder, capture: Capture, given: Mapping[str, Any]) -> dict[str, Any]:
        done: dict[str, str] = {}
        until, silent = time.monotonic() + SECONDS, False
        for name in given["probes"]:
            if _recorded(capture, name):
                continue
            site = Site(name, capture, self._ask, self._plainly, given, until=until)
            site.halt = lambda: _halt(given)
            site.gone = lambda: _gone(given)
            site.note("consent", given["consent"])
            try:
                if silent:
                    raise Undone("silent")
                # a file on the host stops what comes from outside of it too
                site.act("ready")
                ACTS[name](site)
            except Undone as why:
                site.note("undone", " ".join(map(str, why.args)).strip())
            silent = silent or site.silent
            capture = _with(folder, capture, site.recorded())
            done[name] = site.nonce
        return {"changed": False, "probes": done}

    def _at_the_store(
        self, folder: RunFolder, capture: Capture, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Here the connection is the store's: what arrived there of the host's login."""
        made = recording(capture, "log_arrival")
        if made is None or made.undone or made.all("store") or not made.all("login"):
            return {"changed": False, "skipped": True}
        until = time.monotonic() + given["store_seconds"] + _BESIDE
        site = Site("log_arrival", capture, self._ask, self._plainly, given, until=until)
        site.halt = lambda: _halt(given)
        lines = arrived.by_ssh(site, made, given["store"], given["store_seconds"])
        _with(folder, capture, arrived.added(capture.reads[PREFIX + "log_arrival"], lines))
        return {"changed": False, "store": given["store"]}

    def _from_second(
        self, folder: RunFolder, capture: Capture, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Here the connection is the second node's: what it reaches of the same ports."""
        made = recording(capture, "outside_ports")
        if made is None or made.undone or made.all("second") or not made.all("port"):
            return {"changed": False, "skipped": True}
        until = time.monotonic() + _BESIDE
        site = Site("outside_ports", capture, self._ask, self._plainly, given, until=until)
        site.halt = lambda: _halt(given)
        lines = arrived.from_second(site, made, given["second_node"])
        _with(folder, capture, arrived.added(capture.reads[PREFIX + "outside_ports"], lines))
        return {"changed": False, "second": given["second_node"]}

    def _ask(self, text: str, seconds: float) -> str | None:
        return self._exec("/bin/sh -s", text, seconds, sudoable=True)

    def _plainly(self, text: str, seconds: float) -> str | None:
        return self._exec(text, None, seconds, sudoable=False)

    def _exec(
        self, command: str, text: str | None, seconds: float, *, sudoable: bool
    ) -> str | None:
        data = text.encode() if text is not None else None
        try:
            with _deadline(seconds):
                done = self._low_level_execute_command(command, in_data=data, sudoable=sudoable)
        except (AnsibleError, _Expired):
            return None
        return str(done["stdout"])


def _with_others(folder: RunFolder, capture: Capture) -> dict[str, Any]:
    made = recording(capture, "time")
    if made is None or made.undone or made.all("other"):
        return {"changed": False, "skipped": True}
    if not (lines := arrived.clocks(folder, capture.host)):
        return {"changed": False, "skipped": True}
    _with(folder, capture, arrived.added(capture.reads[PREFIX + "time"], lines))
    return {"changed": False, "others": lines}


def _recorded(capture: Capture, name: str) -> bool:
    """Was it done, to its end, before the command was interrupted?"""
    with contextlib.suppress(CollectorError):
        made = recording(capture, name)
        return made is not None and not made.undone
    return False


def _gone(given: Mapping[str, Any]) -> bool:
    return bool(given["driver"]) and not driver_alive(given["driver"])


def _halt(given: Mapping[str, Any]) -> str:
    if _gone(given):
        return "stopped the command is gone"
    if (place := stops.stopped()) is not None:
        return f"stopped {place}"
    until = datetime.fromisoformat(given["window_end"]) if given["window_end"] else None
    return f"window {given['window_end']}" if until and datetime.now(UTC) >= until else ""


def _with(folder: RunFolder, capture: Capture, read: ReadResult) -> Capture:
    """The capture with one more read, of the kind `probe`, in its place and in the journal."""
    made = replace(
        capture,
        origin=MappingProxyType({**capture.origin, "kind": "probe"}),
        reads=MappingProxyType({**capture.reads, read.id: read}),
    )
    folder.take(made, read.seconds)
    return made


class _Expired(BaseException):
    """The alarm went off; Ansible must not catch it on the way."""


@contextlib.contextmanager
def _deadline(seconds: float) -> Any:
    def ring(*_: Any) -> None:
        raise _Expired

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
