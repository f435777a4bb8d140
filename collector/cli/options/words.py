"""Names, remarks and ends that people give, held to what a record takes before it is changed."""

from __future__ import annotations

from datetime import datetime

from collector.cli.options.times import day_to_come, is_past, near, parse_day
from collector.cli.ui.language import tr
from collector.errors import BadInput

# as the schema of a record has them
_NAME, _PROSE = 200, 4000


def name_given(text: str | None, where: str) -> str | None:
    """A name, of one line; raises BadInput for what no record takes as one."""
    return _given(text, where, _NAME, prose=False)


def person_given(text: str | None, where: str) -> str | None:
    """A person's name, with its blanks as they are compared; raises as `name_given`."""
    from collector.pledges.record.people import plain_name

    given = name_given(text, where)
    return None if given is None else plain_name(given)


def prose_given(text: str | None, where: str) -> str | None:
    """A remark; raises BadInput for what no record takes as one."""
    return _given(text, where, _PROSE, prose=True)


def _given(text: str | None, where: str, most: int, *, prose: bool) -> str | None:
    from collector.pledges.record.validation import word_fault

    if text is None:
        return None
    if fault := word_fault(text, most=most, prose=prose):
        raise BadInput(fault, where=where)
    return text


def day_given(text: str | None, where: str, now: datetime) -> str | None:
    """A day to come, as ISO has it; raises BadInput for anything else."""
    return None if text is None else day_to_come(text, where, now).isoformat()


def end_given(text: str, where: str, now: datetime) -> str:
    """A day, or a time, to come: one without zone is that of China.

    Raises BadInput for anything else.
    """
    from collector.pledges.record.times import CHINA, waiver_end

    try:
        if "T" in text.upper() or " " in text or ":" in text:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
            found = moment.isoformat(timespec="seconds")
        else:
            found = parse_day(text, where).isoformat()
        ends = waiver_end(found)
    except (ValueError, OverflowError, BadInput):
        raise BadInput(
            tr(f"不是日期或时刻：{text}", f"neither a day nor a time: {text}"),
            where=where,
            mend=tr(
                "请写成 2026-12-31，或 2026-12-31T18:00:00（北京时间）",
                "write 2026-12-31, or 2026-12-31T18:00:00 (of China)",
            ),
        ) from None
    if ends <= now:
        raise is_past(where)
    near(ends.astimezone(CHINA).date(), where, now)
    return found
