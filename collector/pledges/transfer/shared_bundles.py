"""Bundles that another register keeps in the same folder: what one disposes of the other has still.

A bundle is named by its digest alone, and the folder is beside the file of a register, or one that
is named: so registers may share it, a copy of one that was made to try something too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database.store import Store

_HEADER = b"SQLite format 3\0"
_HELD = """SELECT 1 FROM evidence WHERE digest = ?
AND pledge NOT IN (SELECT pledge FROM versions WHERE document = '')"""


def refuse_others(store: Store, digests: Collection[str], name: str, where: str) -> None:
    """`name` and `where` are the register's that would destroy them.

    Raises BadInput, and names the other one, where one of them is kept for another register too.
    """
    for _, there in others(store, digests, name, where):
        raise _shared(there, store)


def others(
    store: Store, digests: Collection[str], name: str, where: str
) -> Iterator[tuple[str, str]]:
    """Which of them is kept for another register than this, and where that lies.

    Raises BadInput where one of these cannot be asked.
    """
    if not digests:
        return
    for path in _files(store, where):
        yield from ((digest, str(path)) for digest in digests if _holds(path, digest))
    for digest in digests:
        for other, there in store.noted(digest):
            if "://" in there and (other != name or _database(there) != _database(where)):
                yield digest, there


def _files(store: Store, where: str) -> Iterator[Path]:
    """Other registers that are files, beside the folder or noted in it."""
    folders = dict.fromkeys((store.folder.parent, store.folder.resolve().parent))
    beside = [path for folder in folders for path in sorted(folder.iterdir())]
    noted = [Path(there) for there in store.places() if "://" not in there]
    own = Path(where) if "://" not in where else None
    for path in dict.fromkeys([*beside, *noted]):
        if not path.is_file() or (own is not None and own.exists() and path.samefile(own)):
            continue
        try:
            with path.open("rb") as file:
                head = file.read(len(_HEADER))
        except OSError as problem:
            raise BadInput(str(problem.strerror), where=str(path)) from None
        if head == _HEADER:
            yield path


def _holds(path: Path, digest: str) -> bool:
    """Raises BadInput where the file cannot be asked."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not {"evidence", "versions"} <= {name for (name,) in tables}:
                return False
            return connection.execute(_HELD, (digest,)).fetchone() is not None
    except sqlite3.Error as problem:
        raise BadInput(
            msg("register_beside_not_asked", why=str(problem)),
            where=str(path),
            mend=msg("give_registers_folders"),
        ) from None


def _database(where: str) -> tuple[str | None, int, str | None] | str:
    """A database of a server, whoever logs in to it."""
    try:
        url = make_url(where)
    except ArgumentError:
        return where
    return (url.host, url.port or 5432, url.database) if "://" in where else where


def _shared(other: str, store: Store) -> BadInput:
    mend = msg("give_registers_folders")
    if "://" in other:
        mend = msg("take_out_gone_register", file=str(store.holders))
    what = msg("bundles_of_another_register", register=other)
    return BadInput(what, where=str(store.folder), mend=mend)
