"""What an import would change, record by record, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import elsewhere, slips
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
    from collector.pledges.record.changes import check_customer, check_names, check_signed, updated
    from collector.pledges.record.differences import changes, masked_changes
    from collector.pledges.record.masking import masked
    from collector.pledges.record.papers import check_papers

    known = _known(location)
    check_ids(records, known, update=update)
    if not update:
        check_names(known, (record.id for record in records), where="")
    same, changed, told = 0, 0, list[dict[str, Any]]()
    drafts = 0
    made = [updated(known[r.id], r, keep) if r.id in known else r for r in records]
    check_papers(made, {one.id: known[one.id] for one in made if one.id in known}, known.values())
    for record, after in zip(records, made, strict=True):
        old = known.get(record.id)
        if old is None:
            drafts += bool(record.document.get("draft"))
            continue
        check_customer(old, record)
        check_signed(old, after)
        next_one = after.document
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
    elsewhere.tell(known, made)
    slips.tell(known, made)
    return drafts


def check_ids(
    records: Sequence[PledgeRecord], known: Mapping[str, PledgeRecord], *, update: bool
) -> None:
    """Raises BadInput where ids are taken, or (with `update`) not there, with all of them."""
    from collector.pledges.record.drafts import is_free

    there = {r.id for r in records if r.id in known and (update or not is_free(known[r.id]))}
    odd = [r.id for r in records if (r.id in there) is not update]
    if odd and (update or known):
        raise _refused(odd, len(records) - len(odd), update=update)


def _known(location: str | None) -> dict[str, PledgeRecord]:
    """The records that are there; none where there is no register yet."""
    from collector.pledges.database.location import place

    path = place(location).path
    if path is not None and not path.exists():
        return {}
    return {record.id: record for record in open_register(location).list()}


def _refused(ids: Sequence[str], rest: int, *, update: bool) -> BadInput:
    names = tr("、", ", ").join(ids[:8])
    more = tr(f" 等 {len(ids)} 份", f" … {len(ids)} in all") if len(ids) > 8 else ""
    if update:
        return BadInput(
            tr(f"登记库中没有：{names}{more}", f"not in the register: {names}{more}"),
            where="--update",
            mend=tr("把新增的另列一份清单导入", "import what is new by a list of its own"),
        )
    mend = tr("加 --update 作为新版本", "add --update for new versions")
    if rest:
        mend = tr(
            f"另有 {rest} 份是新增的：新增的另列一份清单导入，已有的加 --update",
            f"{rest} are new: import those by a list of their own, and the others with --update",
        )
    return BadInput(
        tr(f"登记库中已有：{names}{more}", f"in the register already: {names}{more}"), mend=mend
    )
