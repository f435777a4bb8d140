"""The output of a host goes straight to a file, bounded, whatever Ansible does with it.

Ansible's connection plugins gather all output in memory and know no limit. For the time of one
call their `subprocess.Popen` is replaced by one whose stdout writes to `HOST.part` once the
capture has begun, and which ends the process at a byte limit or a deadline. What comes before the
capture (prompts for a password, banners) is handed on, so that `become` works as ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from ansible import constants

from collector.private import beside
from collector.run.collected import outcome
from collector.run.collected.asking import careful
from collector.run.collected.given import Given

_BEFORE = 1 << 20
# seconds between two looks whether the command is still there
_LOOKS = 2.0


class Stream:
    """One host's output on its way to `part`. Not more than `limit` bytes, `seconds` seconds.

    It ends (`left`) as well once `wanted` says that nobody waits for it any more.
    """

    def __init__(
        self,
        part: Path,
        nonce: str,
        *,
        limit: int,
        seconds: float,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.part = part
        self.limit = limit
        self.seconds = seconds
        self.flooded = False
        self.timed_out = False
        self.left = False
        self.begun = False
        self.bytes = 0
        self.program = ""
        self.own = outcome.Own("")
        self.told = False
        self._log: Path | None = None
        self._wanted = wanted
        self._mark = f"hostpledge-capture 1 {nonce}".encode()
        self._tail = b""
        self._out: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def take(self, chunk: bytes) -> bytes:
        """Keeps what belongs to the capture; returns what Ansible shall still see."""
        self.bytes += len(chunk)
        if self.bytes > (self.limit if self.begun else _BEFORE) and not self.flooded:
            self.flooded = True
            self.end()
        if self.flooded:
            return b""
        if self.begun:
            self._write(chunk)
            # not empty: to Ansible an empty chunk means that the pipe was closed
            return b"."
        window = self._tail + chunk
        self._tail = window[-len(self._mark) :]
        at = window.find(self._mark)
        if at < 0:
            return chunk
        self.begun = True
        self._write(window[at:])
        return chunk[: max(0, len(chunk) - (len(window) - at))] + b"."

    def has(self, process: subprocess.Popen[bytes], program: str) -> None:
        """The process whose output this is; one that comes when all is over is ended at once."""
        self._process = process
        self.program = program
        if self.timed_out or self.left or self.flooded:
            self.end()

    def all(self, output: bytes) -> None:
        """Output that a connection plugin returned as a whole."""
        if not self.begun:
            self.take(output)

    def leave(self) -> None:
        """Nobody waits for it any more: what comes of it is no answer of the host."""
        self.left = True
        self.end()

    def end(self) -> None:
        """Ends the process and all in its group."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()

    def _watch(self, over: threading.Event) -> None:
        """Ends the process when its time is over, or nobody is there any more who wants it."""
        last = time.monotonic() + self.seconds
        while not over.wait(min(_LOOKS, max(last - time.monotonic(), 0))):
            if time.monotonic() >= last:
                self.timed_out = True
            elif not self._wanted():
                self.left = True
            else:
                continue
            self.end()
            return

    def _write(self, data: bytes) -> None:
        if self._out is None:
            handle = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._out = open(handle, "wb")  # noqa: SIM115 - lives until `close`
        self._out.write(data)

    def close(self) -> bytes:
        """Everything that came (never more than the limit); the capture made of it is synced."""
        self.heard()
        if self._log is not None:
            self._log.unlink(missing_ok=True)
        if self._out is None:
            return b""
        self._out.close()
        return self.part.read_bytes()

    def apart(self, args: Any) -> Any:
        """The command line of a process, with ssh's own words where the host's do not get."""
        if self._log is not None:
            # another attempt
            self._log.unlink(missing_ok=True)
        self.own, self._log, self.told = outcome.Own(""), beside(self.part), False
        return outcome.apart(args, str(self._log))

    def heard(self) -> bytes:
        """What ssh has said of itself so far, and is kept as that; not too much of it."""
        if self._log is None:
            return b""
        with suppress(OSError), self._log.open("rb") as log:
            said = log.read(_BEFORE)
            self.own = outcome.own(said)
            return said
        return b""

    def untold(self) -> str:
        """What ssh has said of itself, where Ansible stopped to read before its stderr ended.

        It does so once the program it started is gone; sshpass goes before the ssh it started.
        """
        return "" if self.told else self.heard().decode("utf-8", "replace")

    @contextmanager
    def instead_of_popen(self, modules: list[ModuleType]) -> Iterator[None]:
        """Within it, processes that these Ansible modules start are led through this stream."""
        with led(modules), self.in_this_thread():
            yield

    @contextmanager
    def in_this_thread(self) -> Iterator[None]:
        """The same for what this thread alone starts, within `led`: others have their own."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,), daemon=True)
        before, _HERE.stream = _HERE.stream, self
        watch.start()
        try:
            yield
        finally:
            over.set()
            _HERE.stream = before


class _Here(threading.local):
    """The stream of this thread."""

    stream: Stream | None = None


_HERE = _Here()


@contextmanager
def led(modules: list[ModuleType]) -> Iterator[None]:
    """Within it, what these modules start goes through the stream of the thread that starts it."""
    patched = [(module, module.subprocess) for module in modules]
    for module, real in patched:
        module.subprocess = _With(real, _Popen)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, real in patched:
            module.subprocess = real  # type: ignore[attr-defined]


class _Popen(subprocess.Popen[bytes]):
    """A process of a connection plugin, in a session of its own."""

    def __init__(self, args: Any, **how: Any) -> None:
        # Ansible asks for a session of its own too where it hands over a password
        how |= {"start_new_session": True}
        if how.get("env"):
            how["env"] = careful(how["env"], Path(constants.DEFAULT_LOCAL_TMP))
        stream = _HERE.stream
        super().__init__(args if stream is None else stream.apart(args), **how)
        if stream is None:
            return
        stream.has(self, _name(args))
        if self.stdout is not None:
            self.stdout = _Pipe(self.stdout, stream)  # type: ignore[assignment]
        if self.stderr is not None:
            self.stderr = _Errors(self.stderr, stream)  # type: ignore[assignment]
        if self.stdin is not None:
            self.stdin = Given(self.stdin, self)  # type: ignore[assignment]

    def communicate(self, input: Any = None, timeout: Any = None) -> tuple[Any, Any]:  # noqa: ARG002
        return _communicate(self, input) if isinstance(self.stdout, _Pipe) else self._as_ever(input)

    def _as_ever(self, input: Any) -> tuple[Any, Any]:
        return super().communicate(input)


def _name(args: Any) -> str:
    """The program of a command line, without its folder."""
    first = args if isinstance(args, str | bytes) else next(iter(args), b"")
    return Path(os.fsdecode(first)).name


class _With:
    """The subprocess module with another Popen."""

    def __init__(self, real: Any, popen: type[Any]) -> None:
        self._real = real
        self.Popen = popen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Pipe:
    """A process's stdout; `read` keeps what belongs to the capture."""

    def __init__(self, real: IO[bytes], stream: Stream) -> None:
        self.real = real
        self.stream = stream

    def read(self, size: int = -1) -> bytes | None:
        chunk = self.real.read(size)
        return self.stream.take(chunk) if chunk else chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class _Errors:
    """A process's stderr: what ssh says, and what the host does. A little of it is enough."""

    def __init__(self, real: IO[bytes], stream: Stream) -> None:
        self.real = real
        self.stream = stream
        self.bytes = 0
        self._ended = False

    def read(self, size: int = -1) -> bytes | None:
        chunk = self.real.read(_BEFORE if size < 0 else size)
        if chunk == b"" and not self._ended:
            # Ansible, and we, tell by these words why a connection did not come about
            self._ended = self.stream.told = True
            return self.stream.heard()
        if not chunk:
            return chunk
        self.bytes += len(chunk)
        if self.bytes <= _BEFORE:
            return chunk
        self.stream.flooded = True
        self.stream.bytes = max(self.stream.bytes, self.bytes)
        self.stream.end()
        return b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def _communicate(process: subprocess.Popen[bytes], given: bytes | None) -> tuple[bytes, bytes]:
    """As Popen.communicate, but stdout is taken in pieces (the local connection uses this)."""
    errors: list[bytes] = []
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr

    def send() -> None:
        try:
            if given and stdin is not None:
                stdin.write(given)
            if stdin is not None:
                stdin.close()
        except OSError:
            return

    def gather() -> None:
        if stderr is not None:
            while chunk := os.read(stderr.fileno(), 65_536):
                if sum(map(len, errors)) < _BEFORE:
                    errors.append(chunk)

    threads = [threading.Thread(target=work, daemon=True) for work in (send, gather)]
    for thread in threads:
        thread.start()
    seen: list[bytes] = []
    pipe: Any = stdout
    if isinstance(pipe, _Pipe):
        while chunk := os.read(pipe.fileno(), 65_536):
            seen.append(pipe.stream.take(chunk))
    process.wait()
    for thread in threads:
        thread.join(2)
    return b"".join(seen), b"".join(errors)
