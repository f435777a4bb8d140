"""Rulesets nobody thought of: drawn by hypothesis, loaded, and held to real packets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.facts.netlab import Lab
from tests.facts.test_exposure_packets import hold, pytestmark

__all__ = ["pytestmark"]

_NETS = ("10.201.0.0/26", "10.201.0.64/26", "198.51.100.0/24", "10.201.0.2", "0.0.0.0/1")
_sources = st.sets(st.sampled_from(_NETS[:4]), min_size=1, max_size=3).map(
    lambda s: "{ " + ", ".join(n for n in sorted(s) if not _covered(n, s)) + " }"
)
_ports = st.sampled_from(("22", "{ 22, 80 }", "80-443", "{ 443, 8000-9000 }", "8080"))


def _covered(net: str, others: set[str]) -> bool:
    return net == "10.201.0.2" and "10.201.0.0/26" in others


_nots = st.sampled_from(("", "!= "))
_match = st.one_of(
    st.builds("ip saddr {}{}".format, _nots, _sources),
    st.builds("tcp dport {}{}".format, _nots, _ports),
    st.sampled_from(
        (
            'iifname "wan"',
            "ct state new",
            "ct state established,related",
            "ct state != new",
            "meta nfproto ipv4",
            "meta nfproto ipv6",
            "ip daddr 10.201.0.1",
            "ip6 saddr fd00:201::/64",
            "tcp flags & (syn|ack) == syn",
            "meta mark 0x1",
            "fib daddr type local",
            "ct status dnat",
            "limit rate 900/second burst 900 packets",
        )
    ),
)
_verdict = st.sampled_from(
    ("accept", "drop", "return", "jump a", "jump b", "goto b", "meta mark set 0x1", "reject")
)
_rule = st.builds(lambda m, v: " ".join([*m, v]), st.lists(_match, max_size=2), _verdict)
_chain = st.lists(_rule, max_size=4)
_policy = st.sampled_from(("accept", "drop"))
_ND = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"


def _leaf(rules: list[str]) -> list[str]:
    """Chain b may not call a or itself: the kernel refuses loops."""
    return [r for r in rules if "jump" not in r and "goto" not in r]


def _from_a(rules: list[str]) -> list[str]:
    return [r for r in rules if "jump a" not in r]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@given(
    first=_chain,
    second=_chain,
    a=_chain.map(_from_a),
    b=_chain.map(_leaf),
    policies=st.tuples(_policy, _policy),
    nat=st.sampled_from(
        ("", "tcp dport 8080 dnat ip to 172.30.0.2:80", "tcp dport 443 redirect to :80")
    ),
)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_generated(
    lab: Lab,
    first: list[str],
    second: list[str],
    a: list[str],
    b: list[str],
    policies: tuple[str, str],
    nat: str,
) -> None:
    text = (
        f"table inet f {{ chain b {{\n{_lines(b)}\n}}\nchain a {{\n{_lines(a)}\n}}\n"
        f"chain one {{ type filter hook input priority 0; policy {policies[0]};\n{_ND}\n"
        f"{_lines(first)}\n}}\n"
        f"chain two {{ type filter hook input priority 5; policy {policies[1]};\n{_ND}\n"
        f"{_lines(second)}\n}}\n"
        f"chain n {{ type nat hook prerouting priority -100;\n{nat}\n}}\n}}\n"
    )
    failed = lab.load("nft-as-is", text)
    # two families in one rule are refused by nft itself: no such ruleset exists
    assume("conflicting" not in failed)
    assert not failed, failed + text
    hold(lab, text)


def _lines(rules: list[str]) -> str:
    return "\n".join(rules)
