"""Changes of a pledge record in words and as data: `field: old → new`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from collector.cli.ui.columns import wrap
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.model import Text

if TYPE_CHECKING:
    from collector.pledges.record.differences import Change

_DIGEST = re.compile("[0-9a-f]{64}")
_WIDEST = 60
# of entries that no list has a column for
_WORDS = {
    "owner": Text("责任人", "owner"),
    "due": Text("期限", "due"),
    "note": Text("说明", "note"),
    "reason": Text("理由", "reason"),
    "approver": Text("批准人", "approver"),
    "expires": Text("到期", "expires"),
    "draft": Text("草稿", "draft"),
    "taken_back": Text("撤回的误登", "taken back as a mistake"),
    "withdrawn.date": Text("撤回日期", "withdrawn on"),
    "withdrawn.reason": Text("撤回理由", "why withdrawn"),
    "withdrawn.by": Text("撤回经办人", "withdrawn by"),
    "withdrawn.sha256": Text("撤回通知书", "notice of withdrawal"),
}


def lines(
    found: Sequence[Change],
    most: int | None = None,
    headings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """One for each, `most` of them at most; `found` is masked. `headings` as `named` has them."""
    for one in found[:most]:
        name = named(one.field, headings)
        yield wrap(one_line(f"{name}{tr('：', ': ')}{_how(one)}", 400), indent="  ")
    if most is not None and (rest := len(found) - most) > 0:
        yield tr(f"  … 另有 {rest} 处，见 --format json", f"  … {rest} more: --format json")


def plain(one: Change) -> dict[str, Any]:
    """`masked`: a number changed of which both look the same."""
    hidden = {"masked": True} if one.before == one.after else {}
    return {"field": one.field, "before": one.before, "after": one.after, **hidden}


def _how(one: Change) -> str:
    before, after = _apart(one.before, one.after)
    if before == after:
        return tr(
            f"掩码的号码有变化（{_value(after)}）", f"a masked number changed ({_value(after)})"
        )
    return f"{_value(before)} → {_value(after)}"


def _apart(before: Any, after: Any) -> tuple[Any, Any]:
    """Of two lists what only one of them has."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return before, after
    gone = [one for one in before if one not in after]
    come = [one for one in after if one not in before]
    return (gone or None, come or None) if gone or come else (before, after)


def named(field: str, headings: Mapping[str, str] = MappingProxyType({})) -> str:
    """As a list has it in a heading (`headings`: those of the very list, by field).

    As the record does where no column is for it.
    """
    from collector.pledges.lists.places import MAIN, tables
    from collector.pledges.record.documents import fields

    if field in headings:
        return one_line(headings[field], 60)
    every = tables()
    place = 0 if lang() == "zh" else 1
    name, bracket, entry = field.partition("[")
    if bracket:
        of, _, word = entry.rpartition("].")
        known = _WORDS[word].to(lang()) if word in _WORDS else word
        inner = f"{of} {known}" if of else entry.removesuffix("]")
        return f"{named(name)} {inner}"
    if field in every:
        return every[field].names[place]
    column = every[MAIN].columns.get(field)
    if column is not None:
        return column.names[place]
    if field == "documents":
        return tr("签署的文件", "documents")
    known_as = _WORDS.get(field) or fields().get(field)
    return known_as.to(lang()) if known_as else field


def _value(value: Any) -> str:
    if value is None:
        return tr("（无）", "(nothing)")
    if isinstance(value, bool):
        return tr("是", "yes") if value else tr("否", "no")
    if isinstance(value, list):
        value = tr("、", ", ").join(map(_entry, value))
    text = _entry(value)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_entry(inner) for _, inner in sorted(value.items()))
    if isinstance(value, list):
        return " ".join(map(_entry, value))
    # of a digest so much as tells it from another
    text = str(value)
    return text[:12] if _DIGEST.fullmatch(text) else text
