"""What an inventory says comes into programs of root: its writer need not be root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_facts: {nodename: h, hostname: h, service_mgr: systemd, os_family: Debian}
  tasks:
    - ansible.builtin.include_role: {name: backup, tasks_from: stores.yml}
"""


def _store(**changes: Any) -> dict[str, Any]:
    return {
        "name": "orders", "kind": "database", "engine": "mysql", "category": "orders",
        "level": "重要", "owner": "王安",
    } | changes  # fmt: skip


def _ran(tmp_path: Path, store: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "given.json").write_text(json.dumps({"backup_stores": [store]}))
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "play.yml",
         "-e", "@given.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                          "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (_store(name="orders\nid >/tmp/x\n#"), "a line break or another control character"),
        (_store(name="orders\u2028id"), "a line break or another control character"),
        (_store(kind="path", path="/srv/a\nid", name="a"), "a line break"),
        (_store(name="--result-file=/etc/passwd"), "for an option or an address"),
        (_store(name="-F/x"), "for an option or an address"),
        (_store(name="host=evil.example"), "for an option or an address"),
        (_store(name="postgresql://evil.example/x"), "for an option or an address"),
        (_store(name="x' UNION SELECT 1 -- "), "for an option or an address"),
    ],
)
def test_what_is_no_name_sets_up_nothing(tmp_path: Path, store: dict[str, Any], said: str) -> None:
    done = _ran(tmp_path, store)
    assert done.returncode == 2
    assert said in " ".join(done.stdout.split())
    assert "nothing is set up" in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", ["orders", "订单", "my shop", "a_b-c.d", "0x"])
def test_names_of_databases_are_taken(tmp_path: Path, name: str) -> None:
    assert "nothing is set up" not in _ran(tmp_path, _store(name=name)).stdout
