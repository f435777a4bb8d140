"""What an import would change, record by record, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import told as differences_told
from collector.cli.options.answering import answer
from collector.cli.options.pledge import open_register
from collector.cli.ui.columns import out
from collector.cli.ui.language import tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_SHOWN = 50


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
    from collector.pledges.record.changes import check_customer, check_names, updated
    from collector.pledges.record.differences import changes, masked_changes
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
        check_customer(old, record)
        next_one = updated(old, record, keep).document
        drafts += bool(next_one.get("draft"))
        found = list(masked_changes(changes(old.document, next_one)))
        if not found:
            same += 1
            continue
        changed += 1
        plain = [differences_told.plain(one) for one in found]
        told.append({"id": record.id, "changes": plain})
        if changed <= _SHOWN:
            head = f"{record.id}  {masked(record.customer)}"
            click.echo("\n".join((head, *differences_told.lines(found))))
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
