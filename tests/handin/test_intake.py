"""`hostpledge intake`: what waits becomes evidence, is refused, or says why it cannot be taken."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures
from collector.cli.workflows.evidence import Signing, first_key
from collector.cli.workflows.handed import taking_in
from collector.cli.workflows.handed.waiting import undecided
from collector.errors import BadInput
from collector.handin import links, quarantine
from collector.handin.links import Link
from collector.handin.places import Places
from collector.i18n.message import msg
from collector.pledges.register.register import Register
from collector.web.asking.settings import Settings
from collector.web.serving import server
from tests.cli.running import Ended, answer, hostpledge
from tests.handin.served import output
from tests.pledges import killed

RECORD = """\
id: {id}
grade: 2
draft: true
documents: []
customer: {{name: 云南示例公司, kind: unit, credit_code: 91330106MA0DEM2670}}
period: {{from: 2026-01-01, until: 2036-12-31}}
resources: {{hosts: [web-1, web-2]}}
"""


class Desk:
    """An engineer's home with the pledges P-1 and P-2, and what waits there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.places = Places(home / "hand-in")
        for id in ("P-1", "P-2"):
            (home.parent / f"{id}.yml").write_text(RECORD.format(id=id))
            assert self("pledge", "add", home.parent / f"{id}.yml").status == 0
        assert self("key", "new").status == 0

    def __call__(self, *words: object, **environment: str) -> Ended:
        return hostpledge(*words, home=self.home, **environment)

    def came(
        self, data: bytes, host: str = "web-1", pledge: str = "P-1", looked_at: str = ""
    ) -> Link:
        """By a link of its own, as the server takes it in."""
        link, _ = links.new(self.places, pledge, host, 2, timedelta(days=1))
        upload = quarantine.Upload(self.places, link)
        upload.write(data)
        upload.sync()
        upload.take_in(looked_at, "test")
        upload.close()
        return link

    def json(self, *words: object) -> dict[str, Any]:
        return answer(self("intake", *words, "--format", "json").out)

    def evidence(self, pledge: str = "P-1") -> list[dict[str, Any]]:
        shown = answer(self("pledge", "show", pledge, "--format", "json").out)
        found: list[dict[str, Any]] = shown["evidence"]
        return found


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    Desk(folder / "home")
    return folder


@pytest.fixture
def desk(begun: Path, tmp_path: Path) -> Desk:
    shutil.copytree(begun, tmp_path / "of")
    found = Desk.__new__(Desk)
    found.home = tmp_path / "of" / "home"
    found.places = Places(found.home / "hand-in")
    return found


def test_a_link_is_made_shown_and_taken_back(desk: Desk) -> None:
    made = desk("pledge", "hand-in-link", "P-1", "web-1", "--url", "https://p.example/")
    assert made.status == 0
    assert made.out.startswith("https://p.example/hand-in/")
    token = made.out.strip().rpartition("/")[2]
    assert len(token) == 43
    (link,) = answer(desk("pledge", "hand-in-link", "--list", "--format", "json").out)["links"]
    assert (link["pledge"], link["host"], link["state"]) == ("P-1", "web-1", "open")
    assert token not in str(link)
    assert desk("pledge", "hand-in-link", "--revoke", link["id"]).status == 0
    assert links.by_token(desk.places, token) is None
    for words in (("P-1", "web-9"), ("P-9", "web-1"), ("--revoke", "0" * 12), ("P-1",)):
        assert desk("pledge", "hand-in-link", *words).status == 2


def test_a_link_begins_with_the_address_of_the_server(desk: Desk) -> None:
    """As its settings have it; where nobody told it, that is said."""
    made = desk("pledge", "hand-in-link", "P-1", "web-1")
    assert made.out.startswith("/hand-in/")
    assert "a path alone" in made.err
    told = Settings(url="https://p.example/x", hosts=("q.example",), certificate=desk.home)
    assert told.known_as == "https://p.example/x"
    assert replace(told, url="", port=443).known_as == "https://q.example"
    assert Settings().known_as == ""
    register = desk.home / "register.sqlite"
    given = server.options(
        register=str(register), state=str(desk.home / "s"), host="127.0.0.1", port=8300,
        settings=desk.home / "web.yml", certificate=None, key=None,
    )  # fmt: skip
    (desk.home / "web.yml").write_text("url: https://p.example/\n")
    server.built(given)
    made = desk("pledge", "hand-in-link", "P-1", "web-1")
    assert made.out.startswith("https://p.example/hand-in/")
    assert "a path alone" not in made.err
    other = desk("pledge", "hand-in-link", "P-1", "web-1", HOSTPLEDGE_URL="https://o.example")
    assert other.out.startswith("https://o.example/hand-in/")
    (desk.home / "web.yml").write_text("url: p.example\n")
    with pytest.raises(BadInput, match=r"p\.example"):
        server.built(given)


def test_both_hosts_become_one_bundle_that_says_handed_in(desk: Desk) -> None:
    desk.came(output("a"), "web-1")
    desk.came(output("b"), "web-2")
    assert desk("intake").status == 1
    found = desk.json("--all")
    assert [one["evidence"] for one in found["taken"]] == [1, 1]
    assert found["status"] == 0
    (one,) = desk.evidence()
    assert one["scope"]["handed_in"] == 2
    assert desk.evidence("P-2") == []
    assert "2 capture(s) handed in" in desk("pledge", "list").out.replace("\n", " ")
    again = desk("intake", "--all")
    assert (again.status, again.err) == (0, "nothing waits\n")
    assert list(desk.places.room("quarantine").iterdir()) == []
    assert list(desk.places.room("work").iterdir()) == []


def test_of_two_of_one_host_the_newer_look_is_taken(desk: Desk) -> None:
    """Its link was used first."""
    now = datetime.now(UTC)
    before = now - timedelta(minutes=5)
    newer = desk.came(output("b", now), looked_at=now.isoformat())
    older = desk.came(output("a", before), looked_at=before.isoformat())
    found = desk.json("--all")
    assert [one["id"] for one in found["taken"]] == [newer.id]
    assert [one["id"] for one in found["not_taken"]] == [older.id]
    assert "looked at later" in found["not_taken"][0]["why"]


def test_a_fast_clock_is_named_and_holds_back_nobody_else(desk: Desk) -> None:
    """By five hours: a capture that is dated days ahead does not come in at all."""
    desk.came(output("a"), "web-1")
    wrong = desk.came(output("b", datetime.now(UTC) + timedelta(hours=5)), "web-2")
    shown = {one["host"]: one["against"] for one in desk.json()["waiting"]}
    assert shown["web-1"] is None
    assert "clock is wrong" in shown["web-2"]
    found = desk.json("--all")
    assert [one["host"] for one in found["taken"]] == ["web-1"]
    assert [(one["host"], one["why"]) for one in found["not_taken"]] == [("web-2", shown["web-2"])]
    assert len(desk.evidence()) == 1
    assert [one.id for one in undecided(desk.places)] == [wrong.id]


def test_what_no_bundle_can_be_made_of_holds_back_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that shows only once it is judged; here one host cannot be judged at all."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(desk.home))
    making = importlib.import_module("collector.attest.bundle.making")
    real = making.make

    def made(files: Any, *given: Any, **named: Any) -> Any:
        if any("web-2" in file.name for file in files):
            raise BadInput(msg("try_again"))
        return real(files, *given, **named)

    monkeypatch.setattr(making, "make", made)
    desk.came(output("a"), "web-1")
    wrong = desk.came(output("b"), "web-2")
    register = Register.open()
    waiting = undecided(desk.places)
    signing = Signing(first_key("default", None), None, ())
    done = taking_in.take(register, desk.places, waiting, signing, moved=False)
    assert {one.receipt.host: bool(one.trouble) for one in done} == {"web-1": False, "web-2": True}
    assert len(register.evidence("P-1")) == 1
    assert [one.id for one in undecided(desk.places)] == [wrong.id]
    assert list(desk.places.room("work").glob("*/bundle")) == []


def test_a_link_of_before_the_record_hands_in_nothing_for_it(desk: Desk) -> None:
    """A register that was restored knows an id no more, and gives it to the next customer."""
    link = desk.came(output())
    path = desk.places.file("links", link.digest, ".json")
    old = json.loads(path.read_text()) | {"made_at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(old))
    done = desk("intake", "--accept", link.id)
    assert done.status == 2
    assert "the id was somebody else's then" in done.err
    assert desk.evidence() == []


def test_what_came_before_the_record_is_told_as_that(desk: Desk) -> None:
    """Not as a host that its record does not declare, nor as this customer's in a message."""
    link = desk.came(output(), "db-of-another")
    path = desk.places.file("links", link.digest, ".json")
    old = json.loads(path.read_text()) | {"made_at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(old))
    (one,) = desk.json("--list")["waiting"]
    assert "the id was somebody else's then" in one["against"]
    listed = " ".join(desk("pledge", "hand-in-link", "--list").out.split())
    assert "the id was somebody else's then" in listed
    told = desk.home / "notify.yml"
    told.write_text('people: {"*": ["json://127.0.0.1:9/"]}\n')
    told.chmod(0o600)
    said = desk("pledge", "notify", "--settings", told, "--dry-run")
    assert "db-of-another" not in said.out + said.err
    assert "handed in as" not in said.out


def test_one_that_is_refused_says_why_and_is_gone(desk: Desk) -> None:
    link = desk.came(output())
    assert desk("intake", "--refuse", link.id).status == 2
    assert desk("intake", "--refuse", link.id, "--why", "not ours").status == 0
    assert desk("intake").status == 0
    assert json.loads(_log(desk)[-1])["why"] == "not ours"
    assert desk("intake", "--accept", link.id).status == 2


def _taken(desk: Desk, data: bytes, host: str = "web-1") -> None:
    desk.came(data, host)
    assert desk("intake", "--all").status == 0


def test_what_is_not_what_it_says_is_not_taken(desk: Desk) -> None:
    """Evidence 1 of P-1 is of machine `a`, as web-1, already."""
    at = datetime.now(UTC)
    before = output("a", at, nonce="0" * 32)
    _taken(desk, before)
    later = at + timedelta(hours=1)
    older = "handed in before, or an outdated one"
    wrong = {
        desk.came(before): older,
        desk.came(output("a", later, nonce="0" * 32)): "it was changed after it was made",
        desk.came(output("a", at - timedelta(hours=1))): older,
        desk.came(output("b", at - timedelta(days=3)), "web-2"): "before the link was made",
        desk.came(output("c", later)): "another machine than web-1 was before",
        desk.came(output("a", later), "web-2"): "that is web-1 of pledge P-1, not web-2",
        desk.came(output("a", later), "web-1", "P-2"): "that is web-1 of pledge P-1, not web-1",
        desk.came(output("e"), "web-9"): "web-9 is not (or no longer) one of the pledge P-1",
    }
    fine = desk.came(output("d"), "web-2", "P-2")
    listed = {one["id"]: one["against"] for one in desk.json()["waiting"]}
    for link, said in wrong.items():
        assert said in listed[link.id]
    assert listed[fine.id] is None
    found = desk.json("--all")
    assert found["status"] == 2
    assert [one["id"] for one in found["taken"]] == [fine.id]
    why = {one["id"]: one["why"] for one in found["not_taken"]}
    assert why == {id: said for id, said in listed.items() if said}
    assert len(desk.evidence()) == 1
    # nothing is lost: each waits until somebody refuses it
    assert {one["id"] for one in found["waiting"]} == set(why)
    refused = [word for id in why for word in ("--refuse", id)]
    assert desk("intake", *refused, "--why", "wrong").status == 0


def test_one_capture_under_two_names_is_taken_as_neither(desk: Desk) -> None:
    data = output()
    one, other = desk.came(data, "web-1"), desk.came(data, "web-2")
    assert len(desk.json("--all")["not_taken"]) == 2
    # one still waits
    assert desk("intake", "--refuse", other.id, "--why", "no").status == 1
    assert desk.json("--accept", one.id)["status"] == 0


def _forged(data: bytes, machine: str, *, clock: int = 0, key: str = "") -> bytes:
    """The reads of one machine under another name: what whoever hands in can write."""
    (nonce,) = re.findall(rb"hostpledge-capture 1 ([0-9a-f]+)", data)
    data = data.replace(nonce, os.urandom(16).hex().encode())
    data = re.sub(rb"(?m)^machine=.*\n", f"machine={machine}\n".encode() if machine else b"", data)
    data = re.sub(rb"(?m)^boot_id=.*$", f"boot_id={machine[:32]}\nhostkey={key}".encode(), data)
    return re.sub(rb"(?m)^clock=(\d+)", lambda m: b"clock=%d" % (int(m[1]) + clock), data)


def test_one_machine_without_a_name_is_no_two_hosts(desk: Desk) -> None:
    data = output("a")
    first, second = desk.came(_forged(data, ""), "web-1"), desk.came(_forged(data, ""), "web-2")
    listed = {one["id"]: one["against"] for one in desk.json()["waiting"]}
    for link in (first, second):
        assert "it tells no machine-id" in listed[link.id]
        assert "the very same" in listed[link.id]
    found = desk.json("--all")
    assert (len(found["not_taken"]), found["taken"], found["status"]) == (2, [], 2)
    assert [one["id"] for one in desk.json("--accept", first.id)["taken"]] == [first.id]
    # attached now, it still stands against the other
    (left,) = desk.json()["waiting"]
    assert "web-1 of P-1 (evidence 1)" in left["against"]


def test_the_same_reads_under_an_invented_name_are_no_other_machine(desk: Desk) -> None:
    data = output("a")
    desk.came(data, "web-1")
    desk.came(_forged(data, "b" * 64, clock=-7), "web-2")
    assert len(desk.json("--all")["not_taken"]) == 2


def test_with_the_host_key_of_another_it_says_so(desk: Desk) -> None:
    key = "ssh-ed25519 SHA256:" + "A" * 43
    taken = desk.came(_forged(output("a"), "a" * 64, key=key), "web-1")
    assert desk.json("--all")["taken"][0]["id"] == taken.id
    for host, pledge, machine in (("web-2", "P-1", "c"), ("web-1", "P-2", "d")):
        desk.came(_forged(output(machine), machine * 64, key=key), host, pledge)
    for one in desk.json()["waiting"]:
        assert "the SSH host key of web-1 of P-1 (evidence 1)" in one["against"]
        assert "the SSH host key of the hand-in" in one["against"]
    assert desk.json("--all")["taken"] == []


def test_which_bytes_were_handed_in_is_our_own_word(desk: Desk) -> None:
    """A capture of our form may say that it was handed in already, as whatever bytes it likes."""
    found = captures.from_bytes(output("a"), where="")
    origin = {"transport": "handed-in", "output_sha256": "ab" * 32}
    data = captures.to_bytes(replace(found, host="web-1", origin=MappingProxyType(origin)))
    link = desk.came(data)
    assert desk("intake", "--accept", link.id).status == 0
    (bundle,) = (desk.home / "bundles").rglob("evidence.json")
    said = json.loads(bundle.read_text())["hosts"]["web-1"]["origin"]
    assert said["output_sha256"] == captures.digest(data)
    assert said["claimed"] == origin


def test_a_host_that_was_replaced_is_taken_when_asked_for(desk: Desk) -> None:
    _taken(desk, output("a"))
    desk.came(output("c", datetime.now(UTC) + timedelta(minutes=1)))
    assert desk("intake", "--all").status == 2
    assert desk("intake", "--all", "--moved").status == 0
    assert len(desk.evidence()) == 2


def test_a_machine_is_known_by_the_last_evidence_that_has_it(desk: Desk) -> None:
    """A bundle of another host alone said that nothing was known, and anything was taken."""
    _taken(desk, output("a"))
    _taken(desk, output("b"), "web-2")
    at = datetime.now(UTC) + timedelta(minutes=1)
    other = desk.came(output("c", at))
    without = re.sub(rb"(?m)^(machine|boot_id)=.*\n", b"", output("a", at))
    nameless = desk.came(without)
    listed = {one["id"]: one["against"] for one in desk.json()["waiting"]}
    assert "another machine than web-1 was before (its machine-id is another)" in listed[other.id]
    assert "another machine than web-1 was before (it tells no machine-id)" in listed[nameless.id]
    assert desk("intake", "--all").status == 2
    assert len(desk.evidence()) == 2


def test_bytes_that_were_changed_in_the_quarantine_are_not_taken(desk: Desk) -> None:
    link = desk.came(output())
    with (desk.places.room("quarantine") / link.digest).open("ab") as file:
        file.write(b" ")
    assert "not the bytes that were received" in desk("intake").out.replace("\n", " ")
    assert desk("intake", "--all").status == 2


# what a command does between these is done or undone by the next one
_STEPS = (
    ("collector.attest.bundle.making", "make"),
    ("collector.pledges.register.attach", "attach"),
    ("collector.handin.quarantine", "decide"),
)


def _all(desk: Desk) -> None:
    register = Register.open(str(desk.home / "register.sqlite"), create=False)
    signing = Signing(first_key("default", None), None, ())
    with desk.places.held("intake.lock"):
        taking_in.settle(register, desk.places)
        waiting = undecided(desk.places)
        done = taking_in.take(register, desk.places, waiting, signing, moved=False)
        assert all(one.trouble is None for one in done)


def _dying(desk: Desk, module: str, name: str, when: str) -> None:
    """As `_all`, and killed right before or after that step."""
    place = importlib.import_module(module)
    act = getattr(place, name)

    def dies(*words: object, **named: object) -> None:
        if when == "after":
            act(*words, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, dies)
    _all(desk)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", _STEPS, ids=[name for _, name in _STEPS])
def test_killed_in_the_middle_nothing_is_lost_nor_comes_twice(
    desk: Desk, step: tuple[str, str], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(desk.home))
    desk.came(output("a"), "web-1")
    desk.came(output("b"), "web-2")
    child = killed.begin(partial(_dying, desk, *step, when))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    for _ in range(2):
        _all(desk)
        register = Register.open(str(desk.home / "register.sqlite"), create=False)
        (one,) = register.evidence("P-1")
        assert one.handed_in == 2
    for link in links.every(desk.places):
        receipt = quarantine.receipt(desk.places, link.digest)
        assert receipt is not None
        decided = quarantine.decision(desk.places, receipt)
        assert decided is not None and decided["verdict"] == "accepted"
    assert list(desk.places.room("quarantine").iterdir()) == []
    accepted = [json.loads(text)["what"] for text in _log(desk)].count("accepted")
    assert accepted == 2


def _log(desk: Desk) -> list[str]:
    return (desk.places.folder / "log.jsonl").read_text().splitlines()


def test_work_of_another_register_is_left_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(desk.home))
    desk.places.make()
    theirs = desk.places.room("work") / "P-9"
    shutil.copytree(desk.home / "keys", theirs / "bundle")
    (theirs / "job.json").write_text('{"pledge": "P-9", "digests": []}')
    desk.came(output())
    _all(desk)
    assert (theirs / "job.json").exists()
    assert len(desk.evidence()) == 1


def test_two_engineers_at_once_take_each_but_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(desk.home))
    desk.came(output("a"), "web-1")
    desk.came(output("b"), "web-2", "P-2")
    both = [killed.begin(partial(_all, desk)) for _ in range(2)]
    assert [os.waitpid(child, 0)[1] for child in both] == [0, 0]
    assert len(desk.evidence()) == len(desk.evidence("P-2")) == 1


def test_what_is_handed_in_is_one_registers_alone(desk: Desk, tmp_path: Path) -> None:
    """A practice register beside it, or a copy that was restored there, has the same ids."""
    assert desk("pledge", "hand-in-link", "P-1", "web-1").status == 0
    one = desk.came(output("a"))
    other = desk.home / "other.sqlite"
    assert desk("pledge", "add", desk.home.parent / "P-1.yml", "--register", other).status == 0
    backup = tmp_path / "b.zip"
    assert desk("register", "backup", "-o", backup).status == 0
    copy = desk.home / "copy.sqlite"
    assert desk("register", "restore", backup, "--register", copy).status == 0
    for place in (other, copy):
        for words in (("intake", "--all"), ("intake", "--list"),
                      ("pledge", "hand-in-link", "--list")):  # fmt: skip
            done = desk(*words, "--register", place)
            assert done.status == 2, (place, words, done.out)
            assert "another register" in done.err
    assert [x["id"] for x in desk.json("--list")["waiting"]] == [one.id]
    # what was restored in its place has them still
    (desk.home / "register.sqlite").rename(desk.home / "lost")
    copy.rename(desk.home / "moved.sqlite")
    assert one.id in desk("intake", "--list", "--register", desk.home / "moved.sqlite").out


def test_after_an_older_backup_what_was_taken_in_is_seen_and_taken_in_again(
    desk: Desk, tmp_path: Path
) -> None:
    """A decision that no evidence stands behind is none; and nothing comes twice by it."""
    assert desk("register", "backup", "-o", tmp_path / "old.zip").status == 0
    data = output("a")
    one = desk.came(data)
    assert desk("intake", "--accept", one.id).status == 0
    restored = ("register", "restore", tmp_path / "old.zip", "--replace")
    assert desk(*restored).status == 0
    assert desk.evidence() == []
    (waits,) = desk.json("--list")["waiting"]
    assert waits["id"] == one.id
    assert "does not have" in waits["against"]
    # to take it in is to be said
    assert desk("intake", "--all").status == 2
    assert desk.evidence() == []
    # the same file by another link is another hand-in: one of both alone
    twin = desk.came(data)
    assert desk("intake", "--accept", one.id).status == 1
    assert len(desk.evidence()) == 1
    assert desk("intake", "--accept", twin.id).status == 2
    assert len(desk.evidence()) == 1
    assert desk("intake", "--refuse", twin.id, "--why", "twice").status == 0
    assert desk.json("--list")["waiting"] == []
    # where the bundle is gone as well, that is said, and it can be refused
    assert desk(*restored).status == 0
    for path in (desk.home / "bundles").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (waits,) = desk.json("--list")["waiting"]
    assert "gone" in waits["against"]
    assert desk("intake", "--accept", one.id).status == 2
    assert desk("intake", "--refuse", one.id, "--why", "gone").status == 0
    assert desk.json("--list")["waiting"] == []


def test_hosts_that_differ_in_case_alone_hold_up_nobody_else(desk: Desk) -> None:
    text = RECORD.format(id="P-3").replace("[web-1, web-2]", "[web-1, WEB-1, web-2]")
    (desk.home.parent / "P-3.yml").write_text(text)
    assert desk("pledge", "add", desk.home.parent / "P-3.yml").status == 0
    small, large = desk.came(output("a"), "web-1", "P-3"), desk.came(output("b"), "WEB-1", "P-3")
    clear = desk.came(output("c"), "web-2", "P-3")
    found = desk.json("--all")
    assert [one["id"] for one in found["taken"]] == [clear.id]
    why = {one["id"]: one["why"] for one in found["not_taken"]}
    assert why.keys() == {small.id, large.id}
    assert all("differ in upper and lower case alone" in said for said in why.values())
    # by its id one of them is taken
    assert desk("intake", "--accept", large.id).status == 1
    assert len(desk.evidence("P-3")) == 2
