# Debian 13 whose process 1 is sysvinit: no systemctl, no journal, services by /etc/init.d.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  --allow-remove-essential sysvinit-core orphan-sysvinit-scripts systemd-sysv- >/dev/null
apt-get -qq purge -y --allow-remove-essential systemd libpam-systemd dbus >/dev/null
# the terminals and the boot of a machine, which a container has none of
sed -i -e '/getty/d' -e 's/^si::.*/si::sysinit:\/bin\/true/' /etc/inittab
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
