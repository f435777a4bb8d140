"""Makes a notice out of what a register says of one pledge, and puts it on the pledge's record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.pledges.record.notices import (
    Notice,
    grouped,
    last_given,
    next_number,
    notices,
    of_number,
    place_of,
    with_notice,
)
from collector.pledges.record.times import CHINA, waiver_end

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life
    from collector.report.model import notice as model


@dataclass(frozen=True, slots=True)
class Asked:
    """What every notice of a command is asked to say; what is empty was not given.

    `since` (aware) or `after`, the number of a notice on record, is what a look again goes back to.
    """

    recheck: bool
    since: datetime | None
    by: str
    issuer: str
    number: str
    owner: str | None
    after: str = ""
    draft: bool = False
    # no page is made, which takes a second each
    check: bool = False
    # nothing is made either where notices that stand tell all of it already
    once: bool = False
    # of what is late already alone
    overdue: bool = False
    # of what breaks a clause by itself alone
    veto: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A notice: the bytes of the page, and what goes on record of it.

    `again`: notices to mend that stand, and how many of its findings each names already. `stands`:
    they tell all of it, and it was asked for once, so that there is no page. `late`: the days of
    what was to be mended before today.
    """

    data: bytes
    entry: dict[str, Any]
    again: tuple[tuple[str, int], ...] = ()
    stands: bool = False
    late: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        return str(self.entry["number"])


def made(register: Register, id: str, asked: Asked, now: datetime, *, html: bool) -> Made | None:
    """The notice; None where there is nothing to say. Raises BadInput where a day is missing."""
    from collector.pledges.database.rows import current
    from collector.pledges.standing.found_now import lives_told
    from collector.report.model import notice as model

    record, evidence = register.get(id), register.evidence(id)
    earlier = _earlier(record, asked)
    newest = current(evidence)
    if newest is None:
        return None
    today = now.astimezone(CHINA).date()
    _has_come(earlier, today, id)
    told, old = lives_told(register, record, now)
    lives = [life for life in told if _is_of(life, asked)]
    late = {} if asked.recheck else _late(lives, today)
    lives = [x for x in lives if not asked.overdue or place_of(x.control, x.host) in late]
    lives = [life if asked.recheck else _to_come(life, today) for life in lives]
    lives = [_in_time(life, asked.by) for life in lives]
    opened = model.open_ones(lives)
    since = (asked.since or newest.collected_at) if asked.recheck else None
    if not opened and not _something_closed(lives, since, earlier):
        return None
    named = earlier.named if earlier else {}
    if earlier is None:
        _all_have_a_day(opened, asked.by, id)
    number = asked.number or next_number(record, today)
    if of_number(record, number) is not None:
        raise BadInput(
            tr(f"{number} 号通知书已登记", f"the notice {number} is on record already"),
            where="--number",
            mend=tr("换一个文号", "give another number"),
        )
    kind: model.Kind = "recheck" if asked.recheck else "mend"
    given = model.contents(
        record,
        lives,
        (newest.sequence, newest.collected_at, newest.digest),
        model.Asked(kind, _shown(number, asked), asked.issuer, asked.by, since, earlier, late, old),
        now,
        lang(),
    )
    entry: dict[str, Any] = {
        "number": number,
        "kind": kind,
        "date": today.isoformat(),
        "evidence": newest.sequence,
        "findings": grouped(
            (life.control, life.host, _day(life) or asked.by) for life in model.dated(opened, named)
        ),
        "sha256": "",
        **({"mend_by": asked.by} if asked.by else {}),
        **({"issuer": asked.issuer} if asked.issuer else {}),
        **({"of": earlier.number} if earlier else {}),
    }
    again = () if asked.recheck else _named_already(record, entry)
    stands = asked.once and _stands(record, entry)
    data = b"" if asked.check or stands else _set(given, html=html)
    entry["sha256"] = hashlib.sha256(data).hexdigest()
    return Made(data, entry, again, stands, tuple(late.values()))


def _named_already(record: PledgeRecord, entry: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    named = Notice(entry).named.keys()
    found = ((n.number, len(named & n.named.keys())) for n in _standing(record, "mend"))
    return tuple((number, count) for number, count in found if count)


def _stands(record: PledgeRecord, entry: dict[str, Any]) -> bool:
    """Do notices that stand tell all of it, or is it the same look again at the same notice?"""
    new = Notice(entry)
    if new.kind == "mend":
        told = {key for one in _standing(record, "mend") for key in one.named}
        return new.named.keys() <= told
    return any(
        one.evidence == new.evidence
        and one.entry.get("of") == entry.get("of")
        and one.named == new.named
        for one in _standing(record, "recheck")
    )


def _standing(record: PledgeRecord, kind: str) -> list[Notice]:
    return [one for one in notices(record) if one.kind == kind and one.withdrawn is None]


def _shown(number: str, asked: Asked) -> str:
    """A draft does not look like what was given: the next notice may have its number."""
    if not asked.draft:
        return number
    draft = tr("草稿，尚未登记", "draft, not on record")
    return f"{number} ({draft})" if asked.number else draft


def put_on_record(register: Register, id: str, notice: Made, now: datetime) -> None:
    """As a further version of the record."""
    today = now.astimezone(CHINA).date()
    register.change(id, lambda newest: with_notice(newest, notice.entry, today=today))


def _earlier(record: PledgeRecord, asked: Asked) -> Notice | None:
    """The notice that is looked at again; raises BadInput where one is named that is not there."""
    if not asked.recheck or asked.since is not None:
        return None
    if not asked.after:
        return last_given(record)
    found = of_number(record, asked.after)
    if found is None:
        raise BadInput(
            tr(f"没有登记 {asked.after} 号通知书", f"no notice {asked.after} is on record"),
            where=record.id,
            mend=tr("见 hostpledge pledge notices", "see `hostpledge pledge notices`"),
        )
    if found.withdrawn is not None:
        raise BadInput(
            tr(f"{asked.after} 号通知书已撤回", f"the notice {asked.after} was withdrawn"),
            where="--after",
        )
    return found


def _has_come(earlier: Notice | None, today: date, id: str) -> None:
    """Raises BadInput where the notice that is looked at again is of a later day."""
    if earlier is not None and earlier.date > today.isoformat():
        raise BadInput(
            tr(
                f"{earlier.number} 号通知书的日期是 {earlier.date}，尚不能复查",
                f"the notice {earlier.number} is of {earlier.date}, and cannot be looked at yet",
            ),
            where=id,
            mend=tr("请核对本机时钟", "see whether the clock of this machine is right"),
        )


def _is_of(life: Life, asked: Asked) -> bool:
    from collector.cli.options.findings import is_named

    breaks = not asked.veto or (life.veto and life.fails)
    return breaks and (asked.owner is None or is_named(life.owner, asked.owner))


def _something_closed(
    lives: Sequence[Life], since: datetime | None, earlier: Notice | None
) -> bool:
    if earlier is not None:
        # of what it named and nothing knows any more, its host is on record no more
        known = {place_of(life.control, life.host) for life in lives}
        return any(key in known for key in earlier.named) or not earlier.named.keys() <= known
    return any(life.closed and since and life.closed.at >= since for life in lives)


def _to_come(life: Life, today: date) -> Life:
    """Nobody can be told to mend something by a day that has passed: it has none then."""
    if life.closed or life.due is None or life.due.astimezone(CHINA).date() >= today:
        return life
    return replace(life, due=None)


def _late(lives: Sequence[Life], today: date) -> dict[tuple[str, str], str]:
    """By control and host the days of what is open and was to be mended before today."""
    return {
        place_of(life.control, life.host): _day(life)
        for life in lives
        if life.state == "open" and life.due is not None and _day(life) < today.isoformat()
    }


def _in_time(life: Life, by: str) -> Life:
    """Nobody can do sooner what only time does: its day is the one on which it is fulfilled."""
    if life.state != "open" or life.waits <= (_day(life) or by):
        return life
    return replace(life, due=waiver_end(life.waits))


def _day(life: Life) -> str:
    return life.due.astimezone(CHINA).date().isoformat() if life.due else ""


def _set(given: dict[str, Any], *, html: bool) -> bytes:
    if html:
        from collector.report.render.html import page

        return page("notice.html.j2", given, style="pages.css").encode()
    from collector.report.render import pdf

    return pdf.to_notice(given)


def _all_have_a_day(opened: Sequence[Life], by: str, id: str) -> None:
    without = sum(life.due is None for life in opened)
    if without and not by:
        raise BadInput(
            tr(f"{without} 项问题没有整改期限", f"{without} finding(s) have no day to mend by"),
            where=id,
            mend=tr(
                "加 --by 日期，或用 hostpledge pledge assign 指定",
                "add --by DATE, or name one with `hostpledge pledge assign`",
            ),
        )
