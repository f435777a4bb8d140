"""Where the files that ship with hostpledge lie: in a checkout, or inside the installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


def package_text(name: str) -> str:
    """The text of a file inside the package, `name` relative to it."""
    return (_PACKAGE / name).read_text(encoding="utf-8")


@cache
def shared_root() -> Path:
    """The folder that holds `playbooks`, `roles` and `schemas`."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parent


def shared(*parts: str) -> Path:
    """The path of something that ships beside the package, e.g. `shared("schemas")`."""
    return shared_root().joinpath(*parts)
