"""Written is not running, of real daemons: their files are changed under them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.access import sshd_effective as sshd
from collector.facts.logs.journald import journal
from collector.facts.logs.syslog import daemons as syslog
from collector.facts.security import clamav
from collector.facts.system.processes import Process
from collector.facts.system.taken_up import Answer, Taken
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.facts.alone import ALONE

_SSHD = """
mount -t tmpfs none /run || exit 77
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc &&
  mount -t tmpfs none /etc/ssh || exit 77
mkdir -p /run/sshd /etc/ssh/sshd_config.d /etc/crypto-policies/back-ends
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
cd /etc/crypto-policies
echo DEFAULT >config
echo 'Ciphers aes256-ctr' | tee default.txt >legacy.txt
ln -s ../default.txt back-ends/opensshserver.config
printf '%s\\n' 'Include /etc/ssh/sshd_config.d/*.conf' 'Include more.conf' 'Port 2299' \
  'ListenAddress 127.0.0.1' 'Include /etc/crypto-policies/back-ends/opensshserver.config' \
  >/etc/ssh/sshd_config
echo 'MaxAuthTries 3' >/etc/ssh/more.conf
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


def _run(script: str, body: str, tmp_path: Path) -> bytes:
    if not ALONE:
        pytest.skip("needs root and unshare")
    held = tmp_path / "body.sh"
    held.write_text(body, encoding="utf-8")
    ran = subprocess.run(
        [*ALONE[:1], "--mount", *ALONE[1:], "sh", "-c", script, "sh", str(held)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if ran.returncode == 77:
        pytest.skip("nothing can be mounted here")
    return ran.stdout


def _capture(id: str, stdout: bytes, *more: ReadResult) -> Capture:
    reads = {id: ReadResult(id, ReadStatus.OK, stdout=stdout), **{one.id: one for one in more}}
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _sshd(tmp_path: Path, act: str, shell: str = "sh") -> sshd.Listener:
    if not shutil.which("/usr/sbin/sshd") or not shutil.which(shell.partition(" ")[0]):
        pytest.skip("sshd or the shell is not here")
    script = _SSHD.replace("{ACT}", act).replace("{SHELL}", shell)
    said = _run(script, sshd.READS[0].body, tmp_path)
    (server,) = sshd.listeners(_capture("sshd.effective", said))
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
        ("cd ..; rm -r sshd_config.d", Answer.UNTOLD, "removed"),
        ("rm ../more.conf", Answer.UNTOLD, "removed"),
        # an update of crypto-policies makes the same links again; a policy that was set is seen
        ("cd /etc/crypto-policies; ln -sf ../default.txt back-ends/opensshserver.config",
         Answer.YES, ""),
        ("cd /etc/crypto-policies; ln -sf ../legacy.txt back-ends/opensshserver.config;"
         "echo LEGACY >config", Answer.NO, "written"),
    ],
)  # fmt: skip
def test_sshd(tmp_path: Path, act: str, answer: Answer, how: str) -> None:
    server = _sshd(tmp_path, act)
    assert (server.taken.answer, server.taken.how) == (answer, how), server.taken


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_under_each_shell(tmp_path: Path, shell: str) -> None:
    server = _sshd(tmp_path, "sleep 1.5; " + _RIGHT, shell)
    assert server.first("permitrootlogin") == "no", "what is written"
    assert server.taken.answer is Answer.NO, server.taken
    assert server.taken.path == "/etc/ssh/sshd_config.d/01.conf"


_RSYSLOG = """
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc || exit 77
mkdir -p /etc/rsyslog.d /mnt/more
printf 'module(load="imuxsock" syssock.use="off")\ninput(type="imuxsock" socket="/mnt/s")\n%s\n' \
  'include(file="/etc/rsyslog.d/*.conf")' 'include(file="/mnt/more/*.conf")' \
  '*.* /dev/null' >/etc/rsyslog.conf
echo '# nothing' >/mnt/more/a.conf
sleep .1
rsyslogd -n -i /mnt/pid 2>/dev/null & p=$!
sleep 1
{ACT}
sleep .1
sh "$1"
kill $p
"""


@pytest.mark.parametrize(
    ("act", "answer", "path"),
    [
        (":", Answer.YES, ""),
        ("sed -i 's,^.*null,*.* /mnt/out,' /etc/rsyslog.conf", Answer.NO, "/etc/rsyslog.conf"),
        # it opens its files again, and reads nothing
        ("echo '*.* /mnt/out' >>/etc/rsyslog.conf; kill -HUP $p; sleep 1", Answer.NO,
         "/etc/rsyslog.conf"),
        ("echo '*.* /mnt/out' >/etc/rsyslog.d/b.conf", Answer.NO, "/etc/rsyslog.d/b.conf"),
        ("echo '*.* /mnt/out' >/etc/rsyslog.d/b.off; touch -d 2001-01-01 /etc/rsyslog.d",
         Answer.YES, ""),
        ("echo '*.* /mnt/out' >/mnt/more/a.conf", Answer.NO, "/mnt/more/a.conf"),
    ],
)  # fmt: skip
def test_rsyslogd(tmp_path: Path, act: str, answer: Answer, path: str) -> None:
    if not shutil.which("rsyslogd"):
        pytest.skip("rsyslogd is not here")
    read = syslog.READS[0]
    said = _run(_RSYSLOG.replace("{ACT}", act), read.body, tmp_path)
    found: Taken = syslog.syslog_running(_capture(read.id, said)).taken("rsyslogd")
    assert (found.answer, found.path) == (answer, path), said.decode()


_JOURNALD = """
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc &&
  mount -t tmpfs none /run && mount -t tmpfs none /var/log || exit 77
mkdir -p /run/systemd/journal /var/log/journal /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=none\nAudit=no\nReadKMsg=no\n' >/etc/systemd/journald.conf.d/1.conf
sleep .1
/lib/systemd/systemd-journald 2>/dev/null & p=$!
sleep 1
{ACT}
sleep .1
sh "$1"
kill $p
"""


@pytest.mark.parametrize(
    ("act", "answer", "how"),
    [
        (":", Answer.YES, ""),
        ("echo Storage=persistent >>/etc/systemd/journald.conf.d/1.conf", Answer.NO, "written"),
        ("rm /etc/systemd/journald.conf.d/1.conf", Answer.UNTOLD, "removed"),
    ],
)
def test_journald(tmp_path: Path, act: str, answer: Answer, how: str) -> None:
    if not shutil.which("/lib/systemd/systemd-journald"):
        pytest.skip("systemd-journald is not here")
    read = journal.READS[1]
    said = _run(_JOURNALD.replace("{ACT}", act), read.body, tmp_path)
    config = ReadResult("journald.config", ReadStatus.OK)
    found = journal.journald(_capture(read.id, said, config)).taken
    assert (found.answer, found.how) == (answer, how), said.decode()


_CLAMD = """
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /etc || exit 77
mkdir -p /etc/clamav /etc/clamd.d
echo 'ExcludePath ^/proc/' >/etc/clamav/clamd.conf
cp /bin/sleep /mnt/clamd
sleep .1
/mnt/clamd 60 & p=$!
sleep 1
echo 'ExcludePath ^/sys/' >{FILE}
sleep .1
{SHELL} "$1"
kill $p
"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
@pytest.mark.parametrize(
    ("file", "answer"),
    [("/etc/clamav/clamd.conf", Answer.NO), ("/etc/clamd.d/other.conf", Answer.YES)],
)
def test_the_file_of_a_clamd(tmp_path: Path, shell: str, file: str, answer: Answer) -> None:
    """By a program of that name; that the real one reads nothing again says clamd(8)."""
    if not shutil.which(shell.partition(" ")[0]):
        pytest.skip(f"{shell} is not here")
    read = clamav.READS[0]
    said = _run(_CLAMD.replace("{FILE}", file).replace("{SHELL}", shell), read.body, tmp_path)
    found = clamav.clamav(_capture(read.id, said))
    (pid,) = found.named
    process = Process(pid, 1, 0, "clamd", "/mnt/clamd", False, "", "", False)
    taken = found.taken(process)
    if "busybox" in shell:  # whole seconds
        assert taken.answer in (answer, Answer.UNTOLD), said.decode()
    else:
        assert taken.answer is answer, said.decode()
