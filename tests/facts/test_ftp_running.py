"""With which settings an FTP server runs: what the read prints, and of a real vsftpd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, FactError
from collector.facts.network.ftp_servers import READS, ftp_running
from collector.facts.system.taken_up import Answer
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from tests.facts.alone import ALONE

_FILE = "/etc/vsftpd.conf"


def _capture(stdout: bytes) -> Capture:
    files = (CapturedFile(_FILE, ReadStatus.OK, data=b"ssl_enable=YES\n"),)
    reads = {
        "legacy.ftp": ReadResult("legacy.ftp", ReadStatus.OK, files=files),
        "legacy.ftp_running": ReadResult("legacy.ftp_running", ReadStatus.OK, stdout=stdout),
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _said(written: int, *more: str, named: str = _FILE) -> bytes:
    lines = [
        "== process 60",
        f"named {named}",
        "|clock 1796182100.10 100000 1796182100.12",
        "|start 60 98000",
        *more,
        f"|file {written}.5 {written}.5 {written}.5 {_FILE}",
        "== end",
    ]
    return "\n".join(lines).encode() + b"\n"


# as systemd prints it; the process has started at 1796182080, 03:28:00
_RELOADED = (
    "|unit Id=vsftpd.service",
    "|unit MainPID=60",
    "|unit Type=simple",
    "|unit ExecReload=0 Wed 2026-12-02 03:28:10 UTC",
)


@pytest.mark.parametrize(
    ("stdout", "answer", "how"),
    [
        (_said(1796182070), Answer.YES, ""),
        (_said(1796182085), Answer.UNTOLD, "signal"),
        (_said(1796182085, *_RELOADED), Answer.YES, ""),
        (_said(1796182095, *_RELOADED), Answer.UNTOLD, "signal"),
        (b"== process 60\n== end\n", Answer.UNTOLD, "not_asked"),
    ],
)
def test_taken(stdout: bytes, answer: Answer, how: str) -> None:
    taken = ftp_running(_capture(stdout))[60]
    assert (taken.answer, taken.how) == (answer, how)


@pytest.mark.parametrize(
    "stdout",
    [
        b"",
        b"== process 60\n",
        b"== more\n== end\n",
        b"named /etc/vsftpd.conf\n== end\n",
        b"== process 60\n?\n== end\n",
        _said(1796182070, named="/srv/ftp.conf"),
        _said(1796182070, named="?"),
    ],
)
def test_what_is_not_understood_is_refused(stdout: bytes) -> None:
    with pytest.raises(FactError):
        ftp_running(_capture(stdout))


def test_a_capture_from_before() -> None:
    with pytest.raises(CouldNotLook):
        ftp_running(Capture("h", HostStatus.COMPLETE, reads={}))


_VSFTPD = r"""
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc || exit 77
ip link set lo up
printf '%s\n' listen=YES listen_ipv6=NO anonymous_enable=NO local_enable=YES >/etc/vsftpd.conf
sleep 2
vsftpd /etc/vsftpd.conf & p=$!
sleep 3
{ACT}
sleep .1
{SHELL} "$1"
kill $p
"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
@pytest.mark.parametrize(
    ("act", "how"),
    [(":", ""), ("echo max_clients=9 >>/etc/vsftpd.conf", "signal"),
     ("echo max_clients=9 >>/etc/vsftpd.conf; sleep 3; kill $p; sleep .5; vsftpd & p=$!; sleep 1",
      "")],
)  # fmt: skip
def test_vsftpd(tmp_path: Path, act: str, how: str, shell: str) -> None:
    if not ALONE or not shutil.which("vsftpd") or not shutil.which(shell.partition(" ")[0]):
        pytest.skip("needs root, unshare, vsftpd and the shell")
    held = tmp_path / "body.sh"
    held.write_text(READS[0].body, encoding="utf-8")
    script = _VSFTPD.replace("{ACT}", act).replace("{SHELL}", shell)
    ran = subprocess.run(
        [*ALONE[:1], "--mount", *ALONE[1:], "sh", "-c", script, "sh", str(held)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if ran.returncode == 77:
        pytest.skip("nothing can be mounted here")
    (taken,) = ftp_running(_capture(ran.stdout)).values()
    assert taken.how == how, ran.stdout
