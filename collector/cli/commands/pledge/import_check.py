"""What an import would change, record by record, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer
from collector.cli.options.pledge import open_register
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.record.differences import Change
    from collector.pledges.record.form import PledgeRecord

_DIGEST = re.compile("[0-9a-f]{64}")
_SHOWN = 50
_WIDEST = 60


def show(
    records: Sequence[PledgeRecord],
    location: str | None,
    *,
    update: bool,
    keep: Collection[str],
) -> int:
    """Says of each record whether it is new, and what of it differs; returns how many are drafts.

    Raises BadInput where the import would: an id that is taken, or (with `update`) not there.
    """
    from collector.pledges.record.changes import check_names, updated
    from collector.pledges.record.differences import changes
    from collector.pledges.record.masking import masked

    known = _known(location)
    odd = [r.id for r in records if (r.id in known) is not update]
    if odd and (update or known):
        raise _refused(odd, update=update)
    if not update:
        check_names(known, (record.id for record in records), where="")
    same, changed, told = 0, 0, list[dict[str, Any]]()
    drafts = 0
    for record in records:
        old = known.get(record.id)
        if old is None:
            drafts += bool(record.document.get("draft"))
            continue
        next_one = updated(old, record, keep).document
        drafts += bool(next_one.get("draft"))
        found = list(changes(masked(old.document), masked(next_one)))
        # a number that is masked may have changed where nobody sees it
        if next_one == old.document:
            same += 1
            continue
        changed += 1
        told.append({"id": record.id, "changes": [_plain(one) for one in found]})
        if changed <= _SHOWN:
            click.echo("\n".join(_lines(record, found)))
    new = len(records) - same - changed
    if changed > _SHOWN:
        rest = changed - _SHOWN
        out(tr(f"… 另有 {rest} 份有变化，见 --format json\n", f"… {rest} more: --format json\n"))
    answer(new=new, changed=changed, unchanged=same, differences=told)
    out(
        tr(
            f"新增 {new}，有变化 {changed}，未变 {same}（只检查，未写入）\n",
            f"{new} new, {changed} changed, {same} as they were (nothing is written)\n",
        )
    )
    return drafts


def _known(location: str | None) -> dict[str, PledgeRecord]:
    """The records that are there; none where there is no register yet."""
    from collector.pledges.database.location import place

    path = place(location).path
    if path is not None and not path.exists():
        return {}
    return {record.id: record for record in open_register(location).list()}


def _refused(ids: Sequence[str], *, update: bool) -> BadInput:
    names = tr("、", ", ").join(ids[:8])
    more = tr(f" 等 {len(ids)} 份", f" … {len(ids)} in all") if len(ids) > 8 else ""
    if update:
        return BadInput(
            tr(f"登记库中没有：{names}{more}", f"not in the register: {names}{more}"),
            where="--update",
            mend=tr("把新增的另列一份清单导入", "import what is new by a list of its own"),
        )
    return BadInput(
        tr(f"登记库中已有：{names}{more}", f"in the register already: {names}{more}"),
        mend=tr("加 --update 作为新版本", "add --update for new versions"),
    )


def _lines(record: PledgeRecord, found: Sequence[Change]) -> Iterator[str]:
    from collector.pledges.record.masking import masked

    yield f"{record.id}  {masked(record.customer)}"
    if not found:
        yield tr("  掩码的号码有变化", "  a number that is masked")
    for one in found:
        before, after = _apart(one.before, one.after)
        shown = f"{_named(one.field)}{tr('：', ': ')}{_value(before)} → {_value(after)}"
        yield wrap(one_line(shown, 400), indent="  ")


def _apart(before: Any, after: Any) -> tuple[Any, Any]:
    """Of two lists what only one of them has."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return before, after
    gone = [one for one in before if one not in after]
    come = [one for one in after if one not in before]
    return (gone or None, come or None) if gone or come else (before, after)


def _named(field: str) -> str:
    """As the list has it in a heading; as the record does where no column is for it."""
    from collector.pledges.lists.places import MAIN, tables

    every = tables()
    place = 0 if lang() == "zh" else 1
    if field in every:
        return every[field].names[place]
    column = every[MAIN].columns.get(field)
    if column is not None:
        return column.names[place]
    if field == "documents":
        return tr("签署的文件", "documents")
    return field


def _value(value: Any) -> str:
    if value is None:
        return tr("（无）", "(nothing)")
    if isinstance(value, bool):
        return tr("是", "yes") if value else tr("否", "no")
    if isinstance(value, list):
        value = tr("、", ", ").join(map(_entry, value))
    text = str(value)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def _entry(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    # of a digest so much as tells it from another
    texts = (str(inner) for _, inner in sorted(value.items()))
    return " ".join(text[:12] if _DIGEST.fullmatch(text) else text for text in texts)


def _plain(one: Change) -> dict[str, Any]:
    return {"field": one.field, "before": one.before, "after": one.after}
