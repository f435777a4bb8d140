"""Scenes of the data inventory and of backups."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.remedies.steps import for_platform
from tests.remedies.scene import GET, Scene

_OF_DATA = {"DATA": "/srv/shop", "REPOSITORY": "/srv/restic"}
_OF_REPOSITORY = {**_OF_DATA, "PASSWORD_FILE": "/etc/backup-data/password"}


def _inventory(level: str) -> str:
    return f"""
mkdir -p /etc/hostpledge /srv/shop
for n in 1 2 3; do echo "order $n" >/srv/shop/$n; done
cat >/etc/hostpledge/data-inventory.yml <<'EOF'
schema: "urn:hostpledge:schema:data-inventory:1"
owner: 张三
reviewed: "2026-11-01"
stores:
  - {{name: shop, kind: path, path: /srv/shop, category: 订单数据, level: {level}, owner: 张三}}
EOF
"""


def _typed(control: str, fill: Mapping[str, str]) -> str:
    """What the control's first step has a person type, before the scene begins."""
    given = [f"{name}={shlex.quote(value)}" for name, value in fill.items()]
    return "\n".join([*given, *for_platform(control, "debian")[0].commands]) + "\n"


_JOB = _inventory("重要") + _typed("backup.jobs", _OF_DATA)
_MADE = _JOB + "systemctl start backup-data.service\n"
_AWAY = """
systemctl disable --now backup-data.timer 2>/dev/null || true
rm -rf /etc/hostpledge /etc/systemd/system/backup-data.* /etc/backup-data /srv/shop /srv/restic
systemctl daemon-reload
"""
# the one that the step would make: the other host has to know it before it is asked
_KEY = Ed25519PrivateKey.generate()
_PRIVATE = _KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.OpenSSH,
    serialization.NoEncryption(),
).decode()
_PUBLIC = (
    _KEY.public_key()
    .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    .decode()
)

SCENES = (
    Scene(
        "classification.inventory",
        fill={
            "OWNER": "张三",
            "STORE": "shop",
            "DATA": "/srv/shop",
            "CATEGORY": "订单数据",
            "LEVEL": "重要",
            "INVENTORY": "/etc/hostpledge/data-inventory.yml",
            "OWNER_KEY": "/root/owner_ed25519",
        },
        prepare="""
mkdir -p /srv/shop
[ -e /root/owner_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -C owner -f /root/owner_ed25519
""",
        attach={"data-owner-keys": "echo 张三 $(cut -d ' ' -f 1,2 /root/owner_ed25519.pub)"},
        away="rm -r /srv/shop /root/owner_ed25519* /root/data-inventory.yml.before",
    ),
    Scene(
        "classification.discovered",
        fill={
            "STORE": "carts",
            "KIND": "database",
            "DATA": "/var/lib/redis",
            "CATEGORY": "购物车",
            "LEVEL": "一般",
            "OWNER": "李四",
        },
        prepare=f"{GET} redis-server >/dev/null\n{_inventory('一般')}",
        away="""
apt-get -qq purge -y redis-server redis-tools >/dev/null 2>&1
rm -r /etc/hostpledge /srv/shop
""",
    ),
    Scene(
        "encryption.backups",
        fill={"BACKUPS": "/var/backups/shop"},
        prepare=f"""
{GET} cron >/dev/null
{_inventory("一般")}
mkdir -p -m 0755 /var/backups/shop
echo '10 2 * * * root tar -czf /var/backups/shop/shop.tar.gz /srv/shop' >/etc/cron.d/shop
tar -czf /var/backups/shop/shop.tar.gz /srv/shop 2>/dev/null
""",
        away="rm -r /var/backups/shop /etc/cron.d/shop /etc/hostpledge /srv/shop",
    ),
    Scene("backup.jobs", steps=(0,), fill=_OF_DATA, prepare=_inventory("重要"), away=_AWAY),
    # a second folder goes beside the first
    Scene(
        "backup.jobs",
        name="second",
        steps=(0,),
        before=None,
        after=(),
        fill={**_OF_DATA, "DATA": "/srv/crm"},
        prepare=f"{_JOB}\nmkdir -p /srv/crm",
        works="grep -q ' /srv/shop /srv/crm$' /etc/systemd/system/backup-data.service",
        away=f"""
grep -q ' /srv/shop$' /etc/systemd/system/backup-data.service
rm -r /srv/crm
{_AWAY}
""",
    ),
    Scene(
        "backup.fresh",
        fill={"JOB": "backup-data.service"},
        prepare=_JOB,
        works=f"RESTIC_PASSWORD_FILE=/etc/backup-data/password restic -r {_OF_DATA['REPOSITORY']}"
        " dump latest /srv/shop/1 | grep -qx 'order 1'",
        away=_AWAY,
    ),
    Scene("backup.verified", fill=_OF_REPOSITORY, prepare=_MADE, away=_AWAY),
    Scene(
        "backup.restore_test",
        fill={**_OF_REPOSITORY, "STORE": "shop", "TESTER": "张三"},
        prepare=_MADE,
        works="! ls -d /var/tmp/restore-test.*",
        away=_AWAY,
    ),
    Scene(
        "backup.offsite",
        peer=f"""
id bak >/dev/null 2>&1 || useradd -m -s /bin/bash bak
install -d -m 0700 -o bak /home/bak/.ssh /srv/restic-far
echo 'restrict,command="internal-sftp" {_PUBLIC}' >/home/bak/.ssh/authorized_keys
chown bak /home/bak/.ssh/authorized_keys
""",
        prepare=f"""
{_MADE}
grep -q backup.test /etc/hosts || echo "$PEER backup.test" >>/etc/hosts
install -d -m 0700 /root/.ssh
(umask 077; cat >/root/.ssh/backup_ed25519) <<'EOF'
{_PRIVATE}EOF
echo '{_PUBLIC}' >/root/.ssh/backup_ed25519.pub
""",
        fill={
            "BACKUP_HOST": "backup.test",
            "REPOSITORY": "sftp:bak@backup.test:/srv/restic-far/shop",
        },
        works="""
export RESTIC_PASSWORD_FILE=/etc/backup-data/password
restic -r sftp:bak@backup.test:/srv/restic-far/shop dump latest /srv/shop/1 | grep -qx 'order 1'
""",
        away=f"rm -f /root/.ssh/backup_ed25519*; {_AWAY}",
    ),
    # versions that reach back a month are for time to bring
    Scene(
        "backup.versions",
        before=None,
        after=(),
        fill=_OF_REPOSITORY,
        prepare=_MADE,
        works="""
systemctl start backup-forget.service
export RESTIC_PASSWORD_FILE=/etc/backup-data/password
restic -r /srv/restic snapshots --json | grep -q short_id
""",
        away=_AWAY,
    ),
    Scene(
        "encryption.backups",
        name="key",
        steps=(1,),
        before=None,
        after=(),
        fill={"KEYFILE": "/var/backups/shop/restic.pass"},
        prepare="""
install -d -m 0755 /var/backups/shop
echo not-a-secret >/var/backups/shop/restic.pass
chmod 0644 /var/backups/shop/restic.pass
""",
        works='[ "$(stat -c %a /etc/backup-keys/restic.pass)" = 600 ]',
        away="rm -r /var/backups/shop /etc/backup-keys",
    ),
)
