# By chance a random password may hold what the quality check refuses; another one does not.
for account in ops sec; do
  turn=0
  until printf '%s:Aa1-%s\n' "$account" "$(head -c 18 /dev/urandom | base64)" | chpasswd 2>/dev/null
  do
    turn=$((turn + 1))
    [ "$turn" -lt 9 ]
  done
done
chage -M 90 -d "$(date +%F)" ops
chage -M 90 -d "$(date +%F)" sec

cat >/etc/hostpledge/data-inventory.yml <<T
schema: urn:hostpledge:schema:data-inventory:1
owner: 王安全
reviewed: $(date -d '-30 days' +%F)
stores:
  - name: customers
    kind: path
    path: /srv/data
    category: 客户资料
    level: 重要
    personal: true
    owner: 李运维
T
i=0
while [ "$i" -lt 200 ]; do
  printf '%s,customer %s\n' "$i" "$i"
  i=$((i + 1))
done >/srv/data/customers.csv

# The host is minutes old. The records of the past seven months that are written here are PLANTED:
# they stand in for a host that has run for so long, in the form that rsyslog and journald write.
python3 - <<'T'
import gzip
import os
import random
import time
from pathlib import Path

DAY = 86400
DAYS = 205
now = int(time.time())
random.seed(now)
machine = Path("/etc/machine-id").read_text().strip()
boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{at % 1000000:06d}+00:00"


def records(at):
    """A few records of one day: (log, program, text, time)."""
    for turn in range(6):
        t = at + turn * 4 * 3600 + random.randrange(3600)
        pid, port = random.randrange(400, 90000), random.randrange(1024, 65535)
        yield "auth.log", f"sshd-session[{pid}]", (
            f"Accepted publickey for ops from 10.20.0.{turn + 5} port {port} ssh2: ED25519 "
            "SHA256:uNiVztksCsDhcc0u9e8BrqbgSm2nFeO4vcS6JXKqAQs"), t
        yield "auth.log", f"sshd-session[{pid}]", (
            f"pam_unix(sshd:session): session closed for user ops"), t + 900
        yield "syslog", "systemd[1]", "Finished logrotate.service - Rotate log files.", t
        yield "syslog", f"CRON[{pid}]", "(root) CMD (cd / && run-parts --report /etc/cron.hourly)", t


weeks = {}
export = []
for back in range(DAYS, 0, -1):
    for log, program, text, at in records(now - back * DAY):
        if at >= now - 600:
            continue
        line = f"{stamp(at)} good {program}: {text}\n"
        weeks.setdefault((log, (now - at) // (7 * DAY)), []).append((at, line))
        name, _, pid = program.partition("[")
        export.append((at, name, pid.rstrip("]"), text))
for (log, week), lines in weeks.items():
    content = "".join(line for _, line in sorted(lines)).encode()
    path = Path("/var/log") / (log if week == 0 else f"{log}.{week}" + (".gz" if week > 1 else ""))
    if week == 0:
        later = path.read_bytes() if path.exists() else b""
        path.write_bytes(content + later)
        when = now
    else:
        when = now - week * 7 * DAY
        path.write_bytes(gzip.compress(content, mtime=when) if week > 1 else content)
    os.chmod(path, 0o640)
    os.utime(path, (when, when))
with open("/run/planted.export", "w") as file:
    for number, (at, name, pid, text) in enumerate(sorted(export), 1):
        file.write(
            f"__REALTIME_TIMESTAMP={at * 1000000}\n__MONOTONIC_TIMESTAMP={number}\n"
            f"_BOOT_ID={boot}\n_MACHINE_ID={machine}\n_HOSTNAME=good\n_TRANSPORT=syslog\n"
            f"PRIORITY=6\nSYSLOG_IDENTIFIER={name}\n_PID={pid}\nMESSAGE={text}\n\n"
        )
T
folder=/var/log/journal/$(cat /etc/machine-id)
mkdir -p "$folder"
/usr/lib/systemd/systemd-journal-remote --output="$folder/system@planted.journal" \
  /run/planted.export >/dev/null 2>&1
rm -f /run/planted.export
systemctl restart systemd-journald.service rsyslog.service
systemctl start backup-data.service
