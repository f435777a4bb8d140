# A host that keeps its duties. What cannot be had in a container is left out, not feigned: the
# kernel's audit, an encrypted disk, a vendor's signature database, a clock of its own.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  nftables rsyslog logrotate cron libpam-pwquality cracklib-runtime clamav-daemon restic systemd-journal-remote \
  >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb

cat >/etc/nftables.conf <<'T'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  set admin {
    type ipv4_addr
    flags interval
    elements = { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iif "lo" accept
    icmp type { echo-request, destination-unreachable, time-exceeded } accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, packet-too-big } accept
    ip saddr @admin tcp dport 22 accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
T
systemctl enable -q nftables.service

cat >/etc/ssh/sshd_config.d/10-hardening.conf <<'T'
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
ClientAliveInterval 300
ClientAliveCountMax 2
LoginGraceTime 60
MaxAuthTries 4
T
useradd -m -s /bin/bash -c 'operations' ops
useradd -m -s /bin/bash -c 'security' sec
printf 'ops ALL=(ALL:ALL) NOPASSWD: ALL\nsec ALL=(ALL:ALL) ALL\n' >/etc/sudoers.d/10-admins
chmod 440 /etc/sudoers.d/10-admins
visudo -cq
sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/; s/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 1/' /etc/login.defs

mkdir -p /etc/security/pwquality.conf.d
cat >/etc/security/pwquality.conf.d/10-quality.conf <<'T'
minlen = 12
minclass = 3
enforce_for_root
T
printf 'TMOUT=600\nreadonly TMOUT\nexport TMOUT\n' >/etc/profile.d/timeout.sh

mkdir -p /var/log/journal /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=persistent\nSystemMaxUse=2G\nMaxRetentionSec=400day\n' \
  >/etc/systemd/journald.conf.d/10-keep.conf
cat >/etc/logrotate.d/rsyslog <<'T'
/var/log/syslog
/var/log/mail.log
/var/log/kern.log
/var/log/auth.log
/var/log/user.log
/var/log/cron.log
{
	weekly
	rotate 30
	missingok
	notifempty
	compress
	delaycompress
	sharedscripts
	postrotate
		/usr/lib/rsyslog/rsyslog-rotate
	endscript
}
T
sed -i 's/rotate 1$/rotate 12/' /etc/logrotate.d/wtmp /etc/logrotate.d/btmp 2>/dev/null || true

# The EICAR test string (eicar.org) as a signature of our own: real detection, nothing downloaded.
printf 'Eicar-Test-String:0:0:%s\n' "$(printf '%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR' \
  | od -An -v -tx1 | tr -d ' \n')" >/var/lib/clamav/local.ndb
chown clamav:clamav /var/lib/clamav/local.ndb
mkdir -p /etc/systemd/system/clamav-daemon.service.d
printf '[Unit]\nConditionPathExistsGlob=\n' >/etc/systemd/system/clamav-daemon.service.d/local.conf
# Nothing is downloaded, so its units would only fail.
systemctl disable -q clamav-freshclam.service clamav-freshclam-once.service \
  clamav-freshclam-once.timer 2>/dev/null || true
systemctl enable -q clamav-daemon.service

mkdir -p /srv/data /srv/backup /etc/hostpledge /etc/backup
chmod 750 /srv/data
chmod 700 /srv/backup /etc/backup
od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >/etc/backup/password
chmod 600 /etc/backup/password
cat >/usr/local/sbin/backup-data <<'T'
#!/bin/sh
set -eu
export RESTIC_REPOSITORY=/srv/backup/data RESTIC_PASSWORD_FILE=/etc/backup/password
[ -e "$RESTIC_REPOSITORY/config" ] || restic --quiet init
restic --quiet backup /srv/data
restic --quiet forget --keep-daily 40
T
chmod 750 /usr/local/sbin/backup-data
cat >/etc/systemd/system/backup-data.service <<'T'
[Unit]
Description=Back up /srv/data
[Service]
Type=oneshot
Environment=RESTIC_CACHE_DIR=/var/cache/restic
ExecStart=/usr/local/sbin/backup-data
T
cat >/etc/systemd/system/backup-data.timer <<'T'
[Unit]
Description=Back up /srv/data every night
[Timer]
OnCalendar=*-*-* 02:30:00
Persistent=true
[Install]
WantedBy=timers.target
T
systemctl enable -q backup-data.timer
