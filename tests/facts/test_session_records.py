"""Recordings of sessions (jump hosts): script(1) and sudo run for real, others by their lines."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.facts.logs.files import READS, log_files
from collector.facts.logs.model.families import NAMES, family_of, sessions_of
from collector.facts.logs.model.shapes import LogFiles
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.own_world import led_to

NOW = datetime.now(UTC)
SHELLS = ["dash", "bash", "ksh", "busybox sh"]


def _seen(folder: Path, shell: str = "sh") -> LogFiles:
    """What the read says of `folder` in place of /var/log, through its redaction."""
    (read,) = READS
    body = led_to(read.body, folder)
    words = shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {shell} here")
    said = subprocess.run(
        [*words, "-c", body], capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=True
    )
    kept = subprocess.run(
        ["sed", "-e", read.redact], input=said.stdout, capture_output=True, check=True
    )
    assert b"hunter2" not in said.stdout
    head = {"kernel": f"Linux 6.1 {os.uname().machine}", "zone": "+0800"}
    result = ReadResult(read.id, ReadStatus.OK, stdout=kept.stdout)
    return log_files(
        Capture("h", HostStatus.COMPLETE, head=head, collected_at=NOW, reads={read.id: result})
    )


@pytest.mark.skipif(shutil.which("script") is None, reason="no script here")
@pytest.mark.parametrize("shell", SHELLS)
def test_script(tmp_path: Path, shell: str) -> None:
    """What was shown in a session may hold older times: only when it began and ended counts."""
    folder = tmp_path / "script"
    folder.mkdir()
    for name in ("alice-20261125134310.log", "bob-20261125134310.log", "carol.log"):
        shown = "echo '2020-01-01T00:00:00 old'; echo password=hunter2"
        subprocess.run(["script", "-qc", shown, folder / name], check=True, capture_output=True)
    if "Script started" not in (folder / "carol.log").read_text():  # -q keeps it out before 2.35
        pytest.skip("this script writes no first line when it is quiet")
    seen = _seen(tmp_path, shell)
    assert list(seen.grouped()) == [str(folder)]
    for file in seen.files.values():
        assert file.session
        assert file.first is not None
        assert file.last is not None
        assert abs(file.first - NOW) < timedelta(hours=3)
        assert abs(file.last - NOW) < timedelta(hours=3)


@pytest.mark.parametrize(
    ("first", "day"),
    [
        ('Script started on 2026-05-01 03:04:05+08:00 [TERM="xterm"]', (4, 30, 19)),
        ("Script started on Fri May  1 03:04:05 2026", (4, 30, 19)),
        ("Script started on Fri 01 May 2026 03:04:05 AM CST", (4, 30, 19)),
        ("Script 启动于 2026年05月01日 星期五 03时04分05秒", (4, 30, 19)),
        ("脚本启动于 2026-05-01 03:04:05+08:00", (4, 30, 19)),
        # asciicast: JumpServer, asciinema
        (
            '{"version": 2, "width": 80, "height": 24, "timestamp": 1777575845, "env": {}}',
            (4, 30, 19),
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_first_lines(tmp_path: Path, first: str, day: tuple[int, ...], *, packed: bool) -> None:
    text = f"{first}\n2019-01-01 00:00:00 shown in the session, password=hunter2\n"
    path = tmp_path / ("x.cast.gz" if packed else "x.cast")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    (file,) = _seen(tmp_path).files.values()
    assert file.session
    assert file.first is not None
    assert (file.first.month, file.first.day, file.first.hour) == day


JSON = {
    # Teleport 8 and 15, the file of its audit log
    '{"ei":0,"event":"session.start","uid":"c06685ff-1b59-4858-b3a3-5e9467a77616",'
    '"code":"T2000I","time":"2026-04-30T19:04:05.792Z","user":"joe"}',
    '{"cluster_name":"t","code":"T1000I","ei":0,"event":"user.login","method":"local",'
    '"success":true,"time":"2026-04-30T19:04:05Z","uid":"b","user":"joe"}',
    # tlog 12, its writer "file"
    '{"ver":"2.3","host":"h","rec":"0f5e-1a2-b3","user":"joe","term":"xterm","session":3,"id":1,'
    '"pos":0,"time":1777575845.123,"timing":"=80x24+1>4","in_txt":"hunter2","out_txt":"x"}',
    # a web server's own JSON
    '{"remote":"192.0.2.1","time_iso8601":"2026-05-01T03:04:05+08:00","request":"GET /"}',
}


@pytest.mark.parametrize("line", sorted(JSON))
@pytest.mark.parametrize("shell", SHELLS)
def test_lines_of_json(tmp_path: Path, line: str, shell: str) -> None:
    (tmp_path / "tlog.log").write_text(f"{line}\n{line}\n")
    (file,) = _seen(tmp_path, shell).files.values()
    assert not file.session
    assert file.first == file.last == datetime(2026, 4, 30, 19, 4, 5, tzinfo=UTC)
    assert [day.count for day in file.days] == [2]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("sudo") or not shutil.which("unshare"),
    reason="needs root, sudo and unshare",
)
def test_sudo(tmp_path: Path) -> None:
    """Three real sessions, and five thousand more of one day: two of them are listed."""
    rules, place = tmp_path / "sudoers", tmp_path / "logs"
    place.mkdir()
    rules.write_text(
        "root ALL=(ALL) NOPASSWD: ALL\nDefaults log_output, log_input\n"
        f"Defaults iolog_dir={place}/sudo-io\n"
    )
    rules.chmod(0o440)
    sessions = "; ".join(["sudo sh -c 'echo 2019-01-01 00:00:00 hunter2'"] * 3)
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {rules} /etc/sudoers && {{ {sessions}; }}"],
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        pytest.skip(f"no mount namespace here: {ended.stderr!r}")
    folder = place / "sudo-io"
    made = sorted(folder.rglob("log"))
    assert len(made) == 3
    old = NOW - timedelta(days=300)
    text = (folder / "00/00/01/log").read_text().split(":", 1)
    for number in range(5000):
        copy = folder / f"01/{number // 100:02}/{number % 100:02}"
        copy.mkdir(parents=True)
        (copy / "log").write_text(f"{int(old.timestamp())}:{text[1]}")
        (copy / "ttyout").write_bytes(b"x" * 100)
        os.utime(copy / "log", (old.timestamp(), old.timestamp()))
    seen = _seen(place)
    assert list(seen.grouped()) == [str(folder)]
    assert len(seen.files) == 4  # two of each day
    firsts = sorted(f.first for f in seen.files.values() if f.first)
    assert abs(firsts[0] - old) < timedelta(seconds=2)
    assert abs(firsts[-1] - NOW) < timedelta(hours=3)
    held = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.name != "seq")
    assert sum(f.size for f in seen.files.values()) == held


def test_a_typescript_left_among_other_logs_does_not_take_them_along(tmp_path: Path) -> None:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx/access.log").write_text('1.2.3.4 - - [01/May/2026:03:04:05 +0800] "GET /"\n')
    (tmp_path / "nginx/error.log").write_text("2026/05/01 03:04:05 [error] x\n")
    (tmp_path / "nginx/typescript").write_text("Script started on 2026-05-02 03:04:05+08:00\n")
    grouped = _seen(tmp_path).grouped()
    assert {name.removeprefix(f"{tmp_path}/nginx/") for name in grouped} == {
        "access.log",
        "error.log",
        "typescript",
    }


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/var/log/sudo-io/00/0A/Z9/log", "/var/log/sudo-io"),
        ("/var/log/sudo-io/joe/00/0A/Z9/log", "/var/log/sudo-io/joe"),
        ("/var/log/script/joe.log", "/var/log/script"),
        ("/data/jumpserver/core/data/media/replay/2026-11-25/a.cast.gz",
         "/data/jumpserver/core/data/media/replay"),
    ],
)  # fmt: skip
def test_folders_of_sessions(path: str, folder: str) -> None:
    assert sessions_of(path) == folder


@pytest.mark.parametrize(
    "path",
    ["/var/log/tlog/tlog.log", "/var/lib/teleport/log/events.log", "/var/log/sudo-io",
     "/data/jumpserver/koko/data/logs/koko.log", "/opt/jumpserver/logs/jumpserver.log",
     "/var/log/usermonitor/usermonitor.log"],
)  # fmt: skip
def test_family(path: str) -> None:
    assert family_of(path) == "bastion"
    assert NAMES["bastion"] == "堡垒机"
