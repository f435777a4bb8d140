# What copies are made with that probes restore from; tests/restore_hosts.py makes them.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  borgbackup mariadb-server pgbackrest zstd >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
systemctl disable -q mariadb.service 2>/dev/null || true
