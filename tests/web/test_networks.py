"""Who was given a whole network of IPv6 uses up nothing that all strangers share."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from collector.handin.senders import networks
from collector.web.keeping import passwords, throttle
from collector.web.serving.door import Door
from tests.web.sites import Place, Site, place, with_accounts

__all__ = ["place"]
STRANGER = "203.0.113.9"


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Site:
    state = str(tmp_path / "state")
    with_accounts(state)
    return Site(Place(place.register, state, place.signer, place.home))


def _many(prefix: str, count: int) -> list[str]:
    """Addresses, each of a /64 of its own: `prefix` ends before their last hexadecimal digits."""
    return [f"{prefix}{number:02x}::1" for number in range(count)]


@pytest.mark.parametrize("prefix", ["2001:db8:0:12", "2001:db8:0:"])
def test_guesses_at_a_name_from_one_network_hold_up_nobody_else(own: Site, prefix: str) -> None:
    width = "" if prefix.endswith("12") else "00"
    for number in range(throttle.NAME):
        address = f"{prefix}{number:02x}{width}::1"
        own.house.throttle.take(throttle.buckets("cust", address, None))
    assert own.browser(peer=STRANGER).sign_in("cust").status_code == 303
    # they are heard no more there, whichever of their addresses asks
    assert own.browser(peer=f"{prefix}ff{width}::1").sign_in("cust").status_code == 429


def test_tries_for_many_names_are_counted_by_network(own: Site) -> None:
    heard = 0
    for number, address in enumerate(_many("2001:db8:0:12", 200)):
        for again in range(2):
            buckets = throttle.buckets(f"name-{number}-{again}", address, None)
            heard += own.house.throttle.take(buckets).wait == 0
    assert heard == 2 * throttle.ADDRESS
    assert own.house.throttle.take(throttle.buckets("x", "2001:db8:0:1300::1", None)).wait == 0
    assert own.house.throttle.take(throttle.of_address("oidc", "2001:db8:0:12ff::1")).wait == 0


def test_one_network_leaves_places_for_passwords(own: Site) -> None:
    with ExitStack() as held:
        taken = 0
        for address in _many("2001:db8:0:12", 8):
            try:
                held.enter_context(passwords.STRANGERS.one(*networks(address)))
                taken += 1
            except passwords.BusyError:
                continue
        assert taken == 3
        assert own.browser(peer=STRANGER).sign_in("cust").status_code == 303
        assert own.browser(peer="2001:db8:0:12ff::1").sign_in("cust").status_code == 503
    assert own.browser(peer="2001:db8:0:12ff::1").sign_in("cust").status_code == 303
    assert not passwords.STRANGERS._taken


def test_of_connections_those_of_the_largest_network_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.web.serving.door._OF_ALL", 6)
    door = Door()
    with ExitStack() as held:

        def enters(address: str) -> socket.socket:
            conn, other = socket.socketpair()
            held.enter_context(conn)
            held.enter_context(other)
            assert door.enters(conn, address, is_proxy=False)
            return conn

        first = enters(STRANGER)
        enters(STRANGER)
        theirs = [enters(address) for address in _many("2001:db8:0:12", 4)]
        enters("2001:db8:0:12ff::1")
        assert [one.conn for one in door.held if one.gone] == theirs[:1]
        assert first in [one.conn for one in door.held if one.open]
