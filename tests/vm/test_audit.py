"""The controls on the audit, on a real kernel: before and after hardening, and what looks right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.errors import FactError
from collector.facts.logs.audit.coverage import decides
from collector.facts.logs.audit.rules import AuditRules, audit_rules
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus, Result
from tests.vm.guest import EVENTS, GOOD, IDENTITY, collected, judged, load, recorded
from tests.vm.machine import CannotRun, Machine

pytestmark = pytest.mark.vm

COVERAGE = "logging.audit_coverage"
ENABLED = "logging.audit_enabled"
PROTECTION = "logging.daemon_protection"
DROPS = "logging.drops"
CAPACITY = "logging.capacity"

# rulesets of which some look as if they recorded what they do not; every rule has the key K
CALLS = "-S clock_settime,unlinkat,renameat2,move_mount -k K"
PASSWD = "-w /etc/passwd -p wa -k K"
TRUTH = {
    "nothing": [],
    "watches": [PASSWD, "-w /etc/gshadow -p wa -k K", "-w /usr/bin/su -p x -k K"],
    "a watch on the folder": ["-w /etc -p wa -k K"],
    "dir": ["-a always,exit -F arch=b64 -F dir=/etc -F perm=wa -k K"],
    "path of a folder": ["-a always,exit -F path=/etc/ssh -F perm=wa -k K"],
    "writes only": ["-a always,exit -F path=/etc/passwd -F perm=w -k K"],
    "calls": [f"-a always,exit -F arch=b64 {CALLS}"],
    "calls of people": [f"-a always,exit -F arch=b64 -F auid>=1000 -F auid!=unset {CALLS}"],
    "calls of others": [f"-a always,exit -F arch=b64 -F auid>=2000 {CALLS}"],
    "calls of one": [f"-a always,exit -F arch=b64 -F uid=33 {CALLS}"],
    "calls that fail": [f"-a always,exit -F arch=b64 -F success=0 {CALLS}"],
    "32 bit": [f"-a always,exit -F arch=b32 {CALLS}"],
    "older calls": ["-a always,exit -F arch=b64 -S mount,rename,renameat,unlink -k K"],
    "root": ["-a always,exit -F arch=b64 -S execve -F euid=0 -k K"],
    "becoming root": ["-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k K"],
    "never first": ["-a never,exit -F path=/etc/passwd", PASSWD],
    "never last": [PASSWD, "-a never,exit -F path=/etc/passwd"],
    "never in front": [PASSWD, "-A never,exit -F arch=b64 -S all -F auid>=1000"],
    "never for a folder": ["-a never,exit -F dir=/etc -F perm=wa", PASSWD],
    "never of a program": ["-a never,exit -F exe=/usr/sbin/chronyd", PASSWD],
    "never of nobody": ["-a never,exit -F arch=b64 -S all -F auid=unset", PASSWD],
    "never a task": [PASSWD, "-a never,task", f"-a always,exit -F arch=b64 {CALLS}"],
    "excluded": [PASSWD, "-a always,exclude -F msgtype=SYSCALL"],
    "other types excluded": [PASSWD, "-a always,exclude -F msgtype=CWD"],
    "never excludes as well": [PASSWD, "-a never,exclude -F msgtype=SYSCALL"],
}


def _as_rules(listing: str, files: list[str]) -> AuditRules:
    text = "\n".join(files).encode()
    file = CapturedFile("/etc/audit/rules.d/a.rules", ReadStatus.OK, data=text)
    reads = {
        "audit.rules": ReadResult("audit.rules", ReadStatus.OK, stdout=listing.encode()),
        "audit.rule_files": ReadResult("audit.rule_files", ReadStatus.OK, files=(file,)),
    }
    return audit_rules(Capture("vm", HostStatus.COMPLETE, reads=reads))


def test_the_kernel_records_what_is_said_to_be_recorded(machine: Machine) -> None:
    """Each ruleset loaded, each event made to happen: what is told of both sets must be so."""
    wrong = []
    for name, rules in TRUTH.items():
        listing, seen = recorded(machine, rules)
        try:
            known = _as_rules(listing, rules)
        except FactError as problem:
            wrong.append(f"{name}: {problem}")
            continue
        for event, (_, parts) in EVENTS.items():
            for kind, held in (("loaded", known.loaded), ("files", known.filed)):
                told = any(decides(held, part)[0] == "recorded" for part in parts)
                if told is not seen[event]:
                    wrong.append(f"{name}: {event}: {kind}: told {told}, seen {seen[event]}")
    assert not wrong, "\n".join(wrong)


COVERED = {
    "no rules": ([], None, Result.FAIL, "missing"),
    "all kinds": (GOOD, None, Result.PASS, "covered"),
    "no tasks": ([*GOOD, "-a never,task"], None, Result.FAIL, "missing"),
    "never first": (["-a never,exit -F dir=/etc", *GOOD], None, Result.FAIL, "missing"),
    "one width": ([r for r in GOOD if "b32" not in r], None, Result.PARTIAL, "one_architecture"),
    "old calls": (
        [r.replace(",move_mount", "").replace(",renameat2", "") for r in GOOD],
        None,
        Result.PARTIAL,
        "new_calls",
    ),
    "not in the files": (GOOD, IDENTITY, Result.PARTIAL, "not_at_boot"),
    "not loaded": ([], GOOD, Result.FAIL, "missing"),
}


@pytest.mark.parametrize("name", COVERED)
def test_coverage(machine: Machine, name: str) -> None:
    rules, filed, result, reason = COVERED[name]
    load(machine, rules, filed=filed)
    found = judged(collected(machine, COVERAGE), COVERAGE)
    assert (found.result, found.reason) == (result, reason), found.message.en


def test_rules_without_an_audit(machine: Machine) -> None:
    load(machine, GOOD)
    machine.shell("auditctl -e 0 >/dev/null")
    capture = collected(machine, COVERAGE, ENABLED)
    machine.shell("auditctl -e 1 >/dev/null")
    assert judged(capture, COVERAGE).reason == "off"
    assert judged(capture, ENABLED).reason == "off_though_running"


@pytest.fixture
def refusing(machine: Machine) -> Iterator[Machine]:
    folder = "/etc/systemd/system/auditd.service.d"
    machine.shell(
        f"mkdir -p {folder}; printf '[Unit]\\nRefuseManualStop=yes\\n' >{folder}/stop.conf; "
        "systemctl daemon-reload"
    )
    yield machine
    machine.shell(f"rm -r {folder}; systemctl daemon-reload")


def test_a_daemon_that_can_be_stopped(machine: Machine) -> None:
    found = judged(collected(machine, PROTECTION), PROTECTION, 3)
    assert found.result is Result.FAIL, found.message.en


def test_a_daemon_that_refuses_and_one_that_was_killed(refusing: Machine) -> None:
    # what came before, the log of a guest as it was made, and switching off by the test above
    refusing.shell(
        "systemctl kill -s STOP auditd; sleep 1; : >/var/log/audit/audit.log; "
        "systemctl kill -s CONT auditd; sleep 1"
    )
    found = judged(collected(refusing, PROTECTION), PROTECTION, 3)
    assert (found.result, found.reason) == (Result.PASS, "protected"), found.message.en
    with pytest.raises(CannotRun, match="refused"):
        refusing.ssh("systemctl", "stop", "auditd")
    refusing.shell(
        "kill -KILL $(cat /run/auditd.pid); sleep 2\n"
        "until systemctl -q is-active auditd; do sleep 1; done; sleep 2",
        seconds=120,
    )
    found = judged(collected(refusing, PROTECTION), PROTECTION, 3)
    assert (found.result, found.reason) == (Result.FAIL, "stopped"), found.message.en
    assert "auditd killed" in found.message.en


def test_drops(machine: Machine) -> None:
    machine.shell(
        "mkdir -p /run/systemd/journald.conf.d\n"
        "printf '[Journal]\\nRateLimitBurst=5\\nRateLimitIntervalSec=5s\\n' "
        ">/run/systemd/journald.conf.d/burst.conf\n"
        "systemctl restart systemd-journald; auditctl -e 1 >/dev/null\n"
        "systemd-run -q --unit=noisy sh -c "
        "'i=0; while [ $i -lt 900 ]; do echo $i; i=$((i+1)); done; sleep 8; echo end'\n"
        "sleep 14; rm /run/systemd/journald.conf.d/burst.conf; systemctl restart systemd-journald; "
        "auditctl -e 1 >/dev/null"
    )
    found = judged(collected(machine, DROPS), DROPS)
    assert (found.result, found.reason) == (Result.FAIL, "lost"), found.message.en
    assert "journald" in found.message.en


FULL = {
    "audit_ignores": "s/^disk_full_action.*/disk_full_action = IGNORE/",
    "audit_stopped": "s/^space_left =.*/space_left = 99999/; "
    "s/^space_left_action.*/space_left_action = SUSPEND/",
}


@pytest.mark.parametrize("reason", FULL)
def test_what_auditd_does_when_room_runs_out(machine: Machine, reason: str) -> None:
    load(machine, GOOD)
    machine.shell(
        f"cp -a /etc/audit/auditd.conf /root; sed -i '{FULL[reason]}' /etc/audit/auditd.conf; "
        "systemctl restart auditd; sleep 2"
    )
    grown = machine.shell(
        "log=/var/log/audit/audit.log; n=$(stat -c %s $log); chmod 644 /etc/passwd; sleep 2; "
        "echo $(($(stat -c %s $log) - n))"
    )
    found = judged(collected(machine, CAPACITY), CAPACITY)
    machine.shell("cp -a /root/auditd.conf /etc/audit; systemctl restart auditd")
    assert (found.result, found.reason) == (Result.FAIL, reason), found.message.en
    assert (int(grown) > 0) is (reason != "audit_stopped")


# a socket can be opened only while the daemon that it belongs to does not run
_JOURNALD = (
    "systemctl stop systemd-journald.service 'systemd-journald*.socket'\n"
    "systemctl start {sockets} systemd-journald.socket systemd-journald-dev-log.socket "
    "systemd-journald.service\n"
)


def test_the_journal_alone_takes_the_records(machine: Machine) -> None:
    load(machine, GOOD)
    audit = "systemd-journald-audit.socket"
    machine.shell(
        f"systemctl disable -q --now auditd; systemctl enable -q {audit}\n"
        + _JOURNALD.format(sockets=audit)
        + "auditctl -e 1 >/dev/null; chmod 644 /etc/passwd; sleep 2\n"
        "journalctl -q _TRANSPORT=audit | grep -q identity"
    )
    found = judged(collected(machine, ENABLED), ENABLED)
    machine.shell(
        f"systemctl disable -q {audit}\n"
        + _JOURNALD.format(sockets="")
        + "systemctl enable -q --now auditd; auditctl -e 1 >/dev/null"
    )
    assert found.reason in ("enabled", "lost"), found.message.en


def test_locked_rules_come_back_with_a_boot(machine: Machine) -> None:
    load(machine, [], filed=[*GOOD, "-e 2"])
    machine.shell("augenrules --load >/dev/null 2>&1 || true")
    found = judged(collected(machine, COVERAGE), COVERAGE)
    assert (found.result, found.reason) == (Result.PASS, "covered_locked"), found.message.en
    with pytest.raises(CannotRun):
        machine.ssh("auditctl", "-D")
    machine.reboot()
    capture = collected(machine, COVERAGE, ENABLED, PROTECTION)
    found = judged(capture, COVERAGE)
    assert (found.result, found.reason) == (Result.PASS, "covered_locked"), found.message.en
    assert judged(capture, ENABLED).result in (Result.PASS, Result.PARTIAL)
    stops = judged(capture, PROTECTION, 3)
    assert "rsyslog" not in stops.message.en, stops.message.en
