"""Scenes of what is logged, by whom, and in which form."""

from __future__ import annotations

from tests.remedies.scene import GET, Scene

# a container may not set the clock, so that its daemon is told to measure alone
_CHRONY = r"""
mkdir -p /etc/systemd/system/chrony.service.d
cat >/etc/systemd/system/chrony.service.d/own.conf <<'EOF'
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd -F 1 -x
EOF
systemctl daemon-reload
"""
_RSYSLOG_BACK = (
    "apt-get -qq purge -y rsyslog >/dev/null 2>&1; rm -f /var/log/auth.log /var/log/syslog"
)

SCENES = (
    Scene(
        "logging.drops",
        steps=(0,),
        # the kernel's audit is not to be asked in a container
        before=None,
        after=(),
        works="""
journalctl --sync
systemd-run --quiet --wait sh -c 'n=0; while [ $n -lt 11000 ]; do n=$((n+1)); echo l$n; done'
journalctl --sync
[ "$(journalctl -o cat --since -120s | grep -c '^l[0-9]*$')" = 11000 ]
""",
    ),
    # the log of a service was removed under it: it writes on to what has no name any more
    Scene(
        "logging.families",
        name="removed",
        steps=(1,),
        before=None,
        after=(),
        fill={"UNIT": "nginx.service"},
        prepare=f"""
{GET} nginx-light >/dev/null
systemctl is-active --quiet nginx
rm /var/log/nginx/access.log /var/log/nginx/error.log
""",
        works="test -e /var/log/nginx/access.log",
        away="apt-get -qq purge -y nginx-light nginx-common >/dev/null 2>&1; rm -rf /var/log/nginx",
    ),
    Scene(
        "logging.families",
        name="stopped",
        steps=(2,),
        before=None,
        after=(),
        prepare=f"""
{GET} rsyslog >/dev/null
systemctl stop syslog.socket rsyslog
""",
        works="systemctl is-active --quiet rsyslog",
        away=_RSYSLOG_BACK,
    ),
    Scene(
        "logging.logins",
        # six months have to pass yet
        before=None,
        after=(),
        prepare=f"""
{GET} logrotate >/dev/null
apt-get -qq purge -y rsyslog >/dev/null 2>&1 || true
rm -f /var/log/auth.log
printf 'LogLevel ERROR\\n' >/etc/ssh/sshd_config.d/05-quiet.conf
systemctl reload ssh
""",
        away=f"""
rm -f /etc/ssh/sshd_config.d/05-quiet.conf
systemctl reload ssh
{_RSYSLOG_BACK}
apt-get -qq purge -y wtmpdb libpam-wtmpdb >/dev/null 2>&1 || true
""",
    ),
    Scene(
        "logging.record_fields",
        steps=(0,),
        before=None,
        after=(),
        prepare=rf"""
{GET} rsyslog >/dev/null
sed -i '1i $template Short,"%msg%\\n"\n$ActionFileDefaultTemplate Short' /etc/rsyslog.conf
rsyslogd -N1 2>/dev/null
systemctl restart rsyslog
logger -p auth.info "in which form"
""",
        away=_RSYSLOG_BACK,
    ),
    Scene(
        "logging.tamper_protection",
        name="sealed",
        grade=3,
        steps=(2,),
        before=None,
        after=(),
        prepare="""
mkdir -p /var/log/journal
systemd-tmpfiles --create --prefix /var/log/journal
systemctl restart systemd-journald
journalctl --flush
""",
        works="""
journalctl --rotate
logger "after it was sealed"
journalctl --sync
journalctl --verify 2>&1 | grep -q '^PASS'
[ $(($(od -An -N1 -j8 -tu1 /var/log/journal/*/system.journal) % 2)) = 1 ]
""",
        away="journalctl --rotate",
    ),
    Scene(
        "logging.web_source_port",
        name="apache",
        steps=(1,),
        prepare=f"""
{GET} apache2 >/dev/null
systemctl is-active --quiet apache2
""",
        works=r"""
exec 3<>/dev/tcp/127.0.0.1/80
printf 'GET / HTTP/1.0\r\n\r\n' >&3
cat <&3 >/dev/null
sleep 1
grep -Eq '^127.0.0.1 [0-9]+ ' /var/log/apache2/source_port_access.log
""",
        away="apt-get -qq purge -y apache2 'apache2-*' >/dev/null 2>&1; rm -rf /var/log/apache2",
    ),
    Scene(
        "monitoring.time_sync",
        peer=f"""
{_CHRONY}
{GET} chrony >/dev/null
printf 'local stratum 8\\nallow all\\n' >/etc/chrony/conf.d/serve.conf
systemctl restart chrony
""",
        prepare=f"""
{_CHRONY}
apt-get -qq purge -y chrony >/dev/null 2>&1 || true
grep -q time.test /etc/hosts || echo "$PEER time.test" >>/etc/hosts
""",
        # a container has the clock of its machine until a daemon of its own runs
        before="notapplicable",
        fill={"TIMESOURCE": "time.test"},
        away="apt-get -qq purge -y chrony >/dev/null 2>&1",
    ),
)
