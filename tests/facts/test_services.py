"""systemd and System V as they answered on real hosts."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.system.services import services
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

# Debian 12 (systemd 252)
UNITS_252 = """\
auditd.service                       not-found inactive dead      auditd.service
getty@tty1.service                   loaded    inactive dead      Getty on tty1
rsyslog.service                      loaded    active   running   System Logging Service
ssh.service                          loaded    active   running   OpenBSD Secure Shell server
systemd-journal-flush.service        loaded    active   exited    Flush Journal to Persistent
"""
FILES_252 = """\
cryptdisks.service                     masked          enabled
getty@.service                         enabled         enabled
nftables.service                       disabled        enabled
rsyslog.service                        enabled         enabled
ssh.service                            enabled         enabled
sshd.service                           alias           -
"""
# the form of systemd 219 (CentOS 7): a mark before what failed, no preset column
UNITS_219 = """\
  crond.service                 loaded    active   running   Command Scheduler
* kdump.service                 loaded    failed   failed    Crash recovery kernel arming
  network.service               loaded    active   exited    LSB: Bring up/down networking
"""
FILES_219 = """\
crond.service                               enabled
kdump.service                               enabled
"""
BOOT = """\
systemd
/etc/rc.d/rc3.d/S10network
/etc/systemd/system/getty.target.wants/getty@tty1.service
/etc/init.d/network
"""


def host(
    units: str, files: str, boot: str = BOOT, *, status: ReadStatus = ReadStatus.OK
) -> Capture:
    texts = {"units": units, "unit_files": files, "boot": boot}
    return Capture(
        "h",
        HostStatus.COMPLETE,
        reads={
            f"services.{name}": ReadResult(
                f"services.{name}",
                status if name == "units" else ReadStatus.OK,
                stdout=text.encode(),
            )
            for name, text in texts.items()
        },
    )


def test_systemd_252() -> None:
    seen = services(host(UNITS_252, FILES_252))
    assert seen.unit("ssh.service").active
    assert seen.unit("ssh").enabled
    assert not seen.unit("auditd").known
    assert seen.unit("nftables").known
    assert not seen.unit("nftables").active
    assert not seen.starts_at_boot("nftables")
    assert seen.unit("cryptdisks").masked
    assert not seen.starts_at_boot("cryptdisks")
    assert seen.unit("getty@tty1").enabled
    assert seen.unit("systemd-journal-flush").active


def test_systemd_219() -> None:
    seen = services(host(UNITS_219, FILES_219))
    assert seen.unit("crond").active
    assert seen.unit("kdump").known
    assert not seen.unit("kdump").active
    assert seen.starts_at_boot("network")


def test_another_init_runs_no_units() -> None:
    """Debian 13 under another PID 1: systemctl still lists unit files, and says why no more."""
    seen = services(
        Capture(
            "h",
            HostStatus.COMPLETE,
            reads={
                "services.units": ReadResult(
                    "services.units",
                    ReadStatus.EXIT,
                    1,
                    stderr="System has not been booted with systemd as init system (PID 1).",
                ),
                "services.unit_files": ReadResult(
                    "services.unit_files", ReadStatus.OK, stdout=b"ssh.service enabled enabled\n"
                ),
                "services.boot": ReadResult(
                    "services.boot", ReadStatus.OK, stdout=b"/etc/rc3.d/S01ssh\n/etc/init.d/ssh\n"
                ),
            },
        )
    )
    assert not seen.systemd
    assert not seen.unit("ssh").active
    assert seen.starts_at_boot("ssh")


def test_cut_off_is_no_empty_list() -> None:
    with pytest.raises(CouldNotLook):
        services(host(UNITS_252, FILES_252, status=ReadStatus.TRUNCATED))
    with pytest.raises(CouldNotLook):
        services(host("", FILES_252, status=ReadStatus.MISSING))
    with pytest.raises(NotUnderstood):
        services(host("", FILES_252))
    with pytest.raises(NotUnderstood, match="not a unit"):
        services(host(f"{UNITS_252}odd.service ?\n", FILES_252))
