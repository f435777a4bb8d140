"""Was a link given for the record that bears its id today?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.handin.earlier import asked_at, is_earlier
from collector.handin.places import Places
from collector.handin.quarantine import Receipt
from collector.pledges.record.times import CHINA

if TYPE_CHECKING:
    from collector.pledges.register.register import Register


def check_given(register: Register, places: Places, one: Receipt) -> None:
    """A register that was restored may have given an id to another customer since.

    Raises BadInput where it has; there is a record of that id.
    """
    asked, since = asked_at(places, one), register.begun([one.pledge])[one.pledge]
    if not is_earlier(asked, since):
        return
    link, record = (at.astimezone(CHINA).isoformat(timespec="seconds") for at in (asked, since))
    raise BadInput(
        tr(
            f"链接生成于 {link}，早于登记 {one.pledge} 建立（{record}）：当时该编号另属他人",
            f"the link was made at {link}, before the record {one.pledge} was ({record}): "
            "the id was somebody else's then",
        ),
        mend=tr("退回，并另发链接", "refuse it, and make another link"),
    )


def of_today(register: Register, places: Places, found: Sequence[Receipt]) -> list[Receipt]:
    """Without those of whoever had their id before: nobody is told of them as this customer's."""
    begun = register.begun()
    return [
        one
        for one in found
        if one.pledge not in begun or not is_earlier(asked_at(places, one), begun[one.pledge])
    ]
