"""Secrets in what reads pick out: places of backups, mounts, names of files, JSON of programs.

`{}` is where a secret stands; each read's lines are what it prints.
"""

# ruff: noqa: E501 - lines as they stand in captures
from __future__ import annotations

from tests.planted import MARK

# Where a repository lies, as restic, borg, rclone, duplicity and drivers of databases take it.
_WHERE = r"""rclone::s3,provider=Minio,access_key_id=AKx,secret_access_key={}:bucket/path
rclone::s3,secret_access_key={}:b
rclone::s3,env_auth,secret_access_key={}:b
rclone::sftp,host=nas,user=joe,pass={}:/b
rclone::webdav,url="https://h/x:8",pass="{}":b
rclone::crypt,remote=':s3,secret_access_key="{}":b',password={}:x
rclone:nas,pass={}:b
rclone:nas,pass={}
:s3,access_key_id=A,secret_access_key={}:b
:b2,account=A,key={}:b
:sftp,pass={}:/x
s3:AKID:{}@https://minio.example/bucket
s3:AKID:{}@/bucket
b2:AKID:{}@/bucket
s3:https://joe:{}@h/b
rest:https://joe:{}@h:8000/r
rest:https://h/r?token={}
https://h/r?X-Amz-Signature={}&a={}
ssh://joe:{}@h/./r
boto3+s3://AK:{}@h/b
root:{}@tcp(db:3306)/shop
root:{}@unix(/run/mysqld/mysqld.sock)/shop
joe:{}@h
Server=db;Database=a;User=sa;Password={};
host=db user=joe password={} dbname=a
AccountName=x;AccountKey={};EndpointSuffix=h
azure:c:/?sig={}
"""
_LINES = _WHERE.splitlines()
_SET = ("RESTIC_REPOSITORY", "RESTIC_FROM_REPOSITORY", "BORG_REPO", "WALG_S3_PREFIX")

READS = {
    "backup_named.files": "".join(
        f"set\t/etc/cron.d/a\t{_SET[n % 4]}={line}\n" for n, line in enumerate(_LINES)
    )
    + "== end\n",
    "backup_named.borg": _WHERE,
    "backup.borg": "".join(f"archive abc 1795574163 {line}\n" for line in _LINES),
    "backup.lists": "list /etc/x\n"
    + "".join(f"|{line}\n" for line in _LINES)
    + "excluded /etc/y\n"
    + "".join(f"!{line}\n" for line in _LINES)
    + "end\n",
    "storage.mounts": "\n".join(
        rf"36 29 0:49 / /mnt/b rw,relatime shared:1 - {kind} {source} rw,user_id=0{more}"
        for kind, source, more in (
            ("fuse.rclone", ":s3,provider=Minio,secret_access_key={}:b", ""),
            ("fuse.rclone", ":sftp,host=nas,pass={}:/b", ""),
            ("fuse.rclone", "nas,pass={}:/b", ""),
            ("fuse.juicefs", "root:{}@(db:3306)/juicefs", ""),
            ("fuse.juicefs", "redis://:{}@h:6379/1", ""),
            ("fuse", "curlftpfs#ftp://u:{}@h/", ""),
            ("cifs", "//h/s", ",username=joe,password={},vers=3"),
            ("cifs", "//h/s", ",user=joe%{},vers=3"),
            ("ceph", "mon:/", ",name=a,secret={},acl"),
            ("fuse.s3fs", "s3fs", ",secret_access_key={},token={},apikey={},pw={}"),
        )
    )
    + "\n",
    "storage.space": "".join(
        f"{source} 1048576 1 1048575 1% /mnt/b\n"
        for source in (
            ":s3,provider=Minio,secret_access_key={}:b",
            "nas,pass={}:/b",
            "root:{}@(db:3306)/juicefs",
            "https://u:{}@h/dav",
        )
    ),
    "service_logs.open": """== process 7 apache2
== open
== of 7
w /var/lib/php/sessions/sess_{}
w /var/lib/php/sessions/sess_{} (deleted)
w /var/lib/php/sessions/a/b/sess_{}
w /srv/shop/tmp/cgisess_{}
w /var/log/apache2/access.log
== end
""",
    "record_samples.lines": """@L web /var/lib/php/sessions/sess_{}
| **** "GET"
@L other /var/log/sess_{}
| ****
@W /var/lib/php/sessions/sess_{}
@X /var/lib/php/sessions/sess_{}
== end
""",
    "app_rotation.rules": """@K java
@O /var/lib/php/sessions/sess_{}
@E
""",
    "network.state": r"""== links
2: eth0: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default \    link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff\    alias pw {} {}
== hooks
-p IPv4 --log-level info --log-prefix "{}" -j CONTINUE
== end
""",
    "schedules.sources": "# {}\npasswd: files sss # {}\n",
    "mandatory.state": "== boot\nSELINUX=enforcing # {}\nSELINUXTYPE=targeted\t;{}\n== end\n",
    "platform.release": "# {}\nNAME=Debian\n",
    "stores.places": """== told
/etc/mongod.conf:  dbPath: /srv/db # {}
== inside
/proc/7 36 29 0:49 / /data rw - fuse.rclone :s3,provider=Minio,secret_access_key={}:b rw,user_id=0
/proc/7 36 29 0:49 / /data rw - cifs //h/s rw,username=joe,password={},vers=3
== end
""",
    "clamav.state": """== onaccess 7
config {}
--watch-list {}
--exclude-list pw={}
== end
""",
    "detectors.state": """== rkhunter 1795574163 /var/log/rkhunter.log
[02:36:03] Warning: Process '/opt/x --password {} --token={}' of 'https://joe:{}@h/'
== chkrootkit 1795574163 /var/log/chkrootkit/log.today
detail: mysql password={} curl -u joe:{} https://h/
== end
""",
    "defender.state": """== exclusions
Excluded process: /opt/x --password {}
== scans
{{"path": "https://joe:{}@h/", "args": "--token={}"}}
== end
""",
    "replication.state": """== postgresql /run/postgresql/.s.PGSQL.5432
psql: error: connection to "host=h password={} user=x" failed; postgres://u:{}@h/d
== end
""",
    "crowdsec.state": """== metrics
{{"acquisition":{{"loki:http://joe:{}@10.0.0.5:3100/":{{"reads":1}},"file:/var/log/auth.log":{{"reads":10}}}}}}
{{
 "victorialogs:https://h/{}?k={}": {{
  "reads": 5
 }},
 "kafka:{}": {{"reads": 5, "x\\"{}\\"": "{}"}},
 "loki:http://{}@10.0.0.5:3100/": {{"reads": 1}}
}}
time="x" level=fatal msg="{}"
Error: unable to reach http://u:{}@127.0.0.1:8080/
== bouncers
[{{"name":"fw","api_key":"{}","type":"crowdsec-firewall-bouncer","ip_address":"{}"}}]
== parsers
sshd-logs.yaml
== applied
mode: nftables # {}
deny_action: {}
""",
    "processes.all": """/proc/1/cmdline:/usr/lib/systemd/systemd
/proc/34/cmdline:worker\t--password={}
/proc/35/cmdline:worker:--password={}
/proc/36/cmdline:worker=--password={}
/proc/37/cmdline:worker\x01{}
/proc/38/cmdline:/usr/bin/mysql -p{}
/proc/39/cmdline:sh -c mysql -p{}
/proc/40/cmdline:/bin/sh -c /opt/x --token {}
/proc/41/cmdline:/bin/bash /opt/x.sh {}
/proc/42/cmdline:nginx: {}
/proc/43/cmdline:sshd: /usr/sbin/sshd -D -o SetEnv=X={} -E /var/log/sshd.log -o A={} [listener]
/proc/44/cmdline:/usr/libexec/sshguard/sshg-blocker -a 30 -p 900 -s 1800 -w /etc/x ?{}
/proc/45/cmdline:sshpass -p {} sh /opt/x
/proc/46/cmdline:crash {} /x
== exe
""",
}

_ID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CSCLI = f"""#!/bin/sh
case "$*" in
  *metrics*) printf '%s' '{{"acquisition":{{"loki:http://joe:{MARK}q0@10.0.0.5:3100/":{{"reads":1}},'
    echo '"file:/var/log/auth.log":{{"reads":10}}}}}}';;
  *) echo '[{{"name":"fw","api_key":"{MARK}q1"}}]';;
esac
"""
# The same as files of a host, with MARK in each secret.
FILES = {
    "/usr/bin/cscli": _CSCLI,
    "/etc/cron.d/planted-places": f"""RESTIC_REPOSITORY=rclone::s3,provider=Minio,secret_access_key={MARK}q2:b/p
BORG_REPO=s3:AKID:{MARK}q3@https://minio.example/bucket
WALG_S3_PREFIX=https://h/r?sig={MARK}q4
0 1 * * * root restic backup /srv
0 2 * * * root restic -r rclone::s3,provider=Minio,secret_access_key={MARK}q5:b backup /srv
0 3 * * * root rclone sync /srv :s3,access_key_id=A,secret_access_key={MARK}q6:b
0 4 * * * root rclone sync /srv remote,pass={MARK}q7:b
0 5 * * * root borg create s3:AK:{MARK}q8@https://host/bucket::a /srv
0 6 * * * root /opt/x --dsn 'joe:{MARK}q9@tcp(db:3306)/shop' 'Server=db;Password={MARK}q10;'
""",
    "/etc/systemd/system/planted-places.service": f"""[Service]
Type=oneshot
Environment="RESTIC_REPOSITORY=rclone::s3,secret_access_key={MARK}q11:b" "RESTIC_PASSWORD={MARK}q12"
ExecStart=/usr/bin/restic backup /srv --option rclone.args="serve restic --pass {MARK}q13"
""",
    f"/root/.config/borg/security/{_ID}/location": f"s3:AKID:{MARK}q14@https://minio.example/b\n",
    f"/root/.config/borg/security/{_ID}/key-type": "3\n",
    f"/root/.cache/borg/{_ID}/files": "x\n",
    f"/var/lib/php/sessions/sess_{MARK}q15": f'pw|s:5:"{MARK}q16";\n',
    f"/srv/shop/storage/framework/sessions/9a8B{MARK}7c6D5e4F3g2H1j": "x\n",
    "/etc/nsswitch.conf": f"# {MARK}q17\npasswd: files\n",
    "/etc/selinux/config": f"SELINUX=permissive # {MARK}q18\n",
}
# What runs there: a server with sessions open, and titles that hold a secret.
STARTED = f"""
cp /bin/sh /fake/httpd
/fake/httpd -c 'exec 8>>/var/lib/php/sessions/sess_{MARK}q15
  exec 9>>/srv/shop/storage/framework/sessions/9a8B{MARK}7c6D5e4F3g2H1j; sleep 300; :' &
bash -c 'exec -a "worker	--password={MARK}q19" sleep 300' &
bash -c 'exec -a "worker:--password={MARK}q20" sleep 300' &
bash -c 'exec -a "worker=--password={MARK}q21" sleep 300' &
"""
