"""Secrets in settings in forms that went through once: beside a brace, bare, behind a remark.

Files by path, beside those of `planted`; `MARK` stands in each secret.
"""

# ruff: noqa: E501 - lines as they stand on hosts
from __future__ import annotations

from tests.planted import ALL as _ALL
from tests.planted import MARK as M

_CADDY = f"""
(auth) {{
	header_up X-Api-Token {{args[0]}}
}}
two.example.com, {{$DOMAIN:{M}k0}}, http://c.example.com/{M}k1/* {{
	tls {{
		dns cloudflare {{$CF_API_TOKEN:{M}k2}}
		dns alidns {{
			access_key_secret {{$ALI_SECRET:{M}k3}}
		}}
	}}
	basic_auth {{
		bob {{$BOB_HASH:{M}k4}}
	}}
	import auth {M}k5
	log {{
		output net logs.example.com:5000/{M}k6
		format append {{
			token {M}k7
		}}
	}}
	reverse_proxy https://u:{M}k8@h {{
		header_up Authorization "Basic {{$UPSTREAM_AUTH:{M}k9}}"
		header_up X-Key "{{http.request.host}}-{M}k10"
	}}
	@ok header X-Secret {{$S:{M}k11}}
	respond `{{"key":"{M}k12"}}`
	respond `{{
		{M}k13 {{
	}}`
	respond <<HTML
		{{ {M}k14 {{
		HTML 200
	redir https://h/{{uri}}?sig={M}k15
	@c expression {{http.request.header.X-K}} == "{M}k16"
	crypto key sign-verify {{env.JWT:{M}k17}}
	log_append key "{{$K:{M}k18}}"
}}
"""
_LIGHTTPD = f"""
$HTTP["host"] == "x.example.com" {{ setenv.add-request-header = ("Authorization" => "Basic {M}k20") }}
$HTTP["querystring"] =~ "tok={M}k21" {{
$HTTP["host"] =~ "{M}k22" {{
accesslog.filename = "|/bin/sh -c 'ship {M}k23 | rotatelogs x'"
accesslog.format = "%h" # {M}k24
accesslog.format = "%h {M}k27 \\"%r\\" {M}k28"
accesslog.format = var.x + "{M}k29"
extforward.headers = ( "{M}k25" )
mod_accesslog "{M}k26"
"""
_TOMCAT = f"""
<Server>
<Connector port="8443" certificateKeystorePassword="{M}k30{{" keyAlias="{{x}}"/>
<Parameter name="appSecret" value="{{AES}}{M}k31"/>
<Environment name="dbPwd" value="${{x:{M}k32}}" type="java.lang.String"/>
<Valve className="org.X.SecretLogValve" apiKey='{M}k33' pattern="{M}k34"/>
<Valve className="x.AccessLogValve" pattern="%h %{{yyyy'{M}k44'}}t &quot;%r&quot; {M}k45"/>
<Realm className="x" connectionName="${{x}}" connectionPassword='{M}k35'/>
<!-- {{old}}
 pwd {M}k36 {{x}} <Valve className="x.AccessLogValve" pattern="{M}k37"/> -->
<Host name="two" appBase="y" authToken="{M}k38" pswd="{M}k39">
<Valve className="x.AccessLogValve" encryptKey="{M}k40" mima="{M}k41" sk = '{M}k42'
  conditionUnless="{M}k43"/></Host>
</Server>
"""
_NGINX = f"""
http {{ map "$http_x {M}n0" $known2 {{ default 0; }}
 server {{ set $remote_k "$http_x {M}n1"; set $k2 $http_x-{M}n2; location /hook/{M}n3/x {{ access_log off; }}
 access_log /var/log/nginx/b.log main if=$arg_x{M}n4-x; access_log /var/log/nginx/c.log main "x {M}n5"; }} }}
http {{ log_format t1 '$remote_addr key={M}n6 '{M}n7 ' [$time_local] "$request" {M}n8-$status ${{host}}{M}n9';
 log_format t2 escape=json '{{"{M}n20":"$remote_addr","t":"{M}n21","y":"$uri"}}\n'; log_format "$uri {M}n22";
 server {{ location /{M}n23 {{ access_log off; }} location = /x/{M}n24/y {{ root /x; }} location @{M}n25 {{ access_log off; }}
 location ~* "^/(a|{M}n26)[.]php$" {{ access_log off; location /x/{M}n27 {{ access_log /var/log/d "{M}n28 y"; }} }} }} }}
"""
_APACHE = f"""
Define apihash {M}n10
DEFINE quoted "{M}n11 x"
USE Macro joe {M}n12
CUSTOMLOG '|/usr/bin/ship {M}n13' odd
CustomLog "|/bin/sh -c 'ship {M}n14 | rotatelogs x'" odd
CustomLog /var/log/apache2/x.log combined "expr=%{{HTTP:X}} == \\"{M}n15\\""
LogFormat "%h %{{{M}n30 %Y}}t {M}n31 \\"%r\\" tok={M}n32:%>s" odd2
LogFormat '%h {M}n33'
CustomLog /var/log/apache2/y.log "%h {M}n34 %r" env={M}/n35
GlobalLog /var/log/apache2/z.log '%h "{M}n36"' expr=true=={M}n37
Define fmt "%h {M}n38"
<Location /{M}n39>
</Location>
"""
_FTP = f"""
RadiusAuthServer localhost:1812 {M}o20 15
RadiusAcctServer localhost:1813 {M}o21 5
LDAPServer ldap://h/??sub {M}o22
SQLPasswordPBKDF2 sha256 1 20 {M}o23
SQLNamedQuery x SELECT "'{M}o24'"
TLSPassPhraseProvider /bin/x {M}o25
TLSPreSharedKey id hex:{M}o26
RedisServer h:6379 {M}o27
UserPassword bob {M}o28
TLSEngine on # {M}o29
TLSOptions {M}o30
"""
_HOSTS = f"""
127.0.0.1 localhost
10.0.0.5 db01 # root/{M}h0
10.0.0.6 backup #密码{M}h1
10.0.0.7 nas root/{M}h2
"""
_SSH = f"""
Host nas # pw {M}h10
  HostName 10.1.1.1 # {M}h11
  IdentityFile /root/{M}h12
  ProxyCommand sshpass -p {M}h13 ssh -W %h:%p jump
  SetEnv TOKEN={M}h14
Host "x {M}h15"
HostKeyAlias {M}h16
"""
_RCLONE = f"""
[r]
type = sftp
host = nas
user = u
pass = {M}h20
url = https://u:{M}h21@h/dav?token={M}h22
endpoint = https://h/{M}h23
remote = other,pass={M}h24:x
remote = :sftp,host=h,user=u,pass={M}h25:path
remote = :webdav,url="https://h:1/{M}h26",pass="{M}h27:a":x
remote = r:b?x={M}h28
upstreams = :webdav,url="https://h",pass={M}h29:x other:
token = {{"access_token":"{M}h30"}}
; {M}h31
"""
_PGBACKREST = f"""
[global]
repo1-host=bk.example # {M}h40
repo1-path=/srv/b # {M}h41
repo1-cipher-pass={M}h42
repo1-cipher-type=aes-256-cbc
repo2-s3-key={M}h43
repo2-s3-key-secret={M}h44
repo2-s3-endpoint=https://u:{M}h45@s3.example/{M}h46
repo1-type={M}h47
"""
_NG = f"""
@define K "{M}s0"
@define "K2" '{M}s1'
@define K3 {M}s2
@define LOGDIR /var/log/x # {M}s3
block destination wx(key("{M}s10") corp({M}s11)) {{ http(url("https://h/send?key=`key`")); }};
destination e1 {{ wx(key({M}s12)); }};
destination e2 {{ foo(apikey({M}s13) x("a" {M}s14, {M}s15 => {M}s16)); }};
destination e3 {{
  foo(
    sekrit(
      {M}s17
    )
    "{M}s18
    {M}s19" {M}s20)
  ); }};
destination e4 {{ sql(username({M}s21) password({M}s22)); http(headers(X: {M}s23)); }};
source e5 {{ http-test(secret({M}s24)); }};
python {{
api = {M}s25
KEY='{M}s26'
def f(): return g("{M}s27", {M}s28)
}};
"""
_WRAPPERS = f"""
sshd: 10.1.0.0/255.255.0.0 192.168.3. # {M}x0
sshd: ALL : \\
  spawn curl -u bak:{M}x1 https://h/
sshd: ALL : SPAWN({M}x2)
sshd: ALL: twist /x {M}x3 : deny
sshd: "{M}x4"
"""
_XINETD = f"""
service y # {M}x10
{{
 server = /bin/x # {M}x11
 server_args += {M}x12
 env = A={M}x13
 banner = /x {M}x14
 disable = no # {M}x15
}}
"""
_INETD = f"""
telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd {M}x20
ftp stream tcp nowait root /usr/sbin/ftpd ftpd {M}x21 # {M}x22
"""
_CROWDSEC = f"""
name: default_ip_remediation # {M}y0
filters:
 - Alert.Remediation == true && Alert.GetScope() == "Ip" && Alert.GetValue() != "{M}y1"
decisions:
 - type: ban
   duration: 4h # {M}y2
duration_expr: "Sprintf('%dh', 4) + '{M}y3'"
notifications:
 - slack_{M}y4
on_success: break
"""
_SCENARIO = f"""
type: leaky
name: me/ssh
description: "old {M}y10"
filter: "evt.Meta.log_type == 'ssh_failed-auth' && evt.Meta.x != '{M}y11'"
leakspeed: 10s # {M}y12
capacity: 5
groupby: evt.Meta.source_ip
blackhole: 1m
data:
  - source_url: https://u:{M}y13@h/x?token={M}y14
    dest_file: x
labels:
  remediation: true
  key: {M}y15
"""
_OSSEC = f"""
<ossec_config><client><server><address>10.1.1.1</address></server><enrollment><auth_pass>{M}z0</auth_pass></enrollment></client>
<integration><name>slack</name><hook_url>https://h/{M}z1</hook_url></integration>
<global><email_to>a@b.c</email_to><jsonout>{M}z2</jsonout></global>
  <syscheck><disabled>no</disabled> <x>{M}z3</x>
  <directories check_all="yes" x="{M}z4">/etc,/usr/bin</directories>
  <address>10.1.1.2</address> <!-- {M}z5 -->
</ossec_config>
"""
_FALCO = f"""
program_output: {{enabled: true, program: "curl -u {M}z10"}}
http_output:
  enabled: true # {M}z11
  url: https://h/{M}z12
json_output: true
api_key: {M}z13
"""
_SAMHAIN = f"""
[Log]
MailSeverity=crit # {M}z14
[Database]
SetDBPassword={M}z15
[Misc]
SetMailAddress=soc@example.org # {M}z16
SetMailFilterNot='{M}z17'
@if command_succeeds curl -u {M}z18
MessageHeader="{M}z19"
@fi
"""
_REDIS = f"""
user bob on >{M}q0 ~* +@all
user joe on <{M}q1 !{M}q2 nopass
user ann on #{M}q3
requirepass	"{M}q4"
port 6379 # {M}q5
bind 127.0.0.1 # {M}q6
"""
_NFT = f"""
define PW = "{M}f0 x"
define K = {M}f1 # {M}f2
redefine ADM = {{ 10.0.0.0/8, 2001:db8::/32, 192.168.0.1-192.168.0.9,
  {M}f3, "{M}f4",
  $K }}
define L = \\
  "{M}f5"
define a = 1; define b = {M}f6
table inet x {{
  comment "{M}f7 a"
  set s {{ type ipv4_addr; comment "{M}f8"; elements = {{ 10.1.1.1 comment "{M}f9" }} }}
  chain y {{ tcp dport 22 accept # {M}q95
    iifname "lo" accept comment {M}f10
    tcp dport 22 log prefix "{M}f11 x: " level info accept
    tcp dport 23 log prefix {M}f12 drop
    tcp dport 24 log prefix \\
      "{M}f13 x" drop
}} }}
"""
_IPTABLES = f"""
*filter
-A INPUT -m string --string "{M}f20 \\" {M}f21" --algo bm --to 65535 -j DROP
-A INPUT -m string --hex-string "|{M}f22 50|" --algo kmp -j DROP
-A INPUT -m string --string {M}f23 --algo kmp -j DROP
-A INPUT -m string ! --string '{M}f24 x' --algo kmp -j DROP
-A INPUT -m comment --comment "{M}f25 \\" {M}f26" -j LOG --log-prefix "{M}f27 x: "
-A INPUT -j NFLOG --nflog-prefix  {M}f28 --nflog-group 3
-A INPUT -m comment --comment {M}f29 -p tcp --dport 22 -j ACCEPT
COMMIT
"""
MORE = {
    "/etc/caddy/Caddyfile": _CADDY,
    "/etc/lighttpd/lighttpd.conf": _LIGHTTPD,
    "/opt/tomcat/conf/server.xml": _TOMCAT,
    "/etc/nginx/nginx.conf": _NGINX,
    "/etc/apache2/apache2.conf": _APACHE,
    "/etc/proftpd/proftpd.conf": _FTP,
    "/etc/vsftpd.conf": f"ssl_enable=YES # {M}o40\nrsa_private_key_passphrase={M}o41\nftpd_banner={M}o42\n",
    "/etc/hosts": _HOSTS,
    "/root/.ssh/config": _SSH,
    "/root/.config/rclone/rclone.conf": _RCLONE,
    "/etc/pgbackrest/pgbackrest.conf": _PGBACKREST,
    "/etc/syslog-ng/syslog-ng.conf": f'@version: 4.8\n@include "/etc/syslog-ng/more/x.conf"\n{_NG}',
    "/etc/syslog-ng/more/x.conf": _NG.replace(f"{M}s", f"{M}t"),
    "/etc/hosts.allow": _WRAPPERS,
    "/etc/xinetd.d/planted2": _XINETD,
    "/etc/inetd.conf": _INETD,
    "/etc/crowdsec/profiles.yaml": _CROWDSEC,
    "/etc/crowdsec/scenarios/me.yaml": _SCENARIO,
    "/etc/crowdsec/simulation.yaml": f"simulation: off # {M}y20\nexclusions:\n - x # {M}y21\n",
    "/usr/local/bin/cscli": "#!/bin/sh\nexit 0\n",
    "/var/ossec/etc/ossec.conf": _OSSEC,
    "/etc/falco/falco.yaml": _FALCO,
    "/etc/samhain/samhainrc": _SAMHAIN,
    "/etc/redis/redis.conf": _REDIS,
    "/etc/mongod.conf": f"security:\n  authorization: enabled # {M}q10\n  keyFile: /x/{M}q11\n",
    "/etc/elasticsearch/elasticsearch.yml": f"xpack.security.enabled: true # elastic / {M}q20\n",
    "/etc/sysstat/sysstat": f"HISTORY=7 # {M}q30\n",
    "/etc/aide/aide.conf": f"/srv CONTENT # {M}q40\n!/opt/x # {M}q41\n",
    "/etc/nginx/conf.d/roots.conf": f'server {{\n root /srv/x; # {M}q50\n root /srv/y; auth_basic "{M}q51";\n}}\n',
    "/etc/clamav/clamd.conf": f"LogFile /var/log/clamav/c.log # {M}q60\nOnAccessExcludeUname {M[:2]}\n",
    "/etc/systemd/journald.conf.d/x.conf": f"[Journal]\nStorage=persistent # {M}q70\n; {M}q71\n",
    "/etc/audit/rules.d/x.rules": f"-w /etc/x -p wa -k x # {M}q80\n",
    "/etc/security/pwquality.conf": f"minlen = 12 # {M}q90\n; {M}q91\n",
    "/etc/login.defs": f"PASS_MAX_DAYS 90 # {M}q92\n",
    "/etc/pam.d/planted2": f"auth required pam_unix.so nullok # {M}q93\n",
    "/etc/ssh/sshd_config.d/planted2.conf": f"PermitRootLogin no # {M}q94\n",
    "/etc/nftables.conf": _NFT,
    "/etc/iptables/rules.v4": _IPTABLES,
    "/etc/tmpfiles.d/x.conf": f"f /etc/x 0600 root root - {M}q96\nd /var/log/x 0755 root root 30d # {M}q97\n",
    "/etc/postgresql/16/main/postgresql.conf": f"log_directory = 'log' # {M}q98\n",
    "/etc/mysql/conf.d/planted2.cnf": f"[mysqld]\nserver_audit_file_path=/var/log/x # {M}q99\n",
}  # fmt: skip
_REPORT = f"""{{"schema": "urn:hostpledge:schema:backup-report:1", "job": "x", "started": "2026-11-25T01:00:00+08:00",
 "finished": "2026-11-25T02:00:00+08:00", "ok": true, "paths": ["/srv", "shop"], "bytes": 12,
 "repository": "s3:https://u:{M}j0@h/b?sig={M}j1", "verified": {{"at": "2026-11-25T02:00:00Z", "ok": true, "how": "restic -p {M}j2"}},
 "message": "pw \\" {M}j3", "password": "{M}j4", "creds": ["a]b", "{M}j5"], "auth": {{"user": "u", "x": "{M}j6"}},
 "keys": [
   "{M}j7",
   "rest:https://{M}j8aaaaaaaaaaaaaaaaaaa@h/"
 ], "pw" : "{M}j9" , "pins": 1234{M}j10 }}
"""
_RESTORED = f"""{{"schema": "urn:hostpledge:schema:restore-test:1", "store": "s", "tested": "2026-11-25T01:00:00Z", "by": "joe",
 "artefact": {{"repository": "sftp:u:{M}j20/{M}@h:/x", "snapshot": "u:{M}j28@h", "path": "rest:https://u:{M}j21/{M}@h/", "sha256": "{"a" * 64}", "passphrase": "{M}j22"}},
 "restored_to": "h2 ssh://u:{M}j23@h2/x#{M}j24", "compared": "rows, by https://u:{M}j25@h/ and ftp://v:{M}j26@i/", "ok": true, "remark": "{M}j27"}}
"""
_STORES = f"""# stores
- name: a
  db_password: {M}j30
  Secret: "{M}j31"
  口令: {M}j32
  attested: {{by: x, password: {M}j33, "token": "{M}j34, y"}}
  db_password: |
    {M}j40

    {M}j41
  name: b
  secret: >-
     {M}j42
  api_key: {M}j43
  ACCESS_KEY: "{M}j44"
  path: mysql://u:{M}j45@h/d # old password: {M}j47
- token: |
    {M}j48
  name: c
  token:
    {M}j49
# 密码 {M}j50
"""
MORE |= {
    "/var/lib/hostpledge/backup/planted2.json": _REPORT,
    "/var/lib/hostpledge/restore/planted2.json": _RESTORED,
    "/etc/hostpledge/data-inventory.yml": _STORES,
    "/etc/hostpledge/data-inventory.json": f'{{"stores": [{{"name": "a", "passwd": "{M}j35", "x_token": {M}j36,\n"token":\n"{M}j51",\n "apiKey":\n  "{M}j52"}}]}}',
    "/etc/hostpledge/event-ledger.yml": f"# {M}j37\nevents:\n - id: a\n   api_token: {M}j38\n   what: x # {M}j53\n",
}
# the forms stand below those of `planted`, in the same file
ALL = _ALL | {path: _ALL.get(path, "") + text for path, text in MORE.items()}
