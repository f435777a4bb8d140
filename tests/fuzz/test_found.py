"""What the fuzzer found once stays mended, and every reader takes its good inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import BadInput, VerifyFailed
from tests.fuzz import readers

FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=[path.name for path in FOUND])
def test_what_was_found_is_refused(path: Path, tmp_path: Path) -> None:
    reader = readers.reader(path.name.partition(".")[0], tmp_path)
    with pytest.raises((BadInput, VerifyFailed)):
        reader(path.read_bytes())


@pytest.mark.parametrize(
    "name", ["record", "inventory", "capture", "capture lines", "trust", "zip headers", "zip"]
)
def test_good_inputs_are_taken(name: str, tmp_path: Path) -> None:
    reader = readers.reader(name, tmp_path)
    for seed in readers.seeds(name, tmp_path):
        reader(seed)
