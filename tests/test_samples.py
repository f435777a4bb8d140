"""The samples in docstrings are run: what a parser says of itself is so."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import collector

ROOT = Path(collector.__file__).parents[1]


def _sampled() -> list[str]:
    found = (ROOT / "collector").rglob("*.py")
    with_samples = [p for p in found if "\n    >>> " in p.read_text(encoding="utf-8")]
    return sorted(".".join(p.relative_to(ROOT).with_suffix("").parts) for p in with_samples)


@pytest.mark.parametrize("name", _sampled())
def test_samples_are_so(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
