"""`hostpledge pledge history`: every version of a record, what each says otherwise; evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.cli.commands.pledge.changes import told
from collector.cli.commands.pledge.changes.became import Became, findings_by_evidence
from collector.cli.options.common import form_option, output_option
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import parse_day
from collector.cli.ui.columns import wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.export.envelope import Identity, as_json

if TYPE_CHECKING:
    from collector.cli.ui.sheets import Cell
    from collector.pledges.database.rows import Evidence, Version
    from collector.pledges.record.differences import Change
    from collector.pledges.register.register import Register

# of one version, for people
_MOST = 20


@dataclass(frozen=True, slots=True)
class _Step:
    """`changes` is None where the version before is not there to be compared with."""

    version: Version
    changes: Sequence[Change] | None

    @property
    def at(self) -> datetime:
        return self.version.added_at

    def lines(self) -> Iterator[str]:
        number, at = self.version.number, _minute(self.at)
        yield tr(f"第 {number} 版  {at}", f"version {number}  {at}") + _begun(self)
        yield from told.lines(self.changes or (), _MOST)

    def rows(self, id: str) -> Iterator[list[Cell]]:
        """One for each change, and one of no field for a version that is compared with none."""
        head: list[Cell] = [id, self.version.number, self.at]
        if not self.changes:
            yield [*head, "", "", "", False]
        for one in self.changes or ():
            before, after = _cell(one.before), _cell(one.after)
            yield [*head, one.field, before, after, one.before == one.after]


@dataclass(frozen=True, slots=True)
class _Attached:
    """A bundle that was attached; `void` is what the record says of one that is void now."""

    evidence: Evidence
    became: Became
    void: Mapping[str, Any] | None = None
    first: bool = False

    @property
    def at(self) -> datetime:
        return self.evidence.attached_at

    @property
    def worse(self) -> bool:
        """The first of all is held against nothing."""
        return not self.first and bool(self.became.opened or self.became.worse)

    def lines(self) -> Iterator[str]:
        from collector.report.model.listed import verdicts
        from collector.report.model.standings import void_since

        one, words = self.evidence, verdicts(lang())
        yield tr(
            f"第 {one.sequence} 份证据  {_minute(one.attached_at)}",
            f"evidence {one.sequence}  {_minute(one.attached_at)}",
        )
        said = tr("，", ", ").join(
            f"{clause['number']} {words.get(word, word)}"
            for n, clause in catalog.clauses().items()
            if n in one.verdicts and (word := one.word(n)) is not None
        )
        at = _minute(one.collected_at)
        yield wrap(tr(f"采集于 {at}：{said}", f"collected {at}: {said}"), indent="  ")
        if self.void is not None:
            yield wrap(void_since(self.void).text.to(lang()), indent="  ")
        yield from (wrap(line, indent="  ") for line in self.became.lines())

    def rows(self, id: str) -> Iterator[list[Cell]]:
        yield [id, "", self.at, "evidence", "", self.evidence.sequence, False]

    def plain(self) -> dict[str, Any]:
        from collector.pledges.record.masking import masked

        return {
            "sequence": self.evidence.sequence,
            "digest": self.evidence.digest,
            "attached_at": self.at.isoformat(),
            "collected_at": self.evidence.collected_at.isoformat(),
            "verdicts": dict(self.evidence.verdicts),
            **({"void": masked(dict(self.void))} if self.void is not None else {}),
            **({"refused": str(self.evidence.refused)} if self.evidence.refused else {}),
            **self.became.plain(),
        }


@click.command(
    help=tr(
        "列出一份登记的各版本与所附证据，新的在前：何时写入，哪些字段由什么改为什么；何时附入，"
        "何时采集，各条款结论。电话与证件号码已掩码。登记库不记录由谁写入。\n\n"
        "不给编号而给 --since，则列出全部登记中此日以来有变化的：各条款结论由什么变为什么，"
        "新发现、加重、闭环、豁免各几项。加 --worse 只列其中变差的。",
        "Lists every version of a pledge record, and what was attached to it, the newest first: "
        "when it was written, and which fields changed from what to what; when it was attached and "
        "collected, with its verdict of each clause. Phone and identity numbers are masked. The "
        "register does not keep who wrote it.\n\nWithout an ID, and with --since: of all pledges "
        "those of which something changed since that day: each clause's verdict then and now, and "
        "how many findings opened, got worse, were closed or waived; with --worse those that got "
        "worse alone.",
    )
)
@click.argument("id", required=False)
@click.option(
    "--since",
    metavar="DATE",
    help=tr("只列此日（北京时间）起的", "only what was written since this day (of China)"),
)
@click.option(
    "--worse",
    is_flag=True,
    help=tr(
        "只列变差的证据：与之前的核查相比，有新发现或加重的问题；不给编号则只列变差的用户",
        "only evidence that shows something worse than the looks before: a finding that opened, or "
        "got graver; without an ID, only customers of whom something got worse",
    ),
)
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def history(
    *,
    id: str | None,
    since: str | None,
    worse: bool,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    """Of all pledges: 2 where the bundles of one could not be read."""
    start = _start(since)
    register = open_register(location)
    if id is not None:
        _put_one(register, id, start, output, form, worse=worse)
        return 0
    from collector.cli.commands.pledge.over_all.since import Since
    from collector.cli.ui.sheets import put

    if since is None:
        raise click.UsageError(
            tr(
                "缺少 ID；或给出 --since 日期，列出全部登记中此后的变化",
                "ID is missing; or give --since DATE for what changed over all pledges",
            )
        )
    found = Since(register, start, worse=worse)
    put(found.drawn(form), output)
    return 2 if found.unread else 0


def _put_one(
    register: Register, id: str, start: datetime, output: Path | None, form: str, *, worse: bool
) -> None:
    """The versions and the evidence of one pledge, since then; or what it was `worse` in alone."""
    from collector.cli.ui.sheets import as_csv, as_xlsx, put
    from collector.pledges.record.voiding import voided

    # what somebody changed behind the register's back is told, and not shown as history
    known = register.history(id)
    register.hold_to_log(id)
    every = list(_steps(known))[::-1]
    steps = [step for step in every if step.at >= start]
    became = findings_by_evidence(register, id)
    void = {entry["sequence"]: entry for entry in voided(known[-1].record)}
    attached = register.every_evidence(id, hold=False)
    first = next((one.sequence for one in attached if one.sequence not in void), 0)
    evidence = [
        _Attached(
            one, became.get(one.sequence, Became()), void.get(one.sequence), one.sequence == first
        )
        for one in attached[::-1]
        if one.attached_at >= start
    ]
    gone = _gone(every)
    if worse:
        steps, gone = [], []
        evidence = [one for one in evidence if one.worse]
    if form == "json":
        put(_json(id, steps, evidence, gone), output)
        return
    both: list[_Step | _Attached] = [*steps, *evidence]
    both.sort(key=lambda one: one.at, reverse=True)
    if form in ("csv", "xlsx"):
        rows = [row for one in both for row in one.rows(id)]
        csv = form == "csv"
        put(
            as_csv(_COLUMNS, rows) if csv else as_xlsx(tr("经过", "history"), _titles(), rows),
            output,
        )
    else:
        lines = _lines(id, every[0].version, both, gone, worse=worse)
        put("\n".join(lines) + "\n", output)


def _start(since: str | None) -> datetime:
    """The beginning of that day in China."""
    from collector.pledges.record.times import CHINA

    if since is None:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(parse_day(since, "--since"), datetime.min.time(), CHINA)


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


def _lines(
    id: str,
    newest: Version,
    both: Sequence[_Step | _Attached],
    gone: Sequence[int],
    *,
    worse: bool,
) -> Iterator[str]:
    from collector.pledges.record.masking import masked

    yield f"{id}  {masked(newest.record.customer)}"
    if worse and not both:
        yield tr("没有比之前变差的证据", "no evidence shows anything worse than the one before")
    elif not both:
        yield tr("此后没有变化", "nothing was written since")
    for one in both:
        yield from one.lines()
    if gone:
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


def _json(
    id: str, steps: Sequence[_Step], evidence: Sequence[_Attached], gone: Sequence[int]
) -> str:
    versions = [
        {
            "version": step.version.number,
            "added_at": step.version.added_at.isoformat(),
            "sha256": step.version.record.digest,
            "changes": None if step.changes is None else [told.plain(c) for c in step.changes],
        }
        for step in steps
    ]
    document = {
        "pledge": id,
        "versions": versions,
        "evidence": [one.plain() for one in evidence],
        "gone": gone,
    }
    return as_json("pledge-history", document, Identity(id), indent=2)


_COLUMNS = ("pledge", "version", "added_at", "field", "before", "after", "masked")


def _titles() -> dict[str, str]:
    """By the columns of the CSV file, what people read in a workbook."""
    read = (
        tr("编号", "ID"),
        tr("版本", "version"),
        tr("写入时间", "written at"),
        tr("字段", "field"),
        tr("原为", "before"),
        tr("改为", "after"),
        tr("掩码", "masked"),
    )
    return dict(zip(_COLUMNS, read, strict=True))


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | int):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _minute(moment: datetime) -> str:
    from collector.pledges.record.times import CHINA

    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")
