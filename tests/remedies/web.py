"""Scenes of web servers."""

from __future__ import annotations

from tests.remedies.scene import GET, Scene

_NGINX = f"""
{GET} nginx-light >/dev/null
systemctl is-active --quiet nginx
"""
_AWAY = "apt-get -qq purge -y nginx-light nginx-common >/dev/null 2>&1; rm -rf /var/log/nginx"
# a loop in one line, since systemd takes the command for the unit's description
_VISIT = r'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3 >/dev/null'
_OLD_TLS = """openssl s_client -connect 127.0.0.1:443 -tls1_1 -cipher ALL:@SECLEVEL=0 \\
  </dev/null >/dev/null 2>&1"""

SCENES = (
    Scene("logging.web_source_port", prepare=_NGINX, away=_AWAY),
    Scene(
        "logging.families",
        prepare=rf"""
{_NGINX}
sed -i 's/^\taccess_log .*/\taccess_log off;/' /etc/nginx/nginx.conf
systemctl reload nginx
logger "somebody spoke"
journalctl --sync
systemd-run --quiet --unit=visitor bash -c 'while :; do {_VISIT}; sleep 1; done'
""",
        away=f"systemctl stop visitor; {_AWAY}",
    ),
    Scene(
        "encryption.transport",
        prepare=rf"""
{_NGINX}
{GET} openssl >/dev/null
mkdir -p /etc/nginx/keys
cd /etc/nginx/keys
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 90 \
  -subj "/CN=private CA" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out cert.csr -subj /CN=shop.test 2>/dev/null
printf 'subjectAltName=DNS:shop.test' >names
openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile names \
  -out cert.pem 2>/dev/null
rm -f ca.key cert.csr /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/shop.conf <<'EOF'
server {{
  listen 443 ssl;
  server_name shop.test;
  ssl_certificate /etc/nginx/keys/cert.pem;
  ssl_certificate_key /etc/nginx/keys/key.pem;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
  ssl_ciphers ALL:@SECLEVEL=0;
}}
EOF
nginx -t 2>/dev/null
systemctl restart nginx
""",
        away=_AWAY,
    ),
    Scene(
        "encryption.transport",
        name="apache",
        steps=(1,),
        # a certificate of its own making stays a person's to replace
        before=None,
        after=(),
        prepare=f"""
{GET} apache2 openssl ssl-cert >/dev/null
a2enmod -q ssl
a2ensite -q default-ssl
sed -i -E -e 's/^([ \\t]*SSLCipherSuite ).*/\\1ALL:@SECLEVEL=0/' \\
  -e 's/^([ \\t]*SSLProtocol ).*/\\1all -SSLv3/' /etc/apache2/mods-available/ssl.conf
systemctl restart apache2
{_OLD_TLS}
""",
        works=f"! {_OLD_TLS}\nopenssl s_client -connect 127.0.0.1:443 -tls1_2 </dev/null",
        away="apt-get -qq purge -y apache2 'apache2-*' >/dev/null 2>&1; rm -rf /var/log/apache2",
    ),
)
