"""A host that sends without end takes no more memory here than there is for it; others go on."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from collector.run.ansible import bounded

PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: echo here
"""


def test_it_holds_for_as_long_as_ansible_runs() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded.memory():
        soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
        assert bounded.LEAST <= soft < 1 << 46
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_flood_ends_its_own_host_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flood = tmp_path / "flood"
    flood.write_text(f"#!/bin/sh\nexec yes {'a' * 200}\n")
    flood.chmod(0o755)
    (tmp_path / "hosts").write_text(
        f"flood ansible_host=127.0.0.1 ansible_ssh_executable={flood}\n"
        "good ansible_connection=local\n"
    )
    (tmp_path / "play.yml").write_text(PLAY)
    monkeypatch.setattr(os, "sysconf", lambda _: 1)
    with bounded.memory(600 << 20):
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "hosts", "play.yml"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
            env=os.environ | {"ANSIBLE_NOCOLOR": "1", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    told = {line.split()[0]: line for line in done.stdout.splitlines() if "unreachable=" in line}
    assert "failed=1" in told["flood"]
    assert "ok=1" in told["good"]
