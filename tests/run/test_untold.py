"""What ssh says of itself reaches us, whoever stops to listen first."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from collector.run.collected import outcome
from collector.run.collected.stream import Stream

# as sshpass does with a second prompt: it is gone, and the ssh it started is not yet
_SSHPASS = '#!/bin/sh\n"$@" &\nuntil [ -s "$3" ]; do sleep 0.05; done\nexit 5\n'
_SSH = """#!/bin/sh
echo 'debug1: Executing proxy command: exec ssh -W' >>"$2"
echo "$$" >"$0.pid"
exec sleep 60
"""


def _started(tmp_path: Path, ssh: str) -> tuple[Stream, Any]:
    for name, text in (("sshpass", _SSHPASS), ("ssh", ssh)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    stream = Stream(tmp_path / "part", "n", limit=1 << 20, seconds=30)
    module: Any = SimpleNamespace(subprocess=subprocess)
    with stream.instead_of_popen([module]):
        process = module.subprocess.Popen(
            [str(tmp_path / "sshpass"), str(tmp_path / "ssh")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        process.wait()
    return stream, process


def test_what_ssh_said_is_known_where_sshpass_went_first(tmp_path: Path) -> None:
    """Nobody read stderr to its end, so ssh's own words did not come by that way."""
    stream, _ = _started(tmp_path, _SSH)
    said = 'Authenticated to jump ([192.0.2.1]:22) using "password".'
    assert outcome.logged_in(said)
    assert not outcome.logged_in(f"{stream.untold()}\n{said}")
    pid = tmp_path / "ssh.pid"
    while not pid.exists() or not pid.read_text().strip():
        time.sleep(0.05)
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_what_came_with_stderr_is_not_told_again(tmp_path: Path) -> None:
    stream, process = _started(tmp_path, _SSH.replace("exec sleep 60", "exit 0"))
    assert b"Executing proxy command" in process.stderr.read(1 << 16) + process.stderr.read()
    assert stream.untold() == ""
