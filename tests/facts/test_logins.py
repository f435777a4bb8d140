"""Last logins, as lastlog (Debian 12), lastlog2 (Debian 13) and sshd told them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.last_logins import READS, logins
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def _capture(text: str, status: ReadStatus = ReadStatus.OK) -> Capture:
    reads = {"logins.last": ReadResult("logins.last", status, stdout=text.encode())}
    return Capture("h", HostStatus.COMPLETE, collected_at=AT, reads=reads)


def test_debian_12() -> None:
    found = logins(_capture(
        "zone=+0000\n== lastlog\n"
        "Username         Port     From                                       Latest\n"
        "ann              pts/1    127.0.0.1                                 "
        " Wed Nov 25 03:24:10 +0000 2026\n"
        "== sshd\nann 2026-11-25T03:59:51.371870+00:00\n== heard\nann 2026-11-25T03:23:51.371870+00:00\nbot 2026-11-24T11:00:00.000000+08:00\n"
        "== end\n"
    ))  # fmt: skip
    assert found.last == {
        "ann": datetime(2026, 11, 25, 3, 24, 10, tzinfo=UTC),
        "bot": datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    }
    assert found.kept


def test_times_without_a_zone_are_in_the_hosts() -> None:
    found = logins(_capture("zone=+0800\n== heard\nann Nov 24 11:00:00\n== end\n"))
    assert found.last["ann"] == datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    assert not found.kept


@pytest.mark.parametrize(
    "text", ["", "zone=+0000\n== sshd\n", "zone=+0000\n== file\na b\n== end\n"]
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        logins(_capture(text))


def test_cut_off() -> None:
    with pytest.raises(CouldNotLook):
        logins(_capture("zone=+0000\n", ReadStatus.TRUNCATED))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_body_on_a_file_of_lastlog_and_old_logs(shell: str, tmp_path: Path) -> None:
    """The real body on a lastlog of x86_64, and on logs of rsyslog in both of its forms."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    log = tmp_path / "log"
    log.mkdir()
    record = struct.pack("<i32s256s", 1_790_000_000, b"pts/0", b"10.0.0.1")
    (log / "lastlog").write_bytes(b"\0" * 292 * 1000 + record)
    (log / "secure-20261101").write_text(
        "Nov  1 02:00:00 web sshd[9]: Accepted password for old from 10.0.0.9 port 1 ssh2\n",
        encoding="utf-8",
    )
    (log / "secure").write_text(
        "Nov 20 02:00:00 web sshd[9]: Accepted password for old from 10.0.0.9 port 1 ssh2\n"
        "Nov 21 02:00:00 web sshd[9]: Failed password for old from 10.0.0.9 port 1 ssh2\n"
        "Nov 22 02:00:00 web sshd[9]: Invalid user a: Accepted x for eve from 10.0.0.9 port 1\n",
        encoding="utf-8",
    )
    (log / "auth.log").write_text(
        "2026-11-24T03:23:45.665952+08:00 q sshd-session[6]: Accepted publickey for bot from ::1 "
        "port 9 ssh2: ED25519 SHA256:x\n",
        encoding="utf-8",
    )
    passwd = tmp_path / "passwd"
    passwd.write_text(
        "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n", encoding="utf-8"
    )
    body = next(r for r in READS if r.id == "logins.last").body
    body = body.replace("/var/log", str(log)).replace("/etc/passwd", str(passwd))
    body = body.replace("command -v lastlog ", "false ").replace("uname -m", "echo x86_64")
    body = body.replace("command -v journalctl", "false")
    argv = [found, *(["sh"] if shell == "busybox" else []), "-c", body]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    seen = logins(_capture(done.stdout))
    assert seen.last == {"ann": datetime.fromtimestamp(1_790_000_000, UTC)}
    assert seen.told["old"].day in (19, 20)
    assert seen.told["bot"] == datetime(2026, 11, 23, 19, 23, 45, tzinfo=UTC)
    assert {*seen.told} == {"old", "bot"}


JOURNAL = """\
2026-11-25T02:00:00+0000 web sshd[9]: Accepted publickey for bot from ::1 port 9 ssh2: ED25519
2026-11-25T02:00:00+0000 web sshd[9]: pam_unix(sshd:session): session opened for user bot(uid=9)
2026-11-25T02:00:01+0000 web sshd[8]: Invalid user a: Accepted password for ann from 1.1.1.1 port 7
2026-11-25T02:00:02+0000 web sshd[9]: pam_unix(sshd:session): session closed for user bot
"""


def test_the_journal_is_asked_for_root_own_sshd(tmp_path: Path) -> None:
    """A name that is tried (as journalctl of Debian 12 shows it) is no login."""
    told = tmp_path / "journalctl"
    told.write_text(f"#!/bin/sh\necho \"$*\" >{tmp_path}/asked\ncat <<'E'\n{JOURNAL}E\n")
    told.chmod(0o755)
    body = next(r for r in READS if r.id == "logins.last").body
    body = body.replace("/var/log", str(tmp_path)).replace("/var/lib", str(tmp_path))
    body = f"PATH={tmp_path}:$PATH\n{body}"
    done = subprocess.run(["/bin/sh", "-c", body], capture_output=True, text=True, check=True)
    seen = logins(_capture(done.stdout))
    assert {*seen.last} == {"bot"}
    assert seen.journal is not None
    assert (seen.journal.accepted, seen.journal.opened, seen.journal.closed) == (1, 1, 1)
    asked = (tmp_path / "asked").read_text().split()
    assert {"_UID=0", "_COMM=sshd", "_COMM=sshd-session"} <= {*asked}
    assert "-t" not in asked
