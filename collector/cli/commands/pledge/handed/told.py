"""`hostpledge pledge told`: what was told to whom, when, by what, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.common import form_option, output_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import parse_day
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import one_line
from collector.export.envelope import as_json
from collector.pledges.record.masking import masked
from collector.resources import home_place

if TYPE_CHECKING:
    from collector.cli.ui.sheets import Cell
    from collector.cli.workflows.desk.telling import About, Begun
    from collector.notify.outbox import Became, Message, Outbox
    from collector.notify.settings import Person

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One message by one channel; `by` is the kind of the channel, empty where it is there no more.

    `about`: what it told of, of the pledges that were asked for.
    """

    message: Message
    by: str
    became: Became
    about: Sequence[About]

    @property
    def missing(self) -> bool:
        return self.became.state != "done"


@click.command(
    help=tr(
        "列出 pledge notify 告知过的：何时、告知谁、以何渠道、涉及哪些登记的什么、结果如何"
        "（送达时间；未送达的原因与下次重试时间）。文字送达后即不保存。\n\n"
        "退出码：0 所列均已送达；1 有未送达的；2 无法完成。",
        "Lists what `pledge notify` told: when, whom, by which kind of channel, of what of which "
        "pledges, and what became of it (when it was taken; why it was not, and when it is tried "
        "again). Its words are not kept once it was taken.\n\nExit status: 0 all that is listed "
        "was taken; 1 something was not; 2 the command could not do its work.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--to", "whom", metavar="NAME", help=tr("只列告知此人的", "only what this one was told")
)
@click.option(
    "--since", metavar="DATE", help=tr("只列此日（北京时间）起的", "only since this day (of China)")
)
@click.option("--missing", is_flag=True, help=tr("只列未确认送达的", "only what was not taken"))
@click.option(
    "--settings",
    "file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("同 pledge notify", "as of `pledge notify`"),
)
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def told(
    *,
    ids: tuple[str, ...],
    whom: str | None,
    since: str | None,
    missing: bool,
    file: Path | None,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.ui.sheets import put
    from collector.cli.workflows.desk.letting_go import outbox_of

    now, register = datetime.now(UTC), open_register(location)
    for id in ids:
        register.get(id)
    outbox = outbox_of(register, location)
    rows = [
        row
        for row in _rows(outbox, _people(file), frozenset(ids), register.begun(), now)
        if (whom is None or _is_named(row.message.to, whom)) and (row.missing or not missing)
    ]
    if since is not None:
        from collector.pledges.record.times import CHINA

        start = datetime.combine(parse_day(since, "--since"), datetime.min.time(), CHINA)
        rows = [row for row in rows if datetime.fromisoformat(row.message.at) >= start]
    put(drawn(rows, form), output)
    return int(any(row.missing for row in rows))


def _people(file: Path | None) -> Mapping[str, Person]:
    """The settings; none where there are none and none were named: no kind is known then."""
    from collector.notify.settings import load

    place = file or home_place() / "notify.yml"
    return load(place) if file is not None or place.exists() else {}


def _is_named(name: str, sought: str) -> bool:
    from collector.cli.options.findings import is_named

    return is_named(name, sought)


def _rows(
    outbox: Outbox, people: Mapping[str, Person], ids: frozenset[str], begun: Begun, now: datetime
) -> Iterator[Row]:
    """The newest first; nothing of who had the id of a pledge before it was given anew."""
    from collector.cli.workflows.desk.telling import about, of_today, place_of

    if not outbox.folder.is_dir():
        return
    key = outbox.key()
    for message in reversed([*outbox.messages()]):
        mine = [about(key) for key in message.items if of_today(message, key, begun)]
        found = [one for one in mine if not ids or one.pledge in ids]
        for channel in message.channels if found else ():
            place = place_of(people, key, message.to, channel)
            by = place[0].scheme(place[1]) if place is not None else ""
            yield Row(message, by, outbox.became(message, channel, now), found)


def drawn(rows: Sequence[Row], form: str) -> str | bytes:
    """As people, programs and Excel take it."""
    from collector.cli.ui.sheets import as_csv, as_xlsx

    if form == "json":
        return as_json("pledge-told", {"told": masked([*map(_plain, rows)])}, indent=2)
    if form == "table":
        return _table(rows)
    titles = {
        "at": tr("时间", "at"),
        "to": tr("告知", "to"),
        "channel": tr("渠道", "channel"),
        "state": tr("结果", "state"),
        "taken_at": tr("送达时间", "taken at"),
        "why": tr("原因", "why not"),
        "next_try": tr("下次重试", "tried again"),
        "pledge": tr("登记编号", "pledge"),
        "kind": tr("类别", "kind"),
        "about": tr("事项", "about"),
        "day": tr("日期", "day"),
        "late": tr("逾期", "late"),
        "message": tr("消息", "message"),
    }
    cells = [_cells(row, one) for row in rows for one in row.about]
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("告知", "told"), titles, cells)


def _cells(row: Row, one: About) -> list[Cell]:
    from collector.cli.ui.sheets import Word
    from collector.cli.workflows.desk.telling import why_not

    found = row.became
    return [
        _minute(row.message.at),
        str(masked(row.message.to)),
        row.by,
        Word(found.state, _states()[found.state]),
        _minute(found.at),
        why_not(found.why).to(lang()) if row.missing else "",
        _minute(found.next) if row.missing else "",
        one.pledge,
        Word(one.kind, one.word.to(lang())),
        one.name,
        one.day,
        one.late,
        row.message.id,
    ]


def _plain(row: Row) -> dict[str, Any]:
    found = row.became
    return {
        "message": row.message.id,
        "at": row.message.at,
        "to": row.message.to,
        "channel": row.by or None,
        "state": found.state,
        "taken_at": found.at or None,
        "refused": found.tries,
        "why": found.why or None if row.missing else None,
        "next_try": found.next or None if row.missing else None,
        "files": [name for name, _ in row.message.files],
        "about": [
            {"pledge": a.pledge, "kind": a.kind, "name": a.name, "day": a.day, "late": a.late}
            for a in row.about
        ],
    }


def _states() -> dict[str, str]:
    return {
        "done": tr("已送达", "taken"),
        "unsure": tr("可能已发出", "may have been sent"),
        "later": tr("未送达", "not taken"),
        "new": tr("待发送", "waits"),
    }


def _table(rows: Sequence[Row]) -> str:
    from collector.cli.ui.grid import Grid, room

    if not rows:
        return tr("没有告知过这样的\n", "nothing of that kind was told\n")
    grid = Grid(
        tr("时间", "at"), tr("告知", "to"), tr("内容", "of what"), tr("结果", "what became of it"),
        fixed={0: 16},
    )  # fmt: skip
    for row in rows:
        whom = one_line(str(masked(row.message.to))) + f" ({row.by or '-'})"
        grid.add_row(_minute(row.message.at), whom, _what(row), _said(row))
    missing = sum(row.missing for row in rows)
    return grid.drawn(room()) + tr(
        f"{len(rows)} 条，其中 {missing} 条未确认送达\n",
        f"{len(rows)} sent or to be sent, {missing} of them not taken\n",
    )


def _what(row: Row) -> str:
    """How much of which pledges: each of a few, else how many."""
    counts = Counter(one.pledge for one in row.about)
    named = [tr(f"{id} {n} 项", f"{id}: {n}") for id, n in [*counts.items()][:_NAMED]]
    more = len(counts) - _NAMED
    rest = [tr(f"另 {more} 份登记", f"{more} more pledges")] if more > 0 else []
    return tr("，", ", ").join([*named, *rest])


def _said(row: Row) -> str:
    from collector.cli.workflows.desk.telling import why_not

    found, word = row.became, _states()[row.became.state]
    if not row.missing:
        return f"{word} {_minute(found.at)}"
    why = why_not(found.why).to(lang())
    again = tr(f"，{_minute(found.next)} 起重试", f", again from {_minute(found.next)}")
    return word + (tr(f"（{why}）", f" ({why})") if why else "") + (again if found.next else "")


def _minute(at: str) -> str:
    from collector.pledges.record.times import CHINA

    return datetime.fromisoformat(at).astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if at else ""
