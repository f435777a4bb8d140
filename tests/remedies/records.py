"""Scenes of what is logged, watched and written down."""

from __future__ import annotations

from tests.remedies.scene import Scene

SCENES = (
    Scene(
        "monitoring.event_ledger",
        before="notchecked",
        fill={
            "OWNER": "张三",
            "SINCE": "2026-06-01",
            "STATEMENT": "本期间未发生网络安全事件",
            "ALERT_SOURCE": "fail2ban",
            "ALERT_TO": "李四",
        },
        away="rm /root/event-ledger.yml.before",
    ),
)
