"""fail2ban as its client answered: 1.0.2 on Debian 12, 1.1.0 on Debian 13, recorded live."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.fail2ban import jails
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests import cases

_PLACE = cases.HERE / "controls/intrusion/lockout"


def _recorded(name: str) -> str:
    case = cases.load(_PLACE / name)
    return case.capture.read("bans.fail2ban").stdout.decode()


def _capture(text: str) -> Capture:
    result = ReadResult("bans.fail2ban", ReadStatus.OK, stdout=text.encode())
    return Capture("h", HostStatus.COMPLETE, reads={result.id: result})


def test_debian_13_reads_the_journal() -> None:
    (jail,) = jails(_capture(_recorded("fail2ban.pass.yml")))
    assert (jail.name, jail.maxretry, jail.findtime, jail.bantime) == ("sshd", 5, 600, 600)
    assert jail.journal == "_SYSTEMD_UNIT=ssh.service + _COMM=sshd"
    assert (jail.logs, jail.actions, dict(jail.ports)) == ((), ("nftables",), {"nftables": "ssh"})
    assert jail.sshd


def test_debian_12_reads_a_file() -> None:
    (jail,) = jails(_capture(_recorded("fail2ban_reads_a_file.pass.yml")))
    assert (jail.logs, jail.journal) == (("/var/log/auth.log",), "")
    assert dict(jail.ports) == {"iptables-multiport": "ssh"}


def test_two_jails_keep_their_answers_apart() -> None:
    """Recorded with `recidive` beside it, and a ban of every port."""
    recidive, sshd = jails(_capture(_recorded("fail2ban_all_ports.pass.yml")))
    assert (recidive.sshd, sshd.sshd) == (False, True)
    assert recidive.logs == ("/var/log/fail2ban.log",)
    assert (recidive.bantime, sshd.bantime) == (604_800, 600)
    assert dict(sshd.ports) == {"nftables": "all"}


def test_no_server() -> None:
    assert jails(_capture("== none\n")) == ()
    assert jails(_capture("== down\nERROR   Failed to access socket path\n")) == ()


def test_a_server_that_answers_half() -> None:
    with pytest.raises(CouldNotLook):
        jails(_capture("== up\nasked sshd\nfail2ban> fail2ban> 5\n== ports\n"))
    with pytest.raises(NotUnderstood):
        jails(_capture(""))
