"""Which code judges: one digest over everything that a verdict follows from beside the captures."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from collector import __version__

_HERE = Path(__file__).parent
# the form of captures, what is read out of them, who judges it, and in which words
_ROOMS = ("facts", "judges", "controls", "catalogs", "i18n", "judging")
_MODULES = (
    "alike_names.py", "assess.py", "captures.py", "catalog.py", "model.py", "schema.py",
    "scope.py", "script.py", "sizes.py", "yaml_text.py",
)  # fmt: skip
_KINDS = {".py", ".yml", ".tsv", ".awk", ".sh", ".toml", ".txt"}


@cache
def judging_code_sha256() -> str:
    """SHA-256 (hex) over paths and contents, in the order of paths."""
    digest = hashlib.sha256()
    for path in judging_files():
        name = path.relative_to(_HERE).as_posix().encode()
        content = path.read_bytes()
        digest.update(b"%d %s\0%d " % (len(name), name, len(content)) + content)
    return digest.hexdigest()


def tool() -> dict[str, str]:
    """What judges here, as evidence.json names it."""
    return {
        "name": "hostpledge",
        "version": __version__,
        "judging_code_sha256": judging_code_sha256(),
    }


def judging_files() -> list[Path]:
    """The files that it is taken over."""
    inside = (path for room in _ROOMS for path in (_HERE / room).rglob("*"))
    return sorted(
        [*(p for p in inside if p.suffix in _KINDS), *(_HERE / name for name in _MODULES)]
    )
