"""Scenes of what looks for changes and intruders, and of services that are started by others."""

from __future__ import annotations

from collector.remedies.steps import for_platform
from tests.remedies.scene import GET, Scene

_BASELINE = "\n".join(for_platform("intrusion.file_integrity", "debian")[0].commands)
AIDE_AWAY = (
    "apt-get -qq purge -y aide aide-common >/dev/null 2>&1; rm -rf /var/lib/aide /var/log/aide "
    "/root/dailyaidecheck.was /root/aide-baseline.made "
    "/etc/aide/aide.conf.d/60_hostpledge_own"
)

# takes whatever it is handed, and keeps it
_RELAY = """
cat >/usr/local/bin/relay <<'EOF'
import socket
served = socket.create_server(("", 25), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, _ = served.accept()
    peer.sendall(b"220 relay\\r\\n")
    inside = False
    for line in peer.makefile("rb"):
        open("/run/mails", "ab").write(line)
        word = line.strip().upper()
        if inside and word != b".":
            continue
        inside = word == b"DATA"
        peer.sendall(b"354 go on\\r\\n" if inside else b"250 well\\r\\n")
        if word == b"QUIT":
            break
    peer.close()
EOF
systemd-run --quiet --unit=relay python3 /usr/local/bin/relay
"""

SCENES = (
    Scene(
        "intrusion.detection",
        fill={"ALARM_MAIL": "soc@example.org", "MAIL_RELAY": "localhost"},
        prepare=_RELAY,
        works="""
grep -q '^To: <soc@example.org>' /run/mails
grep -q "^From: <root@$(hostname -f || hostname)>" /run/mails
! grep -q 'POLICY MISSING' /run/mails /var/log/samhain/samhain.log
grep -q 'POLICY ADDED.*hostpledge-alarm' /run/mails
""",
        away="""
apt-get -qq purge -y samhain >/dev/null 2>&1
systemctl stop relay
rm -rf /etc/samhain /var/lib/samhain /var/log/samhain /run/mails /usr/local/bin/relay
""",
    ),
    Scene(
        "intrusion.file_integrity",
        name="renewed",
        steps=(2,),
        before=None,
        after=("pass", "partial"),
        prepare=f"""
{_BASELINE}
echo '# a setting that was changed on purpose' >>/etc/hosts.allow
aide --config=/etc/aide/aide.conf --check >/var/log/aide/aide.log || true
grep -q 'found differences' /var/log/aide/aide.log
sleep 1
""",
        away=f"rm -f /etc/hosts.allow; {AIDE_AWAY}",
    ),
    Scene(
        "antivirus.web_tamper",
        # what changes beside the baseline is told, as it should be
        after=("pass", "partial"),
        fill={"WEB_ROOT": "/var/www/shop"},
        prepare=f"""
{GET} nginx-light >/dev/null
mkdir -p /var/www/shop
echo '<?php echo 1;' >/var/www/shop/index.php
sed -i 's|^\\troot .*|\\troot /var/www/shop;|' /etc/nginx/sites-available/default
systemctl restart nginx
""",
        works="""
! grep -q ': /var/log/aide/aide.log' /var/log/aide/aide.log
echo '<?php eval(1);' >/var/www/shop/new.php
! aide --config=/etc/aide/aide.conf --check >/root/seen
grep -q '/var/www/shop/new.php' /root/seen
""",
        away=f"""
{AIDE_AWAY}
apt-get -qq purge -y nginx-light nginx-common >/dev/null 2>&1
rm -rf /var/log/nginx /var/www/shop /root/seen
""",
    ),
    # each warning was looked into, and all were in order
    Scene(
        "intrusion.rootkit_scan",
        name="expected",
        steps=(0, 1),
        works="! grep -qw INFECTED /var/log/chkrootkit/log.expected",
        away="apt-get -qq purge -y chkrootkit >/dev/null 2>&1; rm -rf /var/log/chkrootkit",
    ),
    Scene(
        "intrusion.rootkit_scan",
        steps=(0,),
        # what it warns of in a container is for a person
        after=("pass", "partial", "fail"),
        works="grep -q 'Checking' /var/log/chkrootkit/log.today",
        away="apt-get -qq purge -y chkrootkit >/dev/null 2>&1; rm -rf /var/log/chkrootkit",
    ),
    Scene(
        "intrusion.cleartext_services",
        name="inetd",
        steps=(1,),
        fill={"SERVICE": "telnet"},
        prepare=f"""
{GET} openbsd-inetd netbase >/dev/null
echo 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' >>/etc/inetd.conf
systemctl restart inetd
ss -tln | grep -q ':23 '
""",
        works="! ss -tln | grep -q ':23 '",
        away="apt-get -qq purge -y openbsd-inetd >/dev/null 2>&1",
    ),
)
