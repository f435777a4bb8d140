# Debian 12 of which rsyslog writes the logs, with the settings and the logrotate rules it comes with.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  rsyslog logrotate >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
