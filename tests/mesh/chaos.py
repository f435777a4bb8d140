"""One run through a mesh, in which things are killed: by whom, and what came of it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mesh.lab import Lab, Node

# no wait of a run is longer, whatever is killed
_LONGEST = 600.0


@dataclass
class Run:
    """`hostpledge collect` through the lab's nodes, taken up again where it is killed."""

    lab: Lab
    out: Path
    seconds: float = 900
    lost_after: int = 20
    forks: int = 10
    more: Sequence[str] = ()
    status: int = -1
    said: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    took: float = 0.0

    def words(self) -> list[str]:
        return [
            "collect", "-i", str(self.lab.inventory()), "-o", str(self.out), "-f", str(self.forks),
            *(word for family in self.lab.families for word in ("--family", family)),
            "--mesh", str(self.lab.centre.runtime / "control.sock"),
            "--lost-after", str(self.lost_after), *self.more,
        ]  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        """What the journal says now."""
        try:
            text = (self.out / "journal.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line[-1:] == "\n"]

    def go(self, kills: Sequence[str], seed: int = 1) -> None:
        """Does each of `kills` (see KINDS) when its share of the hosts is there."""
        begun, rest = time.monotonic(), random.Random(seed)
        self._begin()
        every = len(self.lab.addresses) / (len(kills) + 1)
        for number, kind in enumerate(kills, 1):
            if not self._until(lambda n=number: len(self.lines()) >= n * every, begun):  # type: ignore[misc]
                break
            KINDS[kind](self, rest)
            self.killed.append(kind)
        self._until(lambda: False, begun)
        self.took = time.monotonic() - begun

    def _until(self, there: Callable[[], bool], begun: float) -> bool:
        """Waits; False where the command has ended before."""
        while not there():
            if self.process.poll() is not None:
                self._ended()
                return False
            if time.monotonic() - begun > self.seconds:
                self.end()
                raise AssertionError(f"no end after {self.seconds} s: {self.said[-20:]}")
            time.sleep(0.2)
        return True

    def _begin(self) -> None:
        self.process = self.lab.command(*self.words())
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.said += [line.rstrip("\n") for line in process.stderr]

    def _ended(self) -> None:
        self.status = self.process.wait(10)
        self._reader.join(10)

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._ended()

    def again(self) -> None:
        """The same command, as whoever finds it killed would give it."""
        self.end()
        self._begin()

    # --- what must hold ---------------------------------------------------------------------------

    def check(self) -> None:
        """Each host once, whole; nothing is left at any node; each failure was one line."""
        assert self.status == 0, self.said[-20:]
        hosts = Counter(line["host"] for line in self.lines())
        assert hosts == dict.fromkeys(self.lab.addresses, 1)
        assert {line["status"] for line in self.lines()} == {"complete"}
        assert len(list((self.out / "captures").iterdir())) == len(self.lab.addresses)
        assert not [line for line in self.said if "Traceback" in line or 'File "' in line]
        assert all(len(line) < 700 for line in self.said)
        left = self.left()
        assert not left, left

    def left(self, seconds: float = 60) -> list[str]:
        """What lies in datadirs, once each has had its time."""
        until = time.monotonic() + seconds
        while (found := list(self._lying())) and time.monotonic() < until:
            time.sleep(0.5)
        return found

    def _lying(self) -> Iterator[str]:
        for name, node in self.lab.nodes.items():
            for unit in node.units():
                status = unit / "status"
                text = status.read_text()[:300] if status.exists() else ""
                yield f"{name}: {unit.name} {text}"


def _some_node(run: Run, rest: random.Random, *, busy: bool = True) -> Node:
    """One of the nodes, at work where that can be."""
    until = time.monotonic() + 30
    while True:
        nodes = [node for name, node in run.lab.nodes.items() if name != "centre"]
        at_work = [node for node in nodes if node.workers()] if busy else nodes
        if at_work or time.monotonic() > until:
            return rest.choice(at_work or nodes)
        time.sleep(0.2)


def _worker(run: Run, rest: random.Random) -> None:
    for pid in _some_node(run, rest).workers():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _receptor(run: Run, rest: random.Random) -> None:
    node = _some_node(run, rest)
    node.kill()
    time.sleep(2)
    node.start()


def _centre(run: Run, rest: random.Random) -> None:
    del rest
    run.lab.centre.kill()
    time.sleep(2)
    run.lab.centre.start()


def _coordinator(run: Run, rest: random.Random) -> None:
    time.sleep(rest.random())
    run.again()


def _network(run: Run, rest: random.Random) -> None:
    node = _some_node(run, rest)
    run.lab.cut(node.name, off=True)
    time.sleep(5)
    run.lab.cut(node.name, off=False)


def _network_for_long(run: Run, rest: random.Random) -> None:
    node = _some_node(run, rest)
    run.lab.cut(node.name, off=True)
    time.sleep(run.lost_after + 10)
    run.lab.cut(node.name, off=False)


def _full(run: Run, rest: random.Random) -> None:
    _fill(_some_node(run, rest))


def _full_centre(run: Run, rest: random.Random) -> None:
    del rest
    _fill(run.lab.centre)


def _fill(node: Node) -> None:
    """Its datadir takes no byte more for some seconds."""
    much = node.data.parent / "much"
    with suppress(OSError), much.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    time.sleep(8)
    much.unlink(missing_ok=True)


KINDS: dict[str, Callable[[Run, random.Random], None]] = {
    "worker": _worker,
    "receptor": _receptor,
    "centre": _centre,
    "coordinator": _coordinator,
    "network": _network,
    "network for long": _network_for_long,
    "full": _full,
    "full centre": _full_centre,
}
