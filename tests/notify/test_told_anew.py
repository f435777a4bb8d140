"""What never came to anybody is told anew, and what waits is sent as it is now, or not at all."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows.desk.telling import begun_with, of_today, told
from collector.notify.outbox import Message, Outbox
from collector.notify.settings import Person
from collector.pledges.record.changes import followed_up
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.voiding import with_void
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.notify.servers import Mail, mail
from tests.notify.test_notify import HASH, NOW, TODAY, Office, office
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.places import place, postgresql
from tests.pledges.records import made

__all__ = ["office", "place", "postgresql"]
ANEW = "is told anew, as the settings are now"


def _people(office: Office, **channels: list[str]) -> None:
    path = office.folder / "notify.yml"
    path.write_text(json.dumps({"people": channels}))
    path.chmod(0o600)


def _of(server: Mail, to: str = "wang") -> str:
    return f"mailto://127.0.0.1:{server.port}?from=a@example.org&to={to}@example.org"


def _waiting(office: Office) -> list[dict[str, Any]]:
    found = (office.folder / "outbox" / "messages").glob("*.json")
    return [known for path in found if (known := json.loads(path.read_text()))["body"]]


def _assigned(office: Office, owner: str, days: int) -> None:
    end = (TODAY + timedelta(days=days)).isoformat()
    given = {(HASH, "web-01"): {"owner": owner, "due": end}}
    office.register.change("one-1", lambda known: followed_up(known, given, today=TODAY))


def test_an_address_that_was_mistyped_and_mended_is_told(office: Office) -> None:
    _people(office, 王工=[_of(office.server, "wnag")])
    office.server.mode = "no such user"
    assert office().status == 1
    office.server.mode = "take"
    _people(office, 王工=[_of(office.server)])
    said = office("--dry-run")
    assert "web-01" in said.out
    said = office()
    # what the settings have nobody for is there still
    assert said.err.count(ANEW) == 1, said.err
    assert len(office.told()) == 1 and "web-01" in office.told()[0]
    again = office()
    assert ANEW not in again.err and "no channel" not in again.err
    assert len(office.server.taken) == 1
    assert list((office.folder / "outbox" / "tries").iterdir()) == []


def test_who_took_it_is_not_told_twice(office: Office) -> None:
    with mail() as bad:
        bad.mode = "no such user"
        _people(office, 王工=[_of(office.server), _of(bad, "b")])
        assert office().status == 1
        assert len(office.told()) == 1
        (kept,) = (office.folder / "outbox" / "messages").glob("*.json")
        before = kept.read_text()
        bad.mode = "take"
        # in another order, and with one more
        _people(office, 王工=[_of(bad, "c"), _of(office.server), _of(bad, "d")])
        assert office().err.count(ANEW) == 1
        assert [m["To"] for m in bad.taken] == ["c@example.org", "d@example.org"]
        # killed before it let go of the address that is gone
        kept.write_text(before)
        office()
        _people(office, 王工=[_of(bad, "c"), _of(office.server), _of(bad, "d"), _of(bad, "e")])
        office()
        assert len(bad.taken) == 2
        assert len(office.told()) == 1


def test_what_is_owed_is_told_though_it_is_further_off_than_is_looked_at(office: Office) -> None:
    with mail() as bad:
        bad.mode = "no such user"
        _assigned(office, "王工", 20)
        _people(office, 王工=[_of(office.server), _of(bad, "b")])
        office("--within", "30d")
        assert len(office.told()) == 1
        bad.mode = "take"
        _people(office, 王工=[_of(office.server), _of(bad, "c")])
        office()
        assert [m["To"] for m in bad.taken] == ["c@example.org"]
        office("--within", "30d")
        assert (len(bad.taken), len(office.told())) == (1, 1)


def test_what_a_channel_that_is_gone_may_have_is_sent_anew_when_it_is_asked_for(
    office: Office,
) -> None:
    _people(office, 王工=[_of(office.server, "old")])
    office.server.mode = "close"
    assert office().status == 1
    office.server.mode = "take"
    _people(office, 王工=[_of(office.server)])
    said = office()
    assert "may have been sent" in said.err and ANEW not in said.err
    assert office.told() == []
    assert office("--again").err.count(ANEW) == 1
    assert len(office.told()) == 1
    assert "may have been sent" not in office("--again").err
    assert len(office.told()) == 1


def test_what_a_person_who_is_gone_never_had_goes_to_who_is_there(office: Office) -> None:
    others = _of(office.server, "office")
    _people(office, 王工=[_of(office.server, "old")])
    office.server.mode = "no such user"
    assert office().status == 1
    office.server.mode = "take"
    _people(office, **{"*": [others]})
    said = office()
    assert said.status == 0 and said.err.count(ANEW) == 1
    told = office.told("office@example.org")
    assert sum("web-01" in text and "(of 王工)" in text for text in told) == 1
    assert office().err.endswith("there is nothing to tell\n")
    # and who comes back is told, for nothing of it came to them
    _people(office, 王工=[_of(office.server)], **{"*": [others]})
    assert office().status == 0
    assert len(office.told()) == 1


def test_what_was_put_right_meanwhile_is_not_sent(office: Office, tmp_path: Path) -> None:
    office.server.mode = "busy"
    office()
    assert any("web-01" in one["body"] for one in _waiting(office))
    at = NOW - timedelta(days=1)
    check(office.register, "one-1", Signer(tmp_path / "made"), captured("hardened"), at)
    office.server.mode = "take"
    office.past_the_wait()
    assert office().status == 0
    assert office.told() == []
    assert not any(HASH in json.dumps(one["items"]) for one in _waiting(office))
    # it did not count as told: once it is there again, it is
    check(office.register, "one-1", Signer(tmp_path / "made"), captured("weak"), NOW)
    office()
    assert len(office.told()) == 1


def test_a_line_of_a_message_that_is_put_right_is_left_out(office: Office) -> None:
    _people(office, **{"*": [office.address.replace("wang", "office")]})
    known = json.loads(office.register.get("one-1").canonical())
    filed = known["filings"]

    def filings(said: dict[str, Any]) -> None:
        record = from_document(known | {"filings": said}, where="", today=TODAY)
        office.register.add(record, update=True)

    filings({"connected_on": filed["connected_on"]})
    office.server.mode = "busy"
    office("--within", "400d")
    (whole,) = _waiting(office)
    assert any("|public_security_filing|" in key for key in whole["items"]), whole["items"]
    filings(filed)
    office.server.mode = "take"
    office.past_the_wait()
    assert office("--within", "7d").status == 0
    text = "".join(office.told("office@example.org"))
    assert "public-security filing" not in text
    # what is further ahead than is looked at this time is due still
    assert "web-01" in text
    assert len(text.splitlines()) == len(whole["body"].splitlines()) - 1


@pytest.mark.parametrize(("owner", "days"), [("王工", 6), ("王工", -1), ("李工", 3)])
def test_what_is_of_another_day_or_person_now_is_said_once(
    office: Office, owner: str, days: int
) -> None:
    with mail() as other:
        _people(office, 王工=[_of(office.server)], 李工=[_of(other, "li")])
        office.server.mode = "busy"
        office()
        _assigned(office, owner, days)
        office.server.mode = "take"
        office.past_the_wait()
        office()
        every = [*office.server.taken, *other.taken]
        assert len(every) == 1
        day = (TODAY + timedelta(days=days)).isoformat()
        assert f"{day}] one-1" in every[0].get_content()
        assert (every[0]["To"] == "li@example.org") == (owner == "李工")
        office()
        assert len([*office.server.taken, *other.taken]) == 1


def _restored(office: Office, name: str) -> None:
    """A backup is put in place that knows nothing of two-1, and that id is given to this one."""
    backup = office.folder / "old.zip"
    if not backup.exists():
        words = ["backup", "-o", str(backup), "--register", str(office.folder)]
    else:
        where = str(office.folder / "register.sqlite")
        words = ["restore", str(backup), "--register", where, "--replace"]
    done = hostpledge("register", *words, home=office.folder)
    assert done.status == 0, done.err
    customer = {**made().document["customer"], "name": name}
    Register.open(str(office.folder)).add(made(id="two-1", customer=customer))


@pytest.mark.parametrize("mode", ["take", "busy"])
def test_an_id_that_was_given_anew_is_told_of_anew(office: Office, mode: str) -> None:
    """And nothing is said of who had it before, though it waits to be sent."""
    _people(office, **{"*": [office.address.replace("wang", "office")]})
    _restored(office, "甲公司")
    office.server.mode = mode
    office("--within", "900d")
    first = [*office.server.taken]
    office.server.mode = "take"
    _restored(office, "乙公司")
    office.past_the_wait()
    assert office("--within", "900d").status == 0
    text = "".join(m.get_content() for m in office.server.taken[len(first) :])
    assert "乙公司" in text and "甲公司" not in text
    # what was told of others stays told
    assert mode == "busy" or "one-1" not in text
    count = len(office.server.taken)
    assert office("--within", "900d").err.endswith("there is nothing to tell\n")
    assert len(office.server.taken) == count


def test_of_whom_a_message_is_is_known_by_when_the_record_was(place: str, tmp_path: Path) -> None:
    """Exactly, and of a message of before to a few minutes."""
    Register.open(place).add(made(id="two-1"))
    begun = Register.open(place).begun()
    since = begun["two-1"]
    assert Register.open(place).begun(["none"]) == {}
    key = "two-1|evidence||2026-02-02|late"
    plain = Message("", "王工", "zh", "x", "y\n", (key,), ("0",))
    written = begun_with(plain, begun)
    assert written.begun == (("two-1", since.isoformat()),)
    assert of_today(written, key, begun)
    assert not of_today(written, key, {"two-1": since + timedelta(seconds=1)})
    outbox, people = Outbox(tmp_path / "outbox"), {"王工": Person("王工", "zh", ("mailto://a",))}
    with outbox.held():
        put = outbox.put(written)
        assert list(outbox.messages()) == [put]
        for later, known in ((timedelta(), True), (timedelta(seconds=1), False)):
            now = {"two-1": since + later}
            assert (("王工", key) in told(outbox, people, now, NOW, again=False).by) is known
        shutil.rmtree(outbox.folder / "messages")
        (outbox.folder / "messages").mkdir()
        outbox.put(plain)
        path = next((outbox.folder / "messages").iterdir())
        document = json.loads(path.read_text())
        del document["begun"]
        path.write_text(json.dumps(document))
        for later, known in ((timedelta(minutes=1), True), (timedelta(hours=1), False)):
            now = {"two-1": since + later}
            assert (("王工", key) in told(outbox, people, now, NOW, again=False).by) is known


def test_each_host_that_is_declared_since_is_told(office: Office) -> None:
    """Of those that were told of before nobody learns what came after them."""

    def said_of(*hosts: str) -> str:
        known = office.register.get("one-1").document
        office.register.add(made(**{**known, "resources": {"hosts": list(hosts)}}), update=True)
        before = len(office.told("office@example.org"))
        assert office().status == 0
        return "".join(office.told("office@example.org")[before:])

    assert "not looked at" not in said_of("web-01")
    assert "not looked at: db-01" in said_of("web-01", "db-01")
    assert "not looked at" not in said_of("db-01", "web-01")
    assert "not looked at: app-01, db-01" in said_of("web-01", "db-01", "app-01")
    assert "not looked at: app-02" in said_of("web-01", "app-02")


def void(office: Office, sequence: int) -> None:
    one = office.register.every_evidence("one-1")[sequence - 1]
    void = {"sequence": sequence, "digest": one.digest, "date": TODAY.isoformat()}
    void |= {"reason": "采集的是另一台主机", "by": "王安"}
    office.register.change("one-1", lambda known: with_void(known, void, today=TODAY))


def test_what_is_open_again_is_told_again(office: Office, tmp_path: Path) -> None:
    """Mended by a look that was declared void, or waived by a waiver that was taken back."""
    office()
    assert len(office.told()) == 1
    at = NOW - timedelta(days=1)
    check(office.register, "one-1", Signer(tmp_path / "made"), captured("hardened"), at)
    office()
    assert len(office.told()) == 1
    void(office, 2)
    office()
    assert len(office.told()) == 2
    office()
    assert len(office.told()) == 2
    waiver = {"control": HASH, "host": "web-01", "reason": "x", "approver": "林示例"}
    for waivers, times in (([waiver | {"expires": "2099-12-31"}], 2), ([], 3)):

        def changed(known: PledgeRecord, waivers: list[dict[str, str]] = waivers) -> PledgeRecord:
            document = json.loads(known.canonical())
            document.pop("waivers", None)
            more = {"waivers": waivers} if waivers else {}
            return from_document(document | more, where="", today=TODAY)

        office.register.change("one-1", changed)
        office()
        office()
        assert len(office.told()) == times
