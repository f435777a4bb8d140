"""The rules of applications held to what the programs themselves keep, with seconds for days."""

from __future__ import annotations

import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from collector.facts.logs.applications.java import java
from collector.facts.logs.applications.models import AppRule, Found
from collector.facts.logs.applications.piped import pipes
from collector.facts.logs.applications.rotation import READS, app_rotation
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

FAKE = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
JARS = [
    f"/usr/share/java/{name}.jar"
    for name in ("logback-core", "logback-classic", "slf4j-api", "log4j-api", "log4j-core")
]
needs_java = pytest.mark.skipif(
    not shutil.which("javac") or not all(map(os.path.exists, JARS)),
    reason="needs a JDK, Logback and Log4j 2",
)
PROGRAM = """
public class L {
  public static void main(String[] a) throws Exception {
    org.slf4j.Logger s = a[1].equals("b") ? org.slf4j.LoggerFactory.getLogger("x") : null;
    org.apache.logging.log4j.Logger f =
      a[1].equals("b") ? null : org.apache.logging.log4j.LogManager.getLogger("x");
    long end = System.currentTimeMillis() + Long.parseLong(a[0]) * 1000;
    String tail = "x".repeat(80);
    for (int n = 0; System.currentTimeMillis() < end; n++) {
      if (s != null) s.info("record {} {}", n, tail); else f.info("record {} {}", n, tail);
      Thread.sleep(20);
    }
  }
}
"""
LOGBACK = """<configuration><appender name="F" class="ch.qos.logback.core.rolling.RollingFileAppender">
<file>HERE/app.log</file>
<rollingPolicy class="ch.qos.logback.core.rolling.POLICY">
BODY
</rollingPolicy>
TRIGGER
<encoder><pattern>%d %m%n</pattern></encoder></appender>
<root level="info"><appender-ref ref="F"/></root></configuration>
"""
LOG4J = """<Configuration><Appenders>
<RollingFile name="F" fileName="HERE/app.log" filePattern="HERE/PATTERN">
<PatternLayout pattern="%d %m%n"/>
<Policies>POLICIES</Policies>
STRATEGY
</RollingFile></Appenders><Loggers><Root level="info"><AppenderRef ref="F"/></Root></Loggers>
</Configuration>
"""


def _logback(pattern: str, body: str = "", policy: str = "TimeBasedRollingPolicy") -> str:
    inner = f"<fileNamePattern>HERE/{pattern}</fileNamePattern>\n{body}"
    return LOGBACK.replace("BODY", inner).replace("POLICY", policy).replace("TRIGGER", "")


def _log4j(pattern: str, policies: str, strategy: str = "") -> str:
    text = LOG4J.replace("PATTERN", pattern).replace("POLICIES", policies)
    return text.replace("STRATEGY", strategy)


TIME = '<TimeBasedTriggeringPolicy interval="1"/>'
SIZE = '<SizeBasedTriggeringPolicy size="2KB"/>'
SIZED = "SizeAndTimeBasedRollingPolicy"
HISTORY = "<maxHistory>4</maxHistory>"
CAP = """<maxHistory>60</maxHistory>
<totalSizeCap>15KB</totalSizeCap>
<maxFileSize>5KB</maxFileSize>"""
WINDOW = (
    LOGBACK.replace("POLICY", "FixedWindowRollingPolicy")
    .replace(
        "BODY",
        "<fileNamePattern>HERE/app.%i.log</fileNamePattern>\n"
        "<minIndex>1</minIndex>\n<maxIndex>3</maxIndex>",
    )
    .replace(
        "TRIGGER",
        '<triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy">'
        "\n<maxFileSize>5KB</maxFileSize>\n</triggeringPolicy>",
    )
)
THREE = '<DefaultRolloverStrategy max="3"/>'
ONE = '<DefaultRolloverStrategy max="1"/>'
DELETE = """<DefaultRolloverStrategy>
<Delete basePath="HERE" maxDepth="1">
<IfFileName glob="app.2*.log">
<IfAccumulatedFileCount exceeds="4"/>
</IfFileName>
</Delete>
</DefaultRolloverStrategy>"""
SECOND, DAY = "%d{yyyy-MM-dd_HH-mm-ss}", "%d{yyyy-MM-dd}"
RUN = {
    "history": ("b", _logback(f"app.{SECOND}.log", HISTORY)),
    "endless": ("b", _logback(f"app.{SECOND}.log")),
    "cap": ("b", _logback(f"app.{SECOND}.%i.log", CAP, SIZED)),
    "window": ("b", WINDOW),
    "max-is-no-limit": ("4", _log4j(f"app.{SECOND}.log", TIME, THREE)),
    "numbered": ("4", _log4j("app.%i.log", SIZE, THREE)),
    "overwritten": ("4", _log4j(f"app.{SECOND}-%i.log", TIME + SIZE, ONE)),
    "delete": ("4", _log4j(f"app.{SECOND}.log", TIME, DELETE)),
}


LEFT = dict[str, list[tuple[str, int]]]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> LEFT:
    """All configurations at once for nine seconds: the names and sizes of the archives left."""
    classes = tmp_path_factory.mktemp("classes")
    (classes / "L.java").write_text(PROGRAM)
    subprocess.run(["javac", "-cp", ":".join(JARS), "-d", classes, classes / "L.java"], check=True)
    started = {}
    for name, (kind, config) in RUN.items():
        folder = tmp_path_factory.mktemp(name)
        path = folder / ("logback.xml" if kind == "b" else "log4j2.xml")
        path.write_text(config.replace("HERE", str(folder)))
        option = "logback.configurationFile" if kind == "b" else "log4j2.configurationFile"
        command = ["java", f"-D{option}={path}", "-cp", ":".join([str(classes), *JARS]), "L"]
        started[name] = folder, subprocess.Popen([*command, "9", kind])
    found: LEFT = {}
    for name, (folder, process) in started.items():
        assert process.wait() == 0
        archives = [p for p in folder.iterdir() if re.match(r"app\.(?!log$)", p.name)]
        found[name] = [(p.name, p.stat().st_size) for p in archives]
    return found


def _rule(config: str, name: str) -> AppRule:
    lines = tuple(config.replace("HERE", "/var/log/app").splitlines())
    (rule,) = java(Found({"java": {f"/opt/x/{name}": lines}}))
    return rule


@needs_java
def test_logback_keeps_maxhistory_periods(left: LEFT) -> None:
    rule = _rule(_logback(f"app.{DAY}.log", HISTORY), "logback.xml")
    assert rule.days == 4
    assert len(left["history"]) in (4, 5)
    assert rule.has("/var/log/app/app.log")
    assert rule.has("/var/log/app/app.2026-11-25.log")


@needs_java
def test_logback_without_maxhistory_keeps_all(left: LEFT) -> None:
    rule = _rule(_logback(f"app.{DAY}.log"), "logback.xml")
    assert (rule.days, rule.room, rule.known) == (None, None, True)
    assert len(left["endless"]) >= 7


@needs_java
def test_logback_total_size_cap(left: LEFT) -> None:
    rule = _rule(_logback(f"app.{DAY}.%i.log", CAP, SIZED), "logback.xml")
    assert (rule.days, rule.room) == (60, 15 * 1024)
    assert sum(size for _, size in left["cap"]) <= 15 * 1024 + 2 * 8192


@needs_java
def test_logback_fixed_window(left: LEFT) -> None:
    assert _rule(WINDOW, "logback-spring.xml").room == 3 * 5 * 1024
    assert len(left["window"]) == 3


@needs_java
def test_log4j2_removes_nothing_without_delete(left: LEFT) -> None:
    rule = _rule(_log4j(f"app.{DAY}.log", TIME, THREE), "log4j2.xml")
    assert (rule.days, rule.room, rule.known) == (None, None, True)
    assert len(left["max-is-no-limit"]) >= 7


@needs_java
def test_log4j2_counts_within_one_window(left: LEFT) -> None:
    assert _rule(RUN["numbered"][1], "log4j2.xml").room == 3 * 2048
    assert len(left["numbered"]) == 3


@needs_java
def test_log4j2_overwrites_within_one_period(left: LEFT) -> None:
    """max counts the files of one day: what goes beyond is lost, although days are kept."""
    rule = _rule(_log4j(f"app.{DAY}-%i.log", TIME + SIZE, ONE), "log4j2.xml")
    assert (rule.days, rule.room, rule.window, rule.period) == (None, None, 2048, 1.0)
    # about 5 KB come each second, and of each second no more than one file is left
    assert len(left["overwritten"]) <= 11
    assert sum(size for _, size in left["overwritten"]) < 9 * 5 * 1024 * 0.8


@needs_java
def test_log4j2_delete_by_count(left: LEFT) -> None:
    assert _rule(_log4j(f"app.{DAY}.log", TIME, DELETE), "log4j2.xml").days == 4
    assert len(left["delete"]) in (4, 5)


def _apache(command: str) -> AppRule:
    line = f'CustomLog "|{command}" combined'
    (rule,) = pipes(Found({"apache": {"/etc/httpd/conf/httpd.conf": (line,)}}))
    return rule


@pytest.mark.skipif(not FAKE or not shutil.which("rotatelogs"), reason="needs rotatelogs")
@pytest.mark.parametrize(
    ("options", "name", "times", "days"),
    [
        ("-n 4", "a.log", "86400", 3),
        ("", "a.%Y%m%d.log", "86400", None),
        ("-t", "a.%a.log", "86400", 6),
        ("", "a.%a.log", "86400", None),
        ("-t", "a.log", "86400", 0),
    ],
)
def test_rotatelogs(options: str, name: str, times: str, days: int | None, tmp_path: Path) -> None:
    """The real rotatelogs, with a clock that runs a day in a quarter of a second."""
    _in_time(lambda folder: _rotate(options, name, times, days, folder), tmp_path)


def _in_time(look: Callable[[Path], None], folder: Path) -> None:
    """Days that last a second are missed by a machine that is busy: it may look three times."""
    for attempt in range(3):
        place = folder / str(attempt)
        place.mkdir()
        try:
            look(place)
        except AssertionError:
            if attempt == 2:
                raise
        else:
            return


def _rotate(options: str, name: str, times: str, days: int | None, tmp_path: Path) -> None:
    command = ["rotatelogs", *options.split(), f"{tmp_path}/{name}", times]
    start = time.time()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env={
            "LD_PRELOAD": FAKE[0],
            "FAKETIME": "@2026-11-01 00:00:00 x345600",
            "TZ": "UTC",
            "PATH": os.environ["PATH"],
        },
    ) as process:
        assert process.stdin is not None
        least = None
        while (now := (time.time() - start) * 4) < 17:
            process.stdin.write(f"{now:.3f}\n".encode())
            process.stdin.flush()
            if now > 9:
                held = [
                    float(words[0]) for p in tmp_path.iterdir() if (words := p.read_text().split())
                ]
                # nothing at all right after a file was emptied
                kept = now - min(held, default=now)
                least = kept if least is None else min(least, kept)
            time.sleep(0.01)
        process.stdin.close()
    assert _apache(" ".join(command)).days == days
    assert least is not None
    if days is None:
        assert least >= 8.5
    else:
        assert days - 0.3 <= least <= days + 1


POSTGRES = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")


@pytest.mark.skipif(
    not FAKE or not POSTGRES or os.geteuid() != 0, reason="needs root, PostgreSQL, libfaketime"
)
def test_postgresql_comes_back_to_the_same_name(tmp_path: Path) -> None:
    """The real server, with a clock that runs a day in two seconds, read by the read itself."""
    _in_time(_weekdays, tmp_path)


@pytest.mark.skipif(not POSTGRES or os.geteuid() != 0, reason="needs root, PostgreSQL")
@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "sh")], ids=" ".join)
def test_every_server_of_postgresql_is_asked(shell: tuple[str, ...]) -> None:
    """Two servers with their data in places of their own, each with workers."""
    with tempfile.TemporaryDirectory(prefix="pg") as base:
        shutil.chown(base, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
        data = [f"{base}/one", f"{base}/the other"]
        for place in data:
            subprocess.run([*as_user, f"{POSTGRES}/initdb", "-D", place, "-A", "trust", "-N"],
                           check=True, capture_output=True)  # fmt: skip
            with Path(place, "postgresql.conf").open("a") as conf:
                conf.write(f"listen_addresses = ''\nlog_filename = '{Path(place).name[:3]}.log'\n")
        running = [
            subprocess.Popen(
                [*as_user, f"{POSTGRES}/postgres", "-D", place, "-k", place],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for place in data
        ]
        try:
            until = time.monotonic() + 60
            while not all(Path(p, ".s.PGSQL.5432").exists() for p in data):
                assert time.monotonic() < until
                time.sleep(0.1)
            said = subprocess.run([*shell, "-c", READS[0].body], capture_output=True, check=True)
        finally:
            for place in data:
                os.kill(int(Path(place, "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            for server in running:
                server.wait(30)
        told = said.stdout.decode()
        for place in data:
            assert f"{place}/postgresql.conf:log_filename = '{Path(place).name[:3]}.log'" in told


def _weekdays(folder: Path) -> None:
    del folder
    # the path of a socket may be no longer than 107 bytes
    base = Path(tempfile.mkdtemp(prefix="pg"))
    data = base / "data"
    shutil.chown(base, "postgres")
    as_user = ["runuser", "-u", "postgres", "--"]
    subprocess.run([*as_user, f"{POSTGRES}/initdb", "-D", data, "-A", "trust"], check=True,
                   capture_output=True)  # fmt: skip
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(f"""
logging_collector = on
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d		# as RHEL's package sets it
log_rotation_size = 0
log_min_duration_statement = 0
log_line_prefix = '%m '
log_timezone = 'UTC'
listen_addresses = ''
unix_socket_directories = '{base}'
""")
    clock = ("env", f"LD_PRELOAD={FAKE[0]}", "FAKETIME=@2026-11-02 00:00:00 x43200", "TZ=UTC")
    with subprocess.Popen(
        [*as_user, *clock, f"{POSTGRES}/postgres", "-D", data],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ):
        try:
            until = time.monotonic() + 120
            logs: dict[Path, str] = {}
            asked = 0
            # a log just begun again is empty until something is written to it
            while asked < 34 or not all(logs.values()):
                assert time.monotonic() < until
                time.sleep(0.4)
                one = subprocess.run([*as_user, "psql", "-h", base, "-c", "select 1"], check=False,
                                     capture_output=True)  # fmt: skip
                asked += one.returncode == 0
                logs = {path: path.read_text() for path in (data / "log").glob("*")}
            said = subprocess.run(["sh", "-c", READS[0].body], capture_output=True, check=True)
        finally:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGTERM)
    capture = Capture(
        "h",
        HostStatus.COMPLETE,
        reads={READS[0].id: ReadResult(READS[0].id, ReadStatus.OK, stdout=said.stdout)},
    )
    rule = next(r for r in app_rotation(capture)[0] if str(data) in r.log)
    shutil.rmtree(base)
    assert len(logs) == 7
    assert all(rule.has(str(path)) for path in logs)
    assert rule.days == 6
    first = [datetime.fromisoformat(text[:10]) for text in logs.values()]
    assert 6 <= (max(first) - min(first)).days <= 7
