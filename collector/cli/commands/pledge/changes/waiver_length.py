"""Says where a waiver is for longer than its pledge, or than anybody should look away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_MONTHS = 12


def tell(record: PledgeRecord, ends: str, now: datetime) -> None:
    """`ends` is what goes on record. Nothing where nothing is odd; it is taken all the same."""
    from collector.pledges.record.terms import months_on
    from collector.pledges.record.times import CHINA, waiver_end

    last, today = waiver_end(ends).astimezone(CHINA).date(), now.astimezone(CHINA).date()
    until = record.document.get("period", {}).get("until", "")
    if until and last.isoformat() > until:
        click.echo(
            tr(
                f"请留意：豁免至 {last}，晚于该登记的有效期（至 {until}）",
                f"note: the waiver runs to {last}, and the pledge to {until} only",
            ),
            err=True,
        )
    if last > months_on(today, _MONTHS):
        click.echo(
            tr(
                f"请核对年份：豁免至 {last}，超过一年",
                f"look at the year again: the waiver runs to {last}, more than a year",
            ),
            err=True,
        )
