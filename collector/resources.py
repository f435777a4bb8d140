"""Where files lie: what ships with hostpledge (checkout or installed wheel), what it keeps."""

from __future__ import annotations

import os
import pwd
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


def home() -> Path:
    """The user's own folder for keys and the register, made for the owner alone when missing.

    $HOSTPLEDGE_HOME, else $XDG_DATA_HOME/hostpledge, else ~/.local/share/hostpledge.
    """
    folder = home_place()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def home_place() -> Path:
    """Where `home` is, or would be."""
    named = os.environ.get("HOSTPLEDGE_HOME")
    if named:
        return Path(named)
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data) / "hostpledge"
    return _users_own() / ".local" / "share" / "hostpledge"


def _users_own() -> Path:
    """$HOME; where that is empty or relative, what the system says of the user."""
    told = Path(os.environ.get("HOME", ""))
    if told.is_absolute():
        return told
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path("/nonexistent")
