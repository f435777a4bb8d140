"""Rotation by applications: the read run for real, and its lines as real software gives them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.sizes import binary_size
from collector.facts.logs.application_retention import held_open, name_of, ruled
from collector.facts.logs.applications.models import AppRule, cycle, overwritten
from collector.facts.logs.applications.rotation import READS, app_rotation
from collector.facts.logs.files import LogFile
from collector.facts.logs.log_kept import LogKept
from collector.model import Capture, HostStatus, ReadResult, ReadStatus, Text
from tests.started import until_it_runs

(READ,) = READS
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def _capture(text: str) -> Capture:
    result = ReadResult(READ.id, ReadStatus.OK, stdout=text.encode())
    return Capture("h", HostStatus.COMPLETE, reads={READ.id: result})


def _rules(*lines: str) -> list[AppRule]:
    return list(app_rotation(_capture("\n".join([*lines, "@E", ""])))[0])


@pytest.mark.skipif(not os.path.exists("/proc/self/comm"), reason="needs /proc")
def test_java_is_found_by_what_runs_and_no_secret_leaves(tmp_path: Path) -> None:
    """A program called java, its configuration below its folder, with secrets in every place."""
    shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "java")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/logback.xml").write_text(
        '<property name="dbPassword" value="Zx9Geheim1"/>\n'
        '<property name="HOME" value="/var/log/shop"/>\n'
        '<appender name="F" class="x"><file>${HOME}/shop.log</file>\n'
        "<fileNamePattern>${HOME}/shop.%d{yyyy-MM-dd}.log.gz</fileNamePattern>\n"
        "<!-- <maxHistory>400</maxHistory> -->\n<maxHistory>30</maxHistory></appender>\n"
        '<appender name="M" url="https://u:Zx9Geheim2@h/"><password>Zx9Geheim3</password>\n'
    )
    (tmp_path / "conf/server.xml").write_text(
        '<Connector keystorePass="Zx9Geheim4" max="3"/>\n'
        '<Valve className="org.apache.catalina.valves.AccessLogValve" directory="logs"\n'
        '       prefix="access." suffix=".log" maxDays="60"/>\n'
    )
    (tmp_path / "conf/application.properties").write_text(
        "spring.datasource.password=Zx9Geheim5\nlogging.file.name=/var/log/s/boot.log\n"
        "logging.logback.rollingpolicy.max-history=${Zx9GeheimToken6:30}\n"
    )
    log = (tmp_path / "open.log").open("w")
    with subprocess.Popen(
        [tmp_path / "java", "30"], cwd=tmp_path, stdout=log, env={"PATH": os.environ["PATH"]}
    ) as process:
        until_it_runs(process.pid, "30")
        ended = subprocess.run(
            ["sh", "-c", f"({READ.body}) | sed -e {shlex.quote(READ.redact)}"],
            capture_output=True,
            text=True,
            check=True,
        )
        process.kill()
    text = ended.stdout
    for number in range(1, 6):
        assert f"Zx9Geheim{number}" not in text
    rules, opened = app_rotation(_capture(text))
    mine = [r for r in rules if r.path.startswith(str(tmp_path))]
    by = {r.path.rsplit("/", 1)[-1]: r for r in mine}
    assert (by["logback.xml"].days, by["logback.xml"].log) == (30, "/var/log/shop/shop.*")
    assert by["server.xml"].days == 60
    assert by["server.xml"].has(f"{tmp_path}/logs/access.2026-11-25.log")
    assert not by["application.properties"].known
    assert str(tmp_path / "open.log") in opened


def test_mariadb_as_debian_13_has_it() -> None:
    """Recorded; with these settings it kept three files of 100 kB beside the live one."""
    (audit,) = _rules(
        "@K mysql",
        "@F /etc/mysql/mariadb.conf.d/60-audit.cnf",
        "/etc/mysql/mariadb.conf.d/50-server.cnf:[mariadbd]",
        "/etc/mysql/mariadb.conf.d/50-server.cnf:expire_logs_days        = 10",
        "/etc/mysql/mariadb.conf.d/60-audit.cnf:[mariadbd]",
        "/etc/mysql/mariadb.conf.d/60-audit.cnf:server_audit_logging = ON",
        "/etc/mysql/mariadb.conf.d/60-audit.cnf:server-audit-file-rotate-size = 100000",
        "/etc/mysql/mariadb.conf.d/60-audit.cnf:server_audit_file_rotations=3",
        "/etc/mysql/mariadb.conf.d/50-client.cnf:[client]",
    )
    assert (audit.room, audit.log) == (300_000, "/var/lib/mysql/server_audit.log*")


def test_audit_log_of_percona_and_binary_logs() -> None:
    lines = [
        "[mysqld]", "log_bin=/data/binlog/mysql-bin", "binlog_expire_logs_seconds = 2592000",
        "audit_log_file=/var/log/mysql/audit.log", "audit_log_rotate_on_size=1G",
        "audit_log_rotations=20",
    ]  # fmt: skip
    audit, binary = _rules("@K mysql", *(f"/etc/my.cnf:{line}" for line in lines))
    assert audit.room == 20 << 30
    assert (binary.days, binary.family) == (30, "other")


def test_containers() -> None:
    """hostconfig.json and config.v2.json as Docker writes them (public material)."""
    one, two = "/var/lib/docker/containers/aa", "/var/lib/docker/containers/bb"
    first, second, pods = _rules(
        "@K docker", "@F /etc/docker/daemon.json",
        '/etc/docker/daemon.json:"log-driver":"json-file"',
        '/etc/docker/daemon.json:"max-size":"100m"',
        "@K containers",
        f'{one}/hostconfig.json:"LogConfig":{{"Type":"json-file"',
        f'{one}/hostconfig.json:"max-file":"3"', f'{one}/hostconfig.json:"max-size":"10m"',
        f'{two}/hostconfig.json:"LogConfig":{{"Type":"json-file"',
        f'{one}/config.v2.json:"Image":"registry.example/library/nginx:1.27"',
        f'{one}/config.v2.json:"Name":"/shop"', f'{two}/config.v2.json:"Name":"/job"',
        "@K kubelet", "@F /var/lib/kubelet/config.yaml",
        '/var/lib/kubelet/config.yaml:containerLogMaxSize: "20Mi"',
    )  # fmt: skip
    assert (first.room, first.family) == (2 * 10 << 20, "web")
    # made before the daemon was told of a limit: none holds
    assert (second.room, second.known, second.family) == (None, True, "other")
    assert pods.room == 4 * 20 << 20


def test_spring_boot_keeps_a_week_by_itself() -> None:
    (rule,) = _rules(
        "@K java",
        "/opt/a/application.yml:logging:",
        "/opt/a/application.yml:  file:",
        "/opt/a/application.yml:    name: /var/log/a/a.log",
    )
    assert (rule.days, rule.log) == (7, "/var/log/a/a.log*")


def test_log4j_1() -> None:
    lines = [
        "log4j.appender.A=org.apache.log4j.RollingFileAppender", "log4j.appender.A.File=/v/a.log",
        "log4j.appender.A.MaxFileSize=10MB", "log4j.appender.A.MaxBackupIndex=5",
        "log4j.appender.D=org.apache.log4j.DailyRollingFileAppender",
        "log4j.appender.D.File=/v/d.log", "log4j.appender.C=org.apache.log4j.ConsoleAppender",
    ]  # fmt: skip
    first, second = _rules("@K java", *(f"/opt/log4j.properties:{line}" for line in lines))
    assert first.room == 50 << 20
    assert (second.room, second.days, second.known) == (None, None, True)


def test_a_program_after_rotation_may_do_anything() -> None:
    (rule,) = _rules(
        "@K apache",
        '/etc/httpd/conf/httpd.conf:CustomLog "|/usr/sbin/rotatelogs -p /x.sh /l/a.%Y 86400" c',
    )
    assert not rule.known


@pytest.mark.parametrize(
    ("name", "every", "days"),
    [
        ("p-%a.log", 86400, 6), ("p-%d.log", 86400, 27), ("p-%H.log", 3600, 0),
        ("p-%m%d.log", 86400, 364), ("p-%j", 86400, 364), ("p-%Y-%m-%d", 86400, None),
        ("p.log", 86400, 0), ("p-%s", 86400, None),
    ],
)  # fmt: skip
def test_names_that_come_again(name: str, every: int, days: int | None) -> None:
    """Against strftime itself: the shortest time until a name comes again, less one rotation."""
    assert overwritten(name, every) == days
    if "%" not in name or days is None:
        return
    start, shortest = datetime(2023, 1, 1, tzinfo=UTC), None
    seen: dict[str, datetime] = {}
    before = ""
    for number in range(int(800 * 86400 / every)):
        at = start + timedelta(seconds=every) * number
        called = at.strftime(name)
        if called in seen and called != before:
            away = at - seen[called]
            shortest = away if shortest is None else min(shortest, away)
        seen[called], before = at, called
    assert shortest is not None
    assert (cycle(name) or 0) <= shortest.total_seconds()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10m", 10 << 20),
        ("1 GB", 1 << 30),
        ("20Mi", 20 << 20),
        ("100", 100),
        ("0B", 0),
        ("x", None),
    ],
)
def test_sizes(text: str, number: int | None) -> None:
    assert binary_size(text) == number


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", CouldNotLook), ("@K mysql\n", CouldNotLook), ("@U /opt/logback.xml\n@E\n", CouldNotLook),
        ("hello\n@E\n", NotUnderstood),
    ],
)  # fmt: skip
def test_what_was_not_seen_is_said(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        app_rotation(_capture(text))


LOG = LogKept("/v/a.log", "other", None, True, Text("无", "none"), removed=False)
RULE = AppRule("/v/a.log*", Text("甲", "app"), READ.id, "/c", "x=1")


def _files(size: int, days: int, *, packed: bool = False) -> list[LogFile]:
    first = NOW - timedelta(days=days)
    return [LogFile("/v/a.log", size, 0, first, NOW, packed=packed)]


@pytest.mark.parametrize(
    ("rule", "size", "days", "least", "known"),
    [
        (RULE, 100, 60, None, True),
        (replace(RULE, days=30), 100, 60, 30, True),
        (replace(RULE, room=400), 100, 60, 240, True),
        (replace(RULE, room=400), 100, 10, None, False),
        (replace(RULE, room=0), 100, 10, 0, True),
        (replace(RULE, days=90, room=400), 100, 60, 90, True),
        (replace(RULE, known=False), 100, 60, None, False),
        (replace(RULE, window=10), 600, 60, None, False),
        (replace(RULE, window=11), 600, 60, None, True),
    ],
)
def test_rule_and_files_together(
    rule: AppRule, size: int, days: int, least: int | None, *, known: bool
) -> None:
    log = replace(LOG, oldest=NOW - timedelta(days=days))
    found = ruled(log, rule, _files(size, days), NOW)
    assert (found.least, found.known) == (least, known)


def test_logrotate_removes_earlier() -> None:
    log = replace(LOG, least=28, oldest=NOW - timedelta(days=60), removed=True)
    assert ruled(log, replace(RULE, days=90), _files(100, 60), NOW).least == 28
    assert ruled(log, replace(RULE, days=7), _files(100, 60), NOW).least == 7


def test_a_log_that_java_holds_open() -> None:
    assert not held_open(LOG, _files(1, 60), ["/v/a.log"]).known
    assert held_open(LOG, _files(1, 60), ["/v/b.log"]).known
    assert held_open(replace(LOG, least=28), _files(1, 60), ["/v/a.log"]).known


def test_name_of_a_group() -> None:
    assert name_of(RULE, {"/v/a.log"}) == "/v/a.log"
    assert name_of(replace(RULE, log="/v/a.*"), {"/v/a"}) == "/v/a"
    assert name_of(replace(RULE, log="/v/a-*.log*"), {"/v/a-1.log"}) == "/v/a-*.log*"
