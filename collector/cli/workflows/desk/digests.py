"""What each responsible person is told: findings and deadlines, and which of it is new to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from collector import captures
from collector.cli.workflows.desk.sound import sound
from collector.errors import BadInput, CollectorError, one_line
from collector.model import Text
from collector.notify.outbox import Message
from collector.notify.settings import EVERYBODY, Person
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.record.masking import masked
from collector.pledges.record.people import plain_name
from collector.pledges.record.times import CHINA, waiver_end

if TYPE_CHECKING:
    from collector.cli.workflows.desk.namesakes import Namesakes
    from collector.handin.quarantine import Receipt
    from collector.pledges.database.rows import Evidence
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

# bytes of one message: WeCom takes 2,048 of them in all, mail any number
_LONGEST = {"wecombot": 1800}
_ELSE = 12_000
_LARGEST_FILE = 20 << 20
# bytes of the files that one message bears, where it bears several: mail servers take 10 MiB, and
# a third is added on the way
_MOST_FILES = 7 << 20
# of what is one of these nothing falls due
_SILENT = ("draft", "disposed", "ended")


# how the keys of what falls due end
_LATE, _DUE = "|late", "|due"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that falls due, or is late; `key` is of what it is, and of when, not of its words.

    `owner` is empty for what is nobody's by name.
    """

    key: str
    pledge: str
    owner: str
    at: datetime
    late: bool
    text: Text


def items(
    register: Register, now: datetime, within: timedelta
) -> tuple[list[Item], Sequence[BadInput]]:
    """Of all pledges in force, the earliest first; and what of the register is not proven."""
    from collector.pledges.due import lifecycle

    every, wrong = sound(register)
    renewed = lifecycle.continued(every)
    attached, doubts = register.newest_and_doubts()
    today = now.astimezone(CHINA).date()
    found: list[Item] = []
    for record in every:
        again = record.id in renewed
        if lifecycle.state(record, today, renewed=again) in _SILENT:
            continue
        found += _of_findings(register, record, now, within)
        newest = attached.get(record.id, ())
        found += _of_record(record, newest, now, within, renewed=again)
    return sorted(found, key=lambda one: (one.at, one.key)), (*wrong, *doubts)


def falls_due(key: str) -> bool:
    """Is that the key of what falls due, or is late? Not of a hand-in, or a withdrawal."""
    return key.endswith((_LATE, _DUE))


def silent(register: Register, now: datetime) -> frozenset[str]:
    """The pledges of which nothing falls due, whatever fell due once."""
    from collector.pledges.due import lifecycle

    every, _ = sound(register)
    renewed, today = lifecycle.continued(every), now.astimezone(CHINA).date()
    return frozenset(
        one.id for one in every
        if lifecycle.state(one, today, renewed=one.id in renewed) in _SILENT
    )  # fmt: skip


def _of_findings(
    register: Register, record: PledgeRecord, now: datetime, within: timedelta
) -> Iterator[Item]:
    """Where bundles cannot be read, nobody knows what was mended: that alone is told, to nobody's

    name, for its owner may have mended it.
    """
    from collector.pledges.standing.came_back import CameBack
    from collector.pledges.standing.found_now import lives_now

    until = now + within
    ends = [waiver_end(e["due"]) for e in record.document.get("follow_ups", ()) if "due" in e]
    if not any(end <= until for end in ends):
        return
    try:
        # how it came to be open is told by all of it, and not by the newest look alone
        lives = lives_now(register, record, now)
        back = CameBack(register, record.id)
        found = [
            (life, back.word(life), life.due)
            for life in lives
            if life.state == "open" and life.due is not None and life.due <= until
        ]
    except DatabaseAwayError:
        raise
    except CollectorError:
        every = register.every_evidence(record.id, hold=False)
        yield _unread(record, every[-1].sequence if every else 0, now)
        return
    for life, again, due in found:
        title = Text(f"{life.number} {life.title.zh}", f"{life.number} {life.title.en}")
        # what came back has another name, and is told again
        place = f"{life.control}|{life.host}{again}"
        yield _of_finding(record, place, life.host, title, life.owner, due, now)


def _unread(record: PledgeRecord, newest: int, now: datetime) -> Item:
    """Told once, and again of other evidence; that nobody can look is no deadline."""
    said = Text(
        "其问题是否已整改、是否逾期，不得而知",
        "whether its findings are mended, or late, is not known",
    )
    zh = f"[证据包无法读取] {record.id} {record.customer} {said.zh}"
    en = f"[bundles cannot be read] {record.id} {record.customer}: {said.en}"
    text = Text(one_line(str(masked(zh))), one_line(str(masked(en))))
    return Item(f"{record.id}|unread|{newest}||late", record.id, "", now, True, text)


def _of_finding(
    record: PledgeRecord,
    place: str,
    host: str,
    title: Text,
    owner: str,
    at: datetime,
    now: datetime,
) -> Item:
    what = Text(f"{title.zh} @ {host}", f"{title.en} @ {host}")
    return _item(record, f"finding|{place}", owner, at, now, what)


def _of_record(
    record: PledgeRecord,
    newest: Sequence[Evidence],
    now: datetime,
    within: timedelta,
    *,
    renewed: bool,
) -> Iterator[Item]:
    from collector.pledges.due.kinds import WORDS
    from collector.pledges.standing.due import due

    # its findings are told with their owners
    for one in due(record, newest, now, within=within, renewed=renewed, lives=()):
        word = WORDS[one.kind]
        what = Text(_headed(word.zh, "：", one.text.zh), _headed(word.en, ": ", one.text.en))
        yield _item(record, f"{one.kind}|{one.about}", "", one.at, now, what)


def _headed(word: str, colon: str, text: str) -> str:
    """What it is, before its text; unless that begins with it."""
    return text if text.casefold().startswith(word.casefold()) else f"{word}{colon}{text}"


def _item(
    record: PledgeRecord, name: str, owner: str, at: datetime, now: datetime, what: Text
) -> Item:
    late = at <= now
    day = at.astimezone(CHINA).date().isoformat()
    zh = f"[{'逾期' if late else '到期'} {day}] {record.id} {record.customer} {what.zh}"
    en = f"[{'overdue' if late else 'due'} {day}] {record.id} {record.customer} {what.en}"
    text = Text(one_line(str(masked(zh))), one_line(str(masked(en))))
    return Item(
        f"{record.id}|{name}|{day}{_LATE if late else _DUE}", record.id, owner, at, late, text
    )


def handed_in(register: Register, waiting: Sequence[Receipt]) -> Iterator[Item]:
    """What customers handed in and nobody decided on: it proves nothing, and is told of once."""
    for one in waiting:
        try:
            record = register.get(one.pledge)
        except CollectorError:
            # of another register that has its hand-ins here; intake says so
            continue
        day = one.received_at.astimezone(CHINA).date().isoformat()
        zh = f"[待收用 {day}] {record.id} {record.customer} 用户提交 {one.id}：{one.host}"
        en = f"[waits {day}] {record.id} {record.customer} handed in as {one.id}: {one.host}"
        text = Text(one_line(str(masked(zh))), one_line(str(masked(en))))
        key = f"{record.id}|hand-in|{one.digest}"
        yield Item(key, record.id, "", one.received_at, False, text)


def shared_out(
    found: Sequence[Item], people: Mapping[str, Person], namesakes: Namesakes
) -> tuple[dict[str, list[Item]], list[Item]]:
    """Each to its owner; what is nobody's here to `*`, and what is left where there is none.

    What goes to `*` says whose it is: nobody else tells that person.
    """
    names = {plain_name(name): name for name in people}
    given: dict[str, list[Item]] = {}
    left: list[Item] = []
    for one in found:
        name = names.get(plain_name(one.owner), EVERYBODY)
        if name in people and not namesakes.may(people[name], one.pledge):
            name = EVERYBODY
        if name in people:
            given.setdefault(name, []).append(_named(one) if name == EVERYBODY else one)
        else:
            left.append(one)
    return given, left


def _named(one: Item) -> Item:
    if not one.owner:
        return one
    owner = one_line(str(masked(one.owner)))
    zh, en = f"{one.text.zh}（责任人 {owner}）", f"{one.text.en} (of {owner})"
    return replace(one, text=Text(zh, en))


def messages(
    person: Person,
    found: Sequence[Item],
    lang: Literal["zh", "en"],
    now: datetime,
    files: Mapping[str, bytes],
    channels: tuple[str, ...],
) -> Iterator[tuple[Message, list[bytes]]]:
    """What is to be said to one person, in as many messages as the narrowest channel asks for.

    `channels`: by what the outbox knows those of the person.
    `files` are notices to mend by pledge: the first message that names a pledge bears its own.
    """
    most = min(_LONGEST.get(person.scheme(number), _ELSE) for number in range(len(person.channels)))
    borne: set[str] = set()
    portions = list(_portions(found, lang, most - 300, files))
    for number, some in enumerate(portions, 1):
        # who gets several knows that they are one
        part = f" {number}/{len(portions)}" if len(portions) > 1 else ""
        subject = headline([one.key for one in some], now, part)
        lines = [one.text.to(lang) for one in some]
        end = Text(
            "详见 hostpledge pledge findings、pledge due。", "See `hostpledge pledge findings`."
        )
        named = [id for id in dict.fromkeys(one.pledge for one in some) if id in files]
        bear = [id for id in named if id not in borne]
        borne.update(bear)
        yield (
            Message(
                "",
                person.name,
                lang,
                subject.to(lang),
                "\n".join([*lines, "", end.to(lang)]) + "\n",
                tuple(one.key for one in some),
                channels,
                tuple((f"{id}.pdf", captures.digest(files[id])) for id in bear),
            ),
            [files[id] for id in bear],
        )


def headline(keys: Sequence[str], now: datetime, part: str = "") -> Text:
    """The subject of a message about what has these keys; `part` says which of several it is."""
    day = now.astimezone(CHINA).date().isoformat()
    late = sum(key.endswith(_LATE) for key in keys)
    return Text(
        f"入网责任书：{day} 逾期 {late} 项，即将到期 {len(keys) - late} 项{part}",
        f"Network pledges, {day}: {late} overdue, {len(keys) - late} due{part}",
    )


def _portions(
    found: Sequence[Item], lang: Literal["zh", "en"], most: int, files: Mapping[str, bytes]
) -> Iterator[list[Item]]:
    """As many as one message holds: of text, and of the files that it is the first to name."""
    some: list[Item] = []
    size = borne = 0
    named: set[str] = set()
    for one in found:
        length = len(one.text.to(lang).encode()) + 1
        file = 0 if one.pledge in named else len(files.get(one.pledge, b""))
        if some and (size + length > most or (file and borne + file > _MOST_FILES)):
            yield some
            some, size, borne = [], 0, 0
        some.append(one)
        named.add(one.pledge)
        size += length
        borne += file
    if some:
        yield some


def notices(register: Register, folder: Path, ids: Sequence[str]) -> dict[str, bytes]:
    """By pledge, the last notice to mend that stands, where its very file lies in the folder."""
    from collector.pledges.record.notices import last_given

    wanted: dict[str, str] = {}
    for id in ids:
        given = last_given(register.get(id))
        if given is not None:
            wanted[str(given.entry["sha256"])] = id
    return of_digest(folder, wanted)


def of_digest(folder: Path, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the folder whose digest is wanted, by the name that it has there."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.pdf")) if wanted else ():
        try:
            data = captures.read_at_most(path, _LARGEST_FILE)
        except CollectorError:
            continue
        if (sha256 := captures.digest(data)) in wanted:
            found[wanted[sha256]] = data
    return found
