"""Scenes of a PostgreSQL server, which stays installed between them and is made anew for each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from collector.remedies.steps import for_platform
from tests.remedies.scene import GET, Scene

_SERVER = f"""
{GET} postgresql openssl >/dev/null
read -r version name _ <<EOF
$(pg_lsclusters -h)
EOF
[ -z "$version" ] || pg_dropcluster --stop "$version" "$name"
version=$(ls /usr/lib/postgresql)
pg_createcluster --start "$version" main >/dev/null
hba=/etc/postgresql/$version/main/pg_hba.conf
sed -i "s/^#listen_addresses.*/listen_addresses = '*'/" "${{hba%/*}}/postgresql.conf"
cd /
runuser -u postgres -- psql -q -c 'create database shop'
"""
_RESTARTED = 'pg_ctlcluster "$version" main restart\n'
_AWAY = "systemctl stop 'postgresql@*' postgresql"

_OF_DUMP = {"DATABASE": "shop", "DUMP": "/var/backups/dumps/shop.dump"}


def _inventory(name: str, engine: str) -> str:
    return f"""
mkdir -p /etc/hostpledge
cat >/etc/hostpledge/data-inventory.yml <<'EOF'
schema: "urn:hostpledge:schema:data-inventory:1"
owner: 张三
reviewed: "2026-11-01"
stores:
  - {{name: {name}, kind: database, engine: {engine}, category: 订单数据, level: 重要, owner: 张三}}
EOF
"""


def _typed(control: str, step: int, fill: Mapping[str, str]) -> str:
    given = [f"{name}={shlex.quote(value)}" for name, value in fill.items()]
    return "\n".join([*given, *for_platform(control, "debian")[step].commands]) + "\n"


_DUMPED = f"""
{_SERVER}
runuser -u postgres -- psql -q -c 'create table t as select generate_series(1, 3) n' shop
{_inventory("shop", "postgresql")}
{_typed("backup.jobs", 1, {"DATABASE": "shop", "DUMPS": "/var/backups/dumps"})}
"""
_REPOSITORY = {"DATA": "/var/backups/dumps", "REPOSITORY": "/srv/restic"}
_PASSWORD = {"REPOSITORY": "/srv/restic", "PASSWORD_FILE": "/etc/backup-data/password"}
_IN_A_REPOSITORY = f"""
{_typed("backup.jobs", 0, _REPOSITORY)}
systemctl start hostpledge-data.service
{_typed("backup.verified", 0, _PASSWORD)}
"""
# the folder of dumps restored and compared with itself, as the step for files has it
_BY_FILES = f"""
{_typed("backup.jobs", 0, _REPOSITORY)}
systemctl start hostpledge-data.service
{_typed("backup.restore_test", 0, {**_REPOSITORY, **_PASSWORD, "STORE": "shop", "TESTER": "张三"})}
"""
_DUMPS_AWAY = f"""
for unit in data check dump-shop; do
  systemctl disable --now hostpledge-$unit.timer 2>/dev/null || true
  rm -f /etc/systemd/system/hostpledge-$unit.*
done
rm -rf /etc/backup-data /srv/restic
rm -rf /var/backups/dumps /etc/hostpledge /usr/local/sbin/hostpledge-dump-shop
systemctl daemon-reload
{_AWAY}
"""
_MARIADB = f"""
{GET} mariadb-server >/dev/null
systemctl start mariadb
mariadb -e 'create database if not exists crm'
mariadb crm -e 'create or replace table t (n int); insert into t values (1), (2), (3)'
mkdir -p /var/backups/dumps
mariadb-dump crm | gzip >/var/backups/dumps/crm.sql.gz
{_inventory("crm", "mariadb")}
"""
_AGAIN = _typed(
    "backup.restore_test",
    2,
    {"DATABASE": "crm", "DUMP": "/var/backups/dumps/crm.sql.gz", "TESTER": "张三"},
)

SCENES = (
    Scene(
        "encryption.database_access",
        name="postgresql",
        steps=(2,),
        prepare=f"""
{_SERVER}
runuser -u postgres -- psql -q -c "create role shop login password 'not-a-secret'"
echo 'host all all 0.0.0.0/0 trust' >>"$hba"
{_RESTARTED}
psql -h "$(hostname -I | cut -d ' ' -f 1)" -U shop -c 'select 1' shop >/dev/null
""",
        works="""
! psql -w -h "$(hostname -I | cut -d ' ' -f 1)" -U shop -c 'select 1' shop 2>/dev/null
PGPASSWORD=not-a-secret psql -h "$(hostname -I | cut -d ' ' -f 1)" -U shop -c 'select 1' shop
""",
        away=_AWAY,
    ),
    Scene(
        "encryption.transport",
        name="postgresql",
        steps=(2,),
        prepare=rf"""
{_SERVER}
runuser -u postgres -- psql -q -c "create role shop login password 'not-a-secret'"
echo 'host all all 0.0.0.0/0 scram-sha-256' >>"$hba"
cd /etc/postgresql
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 90 \
  -subj "/CN=shop.test" 2>/dev/null
chown postgres key.pem cert.pem
chmod 0600 key.pem
cat >>"${{hba%/*}}/postgresql.conf" <<'EOF'
ssl = on
ssl_cert_file = '/etc/postgresql/cert.pem'
ssl_key_file = '/etc/postgresql/key.pem'
EOF
{_RESTARTED}
PGSSLMODE=disable PGPASSWORD=not-a-secret \
  psql -h "$(hostname -I | cut -d ' ' -f 1)" -U shop -c 'select 1' shop >/dev/null
""",
        # a certificate of its own making stays a person's to replace
        before=None,
        after=(),
        works="""
export PGPASSWORD=not-a-secret
there=$(hostname -I | cut -d ' ' -f 1)
! PGSSLMODE=disable psql -h "$there" -U shop -c 'select 1' shop 2>/dev/null
PGSSLMODE=require psql -h "$there" -U shop -c 'select 1' shop
""",
        away=_AWAY,
    ),
    Scene(
        "backup.jobs",
        name="postgresql",
        steps=(1,),
        fill={"DATABASE": "shop", "DUMPS": "/var/backups/dumps"},
        prepare=f"{_SERVER}\nrunuser -u postgres -- psql -q -c 'create table t (n int)' shop",
        before=None,
        after=(),
        works="""
pg_restore -l /var/backups/dumps/shop.dump | grep -q 'TABLE public t'
""",
        away=f"rm -r /var/backups/dumps; {_AWAY}",
    ),
    Scene(
        "backup.fresh",
        name="postgresql",
        steps=(1,),
        fill={"BASE": "/mnt/backup/base"},
        prepare=f"{_SERVER}\nmkdir -p /mnt/backup/base",
        before=None,
        after=(),
        works='"$(ls -d /usr/lib/postgresql/*)/bin/pg_verifybackup" /mnt/backup/base',
        away=f"rm -r /mnt/backup; {_AWAY}",
    ),
    Scene(
        "backup.verified",
        name="postgresql",
        steps=(1,),
        before="partial",
        fill=_OF_DUMP,
        prepare=f"{_DUMPED}\n{_IN_A_REPOSITORY}",
        # noise is found by the job
        works="""
head -c 40000 /dev/urandom >/var/backups/dumps/shop.dump
! systemctl start hostpledge-check-dump-shop.service
systemctl reset-failed hostpledge-check-dump-shop.service
systemctl start hostpledge-dump-shop.service
systemctl start hostpledge-check-dump-shop.service
""",
        away=_DUMPS_AWAY,
    ),
    Scene(
        "backup.restore_test",
        name="postgresql",
        steps=(1,),
        before="partial",
        fill={**_OF_DUMP, "TESTER": "张三"},
        prepare=f"{_DUMPED}\n{_BY_FILES}",
        works="""
grep -q '1 tables, 3 rows; now 3 rows' /var/lib/hostpledge/restore/shop.json
cd /
! runuser -u postgres -- psql -tAX -l | grep -q restore_test
""",
        away=f"rm -rf /var/lib/hostpledge/restore; {_DUMPS_AWAY}",
    ),
    # what is noise, and what would write over the database itself, is never called restored
    Scene(
        "backup.restore_test",
        name="mariadb",
        steps=(2,),
        before="fail",
        fill={"DATABASE": "crm", "DUMP": "/var/backups/dumps/crm.sql.gz", "TESTER": "张三"},
        prepare=_MARIADB,
        works=f"""
grep -q '1 tables, 3 rows; now 3 rows' /var/lib/hostpledge/restore/crm.json
cd /var/backups/dumps
cp crm.sql.gz good.sql.gz
mariadb-dump --databases crm | gzip >crm.sql.gz
mariadb -e 'delete from crm.t where n = 1'
set +e
{_AGAIN}
set -e
grep -q '"ok": false' /var/lib/hostpledge/restore/crm.json
[ "$(mariadb -N -e 'select count(*) from crm.t')" = 2 ]
head -c 4000 /dev/urandom | gzip >crm.sql.gz
set +e
{_AGAIN}
set -e
grep -q '"ok": false' /var/lib/hostpledge/restore/crm.json
! mariadb -N -e 'show databases' | grep -q restore_test
mv good.sql.gz crm.sql.gz
""",
        away="""
apt-get -qq purge -y mariadb-server >/dev/null 2>&1 || true
rm -rf /var/lib/hostpledge/restore /var/backups/dumps /etc/hostpledge /var/lib/mysql
""",
    ),
)
