"""The worker: an encrypted shard on standard input, signed captures on standard output.

It needs no mesh: Receptor, a Kubernetes job, AWX or an ssh hop may run it. It collects with the
code of `hostpledge collect`, in a folder of its own that is gone afterwards, and makes the script
itself: a centre may say which controls, and no other command than the script can be had of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from collector import captures, catalog, private
from collector.errors import BadInput, CollectorError, one_line
from collector.i18n.message import msg
from collector.run.ansible import engine
from collector.run.ansible.follow import Line, following
from collector.run.ansible.inventory import How
from collector.run.collected.run_folder import RunFolder
from collector.run.mesh import frames, shard
from collector.run.mesh.node_keys import NodeKeys
from collector.run.mesh.shard import Shard
from collector.run.mesh.tidying import tidy
from collector.script import collector_script, script_digest

_PREFIX = "hostpledge-worker-"
_ALIVE = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# after its deadline Ansible is asked to end, and this much later the worker ends without it
_ENDING = 30.0


def received(source: IO[bytes], keys: NodeKeys) -> Shard:
    """The shard that comes from `source`; raises BadInput where this node can read none."""
    asked = shard.decrypted(source.read(shard.LARGEST + 1), keys.identity)
    if asked.node != keys.node:
        raise BadInput(msg("shard_not_for_this_node"))
    return asked


def work(asked: Shard, out: IO[bytes], keys: NodeKeys) -> bool:
    """Does a shard, and writes frames to `out`; True where all of its hosts were asked."""
    context = frames.Context(asked.id, keys.node, asked.run["nonce"], asked.run["script_sha256"])
    sender = _Sender(out, context, keys)
    tidy(keys.runtime, keys.node)
    said = ""
    with sender.alive(), _deadline(asked.until):
        try:
            _collect(asked, keys, sender)
        except (CollectorError, OSError) as problem:
            said = one_line(str(problem), 300)
    sender.end(said)
    return not said


@contextmanager
def own_output() -> Iterator[IO[bytes]]:
    """Standard output for frames alone: what else is printed goes where errors go.

    Receptor writes both into one file, where a word of Python's would break a frame.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    same = os.path.sameopenfile(1, 2)
    with open(os.devnull, "wb") as nowhere, open(kept, "wb", buffering=0) as out:
        if same:
            os.dup2(nowhere.fileno(), 2)
        os.dup2(2, 1)
        yield out


class _Sender:
    """Writes frames, one at a time."""

    def __init__(self, out: IO[bytes], context: frames.Context, keys: NodeKeys) -> None:
        self._out = out
        self._context = context
        self._key = keys.signing
        self._lock = threading.Lock()
        self._sent = 0

    def capture(self, host: str, data: bytes, seconds: float) -> None:
        frame = {
            "kind": "capture",
            "host": host,
            "sha256": captures.digest(data),
            "bytes": len(data),
            "seconds": seconds,
        }
        self._write(frames.line(self._context.sign(frame, self._key)) + data)
        self._sent += 1

    def end(self, said: str) -> None:
        frame = {"kind": "end", "captures": self._sent, "said": said}
        self._write(frames.line(self._context.sign(frame, self._key)))

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Within it a sign of life goes out every few seconds."""
        over = threading.Event()

        def tell() -> None:
            # a centre that is gone is noticed where a capture is sent
            with suppress(OSError):
                while not over.wait(_ALIVE):
                    self._write(frames.line({"kind": "alive"}))

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(_ALIVE)

    def _write(self, data: bytes) -> None:
        with self._lock:
            left = memoryview(data)
            while left:
                left = left[self._out.write(left) :]


def _collect(asked: Shard, keys: NodeKeys, sender: _Sender) -> None:
    """Raises CollectorError or OSError where not all of its hosts were asked."""
    with private.set_aside(_PREFIX) as place:
        # the seals of this folder are nobody's: they go with it
        os.environ["HOSTPLEDGE_HOME"] = str(place / "home")
        # and so does all that Ansible leaves lying when it is interrupted
        os.environ["TMPDIR"] = tempfile.tempdir = str(private.folder(place / "tmp"))
        folder = _run_in(place / "run", asked, keys)
        inventory = place / "inventory.json"
        private.write_aside(inventory, json.dumps(dict(asked.inventory)).encode())
        how = How(inventory=(str(inventory),), **asked.how)
        with following(folder.path / "journal.jsonl", _sending(folder, sender)):
            engine.collect(folder, how, asked.hosts, progress=lambda *_: None)


def _run_in(place: Path, asked: Shard, keys: NodeKeys) -> RunFolder:
    """The run of the centre, begun here for the hosts of this shard; raises BadInput."""
    run = asked.run
    selected = catalog.select(tuple(run["families"]), run["grade"])
    script = collector_script(catalog.reads_for(selected).values())
    if script_digest(script) != run["script_sha256"]:
        raise BadInput(
            msg("mesh_another_script", version=one_line(run["version"])),
            mend=msg("mesh_same_version_everywhere"),
        )
    private.folder(place / "captures")
    captures.write_aside(place / "script.sh", script.encode())
    about = {
        **run,
        "schema": "urn:hostpledge:schema:run:1",
        "ended": None,
        "hosts": [],
        "worker": {"node": keys.node, "key": keys.signing.keyid},
    }
    folder = RunFolder(place, about)
    folder.save()
    return folder


def _sending(folder: RunFolder, sender: _Sender) -> Callable[[Line], None]:
    def send(line: Mapping[str, Any]) -> None:
        path = folder.path / "captures" / line["file"]
        # its line comes first
        until = time.monotonic() + _ALIVE
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)
        try:
            sender.capture(line["host"], path.read_bytes(), line["seconds"])
        except OSError:
            # nobody takes them any more, or there is no room: the hosts are not to be asked
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    return send


@contextmanager
def _deadline(until: datetime) -> Iterator[None]:
    """Whoever waits for this shard does so until then: nobody is asked any longer."""
    left = max((until - datetime.now(UTC)).total_seconds(), 0)
    ask = threading.Timer(left, os.kill, (os.getpid(), signal.SIGTERM))
    leave = threading.Timer(left + _ENDING, os._exit, (1,))
    for timer in (ask, leave):
        timer.daemon = True
        timer.start()
    # Receptor's cancel is the one, the deadline the other
    before = {number: signal.signal(number, _interrupted) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ask.cancel()
        leave.cancel()


def _interrupted(*_: object) -> None:
    """Before and after Ansible; while it runs, `play` ends it in order."""
    raise BadInput(msg("mesh_worker_ended"))
