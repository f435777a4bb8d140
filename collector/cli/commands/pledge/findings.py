"""`hostpledge pledge findings|assign|waive`: what checks found, who sees to it, until when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.catalog import words
from collector.cli.options.common import find, form_option, output_option
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import labelled, out, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line
from collector.model import HostStatus, Text

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.status.findings import Event, Life

_STATES = {
    "open": Text("未闭环", "open"),
    "waived": Text("已豁免", "waived"),
    "closed": Text("已闭环", "closed"),
}
_EVENTS = {
    "opened": Text("发现", "opened"),
    "reopened": Text("再次发现", "opened again"),
    "waived": Text("豁免", "waived"),
    "waiver_ended": Text("豁免到期，重新打开", "waiver ended: open again"),
    "closed": Text("闭环", "closed"),
}


@click.command(
    help=tr(
        "列出登记的问题：何时由哪份证据发现、责任人、期限、豁免、由哪份证据闭环；由所附证据包推出。"
        "不给编号则列出全部登记的；默认只列未闭环的。\n\n"
        "退出码：0 没有未闭环的；1 有；2 无法完成。",
        "Lists what checks of the pledges found (of all of them, where none is named): opened "
        "and closed by which evidence, owner, due day, waiver. All of it follows from the attached "
        "bundles. What is closed is left out "
        "unless --all is given.\n\nExit status: 0 nothing is open; 1 something is; 2 the command "
        "could not do its work.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help=tr("连同已闭环的", "the closed ones too"))
@click.option("--overdue", is_flag=True, help=tr("只列逾期的", "only what is overdue"))
@click.option("--control", metavar="C", help=tr("只看这一核查项", "only this control"))
@click.option("--host", metavar="H", help=tr("只看这台主机", "only this host"))
@click.option("--owner", metavar="NAME", help=tr("只看此人负责的", "only what this person owns"))
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def findings(
    *,
    ids: tuple[str, ...],
    all_: bool,
    overdue: bool,
    control: str | None,
    host: str | None,
    owner: str | None,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.commands.pledge import found_rows
    from collector.cli.ui.sheets import put
    from collector.pledges.database.rows import current
    from collector.pledges.record.masking import masked
    from collector.pledges.standing.finding_history import all_lives
    from collector.pledges.status.findings import to_json

    register = open_register(location)
    now = datetime.now(UTC)
    wanted = find(control).id if control else None

    def asked(life: Life) -> bool:
        return (
            (all_ or life.state != "closed")
            and (not overdue or life.overdue(now))
            and wanted in (None, life.control)
            and host in (None, life.host)
            and owner in (None, life.owner)
        )

    if len(ids) != 1 or form in ("csv", "xlsx"):
        rows = found_rows.Found(register, ids, now)
        put(found_rows.drawn(rows.shown(asked), now, form), output)
        return rows.status()
    (id,) = ids
    record, evidence = register.get(id), register.evidence(id)
    found = all_lives(record, evidence, now)
    shown = [life for life in found if asked(life)]
    if form == "json":
        document = {
            "pledge": id,
            "evidence": len(evidence),
            "findings": [to_json(life, now) for life in shown],
        }
        put(json.dumps(masked(document), ensure_ascii=False, indent=1) + "\n", output)
    else:
        put(_table(shown, found, now), output)
        _say_unseen(current(evidence))
    return 1 if any(life.state == "open" for life in shown) else 0


def _table(shown: Sequence[Life], found: Sequence[Life], now: datetime) -> str:
    counts = {state: sum(life.state == state for life in found) for state in _STATES}
    late = sum(life.overdue(now) for life in found)
    nobody = sum(life.state == "open" and not life.owner for life in found)
    head = tr("，", ", ").join(f"{_STATES[s].to(lang())} {n}" for s, n in counts.items())
    head += tr(f"；逾期 {late}，未指定责任人 {nobody}", f"; overdue {late}, nobody's {nobody}")
    lines = [head, ""]
    for life in shown:
        word = _STATES[life.state].to(lang())
        if life.overdue(now):
            word = tr("逾期", "OVERDUE")
        verdict = words()["verdict"][str(life.verdict)].to(lang())
        title = f"{life.number} {life.title.to(lang())}"
        lines.append(wrap(one_line(f"[{word}] {title} @ {life.host}: {verdict}", 300)))
        for label, text in _about(life):
            lines += [f"    {line}" for line in labelled(label, text, width=76).splitlines()]
    return "\n".join(lines).rstrip() + "\n"


def _about(life: Life) -> list[tuple[str, str]]:
    from collector.pledges.record.masking import masked
    from collector.pledges.record.times import CHINA

    due = life.due.astimezone(CHINA).date().isoformat() if life.due else ""
    who = tr("，期限 ", ", by ").join(part for part in (life.owner, due) if part)
    found = [
        (tr("责任人", "owner"), who or tr("未指定", "nobody")),
        (tr("经过", "events"), tr("；", "; ").join(event_line(e) for e in life.events)),
    ]
    if life.note:
        found.append((tr("说明", "note"), masked(life.note)))
    if life.waiver:
        said = masked(f"{life.waiver['reason']} ({life.waiver['approver']})")
        until = life.waiver["expires"]
        found.append((tr("豁免", "waiver"), tr(f"至 {until}：{said}", f"to {until}: {said}")))
    return [(label, one_line(text, 600)) for label, text in found]


def event_line(event: Event) -> str:
    from collector.pledges.record.times import CHINA

    day = event.at.astimezone(CHINA).date().isoformat()
    where = tr(f"（证据 {event.sequence}）", f" (evidence {event.sequence})")
    return f"{day} {_EVENTS[event.what].to(lang())}{where if event.sequence else ''}"


def _say_unseen(newest: Any) -> None:
    """Hosts of the newest bundle that could not be collected say nothing of their findings."""
    from collector.pledges.status.latest_bundle import Newest

    if newest is None:
        click.echo(tr("尚无核查证据", "no evidence attached yet"), err=True)
        return
    hosts = Newest(newest).evidence["hosts"]
    down = sorted(h for h, e in hosts.items() if e["status"] != HostStatus.COMPLETE)
    if down:
        names = tr("、", ", ").join(one_line(h) for h in down[:8])
        more = tr(f" 等 {len(down)} 台", f" … {len(down)} in all") if len(down) > 8 else ""
        click.echo(
            tr(
                f"最近一份证据中未采集完整，问题状态未更新：{names}{more}",
                f"not collected in full by the newest evidence, so as before: {names}{more}",
            ),
            err=True,
        )


@click.command(
    help=tr(
        "指定问题的责任人和整改期限（作为登记的新版本）。HOST 可为 *，即全部主机。",
        "Says who sees to a finding, and until when (as a new version of the record). HOST may be "
        "*, for all hosts.",
    )
)
@click.argument("id")
@click.argument("control", metavar="CONTROL")
@click.argument("host", metavar="HOST")
@click.option("--owner", metavar="NAME", help=tr("责任人", "who sees to it"))
@click.option("--due", metavar="DATE", help=tr("整改期限，如 2026-12-31", "until when"))
@click.option("--note", metavar="TEXT", help=tr("说明", "a remark"))
@click.option("--clear", is_flag=True, help=tr("取消指定", "nobody any more"))
@register_option
@lang_option
def assign(
    *,
    id: str,
    control: str,
    host: str,
    owner: str | None,
    due: str | None,
    note: str | None,
    clear: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.changes import followed_up
    from collector.pledges.standing.finding_history import all_lives

    if clear is bool(owner or due or note):
        raise click.UsageError(
            tr("给出 --owner，或 --clear", "give --owner (and --due, --note), or --clear")
        )
    register = open_register(location)
    known, now = find(control).id, datetime.now(UTC)
    record = register.get(id)
    before = _before(record, "follow_ups", known, host)
    if clear and not before:
        raise _nothing(id, known, host)
    given = {"owner": owner, "due": due, "note": note}
    entry = None if clear else {**before, **{k: v for k, v in given.items() if v}}
    if entry is not None and "owner" not in entry:
        raise click.UsageError(tr("缺少 --owner", "--owner is missing"))
    found = all_lives(record, register.evidence(id), now)
    if entry is not None and not any(
        life.control == known and host in (life.host, "*") and life.state != "closed"
        for life in found
    ):
        raise BadInput(
            tr(
                f"没有未闭环的问题：{known}，主机 {host}",
                f"no finding is open: {known} on {host}",
            ),
            where=id,
            mend=tr("见 hostpledge pledge findings", "see `hostpledge pledge findings`"),
        )
    version = register.change(
        id, lambda newest: followed_up(newest, known, host, entry, today=_today(now))
    )
    out(
        tr(
            f"{id} 第 {version.number} 版：{known}，主机 {host}，",
            f"{id}, version {version.number}: {known} on {host}, ",
        )
        + _told(entry)
        + "\n"
    )
    return 0


def _told(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return tr("已取消指定", "nobody's any more")
    due = entry.get("due")
    until = tr(f"，期限 {due}", f", by {due}") if due else ""
    return tr(f"责任人 {entry['owner']}", f"owner {entry['owner']}") + until


@click.command(
    help=tr(
        "为核查项和主机登记豁免（作为登记的新版本）；到期即恢复为不符合。HOST 可为 *，即全部主机。",
        "Puts a waiver for a control and a host on record (as a new version); once it has ended, "
        "the failure is one again. HOST may be *, for all hosts.",
    )
)
@click.argument("id")
@click.argument("control", metavar="CONTROL")
@click.argument("host", metavar="HOST")
@click.option("--reason", metavar="TEXT", help=tr("理由", "why"))
@click.option("--approver", metavar="NAME", help=tr("批准人", "who approved it"))
@click.option("--until", metavar="TIME", help=tr("到期日或时刻", "the day or time it ends"))
@click.option("--withdraw", is_flag=True, help=tr("收回豁免", "take it back"))
@register_option
@lang_option
def waive(
    *,
    id: str,
    control: str,
    host: str,
    reason: str | None,
    approver: str | None,
    until: str | None,
    withdraw: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.changes import waived
    from collector.pledges.record.times import waiver_end
    from collector.pledges.standing.finding_history import all_lives

    given = (reason, approver, until)
    if (withdraw and any(given)) or (not withdraw and not all(given)):
        raise click.UsageError(
            tr(
                "给出 --reason、--approver 和 --until，或 --withdraw",
                "give --reason, --approver and --until, or --withdraw",
            )
        )
    register = open_register(location)
    known, now = find(control).id, datetime.now(UTC)
    record = register.get(id)
    if withdraw and not _before(record, "waivers", known, host):
        raise _nothing(id, known, host)
    if not (withdraw or host == "*" or host in record.hosts):
        # a check by another inventory may know it under another name
        found = all_lives(record, register.evidence(id), now)
        if host not in {life.host for life in found}:
            raise BadInput(
                tr(
                    f"登记 {id} 没有主机 {host}，其证据中也没有",
                    f"{id} declares no host {host}, and no evidence of it found anything there",
                ),
                where="HOST",
                mend=tr("见 hostpledge pledge findings", "see `hostpledge pledge findings`"),
            )
    entry = None if withdraw else {"reason": reason, "approver": approver, "expires": until}
    version = register.change(id, lambda new: waived(new, known, host, entry, today=_today(now)))
    if until and waiver_end(until) <= now:
        click.echo(tr("此豁免已到期", "this waiver has ended already"), err=True)
    said = tr(f"豁免至 {until}", f"waived to {until}") if until else tr("已收回", "taken back")
    out(
        tr(
            f"{id} 第 {version.number} 版：{known}，主机 {host}，{said}\n",
            f"{id}, version {version.number}: {known} on {host}, {said}\n",
        )
    )
    return 0


def _before(record: PledgeRecord, field: str, control: str, host: str) -> dict[str, Any]:
    for entry in record.document.get(field, ()):
        if (entry["control"], entry["host"]) == (control, host):
            return {k: v for k, v in entry.items() if k not in ("control", "host")}
    return {}


def _nothing(id: str, control: str, host: str) -> BadInput:
    return BadInput(
        tr(f"登记中没有：{control}，主机 {host}", f"not on record: {control} on {host}"), where=id
    )


def _today(now: datetime) -> date:
    from collector.pledges.record.times import CHINA

    return now.astimezone(CHINA).date()
