"""What the role `firewall` decides by: who owns what comes in, and whether a rule cuts the path."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from jinja2 import Environment

from collector.errors import BadInput
from collector.facts.firewall.live_ruleset import firewall
from collector.model import Capture
from collector.resources import shared
from collector.run.probes.firewall import chosen, told, weighed, with_before
from tests.cases import HERE, load

CASES = HERE / "controls" / "firewall"


def _chosen(case: str, wanted: str = "auto") -> str:
    capture = load(CASES / f"{case}.yml").capture
    return chosen(capture, firewall(capture), wanted)[0]


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        ("default_deny/nothing_loaded.fail", "nftables"),
        ("default_deny/ufw.pass", "ufw"),
        ("exposed_ports/firewalld.pass", "firewalld"),
        ("default_deny/nftables_at_boot.pass", "leave"),
        ("default_deny/centos7_final_reject.pass", "leave"),
    ],
)
def test_what_is_there_makes_the_rules(case: str, engine: str) -> None:
    assert _chosen(case) == engine


@pytest.mark.parametrize(
    "case", ["default_deny/udp_from_port_53.fail", "default_deny/loaded_by_hand.partial"]
)
def test_rules_of_others_that_do_not_deny_are_not_overlaid(case: str) -> None:
    with pytest.raises(BadInput, match="do not deny by default"):
        _chosen(case)


def test_another_engine_than_the_one_at_work_is_refused() -> None:
    with pytest.raises(BadInput, match="firewall_engine is nftables, and ufw is active here"):
        _chosen("default_deny/ufw.pass", "nftables")
    with pytest.raises(BadInput, match="which is not active here"):
        _chosen("default_deny/nothing_loaded.fail", "firewalld")


ARGUMENTS: dict[str, Any] = {
    "controls": ["default_deny", "exposed_ports", "admin_sources"],
    "engine": "auto",
    "admin_sources": ["10.20.0.0/16", "2001:db8:20::/48"],
    "allow": [{"port": [80, "8000-8100"], "proto": "both"}, {"port": 3306, "from": "10.9.0.0/16"}],
    "ssh_ports": [2222],
}


def _rendered(client: str, **more: Any) -> str:
    """The role's own template, filled as the role fills it."""
    capture = load(CASES / "default_deny/nothing_loaded.fail.yml").capture
    seen = told(capture, ARGUMENTS | more, client, 22 if client else 0)
    text = (shared("roles", "firewall") / "templates" / "hostpledge.nft.j2").read_text()
    environment = Environment(trim_blocks=True, keep_trailing_newline=True, autoescape=False)
    given = {
        "ansible_managed": "Ansible managed",
        "firewall_seen": seen,
        "firewall_brought": seen["controls"],
        "firewall_admin_sources": (ARGUMENTS | more)["admin_sources"],
        "firewall_ping": True,
        "firewall_protocols": [],
        "firewall_bridges": ["docker*"],
    }
    return environment.from_string(text).render(**given)


def _weighed(client: str, server: str, rules: str) -> Any:
    capture = load(CASES / "default_deny/nothing_loaded.fail.yml").capture
    return weighed(capture, rules, client, server, 22)["path"]


def test_the_control_node_is_let_in_whatever_the_lists_say() -> None:
    rules = _rendered("198.51.100.7")
    address = _own_address()
    assert "saddr 198.51.100.7 tcp dport 22 accept" in rules
    assert _weighed("198.51.100.7", address, rules) == "open"
    assert _weighed("10.20.3.4", address, rules) == "open"


def test_rules_that_cut_the_path_are_refused_before_they_are_loaded() -> None:
    rules = _rendered("198.51.100.7")
    with pytest.raises(BadInput) as caught:
        _weighed("203.0.113.9", _own_address(), rules)
    assert "would cut off 203.0.113.9, from where this run is connected to port 22" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
    dropped = rules.replace('iif "lo" accept', "ip saddr 198.51.100.0/24 drop")
    with pytest.raises(BadInput, match="would cut off"):
        _weighed("198.51.100.7", _own_address(), dropped)


def test_what_is_not_understood_is_said_and_not_taken_for_open() -> None:
    rules = _rendered("198.51.100.7").replace('iif "lo" accept', "no such thing")
    assert _weighed("198.51.100.7", _own_address(), rules) == "unknown"


def test_a_connection_without_a_network_is_not_weighed() -> None:
    assert weighed(load(CASES / "default_deny/nothing_loaded.fail.yml").capture, "", "", "", 0) == {
        "path": "local",
    }


def test_the_kernel_takes_every_form_of_the_rules() -> None:
    if shutil.which("nft") is None:
        pytest.skip("no nft here")
    for rules in (
        _rendered("198.51.100.7"),
        _rendered("2001:db8::7"),
        _rendered(""),
        _rendered("198.51.100.7", admin_sources=[]),
        _rendered("198.51.100.7", controls=["exposed_ports", "admin_sources"]),
        _rendered("198.51.100.7", controls=["default_deny"], allow=[], ssh_ports=[]),
    ):
        argv = ["unshare", "--net", "nft", "--check", "--file", "-"]
        done = subprocess.run(argv, input=rules, text=True, capture_output=True, check=False)
        if "Operation not permitted" in done.stderr:
            pytest.skip("no network namespace of its own here")
        assert done.returncode == 0, done.stderr + rules


def _own_address() -> str:
    capture = load(CASES / "default_deny/nothing_loaded.fail.yml").capture
    ((_, number), *_) = firewall(capture).network.global_addresses(4)
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _serving(*ports: int) -> Capture:
    """A host without any rules, where these of its ports are listened on for everybody."""
    capture = load(CASES / "default_deny/nothing_loaded.fail.yml").capture
    seen = capture.read("sockets.listening")
    lines = seen.text().splitlines(keepends=True)
    some = [x for x in lines if " LISTEN" not in x or any(f":{port} " in x for port in ports)]
    listening = replace(seen, stdout="".join(some).encode())
    return replace(capture, reads={**capture.reads, "sockets.listening": listening})


def test_a_service_that_nobody_spoke_of_is_not_cut_off() -> None:
    unsaid = {**ARGUMENTS, "allow": None, "ssh_ports": [22]}
    with pytest.raises(BadInput) as caught:
        told(_serving(22, 3306, 6379), unsaid, "198.51.100.7", 22)
    assert "would be cut off: tcp 6379 (python3); nothing is changed" in str(caught.value)
    assert """-e '{"firewall_allow": [{"port": [6379]}]}'""" in str(caught.value)
    served = _serving(22, 6379)
    assert told(served, {**unsaid, "allow": []}, "198.51.100.7", 22)["openings"] == []
    assert told(_serving(22, 3306), unsaid, "198.51.100.7", 22)["openings"] == []
    others = {**unsaid, "controls": ["admin_sources"]}
    assert told(served, others, "198.51.100.7", 22)["engine"] == "nftables"


def _again(**given: Any) -> dict[str, Any]:
    """What a run without variables goes by, behind one that was given these."""
    first = {"admin_sources": [], "allow": None, **given}
    more = {"controls": ["default_deny", "admin_sources"], **first}
    return with_before(
        ARGUMENTS | {"controls": ["exposed_ports"], "allow": None, "admin_sources": []},
        _rendered("198.51.100.7", **more),
    )


def test_what_an_earlier_run_was_given_stays() -> None:
    allow = [{"port": [443], "comment": 'a "web" \n# given: {} }}'}]
    again = _again(allow=allow, admin_sources=["10.20.0.0/16"])
    assert (again["allow"], again["admin_sources"]) == (allow, ["10.20.0.0/16"])
    assert again["controls"] == ["exposed_ports", "default_deny", "admin_sources"]
    assert again["kept"] == ["firewall_allow", "firewall_admin_sources"]
    # that nothing beside SSH comes in was said, too
    assert _again(allow=[])["allow"] == [] and _again(allow=[])["kept"] == []


def test_what_this_run_is_given_counts() -> None:
    file = _rendered("", allow=[{"port": 443}], admin_sources=["10.20.0.0/16"])
    given = ARGUMENTS | {"allow": [{"port": 80}], "admin_sources": ["10.30.0.0/16"]}
    assert with_before(given, file) | {"kept": 0} == {
        **given, "controls": with_before(given, file)["controls"], "kept": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    "file",
    ["", "# controls: default_deny\n", "# controls: default_deny\n# given: {\n",
     "# controls: default_deny\n# given: [1]\n",
     '# controls: default_deny\n# given: {"allow": 1}\n'],
)  # fmt: skip
def test_of_a_file_that_does_not_tell_nothing_is_taken(file: str) -> None:
    given = ARGUMENTS | {"allow": None, "admin_sources": []}
    found = with_before(given, file)
    assert (found["allow"], found["admin_sources"], found["kept"]) == (None, [], [])
