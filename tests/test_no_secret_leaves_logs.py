"""Secrets in web servers, logs, senders of logs and applications: none of them is in the capture.

The whole script runs on this machine, seen through an overlay in which they are planted, with
programs that go by the names of servers. `test_no_secret_leaves` does the same on a host.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.facts.access.inetd import encrypted_ftp, on_demand
from collector.facts.backup.commands.copies import pgbackrest, remotes
from collector.facts.logs.web.others import caddy_sites, lighttpd_sites, tomcat_sites
from collector.facts.logs.web.servers import web_servers
from collector.facts.system.host_names import own_names
from collector.model import Capture, HostStatus
from collector.script import collector_script, parse_output
from tests import planted, planted_reads, planted_settings
from tests.masked import redacted

_WORD = re.compile(rb"Zx9Geheim\w*|" + planted.MARK.encode().hex().upper().encode() + rb"\w*")
_START = """
cd /
NAMES='apache2|httpd|haproxy|lighttpd|caddy|filebeat|fluent-bit|rsyslogd|java|nginx'
for n in apache2 haproxy lighttpd caddy filebeat fluent-bit rsyslogd; do
  cp /bin/sh /fake/$n; /fake/$n -c 'sleep 300; :' &
done
cp /bin/sh /fake/java; /fake/java -c 'sleep 300; :' -Dcatalina.base=/opt/tomcat -Dpw=MARKx &
cp /bin/sh /fake/nginx
@STARTED@
bash -c 'exec -a "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf " /fake/nginx -c \
  "exec 9>>/var/log/nginx/access.log; sleep 300; :"' &
n=0
until [ "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cxE "$NAMES")" = 10 ] &&
  ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q /access.log; do
  n=$((n + 1)); [ "$n" -lt 300 ] || { echo "they do not run" >&2; exit 1; }
  sleep 0.1
done
exec sh -s
""".replace("MARK", planted.MARK).replace("@STARTED@", planted_reads.STARTED)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the script prints with everything planted."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    place = tmp_path_factory.mktemp("overlay")
    upper, work, seen = place / "upper", place / "work", place / "seen"
    for folder in (upper, work, seen, upper / "fake"):
        folder.mkdir()
    for path, text in (planted_settings.ALL | planted_reads.FILES).items():
        file = upper / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755 if text.startswith("#!") else 0o644)
        for folder in file.relative_to(upper).parents:
            (upper / folder).chmod(0o755)
    (upper / "start.sh").write_text(_START)
    mounts = (
        f"mount -t overlay overlay -o lowerdir=/,upperdir={upper},workdir={work} {seen}"
        f" && mount -t proc proc {seen}/proc && mount --bind /dev {seen}/dev"
    )
    unshared = ["unshare", "-m", "-p", "-f", "sh", "-c"]
    if subprocess.run([*unshared, mounts], capture_output=True, check=False).returncode:
        pytest.skip("no overlay here")
    script = collector_script(catalog.all_reads().values())
    done = subprocess.run(
        [*unshared, f"{mounts} && exec chroot {seen} sh /start.sh"],
        input=script.encode(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def capture(out: bytes) -> Capture:
    found = parse_output(out, host="h")
    assert found.status is HostStatus.COMPLETE
    return found


def test_no_planted_secret_is_in_the_capture(out: bytes, capture: Capture) -> None:
    leaks = {
        result.id: sorted(words)
        for result in capture.reads.values()
        if (words := {w.decode() for w in _WORD.findall(repr(result).encode())})
    }
    assert leaks == {}
    assert not _WORD.search(out)


def test_what_was_looked_for_is_there_all_the_same(capture: Capture) -> None:
    web = capture.read("web_servers.config").text()
    assert "+access_log\t/var/log/nginx/access.log\tmain" in web
    assert '+CustomLog "|/usr/bin/ship ***" odd' in web
    assert "+ServerName example.com" in web
    samples = capture.read("record_samples.lines").text()
    for log in ("auth /var/log/auth.log", "web /var/log/nginx/access.log", "other /var/log/tlog"):
        assert f"@L {log}" in samples
    assert "@P /var/log/sudo-io/00/00/01/log\n@d 1 - @1795574163 @1795574163" in (
        capture.read("log_files.times").text()
    )
    rsyslog = str(capture.read("syslog.rsyslog").files)
    assert "omsnmp" in rsyslog
    assert "203.0.113.9:514" in rsyslog
    shipping = capture.read("log_shipping.state").text()
    assert "203.0.113.9" in shipping
    assert "TERMINAL_SESSION_KEEP_DURATION=200" in capture.read("app_rotation.rules").text()
    assert "type=USER_LOGIN" in samples


def test_what_is_left_is_understood_all_the_same(capture: Capture) -> None:
    web = {s.kind: s for s in web_servers(capture).own}
    caddy = {s.name: s.logs for s in caddy_sites(web["caddy"])}
    assert caddy["two.example.com, {***} http://c.example.com/***"][0].format is None
    assert [log.path for log in caddy["example.com"]] == ["-"]
    (lighttpd,) = lighttpd_sites(web["lighttpd"])
    assert [log.path for log in lighttpd.logs] == ["|/usr/bin/ship ***", "|/bin/sh ***"]
    assert lighttpd.real == "header"
    (tomcat,) = tomcat_sites(web["tomcat"])
    assert len(tomcat.logs) == 3
    assert tomcat.logs[2].some
    own = own_names(capture)
    assert own.follow("nas") == (
        frozenset({"nas", "10.1.1.1"}),
        frozenset({"10.0.0.7", "10.1.1.1"}),
    )
    assert own.hosts["db01"] == {"10.0.0.5"}
    assert remotes(capture)["r"]["host"] == "nas"
    assert pgbackrest(capture)["repo1-cipher-type"] == "aes-256-cbc"
    assert encrypted_ftp(capture) == frozenset()
    assert {service.name for service in on_demand(capture)} >= {"ftp", "telnet", "y"}


_SEDS = [["sed"], *([["busybox", "sed"]] if shutil.which("busybox") else [])]
_FILES = [
    (read.id, path)
    for read in catalog.all_reads().values()
    for path in planted_settings.ALL
    if read.kind == "files" and any(fnmatch.fnmatchcase(path, p) for p in read.paths)
]


@pytest.mark.parametrize("sed", _SEDS, ids=lambda s: s[0])
@pytest.mark.parametrize(("read", "path"), _FILES)
def test_every_sed_keeps_them_back(sed: list[str], read: str, path: str) -> None:
    program = catalog.all_reads()[read].redact
    awk = ["busybox", "awk"] if sed[0] == "busybox" else ["awk"]
    assert (
        _WORD.findall(redacted(program, planted_settings.ALL[path].encode(), sed=sed, awk=awk))
        == []
    )


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk"])
def test_every_awk_masks_records(tmp_path: Path, awk: str) -> None:
    """The read of records alone, by each awk; it takes the folder's files for those of /var/log."""
    words = awk.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {awk} here")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/awk").write_text(f'#!/bin/sh\nexec {awk} "$@"\n')
    (tmp_path / "bin/awk").chmod(0o755)
    for path, text in planted.LOGS.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    body = catalog.all_reads()["record_samples.lines"].body
    said = subprocess.run(
        ["sh", "-c", body.replace("/var/log", str(tmp_path / "var/log"))],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        check=True,
    )
    assert said.stdout.count(b"@L ") > 10
    assert b"@broken" not in said.stdout
    assert _WORD.findall(said.stdout) == []
