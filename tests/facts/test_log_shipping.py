"""Which logs have a copy on another host, by what is configured."""

from __future__ import annotations

from collector.facts.logs.forwarding.targets import log_shipping
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_MAIN = """
module(load="imuxsock")
*.*;auth,authpriv.none  -/var/log/syslog
auth,authpriv.*         /var/log/auth.log
local5.*                /var/log/app.log
"""


def _capture(**texts: str) -> Capture:
    files = tuple(
        CapturedFile(f"/etc/{path}", ReadStatus.OK, 0o644, 0, 0, data=text.encode())
        for path, text in texts.items()
    )
    reads = {
        "syslog.rsyslog": ReadResult("syslog.rsyslog", ReadStatus.OK, files=files),
        "syslog.syslog_ng": ReadResult("syslog.syslog_ng", ReadStatus.ABSENT),
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def test_a_file_has_a_copy_where_all_that_gets_into_it_is_sent() -> None:
    known = log_shipping(_capture(**{"rsyslog.conf": f"auth,authpriv.* @@192.0.2.9:514\n{_MAIN}"}))
    assert [t.sender for t in known.copies_of("/var/log/auth.log")] == ["rsyslog"]
    assert known.copies_of("/var/log/syslog") == ()
    assert known.copies_of("/var/log/journal") == ()
    assert known.copies_of("/var/log/nginx/access.log") == (), "syslog does not write it"


def test_no_copy_without_a_target() -> None:
    assert log_shipping(_capture(**{"rsyslog.conf": _MAIN})).copies_of("/var/log/auth.log") == ()
