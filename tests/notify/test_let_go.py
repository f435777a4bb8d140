"""What the outbox keeps of a customer, and that it ends with the pledge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows.desk.letting_go import let_go, still_said
from collector.errors import BadInput
from collector.notify.outbox import Message, Outbox
from tests.cli.running import Ended, hostpledge
from tests.notify.servers import Mail, mail
from tests.pledges.records import example

ID, WHO = "demo-2026", "绍兴密名客户有限公司"
NOW = datetime.now(UTC)
FILE = b"%PDF of a notice"
ITEMS = (
    "a-1|finding|x|web-01|2026-11-01|late",
    "b-1|finding|x|db-01|2026-11-01|late",
    "b-1|hand-in|0123",
    "a-1|period||2027-11-01|due",
)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(tmp_path / "outbox")
    with found.held():
        yield found


def _put(outbox: Outbox, *items: str, channels: tuple[str, ...] = ("one",)) -> Message:
    lines = [f"{item} of {item[:1]}-customer" for item in items]
    body = "\n".join([*lines, "", "See `hostpledge pledge findings`."]) + "\n"
    sha256 = hashlib.sha256(FILE).hexdigest()
    files = tuple((f"{id}.pdf", sha256) for id in dict.fromkeys(i.partition("|")[0] for i in items))
    message = Message("", "王工", "en", "3 overdue", body, items, channels, files)
    return outbox.put(message, [FILE])


def _all(outbox: Outbox) -> str:
    files = (path for path in outbox.folder.rglob("*") if path.is_file())
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_only_what_is_of_the_pledge_goes(outbox: Outbox) -> None:
    both, own = _put(outbox, *ITEMS), _put(outbox, ITEMS[0])
    outbox.begin(own, "one")
    assert let_go(outbox, {"a-1"}, NOW) == 2
    (left,) = outbox.messages()
    assert (left.id, left.items) == (both.id, ITEMS[1:3])
    assert left.files == both.files[1:]
    assert left.body.splitlines()[:2] == both.body.splitlines()[1:3]
    assert left.body.endswith("\n\nSee `hostpledge pledge findings`.\n")
    assert left.subject.endswith("1 overdue, 1 due")
    assert "a-1" not in _all(outbox) and "a-customer" not in _all(outbox)
    # once more changes nothing
    assert let_go(outbox, {"a-1"}, NOW) == 0
    assert list(outbox.messages()) == [left]
    assert let_go(outbox, {"a-1", "b-1"}, NOW) == 1
    assert list(outbox.messages()) == []
    assert list((outbox.folder / "files").iterdir()) == []
    assert list((outbox.folder / "sending").iterdir()) == []


def test_what_all_took_is_marked_and_its_words_go(outbox: Outbox) -> None:
    message = _put(outbox, *ITEMS, channels=("one", "two"))
    told = outbox.told(["王工"])
    outbox.begin(message, "one", [message.files[0][1]])
    outbox.ended(message, "one", "sent", NOW, [message.files[0][1]])
    outbox.begin(message, "two")
    let_go(outbox, (), NOW)
    # nobody knows whether the other one has it: it may be sent again
    assert list(outbox.messages()) == [message]
    assert outbox.file(message.files[0][1]).read_bytes() == FILE
    outbox.ended(message, "two", "sent", NOW)
    let_go(outbox, (), NOW)
    (left,) = outbox.messages()
    assert (left.subject, left.body) == ("", "")
    assert "customer" not in _all(outbox)
    assert list((outbox.folder / "files").iterdir()) == []
    assert outbox.told(["王工"]) == told
    assert outbox.bore(left, "one", message.files[0][1])
    # the mark too, where its pledge is disposed of: of that one nothing is ever told again
    assert let_go(outbox, {"b-1"}, NOW) == 0
    (left,) = outbox.messages()
    assert left.items == (ITEMS[0], ITEMS[3])
    assert left.body == ""


def test_what_a_killed_command_left_half_written_goes(outbox: Outbox) -> None:
    left = outbox.folder / "messages" / ".x.json.1.0a1b2c3d.part"
    left.write_text(WHO, encoding="utf-8")
    let_go(outbox, (), NOW)
    assert not left.exists()


def test_what_nothing_falls_due_of_is_not_said(outbox: Outbox) -> None:
    message = _put(outbox, *ITEMS)
    said = still_said(message, {"b-1"}, NOW)
    assert said is not None
    assert said.items == (ITEMS[0], *ITEMS[2:])
    assert "db-01" not in said.body
    assert still_said(message, (), NOW) is message
    assert still_said(_put(outbox, ITEMS[1]), {"b-1"}, NOW) is None
    # it stays marked as told
    assert ITEMS in [kept.items for kept in outbox.messages()]


def test_a_message_with_fewer_lines_than_items_is_damaged(outbox: Outbox) -> None:
    message = _put(outbox, *ITEMS)
    path = outbox.folder / "messages" / f"{message.id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"body": "x"}))
    with pytest.raises(BadInput, match="damaged"):
        let_go(outbox, {"a-1"}, NOW)


class Desk:
    """A pledge that ran out long ago, and is told of as overdue."""

    server: Mail

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.ended = NOW.date() - timedelta(days=800)
        self.add()

    def document(self, **changes: Any) -> dict[str, Any]:
        signed = str(self.ended - timedelta(days=9))
        return example(
            customer={**example()["customer"], "name": WHO},
            documents=[{**d, "signed_on": signed} for d in example()["documents"]],
            period={"from": str(self.ended - timedelta(days=8)), "until": str(self.ended)},
            retention={"pledge_years": 1, "evidence_years": 1},
            **changes,
        )

    def add(self, *words: str, **changes: Any) -> None:
        (self.home / "p.json").write_text(json.dumps(self.document(**changes)))
        added = self("pledge", "add", *words, self.home / "p.json")
        assert added.status == 0, added.err

    def end(self) -> None:
        ended = {"date": str(self.ended), "reason": "停业", "by": "接入方"}
        self.add("--update", ended=ended)

    def notify(self) -> Ended:
        to = f"mailto://127.0.0.1:{self.server.port}?from=a@example.org&to=b@example.org"
        file = self.home / "notify.yml"
        file.write_text(json.dumps({"people": {"*": [to]}}))
        file.chmod(0o600)
        for path in (self.home / "outbox" / "tries").glob("*.json"):
            path.write_text(json.dumps({"count": 1, "next": NOW.isoformat()}))
        return self("pledge", "notify", "--settings", file)

    def dispose(self) -> Ended:
        return self("pledge", "dispose", ID, "--method", "消磁", "--by", "接入方", "--yes")

    def __call__(self, *words: object) -> Ended:
        return hostpledge(*words, home=self.home)

    def holds(self) -> list[str]:
        files = (p for p in (self.home / "outbox").rglob("*") if p.is_file())
        return [p.name for p in files if any(w.encode() in p.read_bytes() for w in (WHO, ID))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with mail() as found.server:
        found.server.mode = "busy"
        assert found.notify().status == 1
        assert found.holds()
        found.server.mode = "take"
        yield found


def test_of_a_pledge_that_ended_nothing_is_sent_that_fell_due(desk: Desk) -> None:
    desk.end()
    said = desk.notify()
    assert (said.status, said.err) == (0, "there is nothing to tell\n")
    assert desk.server.taken == []


def test_dispose_takes_what_waits_with_it(desk: Desk) -> None:
    desk.end()
    with Outbox(desk.home / "outbox").held():
        busy = desk.dispose()
        assert busy.status == 2
        assert "wait for it" in busy.err or "at work" in busy.err
        assert WHO in desk("pledge", "show", ID).out
    done = desk.dispose()
    assert done.status == 0, done.err
    assert "taken out of 1 message(s)" in done.out
    assert desk.holds() == []
    assert desk.notify().status == 0
    assert desk.server.taken == []


def test_killed_before_the_outbox_the_next_command_takes_it(desk: Desk) -> None:
    """Or another one disposed of it, at whose place there is another outbox."""
    desk.end()
    aside = desk.home / "elsewhere"
    (desk.home / "outbox").rename(aside)
    assert desk.dispose().status == 0
    aside.rename(desk.home / "outbox")
    assert desk.holds()
    assert desk.notify().status == 0
    assert desk.server.taken == []
    assert desk.holds() == []


def test_what_was_sent_is_not_kept(desk: Desk) -> None:
    assert desk.notify().status == 0
    assert len(desk.server.taken) == 1
    assert desk.notify().status == 0
    assert len(desk.server.taken) == 1
    outbox = desk.home / "outbox"
    files = [path for path in outbox.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if WHO.encode() in path.read_bytes()]
    desk.end()
    assert "message(s)" not in desk.dispose().out
    assert desk.holds() == []
