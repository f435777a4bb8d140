"""What `pledge notice` would give notice of, and how what it gave is taken back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.commands.pledge.changes import undoing
from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.workflows.desk.noticing import Asked, Made, made
from collector.errors import BadInput, one_line
from collector.i18n.message import in_chinese
from collector.pledges.record.notices import Notice, last_given

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

# of pledges that nothing is said of, or that could not be read, so many are named
_NAMED = 5
# of a table that is only looked at
_SHOWN = 40
# of who has no address so many are named
_ADDRESSES = 20


@dataclass(slots=True)
class Sent:
    """The notices of one command, and the pledges of which there was none."""

    on_record: bool
    written: list[dict[str, str]] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def named_already(self, id: str, notice: Made) -> None:
        """Keeps what a notice that stands already told its customer to mend, and what is late."""
        if notice.late:
            said = tr(
                f"{id}：{len(notice.late)} 项已逾期（最早原期限 {min(notice.late)}），"
                "通知书写明原期限与新期限",
                f"{id}: {len(notice.late)} finding(s) are late already (the first was due "
                f"{min(notice.late)}): the notice says both their day and the new one",
            )
            self.late.append(one_line(said, 300))
        every = len(Notice(notice.entry).named)
        for number, named in notice.again:
            said = tr(
                f"{id}：{every} 项中 {named} 项已在 {number} 号通知书中",
                f"{id}: {named} of {every} are named by the notice {number} already",
            )
            self.again.append(one_line(said, 300))

    def none(self, register: Register, id: str) -> None:
        """Where nobody ever looked, that there is nothing to give notice of says nothing."""
        found = self.nothing if register.evidence(id) else self.unseen
        found.append(id)

    def not_given(self, register: Register, id: str, problem: BadInput, asked: Asked) -> None:
        """Why none was: of who was given no notice, there is none to look at again."""
        if asked.recheck and not asked.since:
            with suppress(BadInput):
                if last_given(register.get(id)) is None:
                    self.unnoticed.append(id)
                    return
        self.not_read(id, problem)

    def not_read(self, id: str, problem: BadInput) -> None:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        # what names it already needs no name before it
        head = "" if problem.where == id else f"{id}: "
        self.unread.append(f"{head}{one_line(said, 600)}")

    def status(self, location: str | None) -> int:
        """Says it; 0, or 2 where of several pledges one could not be read."""
        self.say()
        nothing = [*self.nothing, *self.unseen]
        answer(notices=self.written, nothing=nothing, on_record=self.on_record)
        answer(standing=self.standing, ended=self.ended, without_evidence=self.unseen)
        if self.on_record:
            _tell_back(self.written, location)
        return 2 if self.unread else 0

    def say(self) -> None:
        """A few by name; hundreds are counted."""
        count = len(self.nothing)
        for id in self.nothing if count <= _NAMED else ():
            said = tr(f"{id}：没有可通知的问题", f"{id}: nothing to give notice of")
            click.echo(said, err=True)
        if count > _NAMED:
            said = tr(
                f"{count} 份登记没有可通知的问题", f"{count} pledges: nothing to give notice of"
            )
            click.echo(said, err=True)
        if blind := len(self.unseen):
            names = tr("、", ", ").join(self.unseen[:_NAMED]) + (" …" if blind > _NAMED else "")
            said = tr(
                f"{blind} 份登记尚无证据，不知有无问题，未生成：{names}",
                f"{blind} pledge(s) have no evidence, and nobody knows what there is to mend; none "
                f"is given: {names}",
            )
            click.echo(said, err=True)
        if count := len(self.unnoticed):
            said = tr(
                f"{count} 份登记没有整改通知书，也没有整改期限，未复查",
                f"{count} pledge(s) were given no notice to mend, and have no day to mend by: none "
                "is looked at again",
            )
            click.echo(said, err=True)
        if told := len(self.standing):
            said = tr(
                f"{told} 份登记的问题都已在有效的通知书中，未再生成（仍要再发的加 --again）",
                f"{told} pledge(s) were told all of it by notices that stand: none is given again "
                "(--again gives it)",
            )
            click.echo(said, err=True)
        for line in self.late[:_NAMED]:
            click.echo(line, err=True)
        if (rest := len(self.late) - _NAMED) > 0:
            said = tr(f"… 另有 {rest} 份含已逾期的", f"… {rest} more have findings that are late")
            click.echo(said, err=True)
        for line in self.again[:_NAMED]:
            click.echo(line, err=True)
        if (rest := len(self.again) - _NAMED) > 0:
            said = tr(
                f"… 另有 {rest} 处已在别的通知书中", f"… {rest} more are named by other notices"
            )
            click.echo(said, err=True)
        for line in self.unread[:_NAMED]:
            click.echo(line, err=True)
        if (rest := len(self.unread) - _NAMED) > 0:
            more = tr(f"… 另有 {rest} 份未能生成", f"… {rest} more could not be made")
            click.echo(more, err=True)


def show(
    register: Register,
    ids: Sequence[str],
    asked: Asked,
    now: datetime,
    ended: Sequence[str] = (),
) -> int:
    """Who would be given notice of what, and who has no address; nothing is made or written."""
    from collector.pledges.record.masking import masked

    found = Sent(on_record=False)
    told: list[dict[str, Any]] = []
    grid = Grid(
        tr("登记", "pledge"),
        tr("用户", "customer"),
        tr("文号", "number"),
        tr("问题", "findings"),
        tr("最早期限", "first day"),
    )
    addresses = _Addresses()
    for id in ids:
        try:
            notice = made(register, id, asked, now, html=True)
        except BadInput as problem:
            if len(ids) == 1:
                raise
            found.not_given(register, id, problem, asked)
            continue
        if notice is None:
            found.none(register, id)
            continue
        if notice.stands:
            found.standing.append(id)
            continue
        found.named_already(id, notice)
        record = register.get(id)
        one = _plain(id, notice) | {"has": addresses.take(record)}
        if len(told) < _SHOWN:
            customer = str(masked(record.customer))
            day = one["first_day"] or "-"
            grid.add_row(id, customer, one["number"], str(one["findings"]), day)
        told.append(one)
    found.say()
    nothing = [*found.nothing, *found.unseen]
    answer(check=True, notices=told, nothing=nothing, on_record=False)
    answer(without_evidence=found.unseen)
    answer(standing=found.standing, ended=list(ended))
    answer(without_contact=addresses.nobody, without_email=addresses.no_mail)
    if told:
        out(grid.drawn(room()))
    if (rest := len(told) - _SHOWN) > 0:
        out(tr(f"… 另有 {rest} 份\n", f"… {rest} more\n"))
    _say_sum(told, addresses)
    return 2 if found.unread else 0


def _say_sum(told: Sequence[dict[str, Any]], addresses: _Addresses) -> None:
    findings = sum(one["findings"] for one in told)
    out(
        tr(
            f"将生成 {len(told)} 份通知书，所列问题 {findings} 项（只检查，未写入）\n",
            f"{len(told)} notice(s) would be given, of {findings} finding(s) (nothing is "
            "written)\n",
        )
    )
    for line in addresses.lines():
        out(line + "\n")


@dataclass(slots=True)
class _Addresses:
    """To whom a notice can be sent, and how: by the contact of the record, or its officer."""

    nobody: list[str] = field(default_factory=list)
    no_mail: list[str] = field(default_factory=list)

    def take(self, record: PledgeRecord) -> list[str]:
        """Of `phone` and `email`, what is there."""
        known = [record.document.get(who, {}) for who in ("safety_contact", "security_officer")]
        has = [word for word in ("phone", "email") if any(word in one for one in known)]
        if not has:
            self.nobody.append(record.id)
        elif "email" not in has:
            self.no_mail.append(record.id)
        return has

    def lines(self) -> Iterator[str]:
        if self.nobody:
            count, names = len(self.nobody), _some(self.nobody)
            yield tr(
                f"其中 {count} 份登记没有联系电话和邮箱，无从送达：{names}",
                f"{count} of them have neither phone nor mail on record: {names}",
            )
        if self.no_mail:
            count, names = len(self.no_mail), _some(self.no_mail)
            yield tr(
                f"其中 {count} 份登记有联系电话，没有邮箱：{names}",
                f"{count} of them have a phone and no mail on record: {names}",
            )


def _some(ids: Sequence[str]) -> str:
    names = tr("、", ", ").join(ids[:_ADDRESSES])
    return names + (" …" if ids[_ADDRESSES:] else "")


def _plain(id: str, notice: Made) -> dict[str, Any]:
    entry = notice.entry
    rows = entry["findings"]
    days = [row["mend_by"] for row in rows if row.get("mend_by")]
    return {
        "pledge": id,
        "number": entry["number"],
        "kind": entry["kind"],
        "findings": sum(len(row["hosts"]) for row in rows),
        "first_day": min(days, default=None),
        "late": len(notice.late),
        "of": entry.get("of"),
        "named_already": [{"number": n, "findings": count} for n, count in notice.again],
    }


def tell_void(notices: Sequence[dict[str, str]], location: str | None) -> None:
    """Notices whose evidence is void now: what nobody else saw they ask for no more."""
    numbers = ", ".join(one["number"] for one in notices)
    said = tr(
        f"已发的通知书以它为据：{numbers}；其所列而别的证据未见的，不再计为未闭环或逾期。撤回并告知用户：",
        f"notices were given of it: {numbers}; what they name and no other evidence shows counts "
        "as neither open nor late any more. To withdraw them, so that the customer is told:",
    )
    for line in (said, _back(notices, location)):
        click.echo(line, err=True)


def _tell_back(written: Sequence[dict[str, str]], location: str | None) -> None:
    """How they are taken back: a command to copy."""
    if not written:
        return
    lines = [_back([one], location) for one in written]
    every = _back(written, location)
    answer(undo=lines, undo_all=every)
    said = tr(
        "误发的撤回（登记中仍可查）；只撤回其中几份的，删去其余的编号与文号：",
        "to take back what was a mistake (it stays on record); leave out the ids and numbers of "
        "those that were none:",
    )
    if len(lines) == 1:
        said = tr("误发的撤回（登记中仍可查）：", "to take it back (it stays on record):")
    # standard output has the names of files alone; not wrapped: it is copied
    for line in (said, every):
        click.echo(line, err=True)


def _back(notices: Sequence[dict[str, str]], location: str | None) -> str:
    why, who = tr("理由", "WHY"), tr("经办人", "NAME")
    pairs = [word for one in notices for word in (one["pledge"], one["number"])]
    words = ["hostpledge", "pledge", "withdraw-notice", *pairs, "--reason", why, "--by", who]
    return shlex.join([*words, *undoing.register_words(location)])
