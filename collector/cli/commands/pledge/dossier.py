"""`hostpledge pledge dossier`: all that is asked about one customer, on one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.catalog import clause_number, words
from collector.cli.options.common import form_option, output_option
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import Ahead
from collector.cli.ui.columns import labelled
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.workflows import twins
from collector.errors import one_line
from collector.pledges.record.times import to_the_end

if TYPE_CHECKING:
    from collector.cli.workflows.desk.dossier import Dossier, Host
    from collector.pledges.status.findings import Life

_MOST = 25


@click.command(
    help=tr(
        "一页说明一个用户：登记、联系人、主机、最近证据、未闭环与已豁免的问题（责任人、期限）、"
        "到期事项、通知书。WHO 是编号、用户名称（或其一部分）、主机名，或联系人、电话、域名、地址"
        "（同 pledge list --search）；不止一份时列出可选的。\n\n"
        "退出码：0 没有未闭环和逾期；1 有；2 无法完成。",
        "One customer on one page: record, contacts, hosts, newest evidence, findings open and "
        "waived (whose, until when), what falls due, notices. WHO is an id, a customer's name or a "
        "part of it, a host, or a contact, telephone number, domain or address (as `pledge list "
        "--search` has them); where there are several, they are named.\n\nExit status: 0 nothing "
        "is open or overdue; 1 something is; 2 the command could not do its work.",
    )
)
@click.argument("who", metavar="WHO")
@click.option(
    "--within",
    type=Ahead(),
    default="30d",
    show_default=True,
    metavar="TIME",
    help=tr("列出多久之内到期的事项", "how far ahead to look for what falls due"),
)
@click.option("--all", "all_", is_flag=True, help=tr("列出全部问题", "all findings, not the first"))
@output_option
@form_option("table", "json")
@register_option
@lang_option
def dossier(
    *,
    who: str,
    within: timedelta,
    all_: bool,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.ui.sheets import put
    from collector.cli.workflows.desk import dossier as workflow
    from collector.export.envelope import Identity, as_json
    from collector.pledges.record.masking import masked

    now = datetime.now(UTC)
    ahead = to_the_end(within, now)
    register = open_register(location)
    id = workflow.found(register, who)
    known = workflow.gathered(register, id, now, ahead, twins.unexpected(register, id))
    if form == "json":
        about = Identity(known.record.id, known.evidence.digest if known.evidence else None)
        put(as_json("pledge-dossier", masked(_document(known)), about, indent=2), output)
    else:
        put("\n".join(_page(known, None if all_ else _MOST)) + "\n", output)
    return 0 if known.satisfied else 1


def _document(known: Dossier) -> dict[str, Any]:
    """For programs; nothing of it is masked yet."""
    from collector.cli.commands.pledge.tables import evidence_json
    from collector.pledges.standing.listing import CLAUSES
    from collector.pledges.status.findings import to_json as finding

    record = known.record
    return {
        "pledge": record.id,
        "customer": dict(record.document["customer"]),
        "grade": record.grade,
        "state": known.state,
        "period": record.document.get("period"),
        "safety_contact": record.document.get("safety_contact"),
        "security_officer": record.document.get("security_officer"),
        "other_pledges": [one.id for one in known.others],
        "at": known.at.isoformat(),
        "satisfied": known.satisfied,
        "unread": known.unread or None,
        "hosts": [
            {
                "host": host.name,
                "declared": host.declared,
                "looked_at": host.looked_at.isoformat() if host.looked_at else None,
                "evidence": host.evidence,
                "open": host.counts,
            }
            for host in known.hosts
        ],
        "evidence": evidence_json(known.evidence) if known.evidence else None,
        "proven": {clause: known.listed().verdict(clause) for clause in CLAUSES},
        "void": list(record.document.get("voided", ())),
        "taken_back": list(record.document.get("taken_back", ())),
        "findings": [finding(life, known.at) for life in known.lives if life.state != "closed"],
        "due": [
            {
                "kind": one.kind,
                "at": one.at.isoformat(),
                "overdue": one.overdue(known.at),
                "text": one.text.to(lang()),
            }
            for one in known.dues
        ],
        "notices": [
            {
                **one.notice.entry,
                "open": None if known.unread or one.withdrawn else one.open,
                "void_evidence": one.void,
            }
            for one in known.notices
        ],
        "same_machine": twins.to_json(known.twins),
        "other_machines": twins.others_json(known.machines),
    }


def _page(known: Dossier, most: int | None) -> Iterator[str]:
    from collector.pledges.record.masking import masked

    for label, text in _head(known):
        if text:
            yield labelled(label, one_line(str(masked(text)), 400), width=room())
    yield from _titled(tr("主机", "hosts"), _hosts(known.hosts))
    yield from _titled(tr("未闭环的问题", "open findings"), _findings(known, most))
    yield from _titled(tr("已豁免的问题", "waived"), _waived(known.lives))
    yield from _titled(tr("到期事项", "what falls due"), _dues(known))
    yield from _titled(tr("通知书", "notices"), _notices(known))


def _titled(title: str, table: str) -> Iterator[str]:
    if table:
        yield ""
        yield f"── {title}"
        yield table.rstrip("\n")


def _head(known: Dossier) -> Iterator[tuple[str, str]]:
    from collector.cli.commands.pledge.shown import about
    from collector.cli.commands.pledge.tables import CHECKED, notes, proven
    from collector.cli.ui.scope_line import taken_back_line, void_line
    from collector.pledges.due.lifecycle import WORDS
    from collector.pledges.record.masking import masked

    record, last = known.record, known.evidence
    yield tr("编号", "ID"), record.id
    yield from about(masked(record.document))
    yield tr("状态", "state"), WORDS[known.state].to(lang())
    if last is None:
        yield tr("核查证据", "evidence"), tr("尚无", "none yet")
    else:
        verdicts = tr("，", ", ").join(
            f"{clause_number(n, lang())} {proven(known.listed(), last, n)}" for n in CHECKED
        )
        at = _moment(last.collected_at)
        yield (
            tr("核查证据", "evidence"),
            tr(
                f"第 {last.sequence} 份，采集于 {at}（北京时间）：{verdicts}",
                f"number {last.sequence}, collected {at} (Beijing time): {verdicts}",
            ),
        )
        if why := notes(last, record.grade):
            yield tr("核查范围", "scope"), why
    for entry in record.document.get("voided", ()):
        yield tr("作废", "void"), void_line(entry)
    for entry in record.document.get("taken_back", ()):
        yield tr("误登", "mistake"), taken_back_line(entry)
    if known.unread:
        yield tr("未能读取", "not read"), known.unread
    for said in twins.said(known.twins, record.id):
        yield tr("同一机器", "same as"), said
    for said in twins.others_said(known.machines):
        yield tr("另一机器", "another"), said
    if known.others:
        yield tr("其他登记", "others"), tr("、", ", ").join(one.id for one in known.others)


def _hosts(hosts: tuple[Host, ...]) -> str:
    if not hosts:
        return ""
    verdicts = words()["verdict"]
    table = Grid(tr("主机", "host"), tr("最近采集", "looked at"), "#", tr("未闭环", "open"))
    for host in hosts:
        strange = "" if host.declared else tr("（未登记）", " (undeclared)")
        name = f"{host.name}{strange}"
        parts = (f"{verdicts[v].to(lang())} {n}" for v, n in host.counts.items())
        counts = tr("，", ", ").join(parts)
        looked = _moment(host.looked_at) if host.looked_at else tr("从未", "never")
        table.add_row(name, looked, str(host.evidence or "-"), counts or "-")
    return table.drawn(room())


def _findings(known: Dossier, most: int | None) -> str:
    """A row for each control, verdict, owner and day; the hosts in one cell."""
    from collector.pledges.record.masking import masked

    rows: dict[tuple[str, str, str, str], list[Life]] = {}
    for life in known.open:
        key = life.control, str(life.verdict), life.owner, _day(life)
        rows.setdefault(key, []).append(life)
    if known.evidence is None:
        return tr("尚无证据，不得而知\n", "no evidence, so that nobody knows\n")
    if not rows:
        return "" if known.unread else tr("没有\n", "none\n")
    heads = (tr("核查项", "control"), tr("结论", "verdict"), tr("主机", "hosts"))
    table = Grid(*heads, tr("责任人", "owner"), tr("期限", "due"), fixed={4: 10})
    verdicts = words()["verdict"]
    for key, lives in list(rows.items())[:most]:
        _, verdict, owner, day = key
        first = lives[0]
        late = tr(" 逾期", " late") if first.overdue(known.at) else ""
        idle = tr("（豁免无效）", " (waiver: no effect)") if first.idle_waiver else ""
        table.add_row(
            f"{first.number} {first.title.to(lang())}",
            verdicts[verdict].to(lang()) + idle,
            _some([life.host for life in lives]),
            str(masked(owner)) or tr("未指定", "nobody"),
            (day or "-") + late,
        )
    more = len(rows) - len(list(rows.items())[:most])
    rest = tr(f"… 另有 {more} 行，见 --all\n", f"… {more} more rows: --all\n") if more else ""
    return table.drawn(room()) + rest


def _waived(lives: tuple[Life, ...]) -> str:
    from collector.pledges.record.masking import masked

    rows: dict[tuple[str, str, str], list[Life]] = {}
    for life in lives:
        if life.waiver:
            entry = life.waiver
            key = life.control, entry["expires"], f"{entry['reason']} ({entry['approver']})"
            rows.setdefault(key, []).append(life)
    if not rows:
        return ""
    table = Grid(tr("核查项", "control"), tr("主机", "hosts"), tr("至", "until"), tr("理由", "why"))
    for (_, until, why), found in rows.items():
        title = f"{found[0].number} {found[0].title.to(lang())}"
        table.add_row(title, _some([life.host for life in found]), until[:10], str(masked(why)))
    return table.drawn(room())


def _dues(known: Dossier) -> str:
    from collector.pledges.record.masking import masked
    from collector.pledges.record.times import CHINA

    if not known.dues:
        return ""
    table = Grid(tr("到期", "due"), "", tr("事项", "what"), fixed={0: 10})
    for one in known.dues:
        late = tr("逾期", "overdue") if one.overdue(known.at) else ""
        day = one.at.astimezone(CHINA).date().isoformat()
        table.add_row(day, late, str(masked(one.text.to(lang()))))
    return table.drawn(room())


def _notices(known: Dossier) -> str:
    from collector.cli.commands.pledge.noticed import kinds

    if not known.notices:
        return ""
    table = Grid(
        tr("文号", "number"),
        tr("类别", "kind"),
        tr("日期", "given"),
        tr("期限", "to mend by"),
        tr("所列", "findings"),
        tr("未闭环", "open"),
    )
    for one in known.notices:
        notice, gone = one.notice, one.notice.withdrawn
        void = tr("，依据已作废", ", evidence void") if one.void else ""
        table.add_row(
            notice.number,
            kinds()[notice.kind],
            notice.date,
            notice.own_day or "-",
            str(len(notice.named)),
            _withdrawn(gone) if gone else ("?" if known.unread else str(one.open)) + void,
        )
    return table.drawn(room())


def _withdrawn(entry: Mapping[str, Any]) -> str:
    from collector.pledges.record.masking import masked

    day, by, reason = entry["date"], masked(entry["by"]), one_line(str(masked(entry["reason"])), 80)
    return tr(f"{day} 撤回（{by}）：{reason}", f"withdrawn {day} ({by}): {reason}")


def _some(names: list[str], most: int = 4) -> str:
    more = tr(f" 等 {len(names)} 台", f" … {len(names)} in all") if len(names) > most else ""
    return tr("、", ", ").join(names[:most]) + more


def _day(life: Life) -> str:
    return _on(life.due).isoformat() if life.due else ""


def _on(moment: datetime) -> date:
    from collector.pledges.record.times import CHINA

    return moment.astimezone(CHINA).date()


def _moment(moment: datetime) -> str:
    from collector.pledges.record.times import CHINA

    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
