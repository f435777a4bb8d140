"""The exposure engine held to what real packets do under real rules in the kernel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from collector.facts.exposure import exposures
from tests.facts.netlab import HOST4, SOURCES, Lab, Try
from tests.facts.rulesets import FOUND, PUBLISHED, RULESETS, UNKNOWN, WITH_IPSET
from tests.facts.truth import hold, needs_kernel

pytestmark = needs_kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


_ALL = [*RULESETS, *FOUND, *WITH_IPSET, *PUBLISHED]


@pytest.mark.parametrize(("name", "loader", "text"), _ALL, ids=[r[0] for r in _ALL])
def test_what_is_said_is_what_happens(lab: Lab, name: str, loader: str, text: str) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    if "--match-set" in text and shutil.which("ipset") is None:
        pytest.skip("there is no ipset")
    failed = lab.load(loader, text)
    assert not failed, failed
    hold(lab, f"{name}\n{text}", may_be_unknown=name in UNKNOWN, inside="172.30.0.2" not in text)


@pytest.mark.parametrize("name", ["docker", "docker_legacy", "netavark"])
def test_published_ports_go_past_input(lab: Lab, name: str) -> None:
    """INPUT drops everything, and the port that is published is open to anyone all the same."""
    (ruleset,) = [r for r in PUBLISHED if r[0] == name]
    assert not lab.load(*ruleset[1:])
    (found,) = [
        e
        for e in exposures(lab.capture())
        if (e.listener.proto, e.listener.family, e.listener.port) == ("tcp", 4, 8080)
    ]
    assert (found.reachable, found.targets) == ("yes", ("172.30.0.2:80",))
    tries = [Try("tcp", 4, source, HOST4, 8080) for source in SOURCES[4]]
    assert all(lab.sent(tries, 1.5).values())
