"""What a user says of a web server is said of his: root's server is looked at as root's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.data.exposed_files import exposed_files
from collector.facts.logs.web.servers import Server, _sections
from tests.mallory import Host, can_be_made
from tests.test_reach_reads import named
from tests.test_users_many import said, started

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
BODY = catalog.all_reads()["web_servers.config"].body
_SHOP = "/etc/nginx/conf.d/shop.conf"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "host")
    made.as_root = True
    made.write("/etc/nginx/nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }\n")
    made.write(_SHOP, "access_log off;\n", mode=0o600)
    return made


def servers(host: Host) -> list[Server]:
    return _sections(host.ran("dash", "-c", BODY).decode())[0]


def test_a_users_nginx_does_not_speak_for_roots(host: Host) -> None:
    words = "' -c /etc/nginx/nginx.conf -p /home/mallory '"
    started(host, 12345, "nginx", words)
    started(host, 0, "nginx", "' -c /etc/nginx/nginx.conf '")
    roots, his = servers(host)
    assert roots.files[_SHOP] == ("access_log\toff",)
    assert roots.settings["prefix"] == ""
    assert (_SHOP in his.files, his.settings["prefix"]) == (False, "/home/mallory")


def test_a_users_apache_does_not_speak_for_roots(host: Host) -> None:
    host.write("/etc/apache2/apache2.conf", "CustomLog ${APACHE_LOG_DIR}/a.log common\n")
    started(host, 12345, "apache2")
    host.started[-1] = f"export APACHE_LOG_DIR=/home/mallory; {host.started[-1]}"
    started(host, 0, "apache2")
    roots, his = servers(host)
    assert (roots.settings, his.settings) == ({}, {"APACHE_LOG_DIR": "/home/mallory"})


def test_no_program_of_a_users_is_run(host: Host) -> None:
    host.as_root = False
    host.folder("/home/mallory/ran", mallory=True)
    text = '#!/bin/sh\nid >"/home/mallory/ran/$$"\n'
    host.write("/home/mallory/evil", text, mallory=True, mode=0o755)
    named(host, "nginx", " -c /etc/nginx/nginx.conf ")
    host.started[-1] = f"{host.started[-1]} & sleep 0.1; mv evil nginx; wait"
    assert [s.kind for s in servers(host)] == ["nginx"]
    assert list(host.at("/home/mallory/ran").iterdir()) == []


@pytest.mark.parametrize("by_him", [False, True])
def test_what_roots_server_includes_and_we_cannot_is_said(host: Host, by_him: bool) -> None:
    """It lies in his reach, so that it is opened as him, to whom it is closed."""
    host.write("/home/mallory/sites/a.conf", "access_log off;\n", mode=0o600)
    where = "/etc/nginx/nginx.conf"
    if by_him:
        where = "/home/mallory/his.conf"
        host.write("/etc/nginx/nginx.conf", f"http {{ include {where}; }}\n")
    host.write(where, "include /home/mallory/sites/*.conf;\n", mallory=by_him)
    started(host, 0, "nginx", "' -c /etc/nginx/nginx.conf '")
    with pytest.raises(CouldNotLook, match="12345" if by_him else "/home/mallory/sites/a.conf"):
        servers(host)


def test_includes_that_go_on_and_on_are_said(host: Host) -> None:
    host.write("/etc/nginx/nginx.conf", "include /etc/nginx/1.conf;\n")
    for number in range(1, 12):
        host.write(f"/etc/nginx/{number}.conf", f"include /etc/nginx/{number + 1}.conf;\n")
    started(host, 0, "nginx", "' -c /etc/nginx/nginx.conf '")
    with pytest.raises(NotUnderstood, match="too big"):
        servers(host)


# waits for a password, with the rights of root; what it is called was his choice
_TITLE = '$(seq -f "nginx: master process nginx -c /a/%g" {many})'
_SU = f"""sleep 60 | exec bash -c 'exec -a "{_TITLE}" su'"""


def _site(host: Host, many: str = "") -> None:
    host.write("/opt/site/.env", "DB_PASSWORD=x\n")
    host.write("/opt/ng/nginx.conf", "http { server { root /opt/site; } }\n")
    title = '"nginx: master process /opt/nginx -c /opt/ng/nginx.conf"'
    shutil.copy("/bin/dash", host.at("/opt/nginx"))
    host.write("/opt/start", f"exec -a {title} /opt/nginx -c 'while :; do sleep 1; done'\n")
    host.started.append("exec bash /opt/start")
    if many:
        host.write("/home/mallory/call", f"#!/bin/sh\n{_SU.format(many=many)}\n", mode=0o755)
        host.started.append("exec setpriv --reuid=12345 --regid=12345 --clear-groups ./call")


@pytest.mark.parametrize("many", ["", "100 170"])
def test_what_a_user_calls_a_program_of_roots_hides_no_folder(host: Host, many: str) -> None:
    _site(host, many)
    found = exposed_files(said(host, "exposed_files.names"))
    assert "/opt/site/.env" in [f.path for f in found.files if f.served]
    assert bool(many) == ("unsure /proc: nginx" in found.unlooked)


def test_more_settings_than_are_followed_are_said(host: Host) -> None:
    lines = "".join(f"include /opt/ng/{number}.conf;\n" for number in range(70))
    host.write("/etc/nginx/nginx.conf", f"http {{ {lines} }}\n")
    for number in range(70):
        host.write(f"/opt/ng/{number}.conf", f"root /srv/{number};\n")
        host.folder(f"/srv/{number}")
    started(host, 0, "nginx")
    found = exposed_files(said(host, "exposed_files.names"))
    assert {f"/srv/{number}" for number in range(64)} <= {*found.roots}
    assert found.unlooked == ("unsure /: include",)


def test_settings_that_include_each_other_are_looked_through_to_the_end(host: Host) -> None:
    host.write("/etc/nginx/nginx.conf", "include /opt/ng/1.conf; include /opt/ng/1.conf;\n")
    for number in range(1, 4):
        host.write(f"/opt/ng/{number}.conf", f"include /opt/ng/{number + 1}.conf;\n")
    host.write("/opt/ng/4.conf", "root /srv/deep; include /opt/ng/1.conf;\n")
    host.folder("/srv/deep")
    started(host, 0, "nginx")
    found = exposed_files(said(host, "exposed_files.names"))
    assert "/srv/deep" in found.roots
    assert found.unlooked == ()


def test_what_is_asked_of_postgresql_is_asked_by_its_own_names() -> None:
    """A role may make an operator in `public` that is taken before the server's own."""
    bodies = {id: read.body for id, read in catalog.all_reads().items() if "psql" in read.body}
    asked = {id: body for id, body in bodies.items() if "PGOPTIONS" in body}
    assert asked
    for id, body in asked.items():
        assert body.count("PGOPTIONS='") == body.count("search_path=pg_catalog"), id
    role = Path(__file__).parents[1] / "roles/backup/templates/hostpledge-restore-test.j2"
    for line in role.read_text(encoding="utf-8").splitlines():
        assert " psql " not in line or "search_path=pg_catalog" in line
