"""Scenes of a PostgreSQL server, which stays installed between them and is made anew for each."""

from __future__ import annotations

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
)
