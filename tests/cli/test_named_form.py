"""A list that goes to a file of which the name says another form."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.records import made


@pytest.mark.parametrize("named", ["xlsx", "csv", "json"])
def test_a_name_holds_what_it_says(tmp_path: Path, named: str) -> None:
    register = tmp_path / "r.sqlite"
    Register.open(str(register), create=True).add(made())
    place = tmp_path / f"名单.{named}"
    words = ("pledge", "list", "--register", register, "-o", place)
    ended = hostpledge(*words, home=tmp_path)
    assert ended.status == 2
    assert f"what is to be written is no {named}; add --format {named}" in ended.err
    assert not place.exists()
    assert hostpledge(*words, "--format", named, home=tmp_path).status == 0
    assert place.stat().st_size > 0
