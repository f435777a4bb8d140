"""In which state a host is before a remedy is typed, and what has to work afterwards."""

from __future__ import annotations

from collector.remedies.steps import Step, for_platform
from tests.remedies import (
    access,
    antimalware,
    data,
    databases,
    integrity,
    kernel,
    logs,
    records,
    web,
)
from tests.remedies.scene import GET, PASSWORD, Scene

__all__ = [
    "EVERY",
    "IN_A_MACHINE",
    "PASSWORD",
    "SCENES",
    "UBUNTU_LOGS_BACK",
    "Scene",
    "places",
    "typed",
]

# as Ubuntu sets rsyslog up: files of syslog:adm below a folder that the group may write
UBUNTU_LOGS = rf"""
{GET} rsyslog >/dev/null
id syslog >/dev/null 2>&1 || useradd -r -s /usr/sbin/nologin -G adm syslog
chgrp syslog /var/log
chmod 0775 /var/log
mkdir -p /etc/systemd/system/rsyslog.service.d
printf '[Service]\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID\n' \
  >/etc/systemd/system/rsyslog.service.d/ubuntu.conf
systemctl daemon-reload
sed -i '/^\$FileOwner/d; /^\$FileGroup/d; /^\$PrivDrop/d' /etc/rsyslog.conf
sed -i 's/^\$FileCreateMode.*/$FileCreateMode 0644/' /etc/rsyslog.conf
sed -i '1i $FileOwner syslog\n$FileGroup adm\n$PrivDropToUser syslog\n$PrivDropToGroup syslog' \
  /etc/rsyslog.conf
rm -f /var/log/*.log /var/log/syslog
systemctl reset-failed rsyslog 2>/dev/null || true
systemctl restart rsyslog
logger -p auth.info "somebody came"
logger "somebody spoke"
for n in 1 2 3 4 5 6 7 8 9 10; do
  [ -e /var/log/auth.log ] || {{ sleep 1; logger -p auth.info "somebody came again"; }}
done
[ "$(stat -c %U /var/log/auth.log)" = syslog ]
"""
UBUNTU_LOGS_BACK = """
apt-get -qq purge -y rsyslog >/dev/null 2>&1 || true
rm -f /var/log/*.log /var/log/syslog
rm -rf /etc/systemd/system/rsyslog.service.d
systemctl daemon-reload
chown root:root /var/log
chmod 0755 /var/log
"""

LOG_SERVER = f"""
{GET} rsyslog rsyslog-gnutls openssl >/dev/null
mkdir -p /etc/log-server
cd /etc/log-server
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 \\
  -subj "/CN=private CA" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out cert.csr -subj /CN=logs.test 2>/dev/null
printf 'subjectAltName=DNS:logs.test' >names
openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names \\
  -out cert.pem 2>/dev/null
cat >/etc/rsyslog.d/server.conf <<'EOF'
global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="/etc/log-server/ca.pem"
  DefaultNetstreamDriverCertFile="/etc/log-server/cert.pem"
  DefaultNetstreamDriverKeyFile="/etc/log-server/key.pem")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" port="6514" ruleset="remote")
ruleset(name="remote") {{ action(type="omfile" file="/var/log/remote.log") }}
EOF
rsyslogd -N1 2>/dev/null
systemctl restart rsyslog
"""

SCENES = {
    scene.id: scene
    for scene in (
        Scene(
            "logging.persistent",
            prepare=r"""
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf.d/10-volatile.conf
systemctl restart systemd-journald
""",
            away="""
rm /etc/systemd/journald.conf.d/10-volatile.conf
systemctl restart systemd-journald
""",
        ),
        Scene("logging.tamper_protection", prepare=UBUNTU_LOGS, away=UBUNTU_LOGS_BACK),
        Scene(
            "logging.retention_configured",
            steps=(0,),
            prepare=f"{GET} rsyslog logrotate >/dev/null",
        ),
        # files of a web server and of mail
        Scene(
            "logging.retention_configured",
            name="others",
            steps=(0,),
            prepare=f"{GET} rsyslog logrotate nginx-light exim4-base >/dev/null",
            works="""
for f in nginx exim4-base; do
  grep -q 'rotate 27' /etc/logrotate.d/$f && grep -q weekly /etc/logrotate.d/$f || exit 1
done
""",
            away="apt-get -qq purge -y nginx-light nginx-common exim4-base >/dev/null 2>&1",
        ),
        # what is kept longer than six months stays so
        Scene(
            "logging.retention_configured",
            name="longer",
            steps=(0,),
            prepare=f"""
{GET} rsyslog logrotate >/dev/null
sed -i 's/rotate .*/rotate 60/' /etc/logrotate.d/btmp
""",
            works="""
grep -q 'rotate 60' /etc/logrotate.d/btmp
grep -q monthly /etc/logrotate.d/btmp
""",
        ),
        Scene(
            "logging.remote_copy",
            peer=LOG_SERVER,
            # what it was as the other's server names a CA for all connections
            prepare="""
grep -q logs.test /etc/hosts || echo "$PEER logs.test" >>/etc/hosts
rm -f /etc/rsyslog.d/server.conf
systemctl try-restart rsyslog 2>/dev/null || true
""",
            carry=("/etc/log-server/ca.pem",),
            fill={"LOGSERVER": "logs.test", "CAFILE": "/etc/log-server/ca.pem"},
        ),
        Scene(
            "intrusion.two_factor",
            grade=3,
            by_key=False,
            prepare=f"""
id ops >/dev/null 2>&1 || useradd -m -s /bin/bash ops
mkdir -p /home/ops/.ssh
cp /root/.ssh/authorized_keys /home/ops/.ssh/
chown -R ops /home/ops/.ssh
echo "ops:{PASSWORD}" | chpasswd
""",
        ),
        Scene("intrusion.lockout"),
        Scene("intrusion.session_timeout"),
        Scene("intrusion.password_quality"),
        Scene(
            "intrusion.ssh_crypto",
            prepare=r"""
printf 'Ciphers aes128-cbc,aes256-ctr\n' >/etc/ssh/sshd_config.d/05-old.conf
systemctl reload ssh
""",
            away="rm /etc/ssh/sshd_config.d/05-old.conf; systemctl reload ssh",
        ),
        Scene(
            "intrusion.root_login",
            steps=(0, 1),
            fill={"ADMIN": "lisi"},
            by_key=False,
            works="passwd -S root >/dev/null && runuser -u lisi -- id -nG | grep -qw sudo",
        ),
        Scene(
            "intrusion.empty_passwords",
            prepare="""
id empty >/dev/null 2>&1 || useradd -m empty
usermod -p '' empty
""",
        ),
        Scene(
            "intrusion.patches",
            before=None,
            after=(),
            prepare="rm -f /etc/apt/apt.conf.d/20auto-upgrades",
        ),
        # what changes beside the baseline is told, as it should be
        Scene("intrusion.file_integrity", after=("pass", "partial")),
        Scene(
            "encryption.password_hash",
            before="partial",
            after=(),
            prepare="""
sed -i '/pam_unix.so/s/yescrypt/md5/' /etc/pam.d/common-password
sed -i 's/^ENCRYPT_METHOD.*/ENCRYPT_METHOD MD5/' /etc/login.defs
id kept >/dev/null 2>&1 || useradd -m kept
usermod -p "$(openssl passwd -6 -salt abcdefgh not-a-secret-2026)" kept
""",
            works="""
echo 'kept:Another-1-2026' | chpasswd
getent shadow kept | cut -d: -f2 | grep -q '^[$]y[$]'
""",
        ),
        Scene(
            "classification.exposed_files",
            fill={"EXPOSED": "/var/www/html/backup.sql"},
            prepare=r"""
mkdir -p /var/www/html
echo hello >/var/www/html/index.html
printf -- '-- MySQL dump 10.13\nCREATE TABLE x (a int);\n' >/var/www/html/backup.sql
chmod 0644 /var/www/html/backup.sql
""",
        ),
        Scene("firewall.default_deny", fill={"TCP_PORTS": "22"}),
        *access.SCENES,
        *records.SCENES,
        *web.SCENES,
        *data.SCENES,
        *logs.SCENES,
        *antimalware.SCENES,
        *integrity.SCENES,
        *databases.SCENES,
    )
}
# those of `make test-vm`
IN_A_MACHINE = {scene.id: scene for scene in kernel.SCENES}
EVERY = (*SCENES.values(), *IN_A_MACHINE.values())


def typed(scene: Scene) -> list[Step]:
    """The steps that a scene types, in their order."""
    every = for_platform(scene.control, "debian", scene.grade)
    return [every[place] for place in places(scene)]


def places(scene: Scene) -> tuple[int, ...]:
    """Where they stand among all steps of the control for the platform."""
    if scene.steps:
        return scene.steps
    others = {place for one in EVERY if one.control == scene.control for place in one.steps}
    every = for_platform(scene.control, "debian", scene.grade)
    return tuple(n for n, step in enumerate(every) if step.run and n not in others)
