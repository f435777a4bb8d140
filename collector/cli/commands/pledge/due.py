"""`hostpledge pledge due`: what is overdue and what falls due, over all records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options.common import form_option, output_option
from collector.cli.options.findings import is_named
from collector.cli.options.pledge import open_register, register_option, say_doubts
from collector.cli.options.times import Ahead
from collector.cli.options.words import Worded, due_kinds
from collector.cli.ui.language import lang, lang_option, tr
from collector.export.envelope import as_json
from collector.pledges.due.deadlines import KINDS
from collector.pledges.record.times import to_the_end

if TYPE_CHECKING:
    from collector.pledges.due.deadlines import Due
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.status.brief import Brief

    Found = Sequence[tuple[PledgeRecord | Brief, Due]]


@dataclass(frozen=True, slots=True)
class _Asked:
    kinds: tuple[str, ...]
    owner: str
    overdue: bool
    coming: bool

    def holds(self, entry: Due, now: datetime) -> bool:
        # what nobody could look at is asked for as if it were open
        late = entry.at <= now
        return (
            (not self.kinds or entry.kind in self.kinds)
            and (not self.owner or is_named(entry.owner, self.owner))
            and (late or not self.overdue)
            and not (late and self.coming)
        )


@click.command(
    help=tr(
        "列出已逾期和即将到期的事项：登记期满与资源期限、自查与问题处理、员工教育、清单复核、证据、豁免、"
        "书面材料、公安备案、漏洞与有害信息处置、检查整改、事故报告、保存期满。\n\n"
        "退出码：0 没有逾期；1 有逾期，或未能查看；2 无法完成。",
        "Lists what is overdue and what falls due: the end of the period and of resources, "
        "self-checks and what they found, training, the review of the data inventory, evidence, "
        "waivers, attestations, public-security filing, vulnerabilities and harmful content, "
        "inspections, incident notices, the end of keeping.\n\nExit status: 0 nothing is overdue; "
        "1 something is, or could not be looked at; 2 the command could not do its work.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--within",
    type=Ahead(),
    default="30d",
    show_default=True,
    metavar="TIME",
    help=tr(
        "多久之内到期，如 30d、4w、3m、2027-03（到当月末）",
        "how far ahead to look, e.g. 30d, 4w, 3m, 2027-03 (to the end of that month)",
    ),
)
@click.option(
    "--evidence-days",
    type=click.IntRange(1, 3660),
    metavar="N",
    help=tr("证据最多可以多旧（天）；默认 90", "how old evidence may be, in days; default: 90"),
)
@click.option(
    "--kind",
    "kinds",
    type=Worded(KINDS, due_kinds),
    metavar="KIND",
    multiple=True,
    help=tr(
        "只列此类事项，如 evidence、period_end（--summary 列出各类）；可多次给出",
        "only what is of this kind, e.g. evidence or period_end (--summary has them); may be "
        "repeated",
    ),
)
@click.option(
    "--owner",
    metavar="NAME",
    help=tr(
        "只列此人负责整改的问题（逐台主机的见 pledge findings --owner 与 --within）",
        "only findings that this person sees to (host by host: `pledge findings --owner` with "
        "--within)",
    ),
)
@click.option("--overdue", is_flag=True, help=tr("只列已逾期的", "only what is overdue already"))
@click.option(
    "--coming",
    is_flag=True,
    help=tr("只列即将到期、尚未逾期的", "only what falls due and is not overdue yet"),
)
@click.option("--summary", "summed", is_flag=True, help=tr("只给各类的数量", "how many there are"))
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def due(
    *,
    ids: tuple[str, ...],
    within: timedelta,
    evidence_days: int | None,
    kinds: tuple[str, ...],
    owner: str | None,
    overdue: bool,
    coming: bool,
    summed: bool,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.commands.pledge import strangers
    from collector.cli.ui.sheets import put
    from collector.pledges.due import lifecycle
    from collector.pledges.standing.due import due as falls_due
    from collector.pledges.standing.finding_history import lives_where_due

    if overdue and coming:
        raise click.UsageError(
            tr("--overdue 与 --coming 只能用一个", "--overdue and --coming exclude each other")
        )
    now = datetime.now(UTC)
    ahead = to_the_end(within, now)
    register = open_register(location)
    strangers.refuse_person(register, owner, "--owner")
    asked = _Asked(kinds, owner or "", overdue, coming)
    every = register.briefs(now + ahead)
    renewed = lifecycle.continued(every)
    records = [register.get(id) for id in dict.fromkeys(ids)] if ids else every
    attached, doubts = register.newest_and_doubts()
    found = [
        (known, entry)
        for known in records
        for entry in falls_due(
            known,
            attached.get(known.id, ()),
            now,
            within=ahead,
            evidence_days=evidence_days,
            renewed=known.id in renewed,
            lives=lives_where_due(register, known, now, now + ahead),
        )
        if asked.holds(entry, now)
    ]
    found.sort(key=lambda pair: (pair[1].at, pair[1].pledge))
    put(_summed(found, now, form) if summed else _drawn(found, now, form), output)
    if say_doubts(doubts, register):
        return 2
    return 1 if any(entry.overdue(now) or entry.unread for _, entry in found) else 0


def _drawn(found: Found, now: datetime, form: str) -> str | bytes:
    from collector.cli.commands.pledge import tables
    from collector.cli.ui.sheets import Cell, Word, as_csv, as_xlsx
    from collector.pledges.due.kinds import WORDS
    from collector.pledges.record.masking import masked

    if form == "json":
        return tables.due_json(found, now)
    if form == "table":
        return tables.due_table(found, now)
    titles = {
        "at": tr("到期", "due"),
        "overdue": tr("逾期", "overdue"),
        "id": tr("编号", "ID"),
        "customer": tr("用户名称", "customer"),
        "kind": tr("类别", "kind"),
        "what": tr("事项", "what"),
        "owner": tr("责任人", "owner"),
    }
    rows: list[list[Cell]] = [
        [
            entry.at,
            entry.overdue(now),
            record.id,
            str(masked(record.customer)),
            Word(entry.kind, WORDS[entry.kind].to(lang())),
            str(masked(entry.text.to(lang()))),
            str(masked(entry.owner)),
        ]
        for record, entry in found
    ]
    if form == "csv":
        return as_csv(list(titles), rows)
    return as_xlsx(tr("到期事项", "due"), titles, rows)


def _summed(found: Found, now: datetime, form: str) -> str | bytes:
    """How many of each kind, and how many of them are overdue; the most overdue first."""
    from collector.cli.commands.pledge import tables
    from collector.cli.ui.grid import Grid, room
    from collector.cli.ui.sheets import Cell, Word, as_csv, as_xlsx
    from collector.pledges.due.kinds import WORDS

    counts = Counter(entry.kind for _, entry in found)
    late = Counter(entry.kind for _, entry in found if entry.overdue(now))
    ranked = sorted(counts, key=lambda kind: (-late[kind], -counts[kind], kind))
    if form == "json":
        known = {kind: {"due": counts[kind], "overdue": late[kind]} for kind in ranked}
        pledges = {"due": len({record.id for record, _ in found})}
        return as_json(
            "pledge-due-summary", {"summary": {"pledges": pledges, "kinds": known}}, indent=2
        )
    titles = {
        "kind": tr("类别", "kind"),
        "due": tr("事项数", "due"),
        "overdue": tr("其中逾期", "overdue"),
    }
    rows: list[list[Cell]] = [
        [Word(kind, WORDS[kind].to(lang())), counts[kind], late[kind]] for kind in ranked
    ]
    if form == "csv":
        return as_csv(list(titles), rows)
    if form == "xlsx":
        return as_xlsx(tr("到期汇总", "due"), titles, rows)
    if not rows:
        return tables.due_table((), now)
    # the word that --kind takes stands beside what it means
    table = Grid("", *titles.values())
    for kind in ranked:
        table.add_row(WORDS[kind].to(lang()), kind, str(counts[kind]), str(late[kind]))
    return table.drawn(room())
