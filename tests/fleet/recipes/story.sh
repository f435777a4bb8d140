# A host whose important database is backed up every night; tests/backup_story.sh does the rest.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  postgresql restic cron >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
systemctl disable -q e2scrub_all.timer 2>/dev/null || true
