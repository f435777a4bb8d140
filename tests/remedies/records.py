"""Scenes of what is logged, watched and written down."""

from __future__ import annotations

from tests.remedies.scene import Scene

SCENES = (
    Scene(
        "logging.no_gaps",
        # the folder is a mount of the container: an empty one is a log without times
        before="error",
        prepare=r"""
apt-get -qq purge -y rsyslog >/dev/null 2>&1 || true
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf.d/10-volatile.conf
systemctl restart systemd-journald
rm -rf /var/log/journal/* /var/log/syslog*
""",
        away="""
rm /etc/systemd/journald.conf.d/10-volatile.conf
systemctl restart systemd-journald
""",
    ),
    # six months have to pass yet
    Scene("monitoring.state", after=("partial",)),
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
        away="rm /root/event-ledger.yml.ended",
    ),
)
