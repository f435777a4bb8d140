"""Copies that can be restored, and ones that only look it (host `restores` of tests/fleet)."""

from __future__ import annotations

FILES = """
mkdir -p /srv/shop /srv/backup /etc/backup
for i in 1 2 3; do
  { printf 'order %s\\n' "$i"; head -c 90000 /dev/urandom | base64; } >"/srv/shop/$i.csv"
done
touch -d '-1 hour' /srv/shop/*
mkdir -p '/srv/names/文件 夹' && head -c 9000 /dev/urandom >'/srv/names/文件 夹/合同 1.doc'
touch -d '-1 hour' '/srv/names/文件 夹/合同 1.doc'
printf 'not-a-secret-2026\\n' >/etc/backup/password
chmod 600 /etc/backup/password
"""
TAR = """
tar -czf /srv/backup/shop-1.tar.gz -C / srv/shop
tar -cf /srv/backup/plain-1.tar -C / srv/shop
tar -czf /srv/backup/names-1.tar.gz -C / srv/names
mkdir -p /srv/cut
head -c 60000 /srv/backup/shop-1.tar.gz >/srv/cut/shop-1.tar.gz
head -c 100000 /srv/backup/plain-1.tar >/srv/cut/plain-1.tar
# as if it had been whole, with one file that is another than the one that was there
mkdir -p /srv/other/srv/shop
for i in 1 2 3; do
  tr 'a-m' 'A-M' <"/srv/shop/$i.csv" >"/srv/other/srv/shop/$i.csv"
  touch -r "/srv/shop/$i.csv" "/srv/other/srv/shop/$i.csv"
done
tar -czf /srv/cut/other-1.tar.gz -C /srv/other srv/shop
"""
BORG = """
export BORG_PASSCOMMAND='cat /etc/backup/password'
borg init --encryption=repokey /srv/backup/borg 2>/dev/null
borg create /srv/backup/borg::nightly-1 /srv/shop 2>/dev/null
cp -a /srv/backup/borg /srv/cut/borg
mkdir -p /srv/kept && : >/srv/kept/.keep && head -c 5000 /dev/urandom >/srv/kept/orders.bin
sleep 1.1
borg init --encryption=repokey /srv/backup/borg-names 2>/dev/null
borg create /srv/backup/borg-names::nightly-1 /srv/names 2>/dev/null
borg init --encryption=repokey /srv/cut/borg-keep 2>/dev/null
borg create --exclude '*.bin' /srv/cut/borg-keep::nightly-1 /srv/kept 2>/dev/null
# the data of the segments is not what it was: the repository has rotted
for f in /srv/cut/borg/data/0/*; do
  [ "$(stat -c %s "$f")" -lt 50000 ] ||
    printf rot | dd of="$f" bs=1 seek=30000 conv=notrunc 2>/dev/null
done
"""
RESTIC = """
export RESTIC_REPOSITORY=/srv/backup/restic RESTIC_PASSWORD_FILE=/etc/backup/password
restic -q init
restic -q backup /srv/shop
cp -a /srv/backup/restic /srv/cut/restic
# what matters was not there when it was copied, or was left out
mkdir -p /srv/keep && : >/srv/keep/.keep && head -c 5000 /dev/urandom >/srv/keep/orders.bin
sleep 1.1
restic -q --repo /srv/backup/restic-names init
restic -q --repo /srv/backup/restic-names backup /srv/names
restic -q --repo /srv/cut/restic-keep init
restic -q --repo /srv/cut/restic-keep backup --exclude '*.bin' /srv/keep
for f in /srv/cut/restic/data/*/*; do
  chmod 600 "$f"; printf rot | dd of="$f" bs=1 seek=40 conv=notrunc 2>/dev/null
done
"""
MARIADB = """
mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld
systemctl start mariadb.service
mariadb -e "create database shop; create table shop.orders(id int primary key, name text);
use shop; insert into orders select seq, md5(seq) from seq_1_to_700;
create trigger shop.t before insert on shop.orders for each row set new.name = upper(new.name);"
mariadb-dump --single-transaction shop | gzip >/srv/backup/shop-my.sql.gz
mariadb-dump --single-transaction --all-databases --events --routines >/srv/backup/all-my.sql
mariadb-dump --no-data shop >/srv/cut/empty-my.sql
systemctl stop mariadb.service
{ sed '/^-- Dump completed/d' /srv/backup/all-my.sql
  printf "%s\n" "SELECT name INTO OUTFILE '/var/tmp/was-here' FROM shop.orders;" \
    "INSTALL SONAME 'ha_federatedx';" "CHANGE MASTER TO MASTER_HOST='192.0.2.1'; START SLAVE;" \
    '-- Dump completed'; } >/srv/cut/reaches-my.sql
{ sed '/^-- Dump completed/d' /srv/backup/all-my.sql
  printf "%s\n" "CREATE DEFINER=root@localhost PROCEDURE shop.p() CREATE USER x@y;" \
    "CALL shop.p();" '-- Dump completed'; } >/srv/cut/as-root-my.sql
head -c 9000 /srv/backup/shop-my.sql.gz >/srv/cut/shop-my.sql.gz
head -c 20000 /srv/backup/all-my.sql >/srv/cut/all-my.sql
# whole, and made of what no server takes
sed 's/^INSERT INTO/INSRT INTO/' /srv/backup/all-my.sql >/srv/cut/wrong-my.sql
sed 's/MariaDB dump \\([0-9.]*\\)-[0-9.]*-MariaDB/MySQL dump 8.4.3/; s/MariaDB dump/MySQL dump/' \\
  /srv/backup/all-my.sql | sed '1,20s/[0-9.]*-MariaDB/8.4.3/' >/srv/cut/mysql-my.sql
"""
PGDUMP = """
systemctl start postgresql.service
n=0
until su postgres -c 'psql -qc "select 1"' >/dev/null 2>&1 || [ "$n" -ge 50 ]; do
  n=$((n + 1)); sleep 0.2
done
cd /
su postgres -c 'psql -qv ON_ERROR_STOP=1' <<'Q'
create role shop;
create database shop owner shop;
\\connect shop
set role shop;
create table orders(id int primary key, name text);
insert into orders select g, md5(g::text) from generate_series(1, 700) g;
create table sales(at date, n int) partition by range (at);
create table sales_1 partition of sales for values from ('2026-01-01') to ('2026-07-01');
create table sales_2 partition of sales for values from ('2026-07-01') to ('2027-01-01');
insert into sales select '2026-03-01'::date + g, g from generate_series(1, 200) g;
create table old(id int);
create table older(more text) inherits (old);
insert into old select generate_series(1, 3);
insert into older select g, 'x' from generate_series(1, 4) g;
create function f() returns trigger language plpgsql as $$ begin
DROP TABLE IF EXISTS nothing_of_that_name;
return new; end $$;
create trigger t before insert on orders for each row execute function f();
alter table orders enable row level security;
alter table orders force row level security;
comment on schema public is 'of the shop';
reset role;
create extension pg_trgm;
Q
b=/srv/backup
su postgres -c 'pg_dump shop' | gzip >$b/pg-plain.sql.gz
su postgres -c 'pg_dump --inserts shop' >$b/pg-inserts.sql
su postgres -c 'pg_dump --create --clean --if-exists shop' >$b/pg-create.sql
su postgres -c 'pg_dump --clean shop' >$b/pg-clean.sql
su postgres -c 'pg_dump -Fc shop' >$b/pg-packed.dump
su postgres -c 'pg_dumpall' >/srv/cut/pg-several.sql
head -c 9000 $b/pg-inserts.sql >/srv/cut/pg-cut.sql
head -c 4000 $b/pg-packed.dump >/srv/cut/pg-packed.dump
# what no dump has a right to
{ sed '/dump complete/,$d' $b/pg-inserts.sql
  printf '%s\n' "COPY public.orders TO PROGRAM 'touch /var/tmp/was-here; sleep 777 &';"
  printf '%s\n' '-- PostgreSQL database dump complete'; } >/srv/cut/pg-program.sql
{ sed '/dump complete/,$d' $b/pg-inserts.sql
  printf '%s\n' 'CREATE TABLE more (a int); \\! touch /var/tmp/was-here'
  printf '%s\n' 'INSERT INTO more VALUES (1);'
  printf '%s\n' '-- PostgreSQL database dump complete'; } >/srv/cut/pg-commands.sql
{ sed '/dump complete/,$d' $b/pg-inserts.sql
  printf '%s\n' "DO \\$\\$ BEGIN RAISE EXCEPTION 'of-a-row'; END \\$\\$;"
  printf '%s\n' '-- PostgreSQL database dump complete'; } >/srv/cut/pg-raises.sql
systemctl stop postgresql.service
"""
PGBACKREST = """
mkdir -p /srv/backup/pgbackrest && chown postgres:postgres /srv/backup/pgbackrest
cat >/etc/pgbackrest.conf <<'C'
[global]
repo1-path=/srv/backup/pgbackrest
start-fast=y
[shop]
pg1-path=/var/lib/postgresql/17/main
C
cat >/etc/postgresql/17/main/conf.d/wal.conf <<'C'
archive_mode=on
archive_command='pgbackrest --stanza=shop archive-push %p'
C
systemctl start postgresql.service
n=0
until su postgres -c 'psql -qc "select 1"' >/dev/null 2>&1 || [ "$n" -ge 50 ]; do
  n=$((n + 1)); sleep 0.2
done
cd /
for what in stanza-create backup; do
  su postgres -c "pgbackrest --stanza=shop $what" >/dev/null
done
systemctl stop postgresql.service
"""
PGBACKREST_ROTTEN = """
mkdir /srv/cut/pgbackrest
cp -a /srv/backup/pgbackrest/. /srv/cut/pgbackrest
chown postgres:postgres /srv/cut/pgbackrest
for d in archive backup; do mv /srv/cut/pgbackrest/$d/shop /srv/cut/pgbackrest/$d/bad; done
sed -i '/^\\[shop/i [bad]\\nrepo1-path=/srv/cut/pgbackrest\\npg1-path=/var/lib/postgresql/17/main' \
  /etc/pgbackrest.conf
f=$(find /srv/cut/pgbackrest/backup/bad/*F -name 'pg_filenode.map.gz' | head -n 1)
printf rot | dd of="$f" bs=1 seek=20 conv=notrunc 2>/dev/null
"""
ALL = (FILES, TAR, BORG, RESTIC, MARIADB, PGDUMP, PGBACKREST, PGBACKREST_ROTTEN)
# small, and what they make is not
GROWS = """
mount -o remount,size=300m /run
mkdir -p /var/tmp/grows
{ echo '-- PostgreSQL database dump'; echo 'CREATE TABLE public.t (a text);'
  echo 'INSERT INTO public.t SELECT md5(i::text) FROM generate_series(1, 6000000) AS i;'
  echo '-- PostgreSQL database dump complete'; } >/var/tmp/grows/pg.sql
{ echo '-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)'
  echo 'CREATE TABLE t (a text); INSERT INTO t VALUES (md5(1));'
  for i in $(seq 22); do echo 'INSERT INTO t SELECT md5(a) FROM t;'; done
  echo '-- Dump completed'; } >/var/tmp/grows/my.sql
"""
GROWN = "mount -o remount,size=50% /run; rm -r /var/tmp/grows"
GROWING = {
    "pg-grows": {"tool": "dump", "path": "/var/tmp/grows/pg.sql"},
    "mysql-grows": {"tool": "mysql_dump", "path": "/var/tmp/grows/my.sql"},
}
