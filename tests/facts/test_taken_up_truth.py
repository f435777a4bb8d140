"""Written is not running, of real daemons: their files are changed under them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.access import sshd_effective as sshd
from collector.facts.system.taken_up import Answer
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.facts.alone import ALONE

_SSHD = """
mount -t tmpfs none /etc/ssh && mount -t tmpfs none /run || exit 77
mkdir -p /run/sshd /etc/ssh/sshd_config.d
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
printf 'Include /etc/ssh/sshd_config.d/*.conf\\nPort 2299\\nListenAddress 127.0.0.1\\n' \
  >/etc/ssh/sshd_config
cd /etc/ssh/sshd_config.d
echo 'PermitRootLogin yes' >01.conf
echo 'X11Forwarding no' >02.conf
cp -p 02.conf /etc/ssh/other
# taken for the time of the file: the kernel's clock of files is a tick behind
sleep .1
ip link set lo up
/usr/sbin/sshd -D 2>/dev/null & p=$!
sleep 1
{ACT}
sleep .1
{SHELL} "$1"
kill $p
"""


def _taken(tmp_path: Path, act: str, shell: str = "sh") -> sshd.Listener:
    if not ALONE or not shutil.which("/usr/sbin/sshd"):
        pytest.skip("needs root, unshare and sshd")
    if not shutil.which(shell.split(maxsplit=1)[0]):
        pytest.skip(f"{shell} is not here")
    body = tmp_path / "body.sh"
    body.write_text(sshd.READS[0].body, encoding="utf-8")
    ran = subprocess.run(
        [*ALONE[:1], "--mount", *ALONE[1:], "sh", "-c",
         _SSHD.replace("{ACT}", act).replace("{SHELL}", shell), "sh", str(body)],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    if ran.returncode == 77:
        pytest.skip("nothing can be mounted here")
    result = ReadResult("sshd.effective", ReadStatus.OK, stdout=ran.stdout)
    capture = Capture("h", HostStatus.COMPLETE, reads={"sshd.effective": result})
    (server,) = sshd.listeners(capture)
    return server


_RIGHT = "echo 'PermitRootLogin no' >01.conf"
_AGAIN = "; sleep .3; kill -HUP $p; sleep 1"


@pytest.mark.parametrize(
    ("act", "answer", "how"),
    [
        (":", Answer.YES, ""),
        (_RIGHT, Answer.NO, "written"),
        (_RIGHT + _AGAIN, Answer.YES, ""),
        ("rm 01.conf", Answer.UNTOLD, "removed"),
        ("rm 01.conf" + _AGAIN, Answer.YES, ""),
        ("mv 01.conf 01.off", Answer.UNTOLD, "removed"),
        ("echo 'PermitRootLogin no' >00.conf", Answer.NO, "written"),
        ("chmod 600 01.conf", Answer.YES, ""),
        ("touch -d 2030-01-01 01.conf", Answer.NO, "written"),
        ("sleep .1; cp -p ../sshd_config ../new; mv ../new ../sshd_config",
         Answer.UNTOLD, "replaced"),
        ("chmod 600 ../sshd_config; touch ../moduli", Answer.YES, ""),
    ],
)  # fmt: skip
def test_sshd(tmp_path: Path, act: str, answer: Answer, how: str) -> None:
    server = _taken(tmp_path, act)
    assert (server.taken.answer, server.taken.how) == (answer, how), server.taken


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_under_each_shell(tmp_path: Path, shell: str) -> None:
    server = _taken(tmp_path, "sleep 1.5; " + _RIGHT, shell)
    assert server.first("permitrootlogin") == "no", "what is written"
    assert server.taken.answer is Answer.NO, server.taken
    assert server.taken.path == "/etc/ssh/sshd_config.d/01.conf"
