"""Names of accounts: which there may be, and which of them are one person's."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.web.keeping import tables

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
_ELSEWHERE = re.compile(r"[a-z0-9._@-]{0,40}~[0-9a-f]{16}")


def folded(name: str) -> str:
    """Names of accounts are ASCII: a letter that only looks like some of it makes another name."""
    return "".join(c.lower() if c.isascii() else c for c in name)


def valid(name: str) -> str:
    """Itself; raises BadInput for what can be no name of an account."""
    if not _NAME.fullmatch(name) and not _ELSEWHERE.fullmatch(name):
        raise BadInput(msg("web_account_name", name=name))
    return name


def is_same(name: str, other: str) -> bool:
    """Would `disable` take the one for the other?"""
    (_, wave, digest), (_, also, mine) = name.rpartition("~"), other.rpartition("~")
    return digest == mine if wave and also else name == other


def same(name: str) -> ColumnElement[bool]:
    """The account of that name; of one of a provider all that the same person ever had."""
    column = tables.accounts.c.name
    _, wave, digest = name.rpartition("~")
    return column.endswith(f"~{digest}", autoescape=True) if wave else column == name
