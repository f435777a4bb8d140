"""A restore test works where nobody but root can put anything."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[1] / "roles/backup/templates/hostpledge-restore-test.j2"
_ASKS = TEMPLATE.read_text()[
    TEMPLATE.read_text().index("folder=") : TEMPLATE.read_text().index("\n# newest")
]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def _taken(folder: str) -> bool:
    """Does the script, up to its first restore, go on with this folder?"""
    asks = re.sub(r"\{\{.*?\}\}", '"$1"', _ASKS).replace("/run/hostpledge-backup.lock", "/dev/null")
    done = subprocess.run(
        ["bash", "-uc", f"{asks}\nprintf taken", "bash", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout == "taken") != ("set backup_restore_folder" in done.stderr), done.stderr
    return done.stdout == "taken"


@pytest.fixture
def way() -> Iterator[Path]:
    """Two folders, one in the other, at a place that root alone can change."""
    with_users = Path("/var/lib")
    made = with_users / f"hostpledge-tests-{os.getpid()}"
    (made / "in").mkdir(parents=True, mode=0o755)
    yield made / "in"
    subprocess.run(["rm", "-rf", str(made)], check=True)


def test_a_folder_of_roots_is_taken(way: Path) -> None:
    assert _taken(str(way))
    assert _taken(f"{way}/")
    assert _taken("/var/lib")


@pytest.mark.parametrize("folder", ["/var/tmp", "/tmp", "", "/", "relative", "/none/at/all", "-x"])
def test_where_others_write_or_nothing_is_it_is_not(folder: str) -> None:
    assert not _taken(folder)


def _replaced(at: Path, by: str) -> None:
    at.rmdir()
    if by:
        at.symlink_to(by)
    else:
        at.touch()


_SPOILT: list[Callable[[Path], None]] = [
    lambda at: at.chmod(0o1777),
    lambda at: at.chmod(0o770),
    lambda at: at.parent.chmod(0o777),
    lambda at: at.parent.chmod(0o1777),
    lambda at: os.chown(at, 12345, 0),
    lambda at: os.chown(at.parent, 12345, 0),
    lambda at: _replaced(at, "/var/lib"),
    lambda at: _replaced(at, ""),
]


@pytest.mark.parametrize("number", range(len(_SPOILT)))
def test_a_way_that_others_can_change_is_not(way: Path, number: int) -> None:
    _SPOILT[number](way)
    assert not _taken(str(way))


def test_it_makes_its_folders_itself_or_stops() -> None:
    text = TEMPLATE.read_text()
    assert "mkdir -p" not in text
    assert 'if ! mkdir "$work" "$work/restored"; then failed=' in text
