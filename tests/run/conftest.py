"""A real sshd on loopback, of the test's own: each behaviour is a key with a forced command."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forked import command

# what a login does, whatever it was asked to run
_FORCED = {
    "well": "",
    "hangs": 'command="exec sleep 600" ',
    "floods": 'command="exec yes hostpledge" ',
    "floods_inside": "command=\"sh -c 'cat >/dev/null & read -r n; "
    'printf \\"hostpledge-capture 1 %s\\\\n\\" \\"${n#HP_NONCE=}\\"; exec yes\'" ',
    "floods_errors": 'command="exec yes error >&2" ',
    "claims": "command=\"sh -c 'echo debug1: Server host key: ssh-ed25519 SHA256:AAAA >&2; "
    "exec sh -s'\" ",
    # what a ssh of its own would say, from the first line on
    "forges": "command=\"printf 'debug1: %s\\r\\n' 'Connecting to other [192.0.2.77] port 22.' "
    "'Connection established.' 'Server host key: ssh-ed25519 SHA256:FORGED' >&2; exec sh -s\" ",
    "dies": "command=\"sh -c 'sh -s | head -c 3000; sleep 1; kill -9 $PPID'\" ",
    "garbled": 'command="echo This account is not available." ',
    "noisy": "command=\"sh -c 'echo Welcome; echo @0123 end; exec sh -s'\" ",
}


@dataclass(frozen=True)
class Sshd:
    """Where it listens, and the inventory lines that reach it."""

    folder: Path
    port: int
    pid: int

    def line(self, name: str, behaviour: str, more: str = "") -> str:
        """One inventory line: a host whose login behaves so."""
        known = self.folder / "known_hosts"
        return (
            f"{name} ansible_host=127.0.0.1 ansible_port={self.port} ansible_user=root "
            f"ansible_ssh_private_key_file={self.folder}/{behaviour} "
            f"ansible_ssh_common_args='-o UserKnownHostsFile={known} -F none "
            f"-o IdentitiesOnly=yes' {more}\n"
        )

    @property
    def fingerprint(self) -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", str(self.folder / "host.pub")],
            capture_output=True,
            text=True,
            check=True,
        )
        return shown.stdout.split()[1]


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if os.geteuid() != 0 or not os.path.exists(program):
        pytest.skip("needs root and openssh-server: a real sshd is started on loopback")
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    authorized = []
    for name, forced in _FORCED.items():
        _keygen(folder / name)
        authorized.append(forced + (folder / f"{name}.pub").read_text())
    _keygen(folder / "stranger")
    _keygen(folder / "host")
    (folder / "authorized_keys").write_text("".join(authorized))
    (folder / "authorized_keys").chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    _keygen(folder / "other")
    (folder / "wrong_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'other.pub').read_text()}")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "MaxStartups 200\nMaxSessions 100\nLogLevel ERROR\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [program, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL
    )
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Sshd(folder, port, process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def _keygen(path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def hostpledge(*words: str, timeout: float = 120, **env: str) -> Ran:
    """The command as a user runs it."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", **env}
    done = command(*words, env=env, timeout=timeout)
    out, err = done.out.decode(), done.err.decode()
    assert "Traceback" not in err, err
    return Ran(done.status, out, err)
