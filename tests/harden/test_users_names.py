"""Names that users give their files are names to the roles, and never lines of an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.resources import shared
from collector.schema import load_yaml
from tests.harden.conftest import BIN

_ROLES = shared("roles")
# what root alone can write to, or makes itself: of these ansible.builtin.file may change the mode
_OWN = (
    "/etc/", "{{ backup_", "{{ firewall_", "{{ intrusion_pwquality", "{{ monitoring_", "{{ item }}",
    "{{ encryption_policy }}", "{{ encryption_apache.policy }}",
)  # fmt: skip


def _tasks(tasks: Any) -> Iterator[dict[str, Any]]:
    for task in tasks or []:
        yield task
        for within in ("block", "rescue", "always"):
            yield from _tasks(task.get(within))


def _all() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted([*_ROLES.glob("*/tasks/*.yml"), *_ROLES.glob("*/handlers/*.yml")]):
        for task in _tasks(load_yaml(path.read_bytes(), where=str(path))):
            yield path, task


def _vars(path: str, name: str) -> dict[str, Any]:
    tasks = _tasks(load_yaml((_ROLES / path).read_bytes(), where=path))
    (task,) = (task for task in tasks if task["name"] == name)
    return task


def _told(folder: Path, tasks: list[dict[str, Any]], **variables: Any) -> dict[str, Any]:
    """The facts that are there when the tasks were played on this machine."""
    (folder / "play.yml").write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost", "connection": "local", "gather_facts": False,
                    "vars": {
                        "ansible_facts": {"python": {"executable": sys.executable}}, **variables,
                    },
                    "tasks": tasks,
                }
            ]
        )
    )  # fmt: skip
    done = subprocess.run(
        [BIN / "ansible-playbook", "-i", "localhost,", str(folder / "play.yml")],
        env={
            **os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_ROLES_PATH": str(_ROLES), "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    found: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return found


def _write(folder: Path, **what: str) -> dict[str, Any]:
    text = "{{ {" + ", ".join(f"'{k}': {v}" for k, v in what.items()) + "} | to_json }}"
    return {"ansible.builtin.copy": {"dest": str(folder / "told.json"), "content": text}}


def test_a_backup_whose_name_has_lines_closes_no_other_file(tmp_path: Path) -> None:
    """Among its lines is a path of root's."""
    number, name = tempfile.mkstemp(prefix="hp-users-")
    os.close(number)
    other = Path(name)
    store = tmp_path / "backup"
    named = Path(f"{store}/x\n{other}\n")
    named.mkdir(parents=True)
    (named / "z.sql").write_text("")
    (store / "备份 a.sql").write_text("")
    (store / os.fsdecode(b"b\xff.sql")).write_text("")
    for path in (other, *store.rglob("*.sql")):
        path.chmod(0o644)
    tasks = load_yaml((_ROLES / "encryption/tasks/backups.yml").read_bytes(), where="backups")
    play = [task for task in tasks if "include_role" not in str(task)]
    found = _told(
        tmp_path,
        [*play, _write(tmp_path, lines="encryption_open.stdout_lines")],
        encryption_backup_folders=[str(store)],
    )
    other.unlink()
    plain = [line for line in found["lines"] if not line.startswith("other ")]
    assert plain == [f"{store}/备份 a.sql"]
    odd = [line for line in found["lines"] if line.startswith("other ")]
    assert len(odd) == 2
    assert any("x\\n" in line for line in odd)
    (close,) = (task for task in tasks if "include_role" in str(task))
    assert "select('match', '/')" in close["vars"]["safeguard_files"]


def test_a_name_that_looks_like_a_heading_is_a_name(tmp_path: Path) -> None:
    task = _vars("classification/tasks/exposed_files.yml", "Settle which are closed")
    said = (
        "== web\n644 0 regular file /srv/www/a== world.key\n644 0 regular file /srv/www/b.key\n"
        "== world\n644 0 regular file /srv/app/.env\n== end"
    )
    task["vars"]["classification_left"] = "(?!)"
    found = _told(
        tmp_path,
        [
            task,
            _write(
                tmp_path, served="classification_served", readable="classification_readable"
            ),
        ],
        classification_found={"stdout": said},
    )  # fmt: skip
    assert found == {
        "served": ["/srv/www/a== world.key", "/srv/www/b.key"],
        "readable": ["/srv/app/.env"],
    }


def test_no_role_changes_modes_by_a_path_that_a_user_could_have() -> None:
    """hostpledge_narrow does, by what holds the file."""
    seen = 0
    for path, task in _all():
        given = task.get("ansible.builtin.file") or {}
        assert "ansible.posix.acl" not in task, path
        if "mode" not in given and "owner" not in given:
            continue
        seen += 1
        assert str(given["path"]).startswith(_OWN), (path, task["name"])
        assert given.get("state") == "directory", (path, task["name"])
        for item in task.get("loop") or []:
            assert str(item).startswith(("/etc/", "/var/lib/hostpledge", "{{ backup_folder")), path
    assert seen > 5


def test_attributes_are_narrowed_by_one_mechanism_alone() -> None:
    users = {
        path.relative_to(_ROLES).as_posix()
        for path, task in _all()
        if "attributes" in (task.get("hostpledge_remember") or {})
    }
    assert users == {"safeguard/tasks/narrow.yml"}


@pytest.mark.parametrize("word", ["pidof", "pgrep", "killall"])
def test_no_role_believes_the_name_of_a_process(word: str) -> None:
    """Only safeguard's `running` looks by it, and by the program besides."""
    told = [
        path.relative_to(_ROLES).as_posix()
        for path in _ROLES.glob("*/tasks/*.yml")
        if word in path.read_text()
    ]
    assert told in ([], ["logging/tasks/auditd_reload.yml"]), "see running.yml of safeguard"
