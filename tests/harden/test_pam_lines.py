"""Numbers in lines of PAM's stacks, as openEuler comes with them: no tool writes those files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from collector.run.ansible.inventory import environment, tool

ROLE = Path(__file__).parents[2] / "roles/intrusion"
STOCK = """\
#%PAM-1.0
auth        required      pam_env.so
auth        required      pam_faillock.so preauth deny={deny} even_deny_root unlock_time={time}
-auth        sufficient    pam_fprintd.so
auth        sufficient    pam_unix.so nullok try_first_pass
auth        [default=die] pam_faillock.so authfail deny={deny} even_deny_root unlock_time={time}
auth        sufficient    pam_faillock.so authsucc deny={deny} even_deny_root unlock_time={time}
account     required      pam_faillock.so
"""


@pytest.fixture
def stacks(tmp_path: Path) -> tuple[Path, ...]:
    files = tuple(tmp_path / name for name in ("password-auth", "system-auth", "linked"))
    for file, deny in zip(files[:2], (3, 0), strict=True):
        file.write_text(STOCK.format(deny=deny, time=60) + "# unlock_time=60\n")
    (tmp_path / "kept").write_text(STOCK.format(deny=3, time=60))
    files[2].symlink_to("kept")
    return files


def test_lenient_options_are_raised_and_nothing_else(
    tmp_path: Path, stacks: tuple[Path, ...]
) -> None:
    (tmp_path / "files").symlink_to(ROLE / "files")
    numbers = {"failures": 5, "seconds": 600, "root_seconds": 60, "interval": 60}
    variables = {f"intrusion_lockout_{name}": value for name, value in numbers.items()}
    included = {"ansible.builtin.include_tasks": str(ROLE / "tasks/pam_lockout_RedHat.yml")}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {
            **variables,
            "intrusion_refused": [],
            "intrusion_pam_stacks": [str(file) for file in stacks],
        },
        "tasks": [
            included,
            {
                "ansible.builtin.assert": {
                    "that": "intrusion_faillock_lines.stdout_lines | length == 3"
                }
            },
            included,
            {
                "ansible.builtin.assert": {
                    "that": "intrusion_faillock_lines.stdout_lines | length == 0"
                }
            },
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [tool("ansible-playbook"), "-i", "localhost,", "-c", "local", tmp_path / "play.yml"],
        env=environment(str(tmp_path)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [file.read_text() for file in stacks]
    comment = "# unlock_time=60\n"
    assert told[0] == STOCK.format(deny=3, time=600) + comment
    assert told[1] == STOCK.format(deny=5, time=600) + comment
    assert told[2] == STOCK.format(deny=3, time=60), "a link leads to what a tool keeps"
    assert "changed=1 " in done.stdout
