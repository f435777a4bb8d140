"""auditd's own records, systemd's of its daemons, and what was dropped: joined to stops."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.audit.events import audit_events
from collector.facts.logs.daemon_stops import refuses_stop, seen_from, unexplained
from collector.facts.logs.journald.events import journal_events
from collector.facts.logs.syslog.losses import drops
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

# a Debian 13 virtual machine with auditd 4.0.2: stopped for 2 s, killed, switched off; then a reboot
AUDIT = """\
log=/var/log/audit/audit.log
first=1795603050
DAEMON_START 1795603050 op=start ver=4.0.2 format=enriched kernel=6.12.118
CONFIG_CHANGE 1795603203 op=set audit_enabled=0 old=1 auid=0 ses=6 subj=unconfined res=1
DAEMON_END 1795603300 op=terminate auid=0 uid=0 ses=4294967295 pid=1 subj=unconfined res=success
DAEMON_START 1795603302 op=start ver=4.0.2 format=enriched kernel=6.12.118
DAEMON_START 1795603303 op=start ver=4.0.2 format=enriched kernel=6.12.118
DAEMON_END 1795603320 op=terminate auid=0 uid=0 ses=4294967295 pid=1 subj=unconfined res=success
DAEMON_START 1795603352 op=start ver=4.0.2 format=enriched kernel=6.12.118
login USER_START 1795603538
"""
JOURNAL = """\
1795603050 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=auditd.service
1795603069 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=rsyslog.service
1795603300 UNIT=auditd.service MESSAGE_ID=9d1aaa27d60140bd96365438aad20286
1795603302 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=auditd.service
1795603302 UNIT=auditd.service MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15 EXIT_CODE=killed EXIT_STATUS=9
1795603302 UNIT=auditd.service MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c
1795603303 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=auditd.service
1795603306 UNIT=rsyslog.service MESSAGE_ID=9d1aaa27d60140bd96365438aad20286
1795603317 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=rsyslog.service
1795603318 MESSAGE_ID=98268866d1d54a499c4e98921d93bc40
1795603319 UNIT=rsyslog.service MESSAGE_ID=9d1aaa27d60140bd96365438aad20286
1795603320 UNIT=auditd.service MESSAGE_ID=9d1aaa27d60140bd96365438aad20286
1795603320 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=shutdown.target
1795603352 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=auditd.service
1795603366 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=rsyslog.service
1795603366 MESSAGE_ID=b07a249cd024414a82dd00cd181378ff
1795603589 MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e MESSAGE=Suppressed 3985 N_DROPPED=3985
"""
# the same host's rsyslog 8.2504 with a limit of 3 messages in 5 seconds
LOST = """\
log=/var/log/syslog
2026-11-25T10:47:06.042863+00:00 lost 1
2026-11-25T10:47:41.723656+00:00 lost 9
log=/var/log/rsyslog-stats
Nov 25 10:47:39 discarded.full 12
"""


def _capture(**stdout: str) -> Capture:
    reads = {
        name.replace("__", "."): ReadResult(
            name.replace("__", "."), ReadStatus.OK, stdout=s.encode()
        )
        for name, s in stdout.items()
    }
    at = datetime(2026, 11, 25, 11, tzinfo=UTC)
    return Capture("h", HostStatus.COMPLETE, reads=reads, collected_at=at)


def _stops(audit: str, journal: str) -> list[str]:
    capture = _capture(audit__events=audit, journal__events=journal)
    return [s.brief for s in unexplained(capture)]


def test_stops() -> None:
    found = _stops(AUDIT, JOURNAL)
    assert [s.split(" 2026")[0] for s in found] == [
        "audit off", "auditd stopped", "auditd killed", "rsyslog stopped",
    ]  # fmt: skip
    capture = _capture(audit__events=AUDIT, journal__events=JOURNAL)
    assert seen_from(capture) == datetime.fromtimestamp(1795603050, UTC)
    with pytest.raises(CouldNotLook):
        seen_from(_capture(audit__events="", journal__events=JOURNAL))


def test_without_a_journal_a_reboot_of_debian_is_not_explained() -> None:
    assert len(_stops(AUDIT, "")) == 4


RHEL = """\
log=/var/log/audit/audit.log
first=1795000000
SYSTEM_SHUTDOWN 1795000090 pid=2000 uid=0 auid=4294967295
DAEMON_END 1795000100 op=terminate auid=0 pid=1
DAEMON_START 1795000160 op=start ver=2.8.5 format=raw kernel=3.10.0-1127.el7.x
SYSTEM_BOOT 1795000165 pid=700 uid=0 auid=4294967295
"""


@pytest.mark.parametrize(
    ("audit", "journal", "count"),
    [
        (RHEL, "", 0),
        # the daemon lay down for days, and a boot came after: that explains nothing
        (RHEL.replace("SYSTEM_SHUTDOWN 1795000090", "SYSTEM_BOOT 1794000000")
             .replace("END 1795000100", "END 1794500000"), "", 1),
        # power went away: no end, but a boot
        ("DAEMON_START 1795000000 op=start\nDAEMON_START 1795090000 op=start\nSYSTEM_BOOT 1795090005 x\n", "", 0),
        ("DAEMON_START 1795000000 op=start\nDAEMON_START 1795090000 op=start\n", "", 1),
        ("DAEMON_START 1795000000 op=start\nDAEMON_ABORT 1795090000 op=x\n", "", 1),
        ("CONFIG_CHANGE 1795000000 op=set audit_enabled=0 old=1 auid=4294967295 ses=4294967295\n", "", 0),
        ("", "1795000000 UNIT=syslog-ng.service MESSAGE_ID=9d1aaa27d60140bd96365438aad20286\n", 1),
        ("", "", 0),
    ],
)  # fmt: skip
def test_explained(audit: str, journal: str, count: int) -> None:
    assert len(_stops(audit, journal)) == count


def test_login_and_what_is_not_understood() -> None:
    found = audit_events(_capture(audit__events=AUDIT))
    assert found.login is not None
    assert found.login.kind == "USER_START"
    assert audit_events(_capture(audit__events="")).since is None
    for line in ("nonsense", "DAEMON_END x", "first=", "login X 1"):
        with pytest.raises(NotUnderstood):
            audit_events(_capture(audit__events=f"{line}\n"))
    with pytest.raises(NotUnderstood):
        journal_events(_capture(journal__events="MESSAGE_ID=x\n"))


def test_dropped_by_journald() -> None:
    dropped = [e for e in journal_events(_capture(journal__events=JOURNAL)) if e.kind == "dropped"]
    assert [e.count for e in dropped] == [3985]
    # systemd 219 says it in words only
    old = "1795603589 MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e MESSAGE=Suppressed 12\n"
    assert journal_events(_capture(journal__events=old))[0].count == 12


def test_dropped_by_syslog() -> None:
    found = drops(_capture(drops__syslog=LOST))
    assert [(d.kind, d.count) for d in found] == [("lost", 1), ("lost", 9), ("discarded.full", 12)]
    assert all(d.at is not None and d.at.year == 2026 for d in found)
    with pytest.raises(NotUnderstood):
        drops(_capture(drops__syslog="log=/var/log/syslog\nlost some\n"))


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("Id=auditd.service\nLoadState=loaded\nRefuseManualStop=yes\n", True),
        ("Restart=on-failure\nId=auditd.service\nLoadState=loaded\nRefuseManualStop=no\n", False),
        ("Id=auditd.service\nLoadState=not-found\nRefuseManualStop=no\n", None),
        ("", None),
    ],
)
def test_refusal(text: str, refuses: bool | None) -> None:
    assert refuses_stop(_capture(daemons__units=text)) is refuses


def test_refusal_not_understood() -> None:
    for text in ("Id=x\n", "Id=auditd.service\nLoadState=loaded\n"):
        with pytest.raises(NotUnderstood):
            refuses_stop(_capture(daemons__units=text))
    with pytest.raises(CouldNotLook):
        refuses_stop(_capture())
