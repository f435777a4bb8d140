"""What a backup command is said to take, against what the real tar and rsync take."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.backup.commands.command_lines import (
    blurred,
    commands,
    excludes_of,
    follows_links,
    left_out,
    one_file_system,
    sources_of,
)
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.listed_files import left_out_by_files
from collector.facts.backup.commands.scope import narrowed
from collector.facts.data.inventory import Store
from collector.facts.scheduling.models import Job

TAR = [
    "tar -cf OUT ROOT/srv",
    "tar -cf OUT ROOT/srv/data",
    "tar -cf OUT -C ROOT/srv data",
    "tar -cf OUT --exclude=ROOT/srv/data ROOT/srv",
    "tar -cf OUT --exclude=data ROOT/srv",
    "tar -cf OUT --exclude data ROOT/srv",
    "tar -cf OUT --exclude=dat? ROOT/srv",
    "tar -cf OUT --exclude='*/data' ROOT/srv",
    "tar -cf OUT --exclude=srv/data ROOT/srv",
    "tar -cf OUT --exclude=other --exclude=database ROOT/srv",
    "tar -cf OUT ROOT/srv/other",
    "tar --exclude=other -cf OUT ROOT/srv",
    "tar --exclude=data -c -f OUT ROOT/srv",
    "tar cf OUT -C ROOT srv",
    "tar cfh OUT ROOT/srv",
    "tar -h -cf OUT ROOT/srv/data",
    "tar --create --file OUT --directory ROOT/srv data",
    "tar -cC ROOT/srv -f OUT data",
]
RSYNC = [
    "rsync -a ROOT/srv OUT/",
    "rsync -a ROOT/srv/ OUT/",
    "rsync -a --exclude=data ROOT/srv/ OUT/",
    "rsync -a --exclude=/data ROOT/srv/ OUT/",
    "rsync -a --exclude=/data ROOT/srv OUT/",
    "rsync -a --exclude=/srv/data ROOT/srv OUT/",
    "rsync -a --exclude=/srv/data ROOT/srv/ OUT/",
    "rsync -a -e ssh --exclude 'da*' ROOT/srv/ OUT/",
]


def _job(text: str) -> BackupJob:
    job = Job("cron", "x", "", "root", text, text, True, "", "schedules.tabs", "", "")
    ((words, folder),) = commands(text)
    tool, args = words[0], words[1:]
    sources = sources_of(tool, args, folder, {})
    assert sources is not None
    _, seen = left_out_by_files(args, {})
    return BackupJob(
        job,
        tool,
        tuple(sources),
        excludes_of(tool, args),
        one_fs=one_file_system(tool, args),
        blurred=blurred(tool, args, files=not seen),
        follows=follows_links(tool, args),
        unseen=not seen,
        narrowed=narrowed(tool, args, text, ""),
    )


def _store(path: str) -> Store:
    return Store("s", "path", path, "", "x", "重要", False, False, "me", True, None, True, {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    for name in ("srv/data", "srv/other", "real"):
        (made / name).mkdir(parents=True)
        (made / name / f"in_{Path(name).name}").touch()
    (made / "srv/link").symlink_to(made / "real")
    return made


def _taken(command: str, out: Path) -> str:
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    if out.is_dir():
        return "\n".join(str(p) for p in out.rglob("*"))
    return subprocess.run(
        ["tar", "-tf", str(out)], check=True, capture_output=True, text=True
    ).stdout


def _tried(command: str, root: Path, inside: str) -> tuple[BackupJob, bool]:
    out = root.parent / "out"
    if command.startswith("rsync"):
        if not shutil.which("rsync"):
            pytest.skip("there is no rsync here")
        out.mkdir()
    text = command.replace("ROOT", str(root)).replace("OUT", str(out))
    return _job(text), inside in _taken(text, out)


@pytest.mark.parametrize("command", TAR + RSYNC)
def test_what_is_left_out(command: str, root: Path) -> None:
    job, taken = _tried(command, root, "in_data")
    path = str(root / "srv/data")
    assert job.covers(_store(path), path) == ("yes" if taken else "no")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("tar -cf OUT ROOT/srv", "perhaps"),
        ("tar -cf OUT ROOT/srv/link", "perhaps"),
        ("rsync -a ROOT/srv/link OUT/", "perhaps"),
        ("rsync -a ROOT/srv/link/ OUT/", "yes"),
        ("rsync -a ROOT/srv/ OUT/", "perhaps"),
        ("tar -cf OUT ROOT/real", "yes"),
        ("tar -cf OUT ROOT/srv/other", "no"),
        ("tar -chf OUT ROOT/srv", "yes"),
        ("tar chf OUT ROOT/srv", "yes"),
        ("tar --dereference -cf OUT ROOT/srv", "yes"),
        ("rsync -aL ROOT/srv OUT/", "yes"),
    ],
)
def test_a_link_is_not_what_it_leads_to(command: str, said: str, root: Path) -> None:
    """Said to be covered for certain only where the real tool follows the link."""
    job, taken = _tried(command, root, "in_real")
    path = str(root / "srv/link")
    assert job.covers(_store(path), str(root / "real"), (path,)) == said
    assert taken is (said == "yes")


@pytest.mark.parametrize(
    ("text", "same", "said"),
    [
        ("restic backup --one-file-system /", False, "no"),
        ("restic backup --one-file-system /", True, "yes"),
        ("restic backup -x / /srv/data", False, "yes"),
        ("rsync -aHx / b:/all", False, "no"),
        ("rsync -aH / b:/all", False, "yes"),
        ("tar --one-file-system -cf /b/a.tar /srv", False, "no"),
        ("restic backup / --exclude-file=/etc/excludes", True, "perhaps"),
        # a file that nobody read may leave out everything
        ("restic backup /srv/data --exclude-file=/etc/excludes", True, "perhaps"),
        ("restic backup /srv/data --exclude-if-present .nobackup", True, "perhaps"),
        # a tag in the store's own folder takes all of it away
        ("restic backup /srv/data --exclude-caches", True, "perhaps"),
        ("borg create --exclude-nodump r::a /srv/data", True, "perhaps"),
        ("restic backup /srv/data --exclude-larger-than 1k", True, "perhaps"),
        ("restic backup /srv/data --exclude '*.csv'", True, "perhaps"),
        ("restic backup /srv --exclude '/srv/data/*.csv'", True, "perhaps"),
        ("restic backup /srv --exclude '/home/*/Downloads'", True, "yes"),
        ("restic backup /srv --iexclude '/SRV/DATA/*'", True, "perhaps"),
        ("restic backup /srv --iexclude '*.TMP' --exclude node_modules", True, "yes"),
        (
            "restic backup /srv --exclude '*.log.gz' --exclude '**/.cache' --exclude '*~'",
            True,
            "yes",
        ),
        ("borg create --exclude '/home/*/.cache/*' --exclude '/var/tmp/*' r::a /srv", True, "yes"),
        ("borg create --exclude '/srv*.csv' r::a /srv", True, "perhaps"),
        ("borg create --pattern '-*.csv' r::a /srv/data", True, "perhaps"),
        ("tar -czf /b/a.tgz --exclude='*.csv' /srv/data", True, "perhaps"),
        ("tar -czf /b/a.tgz --newer-mtime='1 day ago' /srv/data", True, "perhaps"),
        ("rsync -a --exclude=srv /srv/data /b/", True, "perhaps"),
        ("rsync -a --exclude=.git --exclude=cache /srv/data /b/", True, "yes"),
        ("rsync -a --exclude='da*' /srv/data/ /b/", True, "perhaps"),
        ("rsync -a --max-size=1k /srv/data/ /b/", True, "perhaps"),
        ("rsync -a --existing /srv/data/ /b/", True, "perhaps"),
        ("rsync -a --ignore-existing /srv/data/ /b/", True, "perhaps"),
        ("rsync -aF /srv/data/ /b/", True, "perhaps"),
        ("rclone sync --max-age 1d /srv/data b:x", True, "perhaps"),
        ("restic backup $OPTS /srv/data", True, "perhaps"),
        ("restic backup --tag nightly /srv/data", True, "yes"),
        ('restic -r "$REPO" backup /srv/data', True, "yes"),
        ('rsync -a /srv/data/ "$DEST"', True, "yes"),
        ("rsync -a $OPTS /srv/data/ /b/", True, "perhaps"),
        ('borg create "$REPO" /srv/data', True, "yes"),
        ("borg create $OPTS r::a /srv/data", True, "perhaps"),
        ('tar -czf "$FILE" /srv/data', True, "yes"),
        ("tar $OPTS -czf /b/a.tgz /srv/data", True, "perhaps"),
        ("rsync -a --include='*.conf' --exclude='*' /srv/ b:/srv", True, "no"),
        ("tar -cf /b/a.tar -X /etc/excludes /srv", True, "perhaps"),
        ("borg create --exclude 're:^srv/' r::a /srv", True, "perhaps"),
        ("borg create --exclude 'sh:/srv/data' r::a /srv", True, "no"),
        ("restic backup -e data /srv", True, "no"),
    ],
)
def test_one_file_system_and_rules_in_files(text: str, same: bool, said: str) -> None:
    job = _job(text)
    assert job.covers(_store("/srv/data"), "/srv/data", (), lambda _, __: same) == said


def test_pattern_of_what_lies_inside() -> None:
    assert left_out("tar", "/srv/data", "/srv", "/srv/data/*")
    assert not left_out("tar", "/srv/data", "/srv", "/srv/data/cache/*")
