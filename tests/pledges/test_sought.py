"""What a search of the register finds: by name, number, contact, host and address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.app import hostpledge
from collector.cli.options.times import Ahead, length_of_time
from collector.errors import BadInput
from collector.pledges.record.sought import holds
from collector.pledges.standing import listing
from collector.pledges.standing.listing import Wanted
from collector.pledges.status import briefs
from tests.cli.running import hostpledge as run
from tests.cli.test_contract import _leaves
from tests.pledges.records import made

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
TODAY = date(2026, 6, 1)

RECORD = made(
    id="yunfan-2026",
    customer={
        "name": "杭州示例云帆科技有限公司",
        "kind": "unit",
        "credit_code": "91330106MA0DEM2670",
    },
    safety_contact={"name": "林示例", "phone": "13800000001", "email": "security@yunfan.example"},
    resources={
        "addresses": ["203.0.113.16/29", "2001:db8:20::/64", "198.51.100.7"],
        "domains": ["www.yunfan.example"],
        "hosts": ["web-01", "10.20.30.40"],
    },
)


@pytest.mark.parametrize(
    ("phone", "text", "found"),
    [
        ("0871-6512 0032", "08716512", True),
        ("0871-6512 0032", "0871-65120032", True),
        ("(0871)65120032", "0871 6512 0032", True),
        ("+86 138 0000 0001", "13800000001", True),
        ("0871-6512 0032", "0871-6512 0033", False),
        ("0871-6512 0032", "20260601", False),
        ("0871-6512 0032", "6512.0032", False),
    ],
)
def test_a_number_is_found_by_its_digits(phone: str, text: str, found: bool) -> None:
    assert holds(("云帆", phone, "web-01", "203.0.113.16/29"), text) is found


def test_digits_of_what_is_no_number_are_not_joined() -> None:
    assert not holds(("yunfan-2026-06", "203.0.113.16/29", "2026-06"), "202606016")
    assert not holds(("203.0.113.16",), "203-0-113")


def test_what_nobody_sees_parts_no_name() -> None:
    assert holds(("云\u200b帆科技\ufeff",), "云帆科技")
    assert holds(("云帆科技",), "云\u200b帆")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("云帆", True),
        ("YUNFAN-2026", True),
        ("91330106ma0dem2670", True),
        ("MA0DEM", True),
        ("林示例", True),
        ("13800000001", True),
        ("security@yunfan", True),
        ("WEB-01", True),
        ("www.yunfan.example", True),
        ("203.0.113.16/29", True),
        (" 203.0.113.20 ", True),
        ("203.0.113.24", False),  # the next network's
        ("2001:db8:20::5", True),
        ("2001:DB8:20:0:0:0:0:5", True),
        ("2001:db8:21::5", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("::ffff:203.0.113.20", True),
        ("203.0.113.0/24", True),  # holds what is declared
        ("203.0.113.20/31", True),  # lies in what is declared
        ("203.0.113.24/29", False),
        ("198.51.100.0/24", True),
        ("198.51.100.9/24", True),  # with bits of a host in it
        ("2001:db8::/32", True),
        ("2001:db8:21::/48", False),
        ("0.0.0.0/33", False),
        ("10.20.30.40", True),  # by which a machine is declared
        ("10.20.30.0/28", False),
        ("10.20.30.32/28", True),
        ("某某", False),
    ],
)
def test_what_is_found(text: str, found: bool) -> None:
    brief = briefs.of(RECORD, NOW)
    (one,) = listing.listed([brief], {}, NOW, timedelta(), {})
    assert Wanted(search=text).holds(one, TODAY) is found


def test_what_is_no_network_is_no_place_for_an_address() -> None:
    assert not holds(["not-a-network", "10.0.0.0/33"], "10.0.0.1")
    assert holds(["10.0.0.1/8"], "10.9.9.9")  # with bits of a host in it


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30d", 30),
        ("30", 30),
        ("4w", 28),
        ("4周", 28),
        ("10天", 10),
        ("1m", 30),
        ("3个月", 92),
        ("2026-06-01", 0),
        ("2026-06-30", 29),
        ("2026-06", 29),
        ("2026-12", 213),
    ],
)
def test_times_as_people_write_them(text: str, days: int) -> None:
    assert length_of_time(text, today=TODAY) == timedelta(days=days)


def test_a_month_later_is_the_day_of_that_month_or_its_last() -> None:
    assert length_of_time("1m", today=date(2027, 1, 31)) == timedelta(days=28)


@pytest.mark.parametrize("text", ["soon", "1y", "2026-13", "2026-02-30", "-3d", "", "12345d"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadInput, match="2027-03"):
        length_of_time(text, today=TODAY)


@pytest.mark.parametrize("text", ["2026-05-31", "2026-05", "2025-12"])
def test_a_day_that_is_past(text: str) -> None:
    with pytest.raises(BadInput, match=f"past|过去.*{text}"):
        length_of_time(text, today=TODAY)


_AHEAD = ("--within", "--due-within", "--expiring", "--spread")


def _looking_ahead() -> Iterator[tuple[str, ...]]:
    """Each option of that kind, behind the command that has it."""
    for path, command in _leaves(hostpledge):
        for option in command.params:
            if option.opts[0] in _AHEAD or isinstance(option.type, Ahead):
                assert isinstance(option.type, Ahead), (path, "a time of its own kind")
                yield (*path.split(), option.opts[0])


_OPTIONS = [*_looking_ahead()]


def test_every_such_option_is_known_here() -> None:
    assert {words[-1] for words in _OPTIONS} == set(_AHEAD)
    assert len(_OPTIONS) >= 10


@pytest.mark.parametrize("words", _OPTIONS, ids=" ".join)
def test_every_option_takes_the_same_times(words: tuple[str, ...], tmp_path: Path) -> None:
    """A wrong one is told in one line, before anything is looked at; a right one is not."""
    for text, says in (
        ("soon", "no length of time: soon; write 30d, 4w, 3m, 2027-03-31 or 2027-03"),
        ("2026-02-30", "no length of time: 2026-02-30"),
        ("2001-01-31", "is past: 2001-01-31"),
    ):
        ended = run(*words, text, "--lang", "en", home=tmp_path)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"hostpledge: {words[-1]}: {says}"), ended.err
        assert ended.err.count("\n") == 1
    option = Ahead().convert("2099-01-31", None, None)
    assert timedelta(0) < option == length_of_time("2099-01-31")
