"""How long journals are kept by size, by age and by the number of their files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.facts.logs.destinations import Stores
from collector.facts.logs.files import LogFile
from collector.facts.logs.journald.journal import Held, Journald
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.size_limits import JOURNAL, audited, journal_log, namespace_logs
from collector.facts.system.taken_up import TAKEN_UP
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus, Text

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DAY, MIB = 86400.0, 1 << 20
# 20 GiB, half of it free
DF = (
    "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
    "/dev/vda 20971520 10485760 10485760 50% /\n"
)


def _capture(config: str = "") -> Capture:
    file = CapturedFile("/etc/audit/auditd.conf", ReadStatus.OK, data=config.encode())
    kernel = CapturedFile("/proc/cmdline", ReadStatus.OK, data=b"ro quiet\n")
    reads = (
        ReadResult("storage.space", ReadStatus.OK, stdout=DF.encode()),
        ReadResult("audit.status", ReadStatus.MISSING, 127),
        ReadResult("audit.kernel", ReadStatus.OK, files=(kernel,)),
        ReadResult("audit.config", ReadStatus.OK, files=(file,)),
    )
    return Capture("h", HostStatus.COMPLETE, collected_at=NOW, reads={r.id: r for r in reads})


def _journal(days: int, size: int, **settings: object) -> Journald:
    held = Held(JOURNAL, size, NOW - timedelta(days=days), NOW)
    known = Journald(True, {}, (held,), taken=TAKEN_UP)
    return replace(known, **settings)  # type: ignore[arg-type]


def _kept(journal: Journald) -> LogKept:
    return journal_log(Stores((), journal, True, True), _capture(), NOW)


@pytest.mark.parametrize(
    ("journal", "least", "known", "most"),
    [
        # 10 MiB a day; 2 GiB (a tenth) less one file of 128 MiB
        (_journal(100, 1000 * MIB), 192, True, None),
        (_journal(100, 1000 * MIB, max_use=1000 * MIB), 87, True, None),
        (_journal(100, 1000 * MIB, max_use=1000 * MIB, max_file=500 * MIB), 50, True, None),
        (_journal(100, 1000 * MIB, keep_free=10000 * MIB), 111, True, None),
        (_journal(5, 50 * MIB), None, False, None),
        # the size has room for more, but files of a day are no more than a hundred
        (_journal(100, 100 * MIB, file_span=DAY), 100, True, None),
        (_journal(5, 50 * MIB, file_span=DAY), None, False, 100),
        (_journal(5, 50 * MIB, file_span=DAY, max_files=0), None, False, None),
        (
            _journal(5, 50 * MIB, file_span=DAY, max_files=200, retention=190 * DAY),
            None,
            False,
            189,
        ),
        (_journal(5, 50 * MIB, max_use=0), None, False, None),
    ],
)
def test_journal(journal: Journald, least: int | None, known: bool, most: int | None) -> None:
    log = _kept(journal)
    assert (log.least, log.known, log.most) == (least, known, most)


def test_namespaces() -> None:
    app = replace(_journal(100, 100 * MIB, max_use=100 * MIB), namespace="app")
    lost = replace(app, namespace="lost", held=(Held("/run/log/journal", 1, NOW, NOW),))
    never = replace(app, namespace="never", held=())
    journal = replace(_journal(1, 1), namespaces=(app, lost, never))
    logs = namespace_logs(Stores((), journal, True, True), _capture(), NOW)
    assert [(log.path, log.least) for log in logs] == [
        ("/var/log/journal (app)", 87),
        ("/var/log/journal (lost)", 0),
    ]


@pytest.mark.parametrize(
    ("config", "least", "known"),
    [
        ("max_log_file = 8\nnum_logs = 5\nmax_log_file_action = ROTATE\n", 320, True),
        ("max_log_file = 8\nnum_logs = 5\nmax_log_file_action = KEEP_LOGS\n", None, True),
        # it grows past its size, or is no longer written: nothing that is there goes
        ("max_log_file = 8\nnum_logs = 5\nmax_log_file_action = IGNORE\n", None, True),
        ("max_log_file = 8\nnum_logs = 5\nmax_log_file_action = SUSPEND\n", None, True),
        ("max_log_file = 8\nnum_logs = 1\nmax_log_file_action = ROTATE\n", None, True),
        ("max_log_file = 6\nnum_logs = 5\nmax_log_file_action = ROTATE\n", 240, True),
    ],
)
def test_audit(config: str, least: int | None, known: bool) -> None:
    start = NOW - timedelta(days=100)
    log = LogKept("/var/log/audit/audit.log", "audit", None, True, Text("", ""), oldest=start)
    files = [LogFile("/var/log/audit/audit.log", 10 * MIB, 0, start)]
    found = audited(log, files, _capture(config), NOW)
    assert (found.least, found.known) == (least, known)
