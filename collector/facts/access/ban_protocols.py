"""Whether an action of fail2ban takes the protocols that a jail names.

Source: config/action.d of fail2ban, tags 0.8.14 to 1.1.1. What an action does not take is handed on
in one word, and the packet filter refuses the rule: `unknown protocol "tcp,"`.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

Version = tuple[int, ...]

# names of actions, since when they take several, and since when `all` beside ports; None: never
_ACTIONS: tuple[tuple[str, Version | None, Version | None], ...] = (
    ("iptables-xt_recent-echo|firewallcmd-allports", (0,), (0,)),
    ("iptables-multiport-log", None, None),
    ("firewallcmd-.*", None, None),
    ("iptables(?:-.*)?", (1, 0, 1), None),
    ("nftables(?:-.*)?", (0, 10, 5), (1, 1, 1)),
)
_BY_PROTOCOL = {"nft", "iptables", "ip6tables", "ipset", "firewall-cmd"}


def version_of(text: str) -> Version | None:
    """The version in the banner of the interactive client; None where it is of none released."""
    found = re.search(r"^Fail2Ban v(\d+(?:\.\d+){1,3}) reads log file", text, re.MULTILINE)
    return tuple(map(int, found[1].split("."))) if found else None


def takes(
    action: str, calls: AbstractSet[str], told: str, version: Version | None, *, every_port: bool
) -> bool | None:
    """None where that is not known: an action of one's own, or a version that was not told."""
    words = told.replace(",", " ").split()
    several = len(words) > 1 or "," in told
    if not several and "all" not in words:
        return True
    known = next((row for row in _ACTIONS if re.fullmatch(row[0], action)), None)
    if known is None:
        # by an address alone: a route, tcpd, ufw
        return None if calls & _BY_PROTOCOL else True
    _, since_several, since_all = known
    since = since_several
    if "all" in words:
        if every_port and not several and not action.startswith("nftables"):
            return True
        if action == "firewallcmd-ipset":
            return None  # whether it is for every port, another option of it says
        since = since_all
    if since is None:
        return False
    if since == (0,):
        return True
    return None if version is None else version >= since
