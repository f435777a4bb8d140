"""The exposure engine held to what real packets do under real rules in the kernel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.facts.netlab import Lab
from tests.facts.rulesets import FOUND, RULESETS, UNKNOWN, WITH_IPSET
from tests.facts.truth import hold, needs_kernel

pytestmark = needs_kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


_ALL = [*RULESETS, *FOUND, *WITH_IPSET]


@pytest.mark.parametrize(("name", "loader", "text"), _ALL, ids=[r[0] for r in _ALL])
def test_what_is_said_is_what_happens(lab: Lab, name: str, loader: str, text: str) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    if "--match-set" in text and shutil.which("ipset") is None:
        pytest.skip("there is no ipset")
    failed = lab.load(loader, text)
    assert not failed, failed
    hold(lab, f"{name}\n{text}", may_be_unknown=name in UNKNOWN, inside="172.30.0.2" not in text)
