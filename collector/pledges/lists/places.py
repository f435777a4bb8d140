"""Which sheets and columns a list may have: the fields of the schema, and what they are called.

A scalar of the record, and what holds nothing but words, is a column of the main sheet; a list of
entries is a sheet of its own. Names stand in `catalogs/pledge-lists.yml`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from collector.faults import documents
from collector.resources import package_text
from collector.schema import load_own

MAIN = ""
# what is told by the commands that do it alone: no list can say that it was done
OF_COMMANDS = ("notices", "taken_back", "voided")
# what the main sheet may say of the two documents, with one day for both
SIGNED = "signed"
_SIGNED = {
    "signed_on": "date", "representative": "name", "responsibility": "sha256",
    "pledge": "sha256", "version": "name",
}  # fmt: skip
# fields of more meaning than their form in the schema shows
_OWN_KINDS = {
    "id": "id", "customer.kind": "customer", "customer.credit_code": "code",
    "customer.identity_masked": "identity", "grade": "grade",
}  # fmt: skip
# of what the schema describes where it stands, by the last word of the field
_BY_NAME = {
    "addresses": "address", "domains": "domain", "ports": "port", "hosts": "host", "host": "host",
    "control": "control", "key": "key",
}  # fmt: skip
_OF_REFERENCE = {
    "id": "id", "name": "text", "prose": "text", "sha256": "scan", "date": "day", "time": "time",
    "phone": "phone", "clause": "clause",
}  # fmt: skip
# the column of a further sheet that says of which pledge the row is
PLEDGE = "pledge"
_PLEDGE = ("登记编号", "pledge", "pledge id", "合同编号", "合同号", "登记")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet. `field` is the path within the record, or within an entry of a list.

    `names` begin with the Chinese and the English one. `kind` says what may stand there (`cells`),
    `several` that it may be more than one; `whole` is what the schema says of all of it, `node` of
    each.
    """

    field: str
    names: tuple[str, ...]
    kind: str
    node: Mapping[str, Any]
    whole: Mapping[str, Any]
    several: bool = False
    required: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: `field` is the list of the record that it holds, or MAIN."""

    field: str
    names: tuple[str, ...]
    columns: Mapping[str, Column]

    @property
    def known(self) -> Mapping[str, str]:
        """The field by each name that a heading may have, folded."""
        return _known(self.field)


@cache
def tables() -> Mapping[str, Table]:
    """Every sheet by its field, the main one first."""
    named: dict[str, Any] = load_own(
        package_text("catalogs/pledge-lists.yml"), where="catalogs/pledge-lists.yml"
    )
    scalars, lists = dict[str, Column](), dict[str, Table]()
    for field, node, required in leaves(schema(), ""):
        if field in OF_COMMANDS:
            continue
        if _is_list(node):
            lists[field] = _list(field, node, named["lists"][field])
        elif field != "documents":
            scalars[field] = _column(field, node, required, named["main"]["columns"][field])
    for word, kind in _SIGNED.items():
        field = f"{SIGNED}.{word}"
        node = {"$ref": f"#/$defs/{kind}"}
        scalars[field] = _column(field, node, False, named["main"]["columns"][field])
    field = f"{SIGNED}.sealed"
    scalars[field] = _column(field, {"type": "boolean"}, False, named["main"]["columns"][field])
    ordered = {name: scalars[name] for name in named["main"]["columns"] if name in scalars}
    main = Table(MAIN, tuple(named["main"]["names"]), MappingProxyType({**ordered, **scalars}))
    return MappingProxyType({MAIN: main, **{f: lists[f] for f in named["lists"] if f in lists}})


def leaves(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """(field, what the schema says of it, is it required there) of all below an object."""
    for name, inner in node["properties"].items():
        field = f"{path}.{name}" if path else name
        whole = resolved(inner)
        if whole.get("type") == "object" and "properties" in whole:
            yield from leaves(whole, field)
        else:
            yield field, inner, name in node.get("required", ())


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node, with what it refers to."""
    reference = node.get("$ref")
    if reference is None:
        return node
    return {**schema()["$defs"][reference.rpartition("/")[2]], **node}


@cache
def sheet_names() -> Mapping[str, str]:
    """The field of a sheet by each of its names, folded."""
    return MappingProxyType(
        {
            folded(name): table.field
            for table in tables().values()
            for name in (*table.names, *([table.field] if table.field else ()))
        }
    )


def folded(heading: str) -> str:
    """A heading as it is compared: without blanks, brackets, width and case."""
    return re.sub(r"[\s()（）:：*_-]+", "", unicodedata.normalize("NFKC", heading)).lower()


def schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = documents()["urn:hostpledge:schema:pledge-record:1"]
    return schema


def _is_list(node: Mapping[str, Any]) -> bool:
    whole = resolved(node)
    return whole.get("type") == "array" and resolved(whole["items"]).get("type") == "object"


def _list(field: str, node: Mapping[str, Any], named: Mapping[str, Any]) -> Table:
    id = resolved({"$ref": "#/$defs/id"})
    columns = {PLEDGE: Column(PLEDGE, _PLEDGE, "id", id, id, required=True)}
    for inner, said, required in leaves(resolved(resolved(node)["items"]), ""):
        columns[inner] = _column(inner, said, required, named["columns"][inner])
    ordered = {name: columns[name] for name in (PLEDGE, *named["columns"]) if name in columns}
    return Table(field, tuple(named["names"]), MappingProxyType({**ordered, **columns}))


def _column(
    field: str, node: Mapping[str, Any], required: bool, named: Mapping[str, Any]
) -> Column:
    whole = resolved(node)
    several = whole.get("type") == "array"
    inner = whole["items"] if several else node
    names, example = tuple(named["names"]), str(named.get("eg", ""))
    return Column(
        field, names, _kind(field, inner), resolved(inner), whole, several, required, example
    )


def _kind(field: str, node: Mapping[str, Any]) -> str:
    whole, reference = resolved(node), str(node.get("$ref", "")).rpartition("/")[2]
    if field in _OWN_KINDS:
        return _OWN_KINDS[field]
    if reference in _OF_REFERENCE:
        return _OF_REFERENCE[reference]
    if (last := field.rpartition(".")[2]) in _BY_NAME:
        return _BY_NAME[last]
    if "anyOf" in whole:
        return "day_or_time"
    if whole.get("type") == "boolean" or whole.get("const") is True:
        return "yes_or_no"
    if "enum" in whole:
        return "choice"
    if whole.get("format") == "email":
        return "email"
    if "pattern" in whole and last == "name":
        return "owner"
    return {"integer": "whole", "object": "file"}.get(whole.get("type", ""), "text")


@cache
def _known(field: str) -> Mapping[str, str]:
    table = tables()[field]
    found = {
        folded(name): column.field
        for column in table.columns.values()
        for name in (*column.names, column.field)
    }
    if field != MAIN and "id" not in table.columns:
        found.update(dict.fromkeys(("编号", "id"), PLEDGE))
    return MappingProxyType(found)
