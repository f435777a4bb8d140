"""Programs that watch a host: reports of AIDE 0.18 and 0.19, rules, dates, connections."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.security import clamav, defender
from collector.facts.security import detector_state as detectors
from collector.facts.security.console_links import links
from collector.facts.security.defender import Defender
from collector.facts.security.file_integrity import Baseline, integrity
from collector.facts.security.rootkits import rootkits
from collector.model import Capture, HostStatus, Read, ReadResult, ReadStatus
from tests.facts.alone import ALONE

# two comparisons in one log, after the report of --init (Debian 12, aide 0.18.3)
LOG = """\
== aide-database 1795577398 /var/lib/aide/aide.db
@@db_spec name lname attr perm uid gid size mtime ctime inode lcount acl xattrs sha256 sha512
== aide-log 1795577399 /var/log/aide/aide.log
Start timestamp: 2026-11-25 03:29:57 +0000 (AIDE 0.18.3)
End timestamp: 2026-11-25 03:29:57 +0000 (run time: 0m 0s)
Start timestamp: 2026-11-25 03:29:58 +0000 (AIDE 0.18.3)
AIDE found NO differences between database and filesystem. Looks okay!!
End timestamp: 2026-11-25 03:29:58 +0000 (run time: 0m 0s)
Start timestamp: 2026-11-25 03:29:58 +0000 (AIDE 0.18.3)
AIDE found differences between database and filesystem!!
  Added entries:\t\t0
  Removed entries:\t\t0
  Changed entries:\t\t1
End timestamp: 2026-11-25 03:29:59 +0000 (run time: 0m 1s)
"""


def seen(text: str, uid: str = "0", zone: str = "+0000") -> Capture:
    def ok(id: str, out: str) -> ReadResult:
        return ReadResult(id, ReadStatus.OK, stdout=out.encode())

    absent = {
        id: ReadResult(id, ReadStatus.ABSENT)
        for id in ("schedules.tabs", "schedules.spool", "schedules.periodic")
    }
    reads = absent | {
        "schedules.flavour": ok("schedules.flavour", "none\n"),
        "schedules.timers": ok("schedules.timers", "no systemd\n"),
        "schedules.called": ok("schedules.called", ""),
        "detectors.state": ok("detectors.state", f"{text}== end\n"),
    }
    head = {"uid": uid, "zone": zone}
    return Capture("h", HostStatus.COMPLETE, head=head, reads=reads)


def test_the_last_comparison_that_came_to_its_end_counts() -> None:
    (known,) = integrity(seen(LOG))
    assert known.checked == datetime(2026, 11, 25, 3, 29, 59, tzinfo=UTC)
    assert (known.changes, known.strong) == (1, True)


def test_an_end_without_a_verdict_is_no_comparison() -> None:
    (known,) = integrity(seen(LOG.split("Start timestamp: 2026-11-25 03:29:58", maxsplit=1)[0]))
    assert known.checked is None


@pytest.mark.parametrize(
    ("rules", "covered"),
    [
        (("/ =vfat Full-i", "/ 0 Full"), True),
        (("/srv/www R+sha256+sha512",), True),
        (("/srv R", "!/srv/www/.*"), False),
        (("/srv R", r"!/srv/www/.*\\.log$ f"), True),
        # as aide-common of Debian 12 has them
        (("/srv R", r"!/(var/)?tmp/private-[[:xdigit:]]{32}-[[:alnum:]]{6}/ipc$ s"), True),
        (("/srv R", r"!/srv/w[[:alpha:]]{2}/hp[^[:alpha:]].php$ f"), False),
        (("=/srv/www R",), False),
        (("/srv/www$ d VarDir",), False),
        (("/opt/ CONTENT", "/usr/ CONTENT"), False),
        ((), False),
    ],
)
def test_rules_of_aide(rules: tuple[str, ...], covered: bool) -> None:
    base = Baseline("aide", "", datetime(2026, 1, 1, tzinfo=UTC), True, rules=rules)
    assert base.covers("/srv/www") is covered


def test_a_rule_that_leaves_out_is_understood_or_said() -> None:
    rules = ("/ 0 Full", "!/srv/(?!www)x")
    base = Baseline("aide", "", datetime(2026, 1, 1, tzinfo=UTC), True, rules=rules)
    with pytest.raises(NotUnderstood):
        base.covers("/srv/www")


@pytest.mark.parametrize(
    ("date", "zone", "hour"),
    [
        ("Wed Nov 25 03:29:44 UTC 2026", "+0800", 3),
        ("Wed Nov 25 03:29:44 CST 2026", "+0800", 19),
        ("Wed Nov 25 03:29:44 PM CST 2026", "+0800", 7),
    ],
)
def test_dates_of_rkhunter(date: str, zone: str, hour: int) -> None:
    text = "== rkhunter 1 /var/log/rkhunter.log\n[03:29:44] Possible rootkits: 0\n"
    text += f"[03:29:44] Info: End date is {date}\n"
    (scan,) = rootkits(seen(text, zone=zone))
    assert scan.ended.hour == hour


def aide(*lines: str) -> Capture:
    text = "\n".join(("== aide-log 1795577398 /var/log/aide/aide.log", *lines, "== end\n"))
    return seen("== aide-database 1795000000 /var/lib/aide/aide.db\n" + text)


DIFFERENT = (
    "Start timestamp: 2026-11-25 02:29:58 +0000 (AIDE 0.18.3)",
    "AIDE found differences between database and filesystem!!",
    "  Added entries:\t\t1",
)
# the name of that entry
FORGED = (
    "End timestamp: 2026-11-25 02:30:00 +0000 (run time: 0m 2s)",
    "Start timestamp: 2026-11-25 02:30:01 +0000 (AIDE 0.18.3)",
    "AIDE found NO differences between database and filesystem. Looks okay!!",
)
END = "End timestamp: 2026-11-25 02:31:10 +0000 (run time: 1m 12s)"
NONE = "differences before: 0"


def test_a_report_of_aide_behind_names_may_be_a_name() -> None:
    (one,) = integrity(aide(NONE, *DIFFERENT, END))
    assert one.changes == 1
    with pytest.raises(NotUnderstood):
        integrity(aide(NONE, *DIFFERENT, *FORGED, END))
    with pytest.raises(NotUnderstood):
        integrity(aide("differences before: 3", *FORGED[1:], END))
    with pytest.raises(NotUnderstood):
        integrity(aide("differences before: -", *FORGED[1:], END))
    (one,) = integrity(aide(NONE, *DIFFERENT, FORGED[2], END))
    assert one.changes == 1
    (one,) = integrity(aide(NONE, *FORGED[1:], END))
    assert one.changes == 0
    # of before the read told: as many lines as it takes, and there may have been more
    with pytest.raises(NotUnderstood):
        integrity(aide(*(*FORGED[1:], END) * 8))


def test_no_report_of_aide_ended_after_its_log() -> None:
    (one,) = integrity(aide(NONE, *FORGED[1:], END.replace("11-25", "11-29")))
    assert one.checked == datetime.fromtimestamp(1795577398, UTC)


RUN = """\
== rkhunter 1795577398 /var/log/rkhunter.log
[03:25:00] Info: Start date is Wed Nov 25 03:25:00 UTC 2026
[03:26:00] Warning: The command '/usr/bin/ls' has been replaced
[03:27:00] Warning: Suspicious file types found in /dev: {0}
[03:29:00] Possible rootkits: 1
[03:29:00] Suspect files: 1
[03:29:44] Info: End date is Wed Nov 25 03:29:44 UTC 2026
"""


@pytest.mark.parametrize("name", ["x", "Start date is", "Possible rootkits: 0", "End date is x"])
def test_a_name_in_rkhunters_log_is_no_line_of_its_own(name: str) -> None:
    (scan,) = rootkits(seen(RUN.format(f"/dev/shm/{name}")))
    assert (scan.hits, len(scan.warnings or ())) == (2, 2)


def test_a_name_in_other_logs_is_no_end_of_a_scan() -> None:
    at = "Nov 25 2026 03:29:44 h maldet(7): "
    end = at + "{scan} scan completed on /: files 2245, malware hits 2, cleaned hits 0, time 383s\n"
    name = (
        at + "{hit} malware hit x found for /home/bob/{scan} scan completed on /: files 2, malware"
    )
    head = "== maldet - /usr/local/maldetect/logs/event_log\n"
    (scan,) = rootkits(seen(head + end + name + " hits 0, cleaned hits 0\n"))
    assert scan.hits == 2
    line = "2026/11/25 01:20:10 ossec-rootcheck: ERROR: /home/bob/INFO: Ending rootcheck scan.\n"
    assert not rootkits(seen("== ossec-log - /var/ossec/logs/ossec.log\n" + line))


SS = """\
== links - /
0 0 10.88.0.29:46682 10.88.0.2:22 users:(("AliYunDun",pid=110792,fd=3),("AliYunDun",pid=110792,fd=0))
0 0 [::ffff:10.88.0.29]:46684 [::ffff:127.0.0.1]:22 users:(("AliYunDun",pid=110793,fd=3))
ESTAB 0 0 10.88.0.29:46686 100.100.30.26:443 users:(("YDService",pid=12,fd=3))
"""


def test_connections_that_stay_on_the_host_are_none() -> None:
    peers = {(link.pid, link.peer) for link in links(seen(SS))}
    assert peers == {(110792, "10.88.0.2:22"), (12, "100.100.30.26:443")}


def test_the_name_of_a_process_is_no_holder_of_a_connection() -> None:
    forged = SS.replace(
        '("YDService",pid=12,fd=3)', '("YDService",pid=9,fd=3),("",pid=12",pid=8,fd=3)'
    )
    assert forged != SS
    assert {link.pid for link in links(seen(forged))} == {110792}


def test_who_holds_a_connection_only_root_sees() -> None:
    with pytest.raises(CouldNotLook):
        links(seen(SS, uid="1000"))


def test_scans_of_defender_that_did_not_succeed_are_none() -> None:
    scans = '[{"type":"full","state":"cancelled","endTime":"1","threats":[]}]'
    assert Defender("", "", scans).scans == ()
    with pytest.raises(NotUnderstood):
        _ = Defender("", "", "Could not connect to the daemon").scans


_BODIES = [r for m in (clamav, defender, detectors) for r in m.READS]
_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh", "mksh") if shutil.which(s)]


@pytest.mark.parametrize("read", _BODIES, ids=lambda r: r.id)
def test_every_shell_gives_the_same(read: Read) -> None:
    said = set()
    for name in _SHELLS:
        argv = [name, "sh"] if name == "busybox" else [name]
        ran = subprocess.run(
            [*ALONE, *argv, "-c", read.body], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, f"{name}: {ran.stderr}"
        said.add(ran.stdout)
    assert len(said) == 1
