"""How pledges stood at the end of a day in China, for the commands that `--at` is given to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from collector.cli.options.times import parse_day
from collector.cli.ui.language import tr
from collector.cli.ui.scope_line import void_line
from collector.errors import BadInput
from collector.pledges.record.times import CHINA

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.then import Then

WHERE = "--at"


def asked(text: str | None, now: datetime) -> date | None:
    """The day; None for none, and for today: it is not over. Raises BadInput for one to come."""
    if text is None:
        return None
    found, today = parse_day(text, WHERE), now.astimezone(CHINA).date()
    if found > today:
        raise BadInput(
            tr(f"{found} 尚未到来", f"{found} has not come yet"),
            where=WHERE,
            mend=tr(f"最晚为今天 {today}", f"today, {today}, is the last there is"),
        )
    return None if found == today else found


class DestroyedError(BadInput):
    """What a pledge was at the end of that day was destroyed since: no command brings it back."""


class PastDay:
    """What pledges of one register were at the end of a day."""

    def __init__(self, register: Register, now: datetime, at: date) -> None:
        self._register, self._now, self.at = register, now, at
        self._renewing: dict[str, list[str]] | None = None

    def of(self, id: str) -> Then:
        """Raises BadInput where it was not on record by then, DestroyedError where it is gone."""
        from collector.pledges.standing.then import GoneError, NotThenError, as_it_was

        if self._renewing is None:
            self._renewing = {}
            for one in self._register.briefs():
                if old := one.document.get("renews"):
                    self._renewing.setdefault(str(old), []).append(one.id)
        renewing = self._renewing.get(id, ())
        try:
            return as_it_was(self._register, id, self._now, self.at, renewing)
        except GoneError as problem:
            raise self._gone(id, problem.day) from None
        except NotThenError:
            raise BadInput(
                tr(
                    f"{self.at} 日终时此登记尚不存在",
                    f"at the end of {self.at} it was not on record",
                ),
                where=id,
                mend=tr(
                    f"用 hostpledge pledge history {id} 查看何时登记",
                    f"`hostpledge pledge history {id}` says since when it is",
                ),
            ) from None

    def was_there(self, id: str) -> bool:
        """Was it on record by then? What was destroyed since, was."""
        from collector.pledges.record.times import day_after

        return self._register.number_before(id, day_after(self.at)) > 0

    def _gone(self, id: str, day: str) -> BadInput:
        at = self.at
        if day:
            return DestroyedError(
                tr(
                    f"{at} 日终时所载内容已于 {day} 销毁，只留摘要",
                    f"what it said at the end of {at} was destroyed on {day}; its digest is kept",
                ),
                where=id,
            )
        return BadInput(
            tr(
                f"{at} 日终时所载内容，登记库中已没有",
                f"what it said at the end of {at} is not in the register any more",
            ),
            where=id,
        )


def rule(at: date) -> str:
    """By what it is told how it stood."""
    return tr(
        f"以下为 {at} 日终（北京时间）的情况：仅计当时已附上的证据与当时的登记；此后作废的证据不计",
        f"as it was at the end of {at} (China): by the evidence attached by then and the record of "
        "then, without what was declared void since",
    )


def void_since(then: Then) -> Iterator[str]:
    """Of what was attached by then, each that counts for nothing, whenever that was said."""
    yield from map(void_line, then.void_of_then)


def as_document(then: Then) -> dict[str, Any]:
    """For programs: the day, the version of the record, and what counts for nothing."""
    entries: Sequence[Any] = then.void_of_then
    return {
        "as_of": then.at.isoformat() if then.at else None,
        "version": then.history[-1].number,
        "void": [dict(entry) for entry in entries],
    }
