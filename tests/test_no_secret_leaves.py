"""Secrets planted on a host, in every place that a read looks into: none is in the capture."""

from __future__ import annotations

import fnmatch
import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from collector import captures, catalog
from collector.model import HostStatus, ReadStatus
from collector.script import collector_script, parse_output
from tests.fleet import Fleet
from tests.masked import redacted

# Whatever the word that is planted, these letters stand in it.
MARK = "Zx9Geheim"
_WORD = re.compile(rb"Zx9Geheim\w*")

_KEY = "\n".join(
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        *(f"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE{MARK}key{n:04d}AAAAAA" for n in range(6)),
        f"{MARK}end==",
        "-----END OPENSSH PRIVATE KEY-----",
    ]
)
_SCRIPT = rf"""#!/bin/sh
# 数据库密码：{MARK}0  password is {MARK}1
DB_PASS='{MARK}2'
export PGPASSWORD="{MARK}3\"{MARK}4"
TOKEN={MARK}5; SECRET_KEY={MARK}6
mysqldump -uroot -p{MARK}7 --all-databases > /backup/all.sql
mysqldump -u root --password "{MARK}8 {MARK}9" shop | gzip > /backup/shop.sql.gz
sshpass -p '{MARK}10 {MARK}11' rsync -a /srv/ bak@nas:/srv/
curl -ubak:{MARK}13 --user bak:{MARK}14 -H 'X-Api-Key: {MARK}15' https://host/
curl -H "Authorization: token {MARK}16" -H 'Authorization: Basic {MARK}17' https://host/
curl https://oapi.dingtalk.com/robot/send?access_token={MARK}18 https://hc-ping.com/{MARK}19
git pull https://{MARK}20abcdefghijklmnop@github.com/x/y https://u:{MARK}21@host/
echo '{MARK}22' | sudo -S true; echo "root:{MARK}23" | chpasswd
echo {MARK}24 | openssl enc -aes-256-cbc -pass stdin; openssl enc -k {MARK}25 -pass pass:{MARK}26
expdp system/{MARK}27@orcl dumpfile=x.dmp; sqlplus -s scott/{MARK}28@db; disql SYSDBA/{MARK}29@h
gs_dump -U omm -W {MARK}30 shop; redis-cli -a {MARK}31 save; zip -P{MARK}32 x.zip y
rar a -hp{MARK}33 x y; 7z a -p{MARK}34 x y; docker login -u x -p {MARK}35 hub
ossutil64 cp x oss://y -i LTAI{MARK}36 -k {MARK}37; mc alias set s3 https://s3 {MARK}38 {MARK}39
mongodump --uri "mongodb://u:{MARK}40@h/" ; smbclient //h/s -U u%{MARK}41
useradd -p '$6$saltsalt${MARK}42abcdefghijklmnopqrstuv' bak
ftp -n nas <<EOT
user bak {MARK}43
quote PASS {MARK}44
EOT
expect -c 'spawn ssh h; send "{MARK}45\r"'
python3 -c 'smtp.login("u", "{MARK}46"); db.connect("h", "u", "{MARK}47")'
KEY='{_KEY}'
grep -q -- '-----BEGIN' /etc/x && echo end
restic -r sftp:bak@nas:/r --password-command 'echo {MARK}48' backup /srv
"""
_RSYSLOG = rf"""
*.* :ommysql:db.example,Syslog,writer,{MARK}49
*.* >db.example,Syslog,writer,{MARK}50
action(type="ommysql" server="db" db="S" uid="u" pwd="{MARK}51")
action(type="omelasticsearch" server="es" pwd="{MARK}52" uid="u" apikey="{MARK}53")
action(type="omkafka" topic="t" confParam=["sasl.password={MARK}54","sasl.username=u"])
action(type="omhttp" server="h" httpheadervalue="{MARK}55" usehttps="on")
action(type="ommongodb" uristr="mongodb://u:{MARK}56@h/")
template(name="LogglyFormat" type="string"
  string="<%pri%>1 [{MARK}57abcdefgh@41058 tag=\"x\"] %msg%")
action(type="omprog" binary="/opt/ship --token {MARK}58")
*.* @@203.0.113.9:514
"""
_SYSLOG_NG = f"""
destination d_sql {{ sql(type(mysql) username("u") password("{MARK}59") columns("x")); }};
destination d_http {{ http(url("https://u:{MARK}60@h/") headers("Authorization: Bearer {MARK}61")
  password(
    "{MARK}62") ); }};
destination d_hec {{ splunk-hec(token("{MARK}63") auth('{MARK}64')); }};
@define db_password "{MARK}65"
"""
_BORGMATIC = f"""
encryption_passphrase:
    {MARK}66
encryption_passcommand: "echo {MARK}67"
source_directories: [/srv]
repositories:
    - path: ssh://bak:{MARK}68@nas/./r
postgresql_databases:
    - name: all
      password: |
        {MARK}69
healthchecks:
    ping_url: https://hc-ping.com/{MARK}70
ntfy:
    access_token: {MARK}71
ssh_key: |
    {_KEY.replace(chr(10), chr(10) + "    ")}
"""
_UNIT = f"""
[Service]
Type=oneshot
Environment=RESTIC_PASSWORD={MARK}72 AWS_SECRET_ACCESS_KEY={MARK}73
ExecStart=/usr/bin/env TOKEN={MARK}74 /usr/local/bin/planted.sh --token {MARK}75 --secret="{MARK}76"
Environment="DB_PASSWORD={MARK}132 {MARK}133" "NOTE=x"
ExecStart=/usr/bin/mysqldump -uroot "--password=two {MARK}134 b-{MARK}135" shop
ExecStart=/usr/bin/restic backup /srv --password-command "echo {MARK}136 {MARK}137"
ExecStart=/usr/bin/env "PGPASSWORD=two {MARK}138" /usr/bin/pg_dump -U joe shop
"""
_LOGROTATE = f"""
/var/log/planted.log {{
    weekly
    postrotate
        mysqladmin -uroot -p{MARK}77 flush-logs
        curl -u bak:{MARK}78 https://h/
    endscript
}}
"""
PLANTED = {
    "/usr/local/bin/planted.sh": _SCRIPT,
    "/etc/cron.daily/planted": _SCRIPT,
    "/etc/cron.d/planted": f"DBPASS={MARK}79\n0 3 * * * root mysqldump -p{MARK}80 x\n"
    f"1 3 * * * root /usr/local/bin/planted.sh --files-from /etc/planted.list {MARK[:2]}\n",
    "/etc/planted.list": f"{MARK}81\n/srv\n",
    "/var/spool/cron/crontabs/root": f"0 4 * * * PASSWORD={MARK}82 /usr/local/bin/planted.sh\n",
    "/etc/systemd/system/planted.service": _UNIT,
    "/etc/systemd/system/planted.timer": "[Timer]\nOnCalendar=daily\n",
    "/etc/rsyslog.d/planted.conf": _RSYSLOG,
    "/etc/syslog-ng/syslog-ng.conf": _SYSLOG_NG,
    "/etc/borgmatic/config.yaml": _BORGMATIC,
    "/etc/logrotate.d/planted": _LOGROTATE,
    "/etc/sudoers.d/planted": f"bak ALL=(root) NOPASSWD: /usr/bin/mysqldump -p{MARK}83 shop\n"
    f"bak ALL=(root) /usr/bin/restic --password={MARK}84, /usr/bin/x --token {MARK}85\n",
    "/etc/pam.d/planted": f"auth required pam_mysql.so user=x passwd={MARK}86 host=db\n"
    f"auth required pam_ldap.so bindpw={MARK}87 secret={MARK}88\n",
    "/etc/ssh/sshd_config.d/planted.conf": f"SetEnv API={MARK}89\n",
    "/etc/default/ssh": f"SSHD_OPTS=\nAPI_TOKEN={MARK}90\n",
    "/etc/nftables.conf": f'table inet planted {{ chain c {{ accept comment "{MARK}91" }} }}\n',
    "/etc/chrony/chrony.keys": f"1 SHA1 HEX:{MARK}92\n",
    "/etc/chrony/chrony.conf": "server ntp.example iburst key 1\n",
    "/etc/hostpledge/data-inventory.yml.asc": _KEY.replace("OPENSSH", "PGP"),
    "/var/lib/hostpledge/backup/planted.json": f'{{"repository": "rest:https://u:{MARK}93@h/"}}',
    "/var/log/planted.log": f"@S {MARK}94 x\n@A {MARK}95\n==> {MARK}96 <==\n"
    f"2026-11-25T01:00:00 password={MARK}97\n",
    "/var/log/my-backup.log": f"mysqldump -p{MARK}98\nrepository https://u:{MARK}99@h/\n",
    "/var/log/restic-planted.log": f"no errors were found in https://u:{MARK}121@h/\n"
    f"sshpass -p {MARK}122 repository contains errors\n",
    "/var/lib/hostpledge/restore/planted.json": f'{{"repository": "rest:https://u:{MARK}123@h/"}}',
    "/backup/config": f"[repository]\nappend_only = 1\nkey = {MARK}124\n",
    "/backup/data/README": f"{MARK}125\n",
    "/backup/planted.sql": f"-- dump\nINSERT INTO u VALUES ('{MARK}100');\n",
    "/etc/profile.d/planted.sh": f"export API_TOKEN={MARK}114\n"
    f"if true; then export SECRET={MARK}115; TMOUT=600; fi\n",
    "/etc/environment": f"DB_PASSWORD={MARK}116\n",
    "/etc/xinetd.d/planted": f"service x\n{{\n server = /bin/x\n server_args = -p{MARK}117\n}}\n",
    "/etc/proftpd/proftpd.conf": f"SQLConnectInfo shop@db writer {MARK}118\nTLSRequired on\n",
    "/etc/hosts.allow": f"sshd: 10. : spawn (curl -u bak:{MARK}119 https://h/)\n",
    "/etc/crowdsec/profiles.yaml": f"api_key: {MARK}120\n",
    "/etc/restic/planted.env": f"RESTIC_PASSWORD={MARK}101\n"
    f"RESTIC_REPOSITORY=rclone::s3,provider=Minio,secret_access_key={MARK}126:bucket/path\n",
    "/etc/cron.d/planted-places": f"BORG_REPO=s3:AKID:{MARK}127@https://minio.example/bucket\n"
    "0 1 * * * root borg create ::a /srv\n",
    "/backup/appended.sql": "-- MySQL dump 10.13\n-- Dump completed on 2026-11-30 12:00:00\n"
    f"ALTER USER a IDENTIFIED BY '{MARK}129';\n",
    "/etc/sshguard/sshguard.conf": f'LOGREADER="sshpass -p {MARK}130 ssh h journalctl"\n'
    f'POST_PARSER="/usr/local/bin/notify --token {MARK}131"\n',
    "/root/.config/borg/security/9f86d081/location": f"s3:AKID:{MARK}128@https://h/b\n",
}
_ACCOUNTS = f"""
printf '%s\\n' >>/etc/passwd \
  'planted:$6$saltsalt${MARK}102abcdefghijklmnopqrst:4242:4242:{MARK}103,555:/:/bin/sh'
printf '%s\\n' 'planted:$y$j9T$saltsalt${MARK}104:19000:0:99999:7:::' '{MARK}105' >>/etc/shadow
printf '%s\\n' 'planted:$6$s${MARK}106:4242:' '{MARK}107' >>/etc/group
nft add table inet planted 2>/dev/null && nft add chain inet planted c '{{ type filter hook input \
  priority 0 ; }}' && nft 'add rule inet planted c accept comment "{MARK}108"'
systemctl daemon-reload 2>/dev/null; systemctl start planted.timer 2>/dev/null
(exec setsid sh -c 'sleep 300; : --password {MARK}109 -p {MARK}110
{MARK}111' mysql://u:{MARK}112@h 123456{MARK}113 >/dev/null 2>&1 </dev/null &)
"""


@pytest.fixture(scope="module")
def planted(fleet: Fleet) -> Iterator[Fleet]:
    steps = []
    for path, text in PLANTED.items():
        mode = "755" if text.startswith("#!") else "440" if "sudoers" in path else "644"
        steps.append(
            f"mkdir -p {path.rpartition('/')[0]}; cat >{path} <<'PLANTED_END'\n{text}\n"
            f"PLANTED_END\nchmod {mode} {path}\n"
        )
    _sh(fleet, "".join([*steps, _ACCOUNTS]))
    yield fleet


def _sh(fleet: Fleet, text: str) -> bytes:
    from tests.fleet.machine import environment

    done = subprocess.run(
        fleet.execute_argv("good", "sh"),
        input=text.encode(),
        capture_output=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_SEDS = [["sed"], *([["busybox", "sed"]] if shutil.which("busybox") else [])]
_FILES = [
    (read.id, path)
    for read in catalog.all_reads().values()
    for path in PLANTED
    if read.kind == "files" and any(fnmatch.fnmatchcase(path, p) for p in read.paths)
]


@pytest.mark.parametrize("sed", _SEDS, ids=lambda s: s[0])
@pytest.mark.parametrize(("read", "path"), _FILES)
def test_every_sed_keeps_them_back(sed: list[str], read: str, path: str) -> None:
    program = catalog.all_reads()[read].redact
    awk = ["busybox", "awk"] if sed[0] == "busybox" else ["awk"]
    assert _WORD.findall(redacted(program, PLANTED[path].encode(), sed=sed, awk=awk)) == []


@pytest.mark.fleet
def test_no_planted_secret_is_in_the_capture(planted: Fleet) -> None:
    reads = catalog.all_reads()
    out = _sh(planted, collector_script(reads.values()))
    capture = parse_output(out, host="good")
    assert capture.status is HostStatus.COMPLETE
    lost = [r.id for r in map(capture.read, reads) if r.status is ReadStatus.LOST]
    assert lost == []
    held = gzip.decompress(captures.to_bytes(capture))
    leaks = {
        result.id: sorted(found)
        for result in capture.reads.values()
        if (found := {w.decode() for w in _WORD.findall(_all(result))})
    }
    assert leaks == {}
    assert not _WORD.search(out)
    assert not _WORD.search(held)


@pytest.mark.fleet
def test_what_was_looked_for_is_there_all_the_same(planted: Fleet) -> None:
    out = _sh(planted, collector_script(catalog.all_reads().values()))
    capture = parse_output(out, host="good")
    called = capture.read("schedules.called").text()
    assert "script x all /usr/local/bin/planted.sh" in called
    # the script goes on behind the beginning of a key that has no end
    assert "backup /srv" in called
    assert "203.0.113.9" in str(capture.read("syslog.rsyslog").files)
    assert "NOPASSWD: /usr/bin/mysqldump" in str(capture.read("sudoers.files").files)


def _all(result: object) -> bytes:
    return repr(result).encode()
