"""What all controls say of the played hosts, against what was reviewed (tests/hosts).

Here with dash for /bin/sh, which is quicker; `make hosts` plays each host with its own shell.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.model import ReadStatus
from tests.hosts.families import HOSTS
from tests.hosts.play import EXPECTED, expected, play, said


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    alone = ["unshare", "--mount", "--pid", "--net", "--fork", "true"]
    if os.geteuid() != 0 or subprocess.run(alone, check=False, capture_output=True).returncode:
        pytest.skip("needs root and namespaces")
    if any(shutil.which(name) is None for name in ("dash", "mawk", "gawk", "setpriv")):
        pytest.skip("needs dash, mawk, gawk and setpriv")
    return tmp_path_factory.mktemp("hosts")


@pytest.mark.parametrize("name", HOSTS)
def test_each_finding_is_the_expected_one(name: str, base: Path) -> None:
    played = play(HOSTS[name], base, "dash")
    assert said(played.findings.values()) == expected(name)
    broken = {ReadStatus.TIMEOUT, ReadStatus.LOST, ReadStatus.TRUNCATED, ReadStatus.REFUSED}
    assert {r.id for r in played.capture.reads.values() if r.status in broken} == set()


@pytest.mark.parametrize("name", HOSTS)
def test_all_controls_are_expected_of_it(name: str) -> None:
    assert expected(name).keys() == catalog.controls().keys()


def test_no_expectation_without_its_host() -> None:
    assert {path.stem for path in EXPECTED.glob("*.yml")} == HOSTS.keys()
