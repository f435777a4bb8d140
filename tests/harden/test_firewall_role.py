"""The role `firewall` on a real host: who gets in before and after, by real connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.harden.conftest import Hosts

pytestmark = pytest.mark.fleet

V6 = {"bare": "2001:db8:77::10", "bare-12": "2001:db8:77::20"}
WEB, DATABASE, CACHE, SSH = 8080, 5432, 6379, 22
OTHERS = "table ip mine { chain input { type filter hook input priority 0; tcp dport 25 drop; }; }"
_LISTEN = """
import socket, time
for port in (8080, 5432, 6379):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    s.listen(64)
    globals()[f"s{port}"] = s
time.sleep(100000)
"""


@pytest.fixture(scope="module")
def serving(hosts: Hosts) -> Iterator[Hosts]:
    for host, address in V6.items():
        hosts.run(host, "ip", "-6", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    hosts.run("bare", "systemd-run", "--unit=serving", "python3", "-c", _LISTEN)
    listening = "until [ $(ss -Hltn | grep -cE ':(8080|5432|6379) ') = 3 ]; do sleep 0.1; done"
    hosts.run("bare", "timeout", "60", "sh", "-c", listening)
    # as `hostpledge harden` has it; a play with files sent ahead is what other modules here run
    yield replace(hosts, environment=hosts.environment | {"ANSIBLE_PIPELINING": "True"})
    hosts.run("bare", "systemctl", "stop", "serving")


def _seen(hosts: Hosts) -> dict[tuple[int, str], bool]:
    """Port and who asks → does it come in? `4` and `6` are from elsewhere."""
    four = hosts.fleet.hosts["bare"].address
    ports = (WEB, DATABASE, CACHE, SSH)
    near = hosts.reached(*((four, port) for port in ports), elsewhere=False)
    far = hosts.reached(*((a, p) for a in (four, V6["bare"]) for p in ports), elsewhere=True)
    keys = [(port, who) for who in ("control", "4", "6") for port in ports]
    return dict(zip(keys, [*near, *far], strict=True))


def _variables(hosts: Hosts) -> dict[str, object]:
    elsewhere = hosts.fleet.hosts["bare-12"].address
    return {
        "firewall_admin_sources": ["10.250.0.0/16", "10.250.3.0/24", "2001:db8:ad::/48"],
        "firewall_allow": [
            {"port": WEB, "comment": 'the "web" 网站'},
            {"port": [DATABASE, "9000-9010"], "from": [elsewhere, f"{V6['bare-12']}/128"]},
        ],
        "safeguard_seconds": 30,
    }


_TOLD = ("firewall_allow", "firewall_admin_sources")


def test_who_is_listed_gets_in_and_nobody_else(serving: Hosts) -> None:
    hosts = serving
    before = _seen(hosts)
    assert all(before.values()), before
    assert hosts.verdicts("before") == {
        "default_deny": "fail",
        "exposed_ports": "fail",
        "admin_sources": "fail",
    }

    variables = _variables(hosts)
    done = hosts.play(roles=["firewall"], vars=variables)
    assert done.returncode == 0, done.stdout
    after = _seen(hosts)
    shut = {(CACHE, "control"), (CACHE, "4"), (CACHE, "6"), (DATABASE, "control")}
    shut |= {(SSH, "4"), (SSH, "6")}
    assert {key for key, open_ in after.items() if not open_} == shut
    assert hosts.logs_in()
    assert hosts.verdicts("after") == {
        "default_deny": "pass",
        "exposed_ports": "pass",
        "admin_sources": "pass",
    }

    for words in ((), ("--check", "--diff")):
        again = hosts.play(None, *words, roles=["firewall"], vars=variables)
        assert re.search(r"bare\s.* changed=0 .* failed=0 ", again.stdout), again.stdout

    # one control by itself, told nothing: what the others were told of stays
    fewer = {k: v for k, v in variables.items() if k not in _TOLD} | {
        "firewall_controls": ["exposed_ports"]
    }
    alone = hosts.play(roles=["firewall"], vars=fewer)
    assert re.search(r"bare\s.* changed=0 .* failed=0 ", alone.stdout), alone.stdout

    loaded = hosts.run("bare", "nft", "list", "table", "inet", "hostpledge")
    hosts.run("bare", "nft", "-f", "/etc/nftables.conf")
    assert hosts.run("bare", "nft", "list", "table", "inet", "hostpledge") == loaded

    # somebody opens it by hand: the next run sees that and mends it
    hosts.run("bare", "nft", "insert rule inet hostpledge input tcp dport 6379 accept")
    assert _seen(hosts)[CACHE, "4"]
    mended = hosts.play(roles=["firewall"], vars=variables)
    assert re.search(r"bare\s.* changed=1 .* failed=0 ", mended.stdout), mended.stdout
    assert _seen(hosts) == after

    undone = hosts.run("bare", "sh", "/var/lib/hostpledge/undo/undo.sh", "firewall")
    assert "firewall: put back" in undone
    assert _seen(hosts) == before
    assert "hostpledge" not in hosts.run("bare", "nft", "list", "ruleset")
    hosts.run("bare", "nft", "flush", "ruleset")
    assert hosts.run("bare", "systemctl", "is-enabled", "nftables").strip() == "disabled"
    assert "hostpledge" not in hosts.run("bare", "cat", "/etc/nftables.conf")


def test_one_control_alone_closes_only_what_it_names(serving: Hosts) -> None:
    hosts = serving
    try:
        done = hosts.play(roles=["firewall"], vars={"firewall_controls": ["exposed_ports"]})
        assert done.returncode == 0, done.stdout
        seen = _seen(hosts)
        assert {port for (port, _), open_ in seen.items() if not open_} == {DATABASE, CACHE}
        # a second control later keeps the first
        done = hosts.play(
            roles=["firewall"],
            vars={"firewall_controls": ["admin_sources"], "firewall_admin_sources": ["10.250.0.1"]},
        )
        assert done.returncode == 0, done.stdout
        seen = _seen(hosts)
        assert seen[SSH, "control"]
        assert not seen[SSH, "4"]
        assert not seen[CACHE, "4"]
        assert seen[WEB, "4"]
    finally:
        hosts.run("bare", "sh", "/var/lib/hostpledge/undo/undo.sh", "firewall")


def test_rules_of_others_are_never_overlaid(serving: Hosts) -> None:
    hosts = serving
    hosts.run("bare", "nft", OTHERS)
    try:
        before = hosts.run("bare", "nft", "list", "ruleset")
        done = hosts.play(roles=["firewall"])
        assert done.returncode == 2
        said = (
            "rules of others filter what comes in here, and do not deny by default: ip mine input"
        )
        assert said in done.stdout
        assert hosts.run("bare", "nft", "list", "ruleset") == before
    finally:
        hosts.run("bare", "nft", "flush", "ruleset")


def test_guests_of_other_programs_are_no_owners(serving: Hosts) -> None:
    hosts = serving
    guest = (
        "table inet f2b-table { chain f2b-chain { type filter hook input priority -1; "
        "ip saddr 10.9.9.9 reject; }; }; "
        "table ip filter { chain DOCKER-USER { }; chain FORWARD { type filter hook forward "
        "priority 0; jump DOCKER-USER; }; }"
    )
    hosts.run("bare", "nft", guest)
    try:
        before = hosts.run("bare", "nft", "list", "ruleset")
        done = hosts.play(roles=["firewall"], vars={"firewall_allow": []})
        assert done.returncode == 0, done.stdout
        assert "the chains of Docker are left alone" in done.stdout
        assert before in hosts.run("bare", "nft", "list", "ruleset")
    finally:
        hosts.run("bare", "sh", "/var/lib/hostpledge/undo/undo.sh", "firewall")
        assert "f2b-table" in hosts.run("bare", "nft", "list", "ruleset")
        hosts.run("bare", "nft", "flush", "ruleset")


def test_rules_that_the_kernel_would_not_take_change_nothing(serving: Hosts) -> None:
    given = {"firewall_protocols": ["nonsense"], "firewall_allow": []}
    done = serving.play(roles=["firewall"], vars=given)
    assert done.returncode == 2
    assert "nonsense" in done.stdout
    assert serving.run("bare", "nft", "list", "ruleset") == ""
