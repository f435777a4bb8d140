"""Secrets in web servers, logs, senders of logs and applications, as people leave them there.

Files by path; `MARK` stands in each secret.
"""

# ruff: noqa: E501 - settings and records as they stand on hosts
from __future__ import annotations

MARK = "Zx9Geheim"
_HEX = f"mysql\0-p{MARK}hex".encode().hex().upper()

_NGINX = f"""
user www-data;
http {{
  # token {MARK}w0
  log_format main '$remote_addr [$time_iso8601] "$request" $status';
  log_format kv 'ip=$remote_addr port=$remote_port key=$arg_key';
  map $http_x_api_key $known {{ default 0; "{MARK}w4" 1; }}
  map $arg_token $who {{ {MARK}w5 joe; }}
  access_log /var/log/nginx/access.log main;
  access_log syslog:server=unix:/dev/log,tag=web main;
  proxy_set_header Authorization "Bearer {MARK}w7";
  server {{
    listen 80;
    server_name example.com;
    auth_basic "{MARK}w8"; auth_basic_user_file /etc/nginx/.htpasswd;
    set $token "{MARK}w9"; set $http_key {MARK}w10; set $remote_key "{MARK}w11";
    if ($arg_token != "{MARK}w12") {{ return 403; }}
    secure_link_md5 "$secure_link_expires$uri {MARK}w13";
    location /{MARK}w14aaaaaaaaaaaaaaaa/ {{ proxy_pass http://joe:{MARK}w15@127.0.0.1:8080/; }}
    location ~ "^/hook/{MARK}w16aaaaaaaaaaaaaaaa$" {{ access_log off; }}
    rewrite ^/x https://joe:{MARK}w17@example.com/?access_token={MARK}w18;
    proxy_set_header X-Api-Key {MARK}w19; fastcgi_param DB_PASSWORD {MARK}w20;
    content_by_lua_block {{ local key = "{MARK}w21" }}
  }}
}}
"""
_APACHE = f"""
ServerRoot "/etc/apache2"
Define TOKEN {MARK}a0
Define DB_PASSWORD "{MARK}a1"
LogFormat "%h %l %u %t \\"%r\\" %>s" odd
CustomLog "|/usr/bin/ship --token {MARK}a3 --password={MARK}a4" odd
CustomLog "|/usr/bin/curl -u joe:{MARK}a5 https://joe:{MARK}a6@host/" odd
CustomLog /var/log/apache2/access.log combined "expr=%{{HTTP:X-Key}} == '{MARK}a7'"
<VirtualHost *:80>
  ServerName example.com
  RequestHeader set Authorization "Basic {MARK}a8"
  ProxyPass / http://joe:{MARK}a9@127.0.0.1/
  SetEnv API_KEY {MARK}a10
  AuthLDAPBindPassword {MARK}a11
  Use Macro joe {MARK}a12
</VirtualHost>
"""
_TOMCAT = f"""<Server port="8005" shutdown="{MARK}t0">
<!-- password {MARK}t1 -->
<Connector port="8443" keystorePass="{MARK}t2" certificateKeystorePassword="{MARK}t3"/>
<Resource url="jdbc:mysql://h/d?user=u&amp;password={MARK}t4" password="{MARK}t5"/>
<Host name="localhost"><Valve className="org.apache.catalina.valves.AccessLogValve" secret="{MARK}t6"
 pattern="%h %t &quot;%r&quot; %s" token="{MARK}t8"/></Host>
</Server>
"""
_CADDY = f"""example.com {{
  log {{
    output net host:1234
    format json
  }}
  basic_auth {{
    joe $2a$14${MARK}c0
  }}
  reverse_proxy https://joe:{MARK}c1@host {{
    header_up Authorization "Bearer {MARK}c2"
  }}
  @key header X-Api-Key {MARK}c3
  respond /log {MARK}c4
}}
"""
_LIGHTTPD = f"""
server.modules += ("mod_accesslog")
accesslog.filename = "|/usr/bin/ship --token={MARK}l0 -p {MARK}l1"
accesslog.format = "%h %t"
setenv.add-request-header = ( "Authorization" => "Basic {MARK}l3" )
$HTTP["querystring"] =~ "token={MARK}l4" {{ }}
"""
_HAPROXY = f"""
frontend web
  log-format "%ci:%cp [%t] %ft"
  http-request deny unless {{ req.hdr(X-Key) -m str {MARK}h1 }}
userlist x
  user joe insecure-password {MARK}h2
"""
WEB = {
    "/etc/nginx/nginx.conf": _NGINX,
    "/etc/nginx/.htpasswd": f"joe:$apr1$salt${MARK}w22\n",
    "/etc/apache2/apache2.conf": _APACHE,
    "/etc/caddy/Caddyfile": _CADDY,
    "/etc/lighttpd/lighttpd.conf": _LIGHTTPD,
    "/etc/haproxy/haproxy.cfg": _HAPROXY,
    "/opt/tomcat/conf/server.xml": _TOMCAT,
}

_REQUEST = '"GET /login?user=joe&token={0}&password={0} HTTP/1.1" 200 12'
_TIME = "25/Nov/2026:02:36:03 +0000"
_ACCESS = "\n".join(
    [
        f"203.0.113.7 - {MARK}g0 [{_TIME}] {_REQUEST.format(MARK + 'g1')} "
        f'"https://joe:{MARK}g2@example.com/?access_token={MARK}g3" "{MARK}g4/1.0" {MARK}g5',
        f'203.0.113.7 - - [{_TIME}] "GET /{MARK}g6/reset HTTP/1.1" 302 0 "-" "curl"',
        f'203.0.113.7 - - [{_TIME}] "\\x16\\x03 {MARK}g7" 400 0',
        f'{{"time":"2026-11-25T02:36:03+00:00","client_ip":"203.0.113.7","token":"{MARK}g8",'
        f'"request_uri":"/?key={MARK}g9","authorization":"Basic {MARK}g10","status":200}}',
        f'{{"time":"2026-11-25T02:36:03+00:00","{MARK}g14":"x","a_{MARK}g15": 2}}',
        f'203.0.113.7 {MARK}g11 [{_TIME}] "POST /api HTTP/1.1" 200 1 key={MARK}g12 port=5{MARK}g13',
        "",
    ]
)
_HEAD = "2026-11-25T02:36:03.123456+00:00 web1"
_AUTH = "\n".join(
    [
        f"{_HEAD} sshd[1]: Failed password for invalid user {MARK}u0 from 203.0.113.7 port 5 ssh2",
        f"{_HEAD} sshd[1]: Invalid user {MARK}u1 from 203.0.113.7 port 5",
        f"{_HEAD} sudo:      joe : TTY=pts/0 ; PWD=/home/{MARK}u2 ; USER=root ; "
        f"COMMAND=/usr/bin/mysql -uroot -p{MARK}u3 --password={MARK}u4",
        f"{_HEAD} su[2]: (to {MARK}u5) joe on pts/1",
        f"{_HEAD} useradd[3]: new user: name={MARK}u6, UID=1001, GID=1001, home=/home/{MARK}u7",
        f"{_HEAD} CRON[4]: pam_unix(cron:session): session opened for user {MARK}u8(uid=0) by (uid=0)",
        f"{_HEAD} login[5]: FAILED LOGIN (1) on '/dev/tty1' FOR '{MARK}u9', Authentication failure",
        "",
    ]
)
_AUDIT = "\n".join(
    f"type={kind} msg=audit(1795574163.{n:03}:{n}): {rest}"
    for n, (kind, rest) in enumerate(
        [
            ("EXECVE", f'argc=3 a0="mysql" a1="-p{MARK}d0" a2="--password={MARK}d1"'),
            ("PROCTITLE", f"proctitle={_HEX}"),
            ("USER_CMD", f"pid=1 uid=0 msg='cwd=\"/{MARK}d2\" cmd={_HEX} terminal=pts/0 res=success'"),
            ("USER_TTY", f"pid=1 uid=0 data={_HEX}"),
            ("TTY", f'tty pid=1 uid=0 comm="bash" data={_HEX}'),
            ("USER_LOGIN", f"pid=1 msg='op=login acct=\"{MARK}d3\" exe=\"/usr/sbin/sshd\" "
                           f"hostname=? addr=203.0.113.7 terminal=ssh res=failed'"),
            ("SYSCALL", f'arch=c000003e syscall=59 success=yes comm="{MARK}d4" exe="/x/{MARK}d5" '
                        f'key="{MARK}d6"'),
            ("DAEMON_START", f"op=start ver=4.0 user={MARK}d7 res=success"),
        ]
    )
) + "\n"  # fmt: skip
_SYSLOG = "\n".join(
    [
        f"{_HEAD} CRON[1]: (root) CMD (curl -u joe:{MARK}s0 https://host/?token={MARK}s1)",
        f"{_HEAD} app: password={MARK}s2 token: {MARK}s3 Authorization: Bearer {MARK}s4",
        f"{_HEAD} kernel: {MARK}s6: IN=eth0 SRC=203.0.113.7",
        f"{MARK}s7",
        "",
    ]
)
LOGS = {
    "/var/log/nginx/access.log": _ACCESS,
    "/var/log/nginx/error.log": f"2026/11/25 02:36:03 [error] 7#7: *1 {MARK}e0: {_ACCESS}",
    "/var/log/apache2/access.log": _ACCESS,
    "/var/log/auth.log": _AUTH,
    "/var/log/secure": _AUTH,
    "/var/log/audit/audit.log": _AUDIT,
    "/var/log/syslog": _SYSLOG,
    "/var/log/messages": _SYSLOG,
    "/var/log/cron.log": _SYSLOG,
    "/var/log/app/app.log": f"2026-11-25 02:36:03,123 [main] INFO login {MARK}o0 pw={MARK}o1\n",
    "/var/log/mysql/error.log": f"2026-11-25T02:36:03Z 1 [Note] IDENTIFIED BY '{MARK}o2'\n",
    "/var/log/postgresql/postgresql-16-main.log": "2026-11-25 02:36:03.123 UTC [7] LOG:  statement:"
    f" ALTER ROLE joe PASSWORD '{MARK}o3'\n",
    "/var/log/mail.log": f"{_HEAD} postfix/smtp[1]: to=<{MARK}o4@example.com>, relay={MARK}o5\n",
    "/var/log/tlog/tlog.log": '{"ver":"2.3","host":"h","rec":"a-1","user":"joe","session":3,"id":1,'
    f'"pos":0,"time":1795574163.123,"in_txt":"{MARK}r0","out_txt":"{MARK}r1"}}\n',
    "/var/log/script/joe.log": 'Script started on 2026-11-25 02:36:03+00:00 [TERM="xterm"]\n'
    f"$ mysql -p{MARK}r2\n2020-01-01 00:00:00 {MARK}r3\nScript done on 2026-11-25 02:40:03+00:00\n",
    "/var/log/sudo-io/00/00/01/log": f"1795574163:joe:root::/dev/pts/0:24:80\n/home/{MARK}r4\n"
    f"/usr/bin/mysql -p{MARK}r5\n",
    "/var/log/sudo-io/00/00/01/ttyin": f"{MARK}r6\n",
}  # fmt: skip

_FILEBEAT = f"""
filebeat.inputs:
  - type: filestream
    enabled: true
    paths: [/var/log/*.log]
cloud.auth: "elastic:{MARK}f0"
output.elasticsearch:
  hosts: ["https://joe:{MARK}f1@203.0.113.9:9200"]
  username: joe
  password: "{MARK}f2"
  api_key: "id:{MARK}f3"
  headers: {{Authorization: "ApiKey {MARK}f4", X-Key: {MARK}f5}}
"""
_FLUENT = f"""
[OUTPUT]
    Name es
    Host 203.0.113.9
    HTTP_User joe
    HTTP_Passwd {MARK}f6
    Header Authorization Bearer {MARK}f7
    AWS_External_ID x
    Shared_Key {MARK}f8
    URI /services/{MARK}f9
"""
_FLUENT_YAML = f"""
pipeline:
  outputs:
    - name: http
      host: collectors.sumologic.com
      port: 443
      uri: /receiver/v1/http/{MARK}f50==
    - name: http
      host: joe:{MARK}f51@203.0.113.10
      uri: "/bulk/{MARK}f52/tag/x"
      path: /{MARK}f53
      header:
        - Dynatrace {MARK}f54
        - X-Api {MARK}f55 {MARK}f56
    - {{name: http, host: x, uri: "/bulk/{MARK}f57", header: "Foo {MARK}f58"}}
"""
_VECTOR = f"""
[sinks.out]
type = "http"
uri = "https://joe:{MARK}f10@203.0.113.9/?token={MARK}f11"
auth.password = "{MARK}f12"
auth.token = '{MARK}f13'
request.headers.X-Api-Key = "{MARK}f14"
"""
_PROMTAIL = f"""
clients:
  - url: https://joe:{MARK}f15@203.0.113.9/loki
    basic_auth: {{username: joe, password: {MARK}f16}}
    bearer_token: {MARK}f17
"""
_RSYSLOG = f"""
module(load="omrabbitmq")
action(type="omrabbitmq" host="q" user="u" password="{MARK}f18" routing_key="x")
action(type="omhiredis" server="r" serverpassword="{MARK}f19")
action(type="omsnmp" server="s" community="{MARK}f20")
action(type="omclickhouse" server="c" user="u" pwd="{MARK}f21")
action(type="omazureeventhubs" amqp_address="amqps://k:{MARK}f22@h" azure_key="{MARK}f23")
action(type="omhttp" server="h" httpheaders=["X-Api-Key: {MARK}f24","Authorization: Splunk {MARK}f25"])
action(type="omlibdbi" driver="mysql" server="db" pwd='{MARK}f26')
$ActionOmmysqlServerPassword {MARK}f27
:msg, contains, "password={MARK}f28" /var/log/x.log
# old: *.* :ommysql:h,d,u,{MARK}f29
*.* @@203.0.113.9:514
"""
_SYSLOG_NG = f"""
destination d1 {{ amqp(host("q") username("u") password("{MARK}f30")); }};
destination d2 {{ mongodb(uri("mongodb://u:{MARK}f31@h/")); }};
destination d3 {{ redis(host("r") auth("{MARK}f32")); }};
destination d4 {{ http(url("https://h/?token={MARK}f33") headers("X-Api-Key: {MARK}f34", "A: b")); }};
destination d5 {{ smtp(host("m") password('{MARK}f35')); }};
destination d6 {{ python(class("x") options("token" "{MARK}f36")); }};
destination d7 {{ snmp(community("{MARK}f37") auth-password('{MARK}f38')); }};
destination d8 {{ slack(hook-url("https://hooks.slack.com/services/{MARK}f39")); }};
destination d9 {{ telegram(bot-id("{MARK}f40") chat-id("1")); }};
destination d10 {{ tcp("203.0.113.9" port(514) tls(pkcs12-file("/x") passphrase("{MARK}f41"))); }};
"""
SENDERS = {
    "/etc/filebeat/filebeat.yml": _FILEBEAT,
    "/etc/fluent-bit/fluent-bit.conf": _FLUENT,
    "/etc/fluent-bit/fluent-bit.yaml": _FLUENT_YAML,
    "/etc/vector/vector.toml": _VECTOR,
    "/etc/promtail/config.yml": _PROMTAIL,
    "/etc/rsyslog.d/planted-more.conf": _RSYSLOG,
    "/etc/syslog-ng/conf.d/planted-more.conf": _SYSLOG_NG,
    "/usr/local/ilogtail/user_log_config.json": f'{{"access_key": "{MARK}f42", "log_path": "/x"}}\n',
    "/etc/systemd/journal-upload.conf": f"[Upload]\nURL=https://joe:{MARK}f43@203.0.113.9\n",
    "/etc/audit/audisp-remote.conf": f"remote_server = 203.0.113.9\nkrb5_key_file = /{MARK[:3]}\n",
}

APPS = {
    "/etc/mysql/conf.d/planted.cnf": f"[client]\npassword={MARK}p0\n[mysqld]\n"
    f"server_audit_file_path=/var/log/x\nreport-password={MARK}p1\nserver_audit_excl_users={MARK}p2\n",
    "/etc/docker/daemon.json": f'{{"log-driver":"json-file","log-opts":{{"max-size":"10m",'
    f'"splunk-token":"{MARK}p3"}},"proxies":{{"http-proxy":"http://u:{MARK}p4@p:3128"}}}}\n',
    "/var/lib/docker/containers/aa/hostconfig.json": '{"LogConfig":{"Type":"splunk","Config":'
    f'{{"splunk-token":"{MARK}p5","max-size":"10m"}}}}}}\n',
    "/var/lib/docker/containers/aa/config.v2.json": f'{{"Name":"/x","Config":{{"Image":"x","Env":'
    f'["DB_PASSWORD={MARK}p6"],"Cmd":["x","-p{MARK}p7"]}}}}\n',
    "/opt/jumpserver/config/config.txt": f"SECRET_KEY={MARK}p8\nBOOTSTRAP_TOKEN={MARK}p9\n"
    f"DB_PASSWORD={MARK}p10\nTERMINAL_SESSION_KEEP_DURATION=200\n",
    "/data/jumpserver/core/data/media/replay/2026-11-25/a.cast": '{"version": 2, "width": 80,'
    f' "timestamp": 1795574163, "title": "{MARK}p11"}}\n[0.1, "o", "{MARK}p12"]\n',
    "/etc/redis/redis.conf": f"requirepass {MARK}p13\nmasterauth {MARK}p14\nlogfile /var/log/x.log\n",
    "/etc/mongod.conf": f"systemLog:\n  path: /var/log/m.log\nsecurity:\n  keyFile: /x\n#pw {MARK}p15\n",
    "/etc/zabbix/zabbix_agentd.conf": f"Server=203.0.113.9\nTLSPSKFile=/x\nUserParameter=a,x -p{MARK}p16\n",
    "/etc/fail2ban/jail.d/planted.local": f"[sshd]\nenabled = true\naction = mail[password={MARK}p17]\n",
    "/etc/openvpn/server.conf": f"port 1194\nauth-user-pass-verify /x {MARK}p18\nmanagement 127.0.0.1 7\n",
    "/etc/wireguard/wg0.conf": f"[Interface]\nPrivateKey = {MARK}p19\n",
    "/etc/postfix/main.cf": f"relayhost = x\nsmtp_sasl_password_maps = static:u:{MARK}p20\n",
    "/etc/sysstat/sysstat": f"HISTORY=7\nSECRET={MARK}p21\n",
    "/etc/audit/auditd.conf": "log_file = /var/log/audit/audit.log\nnum_logs = 5\n",
}  # fmt: skip

ALL = WEB | LOGS | SENDERS | APPS
