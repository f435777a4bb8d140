"""How people write a clause, and which one they mean: 2.2 as `explain` prints it, 二(二) as the

document does. What a record holds is the name alone (responsibility.2.2), for two documents have
clauses of the same number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from collector.i18n.message import Message, msg
from collector.pledges.record import documents

_NAME = re.compile(r"(responsibility|pledge)\.[0-9]{1,2}(\.[0-9]{1,2})?")


def misnamed(document: Any) -> Iterator[tuple[str, Message]]:
    """Each clause that is not written as it has to be, with what to write."""
    if not isinstance(document, dict):
        return
    for place, text in _clauses(document):
        if isinstance(text, str) and not _NAME.fullmatch(text):
            yield place, _complaint(text)


def _clauses(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for number, entry in enumerate(_list(document.get("attestations"))):
        if isinstance(entry, dict):
            yield f"attestations[{number}].clause", entry.get("clause")
    for number, entry in enumerate(_list(document.get("acknowledgements"))):
        for name in _list(entry.get("clauses")) if isinstance(entry, dict) else ():
            yield f"acknowledgements[{number}].clauses", name


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _complaint(text: str) -> Message:
    meant = meanings(text)
    if not meant:
        return msg("clause_named_so", text=text[:80])
    return msg("clause_named_so_meant", text=text[:80], id=" / ".join(meant))


def meanings(text: str) -> list[str]:
    """The ids of the clauses that may be meant.

    >>> meanings("2.2"), meanings("2(2)"), meanings("二（二）"), meanings("责任书二(二)")
    (['responsibility.2.2'], ['responsibility.2.2'], ['responsibility.2.2'], ['responsibility.2.2'])
    >>> meanings("twelve")
    []
    """
    bare = _bare(text)
    found = []
    for id, clause in documents.clauses().items():
        number = id.partition(".")[2]
        article, _, part = number.partition(".")
        short = "责任书" if clause.document == "responsibility" else "承诺书"
        names = {number, f"{article}({part})" if part else article, _bare(clause.number)}
        if bare in names or bare in {f"{short}{name}" for name in names}:
            found.append(id)
    return found


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s《》〈〉、,的第条款]+", "", plain).replace("clause", "")
