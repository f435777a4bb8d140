"""What changed since a day, over all customers: as `pledge history --since` without an ID says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from collector.catalog import clause_number
from collector.cli.ui.columns import wrap
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import Cell, Word, as_csv, as_xlsx
from collector.errors import CollectorError, one_line
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese
from collector.pledges.record.masking import masked
from collector.pledges.standing.changed import CLAUSES, Changed, changed
from collector.report.model.listed import verdicts

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

_LISTS = ("opened", "worse", "better", "closed", "waived")


class Since:
    """Of all records; one whose bundles cannot be read is named on stderr, and the others go on.

    With `worse`, those alone of which something got worse that had been looked at before.
    """

    def __init__(self, register: Register, start: datetime, *, worse: bool = False) -> None:
        self.start, self.unread, self._worse = start, False, worse
        self._found: list[Changed] = []
        now = datetime.now(UTC)
        with register.reading():
            for known in register.briefs():
                self._take(register, known.id, now)
        # what got worse is what is looked for
        self._found.sort(key=lambda one: (not one.worsened, not one.worse, one.record.id))
        if worse:
            self._say_first()
            self._found = [
                # of who was first looked at since, what came after the first look
                replace(one, findings=one.later or one.findings)
                for one in self._found
                if one.worsened
            ]

    def _say_first(self) -> None:
        """They have findings too, and nobody knows of any before."""
        if count := sum(_first_found(one) for one in self._found):
            click.echo(
                tr(
                    f"另有 {count} 份登记此后首次核查，无从比较，未列出（不加 --worse 则列出）",
                    f"{count} more pledge(s) were first looked at since: there is nothing to hold "
                    "that against (without --worse they are listed)",
                ),
                err=True,
            )

    def _take(self, register: Register, id: str, now: datetime) -> None:
        try:
            found = changed(register, id, self.start, now)
        except CollectorError as problem:
            self.unread = True
            said = in_chinese(problem.said) if lang() == "zh" else str(problem)
            click.echo(f"{id}: {one_line(said, 600)}", err=True)
            return
        if found is not None:
            self._found.append(found)

    def drawn(self, form: str) -> str | bytes:
        if form == "json":
            since = self.start.isoformat()
            document = {"since": since, "pledges": [_plain(one) for one in self._found]}
            return as_json("pledge-changes", document, indent=2)
        if form == "table":
            return _table(self._found, worse=self._worse)
        titles, rows = _titles(), [_row(one) for one in self._found]
        if form == "csv":
            return as_csv(list(titles), rows)
        return as_xlsx(tr("变化", "changes"), titles, rows)


def _table(found: Sequence[Changed], *, worse: bool) -> str:
    if worse and not found:
        return tr("此后没有变差的\n", "nothing got worse since\n")
    if not found:
        return tr("此后没有变化\n", "nothing changed since\n")
    grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), tr("变化", "what changed"))
    for one in found:
        name = str(masked(one.record.customer))
        grid.add_row(one.record.id, name, tr("；", "; ").join(_said(one)))
    opened, closed = (sum(len(getattr(one.findings, n)) for one in found) for n in _LISTS[:4:3])
    graver, first = sum(one.worsened for one in found), sum(map(_first_found, found))
    said = tr(
        f"{len(found)} 份登记有变化，其中 {graver} 份变差（--worse 只列它们），{first} 份为首次核查"
        f"即有问题；新发现 {opened} 项，闭环 {closed} 项。逐项见 hostpledge pledge history ID "
        "--since",
        f"{len(found)} pledge(s) changed: {graver} got worse (--worse lists them), {first} had "
        f"findings at a first look; {opened} finding(s) opened, {closed} closed. `hostpledge "
        "pledge history ID --since` has each",
    )
    return grid.drawn(room()) + wrap(said, width=room()) + "\n"


def _first_found(one: Changed) -> bool:
    """Does it have findings, and nobody knows of any before?"""
    return one.worse and not one.compared


def _said(one: Changed) -> Iterator[str]:
    for number, (was, word) in one.clauses.items():
        if was != word:
            yield f"{clause_number(number, lang())} {_word(was)} → {_word(word)}"
    words = {
        "opened": tr("新发现", "opened"),
        "worse": tr("加重", "worse"),
        "better": tr("减轻", "better"),
        "closed": tr("闭环", "closed"),
        "waived": tr("豁免", "waived"),
    }
    for name, said in words.items():
        if count := len(getattr(one.findings, name)):
            yield tr(f"{said} {count} 项", f"{said} {count}")
    if one.evidence:
        yield tr(f"新附证据 {len(one.evidence)} 份", f"{len(one.evidence)} bundle(s) attached")
    if not one.begun:
        yield tr("首次登记", "first put on record")
    elif one.versions:
        yield tr(f"登记改 {len(one.versions)} 次", f"{len(one.versions)} new version(s)")


def _word(word: str) -> str:
    return verdicts(lang())[word]


def _titles() -> dict[str, str]:
    titles = {
        "id": tr("编号", "ID"),
        "customer": tr("用户名称", "customer"),
        "worse": tr("变差", "got worse"),
        "opened": tr("新发现", "opened"),
        "worsened": tr("加重", "worsened"),
        "improved": tr("减轻", "improved"),
        "closed": tr("闭环", "closed"),
        "waived": tr("豁免", "waived"),
        "open_then": tr("当时未闭环", "open then"),
        "open_now": tr("现未闭环", "open now"),
    }
    for n in CLAUSES:
        number = clause_number(n, lang())
        titles[f"clause_{n}_then"] = tr(f"{number} 当时", f"{number} then")
        titles[f"clause_{n}_now"] = tr(f"{number} 现在", f"{number} now")
    return {
        **titles,
        "evidence": tr("新附证据", "bundles attached"),
        "versions": tr("登记新版本", "new versions"),
        "first_look": tr("无从比较", "nothing to compare with"),
    }


def _row(one: Changed) -> list[Cell]:
    found = one.findings
    words = [word for n in CLAUSES for word in one.clauses.get(n, ("none", "none"))]
    return [
        one.record.id,
        str(masked(one.record.customer)),
        one.worsened,
        *(len(getattr(found, name)) for name in _LISTS),
        found.then,
        found.now,
        *(Word(word, _word(word)) for word in words),
        len(one.evidence),
        len(one.versions),
        bool(one.evidence) and not one.compared,
    ]


def _plain(one: Changed) -> dict[str, Any]:
    lists: Mapping[str, Sequence[Life]] = {n: getattr(one.findings, n) for n in _LISTS}
    return {
        "pledge": one.record.id,
        "customer": masked(one.record.customer),
        "first": not one.begun,
        "worse": one.worsened,
        "first_look": bool(one.evidence) and not one.compared,
        "clauses": {n: {"then": was, "now": word} for n, (was, word) in one.clauses.items()},
        "findings": {
            "open_then": one.findings.then,
            "open_now": one.findings.now,
            **{
                # which of them, with their verdict now
                {"worse": "worsened", "better": "improved"}.get(name, name): [
                    {
                        "control": life.control,
                        "number": life.number,
                        "host": life.host,
                        "verdict": str(life.verdict),
                        "owner": masked(life.owner) or None,
                    }
                    for life in lives
                ]
                for name, lives in lists.items()
            },
        },
        "evidence": [each.sequence for each in one.evidence],
        "versions": [each.number for each in one.versions],
    }
