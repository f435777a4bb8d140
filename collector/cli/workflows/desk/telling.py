"""What each was told already, and by which channels; and what of it never came to anybody.

A channel that is gone from the settings and never took a message takes none any more: what it was
to say is told anew by those that are there now, and by none that had it. And what was told of a
pledge before its id was given to it was told of somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collector.notify.outbox import Message, Outbox

if TYPE_CHECKING:
    from collector.notify.settings import Person

# the clocks of who keeps the register, and of who sends
_WITHIN = timedelta(minutes=5)
WITHDRAWN = "withdrawn"

Begun = Mapping[str, datetime]


def pledge_of(key: str) -> str:
    return key.partition("|")[0]


def of_today(message: Message, key: str, begun: Begun) -> bool:
    """Is it of the pledge that has that id now? `begun`: when the record of each was (aware).

    A register that was restored may have given an id to another customer since.
    """
    pledge = pledge_of(key)
    since = begun.get(pledge)
    if since is None:
        return True
    then = dict(message.begun).get(pledge)
    if then is not None:
        return then == since.isoformat()
    # it was written when that was not kept
    return not message.at or datetime.fromisoformat(message.at) >= since - _WITHIN


def place_of(
    people: Mapping[str, Person], key: bytes, to: str, channel: str
) -> tuple[Person, int] | None:
    """Where the channel of a message stands now; None where it is gone.

    Only among those of whom it is for, while that one is there: else under another name.
    """
    person = people.get(to)
    if channel.isdigit():
        known = person is not None and int(channel) < len(person.channels)
        return (person, int(channel)) if person is not None and known else None
    for one in people.values() if person is None else [person]:
        if channel in (found := one.known_by(key)):
            return one, found.index(channel)
    return None


@dataclass(slots=True)
class Told:
    """By whom (a person; a channel, of who is there no more) and what: the channels that have it,

    may have it, or get it still. `owed`: of what some channel is gone that never took it.
    `dead`: such channels, by the ids of their messages.
    """

    by: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    owed: set[tuple[str, str]] = field(default_factory=set)
    dead: dict[str, list[str]] = field(default_factory=dict)

    def wanted(
        self, name: str, channels: tuple[str, ...], key: str, *, near: bool
    ) -> tuple[str, ...]:
        """By which of the channels of that person it is to be told now.

        What is not `near` is told where it is owed alone.
        """
        whom = [(name, key), *((channel, key) for channel in channels)]
        had = set[str]().union(*(self.by.get(one, ()) for one in whom))
        if not had:
            return channels if near else ()
        owed = any(one in self.owed for one in whom)
        return tuple(channel for channel in channels if owed and channel not in had)


def told(
    outbox: Outbox, people: Mapping[str, Person], begun: Begun, now: datetime, *, again: bool
) -> Told:
    """`again`: what nobody confirmed, and went by a channel that is gone, is to be told anew."""
    found, key = Told(), outbox.key()
    for message in outbox.messages() if outbox.folder.is_dir() else ():
        there, dead = _channels(outbox, people, key, message, now, again=again)
        if dead:
            found.dead[message.id] = dead
        for item in message.items:
            if not of_today(message, item, begun):
                continue
            # who is there no more may be so under another name, by a channel of theirs
            others = () if message.to in people else there
            for whom in (message.to, *others) if there else ():
                found.by.setdefault((whom, item), set()).update(there)
                if dead:
                    found.owed.add((whom, item))
    return found


def _channels(
    outbox: Outbox,
    people: Mapping[str, Person],
    key: bytes,
    message: Message,
    now: datetime,
    *,
    again: bool,
) -> tuple[list[str], list[str]]:
    """Those that have it, may have it, or get it still, as they are known now; and the others."""
    had = ("done",) if again else ("done", "unsure")
    there, dead = [], []
    for channel in message.channels:
        place = place_of(people, key, message.to, channel)
        if place is not None:
            person, number = place
            there.append(person.known_by(key)[number])
        elif outbox.state(message, channel, now) in had:
            there.append(channel)
        else:
            dead.append(channel)
    return there, dead


def let_go_of(
    outbox: Outbox, people: Mapping[str, Person], dead: Mapping[str, Collection[str]]
) -> list[Message]:
    """Messages go by those channels no more; they are returned. To be called once they are told.

    A withdrawal is told to who had the notice, and nobody else: it goes by what they have now.
    """
    found, key = [], outbox.key()
    for message in list(outbox.messages()):
        gone = dead.get(message.id, ())
        left = tuple(channel for channel in message.channels if channel not in gone)
        if not gone:
            continue
        if _withdraws(message):
            if (person := people.get(message.to)) is None:
                continue
            left += tuple(one for one in person.known_by(key) if one not in left)
        outbox.go_by(message, left)
        found.append(message)
    return found


def _withdraws(message: Message) -> bool:
    return any(key.split("|")[1:2] == [WITHDRAWN] for key in message.items)


def begun_with(message: Message, begun: Begun) -> Message:
    """With what it takes to know later of whose pledges it is; see `of_today`."""
    ids = dict.fromkeys(map(pledge_of, message.items))
    return replace(message, begun=tuple((id, begun[id].isoformat()) for id in ids if id in begun))
