"""A worker that does what it should not: `python -m tests.mesh.hostile DIR BEHAVIOUR`.

It has a node's real keys, and reads the shard with them. DIR holds the keys; what it sends are
captures that it made up.
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector import captures
from collector.attest.keys.keys import PrivateKey
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.run.mesh import frames, node_keys, working
from collector.run.mesh.frames import Context
from collector.run.mesh.node_keys import NodeKeys
from collector.run.mesh.shard import Shard
from collector.script import host_nonce


class Liar:
    """What it may say, and how it would be said rightly."""

    def __init__(self, asked: Shard, keys: NodeKeys) -> None:
        self.asked, self.keys = asked, keys
        self.hosts = asked.hosts
        run = asked.run
        self.context = Context(asked.id, keys.node, run["nonce"], run["script_sha256"])

    def capture(self, host: str, **origin: Any) -> Capture:
        run, now = self.asked.run, datetime.now(UTC)
        known = {
            "transport": "ansible-ssh",
            "clock": now.isoformat(timespec="milliseconds"),
            "seconds": 0.1,
            "run": run["nonce"],
            "script_sha256": run["script_sha256"],
            "worker": {"node": self.keys.node, "key": self.keys.signing.keyid},
        }
        return Capture(
            host, HostStatus.COMPLETE, host_nonce(run["nonce"], host),
            origin=MappingProxyType({**known, **origin}), collected_at=now,
        )  # fmt: skip

    def frame(self, host: str, data: bytes, **other: Any) -> bytes:
        about = {"kind": "capture", "host": host, "sha256": captures.digest(data),
                 "bytes": len(data), "seconds": 0.1}  # fmt: skip
        return frames.line(self.context.sign({**about, **other}, self.keys.signing)) + data

    def rightly(self, host: str) -> bytes:
        return self.frame(host, captures.to_bytes(self.capture(host)))

    def of(self, capture: Capture) -> bytes:
        return self.frame(capture.host, captures.to_bytes(capture))

    def end(self, count: int, said: str = "") -> bytes:
        frame = {"kind": "end", "captures": count, "said": said}
        return frames.line(self.context.sign(frame, self.keys.signing))


def honest(liar: Liar) -> Iterator[bytes]:
    for host in liar.hosts:
        yield liar.rightly(host)
    yield liar.end(len(liar.hosts))


def another_host(liar: Liar) -> Iterator[bytes]:
    yield liar.frame(liar.hosts[0], captures.to_bytes(liar.capture(liar.hosts[-1])))


def not_asked(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly("somebody-else")


def changed_bytes(liar: Liar) -> Iterator[bytes]:
    sent = bytearray(liar.rightly(liar.hosts[0]))
    sent[-1] ^= 1
    yield bytes(sent)


def changed_frame(liar: Liar) -> Iterator[bytes]:
    data = captures.to_bytes(liar.capture(liar.hosts[0]))
    other = captures.to_bytes(liar.capture(liar.hosts[0], user="root"))
    signed = liar.frame(liar.hosts[0], data).removesuffix(data)
    yield signed.replace(captures.digest(data).encode(), captures.digest(other).encode()) + other


def another_key(liar: Liar) -> Iterator[bytes]:
    liar.keys = replace(liar.keys, signing=PrivateKey.generate("ed25519"))
    yield from honest(liar)


def another_shard(liar: Liar) -> Iterator[bytes]:
    liar.context = replace(liar.context, shard="0" * 32)
    yield from honest(liar)


def another_run(liar: Liar) -> Iterator[bytes]:
    """An old run, sent again: the frame is signed anew, the capture was of then."""
    old = replace(liar.capture(liar.hosts[0], run="1" * 32), nonce=host_nonce("1" * 32, "h"))
    yield liar.of(old)


def another_runs_signature(liar: Liar) -> Iterator[bytes]:
    liar.context = replace(liar.context, run="1" * 32)
    yield from honest(liar)


def another_nonce(liar: Liar) -> Iterator[bytes]:
    yield liar.of(replace(liar.capture(liar.hosts[0]), nonce="2" * 32))


def no_nonce(liar: Liar) -> Iterator[bytes]:
    yield liar.of(replace(liar.capture(liar.hosts[0]), nonce=""))


def another_worker(liar: Liar) -> Iterator[bytes]:
    worker = {"node": "good", "key": liar.keys.signing.keyid}
    yield liar.of(liar.capture(liar.hosts[0], worker=worker))


def no_worker(liar: Liar) -> Iterator[bytes]:
    capture = liar.capture(liar.hosts[0])
    origin = {k: v for k, v in capture.origin.items() if k != "worker"}
    yield liar.of(replace(capture, origin=origin))


def another_script(liar: Liar) -> Iterator[bytes]:
    capture = liar.capture(liar.hosts[0], script_sha256="3" * 64)
    read = ReadResult("monitoring.agents", ReadStatus.OK)
    yield liar.of(replace(capture, reads=MappingProxyType({read.id: read})))


def what_a_probe_says(liar: Liar) -> Iterator[bytes]:
    read = ReadResult("probe.malware_file", ReadStatus.OK, stdout=b"stopped\n")
    yield liar.of(replace(liar.capture(liar.hosts[0]), reads=MappingProxyType({read.id: read})))


def handed_in(liar: Liar) -> Iterator[bytes]:
    yield liar.of(liar.capture(liar.hosts[0], transport="handed-in"))


def of_tomorrow(liar: Liar) -> Iterator[bytes]:
    at = datetime.now(UTC) + timedelta(hours=20)
    capture = liar.capture(liar.hosts[0], clock=at.isoformat())
    yield liar.of(replace(capture, collected_at=at))


def of_last_year(liar: Liar) -> Iterator[bytes]:
    at = datetime.now(UTC) - timedelta(days=365)
    capture = liar.capture(liar.hosts[0], clock=at.isoformat())
    yield liar.of(replace(capture, collected_at=at))


def twice(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])
    yield liar.rightly(liar.hosts[0])


def after_its_end(liar: Liar) -> Iterator[bytes]:
    yield from honest(liar)
    yield b"and more\n"


def miscounts(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])
    yield liar.end(7)


def symlinks(liar: Liar) -> Iterator[bytes]:
    """What ansible-runner would unpack."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        link = tarfile.TarInfo("captures/../../../etc/cron.d/x")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    yield liar.frame(liar.hosts[0], made.getvalue())


def bomb(liar: Liar) -> Iterator[bytes]:
    head = b'{"kind":"head","schema":"'
    yield liar.frame(liar.hosts[0], gzip.compress(head + b"x" * (80 << 20)))


def too_large(liar: Liar) -> Iterator[bytes]:
    about = {"kind": "capture", "host": liar.hosts[0], "sha256": "0" * 64, "bytes": 67_108_865,
             "seconds": 0}  # fmt: skip
    yield frames.line(liar.context.sign(about, liar.keys.signing))
    yield from endless(liar)


def endless(liar: Liar) -> Iterator[bytes]:
    del liar
    while True:
        yield b"x" * 65536


def endless_lines(liar: Liar) -> Iterator[bytes]:
    del liar
    while True:
        yield b'{"kind":"alive"}\n' * 1000


def no_frames(liar: Liar) -> Iterator[bytes]:
    del liar
    yield b"Traceback (most recent call last):\n"


def silent(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])
    time.sleep(600)


def cut_off(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])
    yield liar.rightly(liar.hosts[-1])[:-10]


def without_end(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])


def leaves_out(liar: Liar) -> Iterator[bytes]:
    yield liar.rightly(liar.hosts[0])
    yield liar.end(1)


BEHAVIOURS: dict[str, Callable[[Liar], Iterator[bytes]]] = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and name[0].islower()
}


def main() -> int:
    """Does what it is told to, on standard output."""
    keys = node_keys.load(Path(sys.argv[1]))
    liar = Liar(working.received(sys.stdin.buffer, keys), keys)
    with working.own_output() as out:
        try:
            for data in BEHAVIOURS[sys.argv[2]](liar):
                left = memoryview(data)
                while left:
                    left = left[out.write(left) :]
        except BrokenPipeError:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
