"""What waits in the outbox and is to be said no more: of a pledge that is disposed of, or is over.

Of what is disposed of nothing is kept: neither words nor marks. Of one that ended, or is a draft
again, nothing falls due any more: that is left out of what is sent, and stays marked as told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from collector.cli.workflows.desk.digests import falls_due, headline
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.notify.outbox import Message, Outbox

if TYPE_CHECKING:
    from collector.pledges.register.register import Register


def outbox_of(register: Register, location: str | None) -> Outbox:
    """The outbox that belongs to a register. Raises BadInput for another one's."""
    from collector.pledges.database import location as registers

    outbox = Outbox(registers.place(location).outbox)
    outbox.belongs_to(register.name(), register.where)
    return outbox


def let_go(outbox: Outbox, disposed: Collection[str], now: datetime) -> int:
    """Takes out of it what is of these pledges, and what was sent; how many messages waited for it.

    To be called by who holds it; may be repeated. Raises BadInput for a damaged one.
    """
    waited = 0
    for message in list(outbox.messages()):
        left = _without(message, now, lambda key: _pledge(key) in disposed)
        if left is message:
            continue
        waited += any(outbox.state(message, one, now) != "done" for one in message.channels)
        if left is None:
            outbox.drop(message)
        else:
            outbox.rewrite(left)
    outbox.tidy()
    return waited


def still_said(message: Message, silent: Collection[str], now: datetime) -> Message | None:
    """What of it is to be sent; None for nothing. `silent`: pledges of which nothing falls due."""
    return _without(message, now, lambda key: falls_due(key) and _pledge(key) in silent)


def _without(message: Message, now: datetime, is_over: Callable[[str], bool]) -> Message | None:
    """The same where nothing of it is over; each of its items has a line, in their order."""
    over = [is_over(key) for key in message.items]
    if not any(over):
        return message
    if all(over):
        return None
    items = tuple(key for key, gone in zip(message.items, over, strict=True) if not gone)
    ids = {_pledge(key) for key in items}
    left = replace(
        message, items=items, files=tuple(f for f in message.files if _named(f[0]) in ids)
    )
    if not message.body:
        return left
    lines = message.body.split("\n")
    if len(lines) < len(over):
        raise BadInput(msg("outbox_file_damaged"), where=message.id)
    said = [line for line, gone in zip(lines, over, strict=False) if not gone]
    subject = headline(items, now).to("zh" if message.lang == "zh" else "en")
    return replace(left, subject=subject, body="\n".join([*said, *lines[len(over) :]]))


def _pledge(key: str) -> str:
    return key.partition("|")[0]


def _named(file: str) -> str:
    """The pledge whose notice a file is."""
    return file.removesuffix(".pdf")
