"""What an inventory says comes into programs of root: its writer need not be root."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
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


_BOMB = "a0: &a0 [" + "x," * 9 + "]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [" + f"*a{n}," * 9 + "]\n" for n in range(8)
)  # fmt: skip
_PLAIN = "stores:\n- {name: orders, kind: database, category: c, level: 重要, owner: 王安}\n"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (_PLAIN, True),
        (_PLAIN.replace("王安", "R&D * 研发"), True),
        (_BOMB + _PLAIN, False),
        (_PLAIN + "#" * (1 << 18), False),
        ("stores: " + "[" * 3000 + "\n", False),
        ("stores:\n" + "- " * 5000 + "a\n", False),
    ],
)
def test_an_inventory_of_a_host_is_read_within_bounds(
    tmp_path: Path, text: str, taken: bool
) -> None:
    """It is read on the control node: a worker that dies there ends the play of all hosts."""
    (tmp_path / "inventory.yml").write_text(text)
    (tmp_path / "play.yml").write_text(PLAY)
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "play.yml",
         "-e", f"backup_inventory={tmp_path}/inventory.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                          "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    said = " ".join(done.stdout.split())
    assert ("nested without end" in said or "larger than 256 KiB" in said) is not taken, said
    assert "dead state" not in said


def test_no_line_of_nginx_takes_long() -> None:
    """What stands in `vars` and `when` is under no time limit of Ansible's."""
    text = (ROOT / "roles/encryption/tasks/nginx.yml").read_text(encoding="utf-8")
    (form,) = re.findall(r"encryption_weak_protocol: '(.*)'", text)
    begun = time.monotonic()
    assert not re.search(f"(?m){form}", "ssl_protocols x " * 100_000)
    assert time.monotonic() - begun < 5
    for line in ("ssl_protocols TLSv1 TLSv1.2;", "  ssl_protocols TLSv1.2 SSLv3;\n"):
        assert re.search(f"(?m){form}", f"x\n{line}")
    for line in (
        "# ssl_protocols TLSv1;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_protocols x;",
    ):
        assert not re.search(f"(?m){form}", line)


@pytest.mark.parametrize("name", ["orders", "订单", "my shop", "a_b-c.d", "0x"])
def test_names_of_databases_are_taken(tmp_path: Path, name: str) -> None:
    assert "nothing is set up" not in _ran(tmp_path, _store(name=name)).stdout
