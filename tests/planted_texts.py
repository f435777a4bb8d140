"""More secrets in crontabs, units, sudoers, settings and logs, from attacks on the lists."""

# ruff: noqa: E501 - lines as they stand on hosts
from __future__ import annotations

_TAB = r"""
0 1 * * * root apprise -b x dingtalk://{}
0 1 * * * root NOTIFY=feishu://{} /usr/local/bin/x.sh
"DB_PW" = "{}"
'DB_PW'='{}'
DB_PW={} # c
A=x {}
A="x {}"
A=user:{}
A=https://h/?k={}
* * * * * root {}
* * * * * root x {}
0 0 1 jan * root /x {}
@hourly root /x -k{}
@weekly root {}
@monthly 5 x {}
MAILTO="a@b.c,{}"
MAILFROM={}
SHELL={}
RANDOM_DELAY={}
*/5 * * * * root [ -f /x ] && (cd /y; ./z.sh {})
0 1 * * * root /usr/bin/php /x/y.php token={} a={}
0 1 * * * www-data wget -q "http://h/cron.php?cron_key={}&x=1"
0 1 * * * root /usr/bin/curl -fsS -m 10 --retry 5 -o /dev/null https://hc-ping.com/{}
0 1 * * * root bash <(curl -s https://u:{}@h/x)
0 1 * * * root sshpass -f<(echo {}) ssh h
0 1 * * * root /www/server/panel/pyenv/bin/python /x.py {}
0 1 * * * root expect /x.exp {} h
0 1 * * * root mysqldump --defaults-extra-file=<(echo password={}) x
0 1 * * * root {{ echo {}; }} | x
0 1 * * * root x;{};y
0 1 * * * root x||{}
0 1 * * * root x&&y={} z
0 1 * * * root x "$(echo {})"
0 1 * * * root x '{}'\''{}'
	0	1	*	*	*	root	x	{}
0 1 * * * root x%{}%{}
0 1 * * * root x \% {}
"""

_UNITS = r"""
ExecStart=/x {}
ExecStart={{ path=/x ; argv[]=/x {} ; ignore_errors=yes ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStart={{ path=/x ; argv[]=/x a ; ignore_errors=no ; {} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStart={{ path=/x ; argv[]=/x -e "y {}" $A ${{B}} {} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStartPre={{ path=/x ; argv[]=/x PW={} ; ignore_errors=no ; start_time=[n/a] }}
ExecStart={{ path=/x ; argv[]=/bin/bash -lc echo {} | sudo -S x ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
"""
# as systemd 257 and 252 print `\\n` of a quoted word of ExecStart=
_UNITS_OF_LINES = r"""
Id=x.service
ExecStart={{ path=/bin/sh ; argv[]=/bin/sh -c set -e
export RESTIC_PASSWORD={}

{}
User={}
printf 'password: {}' | cat
mysqldump -uroot -p{} x ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
TOKEN={}
BindPaths=/srv/a
{}:/srv/b
ExecStart={{ path=/x ; argv[]=/x {} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStart={{ path=/x ; argv[]=/x
{} ; ignore_errors=no
User={}
"""

_SUDO = r"""
Defaults ldap_bindpw={}
Defaults use_pty, ldap_x={}
Defaults:joe odd = "{}"
joe ALL = /usr/bin/docker run -e PW\={} x
joe ALL = /usr/bin/docker run -e PW\={} -e TOKEN\={} x, /bin/ls
joe ALL=(ALL) NOPASSWD: /x {}
joe ALL = /x {}, /y -p {}, /z \
   {}
joe ALL=(ALL) sha256:{} /x
joe ALL=/bin/sh -c "x {}"
Defaults!/x passprompt="{}"
Defaults badpass_message="{} {}"
Defaults lecture_file=/x, passprompt="x, {}"
Cmnd_Alias X = /x {} : Y = /y {}
joe ALL=/x a\,{}, /y
joe ALL=/x # {}
## {}
"""

_SETTINGS = r"""
apprise:
    services:
        - url: dingtalk://{}
          label: x
        - {{url: 'pbul://{}', label: x}}
    urls: [schan://{}, "ntfy://{}"]
a: {}
a : {}
"a": "{}"
'a': '{}'
a: [{}, "{}"]
a: {{b: {}, c: "{}"}}
- {}
- a: {}
  b: {}
- "a {}"
a: >
  {}
  x {}
a: |-
  {}
before_backup:
  - echo {}
  - x --pw {}
  - "x -p{} | y {}"
after_backup: x {}
on_error:
  - curl -X POST -d "{}" https://h/{}
commands:
  - before: action
    run: [x {}]
healthchecks: {{ping_url: "https://hc-ping.com/{}"}}
pagerduty: {{integration_key: {}}}
uptimekuma: {{push_url: https://h/api/push/{}}}
repositories: [{{path: "ssh://u:{}@h/x", label: l}}]
mysql_databases:
  - name: x
    password: {}
    options: "--password={}"
    mysqldump_command: mysqldump -p{}
encryption_passphrase: '{}'
extra_borg_options: {{create: "--comment {}"}}
ssh_command: ssh -i /k -o x={}
constants: {{p: {}}}
umask: 0077 # {}
#{}
cmd_preexec	/x {}
backup_script	/x {}	l/
rsync_long_args	--x={} --y {}
lockfile	/x
cmd_ssh	/usr/bin/ssh -p {}
"""

_ROTATE = r"""
compressoptions -9 -p {}
compressoptions a -si -p{}
compressoptions "-p {}"
compressoptions -9 --password={} {}
uncompresscmd /usr/bin/7z x -p{}
mail {}@x.y
/x {{ # {}
 postrotate
  x {}
  curl https://h/{}?x={}
  echo "{}" | y
 endscript
 prerotate
  pw={}
 endscript
 compressoptions -9 --x {}
}}
# {}
"""

_LISTED_LOG = r"""
|{} no errors were found
|no errors were found {}
|user={} repository contains errors: {}
|2026-11-25 01:00:00 {}
|snapshot {} saved
|snapshot 12345678 saved {}
|{{"message_type":"summary","total_bytes_processed":12,"x":"{}"}}
|INFO: {} status: error ({})
=verify command end: completed successfully ({})
|P00 {}
|{}:{}
"""

_JOURNAL = r"""
{}
1764.1 h x[1]: {{"message_type":"summary","a":"{}"}}
x {}
"""

# archive_command and the scripts that it names: comments, headers, documents, what is said
_WAL = """
== server /run/postgresql/.s.PGSQL.5432
set archive_command /opt/arc/push %p {} && curl -H "X-Auth: {}" https://h/{} && AUTH={} cp %p /w/%f # {}
script /opt/arc/push
|#!/bin/sh
|# old one: {}
|AUTH={}
|curl -H "Signature: {}" -H 'X: {}' https://oss.example/{}
|cat <<EOF >/tmp/x
|{} and {}
|EOF
|echo "archived {} for {}"
|gzip -c "$1" >/w/x.gz
more /opt/arc/push
== receiver 12
args pg_receivewal -D /w -d host=db1 password={} user=x -W {}
== end
"""
TEXTS = {
    "tab": _TAB,
    "units": _UNITS + _UNITS_OF_LINES,
    "sudo": _SUDO,
    "settings": _SETTINGS,
    "rotate": _ROTATE,
    "listed-log": _LISTED_LOG,
    "journal": _JOURNAL,
    "wal": _WAL,
}
