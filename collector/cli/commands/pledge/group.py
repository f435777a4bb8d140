"""`hostpledge pledge`: the register of pledge records and the evidence attached to them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.commands.pledge.attaching import attach
from collector.cli.commands.pledge.changes import elsewhere, slips, undoing
from collector.cli.commands.pledge.changes.drafts import withdraw_draft
from collector.cli.commands.pledge.changes.history import history
from collector.cli.commands.pledge.changes.reverting import revert
from collector.cli.commands.pledge.changes.signatures import withdraw_signed
from collector.cli.commands.pledge.changes.withdrawing import withdraw_notice
from collector.cli.commands.pledge.disposal import dispose
from collector.cli.commands.pledge.dossier import dossier
from collector.cli.commands.pledge.due import due
from collector.cli.commands.pledge.export import export
from collector.cli.commands.pledge.findings import findings
from collector.cli.commands.pledge.follow_ups import assign, waive
from collector.cli.commands.pledge.handed.links import hand_in_link
from collector.cli.commands.pledge.handed.notify import notify
from collector.cli.commands.pledge.handed.told import told
from collector.cli.commands.pledge.listing import list_
from collector.cli.commands.pledge.lists import import_, inventory
from collector.cli.commands.pledge.notice import notice
from collector.cli.commands.pledge.noticed import notices
from collector.cli.commands.pledge.renewing import renew, sign
from collector.cli.commands.pledge.voiding import void
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import at_option
from collector.cli.ui.columns import out
from collector.cli.ui.help import Group
from collector.cli.ui.language import lang_option, tr
from collector.cli.workflows.desk import past_day
from collector.errors import BadInput
from collector.export.envelope import Identity
from collector.i18n.message import msg

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.standing.then import Then


@click.group(
    cls=Group,
    help=tr(
        "登记：客户签署的责任书与承诺书，以及附于其上的核查证据。",
        "The register: what customers signed, and the evidence attached to it.",
    ),
)
@lang_option
def pledge() -> None:
    """Nothing of its own."""


@pledge.command(
    help=tr(
        "将登记文件（YAML 或 JSON）加入登记库。",
        "Adds the pledge record in FILE (YAML or JSON) to the register.",
    )
)
@click.argument("file", type=FilePath(path_type=Path))
@click.option(
    "--update",
    is_flag=True,
    help=tr("作为已有登记的新版本；旧版本保留", "as a new version; earlier ones are kept"),
)
@register_option
@lang_option
@answering("pledge-add")
def add(*, file: Path, update: bool, location: str | None) -> int:
    from collector.pledges.lists import far_days
    from collector.pledges.record import form as record

    known = record.load(file)
    if not update:
        # before a register is made
        far_days.refuse(known, where=str(file))
    register = open_register(location, create=not update)
    before = {one.id: one for one in register.list()}
    if known.id in before:
        _check_taken(before[known.id], known, update=update)
    far_days.refuse(known, before.get(known.id), where=str(file))
    version = register.add(known, update=update)
    old = before.get(known.id)
    same = old is not None and old.digest == version.record.digest
    answer(Identity(known.id), id=known.id, version=version.number, unchanged=same)
    as_it_was = tr("，未变", ", as it was") if same else ""
    out(
        tr(
            f"已登记 {known.id}，第 {version.number} 版（{known.customer}）{as_it_was}\n",
            f"{known.id} is in the register, version {version.number} ({known.customer})"
            f"{as_it_was}\n",
        )
    )
    elsewhere.tell(before, [version.record])
    slips.tell(before, [version.record])
    undoing.tell_made([version], before, location)
    return 0


def _check_taken(old: PledgeRecord, new: PledgeRecord, *, update: bool) -> None:
    """Raises BadInput where the id is taken, or the file makes a draft of what is signed."""
    from collector.pledges.record.drafts import is_free

    if not update:
        if is_free(old):
            return
        raise BadInput(
            msg("pledge_register_already", which=new.id),
            mend=tr(
                "加 --update 作为它的新版本，或另给编号",
                "--update adds a new version of it; or give another id",
            ),
        )
    if new.document.get("draft") and not old.document.get("draft"):
        raise BadInput(
            tr("已签署，不能由文件改为草稿", "is signed: no file makes a draft of it"),
            where=new.id,
            mend=tr(
                "签署是误登的，用 hostpledge pledge withdraw-signed 撤回",
                "what was signed by mistake is taken back by `hostpledge pledge withdraw-signed`",
            ),
        )


@pledge.command(
    help=tr(
        "显示一份登记：逐条款的状态与证据；电话与证件号码已掩码。",
        "Shows one pledge record, clause by clause, with its evidence; phone and identity numbers "
        "are masked.",
    )
)
@click.argument("id")
@form_option("table", "json")
@register_option
@lang_option
def show(*, id: str, form: str, location: str | None) -> int:
    from collector.cli.commands.pledge import shown as pledge_shown
    from collector.cli.workflows import pledge_status
    from collector.pledges.standing.since import Since

    register, now = open_register(location), datetime.now(UTC)
    history = register.history(id)
    evidence = Since().counted(register, {id: register.evidence(id)}, now)[id]
    known = history[-1].record
    found = pledge_status.status(
        known, evidence, now, renewed=_is_renewed(register, known, now), shown=register.shown
    )
    shown = pledge_shown.show_json if form == "json" else pledge_shown.show_table
    # of a host that a past look alone has, somebody looked
    answered = register.hosts_that_answered(id).get(id, frozenset())
    never = [host for host in history[-1].record.hosts if host not in answered]
    others = register.other_machines(id).get(id, ())
    out(shown(history, evidence, found.clauses, never, found.state, others))
    return 0


@pledge.command(
    help=tr(
        "逐条款说明登记现状与依据：主机核查（最新证据）、书面材料、签署确认、期限；并将登记的地址、域名、"
        "端口与采集所见对照。\n\n退出码：0 全部满足；1 有未满足；2 无法完成。",
        "Says for each clause how the record stands and why: checked on hosts (newest evidence), "
        "attested, acknowledged, overdue; declared addresses, domains and ports are held against "
        "what the captures show.\n\nExit status: 0 all is satisfied; 1 something is not; 2 the "
        "command could not do its work.",
    )
)
@click.argument("id")
@at_option
@form_option("table", "json")
@register_option
@lang_option
def status(*, id: str, at: str | None, form: str, location: str | None) -> int:
    from collector.cli.workflows import pledge_status, twins

    now = datetime.now(UTC)
    day, register = past_day.asked(at, now), open_register(location)
    if day is not None:
        return _status_then(past_day.PastDay(register, now, day).of(id), register, form)
    known = register.get(id)
    renewed = _is_renewed(register, known, now)
    # its rows are held to what was signed first, which says more than the log
    evidence = register.evidence(id, hold=False)
    same = twins.unexpected(register, id)
    others = register.other_machines(id).get(id, ())
    found = pledge_status.status(
        known, evidence, now, renewed=renewed, shown=register.shown, same=same, others=others
    )
    register.hold_to_log(id)
    out(pledge_status.as_json(found, now) if form == "json" else pledge_status.table(found))
    return 0 if found.satisfied else 1


def _status_then(then: Then, register: Register, form: str) -> int:
    """As `status`, of a past day; on which pages of the register it is told the same way."""
    from collector.cli.workflows import pledge_status

    found = pledge_status.status(
        then.record, then.evidence, then.moment, renewed=then.renewed, shown=register.shown
    )
    as_json, table = pledge_status.as_json, pledge_status.table
    out(as_json(found, then.moment, then) if form == "json" else table(found, then))
    return 0 if found.satisfied else 1


def _is_renewed(register: Register, known: PledgeRecord, now: datetime) -> bool:
    """Did it run out, and another record says that it continues it?"""
    from collector.pledges.due import lifecycle
    from collector.pledges.record.times import CHINA

    ran_out = lifecycle.state(known, now.astimezone(CHINA).date(), renewed=False) == "lapsed"
    return ran_out and known.id in register.renewed()


pledge.add_command(attach)
pledge.add_command(history)
pledge.add_command(revert)
pledge.add_command(list_)
pledge.add_command(due)
pledge.add_command(export)
pledge.add_command(import_)
pledge.add_command(findings)
pledge.add_command(dispose)
pledge.add_command(assign)
pledge.add_command(waive)
pledge.add_command(inventory)
pledge.add_command(notice)
pledge.add_command(notices)
pledge.add_command(withdraw_notice)
pledge.add_command(withdraw_draft)
pledge.add_command(withdraw_signed)
pledge.add_command(notify)
pledge.add_command(told)
pledge.add_command(dossier)
pledge.add_command(void)
pledge.add_command(hand_in_link)
pledge.add_command(renew)
pledge.add_command(sign)
