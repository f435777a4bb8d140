"""A host that returns megabytes is named where the bundle is made."""

from __future__ import annotations

import pytest

from collector.attest.bundle.entry_size import LARGEST, bounded
from collector.errors import BadInput


def test_an_entry_that_no_reader_takes_is_named() -> None:
    assert bounded(b"x" * LARGEST, "web-1", "web-1.capture.gz")
    with pytest.raises(BadInput, match=r"web-2\.capture\.gz: what is to be said of web-2"):
        bounded(b"x" * (LARGEST + 1), "web-2", "web-2.capture.gz")
