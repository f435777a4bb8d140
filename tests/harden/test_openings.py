"""The allow-list of the role `firewall`: what is meant, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import BadInput
from collector.facts.base.intervals import Spans
from collector.run.probes.allow_list import openings, sources

LISTED = Spans.of([(3306, 3306), (137, 139)])


def test_ports_ranges_and_protocols_become_one_form() -> None:
    (tcp, udp) = openings([{"port": [443, "8000:8100", 80, 8050], "proto": "both"}], LISTED)
    assert (tcp.proto, udp.proto) == ("tcp", "udp")
    assert tcp.ports == ("80", "443", "8000-8100")
    assert tcp.anywhere
    assert tcp.plain()["sources4"] == []


def test_an_entry_without_ports_lets_nothing_in() -> None:
    assert openings([{"port": []}], LISTED) == []


def test_sources_are_told_apart_and_inner_ones_left_out() -> None:
    (one,) = openings(
        [{"port": 3306, "from": ["10.1.2.3/8", "10.9.0.0/16", "2001:db8::1", "192.0.2.7"]}], LISTED
    )
    assert (one.sources4, one.sources6) == (("10.0.0.0/8", "192.0.2.7"), ("2001:db8::1",))
    assert not one.anywhere


def test_a_comment_cannot_break_out_of_its_quotes() -> None:
    (one,) = openings([{"port": 1, "comment": 'a "b"\n accept' + "x" * 200}], None)
    assert one.comment.startswith("a 'b' accept")
    assert len(one.comment) == 100


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"port": 3306}, "entry 1 lets everybody reach 3306"),
        ({"port": "100-200", "from": ["0.0.0.0/0"]}, "lets everybody reach 137-139"),
        ({"port": 3306, "from": "::/0"}, "lets everybody reach 3306"),
        ({"port": 70000}, "'70000' is no port"),
        ({"port": 0}, "no port"),
        ({"port": "90-80"}, "no port"),
        ({"port": "http"}, "'http' is no port"),
        ({"port": True}, "no port"),
        ({"port": 80, "proto": "sctp"}, "proto 'sctp'"),
        ({"port": 80, "from": ["10.0.0.0/33"]}, "is no network"),
        ({"port": 80, "form": []}, "is not understood"),
        ({"proto": "tcp"}, "is not understood"),
        ("443", "is not understood"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(entry: Any, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        openings([entry], LISTED)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_networks_of_administrators() -> None:
    assert sources(["10.2.0.0/16", "10.3.0.0/16", "2001:db8::/32"], "x") == (
        ("10.2.0.0/15",),
        ("2001:db8::/32",),
    )
    with pytest.raises(BadInput, match="firewall_admin_sources: 'office' is no network"):
        sources(["office"], "firewall_admin_sources")
