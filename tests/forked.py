"""The command line in a process of its own, forked from one that has its modules and controls.

A command spends most of a short call on what is the same in every call: its modules, its regular
expressions, the controls. The texts of `collector.cli` are in the language of its process, so each
language has a process of its own. What the interpreter itself does with its environment takes a
real start.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest.mock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.cli.ui import language

ROOT = Path(__file__).parents[1]
_MOST = 1 << 20
# what runs when it is loaded, what wants Ansible or Alembic around it
_NOT_LOADED = ("__main__", "run.", "pledges.migrations.")


@dataclass(frozen=True)
class Finished:
    status: int
    out: bytes
    err: bytes


def command(
    *words: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    data: bytes = b"",
    timeout: float = 120,
) -> Finished:
    """`python -m collector WORDS` with this environment and input; as subprocess.run has it."""
    if _for_the_interpreter(env) != _for_the_interpreter(os.environ):
        return _started(words, env, cwd, data, timeout)
    call = {"words": words, "env": dict(env), "cwd": str(cwd or Path.cwd())}
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(data)
        given.seek(0)
        said, says = os.pipe()
        try:
            _nursery(_language(words, env)).call(
                call, (given.fileno(), out.fileno(), err.fileno(), says)
            )
        finally:
            os.close(says)
        status = _ended(said, timeout)
        for file in (out, err):
            file.seek(0)
        return Finished(status, out.read(), err.read())


def _for_the_interpreter(env: Mapping[str, str]) -> dict[str, str]:
    other = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in env.items() if k.startswith("PYTHON") and k not in other}


def _started(
    words: tuple[str, ...], env: Mapping[str, str], cwd: Path | None, data: bytes, timeout: float
) -> Finished:
    done = subprocess.run(
        [sys.executable, "-m", "collector", *words],
        env=env,
        cwd=cwd,
        input=data,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def _ended(said: int, timeout: float) -> int:
    """The exit status; the command is killed where it takes longer than `timeout` seconds."""
    last = time.monotonic() + timeout
    lines = b""
    with open(said, "rb", buffering=0) as stream:
        while lines.count(b"\n") < 2:
            if not select.select([stream], [], [], max(0, last - time.monotonic()))[0]:
                if lines:
                    os.kill(int(lines), signal.SIGKILL)
                raise subprocess.TimeoutExpired("hostpledge", timeout)
            some = stream.read(100)
            assert some, "the process that commands are forked from is gone"
            lines += some
    return int(lines.split()[1])


class _Nursery:
    """The process that commands are forked from; it ends when this one does."""

    def __init__(self, language: str) -> None:
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(its.fileno())],
                cwd=ROOT,
                env={
                    k: v for k, v in os.environ.items() if not k.startswith(("HOSTPLEDGE_", "LC_"))
                }
                | {"LANG": "en_US.UTF-8", "PYTHONPATH": str(ROOT), "HOSTPLEDGE_LANG": language},
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        atexit.register(self.end)

    def call(self, call: Mapping[str, Any], fds: tuple[int, ...]) -> None:
        socket.send_fds(self._socket, [json.dumps(call).encode()], fds)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


_LOCK = threading.Lock()
_NURSERIES: dict[str, _Nursery] = {}


def _nursery(language: str) -> _Nursery:
    with _LOCK:
        if language not in _NURSERIES:
            _NURSERIES[language] = _Nursery(language)
        return _NURSERIES[language]


def _language(words: Sequence[str], env: Mapping[str, str]) -> str:
    """As the command finds it (`_run` makes sure): where the nursery is another's it ends badly."""
    with (
        unittest.mock.patch.object(sys, "argv", ["collector", *words]),
        unittest.mock.patch.dict(os.environ, env, clear=True),
    ):
        return language.lang.__wrapped__()


def _serve(calls: socket.socket) -> None:
    """Forks a command for every call, until nobody can call any more."""
    _load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting: set[int] = set()
    while True:
        waiting -= {one for one in waiting if os.waitpid(one, os.WNOHANG)[0]}
        message, fds, _, _ = socket.recv_fds(calls, _MOST, 4)
        if not message:
            return
        one = os.fork()
        if one == 0:
            calls.close()
            _mind(json.loads(message), fds)
        waiting.add(one)
        for fd in fds:
            os.close(fd)


def _load() -> None:
    for path in sorted((ROOT / "collector").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "collector").with_suffix("").parts)
        if not name.startswith(_NOT_LOADED) and not name.endswith("__init__"):
            importlib.import_module(f"collector.{name}")
    from collector import catalog, faults, schema

    catalog.controls()
    for name in faults.documents():
        schema.validator(name.split(":")[3])
    # where the tests' own tools are installed it builds grammars for more than a second
    importlib.import_module("jsonschema")
    gc.collect()
    gc.freeze()


def _mind(call: Mapping[str, Any], fds: list[int]) -> None:
    """Says which process the command is, and later its status."""
    *streams, says = fds
    child = os.fork()
    if child == 0:
        os.setsid()
        for to, stream in enumerate(streams):
            os.dup2(stream, to)
        os.closerange(3, max(fds) + 1)
        _run(call)
    # whoever waits no longer has ended it
    with contextlib.suppress(BrokenPipeError):
        os.write(says, b"%d\n" % child)
        _, ended = os.waitpid(child, 0)
        os.write(says, b"%d\n" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _run(call: Mapping[str, Any]) -> None:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        gc.set_threshold(700, 10, 10)
        os.environ.clear()
        os.environ.update(call["env"])
        os.chdir(call["cwd"])
        time.tzset()
        tempfile.tempdir = None
        sys.argv = ["collector", *call["words"]]
        loaded = language.lang()
        language.lang.cache_clear()
        assert language.lang() == loaded, "this process speaks another language"
        runpy.run_module("collector", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
