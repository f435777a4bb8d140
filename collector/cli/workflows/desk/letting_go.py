"""What waits in the outbox and is to be said no more: it is over, or was put right meanwhile.

Of what is disposed of nothing is kept: neither words nor marks. Of a pledge that ended, or is a
draft again, nothing falls due any more; of another one something may be put right, or be somebody
else's now. That is left out of what is sent: it stays marked as told where anybody has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from collector.cli.workflows.desk.digests import Item, falls_due, headline, items, shared_out
from collector.cli.workflows.desk.telling import WITHDRAWN, Begun, of_today, pledge_of
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.notify.outbox import Message, Outbox
from collector.pledges.record.times import end_of_day

if TYPE_CHECKING:
    from collector.cli.workflows.desk.namesakes import Namesakes
    from collector.notify.settings import Person
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
        left = _without(message, now, lambda key: pledge_of(key) in disposed)
        if left is message:
            continue
        waited += any(outbox.state(message, one, now) != "done" for one in message.channels)
        if left is None:
            outbox.drop(message)
        else:
            outbox.rewrite(left)
    outbox.tidy()
    return waited


@dataclass(frozen=True, slots=True)
class DueNow:
    """What there is to tell by whose it is, and the keys of all of it, and of what is not far off.

    `of` has the keys by all names of the settings.
    """

    begun: Begun
    given: Mapping[str, Sequence[Item]]
    every: frozenset[str]
    near: frozenset[str]
    of: Mapping[str, frozenset[str]]

    def is_over(self, message: Message, key: str) -> bool:
        """Is it put right, or another's to know, or of a customer who has that id no more?"""
        if not of_today(message, key, self.begun):
            return True
        if key.split("|")[1:2] == [WITHDRAWN]:
            return False
        return key not in self.of.get(message.to, self.every)


def due_now(
    outbox: Outbox,
    register: Register,
    people: Mapping[str, Person],
    namesakes: Namesakes,
    found: Sequence[Item],
    within: timedelta,
    now: datetime,
) -> DueNow:
    """`found`: what falls due `within` that time, and what was handed in; what waits may be later,

    and so may be what is owed to somebody.

    Raises BadInput for a damaged outbox.
    """
    waits = [
        key
        for message in outbox.messages()
        if any(outbox.state(message, one, now) != "done" for one in message.channels)
        for key in filter(falls_due, message.items)
    ]
    until = max((_end(key, now) for key in waits), default=now)
    every = {one.key: one for one in found}
    if until > now + within:
        every |= {one.key: one for one in items(register, now, until - now)[0]}
    given, _ = shared_out([*every.values()], people, namesakes)
    return DueNow(
        register.begun(),
        given,
        frozenset(every),
        frozenset(one.key for one in found),
        {name: frozenset(one.key for one in given.get(name, ())) for name in people},
    )


def _end(key: str, now: datetime) -> datetime:
    """Of the day that the key of what falls due is of; `now` where it is none."""
    try:
        return end_of_day(date.fromisoformat(key.rsplit("|", 2)[-2]))
    except (ValueError, IndexError):
        return now


def still_said(
    message: Message,
    silent: Collection[str],
    now: datetime,
    is_over: Callable[[Message, str], bool] = lambda _, __: False,
) -> Message | None:
    """What of it is to be sent; None for nothing. `silent`: pledges of which nothing falls due."""

    def over(key: str) -> bool:
        return (falls_due(key) and pledge_of(key) in silent) or is_over(message, key)

    return _without(message, now, over)


def to_be_said(
    outbox: Outbox,
    whole: Message,
    silent: Collection[str],
    now: datetime,
    is_over: Callable[[Message, str], bool] = lambda _, __: False,
) -> Message | None:
    """As `still_said`; where nobody has any of it, the rest is not kept, nor counts as told."""
    message = still_said(whole, silent, now, is_over)
    waits = all(outbox.state(whole, one, now) in ("new", "later") for one in whole.channels)
    if message is not whole and waits:
        if message is None:
            outbox.drop(whole)
        else:
            outbox.rewrite(message)
    return message


def _without(message: Message, now: datetime, is_over: Callable[[str], bool]) -> Message | None:
    """The same where nothing of it is over; each of its items has a line, in their order."""
    over = [is_over(key) for key in message.items]
    if not any(over):
        return message
    if all(over):
        return None
    kept = tuple(key for key, gone in zip(message.items, over, strict=True) if not gone)
    ids = {pledge_of(key) for key in kept}
    left = replace(
        message,
        items=kept,
        files=tuple(f for f in message.files if _named(f[0]) in ids),
        begun=tuple(one for one in message.begun if one[0] in ids),
    )
    if not message.body:
        return left
    lines = message.body.split("\n")
    if len(lines) < len(over):
        raise BadInput(msg("outbox_file_damaged"), where=message.id)
    said = [line for line, gone in zip(lines, over, strict=False) if not gone]
    subject = headline(kept, now).to("zh" if message.lang == "zh" else "en")
    return replace(left, subject=subject, body="\n".join([*said, *lines[len(over) :]]))


def _named(file: str) -> str:
    """The pledge whose notice a file is."""
    return file.removesuffix(".pdf")
