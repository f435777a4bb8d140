"""How shards get to nodes: through Receptor, or each by a command that runs the worker there.

The command is what an ssh hop or a Kubernetes job needs: `exec:ssh {node} hostpledge worker …`.
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.run.mesh.control import Control
from collector.run.mesh.faults import NodeLost
from collector.run.mesh.frames import Arrival, Reader
from collector.run.mesh.releases import Releases, tags
from collector.run.mesh.unit import Patience, Unit

EXEC = "exec:"
_CHUNK = 1 << 16
_LOOKS = 0.5
# a worker that has said its last word has this long to go
_GOING = 20.0


class Transport(Protocol):
    """Use within `opened`."""

    @property
    def left(self) -> Sequence[str]:
        """Nodes at which something of this run may lie still; known at the end."""
        ...

    def opened(self) -> AbstractContextManager[object]:
        """Raises CentreLost where there is no way to any node."""
        ...

    def reaches(self, node: str) -> bool:
        """Is there a way to it now? Raises CentreLost."""
        ...

    def arrivals(
        self, node: str, payload: bytes, reader: Reader, patience: Patience
    ) -> Generator[Arrival, None, None]:
        """The captures of one shard as they come; nothing is left of it when this is closed.

        Raises NodeRefused, NodeLost, CentreLost.
        """
        ...


def transport_of(through: str, run: str) -> Transport:
    """`through` is Receptor's control socket, or `exec:COMMAND` with {node} in it.

    Raises BadInput for a command that names no node.
    """
    if not through.startswith(EXEC):
        return Mesh(Path(through), run)
    try:
        words = shlex.split(through.removeprefix(EXEC))
    except ValueError:
        words = []
    if not any("{node}" in word for word in words):
        raise BadInput(msg("mesh_command_names_no_node"), where="--mesh")
    return Command(words)


class Mesh:
    """Through Receptor."""

    def __init__(self, socket: Path, run: str) -> None:
        self._control = Control(socket)
        self._run = run
        self._releases = Releases(self._control)

    @property
    def left(self) -> Sequence[str]:
        return sorted(self._releases.left)

    def opened(self) -> AbstractContextManager[object]:
        self._control.status()
        return self._releases

    def reaches(self, node: str) -> bool:
        return node in self._control.reachable()

    def arrivals(
        self, node: str, payload: bytes, reader: Reader, patience: Patience
    ) -> Generator[Arrival, None, None]:
        unit = Unit(self._control, node, reader, patience)
        try:
            yield from unit.arrivals(payload, tags(self._run))
        finally:
            self._releases.release(unit.id, node)


class Command:
    """A process a shard: the shard on its standard input, frames on its standard output."""

    left: Sequence[str] = ()

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    @contextmanager
    def opened(self) -> Iterator[object]:
        yield self

    def reaches(self, node: str) -> bool:  # noqa: ARG002
        return True

    def arrivals(
        self, node: str, payload: bytes, reader: Reader, patience: Patience
    ) -> Generator[Arrival, None, None]:
        where = msg("mesh_node", node=node)
        try:
            process = subprocess.Popen(
                [word.replace("{node}", node) for word in self._words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # what it prints there is no frame, and may be without an end
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as problem:
            why = problem.strerror or msg("mesh_cannot_start")
            raise NodeLost(why, where=where) from None
        into, out = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        threading.Thread(target=_feed, args=(into, payload), daemon=True).start()
        try:
            for data in _read(out, reader, patience, where):
                for one in reader.feed(data):
                    if isinstance(one, Arrival):
                        yield one
            reader.close()
        finally:
            _end(process)


def _feed(to: IO[bytes], payload: bytes) -> None:
    with suppress(OSError), to:
        to.write(payload)


def _read(source: IO[bytes], reader: Reader, patience: Patience, where: str) -> Iterator[bytes]:
    """What comes, until nothing more does. Raises NodeLost where it takes too long."""
    heard = time.monotonic()
    with selectors.DefaultSelector() as ready:
        ready.register(source, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if patience.stop.is_set():
                raise NodeLost(msg("mesh_stopped"), where=where)
            if now > patience.until:
                raise NodeLost(msg("mesh_past_deadline"), where=where)
            if reader.ended is not None and now - heard > _GOING:
                return
            if now - heard > patience.lost_after:
                seconds = int(patience.lost_after)
                raise NodeLost(msg("mesh_nothing_heard", seconds=seconds), where=where)
            if not ready.select(_LOOKS):
                continue
            data = os.read(source.fileno(), _CHUNK)
            if not data:
                return
            heard = time.monotonic()
            yield data


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order where it can: a worker ends Ansible first."""
    for number, seconds in ((signal.SIGTERM, _GOING), (signal.SIGKILL, _GOING)):
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    if process.stdout is not None:
        process.stdout.close()
