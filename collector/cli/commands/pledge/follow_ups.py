"""`hostpledge pledge assign|waive`: who sees to a finding, and which failure is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.common import find
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput
from collector.export.envelope import Identity

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord


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
@answering("pledge-assign")
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
    answer(Identity(id), version=version.number, control=known, host=host)
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
@answering("pledge-waive")
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
    answer(Identity(id), version=version.number, control=known, host=host)
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
