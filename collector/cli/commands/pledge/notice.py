"""`hostpledge pledge notice`: what a customer is told to mend, or what a look again found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.captures import refuse_special, write_aside
from collector.cli.options.answering import answer, answering
from collector.cli.options.openness import mode_of, public_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import parse_day
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

_SUFFIXES = (".pdf", ".html")


@dataclass(frozen=True, slots=True)
class _Asked:
    recheck: bool
    since: datetime | None
    by: str
    issuer: str
    number: str
    owner: str | None


@click.command(
    help=tr(
        "由登记的未闭环问题生成整改通知书（PDF 或 HTML），含责任人与期限、签收回执；"
        "--recheck 生成复查通知书：已整改、仍未整改、新发现。"
        "一份登记写入一个文件；多份（不给编号则为全部）写入一个目录，每份登记一个 PDF。",
        "Makes a notice to mend out of the open findings of a pledge (PDF or HTML), with who mends "
        "what until when, and a receipt to sign. --recheck makes one of what was mended, what is "
        "still open and what is new. One pledge goes to a file; several (all of them, where none "
        "is named) go to a folder, a PDF each.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "-o",
    "--output",
    "place",
    required=True,
    type=FilePath(path_type=Path),
    metavar="FILE|DIR",
    help=tr("写到这里：.pdf 或 .html 文件，或目录", "where to: a .pdf or .html file, or a folder"),
)
@click.option("--recheck", is_flag=True, help=tr("复查通知书", "of a look again"))
@click.option(
    "--since",
    metavar="DATE",
    help=tr(
        "复查从此日（北京时间）起算，默认为最近一份证据",
        "what became of it since this day (of China); default: since the newest evidence",
    ),
)
@click.option(
    "--by",
    metavar="DATE",
    help=tr("未指定期限的问题，整改到此日", "the day to mend by where a finding has none"),
)
@click.option("--issuer", metavar="NAME", help=tr("发出单位", "who sends it"))
@click.option("--number", metavar="TEXT", help=tr("文号，默认为登记编号-日期", "its number"))
@click.option("--owner", metavar="NAME", help=tr("只列此人负责的", "only what this person owns"))
@public_option
@answering("pledge-notice")
@register_option
@lang_option
def notice(
    *,
    ids: tuple[str, ...],
    place: Path,
    recheck: bool,
    since: str | None,
    by: str | None,
    issuer: str | None,
    number: str | None,
    owner: str | None,
    public: bool,
    location: str | None,
) -> int:
    now = datetime.now(UTC)
    if since and not recheck:
        raise click.UsageError(tr("--since 只与 --recheck 合用", "--since goes with --recheck"))
    start = _start(since, now) if since else None
    asked = _Asked(recheck, start, _last_day(by, now), issuer or "", number or "", owner)
    register = open_register(location)
    named = list(dict.fromkeys(ids)) or [known.id for known in register.briefs()]
    single = place.suffix in _SUFFIXES
    if single and len(named) != 1:
        raise BadInput(
            tr(f"{len(named)} 份登记不能写入一个文件", f"{len(named)} pledges, and one file"),
            where=str(place),
            mend=tr("给出目录名，或一个登记编号", "give the name of a folder, or one pledge"),
        )
    if number and len(named) != 1:
        raise click.UsageError(tr("--number 只用于一份登记", "--number is for one pledge"))
    _check(place, single=single)
    if not single or place.suffix == ".pdf":
        from collector.report.render import pdf

        pdf.check()
    return _write_all(register, named, place, asked, now, mode_of(public=public), single=single)


def _check(place: Path, *, single: bool) -> None:
    if single:
        if place.is_dir():
            raise BadInput(tr("是目录", "is a folder"), where=str(place))
        refuse_special(place)
        folder = place.absolute().parent
        if not folder.is_dir():
            raise BadInput(
                tr("没有这个目录", "no such folder"),
                where=str(folder),
                mend=tr("先建立它", "make it first"),
            )
    elif place.exists() and not place.is_dir():
        raise BadInput(
            tr("不是目录", "is no folder"),
            where=str(place),
            mend=tr("文件名须以 .pdf 或 .html 结尾", "a file ends in .pdf or .html"),
        )


def _write_all(
    register: Register,
    ids: Sequence[str],
    place: Path,
    asked: _Asked,
    now: datetime,
    mode: int,
    *,
    single: bool,
) -> int:
    """0, or 2 where of several pledges one could not be read: the others are written."""
    status, written = 0, list[dict[str, str]]()
    for id in ids:
        try:
            made = _made(register, id, asked, now, html=place.suffix == ".html")
        except BadInput as problem:
            if single or len(ids) == 1:
                raise
            status = 2
            said = in_chinese(problem.said) if lang() == "zh" else str(problem)
            click.echo(f"{id}: {one_line(said, 600)}", err=True)
            continue
        if made is None:
            said = tr(f"{id}：没有可通知的问题", f"{id}: nothing to give notice of")
            click.echo(said, err=True)
            continue
        target = place
        if not single:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            word = "recheck" if asked.recheck else "mend"
            target = place / f"{word}-{id}.pdf"
        write_aside(target, made, mode)
        written.append({"pledge": id, "file": str(target)})
        click.echo(str(target))
    answer(Identity(ids[0] if single else None), notices=written)
    return status


def _made(register: Register, id: str, asked: _Asked, now: datetime, *, html: bool) -> bytes | None:
    """The notice; None where there is nothing to say. Raises BadInput where a day is missing."""
    from collector.pledges.database.rows import current
    from collector.pledges.record.times import CHINA
    from collector.pledges.standing.finding_history import all_lives
    from collector.report.model import notice as model

    record, evidence = register.get(id), register.evidence(id)
    newest = current(evidence)
    if newest is None:
        return None
    lives = [life for life in all_lives(record, evidence, now) if asked.owner in (None, life.owner)]
    opened = model.open_ones(lives)
    since = (asked.since or newest.collected_at) if asked.recheck else None
    if not opened and not any(life.closed and since and life.closed.at >= since for life in lives):
        return None
    _all_have_a_day(opened, asked.by, id)
    number = asked.number or f"{id}-{now.astimezone(CHINA):%Y%m%d}"
    kind: model.Kind = "recheck" if asked.recheck else "mend"
    given = model.contents(
        record,
        lives,
        (newest.sequence, newest.collected_at, newest.digest),
        model.Asked(kind, number, asked.issuer, asked.by, since),
        now,
        lang(),
    )
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


def _start(text: str, now: datetime) -> datetime:
    """The beginning of a day in China."""
    from collector.pledges.record.times import CHINA

    start = datetime.combine(parse_day(text, "--since"), datetime.min.time(), CHINA)
    if start > now:
        raise BadInput(tr("尚未到来", "has not come yet"), where="--since")
    return start


def _last_day(text: str | None, now: datetime) -> str:
    from collector.pledges.record.times import CHINA

    if text is None:
        return ""
    last = parse_day(text, "--by")
    if last < now.astimezone(CHINA).date():
        raise BadInput(tr("已经过去", "is past already"), where="--by")
    return last.isoformat()
