"""`hostpledge pledge renew|sign`: the record that continues another, and its signed documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import elsewhere, slips, told, undoing
from collector.cli.commands.pledge.changes.renewing_many import Which, renew_many
from collector.cli.commands.pledge.changes.signed_scans import (
    add_papers,
    check_may_be_signed,
    documents_of,
    say_unnamed,
    tell_signed,
)
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import Decorated
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import Ahead, near, parse_day
from collector.cli.options.words import person_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, CollectorError
from collector.export.envelope import Identity
from collector.pledges.record.drafts import is_withdrawn

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

_SCAN = FilePath(path_type=Path)


# the option that each is given by
_GIVEN_AS = {"responsibility": "responsibility", "pledge": "pledge_file"}


def _scan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What was signed, when, and by whom."""
    for option in reversed(_SCANS):
        command = option(command)
    return command


_SCANS: tuple[Decorated, ...] = (
    click.option(
        "--responsibility",
        type=_SCAN,
        metavar="FILE",
        help=tr("已签署责任书的扫描件", "the scan of the signed statement of responsibility"),
    ),
    click.option(
        "--pledge",
        "pledge_file",
        type=_SCAN,
        metavar="FILE",
        help=tr("已签署承诺书的扫描件", "the scan of the signed pledge"),
    ),
    click.option("--signed-on", metavar="DATE", help=tr("签署日期", "the day both were signed")),
    click.option("--version", metavar="TEXT", help=tr("文本版本，默认为年份", "default: the year")),
    click.option("--representative", metavar="NAME", help=tr("签署人", "who signed")),
)


@click.command(
    help=tr(
        "续签：以 NEW-ID 建立接续 ID 的登记。用户、联系人、备案、制度、资源、数据清单、未到期的豁免"
        "照旧；旧登记期间发生的事与为它签署的，留在旧登记。期限默认紧接旧期限、同样长短。"
        "没有给出已签署文件的，作为草稿。\n\n成批续签为草稿：pledge renew --expiring 2m --ids "
        "2026=2027 --check（或 pledge renew 编号… --ids 2026=2027 --check）先看是哪些；"
        "去掉 --check 则全部写入，有一份不成则都不写，并逐份说明。",
        "Makes the record NEW-ID that continues ID. The customer, contacts, filings, rules, "
        "resources, data inventory and waivers that have not ended go with it; what happened under "
        "the old one, and what was signed for it, stays there. Its period begins the day after the "
        "old one ends and is as long, where nothing else is said. Without signed documents it is "
        "a draft.\n\nMany at once, as drafts: `pledge renew --expiring 2m --ids 2026=2027 "
        "--check`, or `pledge renew ID… --ids 2026=2027 --check`, shows which would be; without "
        "--check all of them are made, or none, and each that cannot be is named.",
    )
)
@click.argument("targets", nargs=-1, metavar="[ID NEW-ID|ID...]")
@click.option(
    "--expiring",
    type=Ahead(),
    metavar="TIME",
    help=tr(
        "续签所有在此期间内期满（或已期满）的，如 2m、2027-01",
        "all whose period ends within that time, or has ended, e.g. 2m, 2027-01",
    ),
)
@click.option(
    "--ids",
    metavar="OLD=NEW",
    help=tr("新编号：把旧编号中的 OLD 换成 NEW", "new ids: OLD in the old id becomes NEW"),
)
@click.option(
    "--grade",
    "grades",
    type=click.IntRange(2, 3),
    multiple=True,
    help=tr("与 --expiring 合用：只续签此等级的", "with --expiring: only those of this grade"),
)
@click.option(
    "--search",
    metavar="TEXT",
    default="",
    help=tr(
        "与 --expiring 合用：只续签查找到的（同 pledge list --search）",
        "with --expiring: only those that are found (as `pledge list --search` does)",
    ),
)
@click.option("--check", is_flag=True, help=tr("只显示，不写入", "shows it, and writes nothing"))
@click.option("--from", "first", metavar="DATE", help=tr("生效日期", "the first day"))
@click.option("--until", "last", metavar="DATE", help=tr("到期日期", "the last day"))
@_scan_options
@answering("pledge-renew")
@register_option
@lang_option
def renew(
    *,
    targets: tuple[str, ...],
    expiring: timedelta | None,
    ids: str | None,
    grades: tuple[int, ...],
    search: str,
    check: bool,
    first: str | None,
    last: str | None,
    location: str | None,
    **signing: Any,
) -> int:
    which = Which(targets, expiring, frozenset(grades), search)
    if which.many or ids is not None:
        _alone(first, last, *signing.values())
        return renew_many(open_register(location), which, ids, check=check, location=location)
    if len(targets) != 2:
        raise click.UsageError(
            tr(
                "请给出 ID 与 NEW-ID，或编号与 --ids，或 --expiring 与 --ids",
                "give ID and NEW-ID, or ids and --ids, or --expiring and --ids",
            )
        )
    days = [parse_day(t, w) if t else None for t, w in ((first, "--from"), (last, "--until"))]
    if days[0] is not None:
        # how long a period runs is said afterwards
        near(days[0], "--from", datetime.now(UTC))
    documents = _signed(**signing)
    register = open_register(location)
    with elsewhere.of_files(documents, (signing["responsibility"], signing["pledge_file"])):
        done = _renew_one(register, targets, days, documents, check=check)
    if not check:
        (undoing.tell_signed if documents else undoing.tell_drafts)(targets[1:], location)
    return done


def _signed(
    *,
    responsibility: Path | None,
    pledge_file: Path | None,
    signed_on: str | None,
    version: str | None,
    representative: str | None,
) -> list[dict[str, Any]]:
    """What the new record holds of what was signed; nothing where nothing was given."""
    scans = {"responsibility": responsibility, "pledge": pledge_file}
    given = {kind: path for kind, path in scans.items() if path is not None}
    if bool(given) is not bool(signed_on):
        raise click.UsageError(
            tr("扫描件与 --signed-on 须一并给出", "the scans and --signed-on go together")
        )
    if not signed_on:
        return []
    said = {"version": version, "representative": representative}
    day = near(parse_day(signed_on, "--signed-on"), "--signed-on", datetime.now(UTC))
    return list(documents_of(given, day, said))


def _renew_one(
    register: Register,
    targets: Sequence[str],
    days: Sequence[date | None],
    documents: Sequence[Mapping[str, Any]],
    *,
    check: bool,
) -> int:
    from collector.pledges.record.changes import check_names
    from collector.pledges.record.papers import check_papers
    from collector.pledges.record.renewal import next_period, renewed
    from collector.pledges.record.times import today_in_china

    id, new_id = targets
    # nobody else continues it meanwhile
    with nullcontext() if check else register.changing(id):
        old = register.get(id)
        may_be_renewed(register, old)
        period = next_period(old, *days)
        new = renewed(old, new_id, period, documents, today=today_in_china())
        if check:
            every = register.briefs()
            known = [one.id for one in every]
            if new_id in {one.id for one in every if not is_withdrawn(one.document)}:
                raise BadInput(tr("已在登记库中", "is in the register already"), where=new_id)
            check_names(known, [new_id], where=register.where)
            check_papers([new], {}, register.list())
        else:
            register.add(new)
    told = {"from": period[0].isoformat(), "until": period[1].isoformat()}
    answer(Identity(new_id), id=new_id, renews=id, period=told, draft=not documents, check=check)
    _tell(old, new, period, check=check)
    say_unnamed(documents)
    elsewhere.tell({id: old}, [new])
    slips.tell({id: old}, [new])
    _say_findings(register, old)
    return 0


def _say_findings(register: Register, old: PledgeRecord) -> None:
    """Of the new record nobody knows anything until its hosts are looked at."""
    from collector.pledges.standing.found_now import lives_now

    try:
        found = [one for one in lives_now(register, old, datetime.now(UTC)) if one.state == "open"]
    except CollectorError:
        return
    vetoes = sum(one.veto and one.fails for one in found)
    answer(findings_left=len(found), vetoes_left=vetoes)
    if found:
        click.echo(
            tr(
                f"未整改的问题 {len(found)} 项（其中不符合的一票否决 {vetoes} 项）留在 {old.id}，"
                "新登记下仅 pledge list --veto 仍列出一票否决项：请为新登记核查各主机并附加证据",
                f"{len(found)} open finding(s), {vetoes} of them failing vetoes, stay with "
                f"{old.id}; of the new record `pledge list --veto` alone has the vetoes still: "
                "look at its hosts, and attach the evidence",
            ),
            err=True,
        )


def _tell(old: PledgeRecord, new: PledgeRecord, period: tuple[date, date], *, check: bool) -> None:
    from collector.pledges.record.renewal import left_behind

    out(
        tr(
            f"{new.id} 接续 {old.id}：{period[0]} 至 {period[1]}（{new.customer}）\n",
            f"{new.id} continues {old.id}: {period[0]} to {period[1]} ({new.customer})\n",
        )
    )
    if check:
        out(tr("（只检查，未写入）\n", "(nothing is written)\n"))
    elif new.document.get("draft"):
        out(
            tr(
                f"作为草稿：签署后用 pledge sign {new.id} --signed-on 日期 --responsibility 文件 "
                "--pledge 文件 补上文件；或在导入清单中写全此编号的一行，"
                "pledge import --update --scans 目录\n",
                f"a draft: once it is signed, `pledge sign {new.id} --signed-on DATE "
                "--responsibility FILE --pledge FILE`; or a whole row of that id in a list, and "
                "`pledge import --update --scans DIR`\n",
            )
        )
    if left := left_behind(old):
        names = tr("、", ", ").join(map(told.named, left))
        out(tr(f"留在旧登记的：{names}\n", f"stays with the old one: {names}\n"))


@click.command(
    "sign",
    help=tr(
        "为草稿补上已签署的文件：由扫描件算出摘要，作为登记的新版本；其余照旧，不再是草稿。"
        "两份文件先后签署的，先补一份，另一份签署后再补（会说明尚缺哪一份）。"
        "先加 --check 看是哪个用户；签错了草稿，用 pledge withdraw-signed 撤回。",
        "Adds the signed documents to a draft: their scans are digested, and a new version of the "
        "record says it. All else stays as it was, and it is no draft any more. Where the two are "
        "signed one after the other, add each when it is (which lacks is said). Look with --check "
        "first whose draft it is; what was signed by mistake is taken back by `pledge "
        "withdraw-signed`.",
    ),
)
@click.argument("id")
@_scan_options
@click.option("--check", is_flag=True, help=tr("只显示，不写入", "shows it, and writes nothing"))
@answering("pledge-sign")
@register_option
@lang_option
def sign(*, id: str, check: bool, location: str | None, **signing: Any) -> int:
    from collector.pledges.record.papers import check_papers
    from collector.pledges.record.times import today_in_china

    given = [path for kind in _GIVEN_AS if (path := signing[_GIVEN_AS[kind]]) is not None]
    if not given or not signing["signed_on"]:
        raise click.UsageError(
            tr(
                "须给出 --signed-on，以及 --responsibility、--pledge 中签署了的",
                "give --signed-on, and --responsibility or --pledge, whichever was signed",
            )
        )
    signing["representative"] = person_given(signing["representative"], "--representative")
    documents = _signed(**signing)
    today = today_in_china()
    register = open_register(location)
    draft = register.get(id)
    check_may_be_signed(draft, documents)
    with elsewhere.of_files(documents, given):
        if check:
            made, number = add_papers(draft, documents, today=today), None
            check_papers([made], {id: draft}, register.list())
        else:
            done = register.change(id, partial(add_papers, documents=documents, today=today))
            made, number = done.record, done.number
    answer(Identity(id), id=id, version=number, documents=documents, check=check)
    was_draft = bool(draft.document.get("draft"))
    tell_signed(made, number, documents, was_draft=was_draft)
    elsewhere.tell({id: draft}, [made])
    slips.tell({id: draft}, [made])
    if number is not None and was_draft:
        undoing.tell_signed([id], location)
    elif number is not None:
        undoing.tell([done], location, answered=True)
    return 0


def _alone(*given: object) -> None:
    if any(given):
        raise click.UsageError(
            tr(
                "--ids 与 --expiring 成批续签为草稿：不与期限、扫描件并用",
                "--ids and --expiring make drafts of many: without days and scans",
            )
        )


def may_be_renewed(register: Register, old: PledgeRecord) -> None:
    """Raises BadInput where it was disposed of, or another continues it already."""
    if "disposed" in old.document:
        raise BadInput(tr("已销毁，无可续签", "was disposed of: nothing to renew"), where=old.id)
    for known in register.briefs():
        if known.document.get("renews") == old.id and not is_withdrawn(known.document):
            raise BadInput(
                tr(f"已由 {known.id} 续签", f"is continued by {known.id} already"), where=old.id
            )
