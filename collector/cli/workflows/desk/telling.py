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

from collector.catalog import described
from collector.model import Text
from collector.notify.outbox import Message, Outbox

if TYPE_CHECKING:
    from collector.notify.settings import Person

# the clocks of who keeps the register, and of who sends
_WITHIN = timedelta(minutes=5)
WITHDRAWN = "withdrawn"

Begun = Mapping[str, datetime]


# why a message was not taken, where it is no number
_WHY = {
    "": Text("", ""),
    "unreached": Text("未能连接", "nobody was reached"),
    "broken_off": Text("连接中断", "the connection broke off"),
    "file": Text("发件箱中已无其附件", "its file is not in the outbox any more"),
    "address": Text("地址无法识别", "the address is not understood"),
}


def why_not(why: str) -> Text:
    """As `notify.sending` tells it, for people; a number is one in every language."""
    return _WHY.get(why, Text(why, why))


def pledge_of(key: str) -> str:
    return key.partition("|")[0]


@dataclass(frozen=True, slots=True)
class About:
    """What the key of an item says: of which pledge, what, and of which day (ISO, may be empty).

    `kind` is `finding`, `hand-in`, `withdrawn`, or that of a deadline; `name` is for people.
    """

    pledge: str
    kind: str
    name: str
    day: str = ""
    late: bool = False

    @property
    def word(self) -> Text:
        from collector.pledges.due.kinds import WORDS

        return WORDS.get(self.kind, _KINDS.get(self.kind, Text(self.kind, self.kind)))


_KINDS = {
    "finding": Text("问题", "finding"),
    "hand-in": Text("待收用的用户提交", "hand-in that waits"),
    WITHDRAWN: Text("通知书撤回", "notice withdrawn"),
    "unread": Text("证据包无法读取", "bundles cannot be read"),
}


def about(key: str) -> About:
    """As `digests` and `withdrawing` make keys."""
    pledge, _, rest = key.partition("|")
    kind, _, rest = rest.partition("|")
    if kind == WITHDRAWN:
        return About(pledge, kind, rest)
    if kind == "hand-in":
        return About(pledge, kind, rest[:12])
    *what, day, how = rest.split("|")
    if kind == "finding" and len(what) > 1:
        known = described().get(what[0])
        name = f"{known.number if known else what[0]} @ {what[1]}"
        return About(pledge, kind, name, day, how == "late")
    return About(pledge, kind, "|".join(what), day, how == "late")


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
