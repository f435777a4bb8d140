"""`hostpledge pledge revert`: records as they stood before, as versions of their own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from collector.cli.commands.pledge.changes import reverted_said
from collector.cli.commands.pledge.changes.reverted_said import Back
from collector.cli.commands.pledge.changes.signatures import check_rests
from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import parse_time
from collector.cli.options.words import person_given, prose_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


@dataclass(frozen=True, slots=True)
class _Asked:
    """How far back: before a time (and of what was written until another), or to a version."""

    before: datetime | None
    until: datetime | None
    to: int | None
    fields: Sequence[str]
    said: Mapping[str, str] | None = None


@click.command(
    help=tr(
        "撤回改动：把登记恢复为 TIME 之前（或第 N 版）的内容，写为新的版本；历史照旧可查。"
        "已签署的文件、草稿状态、暂停、终止、事故、探测同意与续签，须有 --reason 与 --by 才撤回"
        "（误登的，记入登记，以后各版都可见）；通知书、作废与销毁不撤回。\n\n"
        "例：批量导入改错后 pledge revert --all --before 2026-11-29T16:00+08:00 --check",
        "Takes changes back: what the records said before TIME (or in version N) is written as a "
        "new version; history keeps every one. What was signed, a draft's state, suspensions, "
        "ends, incidents, consents to probes and renewals go back with --reason and --by alone "
        "(they were put on record by mistake: each later version says so); notices, voided "
        "evidence and disposals do not.\n\nFor instance, after an import that was wrong: "
        "`pledge revert --all --before 2026-11-29T16:00+08:00 --check`",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--before",
    metavar="TIME",
    help=tr("恢复为此时刻之前的最后一版", "to the last version that was written before then"),
)
@click.option(
    "--until",
    metavar="TIME",
    help=tr(
        "与 --before 合用：只撤回此时刻及以前写下的；此后又改过的登记不动，并列出",
        "with --before: only what was written by then; a record that was changed again since is "
        "left alone, and named",
    ),
)
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="N",
    help=tr("恢复为第 N 版（只限一份登记）", "to version N (of one record)"),
)
@click.option(
    "--all", "every", is_flag=True, help=tr("登记库中的全部登记", "all records of the register")
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME",
    help=tr(
        "只恢复此字段，如 follow_ups（责任人与期限）；可多次给出",
        "only this field, e.g. follow_ups (owners and due days); may be repeated",
    ),
)
@click.option(
    "--reason",
    metavar="TEXT",
    help=tr("误登的也撤回：理由", "what was put on record by mistake goes back too: why"),
)
@click.option("--by", metavar="NAME", help=tr("误登的也撤回：经办人", "and who says so"))
@click.option("--check", is_flag=True, help=tr("只显示，不写入", "shows it, and writes nothing"))
@click.option(
    "--yes",
    is_flag=True,
    help=tr(
        "不询问（--all 而无 --until 时，写入前先询问）",
        "do not ask (--all without --until asks before it writes)",
    ),
)
@answering("pledge-revert")
@register_option
@lang_option
def revert(
    *,
    ids: tuple[str, ...],
    before: str | None,
    until: str | None,
    to: int | None,
    every: bool,
    fields: tuple[str, ...],
    reason: str | None,
    by: str | None,
    check: bool,
    yes: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.times import today_in_china

    if (before is None) is (to is None):
        raise click.UsageError(tr("须给出 --before 或 --to 之一", "give --before or --to"))
    if bool(ids) is every:
        raise click.UsageError(tr("须给出编号，或 --all", "give ids, or --all"))
    if to is not None and len(ids) != 1:
        raise click.UsageError(tr("--to 只用于一份登记", "--to is for one record"))
    if until is not None and before is None:
        raise click.UsageError(tr("--until 与 --before 合用", "--until goes with --before"))
    if every and reason is not None and until is None:
        raise click.UsageError(
            tr(
                "--all 与 --reason 合用须给出 --until：此后签署的不在其内",
                "--all with --reason needs --until: what was signed since is none of it",
            )
        )
    moment = parse_time(before, where="--before") if before else None
    last = parse_time(until, where="--until") if until else None
    asked = _Asked(moment, last, to, fields, _answered(reason, by))
    _check_times(asked, datetime.now(UTC))
    _check_fields(asked)
    today = today_in_china()
    register = open_register(location)
    wanted = [one.id for one in register.briefs()] if every else list(dict.fromkeys(ids))
    # all are looked at before the first is written, so that a slip writes nothing
    planned = [one for id in wanted if (one := _planned(register, id, asked, today))]
    left = [one.id for one in planned if one.left]
    kept = [one for one in planned if not one.left and not one.changes]
    planned = [one for one in planned if not one.left and one.changes]
    # an --until, as the commands that are told have it, names what is taken back; without it one
    # wrong figure of the year takes back the work of all since then
    if every and until is None and planned and not (check or yes):
        _ask(planned, before or "")
    done = planned if check else [_written(register, one, asked, today) for one in planned]
    answer(check=check, pledges=[reverted_said.plain(one) for one in done], left=left)
    out("".join(f"{line}\n" for one in done for line in reverted_said.lines(one)))
    out(reverted_said.said(len(done), len(wanted) - len(left), check=check))
    if kept:
        reverted_said.say_kept(kept, answerable=asked.said is None)
    if not done and not left and not kept and moment is not None:
        _say_why(register, wanted, asked)
    if left:
        reverted_said.say_left(left)
    # a command that was to take something back, and did not, has not done its work
    return 1 if left or (kept and not done) else 0


def _answered(reason: str | None, by: str | None) -> Mapping[str, str] | None:
    if reason is None and by is None:
        return None
    if not (reason and by):
        raise click.UsageError(tr("--reason 与 --by 须一并给出", "--reason and --by go together"))
    return {"reason": prose_given(reason, "--reason") or "", "by": person_given(by, "--by") or ""}


def _check_times(asked: _Asked, now: datetime) -> None:
    if asked.before is not None and asked.before > now:
        raise BadInput(
            tr("尚未到来，此后不会有改动可撤回", "has not come yet: nothing was written since"),
            where="--before",
        )
    if asked.before is not None and asked.until is not None and asked.until < asked.before:
        raise BadInput(tr("早于 --before", "lies before --before"), where="--until")


def _ask(planned: Sequence[Back], before: str) -> None:
    """Raises BadInput where nobody can be asked, and Abort where the answer is no."""
    count = len(planned)
    last = _told(max(one.newest.added_at for one in planned))
    said = tr(
        f"{count} 份登记将恢复为 {before} 之前的内容，此后至 {last} 写下的都撤回",
        f"{count} record(s) would say what they said before {before}; all that was written since, "
        f"until {last}, is taken back",
    )
    if not sys.stdin.isatty():
        raise BadInput(
            f"{said}{tr('；没有终端可供确认', '; there is no terminal to ask on')}",
            mend=tr("先加 --check 看，再加 --yes", "look with --check, then give --yes"),
        )
    click.confirm(f"{said}{tr('。继续？', '. Go on?')}", abort=True, err=True)


def _told(moment: datetime) -> str:
    from collector.pledges.record.times import CHINA

    return moment.astimezone(CHINA).isoformat(timespec="seconds")


def _say_why(register: Register, ids: Sequence[str], asked: _Asked) -> None:
    """Nothing goes back: there was nothing before that time, or nothing was written since."""
    times = [version.added_at for id in ids for version in register.history(id)]
    if not times or asked.before is None:
        return
    first, last = _told(min(times)), _told(max(times))
    if min(times) >= asked.before:
        said = tr(
            f"那时还没有这些登记：最早的一版写于 {first}",
            f"none of them was there then: the first version was written at {first}",
        )
    elif max(times) < asked.before:
        said = tr(
            f"此后没有写下任何改动：最近的一版写于 {last}",
            f"nothing was written since: the last version was written at {last}",
        )
    else:
        return
    click.echo(said, err=True)


def _check_fields(asked: _Asked) -> None:
    from collector.pledges.record.reverting import ANSWERED_FOR, KEPT
    from collector.resources import shared
    from collector.schema import load_json

    schema = shared("schemas/pledge-record.schema.json")
    known = load_json(schema.read_bytes(), where=str(schema))["properties"]
    kept = KEPT if asked.said is None else KEPT - ANSWERED_FOR
    for name in asked.fields:
        if name in kept and name in known:
            raise BadInput(tr(f"不能撤回：{name}", f"is not taken back: {name}"), where="--field")
        if name not in known:
            raise BadInput(
                tr(f"登记中没有此字段：{name}", f"no field of a record: {name}"), where="--field"
            )


def _planned(register: Register, id: str, asked: _Asked, today: date) -> Back | None:
    """None where nothing of the record was changed since, or it was not there before."""
    from collector.pledges.record.differences import by_entry, changes, masked_changes
    from collector.pledges.record.reverting import ANSWERED_FOR, reverted, stays, takes_papers

    known = register.history(id)
    register.hold_to_log(id)
    newest, earlier = known[-1], _earlier(known, asked.before, asked.to)
    if earlier is None:
        if asked.to is not None:
            raise BadInput(tr(f"没有第 {asked.to} 版", f"has no version {asked.to}"), where=id)
        return None
    since = [version for version in known if asked.before and version.added_at >= asked.before]
    if asked.until and not any(version.added_at <= asked.until for version in since):
        return None
    if "disposed" in newest.record.document:
        return None
    made = reverted(
        newest.record, earlier.record, fields=asked.fields, said=asked.said, today=today
    )
    if takes_papers(newest.record, made.document):
        check_rests(register, newest.record, since=earlier.number + 1)
    found = list(masked_changes(by_entry(changes(newest.record.document, made.document))))
    kept = stays(newest.record, earlier.record, answered=asked.said is not None)
    if not found and (asked.fields or ANSWERED_FOR.isdisjoint(kept)):
        return None
    # only what was written in that time, and once, is known to be all of the difference
    left = asked.until is not None and len(since) > 1
    return Back(id, newest, earlier.number, found, kept, left=left)


def _earlier(known: Sequence[Version], moment: datetime | None, to: int | None) -> Version | None:
    for version in reversed(known):
        if to is not None:
            if version.number == to:
                return version
        elif moment is not None and version.added_at < moment:
            return version
    return None


def _written(register: Register, one: Back, asked: _Asked, today: date) -> Back:
    from collector.pledges.record.reverting import reverted

    (earlier,) = (v for v in register.history(one.id) if v.number == one.to)

    def change(newest: PledgeRecord) -> PledgeRecord:
        # what was not looked at is not taken back with it
        if newest.digest != one.newest.record.digest:
            raise BadInput(tr("刚刚又被改动", "was changed just now"), where=one.id)
        return reverted(newest, earlier.record, fields=asked.fields, said=asked.said, today=today)

    number = register.change(one.id, change).number
    return replace(one, version=number)
