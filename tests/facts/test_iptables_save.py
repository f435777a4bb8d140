"""Lines that iptables-restore takes beside those that iptables-save prints (both of 1.8.11, live)."""

from __future__ import annotations

import pytest

from collector.errors import NotUnderstood
from collector.facts.firewall.iptables.ipset import ipsets
from collector.facts.firewall.iptables.save import saved


def _loaded(*lines: str) -> dict[str, int]:
    """How many rules each chain ends with."""
    text = "\n".join(("*filter", *lines, "COMMIT"))
    ((table,), _) = saved(text, 4, "firewall.saved", ipsets("", "firewall.ipset"))
    return {name.split()[-1]: len(rules) for name, rules in table.chains.items()}


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        (["-A INPUT -j REJECT"], {"INPUT": 1}),
        (
            ["-F INPUT", "-N F", "-F F", "-Z", "-A INPUT -j F", "-A F -j DROP"],
            {"F": 1, "INPUT": 1},
        ),
        ([":INPUT DROP [0:0]", "-A INPUT -j DROP", "--flush INPUT"], {"INPUT": 0}),
        (["--new-chain F", "--delete-chain F"], {}),
        (["-N F", "-N G", "-X"], {}),
        (["-F", "[0:0] -A INPUT -j DROP"], {"INPUT": 1}),
        (["-P INPUT DROP"], {"INPUT": 0}),
    ],
)
def test_what_restoring_makes_of_it(lines: list[str], rules: dict[str, int]) -> None:
    assert _loaded(*lines) == rules


@pytest.mark.parametrize(
    "lines",
    [
        ["-F NOPE"],
        ["-N F", "-A F -j DROP", "-X F"],
        ["-X INPUT"],
        [":F - [0:0]", "-N F"],
        [":F - [0:0]", "-A INPUT -j F", "-X F"],
        ["-N"],
        # the two back ends differ
        ["-A INPUT -j DROP", "-F", "-A INPUT -j ACCEPT"],
        ["-D INPUT 1"],
    ],
)
def test_what_it_refuses(lines: list[str]) -> None:
    with pytest.raises(NotUnderstood):
        _loaded(*lines)


def test_a_built_in_chain_without_a_line_lets_through() -> None:
    text = "*filter\n-A INPUT -j REJECT\n-P FORWARD DROP\nCOMMIT\n"
    ((table,), _) = saved(text, 4, "firewall.saved", ipsets("", "firewall.ipset"))
    bases = {base.chain.split()[-1]: (base.hook, base.accept) for base in table.bases}
    assert bases == {"INPUT": ("input", True), "FORWARD": ("forward", False)}
