"""nft's own language: rule files as people write them, and listings held to nft's own JSON."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

import pytest

from collector.errors import NotUnderstood
from collector.facts.base.intervals import Spans
from collector.facts.firewall.exposure import exposures
from collector.facts.firewall.nftables import ruleset as nftables
from collector.facts.firewall.nftables.language import Ruleset
from collector.facts.firewall.nftables.statements import Statements
from collector.model import Capture
from tests.facts.drawn import nft
from tests.facts.netlab import Lab
from tests.facts.rulesets import FOUND, RULESETS
from tests.facts.truth import needs_kernel

# as the wiki of nftables and Debian's and RHEL's own examples write them
FILE = """#!/usr/sbin/nft -f
flush ruleset   # what was there goes
define lan = { 192.0.2.0/24, 198.51.100.1-198.51.100.9 }
define ssh = 22
include "/etc/nftables.d/*.conf"
table inet filter {
    set blocked { type ipv4_addr; flags interval, timeout; auto-merge
        elements = { 203.0.113.0/24 timeout 1h, \\
                     203.0.114.7 comment "a # in quotes" }
    }
    counter seen { packets 0 bytes 0 }
    chain input { type filter hook input priority filter - 5; policy drop;
        iif "lo" accept; ct state vmap { established : accept, related : accept, invalid : drop }
        ip saddr @blocked counter name seen drop
        ip saddr $lan tcp dport { $ssh, 80, 8000-8009 } ct state new limit rate 5/second accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        tcp dport 443 log prefix "web; { " accept comment "open to all"
        jump extra
    }
    chain extra {
        meta l4proto udp osf name "Linux" accept
    }
}
add rule inet filter extra udp dport 53 accept
"""


def _chains(text: str, *included: str) -> dict[str, tuple[str, ...]]:
    tables = nftables.written(text, "firewall.saved", lambda _: list(included))
    return {
        name: tuple(rule.text for rule in rules) for t in tables for name, rules in t.chains.items()
    }


def test_a_file() -> None:
    chains = _chains(FILE, "table ip other { chain c { tcp dport 1 drop; }; }\ndefine later = 5")
    assert chains["ip other c"] == ("ip other c: tcp dport 1 drop",)
    told = [line.removeprefix("inet filter input: ") for line in chains["inet filter input"]]
    assert told == [
        "iif lo accept",
        "ct state vmap established:accept,related:accept,invalid:drop",
        "ct state vmap established:accept,related:accept,invalid:drop",
        "ct state vmap established:accept,related:accept,invalid:drop",
        "ip saddr @blocked drop",
        "ip saddr 192.0.2.0/24,198.51.100.1-198.51.100.9 tcp dport 22,80,8000-8009 ct state new"
        " limit rate None/second accept",
        "icmpv6 type nd-neighbor-solicit,nd-neighbor-advert accept",
        "tcp dport 443 log accept",
        "jump extra",
    ]
    assert chains["inet filter extra"][1] == "inet filter extra: udp dport 53 accept"
    (table,) = [t for t in nftables.written(FILE, "x", lambda _: []) if t.name == "filter"]
    (base,) = table.bases
    assert (base.priority, base.accept) == (-5, False)


def test_flush_and_delete() -> None:
    one = "table ip a { chain c { drop; }\n}\n"
    assert _chains(one + "flush ruleset\n") == {}
    assert _chains(one + "delete table ip a\n") == {}
    assert _chains(one + "flush table ip a\n") == {"ip a c": ()}
    assert Ruleset("flush ruleset", "x", lambda _: []).flushes


@pytest.mark.parametrize(
    "text",
    ["reset everything", "table ip a { chain c {", "define x\n", "table ip a { chain c { type filter hook input priority strange; } }"],
)  # fmt: skip
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _chains(text)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


def _answers(capture: Capture) -> list[tuple[str, int, int, int, Spans, Spans]]:
    return [
        (e.listener.proto, e.listener.family, e.listener.address, e.listener.port, e.yes, e.unknown)
        for e in exposures(capture)
    ]


def _written(listing: str, _: str, read: str) -> list[nftables.Table]:
    return nftables.written(listing, read, lambda _: [])


@needs_kernel
def test_listing_and_json_are_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever form nft prints its rules in, every socket gets the same answer."""
    drawn = [(str(number), *nft(random.Random(number))) for number in range(60)]
    differ = []
    for name, loader, text in [*drawn, *(r for r in RULESETS + FOUND if r[1] == "nft")]:
        if " hour " in text or lab.load(loader, text):
            continue
        capture = lab.capture()
        listing = lab.listing()
        by_json = _answers(capture)
        with monkeypatch.context() as patch:
            patch.setattr(nftables, "tables", partial(_written, listing))
            by_text = _answers(capture)
        if [a[:4] for a in by_json] != [a[:4] for a in by_text] or by_json != by_text:
            differ.append(f"{name}\n{listing}")
    assert not differ, "\n\n".join(differ[:3])


def test_options_and_headers() -> None:
    """As nft 1.1.3 prints them, which JSON has as these."""
    line = "tcp option maxseg size 1-535 exthdr frag exists ip frag-off & 0x1fff != 0x0 drop"
    matches = [e["match"] for e in Statements(line.split()).statements() if "match" in e]
    assert [(m["left"], m["right"]) for m in matches] == [
        ({"tcp option": {"name": "maxseg", "field": "size"}}, {"range": [1, 535]}),
        ({"exthdr": {"name": "frag"}}, True),
        ({"&": [{"payload": {"protocol": "ip", "field": "frag-off"}}, 0x1FFF]}, 0),
    ]
