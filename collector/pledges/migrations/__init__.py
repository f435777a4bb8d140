"""How a register of an older form becomes one of this form (Alembic), all in one transaction.

A register whose tables are those of this form is told from its revision alone: Alembic is only
imported where there is something to change.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from collector.errors import BadInput
from collector.i18n.message import msg

HEAD = "0009"
_REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
TABLE = "alembic_version"
_kept = Table(TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


def revision(connection: Connection, names: set[str], *, where: str) -> str | None:
    """The revision of the register's tables; None where there is no register yet.

    Raises BadInput when a newer hostpledge made them.
    """
    if TABLE in names:
        found = connection.execute(select(_kept.c.version_num)).scalar()
        if found is not None and found not in _REVISIONS:
            raise _newer(where)
        return str(found) if found is not None else None
    if "form" not in names:
        return None
    # before revisions were kept, `form` held the number of the last one
    number = connection.execute(text("SELECT max(version) FROM form")).scalar() or 1
    if number > len(_REVISIONS):
        raise _newer(where)
    return _REVISIONS[number - 1]


def upgrade(connection: Connection, *, known: str) -> None:
    """Brings tables of the revision `known` to `HEAD`; the caller's transaction holds it all."""
    from alembic.command import stamp
    from alembic.command import upgrade as to
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if TABLE not in inspect(connection).get_table_names():
        stamp(config, known)
    to(config, HEAD)


def stamp_new(connection: Connection) -> None:
    """Says of tables that were just made that they are of this form."""
    _kept.create(connection)
    connection.execute(_kept.insert().values(version_num=HEAD))


def _newer(where: str) -> BadInput:
    return BadInput(msg("made_newer_hostpledge"), where=where, mend=msg("use_one_newer"))
