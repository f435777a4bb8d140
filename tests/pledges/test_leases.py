"""Leases of hosts in a register that several coordinators share: two are never at one host."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from collector.errors import BadInput
from collector.pledges.register.leases import opened
from collector.pledges.register.register import Register
from tests.pledges.places import database

HOSTS = [f"h{number}" for number in range(40)]


@pytest.fixture
def location(postgresql: str) -> str:
    return database(postgresql)


def test_a_host_is_one_coordinators_until_it_is_given_back_or_its_time_is_over(
    location: str,
) -> None:
    with opened(location, "run-a") as one, opened(location, "run-b") as other:
        assert one.take(["h1", "h2"], 60) == ("h1", "h2")
        assert other.take(["h1", "h2", "h3"], 60) == ("h3",)
        # the run that was killed is taken up again
        assert one.take(["h2"], 0.5) == ("h2",)
        one.give_back(["h1", "h3"])
        assert other.take(["h1", "h3"], 60) == ("h1", "h3")
        time.sleep(0.7)
        assert other.take(["h2"], 60) == ("h2",)
        assert one.take(["h3"], 60) == ()


def test_many_at_once_get_each_host_once(location: str) -> None:
    found: list[str] = []
    problems: list[BaseException] = []

    def work(name: str) -> None:
        try:
            with opened(location, name) as leases:
                for _ in range(3):
                    found.extend(leases.take(HOSTS, 600))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(f"run-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    # its own it may take again
    with opened(location, "another") as leases:
        assert leases.take(HOSTS, 1) == ()
    assert set(Counter(found)) == set(HOSTS)


def test_a_register_is_none_the_worse_for_them(location: str) -> None:
    with opened(location, "run-a") as leases:
        leases.take(["h1"], 5)
    assert Register.open(location, create=True) is not None


def test_a_database_that_is_away_is_one_line() -> None:
    away = "postgresql+pg8000://postgres@127.0.0.1:1/x"
    with pytest.raises(BadInput) as problem, opened(away, "run-a"):
        pass
    assert "\n" not in str(problem.value)
