"""Whoever makes a socket where a database has its own does not speak for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from collector import catalog
from collector.facts.base.opened import OPENED
from collector.facts.data.replication import replication
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.mallory import UID, Host, can_be_made

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
_READS = catalog.all_reads()
_MYSQL, _POSTGRES, _WWW = 27, 26, 33
_ANSWER = """#!/bin/sh
echo "$@" >>/var/lib/asked
echo primary
echo 'replica 203.0.113.77:5000 Master_has_sent_all_binlog_to_slave'
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "host")
    known = [line for line in made.at("/etc/passwd").read_text().splitlines(keepends=True)
             if line.split(":")[0] not in ("mysql", "postgres", "www-data")]  # fmt: skip
    for name, uid in (("mysql", _MYSQL), ("postgres", _POSTGRES), ("www-data", _WWW)):
        known.insert(0, f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false\n")
    made.at("/etc/passwd").write_text("".join(known))
    made.at("/srv").chmod(0o1777)
    return made


def _socket(host: Host, path: str, uid: int) -> None:
    here = os.getcwd()
    os.chdir(host.at(path).parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(host.at(path).name)
    finally:
        os.chdir(here)
    os.chown(host.at(path), uid, uid)


@pytest.mark.parametrize(
    ("uid", "speaks"), [(0, True), (_MYSQL, True), (_POSTGRES, False), (_WWW, False), (UID, False)]
)
def test_the_account_of_a_socket_is_the_databases(host: Host, uid: int, speaks: bool) -> None:
    _socket(host, "/srv/s", uid)
    ask = f"{OPENED}\nif hp_speaks /srv/s mysql mariadb; then echo yes; else echo no; fi"
    assert host.ran("dash", "-c", ask) == (b"yes\n" if speaks else b"no\n")


def test_a_link_to_the_databases_socket_is_nobodys_word(host: Host) -> None:
    _socket(host, "/srv/s", _MYSQL)
    host.link("/srv/t", "/srv/s")
    assert host.ran("dash", "-c", f"{OPENED}\nhp_speaks /srv/t mysql || echo no") == b"no\n"


@pytest.mark.parametrize("uid", [_MYSQL, UID])
def test_a_users_server_has_no_replicas_of_ours(host: Host, uid: int) -> None:
    _socket(host, "/srv/mysql.sock", uid)
    host.write("/opt/mysql", _ANSWER, mode=0o755)
    host.write("/var/lib/asked", "")
    body = _READS["replication.state"].body.replace("/tmp/mysql.sock", "/srv/mysql.sock")
    body = f"PATH=/opt:$PATH\n{body}"
    result = ReadResult("replication.state", ReadStatus.OK, stdout=host.ran("dash", "-c", body))
    found = replication(Capture("h", HostStatus.COMPLETE, reads={result.id: result}))
    asked = host.at("/var/lib/asked").read_text()
    assert ([bool(x.replicas) for x in found], bool(asked)) == (
        ([True], True) if uid == _MYSQL else ([], False)
    )


@pytest.mark.parametrize("uid", [_POSTGRES, UID])
@pytest.mark.parametrize("read", ["replication.state", "backup_wal.state"])
def test_a_users_postgresql_does_not_speak_for_ours(host: Host, read: str, uid: int) -> None:
    _socket(host, "/srv/.s.PGSQL.5432", uid)
    body = _READS[read].body.replace("/tmp/.s.PGSQL", "/srv/.s.PGSQL")
    assert body != _READS[read].body
    told = host.ran("dash", "-c", body).decode()
    assert (" /srv/.s.PGSQL.5432\n" in told or "? no psql" in told) is (uid == _POSTGRES)


@pytest.mark.parametrize("uid", [_MYSQL, UID])
@pytest.mark.parametrize("read", ["database_access.state"])
def test_accounts_are_asked_of_our_database(host: Host, read: str, uid: int) -> None:
    _socket(host, "/srv/mysql.sock", uid)
    host.write("/opt/mariadb", _ANSWER, mode=0o755)
    host.write("/var/lib/asked", "")
    host.as_root = True
    host.started.append("exec /bin/dash -c 'printf mysqld >/proc/self/comm; sleep 60; :'")
    body = _READS[read].body.replace("/tmp/mysql.sock", "/srv/mysql.sock")
    assert "== mysql" in host.ran("dash", "-c", f"PATH=/opt:$PATH\n{body}").decode()
    asked = host.at("/var/lib/asked").read_text()
    assert ("-S /srv/mysql.sock" in asked) is bool(asked) is (uid == _MYSQL)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("on '>two hunter2' ~*", "on >***"),
        ('on ">two hunter2" ~*', "on >***"),
        (r'on ">a\\"b hunter2" +@all', "on >***"),
        ("on '<two hunter2' '!hunter2'", "on"),
        ("ON nopass", "on nopass"),
        ("on \"nopass\" '~a nopass b'", "on nopass"),
        ("on nopass >hunter2", "on nopass >***"),
        ("on '>two nopass hunter2'", "on >***"),
    ],
)
def test_of_a_user_of_redis_no_password_leaves(host: Host, rules: str, told: str) -> None:
    host.write("/etc/redis/redis.conf", f"port 6379\nuser x {rules}\n")
    # it looks for a server first
    host.as_root = True
    host.started.append("exec /bin/dash -c 'printf mongod >/proc/self/comm; sleep 60; :'")
    printed = host.ran("dash", "-c", _READS["database_access.state"].body).decode()
    assert f"\nport 6379\nuser x {told}\n" in printed
    assert "hunter2" not in printed
