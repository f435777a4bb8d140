"""What PostgreSQL and MariaDB answer of those who follow them."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.data.replication import replication
from collector.facts.system.host_names import is_here
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus


def _capture(text: str, hosts: str = "", ssh: str = "") -> Capture:
    files = tuple(
        CapturedFile(path, ReadStatus.OK, data=data.encode())
        for path, data in (("/etc/hosts", hosts), ("/root/.ssh/config", ssh))
        if data
    )
    reads = {
        "replication.state": ReadResult("replication.state", ReadStatus.OK, stdout=text.encode()),
        "backup_named.settings": ReadResult("backup_named.settings", ReadStatus.OK, files=files),
    }
    head = {"hostname": "shop.example", "address": "10.77.0.1/24\nfd00::1/64"}
    return Capture("h", HostStatus.COMPLETE, head=head, reads=reads)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        # PostgreSQL 15 with pg_receivewal, and with a standby that was held up
        ("replica 10.77.0.2 streaming 1 0", ("10.77.0.2", True, 1, True)),
        ("replica 10.77.0.2 streaming 901 52428800", ("10.77.0.2", True, 901, False)),
        ("replica 10.77.0.2 streaming - 0", ("10.77.0.2", True, None, True)),
        ("replica 10.77.0.2 catchup - 9000", ("10.77.0.2", False, None, False)),
        ("replica 10.77.0.2 backup - -", ("10.77.0.2", False, None, False)),
        ("replica local streaming 0 0", ("", True, 0, True)),
    ],
)
def test_postgresql(lines: str, told: tuple[str, bool, int | None, bool]) -> None:
    (server,) = replication(
        _capture(f"== postgresql /run/postgresql/.s.PGSQL.5432\nprimary\n{lines}\n== end\n")
    )
    (found,) = server.replicas
    assert (found.host, found.streaming, found.behind, found.caught_up) == told
    assert server.answered


def test_mariadb() -> None:
    """MariaDB 11.8 with a replica on another host."""
    line = "replica vault:53028 Master_has_sent_all_binlog_to_slave;_waiting_for_more_updates"
    (server,) = replication(_capture(f"== mysql /run/mysqld/mysqld.sock\nprimary\n{line}\n== end"))
    (found,) = server.replicas
    assert (found.host, found.streaming, found.caught_up) == ("vault", True, True)


@pytest.mark.parametrize(
    "text",
    [
        "== mysql /run/mysqld/mysqld.sock\nERROR 1045 (28000): Access denied\nrefused\n== end\n",
        "== postgresql ? no psql\n== end\n",
    ],
)
def test_who_may_not_ask_knows_nothing(text: str) -> None:
    (server,) = replication(_capture(text))
    assert not server.answered


def test_no_database() -> None:
    assert replication(_capture("== end\n")) == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", CouldNotLook),
        ("== mysql /s\nprimary\n", CouldNotLook),
        ("== oracle x\n== end\n", NotUnderstood),
        ("== postgresql /s\nprimary\nreplica x\n== end\n", NotUnderstood),
    ],
)
def test_not_understood(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        replication(_capture(text))


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("0.0.0.0", True),
        ("10.77.0.1", True),
        ("fd00:0::1", True),
        ("shop.example", True),
        ("far", True),
        ("alias", True),
        ("10.77.0.2", False),
        ("vault", False),
        ("other", False),
        ("shop", True),
        # perhaps this host, perhaps its twin elsewhere
        ("shop.beijing.example", None),
        ("", None),
    ],
)
def test_names_of_this_host(host: str, here: bool | None) -> None:
    hosts = "127.0.0.1 localhost\n10.77.0.2 vault\n10.77.0.1 far\n"
    ssh = "Host alias x\n  HostName 10.77.0.1\nHost *\n  HostName elsewhere\n"
    assert is_here(_capture("", hosts, ssh), host) is here


def test_without_its_addresses_an_address_is_not_told() -> None:
    capture = _capture("")
    bare = Capture("h", HostStatus.COMPLETE, head={"hostname": "shop"}, reads=capture.reads)
    assert is_here(bare, "10.77.0.2") is None
    assert is_here(bare, "127.0.0.1") is True
    assert is_here(bare, "nas") is False
