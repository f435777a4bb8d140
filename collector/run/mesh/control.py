"""A client of Receptor's control socket, of which no wait is without an end.

The words are those of Receptor's control service: a greeting, one command a line (or JSON), one
answer a line, `ERROR: …` where it could not. Why this is not `receptorctl` says ADR 70.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collector.errors import BadInput, shown
from collector.i18n.message import msg
from collector.run.mesh.faults import CentreLost

WORK, TLS, SERVICE = "hostpledge", "mesh", "control"
# of a unit, by its number
PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED = range(5)
ENDED = (SUCCEEDED, FAILED, CANCELLED)
_SECONDS = 30.0
_LONGEST = 16 << 20
_CHUNK = 1 << 16
_GREETING = re.compile(rb"Receptor Control, node (\S+)")
_CREATED = re.compile(rb"Work unit created with ID ([A-Za-z0-9]+)\. Send stdin data and EOF\.")


class Unwilling(BadInput):
    """Receptor understood, and would or could not; `what` is its own word."""


class Control:
    """Speaks through one socket, a connection for each command."""

    def __init__(self, path: Path, seconds: float = _SECONDS) -> None:
        self.path = path
        self.seconds = seconds

    def status(self) -> dict[str, Any]:
        """What Receptor says of itself and of the mesh. Raises CentreLost, Unwilling."""
        return self._ask(b"status")

    def reachable(self) -> frozenset[str]:
        """The nodes that a way leads to, this one among them."""
        status = self.status()
        routes = status.get("RoutingTable") or {}
        return frozenset({str(status.get("NodeID")), *routes})

    def submit(self, node: str, payload: bytes, ttl: float, tags: Mapping[str, str]) -> str:
        """Hands a payload to a node, signed; returns the unit's id.

        `tags` stay with the unit here, and tell whose it is; where it has not begun after `ttl`
        seconds it fails. Raises CentreLost, Unwilling.
        """
        command = {
            "command": "work",
            "subcommand": "submit",
            "node": node,
            "worktype": WORK,
            "tlsclient": TLS,
            "signwork": "true",
            "ttl": f"{int(ttl)}s",
            **tags,
        }
        with self._connected() as connection:
            connection.send(json.dumps(command).encode())
            answer = connection.line()
            created = _CREATED.fullmatch(answer)
            if created is None:
                raise _unwilling(answer)
            unit = created[1].decode()
            try:
                connection.send_last(payload)
                # it may try for some seconds to reach the node before it answers
                answer = connection.line()
            except CentreLost:
                # whether it has begun is seen by whoever follows it
                return unit
        if answer.startswith(b"ERROR"):
            self.release(unit, force=True)
            raise _unwilling(answer)
        return unit

    def units(self) -> dict[str, dict[str, Any]]:
        """All units of ours, by id. Raises CentreLost, Unwilling."""
        found = self._ask(b"work list")
        return {id: unit for id, unit in found.items() if _is_ours(unit)}

    def unit(self, id: str) -> dict[str, Any] | None:
        """None where it is not there (any more). Raises CentreLost."""
        try:
            return self._ask(b"work status " + id.encode())
        except Unwilling:
            return None

    def release(self, id: str, *, force: bool = False) -> None:
        """Ends a unit and takes away what it left; not waiting for its node where `force`.

        Raises CentreLost, Unwilling.
        """
        self._ask((b"work force-release " if force else b"work release ") + id.encode())

    @contextmanager
    def results(self, id: str, position: int) -> Iterator[Results]:
        """What a unit has written, from `position` on. Raises CentreLost, Unwilling."""
        with self._connected() as connection:
            connection.send(f"work results {id} {position}".encode())
            answer = connection.line()
            if not answer.startswith(b"Streaming results"):
                raise _unwilling(answer)
            yield Results(connection)

    def units_at(self, node: str) -> dict[str, dict[str, Any]]:
        """The units of ours that lie at a node, by its own control service.

        Raises CentreLost, Unwilling.
        """
        with self._connected() as connection:
            connection.send(f"connect {node} {SERVICE} {TLS}".encode())
            answer = connection.line()
            if not answer.startswith(b"Connecting"):
                raise _unwilling(answer)
            greeting = _GREETING.fullmatch(connection.line())
            if greeting is None or greeting[1].decode("utf-8", "replace") != node:
                raise Unwilling(msg("mesh_another_node_answered", node=node))
            connection.send(b"work list")
            found = _document(connection.line())
        return {id: unit for id, unit in found.items() if _is_ours(unit)}

    def _ask(self, command: bytes) -> dict[str, Any]:
        with self._connected() as connection:
            connection.send(command)
            return _document(connection.line())

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        handle = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with handle:
            connection = _Connection(handle, self.seconds, str(self.path))
            connection.begin(self.path)
            yield connection


class Results:
    """The bytes of a unit as they come."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def more(self, seconds: float) -> bytes | None:
        """Some bytes; b"" where no more come this time, None where none came so long."""
        return self._connection.some(seconds)


class _Connection:
    def __init__(self, handle: socket.socket, seconds: float, where: str) -> None:
        self._handle = handle
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._where = where
        self._held = b""

    def begin(self, path: Path) -> None:
        try:
            self._handle.settimeout(self._seconds)
            self._handle.connect(str(path))
        except OSError as problem:
            raise self._lost(problem) from None
        if _GREETING.fullmatch(self.line()) is None:
            raise CentreLost(
                msg("mesh_no_receptor"), where=self._where, mend=msg("mesh_name_the_socket")
            )

    def send(self, command: bytes) -> None:
        self._send(command + b"\n")

    def send_last(self, data: bytes) -> None:
        self._send(data)
        try:
            self._handle.shutdown(socket.SHUT_WR)
        except OSError as problem:
            raise self._lost(problem) from None

    def _send(self, data: bytes) -> None:
        self._until = time.monotonic() + self._seconds
        try:
            self._handle.settimeout(self._seconds)
            self._handle.sendall(data)
        except OSError as problem:
            raise self._lost(problem) from None

    def line(self) -> bytes:
        """The next line; raises CentreLost where it does not come in time."""
        while b"\n" not in self._held:
            left = self._until - time.monotonic()
            chunk = self._receive(max(left, 0.001)) if left > 0 else None
            if not chunk or len(self._held) > _LONGEST:
                raise CentreLost(msg("mesh_receptor_silent"), where=self._where)
            self._held += chunk
        line, _, self._held = self._held.partition(b"\n")
        return line.strip()

    def some(self, seconds: float) -> bytes | None:
        if self._held:
            data, self._held = self._held, b""
            return data
        return self._receive(seconds)

    def _receive(self, seconds: float) -> bytes | None:
        try:
            self._handle.settimeout(seconds)
            return self._handle.recv(_CHUNK)
        except TimeoutError:
            return None
        except OSError as problem:
            raise self._lost(problem) from None

    def _lost(self, problem: OSError) -> CentreLost:
        why = problem.strerror or msg("mesh_receptor_silent")
        return CentreLost(
            msg("mesh_cannot_speak", why=why), where=self._where, mend=msg("mesh_name_the_socket")
        )


def _document(line: bytes) -> dict[str, Any]:
    if line.startswith(b"ERROR"):
        raise _unwilling(line)
    try:
        found = json.loads(line)
    except ValueError:
        raise _unwilling(line) from None
    return found if isinstance(found, dict) else {}


def _unwilling(line: bytes) -> Unwilling:
    said = line.decode("utf-8", "replace").removeprefix("ERROR:").strip()
    return Unwilling(msg("mesh_receptor_says", said=shown(said, 200)))


def _is_ours(unit: Any) -> bool:
    """At the centre a unit is `remote`, and says what it is at its node."""
    if not isinstance(unit, dict):
        return False
    extra = unit.get("ExtraData")
    remote = extra.get("RemoteWorkType") if isinstance(extra, dict) else None
    return WORK in (unit.get("WorkType"), remote)
