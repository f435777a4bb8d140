"""What is said of a key: how long it is good, and what for."""

from __future__ import annotations

from datetime import UTC, datetime

from collector.attest.trust.trust_file import ROLES, TrustedKey
from collector.cli.ui.language import tr
from collector.export import stamp


def said(entry: TrustedKey) -> str:
    """For people: `bundles and logs`."""
    words = {"bundle": tr("证据包", "bundles"), "log": tr("日志", "logs")}
    return tr("、", " and ").join(words[role] for role in ROLES if entry.may(role))


def state(entry: TrustedKey) -> str:
    if entry.revoked_at:
        revoked = stamp(entry.revoked_at)
        return tr(f"已于 {revoked} 吊销", f"revoked {revoked}")
    now = datetime.now(UTC)
    if entry.valid_until:
        end = stamp(entry.valid_until)
        if entry.valid_until <= now:
            return tr(f"已于 {end} 停用", f"ended {end}")
        return tr(f"使用至 {end}", f"in use until {end}")
    if entry.valid_from and entry.valid_from > now:
        begin = stamp(entry.valid_from)
        return tr(f"自 {begin} 起使用", f"in use from {begin}")
    return tr("使用中", "in use")
