"""`hostpledge pledge withdraw-notice`: a notice that was given by mistake asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import refuse_special, write_aside
from collector.cli.options.answering import answer, answering
from collector.cli.options.openness import mode_of, public_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.words import person_given, prose_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput
from collector.export.envelope import Identity

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

_SUFFIXES = (".pdf", ".html")


@click.command(
    "withdraw-notice",
    help=tr(
        "撤回误发的通知书（文号 NUMBER）：记明理由与经办人，作为登记的新版本。"
        "通知书仍在登记中可查，但不再催办、不计逾期，也不作复查的对照；待发邮件不再附它，"
        "已随邮件发出的，由 pledge notify 另发撤回告知。-o 生成撤回通知书（PDF 或 HTML）。"
        "核查所见的问题与其期限不变。写几组 ID NUMBER，一次撤回几份：有一份不行则都不撤回。",
        "Withdraws the notice NUMBER, which was given by mistake: with why and by whom, as a new "
        "version of the record. It stays on record, and asks for nothing any more: it is never "
        "overdue, no recheck is made against it, and no mail bears it; who was mailed it is told "
        "by the next `pledge notify`. -o makes a notice of withdrawal (PDF or HTML). What the "
        "checks found, and its days, stay as they are. Several pairs of ID and NUMBER withdraw "
        "as many at once: all of them, or none.",
    ),
)
@click.argument("targets", nargs=-1, required=True, metavar="ID NUMBER...")
@click.option("--reason", required=True, metavar="TEXT", help=tr("理由", "why"))
@click.option("--by", required=True, metavar="NAME", help=tr("经办人", "who says so"))
@click.option(
    "-o",
    "--output",
    "place",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "撤回通知书写到这里：.pdf 或 .html 文件",
        "the notice of withdrawal goes there: a .pdf or .html file",
    ),
)
@public_option
@answering("pledge-withdraw-notice")
@register_option
@lang_option
def withdraw_notice(
    *,
    targets: tuple[str, ...],
    reason: str,
    by: str,
    place: Path | None,
    public: bool,
    location: str | None,
) -> int:
    from collector.cli.workflows.desk.withdrawing import digest, page
    from collector.pledges.record.notices import of_number, with_withdrawal
    from collector.pledges.record.times import today_in_china

    today = today_in_china()
    said: dict[str, Any] = {
        "date": today.isoformat(),
        "reason": prose_given(reason, "--reason"),
        "by": person_given(by, "--by"),
    }
    pairs = list(zip(targets[::2], targets[1::2], strict=False))
    if len(targets) % 2:
        raise click.UsageError(
            tr("编号与文号须成对写出", "give ID and NUMBER, of each notice both")
        )
    if place is not None and len(pairs) > 1:
        raise click.UsageError(tr("-o 只用于一份通知书", "-o is for one notice"))
    if place is not None:
        _check(place, location)
    register = open_register(location)
    if len(pairs) > 1:
        return _withdraw_many(register, pairs, said, today)
    ((id, number),) = pairs
    # nobody else withdraws it while its page is made
    with register.changing(id):
        record = register.get(id)
        change = partial(with_withdrawal, number=number, said=said, today=today)
        change(record)
        notice = of_number(record, number)
        if place is not None and notice is not None:
            data = page(record, notice, said, html=place.suffix == ".html")
            said["sha256"] = digest(data)
            write_aside(place, data, mode_of(public=public))
        version = register.change(id, change)
    after = _made_after(record, number)
    written = str(place) if place else None
    answer(
        Identity(id),
        version=version.number,
        number=number,
        date=said["date"],
        file=written,
        rechecks=after,
    )
    _tell(id, version.number, number, written, after)
    return 0


def _withdraw_many(
    register: Register, pairs: Sequence[tuple[str, str]], said: Mapping[str, Any], today: date
) -> int:
    """All of them, or none: raises BadInput then."""
    from collector.cli.commands.pledge.changes.taking_back import refusal
    from collector.pledges.record.notices import with_withdrawal

    done: list[tuple[str, int, str, list[str]]] = []
    faults: list[BadInput] = []
    # each in its turn by id: two that withdraw the same would wait for each other otherwise
    ordered = sorted(dict.fromkeys(pairs))
    with register.changing(ordered[0][0]):
        for id, number in ordered:
            change = partial(with_withdrawal, number=number, said=said, today=today)
            try:
                made = register.change(id, change)
            except BadInput as problem:
                faults.append(problem)
                continue
            done.append((id, made.number, number, _made_after(made.record, number)))
        if faults:
            # within the transaction: what was written of the others goes with it
            raise refusal(faults, len(ordered))
    answer(
        withdrawn=[
            {"pledge": id, "version": version, "number": number, "rechecks": after}
            for id, version, number, after in done
        ],
        date=said["date"],
    )
    for id, version, number, after in done:
        _tell(id, version, number, None, after)
    return 0


def _tell(id: str, version: int, number: str, written: str | None, after: list[str]) -> None:
    out(
        tr(
            f"{id} 第 {version} 版：{number} 号通知书已撤回，登记中仍可查\n",
            f"{id}, version {version}: the notice {number} is withdrawn, and stays on record\n",
        )
    )
    if written:
        out(f"{written}\n")
    if after:
        names = tr("、", ", ").join(after)
        click.echo(
            tr(
                f"据其作出的复查通知书仍有效：{names}",
                f"made against it, and standing still: {names}",
            ),
            err=True,
        )


def _check(place: Path, location: str | None) -> None:
    if place.suffix not in _SUFFIXES or place.is_dir():
        raise BadInput(
            tr("不是 .pdf 或 .html 文件", "is no .pdf or .html file"),
            where=str(place),
            mend=tr("换一个文件名", "give another name"),
        )
    refuse_special(place)
    check_output(place, location=location)
    folder = place.absolute().parent
    if not folder.is_dir():
        raise BadInput(
            tr("没有这个目录", "no such folder"),
            where=str(folder),
            mend=tr("先建立它", "make it first"),
        )
    if place.suffix == ".pdf":
        from collector.report.render import pdf

        pdf.check()


def _made_after(record: PledgeRecord, number: str) -> list[str]:
    """The notices of rechecks that go back to it."""
    from collector.pledges.record.notices import notices

    return [
        one.number
        for one in notices(record)
        if one.entry.get("of") == number and one.withdrawn is None
    ]
