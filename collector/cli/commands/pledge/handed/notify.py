"""`hostpledge pledge notify`: tells each responsible person what is late, or falls due."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import private
from collector.cli.options.answering import answer, answering
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option, say_doubts
from collector.cli.options.times import Ahead
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import one_line
from collector.pledges.record.times import to_the_end
from collector.resources import home_place

if TYPE_CHECKING:
    from collector.cli.workflows.desk.digests import Item
    from collector.cli.workflows.desk.letting_go import DueNow
    from collector.notify.outbox import Message, Outbox
    from collector.notify.settings import Person
    from collector.pledges.register.register import Register


@click.command(
    help=tr(
        "告知各责任人其逾期与即将到期的问题、登记的其他期限，以及待收用的用户提交：按设置文件以邮件"
        "（SMTP）、企业微信、"
        "钉钉或飞书发送。每项在到期前与逾期后各告知一次，不重复；失败的下次再试，间隔渐长；"
        "可能已发出而未得确认的予以列出，--again 才重发。\n\n"
        "退出码：0 全部送达或无可告知；1 有未送达的；2 无法完成。",
        "Tells each responsible person which of their findings are late or fall due, and what else "
        "of the records does, and what customers handed in that waits: by mail (SMTP), WeCom, "
        "DingTalk or Feishu, as the settings say. "
        "Each is told once before it is due and once when it is late. What failed is tried again, "
        "each time later; what may have been sent, and was not confirmed, is named, and sent anew "
        "with --again alone.\n\nExit status: 0 all was taken, or there is nothing to tell; 1 "
        "something was not; 2 the command could not do its work.",
    )
)
@click.option(
    "--settings",
    "file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "通知谁、以何渠道（YAML，权限 0600；默认用户数据目录中的 notify.yml）",
        "whom by which channel (YAML, mode 0600; default: notify.yml of the user's data folder)",
    ),
)
@click.option(
    "--within",
    type=Ahead(),
    default="7d",
    show_default=True,
    metavar="TIME",
    help=tr("多久之内到期，如 7d", "how far ahead to look, e.g. 7d"),
)
@click.option(
    "--notices",
    "folder",
    type=FilePath(path_type=Path, file_okay=False),
    metavar="DIR",
    help=tr(
        "整改通知书（pledge notice 所写 PDF）所在目录：与登记摘要相符的随邮件附上",
        "folder with notices to mend (PDF of `pledge notice`): those whose digest is on record go "
        "with the mail",
    ),
)
@click.option(
    "--dry-run",
    is_flag=True,
    help=tr(
        "只显示内容，不发送；最后汇总各渠道几条、涉及几份登记，以及哪些发不出、为何",
        "show the text, send nothing; ends with how many go by which channel, of how many pledges, "
        "and what cannot be sent, and why",
    ),
)
@click.option(
    "--again",
    is_flag=True,
    help=tr(
        "重发可能已发出而未得确认的（对方可能收到两次）",
        "send anew what may have been sent and was not confirmed (it may come twice)",
    ),
)
@register_option
@lang_option
@answering("pledge-notify")
def notify(
    *,
    file: Path | None,
    within: timedelta,
    folder: Path | None,
    dry_run: bool,
    again: bool,
    location: str | None,
) -> int:
    from collector.cli.commands.pledge.handed import rehearsal, untold
    from collector.cli.workflows.desk.digests import handed_in, items, shared_out, silent
    from collector.cli.workflows.desk.letting_go import due_now, let_go, outbox_of
    from collector.cli.workflows.desk.namesakes import Namesakes
    from collector.cli.workflows.desk.sound import sound
    from collector.cli.workflows.desk.telling import let_go_of
    from collector.cli.workflows.desk.withdrawing import gone
    from collector.cli.workflows.handed.damaged import say_damaged
    from collector.cli.workflows.handed.given import of_today
    from collector.cli.workflows.handed.waiting import place, undecided
    from collector.notify import sending
    from collector.notify.settings import load

    people = load(file or home_place() / "notify.yml")
    now = datetime.now(UTC)
    register = open_register(location)
    found, doubts = items(register, now, to_the_end(within, now))
    places = place(register, location)
    found += handed_in(register, of_today(register, places, undecided(places)))
    namesakes = Namesakes(sound(register)[0], people, register.begun())
    doubted = any(
        [say_damaged(places), say_doubts(doubts, register), untold.say_unknown(namesakes)]
    )
    _, left = shared_out(found, people, namesakes)
    untold.say(found, left, people, namesakes)
    outbox, until = outbox_of(register, location), to_the_end(within, now)
    if dry_run:
        due = due_now(outbox, register, people, namesakes, found, until, now)
        fresh, _ = _new(outbox, register, people, due, folder, now, again=again)
        return rehearsal.Rehearsal(fresh, people, outbox, now).show(left)
    sending.check()
    with outbox.held():
        outbox.belongs_to(register.name(), register.where, claim=True)
        due = due_now(outbox, register, people, namesakes, found, until, now)
        fresh, dead = _new(outbox, register, people, due, folder, now, again=again)
        for message, files in fresh:
            outbox.put(message, files)
        anew = let_go_of(outbox, people, dead)
        # read now: what was disposed of while we looked is told to nobody
        let_go(outbox, register.emptied(), now)
        over = silent(register, now)
        went = _send_all(outbox, people, now, gone(register), over, due.is_over, again=again)
        went.anew += [f"{one.id} → {one_line(one.to)}" for one in anew]
    _tell(went)
    answer(**{name: getattr(went, name) for name in _Went.__slots__}, left=len(left))
    return (
        0 if not (left or doubted or went.refused or went.later or went.unsure or went.lost) else 1
    )


@dataclass(slots=True)
class _Went:
    """Names of messages, `ID to NAME by CHANNEL`, by what became of them."""

    sent: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    # by channels that are gone, and told anew
    anew: list[str] = field(default_factory=list)

    @property
    def missing(self) -> bool:
        """Is there anything that was not taken?"""
        return bool(self.refused or self.later or self.unsure or self.lost)


def _new(
    outbox: Outbox,
    register: Register,
    people: Mapping[str, Person],
    due: DueNow,
    folder: Path | None,
    now: datetime,
    *,
    again: bool,
) -> tuple[list[tuple[Message, list[bytes]]], Mapping[str, Sequence[str]]]:
    """The messages about what nobody was told of yet, or not by all channels; and `Told.dead`."""
    from collector.cli.workflows.desk.digests import messages, notices
    from collector.cli.workflows.desk.telling import begun_with, told
    from collector.cli.workflows.desk.withdrawing import withdrawals

    key, begun = outbox.key(), due.begun
    known = told(outbox, people, begun, now, again=again)
    found: list[tuple[Message, list[bytes]]] = []
    for name, every in due.given.items():
        person = people[name]
        channels = person.known_by(key)
        by: dict[tuple[str, ...], list[Item]] = {}
        for one in every:
            wanted = known.wanted(name, channels, one.key, near=one.key in due.near)
            by.setdefault(wanted, []).append(one)
        for wanted, some in by.items():
            if not wanted:
                continue
            ids = list(dict.fromkeys(one.pledge for one in some))
            files = notices(register, folder, ids) if folder is not None else {}
            said = person.lang or lang()
            found += messages(person.only(wanted, key), some, said, now, files, wanted)
    found += withdrawals(register, outbox, folder, begun)
    return [(begun_with(message, begun), files) for message, files in found], known.dead


def _send_all(
    outbox: Outbox,
    people: Mapping[str, Person],
    now: datetime,
    gone: Collection[str] = (),
    silent: Collection[str] = (),
    is_over: Callable[[Message, str], bool] = lambda _, __: False,
    *,
    again: bool,
) -> _Went:
    """`gone`: the digests of notices that were withdrawn, which go with nothing any more.

    `silent`: pledges of which nothing falls due any more; `is_over`: what else is to be said no
    more of a message.
    """
    from collector.cli.workflows.desk.letting_go import to_be_said
    from collector.cli.workflows.desk.telling import place_of

    went = _Went()
    key = outbox.key()
    for whole in outbox.messages():
        message = to_be_said(outbox, whole, silent, now, is_over)
        if message is None:
            continue
        for channel in message.channels:
            state: str = outbox.state(message, channel, now)
            if state == "done":
                continue
            place = place_of(people, key, message.to, channel)
            if place is None:
                missed = went.unsure if state == "unsure" else went.lost
                missed.append(f"{message.id} → {one_line(message.to)}")
                continue
            person, number = place
            name = f"{message.id} → {one_line(message.to)} ({person.scheme(number)})"
            if state == "unsure" and again:
                outbox.forget(message, channel)
                state = "new"
            if state == "new":
                state, why = _send(outbox, message, channel, person, number, gone)
                name += f": {why}" if why else ""
            getattr(went, state).append(name)
    return went


def _send(
    outbox: Outbox,
    message: Message,
    channel: str,
    person: Person,
    number: int,
    gone: Collection[str],
) -> tuple[str, str]:
    """What became of it, and why it was not taken, for people."""
    from collector.cli.workflows.desk.telling import why_not
    from collector.notify import sending

    by_mail = person.scheme(number).startswith("mailto")
    borne = [one for one in message.files if by_mail and one[1] not in gone]
    digests = [sha256 for _, sha256 in borne]
    with private.set_aside() as aside:
        files = []
        for name, sha256 in borne:
            # under the name that it is to have
            files.append(aside / Path(name).name)
            try:
                files[-1].write_bytes(outbox.file(sha256).read_bytes())
            except FileNotFoundError:
                outbox.ended(message, channel, "refused", datetime.now(UTC), digests, "file")
                return "refused", why_not("file").to(lang())
        # last of all: what fails before is no sending
        outbox.begin(message, channel, digests)
        outcome, why = sending.send(person.channels[number], message.subject, message.body, files)
    outbox.ended(message, channel, outcome, datetime.now(UTC), digests, why)
    return outcome, why_not(why).to(lang())


def _tell(went: _Went) -> None:
    words = {
        "sent": tr("已送达", "taken"),
        "refused": tr("未送达，下次再试", "not taken, tried again later"),
        "later": tr("未到重试时间", "not to be tried again yet"),
        "unsure": tr(
            "可能已发出，未得确认，不重发（--again 重发）",
            "may have been sent, not confirmed, and is not sent again (--again does)",
        ),
        "lost": tr("设置文件中已无此渠道", "has no channel in the settings any more"),
        "anew": tr(
            "设置文件中已无此渠道，未曾送达：其中仍应告知的，按现有设置重新告知",
            "has no channel in the settings any more, and never came: what there is still to tell "
            "of it is told anew, as the settings are now",
        ),
    }
    for state, said in words.items():
        for name in getattr(went, state):
            line = f"{name}: {said}"
            if state == "sent":
                out(line + "\n")
            else:
                click.echo(line, err=True)
    if not any(getattr(went, state) for state in words):
        click.echo(tr("没有可告知的", "there is nothing to tell"), err=True)
