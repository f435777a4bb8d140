"""What an import cannot read is told in words, not by the names of Python's errors."""

from __future__ import annotations

import pytest

from collector.errors import BadInput
from collector.pledges.lists import xlsx


def test_texts_that_a_workbook_lost_are_told() -> None:
    with pytest.raises(BadInput, match="name texts that are not in it"), xlsx._reading("a.xlsx"):
        list[str]()[7]
