"""`hostpledge pledge list`: the records that are asked for, as people and programs take them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.over_all.only import only_one, only_options
from collector.cli.options.common import form_option, output_option
from collector.cli.options.findings import clause_named
from collector.cli.options.pledge import open_register, register_option, say_doubts
from collector.cli.options.times import Ahead
from collector.cli.options.words import Worded, meant, pledge_states
from collector.cli.options.words import verdicts as verdict_words
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput
from collector.pledges.record.times import to_the_end

if TYPE_CHECKING:
    from collector.pledges.database.held import Disagrees
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed, Wanted

_STATES = ("draft", "signed", "active", "suspended", "lapsed", "ended", "disposed")
_ORDERS = ("id", "customer", "grade", "until", "collected")
_AHEAD = timedelta(days=30)


@click.command(
    "list",
    help=tr(
        "列出登记；可按状态、等级、条款结论、到期、责任人筛选，可查找、排序、汇总。\n\n"
        "例：--expiring 30d（三十天内期满）；--clause 2.3（日志一条未证明符合）；"
        "--clause 2.3=fail；--search 云帆。",
        "Lists the pledge records: those of a state, a grade, a clause's verdict, an end, an "
        "owner; found, sorted, summed up.\n\nFor instance --expiring 30d (the period ends within "
        "30 days), --clause 2.3 (logs are not proven kept), --clause 2.3=fail, --search NAME.",
    ),
)
@click.option(
    "--state",
    "states",
    type=Worded(_STATES, pledge_states),
    multiple=True,
    help=tr("只列此状态的；可多次给出", "only those in this state; may be repeated"),
)
@click.option(
    "--grade",
    "grades",
    type=click.IntRange(2, 3),
    multiple=True,
    help=tr("只列此等级的", "only those of this grade"),
)
@click.option(
    "--clause",
    "clauses",
    metavar="N[=VERDICT]",
    multiple=True,
    help=tr(
        "只列有效的、该条款未证明符合的，或结论为此的（pass、partial、fail、error、"
        "notchecked、none 无证据）；草稿、已终止的另以 --state 列出",
        "only those in force of which this clause is not proven kept, or has this verdict "
        "(pass, partial, fail, error, notchecked, none: no evidence); drafts and what ended: with "
        "--state",
    ),
)
@click.option(
    "--expiring",
    type=Ahead(),
    metavar="TIME",
    help=tr(
        "只列在此期间内期满（或已期满）的，如 30d、3m、2027-03（到当月末）",
        "only those whose period ends within that time, or has ended, e.g. 30d, 3m, 2027-03 (to "
        "the end of that month)",
    ),
)
@click.option(
    "--due-within",
    type=Ahead(),
    metavar="TIME",
    help=tr(
        "只列在此期间内有事项到期（或已逾期）的（见 pledge due）",
        "only those of which something falls due within that time, or is overdue (`pledge due`)",
    ),
)
@click.option(
    "--older-than",
    "older",
    type=click.IntRange(1, 3660),
    metavar="DAYS",
    help=tr(
        "只列有证据、而最近一次采集早于这么多天前的（与 --no-evidence 合用，连同没有证据的）",
        "only those with evidence, whose newest was collected more than so many days ago (with "
        "--no-evidence: those without any too)",
    ),
)
@click.option(
    "--no-evidence",
    "bare",
    is_flag=True,
    help=tr(
        "只列没有任何证据的现行登记，含期满未续的（已作废的证据不算）",
        "only those in force, or run out and not renewed, without any evidence (void: none)",
    ),
)
@click.option(
    "--handed-in",
    "given",
    is_flag=True,
    help=tr(
        "只列现行证据中有用户提交的采集的，或无从得知的（几台主机见 JSON、CSV）",
        "only those of which some of what stands now was handed in, not collected, or nobody can "
        "tell (of how many hosts: JSON, CSV)",
    ),
)
@only_options
@click.option(
    "--owner",
    metavar="NAME",
    help=tr(
        "只列登记中写有此人负责整改的（其未闭环的问题见 pledge findings --owner）",
        "only those in which this person is put down for findings (what is open of them: `pledge "
        "findings --owner`)",
    ),
)
@click.option(
    "--search",
    metavar="TEXT",
    help=tr(
        "编号、用户名称、统一社会信用代码、联系人（姓名、电话、邮箱）、主机名、域名、地址中含有；"
        "地址或网段（如 10.0.0.0/24）查到与其有重合的登记地址、网段",
        "what id, customer, credit code, a contact's name, phone or mail, a host, a domain or an "
        "address holds; an address, or a network (10.0.0.0/24), finds what is declared in it or "
        "around it",
    ),
)
@click.option(
    "--sort",
    type=click.Choice(_ORDERS),
    default="id",
    show_default=True,
    help=tr("排序", "in which order"),
)
@click.option(
    "--summary", "summed", is_flag=True, help=tr("只给汇总", "how many there are of each, alone")
)
@click.option(
    "--history",
    is_flag=True,
    help=tr(
        "连同所接续的旧登记和续签的新登记一并列出，新的在前，旧的缩进",
        "with the records that each continues, and that continue it: the newest first, old ones "
        "set in",
    ),
)
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def list_(
    *,
    expiring: timedelta | None,
    due_within: timedelta | None,
    owner: str | None,
    sort: str,
    summed: bool,
    history: bool,
    output: Path | None,
    form: str,
    location: str | None,
    **asked: Any,
) -> int:
    from collector.cli.commands.pledge import strangers, tables
    from collector.cli.commands.pledge.changes import list_summary, renewals
    from collector.cli.commands.pledge.over_all import narrowing
    from collector.cli.ui.sheets import put
    from collector.pledges.record.times import CHINA
    from collector.pledges.standing import listing
    from collector.pledges.standing.renewals import by_history

    only = only_one(asked)
    _check(history=history, summed=summed, only=only)
    now = datetime.now(UTC)
    # a deadline is a day, as `pledge due` has it
    ahead = to_the_end(_AHEAD if due_within is None else due_within, now)
    wanted = _wanted(expiring, None if due_within is None else ahead, owner or "", **asked)
    register = open_register(location)
    strangers.refuse_person(register, owner, "--owner")
    every, doubts = _every(register, now, ahead)
    today = now.astimezone(CHINA).date()
    rows = listing.ordered((one for one in every if wanted.holds(one, today)), sort)
    strangers.say_unfound(every, rows, wanted.search)
    _say_left_out(sum(wanted.leaves_out(one, today) for one in every))
    narrowed = None
    if only:
        narrowed = narrowing.NARROWED[only](register, rows, now)
        rows = [one for one in rows if one.record.id in narrowed.plain]
    if summed:
        put(list_summary.drawn(rows, now, form, narrowed.broken if narrowed else None), output)
    elif form == "json":
        rows = [one for one, _ in by_history(rows, every)] if history else rows
        more, others = narrowed.plain if narrowed else {}, register.other_machines()
        put(tables.list_json(rows, every, more, others), output)
    elif narrowed:
        put(narrowed.drawn(rows, form), output)
    elif history and rows:
        put(renewals.drawn(rows, every, form), output)
    else:
        put(_drawn(rows, every, form, ending=expiring is not None or sort == "until"), output)
    unread = narrowed is not None and narrowed.tell_unread()
    return 2 if say_doubts(doubts, register) or unread else 0


def _every(
    register: Register, now: datetime, ahead: timedelta
) -> tuple[list[Listed], Sequence[Disagrees]]:
    from collector.pledges.standing.failed_before import with_failures
    from collector.pledges.standing.finding_history import lives_of_all
    from collector.pledges.standing.listing import listed
    from collector.pledges.standing.since import Since

    attached, doubts = register.newest_and_doubts()
    attached = Since().counted(register, attached, now)
    briefs = register.briefs(now + ahead)
    lives = lives_of_all(register, briefs, now, now + ahead)
    rows = listed(briefs, attached, now, ahead, lives)
    return with_failures(register, rows, now), doubts


def _say_left_out(count: int) -> None:
    if count:
        click.echo(
            tr(
                f"另有 {count} 份也是如此而不在有效期内（草稿、已终止等），未列出；用 --state 列出",
                f"{count} more are so and not in force (drafts, ended ones …): not listed; --state "
                "lists them",
            ),
            err=True,
        )


def _check(*, history: bool, summed: bool, only: str) -> None:
    other = "--summary" if summed else only
    if history and other:
        raise click.UsageError(
            tr(f"--history 不与 {other} 合用", f"--history goes without {other}")
        )


def _wanted(
    expiring: timedelta | None,
    within: timedelta | None,
    owner: str,
    *,
    states: Sequence[str],
    grades: Sequence[int],
    clauses: Sequence[str],
    search: str | None,
    older: int | None,
    bare: bool,
    given: bool,
) -> Wanted:
    from collector.pledges.standing import listing

    return listing.Wanted(
        frozenset(states),
        frozenset(grades),
        _clauses(clauses),
        expiring,
        within,
        search or "",
        owner,
        timedelta(days=older) if older is not None else None,
        bare,
        given,
    )


def _clauses(given: Sequence[str]) -> dict[str, frozenset[str] | None]:
    from collector.pledges.standing.listing import VERDICTS

    found: dict[str, frozenset[str] | None] = {}
    names = verdict_words() if given else {}
    for text in given:
        name, equals, given_word = text.replace("＝", "=").partition("=")
        clause, word = clause_named(name), meant(given_word, names)
        if equals and word not in VERDICTS:
            raise BadInput(
                tr(f"没有此结论：{word}", f"no such verdict: {word}"),
                where="--clause",
                mend=tr(
                    f"可用 {'、'.join(f'{one}（{next(iter(names[one]))}）' for one in VERDICTS)}",
                    f"there are {', '.join(VERDICTS)}",
                ),
            )
        before = found.get(clause) or frozenset()
        found[clause] = before | {word} if equals else None
    return found


def _drawn(
    rows: Sequence[Listed], every: Sequence[Listed], form: str, *, ending: bool
) -> str | bytes:
    from collector.cli.commands.pledge import tables
    from collector.cli.ui.sheets import as_csv, as_xlsx
    from collector.pledges.standing.renewals import continued_by
    from collector.report.model import listed

    if form in ("csv", "xlsx"):
        newer = continued_by(every)
        titles = listed.wide_titles(lang())
        cells = [
            [
                *listed.row(one, lang()),
                " ".join(newer.get(one.record.id, ())),
                *listed.contact(one),
            ]
            for one in rows
        ]
        if form == "csv":
            return as_csv(list(titles), cells)
        return as_xlsx(tr("登记", "pledges"), titles, cells)
    if every and not rows:
        count = len(every)
        return tr(f"{count} 份登记中没有符合条件的\n", f"none of {count} pledge records is so\n")
    return tables.list_table(rows, every, ending=ending)
