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
        "intrusion.privilege_separation",
        fill={
            "ADMIN": "zhao",
            "ADMIN_KEY": f"{_KEYS[0]} zhao",
            "SECOND": "qian",
            "SECOND_KEY": f"{_KEYS[1]} qian",
            "AUDITOR": "sun",
            "AUDITOR_KEY": f"{_KEYS[2]} sun",
        },
        works="runuser -u sun -- journalctl -n 1 >/dev/null",
        away="rm -r /home/zhao /home/qian /home/sun",
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
)
