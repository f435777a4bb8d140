"""`hostpledge pledge renew --expiring`: drafts that continue all records which end soon."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


def renew_many(register: Register, expiring: timedelta, ids: str | None, *, check: bool) -> int:
    """All that end within that time and that nobody continues; all of them are made, or none."""
    old, equals, new = (ids or "").partition("=")
    if not equals or not old:
        raise click.UsageError(
            tr(
                "须给出 --ids 旧=新，如 --ids 2026=2027",
                "give --ids OLD=NEW, for instance --ids 2026=2027",
            )
        )
    made = [_made(record, old, new) for record in _ending(register, expiring)]
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
    return 0


def _ending(register: Register, expiring: timedelta) -> list[PledgeRecord]:
    from collector.pledges.record.times import CHINA
    from collector.pledges.standing.listing import Wanted, listed, ordered

    now = datetime.now(UTC)
    today = now.astimezone(CHINA).date()
    wanted = Wanted(expiring=expiring)
    rows = listed(register.briefs(now), {}, now, timedelta())
    every = ordered((one for one in rows if wanted.holds(one, today)), "until")
    known = {one.record.document.get("renews") for one in rows}
    return [register.get(one.record.id) for one in every if one.record.id not in known]


def _made(record: PledgeRecord, old: str, new: str) -> tuple[PledgeRecord, str]:
    """The draft, and the name of its customer. Raises BadInput, naming the record."""
    from collector.pledges.record.masking import masked
    from collector.pledges.record.renewal import next_period, renewed
    from collector.pledges.record.times import CHINA

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
    today: date = datetime.now(UTC).astimezone(CHINA).date()
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
