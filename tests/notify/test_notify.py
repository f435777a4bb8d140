"""`hostpledge pledge notify`: each person is told each thing once, whatever happens on the way."""

from __future__ import annotations

import configparser
import hashlib
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from collector.cli.commands.pledge.handed import notify
from collector.cli.workflows.desk.digests import Item, messages
from collector.handin import links, quarantine
from collector.handin.places import Places
from collector.model import Text
from collector.notify import sending
from collector.notify.outbox import Message, Outbox
from collector.notify.settings import Person, load
from collector.pledges.due.deadlines import deadlines
from collector.pledges.record.changes import followed_up
from collector.pledges.record.form import from_document
from collector.pledges.record.notices import with_notice
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.notify.servers import Mail, mail
from tests.pledges import killed
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

ROOT = Path(__file__).parents[2]
HASH = "encryption.password_hash"
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
PASSWORD = "s3cr3t-of-the-mail"


class Office:
    """A register whose pledge one-1 has a finding of 王工's, due in three days."""

    server: Mail

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.register = Register.open(str(folder))
        self.register.add(made(id="one-1", resources={"hosts": ["web-01"]}))
        signer = Signer(folder / "made")
        check(self.register, "one-1", signer, captured("weak"), NOW - timedelta(days=20))
        self.due_in(3)

    @property
    def address(self) -> str:
        return f"mailto://127.0.0.1:{self.server.port}?from=a@example.org&to=wang@example.org"

    def due_in(self, days: int) -> None:
        end = (TODAY + timedelta(days=days)).isoformat()
        given = {(HASH, "web-01"): {"owner": "王工", "due": end}}
        self.register.change("one-1", lambda known: followed_up(known, given, today=TODAY))

    def settings(self, **people: str) -> None:
        path = self.folder / "notify.yml"
        path.write_text(json.dumps({"people": {name: [to] for name, to in people.items()}}))
        path.chmod(0o600)

    def words(self, *more: object) -> list[str]:
        return [
            *("pledge", "notify", "--settings", str(self.folder / "notify.yml")),
            *("--register", str(self.folder), *map(str, more)),
        ]

    def __call__(self, *more: object, **environment: str) -> Ended:
        return hostpledge(*self.words(*more), home=self.folder, **environment)

    def json(self, *more: object) -> dict[str, Any]:
        return answer(self(*more, "--format", "json").out)

    def told(self, to: str = "wang@example.org") -> list[str]:
        return [m.get_content() for m in self.server.taken if m["To"] == to]

    def past_the_wait(self) -> None:
        for path in (self.folder / "outbox" / "tries").glob("*.json"):
            path.write_text(json.dumps({"count": 1, "next": NOW.isoformat()}))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path)
    with mail() as found.server:
        found.settings(王工=found.address, **{"*": found.address.replace("wang", "office")})
        yield found


def test_a_finding_is_told_once_before_and_once_when_late(office: Office) -> None:
    assert office("--dry-run").status == 0
    assert office.server.taken == []
    first = office()
    assert first.status == 0, first
    (body,) = office.told()
    assert "one-1" in body and "web-01" in body and "[due " in body
    assert len(office.told("office@example.org")) == 1
    count = len(office.server.taken)
    again = office()
    assert (again.status, again.err) == (0, "there is nothing to tell\n")
    office.due_in(-1)
    assert office().status == 0
    assert "[overdue " in office.told()[-1]
    assert office().status == 0
    assert len(office.told()) == 2
    assert len(office.server.taken) >= count + 1


def test_the_words_are_those_of_the_language(office: Office) -> None:
    assert office("--lang", "zh").status == 0
    (body,) = office.told()
    assert "[到期 " in body
    assert office.server.taken[0]["Subject"].startswith("入网责任书")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_it_is_is_said_once(office: Office, lang: str) -> None:
    """Some texts begin with the word for their kind, others do not."""
    office.settings(**{"*": office.address})
    known = json.loads(office.register.get("one-1").canonical())
    day = (TODAY - timedelta(days=400)).isoformat()
    known["self_check"] = {"cycle_days": 180, "records": [{"date": day, "by": "王工", "found": 2}]}
    office.register.add(from_document(known, where="", today=TODAY), update=True)
    assert office("--lang", lang, "--within", "400d").status == 0
    lines = "".join(office.told()).splitlines()
    words = {"zh": ("自查", "核查证据"), "en": ("self-check", "evidence")}[lang]
    for word in words:
        mine = [line for line in lines if f" {word}" in line]
        assert mine, (word, lines)
        for line in mine:
            text = line.partition(f" {word}")[2]
            assert not re.match(rf"\W*{word}", text), line


def test_the_notice_to_mend_on_record_goes_with_it(office: Office, tmp_path: Path) -> None:
    place = tmp_path / "pdf"
    place.mkdir()
    (place / "x.pdf").write_bytes(b"%PDF-1.7 ours")
    (place / "y.pdf").write_bytes(b"%PDF-1.7 another")
    entry = {
        "number": "one-1-1",
        "kind": "mend",
        "date": TODAY.isoformat(),
        "evidence": 1,
        "findings": [{"control": HASH, "hosts": ["web-01"], "mend_by": TODAY.isoformat()}],
        "sha256": hashlib.sha256(b"%PDF-1.7 ours").hexdigest(),
    }
    office.register.change("one-1", lambda known: with_notice(known, entry, today=TODAY))
    # one that is gone from the outbox holds up nobody else
    address = office.address
    everybody = {"*": address.replace("wang", "office")}
    office.settings(王工="mailto://127.0.0.1:9?from=a@b.org&to=wang@example.org", **everybody)
    assert office("--notices", place).status == 1
    files = office.folder / "outbox" / "files"
    for kept in files.iterdir():
        kept.rename(place / "kept")
    office.settings(王工=address.replace("a@example.org", "b@example.org"), **everybody)
    office.past_the_wait()
    ended = office()
    assert ended.status == 1 and "its file is not in the outbox any more" in ended.err
    assert office.told() == []
    (place / "kept").rename(files / str(entry["sha256"]))
    office.past_the_wait()
    assert office("--notices", place).status == 0
    (mine,) = [m for m in office.server.taken if m["To"] == "wang@example.org"]
    (file,) = mine.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("one-1.pdf", b"%PDF-1.7 ours")


def test_what_fails_before_it_is_handed_over_is_no_sending(tmp_path: Path) -> None:
    """No file for the attachment: nobody has anything, and a later command sends it."""
    box = Mock()
    box.file.return_value = tmp_path / "gone.pdf"
    message = Message("1", "王工", "zh", "s", "b", ("i",), ("c",), (("one-1.pdf", "0" * 64),))
    person = Person("王工", "zh", ("mailto://127.0.0.1:9?from=a@b.org&to=c@b.org",))
    assert notify._send(box, message, "c", person, 0, ())[0] == "refused"
    box.begin.assert_not_called()
    assert box.ended.call_args.args[2:3] == ("refused",)
    box.file.side_effect = OSError(28, "no room")
    with pytest.raises(OSError, match="no room"):
        notify._send(box, message, "c", person, 0, ())
    box.begin.assert_not_called()
    box.file.side_effect = None
    (tmp_path / "gone.pdf").write_bytes(b"%PDF")
    assert notify._send(box, message, "c", person, 0, ())[0] == "refused"
    box.begin.assert_called_once()


def test_what_was_refused_is_tried_again_later(office: Office) -> None:
    office.server.mode = "busy"
    found = office.json()
    assert (len(found["refused"]), found["status"]) == (2, 1)
    office.server.mode = "take"
    assert len(office.json()["later"]) == 2
    assert office.server.taken == []
    office.past_the_wait()
    assert len(office.json()["sent"]) == 2
    assert len(office.told()) == 1


def test_what_a_clock_that_was_ahead_put_off_is_tried_again(office: Office) -> None:
    office.server.mode = "busy"
    office.json()
    for path in (office.folder / "outbox" / "tries").glob("*.json"):
        path.write_text(json.dumps({"count": 6, "next": "2099-01-01T00:01:01+00:00"}))
    office.server.mode = "take"
    assert len(office.json()["sent"]) == 2
    assert len(office.told()) == 1


def test_what_nobody_confirmed_is_told_and_not_sent_again_unasked(office: Office) -> None:
    office.server.mode = "close"
    assert len(office.json()["unsure"]) == 2
    office.server.mode = "take"
    for _ in range(2):
        said = office()
        assert said.status == 1
        assert said.err.count("may have been sent") == 2
    assert len(office.told()) == 1
    assert office("--again").status == 0
    assert len(office.told()) == 2
    assert office("--again").err == "there is nothing to tell\n"


def test_killed_while_it_sends_nothing_comes_twice(office: Office) -> None:
    office.settings(王工=office.address)
    office.server.mode = "silent"
    environment = {
        **os.environ, "HOSTPLEDGE_HOME": str(office.folder), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "collector", *office.words()],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert office.server.seen.wait(60)
    busy = office()
    assert busy.status == 2 and "another hostpledge" in busy.err
    child.send_signal(signal.SIGKILL)
    child.communicate()
    office.server.mode = "take"
    said = office()
    assert said.status == 1
    assert "may have been sent" in said.err
    assert len(office.told()) == 1


def test_killed_before_it_sends_it_is_sent_by_the_next(office: Office) -> None:
    """The message is written down, and no attempt of it."""
    office.settings(王工=office.address)
    office.server.mode = "busy"
    office()
    for path in (office.folder / "outbox" / "tries").glob("*"):
        path.unlink()
    office.server.mode = "take"
    assert office().status == 1  # what is nobody's here
    assert len(office.told()) == 1


def _dying(office: Office, module: str, name: str, when: str) -> None:
    place = importlib.import_module(module)
    holder = place.Outbox if hasattr(place, "Outbox") else place
    act = getattr(holder, name)

    def dies(*words: object, **named: object) -> None:
        if when == "after":
            act(*words, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, name, dies)
    _sent(office, again=False)


def _sent(office: Office, *, again: bool) -> None:
    outbox, people = Outbox(office.folder / "outbox"), load(office.folder / "notify.yml")
    with outbox.held():
        notify._send_all(outbox, people, datetime.now(UTC), again=again)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "step",
    [("collector.notify.outbox", "begin"), ("collector.notify.sending", "send"),
     ("collector.notify.outbox", "ended")],
    ids=["begin", "send", "ended"],
)  # fmt: skip
def test_killed_at_any_step_it_comes_once(tmp_path: Path, step: tuple[str, str], when: str) -> None:
    """Never twice by itself; and where nobody can know, once more when it is asked for."""
    # imported here: a fork of a process with threads had better import nothing
    sending.check()
    office = Office.__new__(Office)
    office.folder = tmp_path
    message = Message("", "王工", "zh", "x", "y\n", ("one",), ("0",))
    with mail() as office.server:
        office.settings(王工=office.address)
        outbox = Outbox(tmp_path / "outbox")
        with outbox.held():
            outbox.put(message)
        child = killed.begin(partial(_dying, office, *step, when))
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        came = len(office.told())
        assert came <= 1
        unsure = (*step, when) not in {
            ("collector.notify.outbox", "begin", "before"),
            ("collector.notify.outbox", "ended", "after"),
        }
        _sent(office, again=False)
        assert len(office.told()) == (came if unsure else 1)
        _sent(office, again=True)
        assert len(office.told()) == (came + 1 if unsure else 1)
        _sent(office, again=True)
        assert len(office.told()) == (came + 1 if unsure else 1)


def test_channels_in_another_order_or_of_another_name_get_nothing_twice(office: Office) -> None:
    """One takes it, the other is out of order: then the settings are put in order."""
    with mail() as other:
        good = office.address
        bad = f"mailto://127.0.0.1:{other.port}?from=a@example.org&to=b@b.example"
        other.mode = "refuse"

        def people(**channels: list[str]) -> None:
            path = office.folder / "notify.yml"
            path.write_text(json.dumps({"people": channels}))

        people(王工=[good, bad])
        assert office().status == 1
        assert len(office.told()) == 1
        # in another order, under another name, with another password
        people(王工=[bad, good])
        office.past_the_wait()
        office()
        assert len(office.told()) == 1
        people(王工程师=[bad.replace("mailto://", "mailto://u:new@"), good], **{"*": [good]})
        office.past_the_wait()
        other.mode = "take"
        office()
        assert len([m for m in other.taken if "web-01" in m.get_content()]) == 1
        told = "".join(office.told())
        assert told.count("web-01") == 1
        office()
        assert "".join(office.told()) == told


def test_what_is_one_persons_goes_to_nobody_else(office: Office) -> None:
    """Neither names a recipient: the sender writes to who it says that it is."""
    base = f"mailto://127.0.0.1:{office.server.port}?from="
    office.settings(王工=f"{base}wang@example.org", Li=f"{base}li@example.org")
    office()
    assert len(office.told()) == 1
    assert office.told("li@example.org") == []


def test_by_a_channel_that_two_share_each_is_told_what_is_theirs(office: Office) -> None:
    office.settings(王工=office.address, 李工=office.address)
    office()
    assert len(office.told()) == 1
    end = (TODAY + timedelta(days=3)).isoformat()
    given = {(HASH, "web-01"): {"owner": "李工", "due": end}}
    office.register.change("one-1", lambda known: followed_up(known, given, today=TODAY))
    office()
    assert len(office.told()) == 2
    office()
    assert len(office.told()) == 2


def test_what_is_told_is_told_once_however_it_is_worded(office: Office) -> None:
    """A number in the text changes, the finding of the self-check is the same, and its day too."""
    office.settings(**{"*": office.address})
    day = (TODAY - timedelta(days=40)).isoformat()

    def found(count: int) -> None:
        known = json.loads(office.register.get("one-1").canonical())
        known["self_check"] = {
            "cycle_days": 365,
            "records": [{"date": day, "by": "王工", "found": count}],
        }
        record = from_document(known, where="", today=TODAY)
        office.register.add(record, update=True)

    found(2)
    office()
    assert "".join(office.told()).count("findings not mended") == 1
    found(3)
    office()
    assert "".join(office.told()).count("findings not mended") == 1


def test_what_waits_to_be_taken_in_is_told_once(office: Office) -> None:
    places = Places(office.folder / "hand-in")
    link, _ = links.new(places, "one-1", "web-01", 2, timedelta(days=1))
    upload = quarantine.Upload(places, link)
    upload.write(b"x")
    upload.sync()
    upload.take_in("", "test")
    upload.close()
    office()
    told = office.told("office@example.org")
    assert len([text for text in told if link.id in text and "[waits " in text]) == 1
    assert link.id not in "".join(office.told())
    office()
    assert office.told("office@example.org") == told


def test_every_deadline_says_which_it_is() -> None:
    """Of one kind no two have the same place, whatever their texts say."""
    found = deadlines(made())
    keys = [(due.kind, due.about) for due in found]
    assert len(set(keys)) == len(keys)


def test_who_is_not_in_the_settings_is_named(office: Office) -> None:
    office.settings(李工=office.address)
    said = office()
    assert said.status == 1
    assert "told to nobody" in said.err
    assert office.server.taken == []


def test_a_password_is_nowhere_but_in_the_settings(office: Office) -> None:
    address = office.address.replace("127", f"user:{PASSWORD}@127")
    office.settings(王工=address)
    office.server.mode = "busy"
    said = office("--verbose")
    assert said.status == 1
    assert PASSWORD not in said.out + said.err
    for path in (office.folder / "outbox").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_where_evidence_cannot_be_read_that_is_told_and_nobody_is_blamed(office: Office) -> None:
    """Its owner may have mended it: whoever keeps the register is told, once a day."""
    office.due_in(-1)
    for path in (office.folder / "bundles").rglob("evidence.json"):
        path.write_bytes(b"{}")
    assert office().status in (0, 1)
    assert office.told() == []
    told = office.told("office@example.org")
    assert any("cannot be read" in body for body in told)
    office()
    assert office.told("office@example.org") == told


def test_the_unit_asks_for_what_there_is(office: Office) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "packaging/systemd/hostpledge-notify.service")
    words = shlex.split(unit["Service"]["ExecStart"])
    assert words[:3] == ["/usr/bin/env", "hostpledge", "pledge"]
    settings = words.index("--settings")
    words[settings + 1] = str(office.folder / "notify.yml")
    done = hostpledge(*words[2:], "--register", office.folder, home=office.folder)
    assert done.status == 0, done
    assert len(office.told()) == 1


def test_notices_are_one_registers_alone(office: Office, tmp_path: Path) -> None:
    """A practice register, or a restored copy, has the same ids."""
    assert office().status == 0
    count = len(office.server.taken)
    other = Register.open(str(tmp_path / "other.sqlite"))
    other.add(made(id="one-1", resources={"hosts": ["web-01"]}))
    backup, copy = tmp_path / "b.zip", tmp_path / "copy.sqlite"
    for words in (("backup", "-o", str(backup), "--register", str(office.folder)),
                  ("restore", str(backup), "--register", str(copy))):  # fmt: skip
        assert hostpledge("register", *words, home=tmp_path).status == 0
    for place in (tmp_path / "other.sqlite", copy):
        for more in ((), ("--dry-run",)):
            done = hostpledge(*office.words()[:-1], str(place), *more, home=tmp_path)
            assert (done.status, done.out) == (2, ""), (place, more, done)
            assert "another register" in done.err
            assert "HOSTPLEDGE_OUTBOX" in done.err
    own = str(tmp_path / "own")
    mine = [*office.words()[:-1], str(tmp_path / "other.sqlite")]
    assert hostpledge(*mine, home=tmp_path, HOSTPLEDGE_OUTBOX=own).status == 0
    assert len(office.server.taken) > count


def _given(office: Office, number: str) -> None:
    """A notice to mend on record, whose file lies in `pdf`."""
    place = office.folder / "pdf"
    place.mkdir(exist_ok=True)
    data = f"%PDF-1.7 {number}".encode()
    (place / f"{number}.pdf").write_bytes(data)
    found = {"control": HASH, "hosts": ["web-01"], "mend_by": TODAY.isoformat()}
    entry = {
        "number": number, "kind": "mend", "date": TODAY.isoformat(), "evidence": 1,
        "findings": [found], "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    office.register.change("one-1", lambda known: with_notice(known, entry, today=TODAY))


def _withdrawn(office: Office, number: str, *more: object) -> None:
    ended = hostpledge(
        "pledge", "withdraw-notice", "one-1", number, "--reason", "发错了", "--by", "王安",
        *more, "--register", office.folder, home=office.folder,
    )  # fmt: skip
    assert ended.status == 0, ended.err


def _files(office: Office, to: str = "wang@example.org") -> list[list[str | None]]:
    mails = [m for m in office.server.taken if m["To"] == to]
    return [[file.get_filename() for file in mail.iter_attachments()] for mail in mails]


def _body(mail: Any) -> str:
    return str(mail.get_body().get_content())


def test_a_withdrawn_notice_in_the_outbox_is_not_sent(office: Office) -> None:
    _given(office, "AQ-1")
    office.server.mode = "busy"
    assert office("--notices", office.folder / "pdf").status == 1
    office.server.mode = "good"
    _withdrawn(office, "AQ-1")
    office.past_the_wait()
    assert office("--notices", office.folder / "pdf").status == 0
    # what falls due is told still; and nobody is told of a withdrawal who never had the notice
    assert _files(office) == [[]]
    (mail,) = (m for m in office.server.taken if m["To"] == "wang@example.org")
    assert "web-01" in _body(mail)
    assert office("--notices", office.folder / "pdf").status == 0
    assert _files(office) == [[]]


def test_who_was_sent_a_withdrawn_notice_is_told_once(office: Office) -> None:
    place = office.folder / "pdf"
    _given(office, "AQ-1")
    assert office("--notices", place).status == 0
    assert _files(office) == [["one-1.pdf"]]
    _withdrawn(office, "AQ-1", "-o", place / "w.pdf")
    assert "AQ-1" in office("--notices", place, "--dry-run").out
    assert office("--notices", place, "--lang", "en").status == 0
    assert _files(office)[1:] == [["one-1-withdrawn.pdf"]]
    mail = [m for m in office.server.taken if m["To"] == "wang@example.org"][1]
    assert mail["Subject"] == "Withdrawn: notice to mend AQ-1"
    assert "Why: 发错了 (王安)" in _body(mail)
    assert office("--notices", place).status == 0
    assert len(_files(office)) == 2
    # the office was sent it, too
    assert _files(office, "office@example.org") == [["one-1.pdf"], ["one-1-withdrawn.pdf"]]


def test_after_an_unsure_mail_the_withdrawal_is_told(office: Office) -> None:
    _given(office, "AQ-1")
    outbox = Outbox(office.folder / "outbox")
    assert office("--notices", office.folder / "pdf").status == 0
    # as a command leaves it that was killed while it sent; one of before said nothing of files
    (message,) = (m for m in outbox.messages() if m.to == "王工")
    (channel,) = message.channels
    (outbox.folder / "done" / f"{message.id}.{channel}.json").unlink()
    (outbox.folder / "sending" / f"{message.id}.{channel}").write_bytes(b"")
    _withdrawn(office, "AQ-1")
    assert office("--notices", office.folder / "pdf").status == 1
    assert len(_files(office)) == 2
    # sent anew, it bears the notice no more
    assert office("--notices", office.folder / "pdf", "--again").status == 0
    assert _files(office)[2:] == [[]]


def test_who_has_no_address_is_named_to_the_office_and_to_who_sends(office: Office) -> None:
    """A finding of 王工's went to the office, and nothing said whose it was."""
    office.settings(**{"*": office.address.replace("wang", "office")})
    shown = office("--dry-run", "--lang", "en")
    assert "(of 王工)" in shown.out
    assert "not in the settings, so that '*' is told" in shown.err
    assert "王工 1" in shown.err
    assert office.json("--dry-run")["without_address"] == {"王工": 1}
    assert office("--lang", "zh").status == 0
    (body,) = office.told("office@example.org")
    assert "（责任人 王工）" in body
    # of those who are told themselves nothing of the kind is said
    office.settings(王工=office.address)
    told = office("--dry-run", "--lang", "en")
    assert "so that '*' is told" not in told.err
    assert "(of 王工)" not in told.out
    assert office.json("--dry-run")["without_address"] == {}


def test_several_messages_to_one_person_say_that_they_are_one() -> None:
    person = Person("王工", "en", ("wecombot://?key=A",))
    at = NOW + timedelta(days=1)
    items = [
        Item(f"k{n}", f"p-{n}", "王工", at, False, Text("事" * 30, f"thing {n} " * 12))
        for n in range(40)
    ]
    found = [one for one, _ in messages(person, items, "en", NOW, {}, ("c",))]
    assert len(found) > 2
    assert [one.subject.rpartition(" ")[2] for one in found] == [
        f"{n}/{len(found)}" for n in range(1, len(found) + 1)
    ]
    (alone,) = (one for one, _ in messages(person, items[:1], "en", NOW, {}, ("c",)))
    assert alone.subject.endswith("0 overdue, 1 due")


@pytest.mark.parametrize("text", ["{}", "", "[]", '{"next": "x", "count": 1}', '{"count": "y"}'])
def test_a_damaged_try_is_as_none(office: Office, text: str) -> None:
    """It says how long to wait, and no more."""
    office.settings(王工="mailto://127.0.0.1:9?from=a@b.org&to=wang@example.org")
    assert office().status == 1
    (path,) = (office.folder / "outbox" / "tries").glob("*.json")
    path.write_text(text)
    assert office("--dry-run").status == 0
    ended = office()
    assert ended.status == 1 and "not taken, tried again later" in ended.err
    assert json.loads(path.read_text())["count"] == 1


def test_a_damaged_message_says_what_to_do(office: Office) -> None:
    assert office().status == 0
    path = next((office.folder / "outbox" / "messages").glob("*.json"))
    for text in ("", "{}", "[]"):
        path.write_text(text)
        ended = office()
        assert ended.status == 2
        (line,) = (line for line in ended.err.splitlines() if str(path) in line)
        assert "move it away" in line


def test_one_mail_bears_no_more_than_a_server_takes() -> None:
    """Whoever is told of what is nobody's is told of all pledges, with a notice of each."""
    person = Person("*", "en", ("mailto://u:p@mail.invalid/?to=a@b.invalid",))
    at = NOW + timedelta(days=1)
    items = [Item(f"k{n}", f"p-{n // 2}", "", at, False, Text("事", "thing")) for n in range(40)]
    files = {f"p-{n}": bytes([n]) * (1 << 20) for n in range(20)}
    found = list(messages(person, items, "en", NOW, files, ("c",)))
    borne = [data for _, some in found for data in some]
    assert sorted(borne) == sorted(files.values()), "each is borne once"
    assert all(sum(map(len, some)) <= 7 << 20 for _, some in found)
    assert [key for one, _ in found for key in one.items] == [one.key for one in items]
    # one that is larger by itself goes alone
    large = {"p-0": b"x" * (9 << 20), "p-1": b"y" * (1 << 20)}
    sizes = [
        sum(map(len, some)) for _, some in messages(person, items[:4], "en", NOW, large, ("c",))
    ]
    assert sizes == [9 << 20, 1 << 20]


def test_what_was_mended_and_is_there_again_is_told_again(office: Office, tmp_path: Path) -> None:
    office.due_in(-1)
    assert office().status == 0
    count = len(office.told())
    signer = Signer(tmp_path / "made")
    for taken, days in (("hardened", 9), ("weak", 5)):
        at = NOW - timedelta(days=days)
        check(office.register, "one-1", signer, captured(taken), at)
    assert office().status == 0
    assert len(office.told()) == count + 1
    assert office().err == "there is nothing to tell\n"


def test_a_rehearsal_ends_with_what_it_comes_to(office: Office) -> None:
    every = office.json("--dry-run")
    told = every["summary"]
    assert (told["messages"], told["people"], told["pledges"]) == (2, 2, 1)
    assert told["channels"] == {"mailto": 2}
    assert told["items"] > 1
    assert (told["untold"], told["outbox"]) == ({}, {})
    shown = office("--dry-run", "--lang", "en").out.splitlines()[-1]
    assert shown == (
        f"2 message(s) would go to 2 person(s), of {told['items']} item(s) of 1 pledge(s): mailto 2"
    )
    # without anybody for the rest, that is named with whose it is
    office.settings(李工=office.address)
    told = office.json("--dry-run")["summary"]
    assert (told["messages"], told["untold"]["王工"]) == (0, 1)
    shown = office("--dry-run", "--lang", "zh").out
    assert "将发 0 条消息给 0 人" in shown
    count = sum(told["untold"].values())
    assert (
        f"{count} 项发不出：责任人不在设置文件中，也没有 “*”：无人负责 {count - 1}，王工 1" in shown
    )
    assert office.server.taken == []


def test_a_rehearsal_counts_what_waits_in_the_outbox(office: Office) -> None:
    office.settings(王工="mailto://127.0.0.1:9?from=a@example.org&to=wang@example.org")
    assert office().status == 1
    assert office.json("--dry-run")["summary"]["outbox"] == {"later": 1}
    office.past_the_wait()
    assert "1 of the outbox were not taken before, and are tried again" in office("--dry-run").out
    office.settings(李工=office.address.replace("wang", "li"))
    assert office.json("--dry-run")["summary"]["outbox"] == {"lost": 1}
