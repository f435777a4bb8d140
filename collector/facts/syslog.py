"""rsyslog and syslog-ng: which file gets which messages, and where else they are sent.

The languages of the two are in `rsyslog` and `syslog_ng`.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts import syslog_running as _running
from collector.facts.rsyslog import MAIN as _RSYSLOG
from collector.facts.rsyslog import rsyslog_of
from collector.facts.syslog_messages import FACILITIES, LOGINS, Output, Syslog
from collector.facts.syslog_ng import MAIN as _SYSLOG_NG
from collector.facts.syslog_ng import syslog_ng_of
from collector.facts.syslog_running import syslog_running
from collector.facts.syslog_secrets import RSYSLOG, SYSLOG_NG
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
