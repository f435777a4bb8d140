# A host that keeps the backups of others, in a repository to which they can only add.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  restic-rest-server openssl >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
useradd -r -m -d /srv/restic -s /usr/sbin/nologin restic
chmod 700 /srv/restic
systemctl disable -q restic-rest-server.service 2>/dev/null || true
cat >/etc/systemd/system/vault.service <<'U'
[Unit]
Description=Repositories of restic, append-only
[Service]
User=restic
ExecStart=/usr/bin/restic-rest-server --path /srv/restic/repositories --append-only --private-repos \
  --htpasswd-file /srv/restic/.htpasswd --tls --tls-cert /srv/restic/cert.pem \
  --tls-key /srv/restic/key.pem --listen :8000
[Install]
WantedBy=multi-user.target
U
systemctl enable -q vault.service
