"""What leaves a host of its log records: their form, under every awk and shell that is here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.records.masking import MASKING
from collector.facts.logs.records.samples import READS, records, samples
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

(_READ,) = READS
_AWKS = [a for a in ("mawk", "gawk", "busybox", "original-awk") if shutil.which(a)]
_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh", "mksh") if shutil.which(s)]
_MARK = "Zx9Geheim"

_LOGINS = {
    "Nov 25 10:00:01 web01 sshd[1234]: Accepted publickey for root from 10.1.2.3 port 51234 ssh2: "
    "ED25519 SHA256:abcdefGHIJK": "Nov 25 10:00:01 w**** sshd[1234]: Accepted publickey for r*** "
    "from 10.1.*.* port 51234 ssh2: E****** S*****:a********",
    "Nov 25 10:00:01 web01 sshd[9]: Failed password for invalid user 123456 from 2001:db8::15 port "
    "5 ssh2": "Nov 25 10:00:01 w**** sshd[9]: Failed password for invalid user ****** from "
    "2001:db8:* port 5 ssh2",
    "2026-11-25T10:00:01.123456+08:00 web01 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; "
    "USER=root ; COMMAND=/usr/bin/mysql -pSecret123 --password 123456": "2026-11-25T10:00:01.123456"
    "+08:00 w**** sudo:    a**** : TTY=pts/* ; PWD=/home/a**** ; USER=r*** ; COMMAND=/usr/bin/m****"
    " -p******** --password ******",
    "Nov 25 10:00:01 10.0.0.9 sshd[1]: Accepted password for password from ::ffff:10.1.2.3 port 5 "
    "ssh2": "Nov 25 10:00:01 10.0.*.* sshd[1]: Accepted password for p******* from "
    "::ffff:10.1.*.* port 5 ssh2",
    "type=USER_LOGIN msg=audit(1764000000.123:456): pid=1234 uid=0 auid=1000 ses=3 msg='op=login "
    'acct="alice" exe="/usr/sbin/sshd" hostname=? addr=10.1.2.3 terminal=ssh res=failed\'': ""
    "type=USER_LOGIN msg=audit(1764000000.123:456): pid=1234 uid=0 auid=1000 ses=3 msg='op=login "
    'acct="a****" exe="/usr/sbin/sshd" hostname=? addr=10.1.*.* terminal=ssh res=failed\'',
}
_WEB = {
    '203.0.113.9 - alice [25/Nov/2026:10:00:00 +0800] "GET /i.php?id=13812345678 HTTP/1.1" 200 612 '
    '"-" "curl/8" "1.2.3.4, 5.6.7.8" 53422': "203.0.*.* - a**** [25/Nov/2026:10:00:00 +0800] "
    '"GET /i.p**?id=******** HTTP/1.1" 200 612 "-" "c***/*" "1.2.*.*, 5.6.*.*" 53422',
    '{"ts":1764000000.1234567,"remote_addr":"203.0.113.9","remote_port":"53422","status":200,'
    '"phone":"13812345678","args":"token=abc"}': '{"ts":1764000000.1234567,"remote_addr":'
    '"203.0.*.*","remote_port":"53422","status":200,"phone":"********","args":"t****=a**"}',
}


@pytest.mark.parametrize("awk", _AWKS)
@pytest.mark.parametrize("web", [0, 1])
def test_form_stays_and_content_goes(awk: str, web: int) -> None:
    lines = _WEB if web else _LOGINS
    argv = ["busybox", "awk"] if awk == "busybox" else [awk]
    ran = subprocess.run(
        [*argv, f"{MASKING}{{ print mask($0, {web}) }}"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin"},
    )
    assert ran.stdout.splitlines() == list(lines.values())


def _run(shell: str, logs: Path) -> str:
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    body = _READ.body.replace("/var/log", str(logs)).replace("/proc/[0-9]*/comm", "/none/*")
    ran = subprocess.run(
        [*argv, "-c", body],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=120,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin"},
    )
    return ran.stdout.decode()


def _capture(stdout: str, status: ReadStatus = ReadStatus.OK) -> Capture:
    result = ReadResult(_READ.id, status, stdout=stdout.encode())
    return Capture("h", HostStatus.COMPLETE, reads={_READ.id: result})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "log"
    (tmp_path / "nginx").mkdir(parents=True)
    (tmp_path / "audit").mkdir()
    login = "Nov 25 10:00:{n:02d} web01 {what}\n"
    lines = [login.format(n=n % 60, what=f"CRON[{n}]: {_MARK}") for n in range(900)]
    lines += [
        login.format(
            n=n, what=f"sshd[{n}]: Failed password for {_MARK}{n} from 10.1.2.{n} port {n} ssh2"
        )
        for n in range(5)
    ]
    (tmp_path / "auth.log").write_text("".join(lines))
    (tmp_path / "syslog").write_text(f"Nov 25 10:00:00 web01 app: password={_MARK}\n" * 9)
    (tmp_path / "with blank.log").write_text(f"é中文 {_MARK} \x00\x01 no end")
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "syslog.1").write_text("old")
    (tmp_path / "nginx" / "access.log").write_text("\n".join(_WEB) + "\n")
    (tmp_path / "clamav").mkdir()
    (tmp_path / "clamav" / "onaccess.log").write_text("ClamInotif: watching '/home'\n")
    (tmp_path / "audit" / "audit.log").write_text(list(_LOGINS)[-1] + "\n")
    return tmp_path


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_last_records_of_each_log(shell: str, logs: Path) -> None:
    printed = _run(shell, logs)
    assert _MARK not in printed
    found = records(_capture(printed)).logs
    assert {p.removeprefix(f"{logs}/"): s.kind for p, s in found.items()} == {
        "auth.log": "auth",
        "audit/audit.log": "audit",
        "clamav/onaccess.log": "other",
        "nginx/access.log": "web",
        "syslog": "syslog",
        "with blank.log": "other",
    }
    auth = found[f"{logs}/auth.log"].lines
    assert len(auth) == 5
    assert auth[-1] == (
        "Nov 25 10:00:04 w**** sshd[4]: Failed password for Z******** from 10.1.*.* port 4 ssh2"
    )
    assert found[f"{logs}/nginx/access.log"].lines == tuple(_WEB.values())
    shown = samples(_capture(printed))
    assert len(shown[f"{logs}/auth.log"]) == 3
    assert len(shown[f"{logs}/syslog"]) == 3


def test_a_record_that_looks_like_a_heading(logs: Path) -> None:
    forged = f"==> {logs}/nginx/access.log <=="
    (logs / "auth.log").write_text(f"Nov 25 10:00:00 h sshd[1]: x\n{forged}\nforged\n")
    with pytest.raises(NotUnderstood, match="heading"):
        records(_capture(_run("dash", logs)))


def test_nothing_where_nobody_looked() -> None:
    for capture in (_capture("", ReadStatus.REFUSED), _capture("@L auth /x\n| y\n")):
        assert samples(capture) == {}
        with pytest.raises((CouldNotLook, NotUnderstood)):
            records(capture)


def test_an_awk_that_fails_is_no_empty_log(logs: Path) -> None:
    body = _READ.body.replace("/var/log", str(logs)).replace("BEGIN {", "BEGIN { exit 2 ", 1)
    ran = subprocess.run(["dash", "-c", body], capture_output=True, text=True, check=True)
    with pytest.raises(NotUnderstood):
        records(_capture(ran.stdout))
