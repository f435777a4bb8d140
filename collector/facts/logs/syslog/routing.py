"""rsyslog and syslog-ng: which file gets which messages, and where else they are sent.

The languages of the two are in `rsyslog` and `syslog_ng`.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts.logs.model.syslog_message import FACILITIES, LOGINS, Output, Syslog
from collector.facts.logs.syslog import daemons as _running
from collector.facts.logs.syslog.daemons import syslog_running
from collector.facts.logs.syslog.redaction import RSYSLOG, SYSLOG_NG
from collector.facts.logs.syslog.rsyslog.config import MAIN as _RSYSLOG
from collector.facts.logs.syslog.rsyslog.config import rsyslog_of
from collector.facts.logs.syslog.syslog_ng.config import MAIN as _SYSLOG_NG
from collector.facts.logs.syslog.syslog_ng.config import syslog_ng_of
from collector.model import Capture, CapturedFile, Read, Text, files

__all__ = ["FACILITIES", "LOGINS", "READS", "Output", "Syslog", "rsyslog", "syslog_ng"]

READS: tuple[Read, ...] = (
    files(
        "syslog.rsyslog",
        "/etc/rsyslog.conf",
        "/etc/rsyslog.d/*",
        most=128,
        redact=RSYSLOG,
        why=Text("系统日志写到何处、转发到何处", "where system messages are written and sent"),
    ),
    files(
        "syslog.syslog_ng",
        "/etc/syslog-ng/syslog-ng.conf",
        "/etc/syslog-ng/conf.d/*.conf",
        redact=SYSLOG_NG,
        why=Text("系统日志写到何处、转发到何处", "where system messages are written and sent"),
    ),
    *_running.READS,
)


def rsyslog(capture: Capture) -> Syslog:
    """Raises FactError where the configuration cannot be read, or includes what was not read."""
    running = syslog_running(capture)
    found = _found(capture, "syslog.rsyslog", running.files)
    main = running.config("rsyslogd", _RSYSLOG)
    return rsyslog_of(found, main, capture.head.get("hostname", ""))


def syslog_ng(capture: Capture) -> Syslog:
    """Raises FactError where the configuration cannot be read, or includes what was not read."""
    running = syslog_running(capture)
    found = _found(capture, "syslog.syslog_ng", running.files)
    main = running.config("syslog-ng", _SYSLOG_NG)
    return syslog_ng_of(found, main, capture.head.get("hostname", ""))


def _found(
    capture: Capture, read: str, more: Mapping[str, CapturedFile]
) -> dict[str, CapturedFile]:
    return {**more, **{f.path: f for f in capture.read(read).present()}}
