"""What the roles have Ansible tell of the files of a host: nothing that people wrote there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.schema import load_yaml

_ROLES = Path(__file__).parents[2] / "roles"
# with --diff these modules send the whole file as it was, and Ansible prints what stands around
_EDITS = {"lineinfile", "replace", "blockinfile"}
_WRITES = {"copy", "template"}
# whole files: what stands there already is our own, or was made by a package of ours
_OWN = (
    "hostpledge", "{{ antivirus_folder }}/", "{{ backup_", "{{ encryption_policy }}",
    "{{ encryption_folder }}/zz-hostpledge.cnf", "{{ encryption_apache.policy }}",
    "{{ firewall_file }}", "{{ intrusion_pwquality_file }}", "{{ intrusion_timeout_file }}",
    "{{ intrusion_sshd_path }}", "{{ logging_web_paths[0] }}", "/etc/systemd/system/{{ item }}",
    "/usr/local/sbin/{{ backup_program }}", "/usr/share/pam-configs/{{ item }}",
    "{{ intrusion_here['aide_' ~ intrusion_baseline_part] }}",
)  # fmt: skip


def _tasks(tasks: Any) -> Iterator[dict[str, Any]]:
    for task in tasks or []:
        yield task
        for within in ("block", "rescue", "always"):
            yield from _tasks(task.get(within))


_FILES = sorted([*_ROLES.glob("*/tasks/*.yml"), *_ROLES.glob("*/handlers/*.yml")])


@pytest.mark.parametrize("path", _FILES, ids=lambda p: str(p.relative_to(_ROLES)))
def test_no_difference_shows_what_people_wrote(path: Path) -> None:
    for task in _tasks(load_yaml(path.read_bytes(), where=str(path))):
        for module, given in task.items():
            name = module.rpartition(".")[2]
            if name in _EDITS:
                assert task.get("diff") is False, task["name"]
            if name in _WRITES and task.get("diff") is not False:
                place = str(given.get("dest"))
                assert any(own in place for own in _OWN), task["name"]
