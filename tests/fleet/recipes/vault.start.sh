cd /srv/restic
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=vault \
  -addext subjectAltName=DNS:vault -keyout key.pem -out cert.pem 2>/dev/null
# {SHA} is one of the two forms that rest-server takes
printf 'shop:{SHA}%s\n' "$(printf %s "$password" | openssl dgst -sha1 -binary | base64)" >.htpasswd
chown restic:restic key.pem cert.pem .htpasswd
chmod 600 key.pem .htpasswd
systemctl restart vault.service
