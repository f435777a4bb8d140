"""Where a register is: a path or a database URL, and the store that belongs to it."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database import tables
from collector.pledges.database.store import Store
from collector.resources import home_place

FILE = "register.sqlite"
_BUNDLES = "bundles"
SHARED = "HOSTPLEDGE_BUNDLES"
# what the driver of PostgreSQL takes behind a question mark
_QUERY = {"application_name", "source_address", "tcp_keepalive", "timeout", "unix_sock"}
# how long pages wait between two words of a server: one that is frozen says none
SILENT_SECONDS = 20
# a URL with a slip in it is no path, for a path is said again
# a connection string of libpq (Keyword/Value Connection Strings), which has a password in it
_KEYWORDS = re.compile(r"(^|\s)(host|hostaddr|user|password|dbname|service)\s*=\s*\S")
_MEANT = re.compile(r"[a-z]{2,20}(\+[a-z0-9]{1,20})?:.*@", re.IGNORECASE)


def of_pages(url: URL) -> dict[str, Any]:
    """What `create_engine` is given for pages: whoever waits there gets an answer in the end.

    A command waits as long as it has to: for another's write, say.
    """
    if "timeout" in url.query or not url.drivername.endswith("pg8000"):
        return {**tables.unasked(url)}
    # holds for each read of its socket too
    return {**tables.unasked(url), "timeout": SILENT_SECONDS}


class Place(NamedTuple):
    """The file or the URL of the database; `where` is what is shown of it, without a password."""

    database: Path | URL
    store: Store
    where: str

    @property
    def path(self) -> Path | None:
        """The file of a register that is one; None for a database server's."""
        return self.database if isinstance(self.database, Path) else None

    @property
    def hand_in(self) -> Path:
        """The folder of what customers hand in: $HOSTPLEDGE_HAND_IN, else beside the bundles."""
        return self._beside("HOSTPLEDGE_HAND_IN", "hand-in")

    @property
    def outbox(self) -> Path:
        """The folder of notices that go out: $HOSTPLEDGE_OUTBOX, else beside the bundles."""
        return self._beside("HOSTPLEDGE_OUTBOX", "outbox")

    def _beside(self, setting: str, name: str) -> Path:
        return Path(os.environ.get(setting) or self.store.folder.parent / name).absolute()

    def engine(self) -> Engine:
        if isinstance(self.database, Path):
            return tables.open_sqlite(self.database)
        # what broke a connection is said by whoever asked something of it; that it cannot be ended
        # either is no news, and the pool would tell it with all of its own code
        logging.getLogger(f"{NullPool.__module__}.{NullPool.__name__}").setLevel(logging.CRITICAL)
        try:
            return tables.open_url(self.database)
        except (ArgumentError, NoSuchModuleError, ValueError):
            raise _no_url() from None
        except ModuleNotFoundError as problem:
            raise BadInput(
                msg("driver_not_installed", name=problem.name),
                where="--register",
                mend=msg("pip_install_hostpledge_postgresql", python=sys.executable),
            ) from None


def place(location: str | None) -> Place:
    """Without `location`: $HOSTPLEDGE_REGISTER, else `register.sqlite` in the user's own folder.

    Raises BadInput for a folder that is not there, and for what is no database URL.
    """
    named = location or os.environ.get("HOSTPLEDGE_REGISTER") or ""
    if "://" in named or _MEANT.match(named):
        return _at_url(named)
    if _KEYWORDS.search(named):
        raise _no_url()
    path = Path(named) if named else home_place() / FILE
    private.refuse_special(path)
    return _at_path(path / FILE if path.is_dir() else path)


def is_named(location: str | None) -> bool:
    """Did somebody say where it is?"""
    return bool(location or os.environ.get("HOSTPLEDGE_REGISTER"))


def _at_path(path: Path) -> Place:
    path = path.absolute()
    return Place(path, Store(path.parent / _BUNDLES), str(path))


def _at_url(location: str) -> Place:
    url = server_url(location, "--register")
    if url.get_backend_name() == "sqlite":
        if not url.database:
            raise BadInput(msg("register_memory_keeps_nothing"), where="--register")
        return _at_path(Path(url.database))
    return Place(
        url, Store(_shared() or home_place() / _BUNDLES), url.set(query={}).render_as_string()
    )


def server_url(text: str, option: str) -> URL:
    """A URL of PostgreSQL, with its driver and its password, or one of SQLite.

    A password that it lacks is $PGPASSWORD: a command's words are seen by all users of a machine.
    Raises BadInput for what is no such URL.
    """
    try:
        url: URL = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise _no_url(option) from None
    if url.host and "@" in url.host:
        # a part of the password, which ended at its first @
        raise _no_url(option)
    if url.port is not None and not 0 < url.port < 65536:
        raise BadInput(msg("port_number_1_65535"), where=option)
    if backend == "sqlite":
        return url
    if backend != "postgresql":
        raise BadInput(
            msg("no_register_can", backend=backend), where=option, mend=msg("path_postgresql_url")
        )
    if not url.username:
        raise _no_url(option)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+pg8000")
    if url.drivername == "postgresql+pg8000" and set(url.query) - _QUERY:
        raise BadInput(msg("register_url_query"), where=option)
    given = os.environ.get("PGPASSWORD")
    return url.set(password=given) if given and url.password is None else url


def _shared() -> Path | None:
    """The folder in which all operators of a register on a server keep its bundles.

    Raises BadInput where it is not there: each would fill a folder of their own.
    """
    named = os.environ.get(SHARED)
    if not named:
        return None
    if not Path(named).is_dir():
        raise BadInput(msg("no_such_folder"), where=f"{SHARED}={named}")
    return Path(named).absolute()


def _no_url(option: str = "--register") -> BadInput:
    """Nothing of it is said again: a password may be in any part of what is no URL."""
    return BadInput(msg("no_database_url"), where=option, mend=msg("percent_encode_password"))
