"""A handler sees no variable of the task that calls it: it uses those of the role alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"


def _kept(text: str) -> set[str]:
    """What tasks leave behind for all that comes after them."""
    names = set(re.findall(r"^\s+register: (\w+)$", text, re.MULTILINE))
    for block in re.findall(r"set_fact:\n((?:\s+\w+:.*\n(?:\s+[^\w\s-].*\n)*)+)", text):
        names |= set(re.findall(r"^\s+(\w+):", block, re.MULTILINE))
    return names


@pytest.mark.parametrize(
    "role", sorted(p.name for p in ROLES.iterdir() if (p / "handlers").is_dir())
)
def test_handlers_use_what_all_of_the_role_sees(role: str) -> None:
    own = re.compile(rf"\b{role}_\w+")
    known: set[str] = set()
    for path in [
        *(ROLES / role / "vars").glob("*.yml"),
        *(ROLES / role / "defaults").glob("*.yml"),
    ]:
        known |= yaml.safe_load(path.read_text(encoding="utf-8")).keys()
    for folder in ("tasks", "handlers"):
        for path in (ROLES / role / folder).glob("*.yml"):
            known |= _kept(path.read_text(encoding="utf-8"))
    used = set(own.findall((ROLES / role / "handlers" / "main.yml").read_text(encoding="utf-8")))
    assert used <= known
