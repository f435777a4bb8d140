"""Whose a folder beside a register is: from the first time on, one register's alone.

`register.json` names it by its log, and says where it lies. One that was moved, or restored in
place of what is lost, has the folder still; a copy beside it has not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from collector import private
from collector.schema import load_json

_FILE = "register.json"


def other(folder: Path, register: str, where: str) -> str | None:
    """Where that other register lies whose folder it is; None where it is this one's, or none's.

    Raises BadInput for a damaged file.
    """
    known = _known(folder)
    if known is None:
        return None
    there = str(known.get("where", ""))
    return there if known.get("register") != register or _both_there(there, where) else None


def claim(folder: Path, register: str, where: str) -> None:
    """From now on it is this one's, where `other` has named none; held by the caller."""
    own = {"register": register, "where": where}
    if _known(folder) != own:
        text = json.dumps(own, ensure_ascii=False, indent=1) + "\n"
        private.write_aside(folder / _FILE, text.encode())


def _known(folder: Path) -> dict[str, Any] | None:
    path = folder / _FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    found = load_json(text, where=str(path))
    return found if isinstance(found, dict) else {}


def _both_there(there: str, where: str) -> bool:
    """Of two places of one register: are both there? A database server is not asked for that."""
    if "://" in there + where or not Path(there).exists() or not Path(where).exists():
        return False
    return not Path(there).samefile(where)
