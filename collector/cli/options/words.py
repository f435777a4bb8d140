"""Words that people give: names, remarks and ends, held to what a record takes.

And those that an option knows, taken as people read them too: `fail` is what 不符合 says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from collector.cli.options.times import day_to_come, is_past, near, parse_day
from collector.cli.ui.language import tr
from collector.errors import BadInput

Words = Mapping[str, Collection[str]]
"""By the word for programs, what people read in its place."""

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


class Worded(click.Choice[str] if TYPE_CHECKING else click.Choice):  # type: ignore[misc, unused-ignore]
    """A choice of words for programs, each of which may be given in those for people.

    `names` are asked for when something is converted: help and completion need none of them.
    """

    def __init__(self, choices: Collection[str], names: Callable[[], Words]) -> None:
        super().__init__(tuple(choices))
        self._names = names

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found: str = super().convert(meant(value, self._names()), param, ctx)
        return found


def meant(text: str, names: Words) -> str:
    """The word for programs of what somebody gave; the same again where it is none of them."""
    wanted = _as_compared(text)
    for word, known in names.items():
        if wanted == word or wanted in map(_as_compared, known):
            return word
    return text


def verdicts() -> Words:
    """As lists and findings show them; `none` is a record without evidence."""
    from collector.catalog import words

    shown = {word: [text.zh, text.en] for word, text in words()["verdict"].items()}
    shown["notapplicable"].append("n/a")
    shown["notchecked"].append("no proof")
    return {**shown, "none": ["无证据", "尚无证据", "no evidence", "-"]}


def finding_states() -> Words:
    from collector.report.model.found import STATES

    return {word: [text.zh, text.en] for word, text in STATES.items()}


def pledge_states() -> Words:
    """Whole, and the first word of each, which stands in lists."""
    from collector.pledges.due.lifecycle import WORDS

    return {
        word: [text.zh, text.en, text.zh.partition("，")[0], text.en.partition(", ")[0]]
        for word, text in WORDS.items()
    }


def due_kinds() -> Words:
    from collector.pledges.due.kinds import WORDS

    return {word: [text.zh, text.en] for word, text in WORDS.items()}


def _as_compared(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
