"""Scenes of accounts, and of who reaches what."""

from __future__ import annotations

from tests.remedies.scene import GET, PASSWORD, Scene

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}"
_KEYS = [_KEY.format(letter * 43) for letter in "GHI"]

SCENES = (
    Scene(
        "intrusion.password_age",
        fill={"ACCOUNT": "aged"},
        prepare=f"""
id aged >/dev/null 2>&1 || useradd -m -s /bin/bash aged
echo "aged:{PASSWORD}" | chpasswd
for name in $(awk -F: '$2 ~ /^[$]/ {{print $1}}' /etc/shadow); do chage -M 60 "$name"; done
chage -M 99999 aged
""",
        away="userdel -r aged",
    ),
    Scene(
        "intrusion.cleartext_services",
        fill={"UNIT": "tftpd-hpa.service"},
        prepare=f"""
{GET} tftpd-hpa >/dev/null
systemctl enable --now tftpd-hpa
""",
        away="apt-get -qq purge -y tftpd-hpa >/dev/null 2>&1",
    ),
    Scene(
        "intrusion.idle_accounts",
        fill={"ACCOUNT": "idle"},
        prepare=f"""
id idle >/dev/null 2>&1 || useradd -m -s /bin/bash idle
echo "idle:{PASSWORD}" | chpasswd
install -d -m 0700 -o idle /home/idle/.ssh
install -m 0600 -o idle /root/.ssh/authorized_keys /home/idle/.ssh/authorized_keys
chage -d "$(date -d '200 days ago' +%F)" idle
""",
        away="userdel -r idle",
    ),
    Scene(
        "intrusion.privilege_separation",
        steps=(0, 1),
        fill={
            "ADMIN": "zhao",
            "ADMIN_KEY": f"{_KEYS[0]} zhao",
            "SECOND": "qian",
            "SECOND_KEY": f"{_KEYS[1]} qian",
            "AUDITOR": "sun",
            "AUDITOR_KEY": f"{_KEYS[2]} sun",
        },
        works="""
runuser -u sun -- journalctl -n 1 >/dev/null
for who in zhao qian; do
  printf '%s:Another-1-2026\\n' "$who" | chpasswd
  echo Another-1-2026 | runuser -u "$who" -- sudo -S -p '' true
done
""",
        away="rm -r /home/zhao.ended-* /home/qian.ended-* /home/sun.ended-*",
    ),
    # whoever is there already keeps the keys that are there
    Scene(
        "intrusion.privilege_separation",
        name="there",
        steps=(0,),
        before=None,
        after=(),
        fill={
            "ADMIN": "zhao",
            "ADMIN_KEY": f"{_KEYS[0]} zhao",
            "SECOND": "qian",
            "SECOND_KEY": f"{_KEYS[1]} qian",
        },
        prepare=f"""
useradd -m -s /bin/bash zhao
install -d -m 0700 -o zhao /home/zhao/.ssh
echo '{_KEYS[2]} of old' >/home/zhao/.ssh/authorized_keys
""",
        works="""
grep -q 'of old$' /home/zhao/.ssh/authorized_keys
grep -q ' zhao$' /home/zhao/.ssh/authorized_keys
""",
        away="id zhao; ! id qian 2>/dev/null; userdel -r zhao; rm -r /home/qian.ended-*",
    ),
    Scene(
        "intrusion.root_login",
        name="there",
        steps=(0,),
        before=None,
        after=(),
        fill={"ADMIN": "sun"},
        prepare=f"""
useradd -m -s /bin/bash sun
install -d -m 0700 -o sun /home/sun/.ssh
echo '{_KEYS[2]} of old' >/home/sun/.ssh/authorized_keys
""",
        works='[ "$(cat /home/sun/.ssh/authorized_keys)" = "' + _KEYS[2] + ' of old" ]',
        away="id sun; userdel -r sun",
    ),
    Scene(
        "firewall.exposed_ports",
        fill={"PORTS": "6379", "TRUSTED": "127.0.0.1"},
        prepare="""
systemd-run --quiet --unit=exposed python3 -m http.server 6379
for n in 1 2 3 4 5 6 7 8 9; do ! ss -tln | grep -q :6379 || break; sleep 1; done
""",
        works="python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 6379), 5)'",
        away="systemctl stop exposed",
    ),
    Scene(
        "firewall.admin_sources",
        fill={
            # private addresses are none of the public ones that are counted
            "ADMIN_NETS": "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
            "ADMIN_SIX": "fd00::/8",
            "SSH_PORTS": "22",
        },
    ),
    Scene(
        "encryption.database_access",
        prepare=f"""
{GET} redis-server >/dev/null
sed -i -e 's/^bind .*/bind 0.0.0.0/' -e 's/^protected-mode .*/protected-mode no/' \\
  /etc/redis/redis.conf
systemctl restart redis-server
""",
        works="systemctl restart redis-server && redis-cli ping | grep -q NOAUTH",
        away="apt-get -qq purge -y redis-server >/dev/null 2>&1",
    ),
)
