"""What of a bundle is dated later than now, and how old the oldest look in it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.attest.envelope.timestamp import Stamp
from collector.model import Text
from collector.verify.looks import Looks
from collector.verify.times import SKEW, Logged


@dataclass(frozen=True, slots=True)
class Ahead:
    """Something that is dated later than now: `what` is a word for programs."""

    what: str
    at: datetime
    text: Text

    def to_json(self) -> dict[str, str]:
        return {"what": self.what, "at": self.at.isoformat()}


def ahead(
    made_at: datetime,
    looked: datetime,
    stamp: Stamp | None,
    logged: Logged | None,
    now: datetime,
) -> tuple[Ahead, ...]:
    """What is dated later than now, beyond what clocks differ by. `looked`: the newest look."""
    dated = [
        ("looked_at", looked, Text("采集或判定时间", "a look, or what it was judged for,")),
        ("made_at", made_at, Text("签署时间", "the signing")),
    ]
    if stamp is not None:
        who = stamp.authority
        said = Text(f"时间戳机构“{who}”所盖时间", f"the timestamp by {who}")
        dated.append(("timestamp", stamp.at, said))
    if logged is not None:
        dated.append(("logged_at", logged.at, Text("登记库日志的时间", "the entry of the log")))
    return tuple(Ahead(what, at, text) for what, at, text in dated if at > now + SKEW)


def ahead_told(found: Sequence[Ahead], now: datetime) -> tuple[Text, ...]:
    """In one line: evidence of a time to come was made with a wrong clock, or on purpose."""
    if not found:
        return ()
    here = now.isoformat(timespec="seconds")
    zh = "、".join(f"{one.text.zh} {one.at.isoformat(timespec='seconds')}" for one in found)
    en = ", ".join(f"{one.text.en} {one.at.isoformat(timespec='seconds')}" for one in found)
    return (
        Text(
            f"时间属于将来：{zh}，晚于本机时钟 {here}，两者必有一个不准。",
            f"Its time, which is yet to come: {en} is later than this machine's clock shows "
            f"({here}), and one of the two is wrong.",
        ),
    )


def age(looks: Looks, now: datetime) -> Text:
    """Valid evidence can be old: how old the oldest look in it is."""
    days, at = looks.days(now), looks.oldest.isoformat(timespec="seconds")
    if days is None:
        return Text(
            "主机现在是否仍然如此：采集距今多久无从得知；核验通过不说明证据是新近的。",
            "That the hosts are still so: how old the oldest look in it is nobody can tell, and "
            "that it verifies does not make it fresh.",
        )
    if looks.oldest > now + SKEW:
        return Text(
            f"主机现在是否仍然如此：其中最早的采集为 {at}，属于将来；核验通过不说明证据是新近的。",
            f"That the hosts are still so: the oldest look in it is of {at}, which is yet to come, "
            "and that it verifies does not make it fresh.",
        )
    return Text(
        f"主机现在是否仍然如此：其中最早的采集为 {at}，距今 {days} 天；"
        "核验通过不说明证据是新近的。",
        f"That the hosts are still so: the oldest look in it is of {at}, {days} day(s) ago, and "
        "that it verifies does not make it fresh.",
    )
