"""What a user calls by the name of a daemon is none, whatever rights it runs with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harden.remembering import ROLE, loaded
from tests.harden.users import UID

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="wants root and a user"),
    pytest.mark.skipif(shutil.which("pidof") is None, reason="pidof is not there"),
]
_SLEEP = "/bin/sleep"
Started = Callable[..., int]


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts a copy of sleep by a name, as root or as him; his is setuid where `mode` says so."""
    folder = Path(tempfile.mkdtemp(prefix="hp-users-", dir="/var/tmp"))
    folder.chmod(0o755)
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, *, user: int = 0, mode: int = 0o755, owner: int = 0) -> int:
        file = folder / str(len(running)) / name
        file.parent.mkdir(mode=0o755)
        shutil.copy(_SLEEP, file)
        os.chown(file, owner, owner)
        os.chown(file.parent, owner, owner)
        file.chmod(mode)
        process = subprocess.Popen([file, "300"], user=user, group=user, extra_groups=[])
        running.append(process)
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != name:
            time.sleep(0.01)
        return process.pid

    yield start
    for process in running:
        process.kill()
        process.wait()
    shutil.rmtree(folder)


def _uids(pid: int) -> list[str]:
    status = Path(f"/proc/{pid}/status").read_text()
    return status.partition("\nUid:\t")[2].split("\t")[:3]


def _sshd() -> list[str]:
    """The programs that the module of sshd would run."""
    module = loaded("hostpledge_sshd", ROLE.parent / "intrusion" / "library")
    programs: list[str] = [exe for exe, _ in module._listeners()]
    return [exe for exe in programs if "hp-users-" in exe]


def test_a_setuid_program_by_the_name_of_sshd_is_not_run(started: Started) -> None:
    pid = started("sshd", user=UID, mode=0o4755)
    if _uids(pid)[1] != "0":
        pytest.skip("no program is setuid here")
    # as whom it runs is root; who started it is not
    assert Path(f"/proc/{pid}").stat().st_uid == 0
    assert _sshd() == []


def test_a_program_that_a_user_can_replace_is_not_run(started: Started) -> None:
    started("sshd", owner=UID)
    started("sshd", user=UID)
    assert _sshd() == []


def test_sshd_of_root_is_asked(started: Started) -> None:
    pid = started("sshd")
    assert _sshd() == [os.readlink(f"/proc/{pid}/exe")]


def test_sshd_reads_no_file_that_a_user_leads_elsewhere(tmp_path: Path) -> None:
    module = loaded("hostpledge_sshd", ROLE.parent / "intrusion" / "library")
    file = tmp_path / "plain"
    file.write_text("Port 22\n")
    (tmp_path / "his").mkdir()
    os.chown(tmp_path / "his", UID, UID)
    for name, target in (("link", file), ("pipe", None)):
        if target:
            (tmp_path / "his" / name).symlink_to(target)
        else:
            os.mkfifo(tmp_path / "his" / name)
        assert module._read(str(tmp_path / "his" / name)) == []
    assert module._read(str(file)) == ["Port 22"]


def _running(*names: str) -> list[str]:
    """What roles take for running daemons."""
    done = subprocess.run(
        ["sh", ROLE / "files" / "running.sh"], env={**os.environ, "NAMES": " ".join(names)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_only_daemons_of_the_system_run(started: Started) -> None:
    started("hp-one")
    started("hp-two", user=UID)
    started("hp-three", owner=UID)
    started("hp-four", user=UID, mode=0o4755)
    started("hp-five", user=101)
    assert _running("hp-one", "hp-two", "hp-three", "hp-four", "hp-five", "hp-none") == [
        "hp-one", "hp-five",
    ]  # fmt: skip


def test_the_way_back_waits_for_no_atd_of_a_user(started: Started) -> None:
    """It would take the job, and nothing would ever come of it."""
    script = (ROLE / "files" / "undo.sh").read_text()
    wanted = "\n".join(re.findall(r"(?ms)^(?:facts|runs)\(\) \{.*?^\}$", script))

    def runs(name: str) -> bool:
        return subprocess.run(["sh", "-c", f"{wanted}\nruns {name}"], check=False).returncode == 0

    started("hp-atd", user=UID)
    started("hp-atd", user=UID, mode=0o4755)
    assert not runs("hp-atd")
    started("hp-atd")
    assert runs("hp-atd")
