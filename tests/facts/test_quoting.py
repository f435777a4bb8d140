"""Words as sh quotes them: as shlex has them, and no slower for being long."""

from __future__ import annotations

import shlex
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.facts.shell import quoting


def _told(text: str, *, comments: bool, split: object) -> object:
    try:
        return split(text, comments=comments)  # type: ignore[operator]
    except ValueError as problem:
        return str(problem)


@settings(max_examples=1500, deadline=None)
@given(st.text(alphabet="ab=#'\"\\ \t\r\n$é\u2028[", max_size=24), st.booleans())
def test_as_shlex_has_it(text: str, comments: bool) -> None:
    ours = _told(text, comments=comments, split=quoting.split)
    assert ours == _told(text, comments=comments, split=shlex.split)


@pytest.mark.parametrize("sign", ["[", "a", "'", '"', "\\", "'' ", '"\\', "#", "\\\n", "a'b'"])
@pytest.mark.parametrize("comments", [False, True])
def test_no_slower_for_being_long(sign: str, comments: bool) -> None:
    begun = time.process_time()
    for text in (sign * 200_000, "'" + sign * 200_000, '"' + sign * 200_000):
        _told(text, comments=comments, split=quoting.split)
    assert time.process_time() - begun < 3
