"""What makes a good host of `effective`, and one that only looks it of `hollow` (tests/fleet)."""

from __future__ import annotations

AIDE = """
mkdir -p /etc/aide /var/lib/aide
cat >/etc/aide/aide.conf <<'C'
database_in=file:/var/lib/aide/aide.db
database_out=file:/var/lib/aide/aide.db.new
gzip_dbout=yes
report_url=file:/var/log/aide.log
Strong = p+u+g+s+m+c+sha256
@LEFT_OUT@
/etc Strong
C
aide --config=/etc/aide/aide.conf --init >/dev/null
mv /var/lib/aide/aide.db.new /var/lib/aide/aide.db
"""
# the log store's address takes the place of @STORE@; UDP to a port where nobody listens is dropped
FORWARDING = """
printf '*.* action(type="omfwd" target="%s" port="%s" protocol="%s")\\n' @STORE@ @PORT@ @HOW@ \
  >/etc/rsyslog.d/10-forward.conf
systemctl restart rsyslog.service
"""
TAKING = """
cat >/etc/rsyslog.d/10-taking.conf <<'C'
module(load="imtcp")
input(type="imtcp" port="514" ruleset="taking")
template(name="by_host" type="string" string="/var/log/remote/%HOSTNAME%.log")
ruleset(name="taking") { action(type="omfile" dynaFile="by_host") }
C
mkdir -p /var/log/remote
systemctl restart rsyslog.service
"""
FAIL2BAN = """
touch /var/log/other.log
cat >/etc/fail2ban/jail.local <<'C'
[DEFAULT]
banaction = nftables-multiport
[sshd]
enabled = true
@WHERE@
maxretry = 4
findtime = 600
bantime = 900
C
systemctl restart fail2ban.service
"""
RULES = """
cat >/etc/nftables.conf <<'C'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif "lo" accept
    tcp dport 22 accept
  }
}
C
nft -f /etc/nftables.conf
setsid python3 -m http.server 6379 >/dev/null 2>&1 </dev/null &
"""
RESTIC = """
mkdir -p /srv/shop /srv/backup /etc/backup
for i in 1 2 3; do printf 'order %s\\n' "$i" >"/srv/shop/$i.csv"; done
touch -d '-1 hour' /srv/shop/*
printf 'not-a-secret-2026\\n' >/etc/backup/password
chmod 600 /etc/backup/password
export RESTIC_REPOSITORY=/srv/backup/shop RESTIC_PASSWORD_FILE=/etc/backup/password
restic -q init
restic -q backup /srv/shop
"""
# the data of the newest snapshot is not what it was: the repository has rotted
ROTTEN = """
for f in /srv/backup/shop/data/*/*; do
  chmod 600 "$f"; printf rot | dd of="$f" bs=1 seek=40 conv=notrunc 2>/dev/null
done
"""
DUMP = """
systemctl start postgresql.service
n=0
until su postgres -c 'psql -qc "select 1"' >/dev/null 2>&1 || [ "$n" -ge 50 ]; do
  n=$((n + 1)); sleep 0.2
done
cd /
su postgres -c "psql -q -c 'create role shop' -c 'create table orders(id int, name text)' \
  -c 'alter table orders owner to shop' \
  -c 'insert into orders select g, md5(g::text) from generate_series(1, 700) g'"
su postgres -c 'pg_dump postgres' | gzip >/srv/backup/shop-db.sql.gz
systemctl stop postgresql.service
"""
CUT_OFF = """
cd /srv/backup
head -c 9000 shop-db.sql.gz >cut
mv cut shop-db.sql.gz
"""
# a signature base that is loaded, and knows nothing of what comes
BLIND = """
printf 'Nothing:0:0:%s\\n' 00112233445566778899aabbccddeeff >/var/lib/clamav/local.ndb
"""
CLAMD = "systemctl restart clamav-daemon.service\n"
# what is opened in /srv/files is looked at first; by its settings it refuses
WATCHING = """
mkdir -p /srv/files
printf '%s\\n' 'OnAccessIncludePath /srv/files' 'OnAccessPrevention yes' \\
  'OnAccessExcludeUname clamav' >>/etc/clamav/clamd.conf
systemctl restart clamav-daemon.service
n=0
until printf x | clamdscan --no-summary --stdout - || [ "$n" -ge 50 ]; do
  n=$((n + 1)); sleep 0.3
done
"""
# a scanner of somebody's own, whose signatures know nothing
OF_A_USER = """
id plain >/dev/null 2>&1 || useradd -m -u 1234 plain
cd /home/plain
mkdir -p db
printf 'Nothing:0:0:%s\\n' 00112233445566778899aabbccddeeff >db/local.ndb
printf '%s\\n' 'LocalSocket /home/plain/a.ctl' 'DatabaseDirectory /home/plain/db' >c.conf
chown -R plain .
setpriv --reuid=plain --regid=plain --clear-groups /usr/sbin/clamd -c c.conf >/dev/null 2>&1
n=0
until [ -S a.ctl ] || [ "$n" -ge 50 ]; do n=$((n + 1)); sleep 0.2; done
[ -S a.ctl ]
"""
QUIET = """
printf 'LogLevel QUIET\\n' >/etc/ssh/sshd_config.d/10-quiet.conf
systemctl restart ssh.service
"""
# a conversation by clamd's protocol, to whose every end it says FOUND (clamd(8))
ANSWERS_FOR_IT = """
cat >/root/says.py <<'P'
import socketserver
class Says(socketserver.StreamRequestHandler):
    def handle(self):
        command = b""
        while not command.endswith((b"\\0", b"\\n")):
            command += self.rfile.read(1)
        while command.endswith(b"INSTREAM" + command[-1:]):
            size = int.from_bytes(self.rfile.read(4), "big")
            if not size:
                break
            self.rfile.read(size)
        self.wfile.write(b"stream: Eicar-Signature FOUND" + command[-1:])
socketserver.TCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 3399), Says).serve_forever()
P
setsid python3 /root/says.py >/dev/null 2>&1 </dev/null &
sed -i '/^LocalSocket /d; /^TCP/d' /etc/clamav/clamd.conf
printf 'TCPSocket 3399\nTCPAddr 127.0.0.1\n' >>/etc/clamav/clamd.conf
n=0
until printf x | clamdscan --no-summary --stdout - || [ $? = 1 ] || [ "$n" -ge 20 ]; do
  n=$((n + 1)); sleep 0.3
done
"""
TREES = """
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /var/log -o -path /tmp \\) \
  -prune -o \
  -type d -name 'systemd-private-*' -prune -o -printf '%p %y %m %u:%g\\n' | sort
find /run -path /run/log -prune -o -path /run/user -prune -o -path /run/systemd -prune \
  -o -path /run/udev -prune -o -printf '%p %y %m\\n' | grep -v /run/faillock/ | sort
find / -xdev -name '*hostpledge*' -not -path '/proc/*' 2>/dev/null
find /run -name '*hostpledge*' 2>/dev/null
sha256sum /etc/passwd /etc/shadow /etc/group /etc/gshadow
systemctl list-units --all --plain --no-legend 'hostpledge*'
systemctl list-unit-files --no-legend 'hostpledge*'
ps -eo args | grep '[h]ostpledge' || :
stat -c '%n %Y' /etc /etc/tmpfiles.d
"""
