"""`hostpledge pledge notice`: what a customer is told to mend, or what a look again found."""

from __future__ import annotations

import gc
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.captures import refuse_special, write_aside
from collector.cli.commands.pledge import strangers
from collector.cli.commands.pledge.changes import notice_check
from collector.cli.commands.pledge.changes.notice_check import Sent
from collector.cli.options.answering import answer, answering
from collector.cli.options.openness import mode_of, public_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import day_to_come, parse_day
from collector.cli.options.words import name_given
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows.desk import ended_ones
from collector.cli.workflows.desk.noticing import Asked, Made, made, put_on_record
from collector.errors import BadInput
from collector.export.envelope import Identity

if TYPE_CHECKING:
    from collector.pledges.register.register import Register

_SUFFIXES = (".pdf", ".html")
# of what looks as the name of a file in another form
_FORM = re.compile(r"\.[A-Za-z]{2,5}")


@click.command(
    help=tr(
        "由登记的未闭环问题生成整改通知书（PDF 或 HTML），含责任人与期限、签收回执；"
        "--recheck 生成复查通知书：上次整改通知书所列事项已整改、仍未整改的，和新发现的。"
        "通知书的文号、日期、期限与所列问题记入登记（见 pledge notices），--draft 则不记入。"
        "一份登记写入一个文件；多份（不给编号则为全部）写入一个目录，每份登记一个 PDF。",
        "Makes a notice to mend out of the open findings of a pledge (PDF or HTML), with who mends "
        "what until when, and a receipt to sign. --recheck makes one of what became of the last "
        "notice to mend: what was mended, what is still open and what is new. Number, day, days to "
        "mend by and findings go on record (`pledge notices`), but for --draft. One pledge goes to "
        "a file; several (all of them, where none is named) go to a folder, a PDF each.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "-o",
    "--output",
    "place",
    type=FilePath(path_type=Path),
    metavar="FILE|DIR",
    help=tr("写到这里：.pdf 或 .html 文件，或目录", "where to: a .pdf or .html file, or a folder"),
)
@click.option("--recheck", is_flag=True, help=tr("复查通知书", "of a look again"))
@click.option(
    "--since",
    metavar="DATE",
    help=tr(
        "复查从此日（北京时间）起算；默认对照登记的上一份整改通知书，没有则从最近一份证据起",
        "what became of it since this day (of China); default: of what the last notice to mend on "
        "record names, else since the newest evidence",
    ),
)
@click.option(
    "--after",
    metavar="NUMBER",
    help=tr("复查此文号的通知书", "what became of what the notice of this number names"),
)
@click.option(
    "--by",
    metavar="DATE",
    help=tr(
        "未指定期限或期限已过的问题，整改到此日（已过的原期限与“已逾期”写入通知书）",
        "the day to mend by where a finding has none, or one that has passed (the notice says "
        "that one too, and that it is late)",
    ),
)
@click.option("--issuer", metavar="NAME", help=tr("发出单位", "who sends it"))
@click.option("--number", metavar="TEXT", help=tr("文号，默认为登记编号-日期", "its number"))
@click.option("--owner", metavar="NAME", help=tr("只列此人负责的", "only what this person owns"))
@click.option("--overdue", is_flag=True, help=tr("只列已逾期的", "only what is late already"))
@click.option(
    "--veto",
    is_flag=True,
    help=tr(
        "只列不符合的一票否决项（同 pledge list --veto）",
        "only what fails of controls that decide a clause by themselves (as `pledge list --veto`)",
    ),
)
@click.option(
    "--again",
    is_flag=True,
    help=tr(
        "多份时，所列问题已全在有效通知书中的登记也再发一份（默认跳过）",
        "of several, also to those who were told of all of it by notices that stand (they are "
        "left out otherwise)",
    ),
)
@click.option("--draft", is_flag=True, help=tr("只生成文件，不登记", "not to go on record"))
@click.option(
    "--check",
    is_flag=True,
    help=tr(
        "只显示将给谁发什么，不生成文件，不登记（不必给出 -o）",
        "shows who would be given notice of what; makes no file and writes nothing (needs no -o)",
    ),
)
@public_option
@answering("pledge-notice")
@register_option
@lang_option
def notice(
    *,
    ids: tuple[str, ...],
    place: Path | None,
    recheck: bool,
    since: str | None,
    after: str | None,
    by: str | None,
    issuer: str | None,
    number: str | None,
    owner: str | None,
    again: bool,
    draft: bool,
    check: bool,
    public: bool,
    location: str | None,
    **parts: bool,
) -> int:
    now = datetime.now(UTC)
    _check_words(place, since, after, recheck=recheck, check=check, parts=parts)
    asked = Asked(
        recheck,
        _start(since, now) if since else None,
        _last_day(by, now),
        name_given(issuer, "--issuer") or "",
        name_given(number, "--number") or "",
        owner,
        after or "",
        draft,
        check,
        once=len(set(ids)) != 1 and not again,
        **parts,
    )
    register = open_register(location)
    strangers.refuse_person(register, owner, "--owner")
    over = ended_ones.over(register, now)
    named = list(dict.fromkeys(ids)) or [x.id for x in register.briefs() if x.id not in over]
    single = place is not None and place.suffix in _SUFFIXES
    if single and len(named) != 1:
        raise BadInput(
            tr(f"{len(named)} 份登记不能写入一个文件", f"{len(named)} pledges, and one file"),
            where=str(place),
            mend=tr("给出目录名，或一个登记编号", "give the name of a folder, or one pledge"),
        )
    if number and len(named) != 1:
        raise click.UsageError(tr("--number 只用于一份登记", "--number is for one pledge"))
    if place is not None:
        _check(place, single=single, draft=draft or check)
    skipped = () if ids else sorted(over)
    ended_ones.say(register, over, skipped or named, skipped=bool(skipped))
    if check or place is None:
        return notice_check.show(register, named, asked, now, skipped)
    if not single or place.suffix == ".pdf":
        from collector.report.render import pdf

        pdf.check()
    mode = mode_of(public=public)
    done = _write_all(register, named, place, asked, now, mode, single=single, draft=draft)
    done.ended += skipped
    return done.status(location)


def _check_words(
    place: Path | None,
    since: str | None,
    after: str | None,
    *,
    recheck: bool,
    check: bool,
    parts: Mapping[str, bool],
) -> None:
    """`parts`: options that take a part of what is open, by name."""
    if place is None and not check:
        raise click.UsageError(
            tr("须给出 -o 文件或目录（或 --check）", "give -o FILE or DIR (or --check)")
        )
    if since and not recheck:
        raise click.UsageError(tr("--since 只与 --recheck 合用", "--since goes with --recheck"))
    part = next((f"--{name}" for name, given in parts.items() if given), "")
    if part and recheck:
        raise click.UsageError(tr(f"{part} 不与 --recheck 合用", f"{part} goes without --recheck"))
    if after and (since or not recheck):
        raise click.UsageError(
            tr(
                "--after 与 --recheck 合用，不与 --since 同用",
                "--after goes with --recheck, and without --since",
            )
        )


def _check(place: Path, *, single: bool, draft: bool) -> None:
    if single:
        if not draft and place.exists() and not place.is_dir():
            # its digest is on record, and no command makes it again
            raise BadInput(
                tr("已经存在", "exists already"),
                where=str(place),
                mend=tr("另给文件名，或给目录名", "give another name, or that of a folder"),
            )
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
    elif _FORM.fullmatch(place.suffix) and not place.is_dir():
        raise BadInput(
            tr(f"不写 {place.suffix} 文件", f"no notice is written as {place.suffix}"),
            where=str(place),
            mend=tr(
                "文件名须以 .pdf 或 .html 结尾；目录先建立",
                "a file ends in .pdf or .html; make a folder of that name first",
            ),
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
    asked: Asked,
    now: datetime,
    mode: int,
    *,
    single: bool,
    draft: bool,
) -> Sent:
    """Where one of several pledges could not be read, the others are written."""
    done = Sent(not draft)
    for id in ids:
        try:
            # the number is taken where it goes on record: two at once have one each
            with nullcontext() if draft else register.changing(id):
                notice = made(register, id, asked, now, html=place.suffix == ".html")
                if notice is not None and not notice.stands:
                    target = place if single else _target(place, id, notice, asked)
                    write_aside(target, notice.data, mode)
                    if not draft:
                        _recorded(register, id, notice, now, target)
        except BadInput as problem:
            if single or len(ids) == 1:
                raise
            done.not_given(register, id, problem, asked)
            continue
        if notice is None:
            done.none(register, id)
            continue
        if notice.stands:
            done.standing.append(id)
            continue
        done.named_already(id, notice)
        done.written.append({"pledge": id, "file": str(target), "number": notice.number})
        click.echo(str(target))
        # the boxes of its pages stand in circles, of 100 MB each
        gc.collect()
    answer(Identity(ids[0] if single else None))
    return done


def _recorded(register: Register, id: str, notice: Made, now: datetime, target: Path) -> None:
    """What does not go on record leaves no page: its number may be another notice's then."""
    try:
        put_on_record(register, id, notice, now)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _target(place: Path, id: str, notice: Made, asked: Asked) -> Path:
    """Of several: a file named for the pledge, or for the notice where there is one already."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    word = "recheck" if asked.recheck else "mend"
    plain = place / f"{word}-{id}.pdf"
    return plain if not plain.exists() else place / f"{word}-{notice.number.replace('/', '_')}.pdf"


def _start(text: str, now: datetime) -> datetime:
    """The beginning of a day in China."""
    from collector.pledges.record.times import CHINA

    start = datetime.combine(parse_day(text, "--since"), datetime.min.time(), CHINA)
    if start > now:
        raise BadInput(tr("尚未到来", "has not come yet"), where="--since")
    return start


def _last_day(text: str | None, now: datetime) -> str:
    return "" if text is None else day_to_come(text, "--by", now).isoformat()
