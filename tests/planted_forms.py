"""Secrets in forms that went through the lists once: bundled options, values of harmless names, prose.

`{}` is where a secret stands. Each form stands beside its brothers, for a form that is mended alone
comes back in the next tool.
"""

# ruff: noqa: E501 - lines as they stand on hosts
from __future__ import annotations

# The last letter of a bundle takes the next word; or the secret stands in the bundle itself.
_BUNDLES = r"""
zip -rP {} /b/a.zip /d
zip -qrP {} x d
zip -jqP '{}' x d
zip -erP"{}" x d
zip -9rP {} c.zip .
zip -oP{} x
zip -uP{} x d
unzip -qoP {} /b/a.zip -d /tmp/x
unzip -op {} x
sudo zip -rP {} x d
nice -n 19 zip -rP {} x d
/usr/bin/zip -qrP {} x d
find /d -name x -exec zip -jqP {} /b/f.zip ;
ssh root@h "zip -rP {} a b"
su - bak -c "zip -rP {} a b"
docker exec db zip -rP {} a b
ldapsearch -xw {} -D cn=a
7z a -bdp {} x
mysqldump -qp {} shop
mongodump -vp {}
redis-cli -ha {}
restic -qp {} backup /srv
smbclient -NW {} x
"""
# A value is people's text, whatever its name is.
_VALUES = r"""
DB="mysql -uroot -p{}"
DB="mysql -uroot -p {}"
mysql_db="-uroot -p{} shop"
db_source="-h 1.2.3.4 -uroot -p{}"
HOST="-h 10.0.0.1 -u root -p {}"
HOST='-h 10.0.0.1 -u root -p "{}"'
SOURCE="mycli {}"
TARGET="ftp://u:p@h/x {}"
SERVER="root {}"
server=10.0.0.1,root,{}
HOST=10.0.0.1:3306:root:{}
USER=root:{}
ENGINE="x:{} y"
remote=bak:{}@h
NAME=-p{}
USER="root -p{}"
REMOTE="sshpass -p {} ssh"
RSYNC_RSH="sshpass -p {} ssh"
GIT_SSH="sshpass -p {} ssh"
export RSYNC_RSH='sshpass -p{} ssh -p 22'
rsync -a --rsh="sshpass -p {} ssh" /a h:/b
rsync -e "sshpass -p {} ssh" /a h:/b
alias db='mysql -p{}'; export TMOUT
alias db="mysql -u root -p {}"
alias name=mysql\ -p{}
FILES="/x -p{}"
DIRS="-P {}"
local target="-k {}"
MODE="--pin {}"
rclone copy --sftp-pass=$(rclone obscure {}) a b:
rclone copy /d :sftp,host=h,user=u,pass=$(rclone obscure {}):/b
pass=$(rclone obscure {})
pass=`rclone obscure {}`
PW=$(pg_dump {})
PASS="$(systemctl {})"
rclone obscure {}
virsh secret-set-value 0000 {}
virsh secret-set-value --secret u {}
ip xfrm state add src 1.1.1.1 dst 2.2.2.2 proto esp spi 0x100 auth sha1 {} enc aes {}
kubectl create secret generic x {}
docker secret create x {}
systemctl set-environment token {}
mima={}
MIYAO={} KOULING={}
"""
# Where documents and other languages begin a line with a tool's name, no tool is run.
_PROSE = r"""
: <<'NOTE'
file server 10.0.0.5 bk {}
service account bob {}
mount user bob {}
id bob {}
docker registry bk {}
pg_dump user bob {}
systemctl login {}
restic -r x -u {}
NOTE
cat >/x <<-EOF
service login bob {}
kubectl bob {}
rsync -u {} x
	EOF
psql <<-'Q'
pg_dump {}
Q
rm -f {}
mount -L {} {}
mail -s x j@e <<MSG
journalctl of {}
MSG
x="
service account bob {}
docker login {}
"
echo 'first
restic at nas {}
last'
touch {}
hash {}
umask {}
. /x {}
source /x {}
mv a b {}
switched {}
id {}
"""
_FOREIGN = r'''#!/usr/bin/python3
"""service login bob {}
mount the share with {}
docker registry bk {}
"""
restic = {}
'''
_FOREIGN_POD = r"""#!/usr/bin/perl
=pod
service account {}
pg_dump as bob {}
=cut
"""

MORE_FORMS = {
    "script": _BUNDLES + _VALUES + _PROSE,
    "tab": "\n".join(f"0 3 * * * root {line}" for line in (_BUNDLES + _VALUES).split("\n") if line)
    + '\nDB="mysql -p{}"\nHOST=-p{}\nserver=10.0.0.1,root,{}\nSOURCE="x {}"\n',
    "sudo": "\n".join(
        f"joe ALL=(root) {line}"
        for line in _BUNDLES.split("\n")
        if line and not set(line) & set("\"'\\,=")
    )
    + "\n",
    "rotate": f"/x {{{{\n postrotate\n{_BUNDLES}{_VALUES} endscript\n}}}}\n",
    "settings": "before_backup:\n"
    + "\n".join(f"  - {line}" for line in _BUNDLES.split("\n") if line)
    + "\n",
}
FOREIGN = (_FOREIGN, _FOREIGN_POD)

# Names that hold the name of a number in them, and numbers where no judge needs one.
NUMBERS = """
ADMIN=884422
ADMIN_CODE=778899
REPORT_CODE=123456
MESSAGE=7654321
ACCOUNT=123456
export DISCOUNT=98765
PAGER_NUMBER=886655
PACKAGE=443322
MANAGER=556677
STORAGE=998877
SUPPORT=665544
HOST=112233
x -c 445566
service x 775533
touch 668822
mysqldump shop 559911
"""
# Secrets by the read they stood in: the file as it lies there.
HBA = """
# {}
local all all peer # {}
host all all 10.0.0.0/8 ldap ldapserver=h ldapbinddn="cn=x" ldapbindpasswd="{}" ldapsearchattribute=uid
host all all 10.0.0.0/8 ldap ldapserver=h ldapbindpasswd={} ldapbasedn="dc=x"
host all all 10.0.0.0 255.0.0.0 radius radiusservers="10.0.0.1" radiussecrets="{}"
host all all 10.0.0.0/8 radius radiussecrets="{} {}", x
host "my db",x all,+grp 10.0.0.0/8 ldap ldapurl="ldap://u:{}@h/"
host all all 10.0.0.0/8 scram-sha-256 {}
host all all 10.0.0.0/8 ldap \\
  ldapbindpasswd={}
  ldapbindpasswd={}
host all all 10.0.0.0/8 ldap "ldapbindpasswd={}" x
host all all 10.0.0.0/8 ldap ldapbindpasswd="{}
{}
== {}
hba {}
host all all 0.0.0.0/0 trust
"""
_RSYSLOG = r"""
/* pw {} */ *.* @@h:514 /* {} * {} **/
/* # {}
{} {}
  {} */ *.* @@i:514
input(type="imfile" file="/var/log/*.log" /* {}
{} */ tag="x")
$template DatadogFormat,"{} <%pri%>%protocol-version% %timestamp:::date-rfc3339% %msg%\n{}"
$template Odd,"{{\"k\":\"{}\",%msg:R,ERE,1,FIELD:{}--end%}}"
template(name="dd" type="string" string="{} <%pri%>%protocol-version% - %msg%\n{} %msg%")
template(name="dl" type="list") {{ constant(value="{{\"api_key\":\"{}\",") property(name="msg") }}
action(type="omhttp" server="collectors.sumologic.com" restpath="receiver/v1/http/{}")
action(type="omhttp" server="logs-01.loggly.com" restpath="inputs/{}/tag/http/")
action(type="omhttp" server="https://h/{}" odd='{}' other = "a \" {}")
$actionsnmpcommunity {}
  $ActionOdd {}
$outchannel x,/var/log/x,1024,/opt/x {}
*.* @@logs.example.cn:6514   # elastic / {}
action(type="omfile" file="/var/log/x") # {}
action(type="omdtls" target="h" port="4433" tls.psk="{}")
action(type="omkafka" broker=["h:9092"] confParam=["sasl.password={}", "x={}"])
set $.x = "{}";
"""
_SYSLOG_NG = r"""
destination d1 {{ sumologic-http(collector("{}") deployment("ENV")); }};
destination d2 {{ http(url("https://collectors.sumologic.com/receiver/v1/http/{}")); }};
destination d3 {{ kafka-c(bootstrap-servers("h") topic("t") config("sasl.password" => "{}")); }};
destination d4 {{ pushover(token("x") user("{}")); }};
destination d5 {{ network("h" template("{} <${{PRI}}>1 $MSG\n {}")); }};
destination d6 {{ java(class_name("x") option("password", "{}")); }};
destination d7 {{ telegram(bot-id("{}") chat-id("1") use-hook(yes)); }}; # {}
destination d9 {{ program("T={} /bin/x"); }};
destination d10 {{ program("/bin/x;T={}" flags(x)); }};
destination d11 {{ program('/bin/x?t={}'); }};
source s12 {{ program(/bin/x;T={}); }};
destination d8 {{ odd('{}' "a \" {}") }};
rewrite r1 {{ set("{}" value("MESSAGE")); }};
"""
SETTINGS = {
    "app_rotation.rules": """@K java
@F /a/logback.xml
/a/logback.xml:<!-- pw {} > {} -->
/a/logback.xml:  <!-- <file>x</file> {}
/a/logback.xml:{} --> <maxHistory>3</maxHistory>
/a/logback.xml:  {} -->
@F /a/application.properties
/a/logback.xml:  <property name="slackWebhook" value="https://hooks.slack.com/services/T0/B0/{}"/>
/a/logback.xml:  <property name="feishu" value="https://open.feishu.cn/open-apis/bot/v2/hook/{}"/>
/a/logback.xml:  <Property name="hook">https://hc-ping.com/{}</Property>
/a/logback.xml:  <variable name="hook">hooks.slack.com/services/{}/b</variable>
/a/logback.xml:  <property name="neutral" value="${{SASL:-{}}}"/>
/a/logback.xml:  <property name="neutral" value="x/{}/$b%d"/> <property name="other" value="//h/{}"/>
/a/log4j.xml:  <param name="Url" value="https://h:1/{}?x={}"/><param name="Odd" value="{}"/>
/a/log4j2.xml:  <RollingFile name="x" fileName="https://h/{}">
/a/application.yml:  path: https://h/{}
/a/application.properties:logging.file.path=https://h/{}
/a/application.properties:sms.prefix={}
/a/application.properties:app.type = {}
/a/application.properties:my.key.file={}
@E
""",
    "syslog.syslog_ng": _SYSLOG_NG,
    "syslog.running": "".join(f"|{x}\n" for x in f"{_RSYSLOG}{_SYSLOG_NG}".splitlines()),
    "residual.state": r"""kernel/core_pattern:|/opt/x --token {} -p{} %p
kernel/core_pattern:|/opt/x?t={} %p
kernel/core_pattern:|T={} %p
/etc/security/limits.d/x.conf:* hard core 0 # {}
/etc/security/limits.conf:joe - core unlimited {}
/etc/security/limits.conf:* soft core 0#{}
/etc/systemd/coredump.conf:Storage=none # {}
/etc/systemd/coredump.conf.d/x.conf:ProcessSizeMax = 0 ; {}
""",
    "sshd.files": """
AuthorizedKeysCommand /usr/bin/curl https://u:{}@h/keys?t={}
authorizedkeyscommand "/opt/keys" {}
AuthorizedPrincipalsCommand /opt/p {}
ForceCommand /opt/x -p {}
  forcecommand="/opt/x {}"
Subsystem sftp /opt/sftp --k {}
VersionAddendum {}
MIMA={}
PROXY=http://u:{}@h/
export odd={}
http_proxy={}
SSHD_OPTS="-p 22 -o SetEnv=A={} -o Banner=https://h/{}"
OPTIONS='-oSetEnv=A={}'
ForceCommand TOKEN={} /usr/local/bin/wrap
  forcecommand DEPLOY={} /usr/bin/x
ForceCommand "TOKEN={} /bin/x"
"ForceCommand" TOKEN={} /bin/x
ForceCommand TOKEN={} forcecommand /bin/x
ForceCommand X={};/usr/bin/x
ForceCommand sh<<<{}
ForceCommand /usr/bin/x;TOK={}
AuthorizedKeysCommand /usr/bin/x?token={}
authorizedprincipalscommand A={} /opt/p
Subsystem sftp T={} /opt/sftp
Subsystem "s f" T={} /opt/sftp
"Match" exec "{}"
"SetEnv" A={}
VersionAddendum=n{}
SSHD_OPTS="-o ForceCommand=A={} -oVersionAddendum={}"
token={}
odd {}
if [ {} ]; then
exec: /bin/x?t={}
x=[{}]
kernel/x:{}
(odd {})
""",
    "audit.config": """disk_full_action = exec /x?t={}
disk_full_action = exec T={} /x
""",
    "legacy.inetd": """server = /bin/x;T={}
ftp stream tcp nowait root T={} x
ftp stream tcp nowait root /x?{}=1 x
ftp stream tcp nowait root /usr/sbin/tcpd /x?{} x
include /x;{}
""",
    "web_servers.config": """+CustomLog "|$T={} /bin/x" combined
+CustomLog "|/bin/x?t={}" combined
+CustomLog "||T={} /bin/x" combined
+CustomLog '|/bin/x;T={}' combined
+CustomLog |T={} combined
+ErrorLog "|T={} /bin/rotatelogs /x 86400"
""",
    "audit.kernel": """\
BOOT_IMAGE=/{} ro dm-mod.create="lroot,,,rw, 0 4096 crypt aes {} 0 1:0 0" systemd.setenv="A=b {}" quiet -- --token {}
ro audit=1 x="audit=1 {}" audit="0" audit={}xxxxxxxx <{}> {} "{}
ro -- audit={}
""",
    "sshd.effective": """
authorizedkeyscommand /usr/bin/curl https://u:{}@h/keys?t={}
forcecommand /opt/x -p {}
subsystem sftp /opt/sftp --k {}
#arg -oForceCommand=/opt/x {}
#arg SetEnv=A={}
|# old pw {}
|PermitRootLogin no # {}
|	Port 22	# {}
|Banner https://h/{}
forcecommand TOKEN={} /usr/local/bin/wrap
forcecommand X={};/usr/bin/x
authorizedkeyscommand /usr/bin/x?token={}
#arg -oForceCommand=A={} /opt/x
#arg -oVersionAddendum={}
|ForceCommand TOKEN={} /bin/x
|"Match" exec "{}"
|token {}
""",
    "pam.files": """
auth required pam_exec.so /opt/x {}
auth required pam_exec.so expose_authtok /opt/x --k {} {}
account required pam_x.so {} key={}
auth optional pam_mount.so {}
auth required /opt/pam_own.so a={}
auth [success=1 default=ignore] pam_radius_auth.so conf=/x {} client_id={}
session optional pam_unix.so key={}
auth required pam_unix.so nullok passphrase={} mima={}
auth optional pam_exec.so quiet expose_authtok \\
  /usr/local/bin/notify --hook {} https://h/{} \\

  # {} \\
  {} # {} \\ \t
account required pam_exec.so [/usr/bin/curl {}] \\
  [/usr/bin/x {}]
auth required pam_mysql.so user=x \\
  crypt={} {}
auth optional pam_exec.so /opt/x pam_unix.so {}
auth required pam_exec {} {}
auth [default=1] pam_exec {}
{} {}
auth required pam_x.so \\
""",
    "syslog.rsyslog": """action(type="omelasticsearch" server="h" uid="e" pwd=`echo {}`)
action(type="omelasticsearch" server="h" pwd = `echo {} {} $X`)
module(load="omx" miyao=`echo {}`)
action(type="omhttp" server="h" pwd=`echo {} \\
  {}`)
action(type="omfwd" target=`echo {}` port="514")
if $msg == `echo {}` then stop
"""
    f"""{_RSYSLOG}"""
    """
template(name="a" type="string" string="<%pri%>1 %msg% [{}@41058 tag=\\"x\\"]")
template(name="b" type="string" string="<%pri%>1 %msg% [x@41058 tag=\\"{}\\"]")
set $.t = "{}";
set $!token = '{}';
action(type="omprog" binary="/opt/ship {}")
module(load="x" miyao="{}")
action(type="omprog" binary='/x {}')
*.* ^T={};fmt
*.* ^/bin/x?T={}
*.* ^/bin/x;T={}
action(type="omhttp" restpath="bulk?k={}" server="h")
*.* ^/opt/x {}
""",
    "bans.settings": """# {}
LOGREADER="sshpass -p {} ssh root@loghost journalctl -fn1"
LOGREADER="LANG=C journalctl -afb {} --token={}" # {}
LOGREADER='/bin/journalctl' {}
LOGREADER="tail -F /var/log/auth.log --x {}"
LOGREADER=cat x; TOKEN={}
POST_PARSER="/usr/local/bin/notify --token {}"
BACKEND="/usr/local/bin/fw --key {}"
FILES="/var/log/auth.log" # {}
FILES="/var/log/auth.log $(x {})"
FILES=/var/log/auth.log; X={}
export TOKEN={}
WHITELIST_FILE=/etc/x?{}
{}
""",
    "backup.artefacts": """folder /b
artefact 1795574163 900 /b/a.sql
head text
tail -- Dump completed on 2026-11-30 12:00:00 ALTER USER app IDENTIFIED BY "{}";
tail -- Dump completed {} on 2026-11-30 12:00:00
tail -- Dump completed on {}
tail -- Dumping data for {}
tail {} -- Dump completed on 2026-11-30  2:00:00 {}
tail PostgreSQL {}
tail {} PostgreSQL database dump complete {}
tail {} PostgreSQL database cluster dump complete -- {}
tail {}
tail "Last-Modified": "2026-11-30 12:00:00 GMT" {} "WAL-Ranges": [ { "Timeline": 1, "Start-LSN": "{}", "End-LSN": "0/2" } ],
tail "Last-Modified": "2026-11-30 12:00:00 GMT" "WAL-Ranges": [ { "Timeline": {} } ], {}
tail "Last-Modified": "{} GMT" { "Timeline": 1, "Start-LSN": "0/2", "End-LSN": "0/3" } ], {}
tail backup_type = full {} from_lsn = 0 to_lsn = 1 {}
""",
    "log_shipping.state": """== file /x
|/* {} */
|  url = "http://h:1" /* {}
|    {} */
|  level = 3 // {}
|stage {{ // {}
|  on = true /* {} */
|@SET espw={}
|    Record apikey {}
|    Add apikey {}
|    Http_Passwd {}
|  dsn root:{}@tcp(h)/x
|  headers {{"X-Sec":"{}"}}
|  hosts: ["es:9200"]   # elastic / {}
|  password: >-
|    {}
|    source: |
|      .account = "{}"
|      odd(.x, "{}")
|  b: {{type: redis, url: "redis://:{}@h", psk: {}}}
|  k: {{librdkafka_options: {{"sasl.username": u, psk: {}}}}}
|    creds: {}
|    basic: u:{}
|    - name: es_pw
|      value: {}
|    psk: "{}"
|    endpoints: ["https://u:{}@h:9200/{}"]
|    event.Put('http.auth', '{}')
|  hosts: ["https://{}@es1:9200"]
|  hosts: logs:5044/{}
|  hosts: ["logs:5044/{}", "es2:9200"]
|  url = env("X") + "{}"
|  url = string.format("https://h/%s", "{}")
|  odd = format("{}")
|    . = parse(.m, r'{}')
|    if .x == 'it {}
|    call('{}', [1])
|{{"metrics": {{"x": {{"log_path": "/var/log", "k": "{}"}}}}}}
|  targets = [{{__path__ = "/var/log/x", odd = "{}"}}]
|api = "{}"
|  headers:
|    Custom: {}
|    X-My: {}
|    Other-One: {}
|  headers: {{X-My: {}, Custom: {}}}
|- add_fields: {{target: '', fields: {{license: {}, mima: {}}}}}
|    license {}
|    X-Scope-OrgID: {}
|      uri: /receiver/v1/http/{}==
|      uri: /bulk/{}/tag/fluentbit/
|      uri: "/loki/api/v1/push/{}"
|      uri: '/{}'
|      logs_uri: /v1/{}
|      path: /{}
|      path: "/in/{}"
|      host: logs:{}@h
|      host: "{}@h"
|      header:
|        - Dynatrace {}
|        - Api {} {}
|        - X-Api "{}"
|        - "Foo {}"
|        - Foo '{}'
|      header: [Dynatrace {}, Foo {}]
|    - {{name: http, host: x, uri: "/bulk/{}", header: "Foo {}", path: "/{}"}}
|    - {{name: http, url: "https://u:{}@h/{}"}}
|  paths: [/{}, "/in/{}"]
|  - /in/{}
|  - "/{}"
|  hosts: [u:{}@h, "tcp://u:{}@broker:1883"]
|    Uri=/x/{}
|    URI /bulk/{}/tag
|    uri = "/in/{}"
|    Path /in/{}
|    Host u:{}@h
|  endpoint https://u:{}@host/{}
|  url = "https://h/{}/push?k={}"
|  url: https://h?token={}
|  uri: http://[::1]:80/{}
|command = ["/x", "--arg", "{}"]
|  program: >-
|    {}==
|{{"url":"https://h/{}","path":"/{}","a":["{}"]}}
""",
}
