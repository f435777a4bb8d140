"""A real server, links to it, and captures that the collector script really printed here."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import catalog
from collector.handin import links
from collector.handin.links import Link
from collector.handin.places import Places
from collector.script import collector_script

ROOT = Path(__file__).parents[2]


@functools.cache
def _printed() -> bytes:
    reads = catalog.reads_for(catalog.select(("classification",))).values()
    script = collector_script(reads)
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True)
    return done.stdout


def output(machine: str = "a", at: datetime | None = None, nonce: str = "") -> bytes:
    """What the script printed here, as another machine would have at another time."""
    text = _printed()
    found = re.search(rb"hostpledge-capture \d+ ([0-9a-f]+)", text)
    assert found
    drawn = nonce.encode() or os.urandom(16).hex().encode()
    text = text.replace(found[1], drawn)
    at = at or datetime.now(UTC)
    for name, value in (
        ("clock", str(int(at.timestamp()))),
        ("machine", machine * 64),
        ("boot_id", machine * 32),
    ):
        text = re.sub(rf"(?m)^{name}=.*$".encode(), f"{name}={value}".encode(), text, count=1)
    # no two machines have the same processes
    first = rb"(?m)^(/proc/1/status:Name:\t)."
    text, count = re.subn(first, rb"\g<1>" + machine[:1].encode(), text, count=1)
    assert count
    return re.sub(rb"(?m)^hostkey=.*\n", b"", text)


@dataclass(frozen=True)
class Told:
    status: int
    text: str


@dataclass
class Served:
    """`folder` is that of the hand-ins; `process` the server's."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def places(self) -> Places:
        return Places(self.folder)

    def link(
        self, host: str = "web-1", pledge: str = "P-1", lasts: timedelta = timedelta(days=1)
    ) -> tuple[Link, str]:
        """The link, and its address."""
        link, token = links.new(self.places, pledge, host, 2, lasts)
        return link, self.address(token)

    def address(self, token: str) -> str:
        return f"http://127.0.0.1:{self.port}/hand-in/{token}"

    def curl(self, *words: str, data: bytes = b"") -> Told:
        done = subprocess.run(
            ["curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *words],
            input=data, capture_output=True, check=False,
        )  # fmt: skip
        text, _, status = done.stdout.decode().rpartition("\n")
        return Told(int(status or 0), text)

    def put(self, address: str, data: bytes) -> Told:
        return self.curl("-T", "-", address, data=data)

    def log(self, name: str = "log.jsonl") -> list[dict[str, Any]]:
        text = (self.folder / name).read_text(encoding="ascii")
        return [json.loads(line) for line in text.splitlines()]

    def files(self, room: str) -> list[Path]:
        return sorted((self.folder / room).iterdir())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(folder: Path, **bounds: float) -> Iterator[Served]:
    """Up to the end, or until it is killed."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = int(asked.getsockname()[1])
    Places(folder).make()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.handin.serving", str(folder), str(port), json.dumps(bounds)],
        cwd=ROOT, stderr=(folder / "stderr").open("wb"), env=_environment(),
    )  # fmt: skip
    try:
        _wait(port, process)
        yield Served(folder, port, process)
    finally:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOSTPLEDGE_HOME": "/proc/none"}


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not answer")
