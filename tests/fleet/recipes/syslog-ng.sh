# A host of which syslog-ng writes the logs, with the settings and the logrotate rules it comes with.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  syslog-ng-core logrotate >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
systemctl enable -q syslog-ng.service
