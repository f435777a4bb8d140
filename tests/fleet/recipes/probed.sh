# What probes are tried on: each program there, none of them set up. tests/probe_hosts.py does that.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  aide rsyslog fail2ban python3-systemd nftables clamav-daemon clamdscan >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
# Nothing is downloaded, so its units would only fail; what has no settings yet does not begin.
systemctl disable -q clamav-freshclam.service clamav-freshclam-once.service \
  clamav-freshclam-once.timer clamav-daemon.service clamav-daemon.socket fail2ban.service \
  postgresql.service dailyaidecheck.timer 2>/dev/null || true
# The EICAR test string (eicar.org) as a signature of our own: real detection, nothing downloaded.
printf 'Eicar-Test-String:0:0:%s\n' "$(printf '%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR' \
  | od -An -v -tx1 | tr -d ' \n')" >/var/lib/clamav/local.ndb
chown clamav:clamav /var/lib/clamav/local.ndb
mkdir -p /etc/systemd/system/clamav-daemon.service.d
printf '[Unit]\nConditionPathExistsGlob=\n' >/etc/systemd/system/clamav-daemon.service.d/local.conf
