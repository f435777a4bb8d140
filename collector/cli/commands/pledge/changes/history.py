"""`hostpledge pledge history`: every version of a record, and what each says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import told
from collector.cli.options.common import form_option, output_option
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.language import lang_option, tr
from collector.export.envelope import Identity, as_json

if TYPE_CHECKING:
    from collector.cli.ui.sheets import Cell
    from collector.pledges.database.rows import Version
    from collector.pledges.record.differences import Change

# of one version, for people
_MOST = 20


@dataclass(frozen=True, slots=True)
class _Step:
    """`changes` is None where the version before is not there to be compared with."""

    version: Version
    changes: Sequence[Change] | None


@click.command(
    help=tr(
        "列出一份登记的各版本，新的在前：何时写入，哪些字段由什么改为什么；"
        "电话与证件号码已掩码。登记库不记录由谁写入；证据的附入见 pledge show。",
        "Lists every version of a pledge record, the newest first: when it was written, and which "
        "fields changed from what to what; phone and identity numbers are masked. The register "
        "does not keep who wrote it; what was attached is in `pledge show`.",
    )
)
@click.argument("id")
@output_option
@form_option("table", "json", "csv")
@register_option
@lang_option
def history(*, id: str, output: Path | None, form: str, location: str | None) -> int:
    from collector.cli.ui.sheets import as_csv, put

    register = open_register(location)
    # what somebody changed behind the register's back is told, and not shown as history
    known = register.history(id)
    register.hold_to_log(id)
    steps = list(_steps(known))[::-1]
    if form == "json":
        put(_json(id, steps), output)
    elif form == "csv":
        put(as_csv(_COLUMNS, [row for step in steps for row in _rows(id, step)]), output)
    else:
        put("\n".join(_lines(id, steps)) + "\n", output)
    return 0


def _steps(every: Sequence[Version]) -> Iterator[_Step]:
    from collector.pledges.record.differences import by_entry, changes, masked_changes

    before: Version | None = None
    for version in every:
        found = None
        if before is not None and before.number == version.number - 1:
            raw = changes(before.record.document, version.record.document)
            found = list(masked_changes(by_entry(raw)))
        yield _Step(version, found)
        before = version


def _lines(id: str, steps: Sequence[_Step]) -> Iterator[str]:
    from collector.pledges.record.masking import masked

    newest = steps[0].version
    yield f"{id}  {masked(newest.record.customer)}"
    for step in steps:
        number, at = step.version.number, _minute(step.version.added_at)
        yield tr(f"第 {number} 版  {at}", f"version {number}  {at}") + _begun(step)
        yield from told.lines(step.changes or (), _MOST)
    if gone := _gone(steps):
        row = len(gone) > 1 and gone[0] - gone[-1] == len(gone) - 1
        numbers = f"{gone[-1]}–{gone[0]}" if row else tr("、", ", ").join(map(str, gone))
        if "disposed" in newest.record.document:
            yield tr(
                f"第 {numbers} 版：登记已销毁，只留摘要",
                f"version {numbers}: disposed of, its digest alone is kept",
            )
        else:
            yield tr(f"第 {numbers} 版：登记库中没有", f"version {numbers}: not in the register")


def _begun(step: _Step) -> str:
    if step.version.number == 1:
        return tr("  首次登记", "  first put on record")
    return "" if step.changes is not None else tr("  前一版已不在", "  the one before is gone")


def _gone(steps: Sequence[_Step]) -> list[int]:
    """The numbers, newest first, of versions that there were, and of which nothing can be told."""
    there = {step.version.number for step in steps}
    return [number for number in range(max(there), 0, -1) if number not in there]


def _json(id: str, steps: Sequence[_Step]) -> str:
    versions = [
        {
            "version": step.version.number,
            "added_at": step.version.added_at.isoformat(),
            "sha256": step.version.record.digest,
            "changes": None if step.changes is None else [told.plain(c) for c in step.changes],
        }
        for step in steps
    ]
    document = {"pledge": id, "versions": versions, "gone": _gone(steps)}
    return as_json("pledge-history", document, Identity(id), indent=2)


_COLUMNS = ("pledge", "version", "added_at", "field", "before", "after", "masked")


def _rows(id: str, step: _Step) -> Iterator[list[Cell]]:
    """One for each change, and one of no field for a version that is compared with none."""
    head: list[Cell] = [id, step.version.number, step.version.added_at]
    if not step.changes:
        yield [*head, "", "", "", False]
    for one in step.changes or ():
        before, after = _cell(one.before), _cell(one.after)
        yield [*head, one.field, before, after, one.before == one.after]


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | int):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _minute(moment: datetime) -> str:
    from collector.pledges.record.times import CHINA

    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")
