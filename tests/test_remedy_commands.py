"""A command that a control's words tell somebody to type is one that can be typed."""

from __future__ import annotations

import re

import pytest

from collector import catalog
from collector.model import Control

_HARDEN = re.compile(r"hostpledge\s+harden\b(?!\s+-i\s+INVENTORY\b)")


@pytest.mark.parametrize("control", catalog.described().values(), ids=lambda one: one.id)
def test_what_hardens_names_an_inventory(control: Control) -> None:
    """Without `-i` it ends with a usage error."""
    for text in (control.remediation.zh, control.remediation.en):
        assert _HARDEN.findall(text) == []
