"""`hostpledge pledge revert`: records as they stood before, as versions of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import told
from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import parse_time
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.record.differences import Change
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

# of one record, for people
_MOST = 20
# of those that are left alone so many are named
_LEFT = 8


@dataclass(frozen=True, slots=True)
class _Back:
    """One record: what goes back to how it stood in `to`, and what differs and stays.

    `left`: it was changed again since, and is left alone.
    """

    id: str
    newest: Version
    to: int
    changes: Sequence[Change]
    stays: Sequence[str]
    version: int | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """How far back: before a time (and of what was written until another), or to a version."""

    before: datetime | None
    until: datetime | None
    to: int | None
    fields: Sequence[str]


@click.command(
    help=tr(
        "撤回改动：把登记恢复为 TIME 之前（或第 N 版）的内容，写为新的版本；历史照旧可查。"
        "已签署的文件、草稿状态、暂停、终止、事故、通知书、作废、探测同意、续签与销毁不撤回。\n\n"
        "例：批量导入改错后 pledge revert --all --before 2026-11-29T16:00+08:00 --check",
        "Takes changes back: what the records said before TIME (or in version N) is written as a "
        "new version; history keeps every one. What was signed, a draft's state, suspensions, "
        "ends, incidents, notices, voided evidence, consents to probes, renewals and disposals "
        "are not taken back.\n\nFor instance, after an import that was wrong: `pledge revert "
        "--all --before 2026-11-29T16:00+08:00 --check`",
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
@click.option("--check", is_flag=True, help=tr("只显示，不写入", "shows it, and writes nothing"))
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
    check: bool,
    location: str | None,
) -> int:
    from collector.pledges.record.times import CHINA

    if (before is None) is (to is None):
        raise click.UsageError(tr("须给出 --before 或 --to 之一", "give --before or --to"))
    if bool(ids) is every:
        raise click.UsageError(tr("须给出编号，或 --all", "give ids, or --all"))
    if to is not None and len(ids) != 1:
        raise click.UsageError(tr("--to 只用于一份登记", "--to is for one record"))
    if until is not None and before is None:
        raise click.UsageError(tr("--until 与 --before 合用", "--until goes with --before"))
    moment = parse_time(before, where="--before") if before else None
    asked = _Asked(moment, parse_time(until, where="--until") if until else None, to, fields)
    _check_fields(fields)
    today = datetime.now(UTC).astimezone(CHINA).date()
    register = open_register(location)
    wanted = [one.id for one in register.briefs()] if every else list(dict.fromkeys(ids))
    # all are looked at before the first is written, so that a slip writes nothing
    planned = [one for id in wanted if (one := _planned(register, id, asked, today))]
    left = [one.id for one in planned if one.left]
    planned = [one for one in planned if not one.left]
    done = planned if check else [_written(register, one, fields, today) for one in planned]
    answer(check=check, pledges=[_plain(one) for one in done], left=left)
    out("".join(f"{line}\n" for one in done for line in _lines(one)))
    out(_said(len(done), len(wanted) - len(left), check=check))
    if left:
        _say_left(left)
    return 1 if left else 0


def _check_fields(fields: Sequence[str]) -> None:
    from collector.pledges.record.reverting import KEPT
    from collector.resources import shared
    from collector.schema import load_json

    schema = shared("schemas/pledge-record.schema.json")
    known = load_json(schema.read_bytes(), where=str(schema))["properties"]
    for name in fields:
        if name in KEPT and name in known:
            raise BadInput(tr(f"不能撤回：{name}", f"is not taken back: {name}"), where="--field")
        if name not in known:
            raise BadInput(
                tr(f"登记中没有此字段：{name}", f"no field of a record: {name}"), where="--field"
            )


def _planned(register: Register, id: str, asked: _Asked, today: date) -> _Back | None:
    """None where nothing of the record was changed since, or it was not there before."""
    from collector.pledges.record.differences import by_entry, changes, masked_changes
    from collector.pledges.record.reverting import reverted, stays

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
    made = reverted(newest.record, earlier.record, fields=asked.fields, today=today)
    found = list(masked_changes(by_entry(changes(newest.record.document, made.document))))
    if not found:
        return None
    kept = stays(newest.record, earlier.record)
    # only what was written in that time, and once, is known to be all of the difference
    left = asked.until is not None and len(since) > 1
    return _Back(id, newest, earlier.number, found, kept, left=left)


def _earlier(known: Sequence[Version], moment: datetime | None, to: int | None) -> Version | None:
    for version in reversed(known):
        if to is not None:
            if version.number == to:
                return version
        elif moment is not None and version.added_at < moment:
            return version
    return None


def _written(register: Register, one: _Back, fields: Sequence[str], today: date) -> _Back:
    from collector.pledges.record.reverting import reverted

    (earlier,) = (v for v in register.history(one.id) if v.number == one.to)

    def change(newest: PledgeRecord) -> PledgeRecord:
        # what was not looked at is not taken back with it
        if newest.digest != one.newest.record.digest:
            raise BadInput(tr("刚刚又被改动", "was changed just now"), where=one.id)
        return reverted(newest, earlier.record, fields=fields, today=today)

    number = register.change(one.id, change).number
    return replace(one, version=number)


def _plain(one: _Back) -> dict[str, Any]:
    return {
        "pledge": one.id,
        "newest": one.newest.number,
        "to": one.to,
        "version": one.version,
        "changes": [told.plain(change) for change in one.changes],
        "stays": list(one.stays),
    }


def _lines(one: _Back) -> Iterator[str]:
    if one.version is None:
        yield tr(
            f"{one.id}：第 {one.newest.number} 版将恢复为第 {one.to} 版的内容",
            f"{one.id}: version {one.newest.number} would say what version {one.to} said",
        )
    else:
        yield tr(
            f"{one.id}：第 {one.version} 版，内容恢复为第 {one.to} 版",
            f"{one.id}: version {one.version} says what version {one.to} said",
        )
    yield from told.lines(one.changes, _MOST)
    if one.stays:
        names = ", ".join(one.stays)
        yield tr(f"  不撤回：{names}", f"  not taken back: {names}")


def _say_left(left: Sequence[str]) -> None:
    names = tr("、", ", ").join(left[:_LEFT]) + (" …" if len(left) > _LEFT else "")
    click.echo(
        tr(
            f"{len(left)} 份登记此后又改过，未动：{names}",
            f"{len(left)} record(s) were changed again since, and are left alone: {names}",
        ),
        err=True,
    )


def _said(done: int, asked: int, *, check: bool) -> str:
    rest = asked - done
    same = tr(f"，{rest} 份无可撤回", f"; {rest} with nothing to take back") if rest else ""
    if check:
        return tr(
            f"将撤回 {done} 份登记的改动{same}（只检查，未写入）\n",
            f"{done} record(s) would go back{same} (nothing is written)\n",
        )
    return tr(f"已撤回 {done} 份登记的改动{same}\n", f"{done} record(s) went back{same}\n")
