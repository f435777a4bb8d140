"""What people write as a time, or as a length of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.pledges.record.times import CHINA

_TIME = re.compile(r"([0-9]{1,4})(d|w|m|天|日|周|个月)?")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


def parse_time(text: str, *, where: str = "--at") -> datetime:
    """An ISO 8601 time or date, aware; raises BadInput for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            tr(f"不是时间：{text}", f"not a time: {text}"),
            where=where,
            mend=tr("请写成 2026-11-25T12:00:00+08:00", "write it as 2026-11-25T12:00:00+08:00"),
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    # a key may end at any time; what is reckoned from needs years around it
    if not year or (where == "--at" and not 1970 <= year <= 9000):
        raise BadInput(
            tr(f"无法以此时刻计算：{text}", f"no time to reckon from: {text}"), where=where
        )
    return moment


def parse_day(text: str, where: str) -> date:
    """A day as `2026-12-31`, and as lists have it (2026年12月31日); raises BadInput for others."""
    from collector.pledges.lists.days import written_day

    try:
        return date.fromisoformat(text)
    except ValueError:
        if (found := written_day(text)) is not None:
            return found
        raise BadInput(
            tr(f"不是日期：{text}", f"no date: {text}"),
            where=where,
            mend=tr("请写成 2026-12-31", "write it as 2026-12-31"),
        ) from None


def day_to_come(text: str, where: str, now: datetime) -> date:
    """As `parse_day`, of what is still to be done or to hold: a day that is past is BadInput.

    A mistyped year goes on record otherwise, and is overdue at once.
    """
    found, today = parse_day(text, where), now.astimezone(CHINA).date()
    if found < today:
        raise is_past(where)
    return near(found, where, now)


def near(day: date, where: str, now: datetime) -> date:
    """The day; raises BadInput where it is more years off than a pledge's may be: 2206, 1926."""
    from collector.pledges.lists.far_days import far

    if (what := far(day, now.astimezone(CHINA).date())) is not None:
        raise BadInput(what, where=where)
    return day


def is_past(where: str) -> BadInput:
    """What a person is told of a day or a time to come that is not."""
    return BadInput(
        tr("已经过去", "is past already"),
        where=where,
        mend=tr("请核对年份与日期", "look at the year and the day again"),
    )


def length_of_time(text: str, *, where: str = "--within", today: date | None = None) -> timedelta:
    """How far from `today` (in China): `30d`, `4w`, `3m`, to a day or to the end of a month.

    A month ahead is the corresponding day (Civil Code of the PRC, article 202). Raises BadInput for
    anything else, and for a day that is past.
    """
    from collector.pledges.record.terms import months_on

    today = today or datetime.now(UTC).astimezone(CHINA).date()
    text = text.strip()
    given = _TIME.fullmatch(text)
    if given is None:
        return _until(text, today, where)
    number = int(given[1])
    if given[2] in ("m", "个月"):
        return months_on(today, number) - today
    return timedelta(days=number * (7 if given[2] in ("w", "周") else 1))


def at_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --at to a command, as `at`: the text of a day that is past."""
    return click.option(
        "--at",
        metavar="DAY",
        help=tr(
            "该日日终（北京时间）时的情况，如 2026-10-31：仅计当时已附上的证据与当时的登记",
            "how it was at the end of that day (of China), e.g. 2026-10-31: by the evidence "
            "attached by then, and the record of then",
        ),
    )(command)


class Ahead(click.ParamType[timedelta] if TYPE_CHECKING else click.ParamType):  # type: ignore[misc, unused-ignore]
    """How far ahead an option looks; what is no such time is told before anything is done."""

    name = "time"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        return length_of_time(value, where=param.opts[0] if param else "--within")


def _until(text: str, today: date, where: str) -> timedelta:
    from collector.pledges.record.terms import months_on

    try:
        if _MONTH.fullmatch(text):
            last = months_on(date.fromisoformat(f"{text}-01"), 1) - timedelta(days=1)
        else:
            last = date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            tr(f"不是时长：{text}", f"no length of time: {text}"),
            where=where,
            mend=tr(
                "请写成 30天、4周、3个月（或 30d、4w、3m）、2027-03-31 或 2027-03",
                "write 30d, 4w, 3m, 2027-03-31 or 2027-03",
            ),
        ) from None
    if last < today:
        raise BadInput(tr(f"已经过去：{text}", f"is past: {text}"), where=where)
    return last - today
