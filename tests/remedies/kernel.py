"""Scenes that want a kernel of their own, a disk, or a host that is no container."""

from __future__ import annotations

from tests.remedies.antimalware import FOUND, MAKER
from tests.remedies.scene import Scene

_AUDITED = "auditctl -e 1 >/dev/null; systemctl start auditd\n"
# sizes in MiB of /dev/vdb and on
DISKS = (512, 256)
_PASSPHRASE = "not-a-secret-2026"

_SCANNING = f"""
{MAKER}
until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8008))' 2>/dev/null
do sleep 1; done
echo 'PrivateMirror http://127.0.0.1:8008' >>/etc/clamav/freshclam.conf
freshclam --quiet
systemctl start clamav-daemon
clamdscan --ping 60 >/dev/null
"""

SCENES = (
    Scene(
        "antivirus.realtime",
        steps=(0, 1),
        prepare=_SCANNING,
        works=f"""
for folder in /home /tmp; do
  echo {FOUND} >"$folder/found"
  ! cat "$folder/found" 2>/dev/null
  rm "$folder/found"
done
systemctl is-active --quiet clamav-clamonacc
""",
        away="systemctl disable --now clamav-daemon clamav-daemon.socket maker",
    ),
    # before anything that stops the daemon, which it would tell
    Scene(
        "logging.daemon_protection",
        prepare="""
mkdir -p /etc/systemd/system/auditd.service.d
printf '[Unit]\\nRefuseManualStop=no\\n' >/etc/systemd/system/auditd.service.d/10-may.conf
systemctl daemon-reload
""",
        works="! systemctl stop auditd 2>/dev/null && systemctl is-active --quiet auditd",
        away="rm -r /etc/systemd/system/auditd.service.d; systemctl daemon-reload",
    ),
    Scene(
        "logging.audit_enabled",
        # what was lost while nobody took it is told
        after=("pass", "partial"),
        prepare="auditctl -e 0 >/dev/null; systemctl stop auditd",
        away=_AUDITED,
    ),
    Scene(
        "logging.audit_coverage",
        prepare=_AUDITED,
        works="""
touch /srv/removed
(echo 1000 >/proc/self/loginuid; rm /srv/removed)
sleep 2
grep -a 'key="delete"' /var/log/audit/audit.log | grep -aq 'type=SYSCALL'
""",
    ),
    Scene(
        "logging.drops",
        name="audit",
        steps=(1,),
        before=None,
        after=(),
        prepare=f"{_AUDITED}auditctl -b 64 >/dev/null",
    ),
    Scene(
        "logging.capacity",
        name="volume",
        steps=(1,),
        before=None,
        after=(),
        fill={"VOLUME": "/dev/vg0/var", "SIZE": "200M"},
        prepare="""
pvcreate -qy /dev/vdb
vgcreate -q vg0 /dev/vdb
lvcreate -qy -n var -L 100M vg0
mkfs.ext4 -q /dev/vg0/var
mount /dev/vg0/var /var/log
""",
        works="dmesg -C; df -m --output=size /var/log | tail -n 1 | awk '{exit $1 < 150}'",
        # what came to be logged in the meantime is held open
        away="""
systemctl stop syslog.socket rsyslog
umount /var/log
systemctl start syslog.socket rsyslog
vgremove -qqy vg0
pvremove -q /dev/vdb
""",
    ),
    Scene(
        "logging.capacity",
        name="audit",
        steps=(2,),
        before=None,
        after=(),
        prepare=f"""
{_AUDITED}
sed -i 's/^disk_full_action.*/disk_full_action = HALT/' /etc/audit/auditd.conf
systemctl kill --signal=HUP auditd
""",
        works="systemctl is-active --quiet auditd",
        away="sed -i 's/^disk_full_action.*/disk_full_action = SUSPEND/' /etc/audit/auditd.conf",
    ),
    Scene(
        "logging.record_fields",
        name="audit",
        steps=(1,),
        before=None,
        after=(),
        prepare=f"""
{_AUDITED}
sed -i 's/^log_format.*/log_format = RAW/' /etc/audit/auditd.conf
systemctl kill --signal=HUP auditd
""",
        works="""
sleep 2
auditctl -m 'in which form'
sleep 2
grep -a 'in which form' /var/log/audit/audit.log | grep -aq 'UID="root"'
""",
    ),
    Scene(
        "encryption.residual",
        prepare="""
sysctl -q kernel.core_pattern=core
fallocate -l 64M /swap
chmod 600 /swap
mkswap -q /swap
cp -p /etc/fstab /root/fstab.whole
echo '/swap none swap sw 0 0' >>/etc/fstab
swapon -a
""",
        works="! grep -q '^/swap' /etc/fstab",
        away="swapoff -a; cp -p /root/fstab.whole /etc/fstab; rm -f /swap",
    ),
    Scene(
        "encryption.storage",
        steps=(1,),
        before=None,
        after=(),
        fill={"EMPTY_DISK": "/dev/vdc"},
        answers=("YES", _PASSPHRASE, _PASSPHRASE),
        works=f"printf %s {_PASSPHRASE} | cryptsetup open --test-passphrase --key-file - /dev/vdc",
        away="wipefs -qa /dev/vdc",
    ),
    Scene(
        "intrusion.mandatory_access",
        # it is in the kernel, and no program has a profile there
        before="partial",
        after=("pass", "partial"),
        prepare="systemctl disable --now apparmor; aa-teardown",
    ),
)
