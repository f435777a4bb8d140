"""Words of the command line that are no UTF-8: refused in one line, and no defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bundles
from tests.cli.running import Ended, hostpledge


def _refused(done: Ended, said: str) -> None:
    assert done.status == 2
    assert said in done.err and "defect" not in done.err
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize("hosts", ["\udcff,", "web,\udcff"])
@pytest.mark.parametrize("command", ["collect", "run"])
def test_names_of_hosts(tmp_path: Path, command: str, hosts: str) -> None:
    home = tmp_path / "home"
    assert hostpledge("key", "new", home=home).status == 0
    done = hostpledge(command, "-i", hosts, "-o", tmp_path / "out", home=home)
    _refused(done, "a host's name may not hold")


def test_the_name_of_a_document(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "p.yml"
    assert hostpledge("key", "new", home=home).status == 0
    file.write_text("x")
    bundles.write(tmp_path / "caps", [bundles.capture("web-1")])
    words = ("--attach", f"n\udcff={file}", "-o", tmp_path / "b")
    _refused(hostpledge("bundle", tmp_path / "caps", *words, home=home), "cannot be attached: n")
