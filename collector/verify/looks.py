"""When was each host looked at, and for when was it judged? Whoever judged may give any time.

The times of looking stand in evidence.json as well as in the captures, so that evidence without
its captures is as old as with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.model import HostStatus, Text
from collector.script import host_clock

# what rounding and slow collecting make of it
SLACK = timedelta(minutes=5)
# further apart, its verdicts are those of another day
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Looks:
    """Of all hosts: the oldest and the newest look, and the latest time of all.

    `undated` hosts answered, and nothing says when; they are not among the looks. `elsewhen` were
    judged for another time than they were looked at, by `apart` at most. Of `unseen` ones nothing
    was seen to its end: not reached, refused, cut off. `last`: the newest look at a host that
    answered; None where none did, or nothing says when.
    """

    oldest: datetime
    newest: datetime
    latest: datetime
    undated: int = 0
    elsewhen: int = 0
    apart: timedelta = timedelta(0)
    unseen: int = 0
    last: datetime | None = None

    @property
    def dated(self) -> bool:
        """Is the age of all of it known?"""
        return not self.undated

    @property
    def of_another_day(self) -> bool:
        return self.apart > A_DAY

    def days(self, now: datetime) -> int | None:
        """How old the oldest is, in whole days (0 where this clock is behind); None: unknown."""
        return max((now - self.oldest).days, 0) if self.dated else None

    def and_before(self, earlier: Looks) -> Looks:
        """With those of the check before hardening, which makes nothing older."""
        return replace(
            self,
            elsewhen=self.elsewhen + earlier.elsewhen,
            apart=max(self.apart, earlier.apart),
            last=max((at for at in (self.last, earlier.last) if at is not None), default=None),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.oldest.isoformat() if self.dated else None,
            "to": self.newest.isoformat() if self.dated else None,
            "undated": self.undated,
            "unseen": self.unseen,
            "judged_elsewhen": self.elsewhen,
            "judged_apart_seconds": int(self.apart.total_seconds()),
        }

    def unproven(self) -> tuple[Text, ...]:
        found = []
        if self.undated:
            found.append(
                Text(
                    f"采集时间：{self.undated} 台主机的采集时间未载明，其证据有多旧无从得知。",
                    f"When it was looked at: of {self.undated} host(s) nothing says so, and how "
                    "old that is stays unknown.",
                )
            )
        if self.elsewhen:
            found.append(
                Text(
                    f"采集之时是否如此判定：{self.elsewhen} 台主机的判定时刻不是其采集时刻，"
                    f"相差最多 {said(self.apart).zh}；豁免、期限与逾期均按判定时刻计算。",
                    f"That it was so when it was looked at: {self.elsewhen} host(s) were judged "
                    f"for another time than that of the look, by up to {said(self.apart).en}; "
                    "waivers and what is due are reckoned for that time.",
                )
            )
        if self.unseen:
            found.append(not_looked_at(self.unseen))
        return tuple(found)


def not_looked_at(count: int) -> Text:
    """Of hosts that did not answer, refused, or were cut off."""
    return Text(
        f"未能核查的主机：{count} 台没有应答、拒绝登录或中途断开，其状况无从得知。",
        f"Hosts that could not be looked at: {count} did not answer, refused or were cut off, and "
        "how they are is not known.",
    )


class Gathered:
    """The looks while the hosts are gone through; `at` is when each was looked at, if known."""

    def __init__(self) -> None:
        self.judged: list[datetime] = []
        self.at: dict[str, datetime] = {}
        self._looks: list[datetime] = []
        self._undated = 0
        self._unseen = 0
        self._apart: list[timedelta] = []
        self._last: datetime | None = None

    def add(self, host: str, entry: Mapping[str, Any], collected_at: datetime | None) -> datetime:
        """Of one host of evidence.json; `collected_at` of its capture, where that is there.

        Where that and what evidence.json keeps are apart, the older counts as the look.
        """
        judged = datetime.fromisoformat(entry["assessed_at"])
        self.judged.append(judged)
        self._unseen += entry["status"] != HostStatus.COMPLETE
        kept = recorded(entry)
        seen = collected_at or kept
        if seen is None:
            # of a host that never answered nothing is looked at
            if entry["status"] == HostStatus.COMPLETE or entry["head"]:
                self._undated += 1
                return judged.astimezone(UTC)
            seen = judged
        else:
            self._last = max(self._last or seen, seen)
            if kept is not None and seen - kept > SLACK:
                seen = kept
            self.at[host] = seen
        self._looks.append(seen.astimezone(UTC))
        apart = abs(judged - self._looks[-1])
        if apart > SLACK:
            self._apart.append(apart)
        return self._looks[-1]

    def all(self) -> Looks:
        looks = self._looks or self.judged
        return Looks(
            min(looks),
            max(looks),
            max(*looks, *self.judged),
            self._undated,
            len(self._apart),
            max(self._apart, default=timedelta(0)),
            self._unseen,
            self._last,
        )


def recorded(entry: Mapping[str, Any]) -> datetime | None:
    """The time of a host's look by what evidence.json keeps of its capture: the collecting

    side's clock, else the host's own, else what was claimed of one that was handed in.
    """
    origin = entry["origin"]
    claimed = origin.get("claimed")
    return (
        _moment(origin.get("clock"))
        or host_clock({name: str(value) for name, value in entry["head"].items()})
        or _moment(claimed.get("clock") if isinstance(claimed, dict) else None)
    )


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None and 1970 <= at.year <= 9000 else None


def said(span: timedelta) -> Text:
    """A length of time in whole days, hours or minutes, rounded down."""
    if span >= A_DAY:
        return Text(f"{span.days} 天", f"{span.days} day(s)")
    minutes = int(span.total_seconds()) // 60
    if minutes >= 60:
        return Text(f"{minutes // 60} 小时", f"{minutes // 60} hour(s)")
    return Text(f"{minutes} 分钟", f"{minutes} minute(s)")
