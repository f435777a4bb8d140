# The host of the story: an important database, and 35 nights of backups behind it.
# Given: $vault, the address of the other host; $password of the repository there; $certificate;
# $script, $report and $job, what cron runs every night.
set -eu
printf '%s vault\n' "$vault" >>/etc/hosts
mkdir -p /etc/restic /etc/hostpledge /var/backups/shop /var/lib/hostpledge/backup /usr/local/lib
chmod 700 /etc/restic /var/backups/shop
umask 077
printf '%s' "$certificate" >/etc/restic/vault.pem
od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >/etc/restic/password
printf 'export RESTIC_REST_USERNAME=shop RESTIC_REST_PASSWORD=%s\n' "$password" >/etc/restic/login
printf '%s' "$script" >/usr/local/sbin/backup-shop
printf '%s' "$report" >/usr/local/lib/report
chmod 750 /usr/local/sbin/backup-shop
umask 022
printf '30 2 * * * root %s\n' "$job" >/etc/cron.d/backup-shop

runuser -u postgres -- psql -q -c 'CREATE DATABASE shop'
runuser -u postgres -- psql -q shop <<'S'
CREATE TABLE orders (id integer PRIMARY KEY, customer text, address text);
INSERT INTO orders SELECT n, md5(n::text), md5((n * 7)::text) FROM generate_series(1, 20000) n;
S

export RESTIC_REPOSITORY=rest:https://vault:8000/shop RESTIC_PASSWORD_FILE=/etc/restic/password
export RESTIC_CACERT=/etc/restic/vault.pem RESTIC_CACHE_DIR=/var/cache/restic
. /etc/restic/login
restic --quiet init
# Tonight is real. The nights before it are PLANTED: what tonight left behind, dated back; in the
# repository those of each week.
$job
cd /var/backups/shop
tonight=$(date +%F) night=34
while [ "$night" -gt 0 ]; do
  day=$(date -d "-$night days" +%F)
  cp -p "shop-$tonight.dump" "shop-$day.dump"
  touch -d "-$night days" "shop-$day.dump"
  [ "$night" -ne 1 ] && [ $((night % 7)) -ne 6 ] ||
    restic --quiet backup --time "$day 00:00:00" /var/backups/shop
  night=$((night - 1))
done
$job
cd /var/lib/hostpledge/backup
night=34
while [ "$night" -gt 0 ]; do
  day=$(date -d "-$night days" +%F)
  sed "s/$tonight/$day/" "shop-$tonight.json" >"shop-$day.json"
  night=$((night - 1))
done

# The restore is real; that it was made a week ago is PLANTED.
restic --quiet restore latest --target /root/restored
dump=/var/backups/shop/shop-$(date -d '-7 days' +%F).dump
rows='SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o'
runuser -u postgres -- createdb restored
runuser -u postgres -- pg_restore -d restored <"/root/restored$dump"
there=$(runuser -u postgres -- psql -qAt restored -c "$rows")
[ "$there" = "$(runuser -u postgres -- psql -qAt shop -c "$rows")" ]
runuser -u postgres -- dropdb restored
mkdir -p /var/lib/hostpledge/restore
umask 077
cat >/var/lib/hostpledge/restore/shop.json <<E
{"schema": "urn:hostpledge:schema:restore-test:1", "store": "shop",
 "tested": "$(date -u -d '-7 days' +%FT%TZ)", "by": "李运维",
 "artefact": {"repository": "$RESTIC_REPOSITORY", "snapshot": "latest", "path": "$dump",
  "sha256": "$(sha256sum "/root/restored$dump" | cut -d ' ' -f 1)"},
 "restored_to": "shop, database restored", "compared": "rows and md5 of orders: $there", "ok": true}
E
rm -r /root/restored
