"""`hostpledge pledge assign` of many findings at once: one new version of each record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge import found_rows
from collector.cli.commands.pledge.changes import undoing
from collector.cli.options.answering import answer
from collector.cli.options.findings import Asked, is_named
from collector.cli.ui.columns import out
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.record.changes import Entries
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Life

# of a table that is only looked at
_SHOWN = 40


def assign_many(
    register: Register,
    pledges: Sequence[str],
    asked: Asked,
    given: Mapping[str, str] | None,
    now: datetime,
    *,
    check: bool,
    location: str | None = None,
) -> int:
    """Gives every open finding that is asked for to somebody; without `given`: to nobody.

    `location` is what the register was named by. 2 where a pledge could not be read: the others
    are done.
    """
    found = found_rows.Found(register, pledges, now)
    rows = _given_out(found.shown(asked, "--whose"), asked)
    by_pledge: dict[str, list[Life]] = {}
    for record, life in rows:
        by_pledge.setdefault(record.id, []).append(life)
    if given is not None and "owner" not in given:
        without = sum(not life.owner for _, life in rows)
        if without:
            raise BadInput(
                tr(f"{without} 项还没有责任人", f"{without} of them have no owner yet"),
                where="--owner",
                mend=tr("一并给出 --owner", "give --owner with it"),
            )
    done: list[dict[str, Any]] = []
    # what the record says when it is written, which may be later than what was looked at
    before: dict[_Key, Mapping[str, Any]] = {}
    begun = datetime.now(UTC)
    written: list[Version] = []
    for id, lives in by_pledge.items():
        change = partial(_changed, lives=lives, given=given, now=now, before=before)
        version = None
        if check:
            change(register.get(id))
        else:
            written.append(register.change(id, change))
            version = written[-1].number
        done.append({"pledge": id, "version": version, "findings": _named(lives)})
    changes = [_Given(row, before[_key(row)], given) for row in rows]
    losers = Counter(one.loser for one in changes if one.loser)
    answer(
        check=check,
        pledges=done,
        taken_over=[{"owner": who, "findings": n} for who, n in losers.most_common()],
        changes=[one.plain() for one in changes],
    )
    if check and rows:
        out(_table(changes[:_SHOWN]))
        if len(rows) > _SHOWN:
            rest = len(rows) - _SHOWN
            out(tr(f"… 另有 {rest} 项\n", f"… {rest} more\n"))
    out(_said(len(rows), len(done), given, check=check) + _by_verdict(rows))
    if losers:
        out(_taken(losers, len(rows), given, check=check))
    undoing.tell([one for one in written if one.added_at >= begun], location, ["follow_ups"])
    return 2 if found.status() == 2 else 0


def _given_out(rows: Sequence[found_rows.Row], asked: Asked) -> Sequence[found_rows.Row]:
    """Of veto controls those that fail, as `pledge list --veto` has it; what is left is told."""
    left = Counter[str]()
    if asked.veto and not asked.verdicts:
        left = Counter(str(life.verdict) for _, life in rows if not life.fails)
        rows = [row for row in rows if row[1].fails]
    answer(left=dict(left))
    if count := left.total():
        said = _verdicts(left)
        click.echo(
            tr(
                f"另有 {count} 项一票否决项的问题并非查明的不符合，不在其中：{said}（用 --verdict "
                "指明则在其中）",
                f"{count} more of veto controls, not seen to fail: {said} (--verdict takes them)",
            ),
            err=True,
        )
    return rows


_Key = tuple[str, str, str]


def _key(row: found_rows.Row) -> _Key:
    record, life = row
    return record.id, life.control, life.host


def _changed(
    record: PledgeRecord,
    lives: Sequence[Life],
    given: Mapping[str, str] | None,
    now: datetime,
    before: dict[_Key, Mapping[str, Any]],
) -> PledgeRecord:
    """`before` is filled with what the record said of each."""
    from collector.pledges.record.changes import followed_up
    from collector.pledges.record.times import CHINA
    from collector.pledges.status.arranged import follow_up

    entries: dict[tuple[str, str], Mapping[str, Any] | None] = {}
    for life in lives:
        # what is said for all hosts holds for this one, where nothing else is said now
        held = follow_up(record, life.control, life.host)
        before[record.id, life.control, life.host] = held
        kept = {word: held[word] for word in ("owner", "due", "note") if word in held}
        entries[life.control, life.host] = None if given is None else {**kept, **given}
    made: Entries = entries
    return followed_up(record, made, today=now.astimezone(CHINA).date())


@dataclass(frozen=True, slots=True)
class _Given:
    """A finding that is given to somebody, and the follow-up that it had before."""

    row: found_rows.Row
    held: Mapping[str, Any]
    given: Mapping[str, str] | None

    def _raw(self, word: str) -> tuple[str, str]:
        was = str(self.held.get(word, ""))
        return was, "" if self.given is None else self.given.get(word, "") or was

    def changed(self, word: str) -> tuple[str, str]:
        """What `word` was and is; masked."""
        from collector.pledges.record.masking import masked

        was, now = self._raw(word)
        return str(masked(was)), str(masked(now))

    @property
    def loser(self) -> str:
        """From whom it is taken; empty where it was nobody's, or stays with whom it was."""
        was, now = self._raw("owner")
        return "" if is_named(was, now) or is_named(now, was) else self.changed("owner")[0]

    def plain(self) -> dict[str, Any]:
        id, control, host = _key(self.row)
        said = {word: _pair(*self.changed(word)) for word in ("owner", "due")}
        return {"pledge": id, "control": control, "host": host, **said}


def _pair(was: str, now: str) -> dict[str, str | None]:
    return {"before": was or None, "after": now or None}


def _table(changes: Sequence[_Given]) -> str:
    """As they would be: whose they were, and until when."""
    nobody = tr("未指定", "nobody")
    grid = Grid(
        tr("登记", "pledge"),
        tr("主机", "host"),
        tr("核查项", "control"),
        tr("责任人", "owner"),
        tr("期限", "due"),
    )
    for one in changes:
        record, life = one.row
        owner = _arrow(*(who or nobody for who in one.changed("owner")))
        due = _arrow(*(day or "-" for day in one.changed("due")))
        what = f"{life.number} {life.title.to(lang())}"
        grid.add_row(record.id, life.host, what, owner, due)
    return grid.drawn(room())


def _arrow(was: str, now: str) -> str:
    return now if was == now else f"{was} → {now}"


def _taken(
    losers: Counter[str], findings: int, given: Mapping[str, str] | None, *, check: bool
) -> str:
    """From whom they are, or were, taken, and how not to."""
    names = tr("、", ", ").join(f"{one_line(who)} {n}" for who, n in losers.most_common())
    count = losers.total()
    if given is None:
        return tr(
            f"{findings} 项中 {count} 项原有责任人：{names}\n",
            f"{count} of {findings} had an owner: {names}\n",
        )
    if check:
        return tr(
            f"{findings} 项中 {count} 项已有其他责任人：{names}（加 --unowned 则不动它们）\n",
            f"{count} of {findings} have another owner already: {names} "
            "(--unowned leaves them alone)\n",
        )
    return tr(
        f"{findings} 项中 {count} 项由他人转来：{names}（加 --unowned 则不动这类问题）\n",
        f"{count} of {findings} were taken over: {names} (--unowned leaves such alone)\n",
    )


def _by_verdict(rows: Sequence[found_rows.Row]) -> str:
    """Who asks for open findings has what could not be verified with what fails."""
    counts = Counter(str(life.verdict) for _, life in rows)
    answer(verdicts=dict(counts))
    if len(counts) < 2:
        return ""
    said = _verdicts(counts)
    return tr(
        f"其中 {said}（--verdict 只取一种）\n",
        f"of them {said} (--verdict takes one kind)\n",
    )


def _verdicts(counts: Counter[str]) -> str:
    from collector.catalog import words

    known = words()["verdict"]
    each = (f"{known[word].to(lang())} {count}" for word, count in counts.most_common())
    return tr("，", ", ").join(each)


def _named(lives: Sequence[Life]) -> list[dict[str, str]]:
    return [{"control": life.control, "host": life.host} for life in lives]


def _said(findings: int, pledges: int, given: Mapping[str, str] | None, *, check: bool) -> str:
    if not findings:
        click.echo(tr("没有符合条件的未闭环问题", "no open finding is so"), err=True)
    what = told(given)
    if check:
        return tr(
            f"将改 {findings} 项问题、{pledges} 份登记：{what}（只检查，未写入）\n",
            f"{findings} finding(s) of {pledges} pledge(s) would be: {what} (nothing is written)\n",
        )
    return tr(
        f"已改 {findings} 项问题、{pledges} 份登记：{what}\n",
        f"{findings} finding(s) of {pledges} pledge(s): {what}\n",
    )


def told(entry: Mapping[str, Any] | None) -> str:
    """What is said of a follow-up, or of none."""
    if entry is None:
        return tr("已取消指定", "nobody's any more")
    owner, due = entry.get("owner"), entry.get("due")
    parts = [
        tr(f"责任人 {owner}", f"owner {owner}") if owner else "",
        (tr(f"期限 {due}", f"by {due}")) if due else "",
    ]
    said = tr("，", ", ").join(part for part in parts if part)
    return said or tr("说明已改", "the remark")
