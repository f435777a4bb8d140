"""What a zone of firewalld lacks and has too much, from what firewall-cmd of Debian 12 prints."""

from __future__ import annotations

from typing import Any

import pytest

from collector.run.probes.firewalld_zones import changes, spared, zones

LISTED = """public
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources:{blank}
  services: dhcpv6-client mysql ssh
  ports: 8080/tcp 5000-5010/udp 6379/tcp
  protocols:{blank}
  forward: yes
  masquerade: no
  forward-ports:{blank}
  source-ports:{blank}
  icmp-blocks:{blank}
  rich rules:{blank}
\trule family="ipv4" source address="10.0.0.0/8" port port="22" protocol="tcp" accept
""".replace("{blank}", " ")
SERVICES = {
    "ssh": "ssh\n  ports: 22/tcp\n  protocols: \n",
    "mysql": "mysql\n  ports: 3306/tcp\n  protocols: \n",
    "dhcpv6-client": "dhcpv6-client\n  ports: 546/udp\n",
}
SEEN: dict[str, Any] = {
    "client": "192.0.2.1",
    "port": 22,
    "ssh_ports": [22],
    "admin4": ["10.0.0.0/8"],
    "admin6": ["2001:db8::/48"],
    "openings": [
        {
            "proto": "tcp",
            "ports": ["8080"],
            "anywhere": True,
            "sources4": [],
            "sources6": [],
        },
        {
            "proto": "tcp",
            "ports": ["3306"],
            "anywhere": False,
            "sources4": ["10.9.0.0/16"],
            "sources6": [],
        },
    ],
    "forbidden": ["3306", "6379", "137-139"],
}


def _rule(address: str, port: int) -> str:
    family = 6 if ":" in address else 4
    return (
        f'--add-rich-rule=rule family="ipv{family}" source address="{address}" '
        f'port port="{port}" protocol="tcp" accept'
    )


def test_what_is_missing_is_added_and_what_is_open_to_everybody_goes() -> None:
    found = changes(LISTED, SERVICES, SEEN, limited=True, exposed=True)
    assert found["add"] == [
        _rule("192.0.2.1", 22),
        _rule("2001:db8::/48", 22),
        _rule("10.9.0.0/16", 3306),
    ]
    assert found["remove"] == [
        "--remove-service=mysql",
        "--remove-service=ssh",
        "--remove-port=6379/tcp",
    ]


def test_a_host_that_lists_without_end_is_refused() -> None:
    """Each zone is gone through in the process that all other hosts wait for."""
    assert len(zones("\n".join(f"z{n}" for n in range(60)), "public")) == 61
    with pytest.raises(ValueError, match="has 101 active zones"):
        zones("\n".join(f"z{n}" for n in range(100)), "public")
    with pytest.raises(ValueError, match="the zone z lists"):
        spared(["x" * 200_001], "z", "public", [])


def test_what_nobody_asked_for_stays() -> None:
    found = changes(LISTED, SERVICES, SEEN, limited=False, exposed=False)
    assert found["remove"] == []
    assert not any("port=22/tcp" in option for option in found["add"]), "the service ssh lets it in"


def test_the_second_time_there_is_nothing_to_do() -> None:
    listed = LISTED.replace(" mysql ssh", "").replace(" 6379/tcp", "")
    for option in changes(LISTED, SERVICES, SEEN, limited=True, exposed=True)["add"]:
        listed += "\t" + option.removeprefix("--add-rich-rule=") + "\n"
    assert changes(listed, SERVICES, SEEN, limited=True, exposed=True) == {"add": [], "remove": []}


def test_zones_of_engines_are_left_alone() -> None:
    active = "docker\n  interfaces: docker0\npublic (default)\n  interfaces: eth0\nlibvirt\n"
    assert zones(active, "public\n") == ["public"]
    assert zones("", "drop\n") == ["drop"]


def test_a_zone_for_networks_of_engines_is_left_alone() -> None:
    trusted = "trusted (active)\n  target: ACCEPT\n  interfaces:{}\n  sources:{}\n  services: \n"
    boot = trusted.format(" ", " ")
    bridges = ["docker*", "podman*"]
    for interfaces, sources, alone in (
        (" ", " 10.88.0.0/16 fd00::/8", True),
        (" podman1 lo", " 10.88.0.0/16", True),
        (" podman1 eth1", " ", False),
        (" ", " 10.88.0.0/16 0.0.0.0/0", False),
    ):
        now = trusted.format(interfaces, sources)
        assert spared([now, boot], "trusted", "public\n", bridges) is alone
        assert not spared([now, boot], "trusted", "trusted\n", bridges), "all others are in it"
    assert not spared([LISTED, LISTED], "public", "drop\n", bridges), "it does not let all in"
