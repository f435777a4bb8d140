"""Findings of two hosts with everything in them that a format can stumble over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector import catalog
from collector.model import Finding, HostStatus, Method, Result, Severity, Text, Waiver

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CONTROL = "encryption.password_hash"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e&\"'"


def finding(
    host: str,
    result: Result,
    *,
    message: str = "",
    severity: Severity = Severity.MEDIUM,
    veto: bool = False,
    waiver: Waiver | None = None,
    control: str = CONTROL,
) -> Finding:
    known = catalog.control(control)
    return Finding(
        host=host,
        control=control,
        clause=known.clause,
        result=result,
        method=Method.OBSERVED,
        reason="weak",
        message=Text(message or "使用弱算法的账户：old (1)", message or "weak: old (1)"),
        values={"accounts": ["old (1)"]},
        evidence=(
            {
                "read": "accounts.shadow",
                "status": "ok",
                "sha256": "ab" * 32,
                "lines": ["old:$1$:14000:0:99999:7:::"],
                "path": "/etc/shadow",
            },
        ),
        expected=Text("仅使用 yescrypt", "only yescrypt"),
        remediation=Text("设置 ENCRYPT_METHOD", "set ENCRYPT_METHOD"),
        severity=severity,
        veto=veto,
        until=AT + timedelta(days=6) if result is Result.PASS else None,
        waiver=waiver,
    )


def waiver(host: str, days: int) -> Waiver:
    return Waiver(CONTROL, host, "being replaced", "Wang An", AT + timedelta(days=days))


HOSTS = {
    "web-1": [
        finding("web-1", Result.PASS),
        finding("web-1", Result.FAIL, severity=Severity.HIGH, veto=True),
        finding("web-1", Result.PARTIAL),
        finding("web-1", Result.NOTAPPLICABLE),
        finding("web-1", Result.ERROR, message='=HYPERLINK("http://x","y")'),
        finding("web-1", Result.NOTCHECKED),
        finding("web-1", Result.FAIL, waiver=waiver("web-1", 30)),
        finding("web-1", Result.FAIL, waiver=waiver("web-1", -1)),
    ],
    HOSTILE: [finding(HOSTILE, Result.FAIL, message="\x01\ufffe<b>]]>\ud800")],
    "quiet": [],
}
TIMES = dict.fromkeys(HOSTS, AT)
STATUSES = {HOSTILE: HostStatus.LOST}
