"""Places for uploads: one customer, or one sender, does not keep everybody else from handing in."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.handin import links, quarantine
from collector.handin.links import Link
from collector.handin.places import Bounds, Places
from collector.handin.slots import BusyError, Pace, Slots, SlowError
from tests.handin.served import Served, output, serving

_MOST = 1 << 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "hand-in", largest=_MOST, least=2000, stretch=2) as found:
        yield found


def _begun(served: Served, address: str, sender: str = "127.0.0.1") -> socket.socket:
    """One that says it will send much, and has sent a byte."""
    sent = socket.create_connection(("127.0.0.1", served.port), source_address=(sender, 0))
    path = address.partition(str(served.port))[2]
    sent.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {_MOST}\r\n\r\nx".encode())
    return sent


def _drips(served: Served, addresses: list[str], stack: ExitStack) -> list[socket.socket]:
    begun = [stack.enter_context(_begun(served, address)) for address in addresses]
    time.sleep(0.5)
    return begun


def _answered(begun: list[socket.socket]) -> list[int]:
    """The statuses of those that have been answered by now."""
    found = []
    for one in begun:
        one.setblocking(False)
        try:
            found.append(int(one.recv(100).split()[1]))
        except BlockingIOError:
            continue
    return found


def test_one_pledge_does_not_take_all_the_places(served: Served) -> None:
    """As many slow senders as there are places, by links of one customer's many hosts."""
    bounds = Bounds()
    greedy = [served.link(f"a{n}", "P-1")[1] for n in range(bounds.at_once // bounds.of_link)]
    _, honest = served.link("web-1", "P-2")
    with ExitStack() as stack:
        begun = _drips(served, greedy * bounds.of_link, stack)
        told = served.curl("--interface", "127.0.0.2", "-T", "-", honest, data=output())
        assert told.status == 201, told
        refused = _answered(begun)
        assert refused.count(503) == bounds.at_once - bounds.of_pledge


def test_one_sender_does_not_take_all_the_places(served: Served) -> None:
    bounds = Bounds()
    greedy = [served.link("a", f"P-{n}")[1] for n in range(bounds.at_once)]
    _, honest = served.link("web-1", "Q-1")
    with ExitStack() as stack:
        begun = _drips(served, greedy, stack)
        told = served.curl("--interface", "127.0.0.2", "-T", "-", honest, data=output())
        assert told.status == 201, told
        assert _answered(begun).count(503) == bounds.at_once - bounds.of_sender


def test_who_sends_next_to_nothing_gives_the_place_up(served: Served) -> None:
    """Though it never pauses for long; who is slow, and steady, gets through."""
    _, drips = served.link("a", "P-1")
    link, steady = served.link("b", "P-2")
    data = output("b")[:40_000]
    with _begun(served, drips) as drip, _begun(served, steady) as slow:
        end = time.monotonic() + 15
        answered = b""
        while not answered and time.monotonic() < end:
            drip.sendall(b"x")
            slow.sendall(data[:1500])
            time.sleep(0.5)
            drip.setblocking(False)
            try:
                answered = drip.recv(100)
            except BlockingIOError:
                drip.setblocking(True)
        assert answered.startswith(b"HTTP/1.1 408"), answered
        for _ in range(6):
            slow.sendall(data[:1500])
            time.sleep(0.5)
        assert _answered([slow]) == []
    assert not (served.folder / "quarantine" / link.digest).exists()


def test_a_line_of_256_kbit_brings_20_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("collector.handin.slots.time.monotonic", lambda: now[0])
    bounds, size, of_line = Bounds(), 20 << 20, 256_000 / 8
    pace = Pace(bounds)
    for _ in range(size // 1400 + 1):
        now[0] += 1400 / of_line
        pace.went_on(1400)
    assert now[0] - 1000 < bounds.whole
    # a burst at the beginning is no leave to sit there for the rest of it
    pace.went_on(30 << 20)
    now[0] += bounds.stretch
    pace.went_on(1)
    with pytest.raises(SlowError):
        for _ in range(4):
            now[0] += 10
            pace.went_on(1)


def _link(pledge: str, digest: str) -> Link:
    at = datetime.now(UTC)
    return Link(digest, pledge, "web-1", 2, at, at + timedelta(days=1))


def test_a_place_that_is_given_up_is_there_for_the_next() -> None:
    found = Slots(Bounds(at_once=2, of_pledge=1))
    for _ in range(5):
        with found.one(_link("P-1", "a"), "x"), found.one(_link("P-2", "b"), "y"):
            with pytest.raises(BusyError), found.one(_link("P-1", "c"), "z"):
                pass
            with pytest.raises(BusyError), found.one(_link("P-3", "c"), "z"):
                pass
    assert not found._taken


def test_the_last_places_are_for_pledges_that_have_none() -> None:
    found, bounds = Slots(Bounds()), Bounds()
    with ExitStack() as held:
        taken = 0
        for number in range(bounds.at_once):
            one = _link(f"P-{number % 4}", str(number))
            with suppress(BusyError):
                held.enter_context(found.one(one, f"sender-{number % 2}"))
                taken += 1
        assert taken == int(bounds.at_once * (1 - bounds.kept))
        for number in range(bounds.at_once - taken):
            held.enter_context(found.one(_link(f"Q-{number}", f"q{number}"), "another"))
        with pytest.raises(BusyError):
            held.enter_context(found.one(_link("R", "r"), "another"))
    assert not found._taken


def test_what_takes_long_to_look_through_keeps_no_other_pledge_waiting() -> None:
    async def tried() -> None:
        found, over = Slots(Bounds()), asyncio.Event()

        async def long(digest: str) -> None:
            async with found.looking(_link("P-1", digest)):
                await over.wait()

        greedy = [asyncio.create_task(long(str(n))) for n in range(6)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5), found.looking(_link("P-2", "x")):
            pass
        over.set()
        await asyncio.gather(*greedy)
        assert not found._turns

    asyncio.run(tried())


def _handed_in(places: Places, pledge: str, size: int = 1) -> int:
    """How many hand-ins of a pledge are taken until one is refused."""
    for number in range(1000):
        link = links.new(places, pledge, f"h-{number}", 2, timedelta(days=1))[0]
        try:
            upload = quarantine.Upload(places, link)
        except quarantine.NoRoomError:
            return number
        upload.write(b"x" * size)
        upload.take_in("", "")
        upload.close()
    raise AssertionError("never refused")


def test_one_pledge_does_not_fill_the_quarantine(tmp_path: Path) -> None:
    places = Places(tmp_path / "hand-in", Bounds(largest=100, bytes=10_000, count=12))
    assert _handed_in(places, "P-1") == 6
    assert _handed_in(places, "P-2") == 3


def test_nor_do_all_those_of_one_customer(tmp_path: Path) -> None:
    """Each has half of what the others leave, so that something is always left."""
    places = Places(tmp_path / "hand-in", Bounds(largest=100, bytes=1_000_000, count=200))
    for number in range(5):
        assert _handed_in(places, f"MINE-{number}") > 0
    assert _handed_in(places, "ANOTHER") > 0


def test_the_last_of_the_room_is_for_who_has_nothing_there(tmp_path: Path) -> None:
    """As many as halve it until less is left than one capture may become."""
    places = Places(tmp_path / "hand-in", Bounds(largest=640, bytes=40_960, count=2000))
    for number in range(12):
        assert _handed_in(places, f"MINE-{number}", 640) > 0
    assert _handed_in(places, "ANOTHER", 640) > 0


def test_nor_by_what_is_under_way(tmp_path: Path) -> None:
    places = Places(tmp_path / "hand-in", Bounds(largest=100, bytes=1000, count=100))
    made = [links.new(places, "P-1", f"h-{n}", 2, timedelta(days=1))[0] for n in range(6)]
    other = links.new(places, "P-2", "h", 2, timedelta(days=1))[0]
    under_way = [quarantine.Upload(places, link) for link in made[:5]]
    with pytest.raises(quarantine.NoRoomError):
        quarantine.Upload(places, made[5])
    quarantine.Upload(places, other).close()
    for one in under_way:
        one.close()
