"""Was a link given for the record that bears its id today?"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.handin.links import Link
from collector.handin.quarantine import Receipt

if TYPE_CHECKING:
    from collector.pledges.register.register import Register

# between the clocks of those who keep the register
_WITHIN = timedelta(minutes=5)


def check_given(register: Register, one: Receipt, asked: Link | None) -> None:
    """A register that was restored may have given an id to another customer since."""
    since = register.history(one.pledge)[0].added_at
    if asked is not None and asked.made_at < since - _WITHIN:
        link, record = (
            at.astimezone(UTC).isoformat(timespec="seconds") for at in (asked.made_at, since)
        )
        raise BadInput(
            tr(
                f"链接生成于 {link}，早于登记 {one.pledge} 建立（{record}）：当时该编号另属他人",
                f"the link was made at {link}, before the record {one.pledge} was ({record}): "
                "the id was somebody else's then",
            ),
            mend=tr("退回，并另发链接", "refuse it, and make another link"),
        )
