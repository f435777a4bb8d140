"""What a user says of a web server is said of his: root's server is looked at as root's."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.web.servers import Server, _sections
from tests.mallory import Host, can_be_made
from tests.test_reach_reads import named
from tests.test_users_many import started

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
