"""A run tells of a machine that is another customer's too, and of no containers side by side."""

from __future__ import annotations

from typing import cast

import pytest

from collector.cli.workflows import twins
from collector.pledges.database.sightings import Twin
from collector.pledges.register.register import Register

BESIDE = Twin("web", "one-1", "db", 1, ("boot",))
CLONE = Twin("web", "one-1", "db", 1, ("boot", "machine"))
OTHERS = Twin("web", "two-2", "web", 1, ("boot",))


@pytest.mark.parametrize(
    ("found", "told"),
    [((BESIDE,), ()), ((CLONE,), (CLONE,)), ((OTHERS,), (OTHERS,)), ((BESIDE, OTHERS), (OTHERS,))],
)
def test_of_a_run(
    monkeypatch: pytest.MonkeyPatch, found: tuple[Twin, ...], told: tuple[Twin, ...]
) -> None:
    monkeypatch.setattr(twins, "unexpected", lambda *_: found)
    assert twins.of_a_run(cast("Register", None), "one-1") == told
