"""Owner and mode of logs, by the read's own shell text: also of those that lie elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

from collector.facts.logs.permissions import READS, log_guard
from collector.model import Capture, HostStatus, ReadResult, ReadStatus


def test_old_files_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "srv/old").mkdir(parents=True)
    (tmp_path / "log/messages").write_text("x\n")
    (tmp_path / "srv/old/messages-20261101").write_text("x\n")
    (tmp_path / "srv/old/messages-20261101").chmod(0o666)
    (tmp_path / "none.conf").write_text(
        f"weekly\n/var/log/messages {{\n\tolddir {tmp_path}/srv/old  # moved\n}}\n"
    )
    body = READS[1].body.replace("/etc/logrotate", f"{tmp_path}/none")
    body = body.replace("/var/log", str(tmp_path / "log")).replace("/etc/audit", f"{tmp_path}/no")
    said = subprocess.run(
        ["sh", "-c", body], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    ).stdout.replace(str(tmp_path), "")
    reads = {
        "audit.config": ReadResult("audit.config", ReadStatus.ABSENT),
        "log_guard.modes": ReadResult("log_guard.modes", ReadStatus.OK, stdout=said.encode()),
    }
    found = {e.path: e for e in log_guard(Capture("h", HostStatus.COMPLETE, reads=reads)).entries}
    assert found["/srv/old/messages-20261101"].mode == 0o666
    assert found["/srv/old/messages-20261101"].family == "syslog"
