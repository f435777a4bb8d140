"""`hostpledge pledge renew` of many: drafts that continue those named, or all that end soon."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import click

from collector.cli.commands.pledge.changes import undoing
from collector.cli.commands.pledge.changes.taking_back import say_each
from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.pledges.record.drafts import is_withdrawn

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


@dataclass(frozen=True, slots=True)
class Which:
    """The records that are to be renewed: by name, or those that end within that time.

    Of these only those of a grade, or in which `search` is found, where any is given.
    """

    ids: Sequence[str] = ()
    expiring: timedelta | None = None
    grades: frozenset[int] = frozenset()
    search: str = ""

    @property
    def many(self) -> bool:
        return self.expiring is not None or bool(self.grades or self.search)


def renew_many(
    register: Register,
    which: Which,
    ids: str | None,
    *,
    check: bool,
    location: str | None = None,
) -> int:
    """All that are asked for; all of them are made, or none, and then each fault was told.

    `location` is what the register was named by.
    """
    old, equals, new = (ids or "").partition("=")
    if not equals or not old:
        raise click.UsageError(
            tr(
                "须给出 --ids 旧=新，如 --ids 2026=2027",
                "give --ids OLD=NEW, for instance --ids 2026=2027",
            )
        )
    if bool(which.ids) is which.many or (which.many and which.expiring is None):
        raise click.UsageError(
            tr(
                "给出编号，或 --expiring（可加 --grade、--search）",
                "give ids, or --expiring (and --grade, --search)",
            )
        )
    asked = list(dict.fromkeys(which.ids)) or _ending(register, which)
    # nobody else continues one of them meanwhile
    with nullcontext() if check else register.changing(*asked):
        made, faults = _all_made(register, asked, old, new)
        if faults:
            _refuse(faults, len(asked))
        if made and not check:
            register.add_all([draft for draft, _ in made])
    answer(
        check=check,
        renewed=[
            {
                "id": draft.id,
                "renews": draft.document["renews"],
                "period": draft.document["period"],
                "draft": True,
            }
            for draft, _ in made
        ],
    )
    if made:
        out(_table(made))
    out(_said(len(made), check=check))
    if not check:
        undoing.tell_drafts([draft.id for draft, _ in made], location)
    return 0


def _ending(register: Register, which: Which) -> list[str]:
    from collector.pledges.record.times import CHINA
    from collector.pledges.standing.listing import Wanted, listed, ordered

    now = datetime.now(UTC)
    today = now.astimezone(CHINA).date()
    wanted = Wanted(expiring=which.expiring, grades=which.grades, search=which.search)
    # when their period ends is asked for alone
    rows = listed(register.briefs(now), {}, now, timedelta(), {})
    every = ordered((one for one in rows if wanted.holds(one, today)), "until")
    known = {
        one.record.document.get("renews") for one in rows if not is_withdrawn(one.record.document)
    }
    return [one.record.id for one in every if one.record.id not in known]


def _all_made(
    register: Register, asked: Sequence[str], old: str, new: str
) -> tuple[list[tuple[PledgeRecord, str]], list[BadInput]]:
    """Each draft with the name of its customer, and what is in the way of the others."""
    known = {one.id: one.document for one in register.briefs() if not is_withdrawn(one.document)}
    after = {str(document["renews"]): id for id, document in known.items() if "renews" in document}
    # ids that differ in case only name one folder to many a disk
    taken = {id.lower() for id in known}
    made: list[tuple[PledgeRecord, str]] = []
    faults: list[BadInput] = []
    for id in asked:
        try:
            if id in after:
                raise BadInput(
                    tr(f"已由 {after[id]} 续签", f"is continued by {after[id]} already"), where=id
                )
            draft, customer = _made(register.get(id), old, new)
            if draft.id.lower() in taken:
                raise BadInput(
                    tr(f"新编号 {draft.id} 已被占用", f"the new id {draft.id} is taken"), where=id
                )
        except BadInput as problem:
            faults.append(problem)
            continue
        taken.add(draft.id.lower())
        made.append((draft, customer))
    return made, faults


def _refuse(faults: Sequence[BadInput], asked: int) -> NoReturn:
    if len(faults) == 1:
        raise faults[0]
    say_each(faults)
    count = len(faults)
    raise BadInput(
        tr(
            f"{asked} 份登记中 {count} 份不能续签，没有登记被续签",
            f"{count} of {asked} records cannot be renewed; nothing is renewed",
        )
    )


def _made(record: PledgeRecord, old: str, new: str) -> tuple[PledgeRecord, str]:
    """The draft, and the name of its customer. Raises BadInput, naming the record."""
    from collector.pledges.record.masking import masked
    from collector.pledges.record.renewal import next_period, renewed
    from collector.pledges.record.times import today_in_china

    if old not in record.id:
        raise BadInput(
            tr(
                f"编号中没有“{old}”，没有登记被续签",
                f'"{old}" is not in the id; nothing is renewed',
            ),
            where=record.id,
            mend=tr(
                "用 pledge renew 编号 新编号 单独续签它，或换一个 --ids",
                "renew it alone (`pledge renew ID NEW-ID`) first, or give other --ids",
            ),
        )
    if "disposed" in record.document:
        raise BadInput(tr("已销毁，无可续签", "was disposed of: nothing to renew"), where=record.id)
    today = today_in_china()
    period = next_period(record, None, None)
    draft = renewed(record, record.id.replace(old, new), period, (), today=today)
    return draft, str(masked(record.customer))


def _table(made: list[tuple[PledgeRecord, str]]) -> str:
    grid = Grid(
        tr("登记", "pledge"),
        tr("接续为", "continued by"),
        tr("期限", "period"),
        tr("用户", "customer"),
    )
    for draft, customer in made:
        period = draft.document["period"]
        days = tr(
            f"{period['from']} 至 {period['until']}", f"{period['from']} to {period['until']}"
        )
        grid.add_row(draft.document["renews"], draft.id, days, customer)
    return grid.drawn(room())


def _said(count: int, *, check: bool) -> str:
    if not count:
        return tr("没有需要续签的登记\n", "no record is to be renewed\n")
    if check:
        return tr(
            f"将续签 {count} 份登记（只检查，未写入）\n",
            f"{count} record(s) would be renewed (nothing is written)\n",
        )
    return tr(
        f"已续签 {count} 份登记，均为草稿；签署后用 pledge sign 或 "
        "pledge import --update --scans 补上文件\n",
        f"{count} record(s) renewed, as drafts: `pledge sign`, or `pledge import --update "
        "--scans`, once they are signed\n",
    )
