"""Columns that are held to their type: SQLite keeps a BLOB in any (sqlite.org/datatype3.html)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Dialect, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

from collector.errors import BadInput
from collector.i18n.message import msg


class _Held(TypeDecorator[Any]):
    """Of a column that is `made_anew` a changed value is none: the seal beside it shows that."""

    python: type = str

    def __init__(self, *given: Any, name: str = "", made_anew: bool = False) -> None:
        super().__init__(*given)
        self.name, self.made_anew = name, made_anew

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's form
        if value is None or type(value) is self.python:
            return value
        if self.made_anew:
            return self.python()
        raise BadInput(msg("value_not_as_written", name=self.name), mend=msg("restore_backup"))


class HeldText(_Held):
    impl = Text
    cache_ok = True


class HeldString(_Held):
    impl = String
    cache_ok = True


class HeldInteger(_Held):
    impl = Integer
    cache_ok = True
    python = int


def name_each(metadata: MetaData, made_anew: Collection[Table]) -> None:
    """Tells each column its name, and whether it is one of the tables that are made anew."""
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, _Held):
                column.type.name = f"{table.name}.{column.name}"
                column.type.made_anew = table in made_anew


def kind(column: Column[Any]) -> type:
    """What a value of the column is in Python: `int` or `str`."""
    if isinstance(column.type, _Held):
        return column.type.python
    return int if isinstance(column.type, Integer) else str
