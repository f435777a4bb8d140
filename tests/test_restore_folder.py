"""A restore test works where nobody but root can put anything."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import jinja2
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


# --- what hangs keeps nothing waiting -------------------------------------------------------------

_RESTIC = """#!/bin/sh
case $1 in
  snapshots) echo '[{"time":"2026-11-20T00:00:00Z","short_id":"abc"}]';;
  stats) echo '{"total_size":1}';;
  restore)
    mkdir -p "$5/srv" && echo x >"$5/srv/file"
    ! flock -n "$LOCK" true || echo 'free while restoring';;
esac
exit 0
"""


def test_the_lock_is_not_held_while_what_is_peoples_is_read(way: Path, tmp_path: Path) -> None:
    """A FIFO in the place of a file has its reader wait, and no backup may wait for that."""
    restic, lock = tmp_path / "restic", tmp_path / "lock"
    restic.write_text(_RESTIC)
    restic.chmod(0o755)
    asked = jinja2.Environment(autoescape=False, undefined=jinja2.ChainableUndefined)
    asked.filters["quote"] = shlex.quote
    text = TEMPLATE.read_text()
    text = "".join(x for x in text.splitlines(keepends=True) if not x.startswith("{%"))
    text = text[: text.rindex("\ntry ")].replace("/run/hostpledge-backup.lock", str(lock))
    script = asked.from_string(text.replace("to_json(ensure_ascii=False)", "string")).render(
        backup_restic=str(restic), backup_restore_folder=str(way), backup_longest_hours=24,
        backup_mysql_options="", inventory_hostname="h",
    )  # fmt: skip
    script += """
check_path() { flock -n "$LOCK" true && echo 'free while comparing'; compared=x; }
record() { :; }
try site "site" "x" path /srv; echo "failed: $failed"
"""
    done = subprocess.run(
        ["bash", "-u", "-c", script], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "LOCK": str(lock)}, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["free while comparing", "failed: "], done.stderr


ROLES = TEMPLATE.parents[2]


@pytest.mark.parametrize(
    "unit", sorted(ROLES.glob("*/templates/*.service.j2")), ids=lambda p: p.name
)
def test_every_unit_of_ours_ends(unit: Path) -> None:
    """That of a oneshot has no limit of its own, and its timer starts nothing while it runs."""
    assert re.search(r"^TimeoutStartSec=[0-9]+h$", unit.read_text(), re.MULTILINE) or (
        "Type=oneshot" not in unit.read_text()
    )


@pytest.mark.parametrize("name", ["hostpledge-backup", "hostpledge-backup-check", TEMPLATE.stem])
def test_every_program_that_takes_the_lock_ends(name: str) -> None:
    """Cron sets no limit, either. Ansible takes the last line end of a part that it puts in."""
    place = jinja2.FileSystemLoader(str(TEMPLATE.parent))
    asked = jinja2.Environment(
        loader=place, autoescape=False, trim_blocks=True, undefined=jinja2.ChainableUndefined
    )
    asked.filters |= {
        "quote": lambda value: shlex.quote(str(value)),
        "to_json": lambda value, **_: repr(str(value)),
    }
    text = asked.get_template(f"{name}.j2").render(
        backup_made_of=[], backup_folder="/etc/hostpledge/backup", backup_longest_hours=2,
        backup_mysql_options="",
    )  # fmt: skip
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert ". /etc/hostpledge/backup/environment" in lines
    (bounded,) = (n for n, line in enumerate(lines) if "exec timeout -k 60 7200" in line)
    assert bounded < next(
        n for n, line in enumerate(lines) if "/run/hostpledge-backup.lock" in line
    )
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
