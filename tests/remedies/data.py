"""Scenes of the data inventory and of backups."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

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


def _typed(control: str, fill: Mapping[str, str], step: int = 0) -> str:
    """What one step of the control has a person type, before the scene begins."""
    given = [f"{name}={shlex.quote(value)}" for name, value in fill.items()]
    return "\n".join([*given, *for_platform(control, "debian")[step].commands]) + "\n"


_JOB = _inventory("重要") + _typed("backup.jobs", _OF_DATA)
_MADE = _JOB + "systemctl start hostpledge-data.service\n"
_AWAY = """
systemctl disable --now hostpledge-data.timer 2>/dev/null || true
rm -rf /etc/hostpledge /etc/systemd/system/hostpledge-data.* /etc/backup-data /srv/shop /srv/restic
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

_FAR_HOST = {"BACKUP_HOST": "backup.test"}
_FAR = {"REPOSITORY": "sftp:bak@backup.test:/srv/restic-far/shop"}
_FAR_PEER = f"""
id bak >/dev/null 2>&1 || useradd -m -s /bin/bash bak
rm -rf /srv/restic-far
install -d -m 0700 -o bak /home/bak/.ssh /srv/restic-far
echo 'restrict,command="internal-sftp" {_PUBLIC}' >/home/bak/.ssh/authorized_keys
chown bak /home/bak/.ssh/authorized_keys
"""
_FAR_KEY = f"""
grep -q backup.test /etc/hosts || echo "$PEER backup.test" >>/etc/hosts
install -d -m 0700 /root/.ssh
(umask 077; cat >/root/.ssh/backup_ed25519) <<'EOF'
{_PRIVATE}EOF
echo '{_PUBLIC}' >/root/.ssh/backup_ed25519.pub
"""
_REPORTER = (Path(__file__).parents[2] / "roles/backup/files/hostpledge-backup-report").read_text(
    encoding="utf-8"
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
        away="rm -r /srv/shop /root/owner_ed25519* /root/data-inventory.yml.ended",
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
        works="grep -q ' /srv/shop /srv/crm$' /etc/systemd/system/hostpledge-data.service",
        away=f"""
grep -q ' /srv/shop$' /etc/systemd/system/hostpledge-data.service
rm -r /srv/crm
{_AWAY}
""",
    ),
    Scene(
        "backup.fresh",
        fill={"JOB": "hostpledge-data.service"},
        prepare=_JOB,
        works=f"RESTIC_PASSWORD_FILE=/etc/backup-data/password restic -r {_OF_DATA['REPOSITORY']}"
        " dump latest /srv/shop/1 | grep -qx 'order 1'",
        away=_AWAY,
    ),
    Scene("backup.verified", steps=(0,), fill=_OF_REPOSITORY, prepare=_MADE, away=_AWAY),
    Scene(
        "backup.restore_test",
        steps=(0,),
        fill={**_OF_REPOSITORY, "STORE": "shop", "TESTER": "张三"},
        prepare=_MADE,
        works="! ls -d /var/tmp/restore-test.*",
        away=_AWAY,
    ),
    Scene(
        "backup.offsite",
        peer=_FAR_PEER,
        prepare=f"{_MADE}\n{_FAR_KEY}",
        fill={**_FAR_HOST, **_FAR},
        works="""
export RESTIC_PASSWORD_FILE=/etc/backup-data/password
restic -r sftp:bak@backup.test:/srv/restic-far/shop dump latest /srv/shop/1 | grep -qx 'order 1'
""",
        away=f"rm -f /root/.ssh/backup_ed25519*; {_AWAY}",
    ),
    # of a repository on another host nobody but the job can tell which versions there are
    Scene(
        "backup.versions",
        name="reported",
        steps=(0,),
        before="error",
        after=("partial",),
        peer=_FAR_PEER,
        prepare=f"""
{_MADE}
{_FAR_KEY}
{_typed("backup.offsite", _FAR_HOST)}
{_typed("backup.offsite", _FAR, 1)}
cat >/root/hostpledge-backup-report <<'REPORTER'
{_REPORTER}REPORTER
mkdir -p /srv/crm
""",
        fill={"REPORTER": "/root/hostpledge-backup-report"},
        # a folder that is taken as well from now on is reported as well, and not counted as long
        works=f"""
set +e
{_typed("backup.jobs", {"DATA": "/srv/crm", "REPOSITORY": _FAR["REPOSITORY"]})}
set -e
systemctl start hostpledge-data.service
grep -q '"paths": ."/srv/shop", "/srv/crm".' /var/lib/hostpledge/backup/backup-data.*.json
newest=$(ls -t /var/lib/hostpledge/backup/backup-data.*.json | head -n 1)
grep -q '"count": 1,' "$newest"
""",
        away=f"""
rm -rf /var/lib/hostpledge/backup /root/hostpledge-backup-report /srv/crm
rm -f /usr/local/bin/hostpledge-backup-report /root/.ssh/backup_ed25519*
ssh-keygen -R backup.test
sed -i '/^Host backup.test$/,+1d' /root/.ssh/config
{_AWAY}
""",
    ),
    # versions that reach back a month are for time to bring
    Scene(
        "backup.versions",
        name="forget",
        steps=(1,),
        before=None,
        after=(),
        fill=_OF_REPOSITORY,
        prepare=_MADE,
        works="""
systemctl start hostpledge-forget.service
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
