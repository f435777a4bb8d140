"""Web servers' settings as the host hands them out, and the formats that they name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import NotUnderstood
from collector.facts.logs.records.masking import MASKING
from collector.facts.logs.web import directives
from collector.facts.logs.web import formats as web_formats
from collector.facts.logs.web import servers as web_servers
from collector.facts.logs.web.apache import apache_sites
from collector.facts.logs.web.nginx import nginx_sites
from collector.facts.logs.web.others import caddy_sites, lighttpd_sites, tomcat_sites
from collector.facts.logs.web.servers import Server

_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh", "mksh") if shutil.which(s)]
_AWKS = [a for a in ("mawk", "gawk", "busybox", "original-awk") if shutil.which(a)]

_TRICKY = """\
# a remark with { and ' and "
http { log_format  full '$remote_addr "$request" # no remark; {'
  "$status";   # a remark; }
  content_by_lua_block { local t = { a = "}" } -- it's lua
    ngx.say("{}") }
  map $http_x_forwarded_for $who { ~^(?P<f>[0-9.]+),?.*$ $f; default "a;b{"; }
  server { listen [::]:80 default_server; access_log "/var/log/a b.log" full;
    set $secret Zx9Geheim; set $who $remote_addr; auth_basic_user_file /etc/Zx9Geheim;
    location ~ "^/x{2}\\"$" { access_log /l/${host}.log; if ($arg_token = Zx9Geheim) { access_log off; } }
  }
}
"""
_SAID = """\
+{	http
+log_format	full	$remote_addr "$request" # no r*****; {	$status
+{	-
+}
+{	map	$http_x_forwarded_for	$who
+}
+{	server
+listen	[::]:80	default_server
+access_log	/var/log/a b.log	full
+set	$who	$remote_addr
+{	location	~	^/x{2}\\"$
+access_log	/l/${host}.log
+{	if
+access_log	off
+}
+}
+}
+}
"""


@pytest.mark.parametrize("awk", _AWKS)
def test_nginx_as_its_own_parser_reads_it(awk: str, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text(_TRICKY)
    argv = ["busybox", "awk"] if awk == "busybox" else [awk]
    ran = subprocess.run(
        [*argv, directives.NGINX, str(path)],
        capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert ran.stdout == f"@F {path}\n{_SAID}"


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_read_ends_well_under_every_shell(shell: str) -> None:
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    ran = subprocess.run(
        [*argv, "-c", web_servers.READS[0].body],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("== end\n")
    assert "syntax" not in ran.stderr


def _server(kind: str, text: str, path: str = "/etc/x/x.conf", **settings: str) -> Server:
    return Server(kind, "1 x", path, {path: tuple(text.splitlines())}, settings)


def test_nginx_inherits_where_nothing_is_said() -> None:
    text = "\n".join(x[1:].replace("\\\\", "\\") for x in _SAID.splitlines())
    (site,) = nginx_sites(_server("nginx", text))
    assert [log.path for log in site.logs] == ["/var/log/a b.log", "/l/${host}.log"]
    assert site.logs[0].format is not None
    assert site.logs[0].format.roles >= {"address", "url", "status"}
    assert site.unlogged == ("if",)
    bare = _server("nginx", "{\thttp\n{\tserver\n}\n}", log="/l/a.log")
    assert [log.path for log in nginx_sites(bare)[0].logs] == ["/l/a.log"]


@pytest.mark.parametrize("text", ["{\thttp\n{\tserver\n}", "}\n", "include\tnot-there.conf"])
def test_nginx_that_is_not_whole(text: str) -> None:
    with pytest.raises(NotUnderstood):
        nginx_sites(_server("nginx", text))


def test_apache_sections_that_do_not_hold() -> None:
    text = """\
LoadModule remoteip_module modules/mod_remoteip.so
<IfModule log_config_module>
LogFormat "%a %{remote}p %t \\"%r\\" %>s" full
<IfModule logio_module>
LogFormat "%h" short
</IfModule>
CustomLog "logs/access_log" full
</IfModule>
<IfModule !mod_remoteip.c>
CustomLog "logs/other_log" short
</IfModule>
<IfDefine NOWHERE>
<IfModule core>
RemoteIPHeader X-Real-IP
</IfModule>
</IfDefine>
"""
    (site,) = apache_sites(_server("httpd", text, "/etc/httpd/conf/httpd.conf"))
    assert [log.path for log in site.logs] == ["/etc/httpd/logs/access_log"]
    assert site.real == ""
    assert site.logs[0].format is not None
    assert site.logs[0].format.roles >= {"address", "port", "time", "url", "status"}


def test_the_server_xml_that_tomcat_brings() -> None:
    text = """\
<!--
<Valve className="org.apache.catalina.valves.AccessLogValve" pattern="%{remote}p" />
-->
      <Host name="localhost"  appBase="webapps"
        <Valve className="org.apache.catalina.valves.AccessLogValve" directory="logs"
               pattern="%h %l %u %t &quot;%r&quot; %s %b" />
"""
    (site,) = tomcat_sites(_server("tomcat", text))
    assert site.name == "localhost"
    (log,) = site.logs
    assert log.format is not None
    assert "port" not in log.format.roles
    assert {"address", "time", "url", "status"} <= log.format.roles


def test_caddy_imports_a_snippet_that_logs() -> None:
    text = (
        "(logs) {\nlog {\noutput file /l/a.log\n}\n}\na.example {\nimport logs\n}\nb.example {\n}"
    )
    with_log, without = caddy_sites(_server("caddy", text))
    assert [log.path for log in with_log.logs] == ["/l/a.log"]
    assert without.logs == ()
    with pytest.raises(NotUnderstood):
        caddy_sites(_server("caddy", "a.example {\n"))


def test_lighttpd_without_its_module_logs_nothing() -> None:
    text = 'accesslog.filename = "/l/a.log"'
    assert lighttpd_sites(_server("lighttpd", text))[0].logs == ()


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("http_x_forwarded_port", "server_port"),
        ("http_x_real_port", "port_header"),
        ("http_x_forwarded_client_srcport", "port_header"),
        ("http_x_forwarded_for_port", "port_header"),
        ("http_x_forwarded_for", "address_header"),
        ("http_ali_cdn_real_ip", "address_header"),
        ("realip_remote_port", "peer_port"),
        ("remote_port", "port"),
        ("proxy_protocol_port", "port_proxy"),
    ],
)
def test_what_a_variable_tells(name: str, role: str) -> None:
    roles = web_formats.nginx((f"${name}",), {}).roles
    assert roles == ({role} if role != "server_port" else {""})


def test_a_hostile_record_takes_no_time() -> None:
    form = web_formats.nginx(("$a $b $c $d $e $f $g $remote_port $request $status",), {})
    assert form.values("x, " * 400) is None
    assert form.values(" : " * 400) is None


@pytest.mark.parametrize("awk", _AWKS)
def test_records_are_known_by_a_format_whose_words_stayed_on_the_host(awk: str) -> None:
    argv = ["busybox", "awk"] if awk == "busybox" else [awk]
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    settings = (
        'http { log_format x escape=json \'{"secret1234key":"$remote_addr",\'\n'
        """'"t":"$time_iso8601","u":"$request_uri", "p_9":"$remote_port","x.y":7} end Geheim12';\n"""
        "server { access_log /l x; location /Geheim12/up { access_log off; } } }\n"
    )
    said = subprocess.run(
        [*argv, directives.NGINX],
        input=settings,
        capture_output=True,
        text=True,
        check=True,
        env=env,
    ).stdout
    assert "eheim" not in said
    assert "secret" not in said
    server = Server("nginx", "nginx", "/c", {"/c": tuple(x[1:] for x in said.splitlines()[1:])}, {})
    (site,) = nginx_sites(server)
    assert site.unlogged == ("location /G*******/up",)
    record = (
        '{"secret1234key":"10.1.2.3","t":"2026-11-25T01:00:00+08:00","u":"/x/y", "p_9":"4711",'
        '"x.y":7} end Geheim12'
    )
    program = f"{MASKING}\n{{ print mask($0, 1) }}"
    masked = subprocess.run(
        [*argv, program], input=record, capture_output=True, text=True, check=True, env=env
    ).stdout
    assert "eheim" not in masked
    format = site.logs[0].format
    assert format is not None
    values = format.values(masked.strip())
    assert values is not None
    assert (values["address"], values["port"]) == ("10.1.*.*", "****")
    # another form all the same
    assert format.values(masked.strip().replace(" e** ", " ")) is None
