"""What tmpfiles.d removes, against the real systemd-tmpfiles under a clock that was moved on."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs import tmpfiles_d as _tmpfiles
from collector.facts.logs.deletions import log_removals
from collector.facts.logs.tmpfiles_d import cleanings, tmpfiles
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

FAKE = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
BODY = next(r.body for r in _tmpfiles.READS)
TIMER = """Id=systemd-tmpfiles-clean.timer
Unit=systemd-tmpfiles-clean.service
LoadState=loaded
ActiveState=active
SubState=waiting
UnitFileState=static

Id=systemd-tmpfiles-clean.service
LoadState=loaded
ActiveState=inactive
ExecStart={ path=systemd-tmpfiles ; argv[]=systemd-tmpfiles --clean ; ignore_errors=no }
"""
FILES = [
    "app/a.log", "app/a.log.1", "app/old/b.log.2.gz", "app/keep/c.log", "app/keep/deep/c.log.1",
    "web/access.log", "web/access.log.3.gz", "web/site one/x.log", "db1/x.log", "db2/x.log",
    "top.log", "top.log.1",
]  # fmt: skip
CONFIGS: dict[str, dict[str, str]] = {
    "by age": {"usr/lib/tmpfiles.d/a.conf": "d /var/log/app - - - 30d\n"},
    "weeks and modifiers": {"usr/lib/tmpfiles.d/a.conf": "d- /var/log/app - - - 2w3d\n"},
    "for the boot alone": {
        "usr/lib/tmpfiles.d/a.conf": "e! /var/log/app - - - 3d\ne /var/log - - - 9d\n"
    },
    "hidden by etc": {
        "usr/lib/tmpfiles.d/a.conf": "d /var/log/app - - - 3d\n",
        "etc/tmpfiles.d/a.conf": "d /var/log/app - - - 90d\n",
    },
    "hidden by nothing": {
        "usr/lib/tmpfiles.d/a.conf": "d /var/log/app - - - 3d\n",
        "etc/tmpfiles.d/a.conf": "",
    },
    "run before lib": {
        "usr/lib/tmpfiles.d/a.conf": "d /var/log/app - - - 3d\n",
        "run/tmpfiles.d/a.conf": "d /var/log/app - - - 60d\n",
    },
    "first of two": {
        "usr/lib/tmpfiles.d/b.conf": "d /var/log/app - - - 3d\n",
        "etc/tmpfiles.d/a.conf": "d /var/log/app - - - 50d\n",
    },
    "pattern beside path": {
        "usr/lib/tmpfiles.d/a.conf": "d /var/log/app - - - -\n",
        "usr/lib/tmpfiles.d/b.conf": "e /var/log/app - - - 20d\n",
    },
    "whole of var log": {"etc/tmpfiles.d/z.conf": "e /var/log - - - 40d\n"},
    "whole but what others name": {
        "etc/tmpfiles.d/z.conf": "e /var/log - - - 40d\nz /var/log/db1 0750 root root -\n",
        "usr/lib/tmpfiles.d/w.conf": "d /var/log/web - - - -\n",
    },
    "x": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - 10d\nx /var/log/app/keep\n"},
    "X": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - 10d\nX /var/log/app/keep\n"},
    "x by pattern": {"etc/tmpfiles.d/z.conf": "e /var/log - - - 10d\nx /var/log/*/*.gz\n"},
    "first level": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - ~10d\n"},
    "patterns": {"etc/tmpfiles.d/z.conf": "e /var/log/db* - - - 45d\n"},
    "quoted": {"etc/tmpfiles.d/z.conf": 'd "/var/log/web/site one" - - - 15d\n'},
    "by mtime": {"etc/tmpfiles.d/z.conf": "e /var/log/app - - - m:25d\n"},
    "by folders only": {"etc/tmpfiles.d/z.conf": "e /var/log/app - - - M:25d\n"},
    "no age": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - -\nd /var/log/web\n"},
    "bad age": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - soon\n"},
    "trailing slash": {"etc/tmpfiles.d/z.conf": "d /var/log/app/ - - - 30d\n"},
    "age without unit": {"etc/tmpfiles.d/z.conf": "d /var/log/app - - - 864000\n"},
    "two units": {"etc/tmpfiles.d/z.conf": "e /var/log/web - - - 1w\n#e /var/log - - - 1d\n"},
}


def _lay(root: Path, config: dict[str, str]) -> None:
    for name in FILES:
        (root / "var/log" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "var/log" / name).touch()
    for name, text in config.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _read(root: Path) -> ReadResult:
    """The read itself, told to look below `root`."""
    body = BODY.replace("for d in /etc", f"AT={root}\nfor d in /etc")
    body = body.replace('for f in "$d"/', 'for f in "$AT$d"/').replace('-L "$d"', '-L "$AT$d"')
    ended = subprocess.run(["sh", "-c", body], capture_output=True, check=True)
    return ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=ended.stdout.replace(
        str(root).encode(), b""))  # fmt: skip


def _capture(rules: ReadResult, timers: str = TIMER) -> Capture:
    empty = ("schedules.tabs", "schedules.spool", "schedules.periodic", "logrotate.config")
    reads = {id: ReadResult(id, ReadStatus.OK) for id in (*empty, "schedules.called")}
    reads["schedules.flavour"] = ReadResult("schedules.flavour", ReadStatus.OK, stdout=b"none")
    reads["schedules.timers"] = ReadResult(
        "schedules.timers", ReadStatus.OK, stdout=timers.encode()
    )
    reads[rules.id] = rules
    return Capture("h", HostStatus.COMPLETE, reads=reads)


@pytest.mark.skipif(
    not FAKE or not shutil.which("systemd-tmpfiles"), reason="needs systemd-tmpfiles, libfaketime"
)
@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_removed_is_foretold(name: str, tmp_path: Path) -> None:
    _lay(tmp_path, CONFIGS[name])
    found = cleanings(_capture(_read(tmp_path)))
    foretold = {
        path: min((r.days for r in found if r.takes(f"/var/log/{path}")), default=None)
        for path in FILES
    }
    gone: dict[str, int | None] = dict.fromkeys(FILES)
    for day in (1, 2, 3, 4, 7, 8, 9, 10, 11, 15, 16, 17, 18, 20, 21, 25, 26, 30, 31, 33, 34, 40, 41,
                45, 46, 50, 51, 60, 61, 90, 91, 200):  # fmt: skip
        subprocess.run(
            ["systemd-tmpfiles", "--clean", f"--root={tmp_path}"],
            env={
                "LD_PRELOAD": FAKE[0],
                "FAKETIME": f"+{day * 86400 - 3600}",
                "NO_FAKE_STAT": "1",
                "PATH": os.environ["PATH"],
            },
            capture_output=True,
            check=False,
        )
        for path in FILES:
            if gone[path] is None and not (tmp_path / "var/log" / path).exists():
                # an hour short of the day: it was as old as the day before
                gone[path] = day - 1
    assert foretold == gone


def test_nothing_runs_it() -> None:
    rules = ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=b"@F /etc/tmpfiles.d/a.conf\n"
                       b"@L /etc/tmpfiles.d/a.conf: d /var/log/app 30d\n@E\n")  # fmt: skip
    assert len(cleanings(_capture(rules))) == 1
    assert len(log_removals(_capture(rules))) == 1
    assert cleanings(_capture(rules, "no timers")) == ()


@pytest.mark.parametrize(
    ("line", "taken", "left"),
    [
        ("D /var/log/app -", "/var/log/app/x.log", "/var/log/app"),
        ("R /var/log/app -", "/var/log/app/x.log", "/var/log/apps"),
        ("r! /var/log/app.log -", "/var/log/app.log", "/var/log/app.log.1"),
        ("D %L/app -", "/var/log/app/x.log", "/var/log/app"),
        ("f+ /var/log/app.log -", "/var/log/app.log", "/var/log/app.log.1"),
    ],
)
def test_at_boot(line: str, taken: str, left: str) -> None:
    text = f"@F /etc/tmpfiles.d/a.conf\n@L /etc/tmpfiles.d/a.conf: {line}\n@E\n"
    rules = ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=text.encode())
    found = cleanings(_capture(rules))
    assert any(r.takes(taken) and r.days == 0 for r in found)
    assert not any(r.takes(left) for r in found)
    assert cleanings(_capture(rules, "no systemd")) == ()


def test_plain_file_is_left_alone() -> None:
    text = b"@F /etc/tmpfiles.d/a.conf\n@L /etc/tmpfiles.d/a.conf: f /var/log/wtmp -\n@E\n"
    assert cleanings(_capture(ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=text))) == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", CouldNotLook),
        (b"@F /etc/tmpfiles.d/a.conf\n", CouldNotLook),
        (b"@U /etc/tmpfiles.d/a.conf\n@E\n", CouldNotLook),
        (b"hello\n@E\n", NotUnderstood),
    ],
)
def test_what_was_not_seen_is_said(text: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        tmpfiles(_capture(ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=text)))


@pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="needs systemd-tmpfiles")
def test_the_same_lines_as_cat_config() -> None:
    """This machine's own configuration, as systemd-tmpfiles itself puts it together."""
    ended = subprocess.run(
        ["systemd-tmpfiles", "--cat-config"], capture_output=True, text=True, check=True
    )
    theirs = [
        (word[0], word[1])
        for line in ended.stdout.splitlines()
        if line.strip() and not line.startswith("#") and len(word := line.split()) > 1
        and word[1].startswith("/var/log")
    ]  # fmt: skip
    run = subprocess.run(["sh", "-c", BODY], capture_output=True, check=True)
    lines = tmpfiles(_capture(ReadResult("tmpfiles.rules", ReadStatus.OK, stdout=run.stdout)))
    ours = [(line.kind, line.path) for line in lines if line.path.startswith("/var/log")]
    assert ours == [(kind, path.replace("%m", "*")) for kind, path in theirs]
