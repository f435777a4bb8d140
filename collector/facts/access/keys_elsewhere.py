"""Whether sshd takes keys in places that were not looked at: with them, others log in too."""

from __future__ import annotations

from collector.facts.access.sshd_effective import Listener, listeners
from collector.model import Capture


def usual(path: str) -> bool:
    """Is this where the keys were looked for?"""
    return path.removeprefix("%h/") in (".ssh/authorized_keys", ".ssh/authorized_keys2")


def keys_elsewhere(capture: Capture) -> str:
    """The places, commands and authorities of keys that were not looked at; empty without any.

    Raises FactError.
    """
    return " ".join(dict.fromkeys(word for one in listeners(capture) for word in _elsewhere(one)))


def _elsewhere(server: Listener) -> list[str]:
    if server.first("pubkeyauthentication") == "no":
        return []
    found = [f for f in server.first("authorizedkeysfile").split() if f != "none" and not usual(f)]
    told = (server.first("authorizedkeyscommand"), server.first("trustedusercakeys"))
    return found + [word for word in told if word not in ("", "none")]
