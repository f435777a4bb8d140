"""`hostpledge pledge assign|waive`: who sees to a finding, and which failure is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge import assigning, strangers
from collector.cli.commands.pledge.changes import waiver_length
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import ControlName, find
from collector.cli.options.findings import Asked, finding_options
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.words import day_given, end_given, person_given, prose_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, one_line
from collector.export.envelope import Identity

if TYPE_CHECKING:
    from collector.pledges.record.changes import Entries
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

_MOST_NAMED = 8


@click.command(
    help=tr(
        "指定问题的责任人和整改期限（作为登记的新版本）。HOST 可为 *，即全部主机。\n\n"
        "不写 ID CONTROL HOST，则按条件批量指定未闭环的问题，先以 --check 预览："
        "assign --clause 2.3 --unowned --owner 周示例 --due 2026-12-31 --check。",
        "Says who sees to a finding, and until when (as a new version of the record). HOST may be "
        "*, for all hosts.\n\nWithout ID CONTROL HOST it is every open finding that the options "
        "ask for; look first with --check: assign --clause 2.3 --unowned --owner NAME --due "
        "2026-12-31 --check.",
    )
)
@click.argument("target", nargs=-1, metavar="[ID CONTROL HOST]")
@click.option("--owner", metavar="NAME", help=tr("责任人", "who sees to it"))
@click.option("--due", metavar="DATE", help=tr("整改期限，如 2026-12-31", "until when"))
@click.option("--note", metavar="TEXT", help=tr("说明", "a remark"))
@click.option("--clear", is_flag=True, help=tr("取消指定", "nobody any more"))
@click.option(
    "--pledge",
    "pledges",
    metavar="ID",
    multiple=True,
    help=tr("批量：只在此登记中；可多次给出", "of many: only of this pledge; may be repeated"),
)
@finding_options(owner="--whose")
@click.option(
    "--check", is_flag=True, help=tr("只列出将指定的，不写入", "list them, write nothing")
)
@register_option
@lang_option
@answering("pledge-assign")
def assign(
    *,
    target: tuple[str, ...],
    owner: str | None,
    due: str | None,
    note: str | None,
    clear: bool,
    pledges: tuple[str, ...],
    asked: Asked,
    check: bool,
    location: str | None,
) -> int:
    if clear is bool(owner or due or note):
        raise click.UsageError(
            tr("给出 --owner，或 --clear", "give --owner (and --due, --note), or --clear")
        )
    now = datetime.now(UTC)
    words = {
        "owner": person_given(owner, "--owner"),
        "due": day_given(due, "--due", now),
        "note": prose_given(note, "--note"),
    }
    given = {word: text for word, text in words.items() if text}
    if len(target) not in (0, 3):
        raise click.UsageError(
            tr(
                "写明 ID CONTROL HOST 三项，或都不写而用条件批量指定",
                "give all of ID CONTROL HOST, or none of them and options that say which",
            )
        )
    if target and (pledges or not asked.everything):
        raise click.UsageError(
            tr("条件只用于批量指定", "options that say which go without ID CONTROL HOST")
        )
    if not target and not pledges and asked.everything:
        raise click.UsageError(
            tr(
                "写明 ID CONTROL HOST，或给出条件（--pledge、--clause、--control、--unowned …）",
                "say which: ID CONTROL HOST, or --pledge, --clause, --control, --unowned …",
            )
        )
    register = open_register(location)
    # before: afterwards the name is one that is known
    strangers.say_new_person(register, given.get("owner"))
    if target:
        return _assign_one(register, target, None if clear else given, now, check=check)
    return assigning.assign_many(
        register, pledges, asked, None if clear else given, now, check=check, location=location
    )


def _assign_one(
    register: Register,
    target: Sequence[str],
    given: Mapping[str, str] | None,
    now: datetime,
    *,
    check: bool,
) -> int:
    from collector.pledges.record.changes import followed_up
    from collector.pledges.standing.found_now import lives_now

    id, name, host = target
    control, record = find(name).id, register.get(id)
    before = _before(record, "follow_ups", control, host)
    if given is None and not before:
        raise _nothing(id, control, host)
    entry = None if given is None else {**before, **given}
    if entry is not None and "owner" not in entry:
        raise click.UsageError(tr("缺少 --owner", "--owner is missing"))
    found = lives_now(register, record, now)
    if entry is not None and not _about(found, control, host):
        raise BadInput(
            tr(
                f"没有未闭环的问题：{control}，主机 {host}",
                f"no finding is open: {control} on {host}",
            ),
            where=id,
            mend=tr("见 hostpledge pledge findings", "see `hostpledge pledge findings`"),
        )
    said = assigning.told(entry)
    _change(register, id, control, host, partial(followed_up, entries={(control, host): entry}),
            now, said, check=check)  # fmt: skip
    return 0


@click.command(
    help=tr(
        "为核查项和主机登记豁免（作为登记的新版本）；到期即恢复为不符合。HOST 可为 *，即全部主机。"
        "只有查明的不符合才能豁免：未能核查、待举证的不能，会予说明。",
        "Puts a waiver for a control and a host on record (as a new version); once it has ended, "
        "the failure is one again. HOST may be *, for all hosts. Only a failure that was seen is "
        "waived: where a host could not be looked at, or proof is missing, that is said.",
    )
)
@click.argument("id")
@click.argument("control", metavar="CONTROL", type=ControlName())
@click.argument("host", metavar="HOST")
@click.option("--reason", metavar="TEXT", help=tr("理由", "why"))
@click.option("--approver", metavar="NAME", help=tr("批准人", "who approved it"))
@click.option("--until", metavar="TIME", help=tr("到期日或时刻", "the day or time it ends"))
@click.option("--withdraw", is_flag=True, help=tr("收回豁免", "take it back"))
@click.option("--check", is_flag=True, help=tr("只看，不写入", "look only, write nothing"))
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
    check: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.changes import waived
    from collector.pledges.standing.finding_history import all_lives

    given = (reason, approver, until)
    if (withdraw and any(given)) or (not withdraw and not all(given)):
        raise click.UsageError(
            tr(
                "给出 --reason、--approver 和 --until，或 --withdraw",
                "give --reason, --approver and --until, or --withdraw",
            )
        )
    now = datetime.now(UTC)
    entry = {
        "reason": prose_given(reason, "--reason"),
        "approver": person_given(approver, "--approver"),
        "expires": end_given(until, "--until", now) if until else None,
    }
    register = open_register(location)
    known = find(control).id
    record = register.get(id)
    if withdraw and not _before(record, "waivers", known, host):
        raise _nothing(id, known, host)
    found = all_lives(record, register.evidence(id), now) if not withdraw else ()
    # a check by another inventory may know it under another name
    if not (withdraw or host == "*" or host in record.hosts or host in {x.host for x in found}):
        raise BadInput(
            tr(
                f"登记 {id} 没有主机 {host}，其证据中也没有",
                f"{id} declares no host {host}, and no evidence of it found anything there",
            ),
            where="HOST",
            mend=tr("见 hostpledge pledge findings", "see `hostpledge pledge findings`"),
        )
    ends = entry["expires"]
    idle = [] if withdraw else _without_effect(_about(found, known, host), known, host)
    if ends:
        waiver_length.tell(record, ends, now)
    said = tr(f"豁免至 {ends}", f"waived to {ends}") if ends else tr("已收回", "taken back")
    entries: Entries = {(known, host): None if withdraw else entry}
    _change(register, id, known, host, partial(waived, entries=entries), now, said, check=check,
            without_effect=idle)  # fmt: skip
    return 0


def _without_effect(found: Sequence[Life], control: str, host: str) -> list[str]:
    """Says where there is no failure for a waiver to accept; gives the hosts."""
    from collector.catalog import words
    from collector.cli.ui.language import lang
    from collector.pledges.status.findings import WAIVABLE

    if not found:
        said = tr(
            f"目前没有可豁免的问题：{control}，主机 {host}；今后查明不符合时此豁免生效",
            f"no finding is open now: {control} on {host}; it is for a failure to come",
        )
        click.echo(said, err=True)
        return []
    idle = [life for life in found if life.verdict not in WAIVABLE]
    for verdict in dict.fromkeys(life.verdict for life in idle):
        hosts = [life.host for life in idle if life.verdict is verdict]
        word = words()["verdict"][str(verdict)].to(lang())
        names = tr("、", ", ").join(one_line(name) for name in hosts[:_MOST_NAMED])
        more = len(hosts) - _MOST_NAMED
        names += tr(f" 等 {len(hosts)} 台", f" … {len(hosts)} in all") if more > 0 else ""
        click.echo(
            tr(
                f"豁免无效：{names} 的结论是“{word}”，不是查明的不符合，不能豁免，"
                "问题仍未闭环；请先使其能够核查（或补充证明）",
                f"without effect: {names}: {word!r} is no failure that was seen, and is waived by "
                "nobody; the finding stays open until it is looked at (or proof is given)",
            ),
            err=True,
        )
    return [life.host for life in idle]


def _change(
    register: Register,
    id: str,
    control: str,
    host: str,
    make: Callable[..., PledgeRecord],
    now: datetime,
    said: str,
    *,
    check: bool,
    **more: Any,
) -> None:
    """Puts the new version on record, or only tries it, and tells of it."""
    today = _today(now)
    where = tr(f"{control}，主机 {host}，{said}", f"{control} on {host}, {said}")
    if check:
        make(register.get(id), today=today)
        answer(Identity(id), version=None, check=True, control=control, host=host, **more)
        out(tr(f"{id}：{where}（只检查，未写入）\n", f"{id}: {where} (nothing is written)\n"))
        return
    version = register.change(id, partial(make, today=today))
    answer(Identity(id), version=version.number, control=control, host=host, **more)
    number = version.number
    out(tr(f"{id} 第 {number} 版：{where}\n", f"{id}, version {number}: {where}\n"))


def _about(found: Sequence[Life], control: str, host: str) -> list[Life]:
    """What is not closed of that control, on that host (or any, for `*`)."""
    return [
        life
        for life in found
        if life.control == control and host in (life.host, "*") and life.state != "closed"
    ]


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
