"""Hosts that cannot be hardened are refused in one line; the text that asks runs in any shell."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from collector.run.harden.preflight import asked, heard, refusal
from tests.harden.remembering import SHELLS

GOOD = "uid=0\nfamily=RedHat\npython=3.9 /usr/bin/python3\nname=openEuler 22.03 (LTS-SP4)\n"


def test_a_host_that_will_do() -> None:
    assert refusal(heard(GOOD), (3, 9)) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (GOOD.replace("uid=0", "uid=1000"), "hardening needs root on the host (uid is 1000)"),
        ("", "hardening needs root on the host (uid is unknown)"),
        (GOOD.replace("family=RedHat\n", ""), "neither apt nor dnf/yum is here"),
        (
            "uid=0\nfamily=RedHat\nname=CentOS Linux 7 (Core)\n",
            "CentOS Linux 7 (Core): this Ansible needs Python 3.9 or later on the host",
        ),
        (
            "uid=0\nfamily=RedHat\npython=2.7 /usr/bin/python\nname=CentOS Linux 7 (Core)\n",
            "and it has 2.7, as all of its repositories: mend by hand what "
            "'hostpledge explain CONTROL --platform rhel7' lists",
        ),
        (
            GOOD.replace("3.9", "3.6").replace("openEuler", "CentOS"),
            "install a newer one beside it (such as python39 or python3.11) and name it in "
            "ansible_python_interpreter, or mend by hand what 'hostpledge explain CONTROL' names",
        ),
        (
            GOOD.replace("3.9", "3.6").replace("openEuler 22.03 (LTS-SP4)", "Anolis OS 8.8"),
            "Anolis OS 8.8: this Ansible needs Python 3.9 or later on the host, and it has 3.6",
        ),
    ],
)
def test_a_host_that_will_not_is_told_why_in_one_line(said: str, why: str) -> None:
    told = refusal(heard(said), (3, 9))
    assert told.startswith(why) or why in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "refused is not in the sudoers file.",
            "becoming it was refused: refused is not in the sudoers file.",
        ),
        ("sudo: a password is required", "becoming it was refused: sudo: a password is required"),
        ("profile: SECRET=7", "(uid is unknown): set become"),
    ],
)
def test_become_that_is_refused_is_not_one_that_is_lacking(said: str, why: str) -> None:
    told = refusal(heard(""), (3, 9), said)
    assert told.startswith("hardening needs root on the host")
    assert told.endswith(why)


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_asked_in_any_shell(shell: str) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    done = subprocess.run(
        [*SHELLS[shell], "-c", asked(["/no such/python", "python3"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    host = heard(done.stdout)
    assert host.uid.isdecimal()
    ((version, path),) = host.pythons
    assert (version >= (3, 8), path) == (True, "python3")
