"""The golden record holds; else `make golden`, and the commit says which verdict changed."""

from __future__ import annotations

import pytest

from tests.golden.record import PARTS, differences


@pytest.mark.parametrize("part", list(PARTS))
def test_is_as_it_was(part: str) -> None:
    found = differences(part)
    assert not found, "\n".join([f"{len(found)} lines differ", *found[:20]])
