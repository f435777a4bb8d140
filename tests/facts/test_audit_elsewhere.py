"""auditd's log lies where its log_file says: every read of logs follows it."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.logs.audit.status import LOG, WHERE, audit_log
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

NOW = datetime.now(UTC)


@pytest.mark.parametrize("shell", ["dash", "bash", "ksh", "busybox sh"])
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("log_file = /data/audit/kernel.log\nlog_group = root\n", "/data/audit/kernel.log"),
        ("#log_file = /x\nLOG_FILE=/srv/a.log\n", "/srv/a.log"),
        ("\tlog_file\t=\t/srv/b.log\t\n", "/srv/b.log"),
        ("log_file = \nwrite_logs = yes\n", LOG),
        ("log_format = ENRICHED\n", LOG),
    ],
)
def test_where(tmp_path: Path, shell: str, text: str, where: str) -> None:
    """The shell and the parser see the same place."""
    words = shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {shell} here")
    config = tmp_path / "auditd.conf"
    config.write_text(text)
    body = WHERE.replace("/etc/audit/auditd.conf", str(config)) + 'printf %s "$a"'
    said = subprocess.run([*words, "-c", body], capture_output=True, text=True, check=True)
    assert said.stdout == where
    assert audit_log(_capture(text)) == where


def _capture(text: str | None, status: ReadStatus = ReadStatus.OK) -> Capture:
    path = "/etc/audit/auditd.conf"
    files = () if text is None else (CapturedFile(path, status=status, data=text.encode()),)
    result = ReadResult("audit.config", status, files=files)
    return Capture("h", HostStatus.COMPLETE, reads={"audit.config": result})


def test_no_settings_and_settings_that_nobody_saw() -> None:
    assert audit_log(Capture("h", HostStatus.COMPLETE, reads={
        "audit.config": ReadResult("audit.config", ReadStatus.ABSENT)
    })) == LOG  # fmt: skip
    with pytest.raises(CouldNotLook):
        audit_log(Capture("h", HostStatus.COMPLETE))


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"
)
@pytest.mark.parametrize(
    "read", ["log_files.times", "log_guard.modes", "record_samples.lines", "capacity.space",
             "audit.events"]
)  # fmt: skip
def test_reads_follow(tmp_path: Path, read: str) -> None:
    """With an auditd.conf of its own in a mount namespace."""
    (tmp_path / "etc").mkdir()
    log = tmp_path / "elsewhere" / "kernel.log"
    log.parent.mkdir()
    (tmp_path / "etc/auditd.conf").write_text(f"log_file = {log}\nnum_logs = 9\n")
    seconds = int(NOW.timestamp()) - 86400
    log.write_text(
        f"type=DAEMON_START msg=audit({seconds}.001:1): op=start ver=4.0.2 res=success\n"
        f"type=USER_LOGIN msg=audit({seconds}.002:2): pid=1 uid=0 auid=0 ses=1 msg='op=login "
        'acct="joe" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=success\'\n'
    )
    (log.parent / "kernel.log.1").write_text(log.read_text())
    inside = (
        f"cp -a /etc/. {tmp_path}/all && mkdir -p {tmp_path}/all/audit"
        f" && cp {tmp_path}/etc/auditd.conf {tmp_path}/all/audit/"
        f" && mount --bind {tmp_path}/all /etc && exec sh -s"
    )
    body = catalog.all_reads()[read].body
    said = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside], input=body, capture_output=True, text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )  # fmt: skip
    if "mount" in said.stderr:
        pytest.skip(f"no mount namespace here: {said.stderr}")
    if read == "capacity.space":
        assert f" {log.parent}/\n" in said.stdout
        return
    assert str(log) in said.stdout
    if read == "log_files.times":
        assert f"@P {log}\n@d 2 - @{seconds} @{seconds}" in said.stdout
        assert f"{log}.1" in said.stdout
    if read == "log_guard.modes":
        assert f"0 0 {log}.1\n" in said.stdout
        assert f"0 0 {log.parent}/\n" in said.stdout
    if read == "record_samples.lines":
        assert f"@L audit {log}\n" in said.stdout
