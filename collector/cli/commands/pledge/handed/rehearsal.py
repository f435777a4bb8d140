"""What `pledge notify --dry-run` shows: each message, and what all of it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.language import tr
from collector.cli.workflows.desk.telling import pledge_of
from collector.errors import one_line
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.cli.workflows.desk.digests import Item
    from collector.notify.outbox import Message, Outbox
    from collector.notify.settings import Person


def _untold(left: Sequence[Item]) -> dict[str, int]:
    """By owner (masked; empty: nobody's), how many items nobody of the settings is told."""
    return dict(sorted(Counter(str(masked(one.owner)) for one in left).items()))


class Rehearsal:
    """`fresh`: what would be sent, with its files; what waits in the outbox goes with it."""

    def __init__(
        self,
        fresh: Sequence[tuple[Message, list[bytes]]],
        people: Mapping[str, Person],
        outbox: Outbox,
        now: datetime,
    ) -> None:
        self._messages = [message for message, _ in fresh]
        self._people, self._key = people, outbox.key()
        self._waits = _waiting(outbox, people, now)

    def show(self, items: Sequence[Item]) -> int:
        """`items` are those that nobody can be told."""
        left = _untold(items)
        for message in self._messages:
            by = ", ".join(self._schemes(message)) or "-"
            borne = "".join(f" + {name}" for name, _ in message.files)
            head = f"== {one_line(message.to)} ({by}){borne}"
            out(f"{head}\n{message.subject}\n\n{message.body}\n")
        answer(
            messages=[
                {"to": m.to, "subject": m.subject, "body": m.body, "files": [n for n, _ in m.files]}
                for m in self._messages
            ],
            summary=self._summary(left),
        )
        out("".join(f"{line}\n" for line in self._lines(left)))
        return 0

    def _schemes(self, message: Message) -> list[str]:
        person = self._people.get(message.to)
        if person is None:
            return []
        only = person.only(message.channels, self._key)
        return [only.scheme(number) for number in range(len(only.channels))]

    def _summary(self, left: Mapping[str, int]) -> dict[str, Any]:
        keys = {key for message in self._messages for key in message.items}
        return {
            "messages": len(self._messages),
            "people": len({message.to for message in self._messages}),
            "items": len(keys),
            "pledges": len(set(map(pledge_of, keys))),
            "channels": dict(
                sorted(Counter(by for m in self._messages for by in self._schemes(m)).items())
            ),
            "files": sum(len(message.files) for message in self._messages),
            "untold": dict(left),
            "outbox": dict(self._waits),
        }

    def _lines(self, left: Mapping[str, int]) -> Iterator[str]:
        found = self._summary(left)
        comma, colon = tr("，", ", "), tr("：", ": ")
        by = comma.join(f"{name} {count}" for name, count in found["channels"].items())
        yield tr(
            f"将发 {found['messages']} 条消息给 {found['people']} 人，"
            f"涉及 {found['pledges']} 份登记的 {found['items']} 项",
            f"{found['messages']} message(s) would go to {found['people']} person(s), of "
            f"{found['items']} item(s) of {found['pledges']} pledge(s)",
        ) + (f"{colon}{by}" if by else "")
        if files := found["files"]:
            yield tr(f"其中邮件附通知书 {files} 份", f"{files} notice(s) to mend go with the mails")
        if left:
            names = comma.join(
                f"{one_line(name) or tr('无人负责', 'owned by nobody')} {count}"
                for name, count in left.items()
            )
            count = sum(left.values())
            yield tr(
                f"{count} 项发不出：责任人不在设置文件中，也没有 “*”：{names}",
                f"{count} item(s) cannot be sent, as their owner is not in the settings, nor is "
                f"'*': {names}",
            )
        words = {
            "waits": tr("此前未送达，将再试", "were not taken before, and are tried again"),
            "later": tr("此前未送达，未到重试时间", "were not taken before; not yet to be tried"),
            "unsure": tr(
                "可能已发出而未得确认，不重发（--again 重发）",
                "may have been sent, not confirmed, and are not sent again (--again does)",
            ),
            "lost": tr("设置文件中已无其渠道", "have no channel in the settings any more"),
        }
        for state, count in self._waits.items():
            yield tr(f"发件箱中 {count} 条{words[state]}", f"{count} of the outbox {words[state]}")


def _waiting(outbox: Outbox, people: Mapping[str, Person], now: datetime) -> dict[str, int]:
    """By state, how many sendings of earlier calls wait there; none where there are none."""
    from collector.cli.workflows.desk.telling import place_of

    if not outbox.folder.is_dir():
        return {}
    key, found = outbox.key(), Counter[str]()
    for message in outbox.messages():
        for channel in message.channels:
            state: str = outbox.state(message, channel, now)
            if state == "done":
                continue
            if state != "unsure" and place_of(people, key, message.to, channel) is None:
                state = "lost"
            found["waits" if state == "new" else state] += 1
    return {state: found[state] for state in ("waits", "later", "unsure", "lost") if found[state]}
