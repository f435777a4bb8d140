"""auditctl -s in the forms of old and new versions."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.audit.status import Audit, audit
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

# auditctl 3.0.9 and 4.0.2 on a 6.18 kernel
NEW = """enabled 0
failure 1
pid 0
rate_limit 0
backlog_limit 64
lost 0
backlog 0
backlog_wait_time 15000
backlog_wait_time_actual 0
loginuid_immutable 0 unlocked
"""
# the security guide of SUSE Linux Enterprise 11, chapter on auditctl
OLD = "AUDIT_STATUS: enabled=1 flag=2 pid=3105 rate_limit=0 backlog_limit=8192 lost=3\nbacklog=0\n"


def _audit(result: ReadResult, cmdline: str = "ro quiet", uid: str = "0") -> Audit:
    kernel = CapturedFile("/proc/cmdline", ReadStatus.OK, data=f"{cmdline}\n".encode())
    reads = (
        result,
        ReadResult("audit.kernel", ReadStatus.OK, files=(kernel,)),
        ReadResult("audit.config", ReadStatus.ABSENT),
    )
    capture = Capture("h", HostStatus.COMPLETE, head={"uid": uid}, reads={r.id: r for r in reads})
    return audit(capture)


def _said(text: str) -> ReadResult:
    return ReadResult("audit.status", ReadStatus.OK, stdout=text.encode())


def test_new_form() -> None:
    status = _audit(_said(NEW)).status
    assert status is not None
    assert (status.enabled, status.pid, status.lost, status.failure) == (0, 0, 0, 1)


def test_old_form() -> None:
    status = _audit(_said(OLD)).status
    assert status is not None
    assert (status.enabled, status.pid, status.lost) == (1, 3105, 3)


def test_the_last_audit_parameter_counts() -> None:
    assert _audit(_said(NEW), "audit=1 ro audit=0").boot == "0"
    assert _audit(_said(NEW), "ro notaudit=1 audit_backlog_limit=8192").boot == ""


@pytest.mark.parametrize(
    "said",
    [
        "You must be root to run this program.",
        "Error - audit support not in kernel\nCannot open netlink audit socket: No such device",
        "Error sending status request (Operation not permitted)",
    ],
)
def test_a_kernel_that_does_not_answer_root(said: str) -> None:
    found = _audit(ReadResult("audit.status", ReadStatus.EXIT, 4, stderr=said))
    assert found.status is None
    assert found.refused == said.splitlines()[0]


def test_an_ordinary_user_sees_nothing() -> None:
    with pytest.raises(CouldNotLook):
        _audit(ReadResult("audit.status", ReadStatus.REFUSED, 126), uid="1000")


def test_an_unknown_answer_is_no_answer() -> None:
    with pytest.raises(NotUnderstood):
        _audit(_said("audit is fine\n"))
    with pytest.raises(CouldNotLook):
        _audit(ReadResult("audit.status", ReadStatus.TIMEOUT, 124))
