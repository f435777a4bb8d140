"""What an import would change, record by record, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import elsewhere, slips
from collector.cli.commands.pledge.changes import told as differences_told
from collector.cli.options.answering import answer
from collector.cli.options.pledge import open_register
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.lists.reading import Listed
    from collector.pledges.record.form import PledgeRecord

_SHOWN = 50


def show(
    found: Listed,
    location: str | None,
    *,
    update: bool,
    sure: bool,
    keep: Collection[str],
) -> int:
    """Says of each record whether it is new, and what of it differs; returns how many are drafts.

    Raises BadInput where the import would: an id that is taken, or (with `update`) not there, and
    (but for `sure`) a name that is another customer's.
    """
    from collector.pledges.record.differences import changes, masked_changes
    from collector.pledges.record.masking import masked

    there, records = known(location), found.records
    if update:
        check_hands(records, there, sure=sure)
    made = _made(records, there, update=update, keep=keep, told=found.told)
    same, changed, differing = 0, 0, list[dict[str, Any]]()
    drafts = 0
    for record, after in zip(records, made, strict=True):
        old = there.get(record.id)
        if old is None:
            drafts += bool(record.document.get("draft"))
            continue
        next_one = after.document
        drafts += bool(next_one.get("draft"))
        differ = list(masked_changes(changes(old.document, next_one)))
        if not differ:
            same += 1
            continue
        changed += 1
        plain = [differences_told.plain(one) for one in differ]
        differing.append({"id": record.id, "changes": plain})
        if changed <= _SHOWN:
            head = f"{record.id}  {masked(record.customer)}"
            click.echo("\n".join((head, *differences_told.lines(differ, headings=found.headings))))
    _counted(len(records) - same - changed, changed, same, differing)
    if update:
        tell_lost(there, made, found.headings)
    elsewhere.tell(there, made)
    slips.tell(there, made)
    return drafts


def _counted(new: int, changed: int, same: int, differing: Sequence[Mapping[str, Any]]) -> None:
    if changed > _SHOWN:
        rest = changed - _SHOWN
        out(tr(f"… 另有 {rest} 份有变化，见 --format json\n", f"… {rest} more: --format json\n"))
    answer(new=new, changed=changed, unchanged=same, differences=differing)
    out(
        tr(
            f"新增 {new}，有变化 {changed}，未变 {same}（只检查，未写入）\n",
            f"{new} new, {changed} changed, {same} as they were (nothing is written)\n",
        )
    )


def _made(
    records: Sequence[PledgeRecord],
    there: Mapping[str, PledgeRecord],
    *,
    update: bool,
    keep: Collection[str],
    told: Collection[str],
) -> list[PledgeRecord]:
    """The versions that the import would write; raises BadInput where it would."""
    from collector.pledges.record.changes import (
        check_customer,
        check_names,
        check_signed,
        following,
    )
    from collector.pledges.record.papers import check_papers

    check_ids(records, there, update=update)
    if not update:
        check_names(there, (record.id for record in records), where="")
    made = [
        following(there[r.id], r, update=update, keep=keep, told=told) if r.id in there else r
        for r in records
    ]
    check_papers(made, {one.id: there[one.id] for one in made if one.id in there}, there.values())
    for record, after in zip(records, made, strict=True) if update else ():
        check_customer(there[record.id], record)
        check_signed(there[record.id], after)
    return made


def tell_lost(
    before: Mapping[str, PledgeRecord],
    made: Sequence[PledgeRecord],
    headings: Mapping[str, str],
) -> None:
    """What records have no more, for their cells were empty; the same of what is written and not.

    As `headings` of the list call it.

    A column that a list has not takes nothing away: see `changes.updated`.
    """
    from collector.pledges.record.differences import changes

    lost: list[tuple[str, list[str]]] = []
    for one in made:
        if (old := before.get(one.id)) is None:
            continue
        found = changes(old.document, one.document)
        fields = [c.field for c in found if c.after in (None, []) and c.field != "draft"]
        if fields:
            lost.append((one.id, fields))
    answer(lost=[{"id": id, "fields": fields} for id, fields in lost])
    if not lost:
        return
    count = len(lost)
    click.echo(
        tr(
            f"请核对：清单中为空，{count} 份登记因而不再有：",
            f"look again: the list has it empty, and so {count} record(s) have no more:",
        ),
        err=True,
    )
    for id, fields in lost[:_SHOWN]:
        names = tr("、", ", ").join(differences_told.named(one, headings) for one in fields)
        click.echo(wrap(one_line(f"{id}  {names}", 400), indent="  "), err=True)
    if (rest := count - _SHOWN) > 0:
        click.echo(tr(f"  … 另有 {rest} 份", f"  … {rest} more"), err=True)


def check_ids(
    records: Sequence[PledgeRecord], known: Mapping[str, PledgeRecord], *, update: bool
) -> None:
    """Raises BadInput where ids are taken, or (with `update`) not there, with all of them."""
    from collector.pledges.record.drafts import is_free

    there = {r.id for r in records if r.id in known and (update or not is_free(known[r.id]))}
    odd = [r.id for r in records if (r.id in there) is not update]
    if odd and (update or known):
        raise _refused(odd, len(records) - len(odd), update=update)


def check_hands(
    records: Sequence[PledgeRecord], there: Mapping[str, PledgeRecord], *, sure: bool
) -> None:
    """Raises BadInput, with all of them, where names would go to other customers' records.

    `sure`: somebody says that they do.
    """
    from collector.pledges.lists.slips import moved
    from collector.pledges.record.masking import masked

    found = [] if sure else list(moved(there, records))
    for one in found[:_SHOWN]:
        before, after = masked(one.before), masked(one.after)
        said = tr(
            f"{one.id}：{before} → {after}，后者是 {one.owner} 的用户",
            f"{one.id}: {before} → {after}, the customer of {one.owner}",
        )
        click.echo(one_line(said, 400), err=True)
    if (rest := len(found) - _SHOWN) > 0:
        click.echo(tr(f"另有 {rest} 份未列出", f"and {rest} more, not listed"), err=True)
    if found:
        count = len(found)
        raise BadInput(
            tr(
                f"{count} 份登记将改用另一用户的名称，未写入任何登记",
                f"{count} record(s) would take another customer's name, nothing is written",
            ),
            where="--update",
            mend=tr(
                "请核对清单各行是否错位；名称确已易主的，加 --changed-hands",
                "see whether rows have slipped against their ids; where the names did change "
                "hands, add --changed-hands",
            ),
        )


def known(location: str | None) -> dict[str, PledgeRecord]:
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
