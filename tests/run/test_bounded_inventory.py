"""An inventory that has no end, or no measure, is one clear line; and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.run.ansible import bounded, inventory
from collector.run.ansible.inventory import How, hosts_of


def _given(path: Path) -> How:
    return How((str(path),))


@pytest.mark.parametrize(
    ("given", "pipe"),
    [
        ("d", "d/hosts.yml"),
        ("d", "d/group_vars/all.yml"),
        ("hosts", "group_vars/all/vault.yml"),
        ("hosts", "host_vars/web-01.yml"),
    ],
)
def test_nobody_waits_for_the_other_end_of_a_pipe(tmp_path: Path, given: str, pipe: str) -> None:
    (tmp_path / "d").mkdir()
    for file in ("d/plain", "hosts"):
        (tmp_path / file).write_text("web-01 ansible_connection=local\n")
    path = tmp_path / pipe
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(BadInput) as refused:
        hosts_of(_given(tmp_path / given))
    assert path.name in str(refused.value)


def test_what_is_hidden_is_left_alone_as_ansible_does(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    (folder / ".git").mkdir(parents=True)
    (folder / "hosts").write_text("web-01 ansible_connection=local\n")
    os.mkfifo(folder / ".git" / "daemon.ipc")
    os.mkfifo(folder / ".pipe")
    assert hosts_of(_given(folder)) == ["web-01"]


def test_a_range_of_all_numbers_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text('all: {hosts: {"w[1:9999999999]": {}}}\n')
    monkeypatch.setattr(bounded, "_MEMORY", 1 << 29)
    with pytest.raises(BadInput, match="needs more than 0 GiB of memory") as refused:
        hosts_of(_given(file))
    assert refused.value.where == str(file)


def _script(folder: Path, seconds: int) -> Path:
    file = folder / "hosts.sh"
    said = (
        '{"_meta": {"hostvars": {"h": {"ansible_password": "hunter2"}}}, "all": {"hosts": ["h"]}}'
    )
    file.write_text(f"#!/bin/sh\nsleep {seconds}\ncat <<'END'\n{said}\nEND\n")
    file.chmod(0o755)
    return file


def test_a_program_without_an_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "listed", partial(bounded.listed, seconds=3))
    with pytest.raises(BadInput, match="did not read it within 3 seconds"):
        hosts_of(_given(_script(tmp_path, 60)))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_meanwhile_writes_no_passwords(tmp_path: Path, how: signal.Signals) -> None:
    """Whoever would take them away is gone."""
    place = tmp_path / "tmp"
    place.mkdir()
    program = (
        "import sys; from collector.run.ansible.inventory import How, hosts_of;"
        "hosts_of(How((sys.argv[1],)))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program, _script(tmp_path, 4)],
        env=os.environ | {"TMPDIR": str(place)},
    )
    until = time.monotonic() + 30
    while not any(place.iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1.5)
    running.send_signal(how)
    running.wait()
    time.sleep(5)
    kept = [file.read_bytes() for file in place.rglob("*") if file.is_file()]
    assert not any(b"hunter2" in data for data in kept)
