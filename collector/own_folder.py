"""Whose a folder beside a register is: from the first time on, one register's alone.

`register.json` names it by its log, and says where it lies. One that was moved, or restored in
place of what is lost, has the folder still; a copy beside it has not. Of a database nobody here can
tell whether it is there still, so somebody says that it is not (`move`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.schema import load_json

_FILE = "register.json"
# names of one and the same server, and where PostgreSQL listens unless told otherwise
_HERE, _PORT = frozenset({"", "localhost", "127.0.0.1", "::1"}), 5432


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


def move(folder: Path, register: str, where: str) -> str | None:
    """It is the register's that lies there, by somebody's word; held by the caller.

    Where it lay before; None where it is this one's already, or none's. Raises BadInput for the
    folder of a register that is another by its log, or whose file is there still.
    """
    known = _known(folder)
    there = other(folder, register, where)
    if known is None or there is None:
        return None
    if known.get("register") != register or ("://" not in there and Path(there).exists()):
        raise BadInput(
            msg("folder_is_anothers", register=there), where=str(folder), mend=msg("moved_mend")
        )
    claim(folder, register, where)
    return there


def _known(folder: Path) -> dict[str, Any] | None:
    path = folder / _FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    found = load_json(text, where=str(path))
    return found if isinstance(found, dict) else {}


def _both_there(there: str, where: str) -> bool:
    """Of two places of one register: may both be there? A database server is not asked for that."""
    if "://" in there:
        return "://" not in where or _database(there) != _database(where)
    if not Path(there).exists():
        return False
    if "://" in where:
        return True
    return Path(where).exists() and not Path(there).samefile(where)


def _database(url: str) -> tuple[str, int, str]:
    """Which database that is, whoever asks it and by which driver.

    >>> _database("postgresql+pg8000://page:***@DB/pledges") == _database(
    ...     "postgresql://web@db:5432/pledges")
    True
    >>> _database("postgresql://web@127.0.0.1/pledges")
    ('localhost', 5432, 'pledges')
    """
    found = urlsplit(url)
    host = found.hostname or ""
    return (
        "localhost" if host in _HERE else host,
        found.port or _PORT,
        found.path.removeprefix("/"),
    )
