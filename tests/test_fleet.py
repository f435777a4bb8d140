"""The fleet itself: what it writes is true, and nothing of it stays behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.fleet import Fleet
from tests.fleet.running import listing, stop

pytestmark = pytest.mark.fleet

START = """
import sys, time
from pathlib import Path
from tests.fleet import Fleet
Fleet(["bare"], folder=Path(sys.argv[1]), prefix="tests-orphan").start()
print("up", flush=True)
time.sleep(600)
"""


def test_the_inventory_reaches_every_host_that_answers(fleet: Fleet) -> None:
    entries = yaml.safe_load(fleet.inventory.read_text())["all"]["hosts"]
    assert {"good", "bare", "nopython", "busybox", "sudo-free", "sudo-refused"} <= set(entries)
    assert len({running.address for running in fleet.hosts.values()}) == len(fleet.hosts)
    for name, running in fleet.hosts.items():
        if running.host.answers and not running.host.false_key:
            done = subprocess.run([*fleet.ssh(name), "hostname"], capture_output=True, check=True)
            assert done.stdout.decode().strip() == name
    assert fleet.key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("user", "code"), [("free", 0), ("asked", 1), ("refused", 1)])
def test_sudo_without_a_password(fleet: Fleet, user: str, code: int) -> None:
    done = subprocess.run(
        [*fleet.ssh("sudo", user), "sudo -n true"], capture_output=True, check=False
    )
    assert done.returncode == code


def test_there_is_no_python_where_none_should_be(fleet: Fleet) -> None:
    for host in ("nopython", "busybox"):
        found = fleet.execute(host, "sh", "-c", "ls /usr/bin/python* /usr/libexec/*python*")
        assert found.stdout == b""


def test_the_good_host_is_up_and_whole(fleet: Fleet) -> None:
    failed = fleet.execute("good", "systemctl", "--failed", "--plain", "--no-legend")
    assert failed.stdout == b""
    state = fleet.execute("good", "systemctl", "is-system-running", "--wait")
    assert state.stdout == b"running\n"
    for unit in ("clamav-daemon", "nftables", "rsyslog", "backup-data.timer", "logrotate.timer"):
        assert fleet.execute("good", "systemctl", "is-active", unit).stdout == b"active\n", unit
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    script = "import socket;s=socket.socket(socket.AF_UNIX);s.connect('/run/clamav/clamd.ctl');"
    script += f"d={eicar!r};s.sendall(b'zINSTREAM\\0'+len(d).to_bytes(4,'big')+d+bytes(4));"
    script += "print(s.recv(200))"
    assert b"Eicar-Test-String" in fleet.execute("good", "python3", "-c", script).stdout


def test_what_a_killed_run_left_behind_is_ended_by_the_next(fleet: Fleet, tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path)], stdout=subprocess.PIPE, cwd=root
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert ("tests-orphan-bare", "running") in listing()
    with Fleet(["busybox"], folder=tmp_path / "next", prefix=f"{fleet.prefix}-next"):
        assert not any(name.startswith("tests-orphan") for name, _ in listing())
    stop("tests-orphan")
    assert all(not name.startswith(f"{fleet.prefix}-next") for name, _ in listing())
