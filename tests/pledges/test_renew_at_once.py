"""Two who renew the same pledge at once: one of them is told that it is continued already."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.places import place, postgresql
from tests.pledges.records import made

__all__ = ["place", "postgresql"]


@pytest.mark.parametrize(
    "words", [("old-2026", "mine-2027"), ("old-2026", "--ids", "old-2026=mine-2027")]
)
def test_only_one_of_two_continues_it(place: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    register = Register.open(place, create=True)
    register.add(made(id="old-2026"))
    with ThreadPoolExecutor(1) as pool:
        with register.changing("old-2026"):
            run = pool.submit(
                hostpledge, "pledge", "renew", *words, "--register", place, home=tmp_path
            )
            # time enough to look, if it did not wait for us
            time.sleep(3)
            register.add(made(id="theirs-2027", renews="old-2026"))
        ended = run.result()
    assert ended.status == 2, ended.out
    assert "is continued by theirs-2027 already" in ended.err
    assert {one.id for one in register.list()} == {"old-2026", "theirs-2027"}
