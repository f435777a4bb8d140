"""The package of what listens: real processes of this machine, and rpm's answers as text."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.facts.network.listeners import READS
from collector.facts.system.package_owners import Program, programs
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

_LISTEN = (
    "import socket; s = socket.create_server(('127.0.0.1', 0));"
    " print(s.getsockname()[1], flush=True); input()"
)
_PYTHON = "/usr/bin/python3"


def _seen(text: bytes) -> Capture:
    read = ReadResult("sockets.listening", ReadStatus.OK, stdout=text)
    return Capture("here", HostStatus.COMPLETE, reads={read.id: read})


def _here(shell: tuple[str, ...]) -> Capture:
    (read,) = READS
    done = subprocess.run([*shell, "-c", read.body], capture_output=True, check=True)
    return _seen(done.stdout)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Debian's own Python, one that nobody packed, one that was replaced, one behind a mount."""
    own = tmp_path / "own python"
    odd, gone = tmp_path / "python-own", tmp_path / "python-gone"
    for copy in (own, odd, gone):
        shutil.copy(os.path.realpath(_PYTHON), copy)
    mount = f'mount --bind {odd} {os.path.realpath(_PYTHON)} && exec {_PYTHON} -c "$1"'
    commands = {
        "packed": [_PYTHON, "-c", _LISTEN],
        "own": [str(odd), "-c", _LISTEN],
        "blank": [str(own), "-c", _LISTEN],
        "gone": [str(gone), "-c", _LISTEN],
        "mounted": ["unshare", "-m", "sh", "-c", mount, "sh", _LISTEN],
    }
    running = {
        name: subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name, argv in commands.items()
    }
    try:
        for process in running.values():
            assert process.stdout and process.stdout.readline()
        gone.unlink()
        yield {name: process.pid for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
            process.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "sh")], ids=" ".join)
def test_here(listening: dict[str, int], shell: tuple[str, ...]) -> None:
    found = programs(_here(shell))
    packed = found[listening["packed"]]
    assert packed.path == os.path.realpath(_PYTHON)
    assert packed.package and packed.package.startswith("python3")
    assert found[listening["own"]].package == ""
    # a name with a blank is not asked for, a file that is gone or another's is nobody's
    assert not {listening[name] for name in ("blank", "gone", "mounted")} & set(found)


def test_rpm() -> None:
    text = (
        b"bindv6only=0\n== ss\n\n== programs\nprogram 7 /usr/sbin/sshd\nprogram 9 /opt/x/agent\n"
        b"== rpm\npath /usr/sbin/sshd\npath /opt/x/agent\nowner openssh-server\n"
        b"file /opt/x/agent is not owned by any package\n== units\npid 7 /init.scope\n== end\n"
    )
    assert programs(_seen(text)) == {
        7: Program("/usr/sbin/sshd", "openssh-server"),
        9: Program("/opt/x/agent", ""),
    }


def test_rpm_answers_something_else() -> None:
    """A database that is locked or broken says nothing of a package, not that there is none."""
    broken = b"error: cannot open Packages database in /var/lib/rpm\n"
    text = (
        b"bindv6only=0\n== ss\n\n== programs\nprogram 7 /usr/sbin/sshd\n"
        b"== rpm\npath /usr/sbin/sshd\n" + broken + b"== end\n"
    )
    assert programs(_seen(text)) == {7: Program("/usr/sbin/sshd", None)}
    text = text.replace(b"== end", broken + b"== end")
    assert programs(_seen(text)) == {7: Program("/usr/sbin/sshd", None)}


def test_merged_usr_and_diversions() -> None:
    """What a list calls /bin/x lies at /usr/bin/x; who owns what is diverted is not told."""
    text = (
        b"bindv6only=0\n== ss\n\n== programs\nprogram 7 /usr/bin/x\nprogram 8 /usr/bin/y\n"
        b"== dpkg\n/var/lib/dpkg/info/x:amd64.list:/bin/x\n/var/lib/dpkg/info/y.list:/usr/bin/y\n"
        b"/var/lib/dpkg/diversions:/usr/bin/y\n== end\n"
    )
    found = programs(_seen(text))
    assert found == {7: Program("/usr/bin/x", "x"), 8: Program("/usr/bin/y", None)}


def test_of_an_older_capture() -> None:
    assert programs(_seen(b"bindv6only=0\n== ss\n\n== end\n")) == {}
