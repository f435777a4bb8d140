"""The life of findings, out of what bundles say: opened, owned, due, waived, closed, open again."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.model import HostStatus, Result
from collector.pledges.database.rows import Evidence
from collector.pledges.record.times import waiver_end
from collector.pledges.register.register import Register
from collector.pledges.standing import finding_history
from collector.pledges.standing.due import due
from collector.pledges.standing.finding_history import (
    last_lives,
    looked_at_in_full,
    made_before,
)
from collector.pledges.status.findings import Life, lives
from collector.pledges.status.latest_bundle import Newest
from collector.pledges.transfer.inventory import check_is_due
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check, few
from tests.pledges.records import made

__all__ = ["few"]
HASH, DISK = "encryption.password_hash", "encryption.at_rest"
START = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def bundle(
    sequence: int, verdicts: Mapping[str, Mapping[str, str]], waived: str = ""
) -> tuple[Evidence, dict[str, Any]]:
    """A bundle of the day `sequence`: host → control → verdict, `!` for a host that was silent."""
    hosts = {
        host: {
            "status": HostStatus.UNREACHABLE if "!" in found else HostStatus.COMPLETE,
            "findings": [
                {
                    "control": control,
                    "verdict": verdict,
                    "waiver": {"expires": waived, "expired": waiver_end(waived) <= day(sequence)}
                    if waived and verdict == "fail"
                    else None,
                }
                for control, verdict in found.items()
                if control != "!"
            ],
        }
        for host, found in verdicts.items()
    }
    about = {"number": "X1", "title": {"zh": "口令", "en": "passwords"}, "veto": False}
    at = day(sequence)
    row = Evidence("p", sequence, f"{sequence:064}", None, at, at, at, {}, Path("/none"))
    return row, {"hosts": hosts, "controls": {HASH: about, DISK: about}}


def told(life: Life) -> list[tuple[str, int]]:
    return [(event.what, event.sequence) for event in life.events]


def test_opened_seen_again_closed_and_opened_again() -> None:
    looked = [
        bundle(1, {"a": {HASH: "fail", DISK: "pass"}, "b": {HASH: "pass", DISK: "error"}}),
        bundle(2, {"a": {HASH: "partial"}, "b": {HASH: "pass", DISK: "notapplicable"}}),
        # of a host that is silent, and of one that is not in it, nothing is known
        bundle(3, {"a": {"!": "", HASH: "error"}}),
        bundle(4, {"a": {HASH: "pass"}}),
        bundle(5, {"a": {HASH: "fail"}}),
    ]
    record = made()
    at_three = {(f.host, f.control): f for f in lives(record, looked[:3], day(3))}
    assert set(at_three) == {("a", HASH), ("b", DISK)}
    still = at_three["a", HASH]
    assert (still.state, still.verdict, still.seen) == ("open", "partial", 2)
    assert told(still) == [("opened", 1)]
    assert told(at_three["b", DISK]) == [("opened", 1), ("closed", 2)]
    assert at_three["b", DISK].closed is not None
    (closed, _) = lives(record, looked[:4], day(4))[::-1]
    assert {closed.host} == {"a"} or closed.state == "closed"
    again = lives(record, looked, day(5))[0]
    assert told(again) == [("opened", 1), ("closed", 4), ("reopened", 5)]
    assert again.opened.sequence == 5
    assert again.reopened


def test_a_look_in_full_that_could_not_look_hides_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every read of it timed out: the newest look at each host is of all controls all the same."""
    monkeypatch.setattr(finding_history, "_unproven", lambda *_: None)
    monkeypatch.setattr(finding_history, "judged_in_full", lambda _: True)
    words = ("pass", "fail", "error", "error", "partial")
    looked = [bundle(n, {"web-01": {HASH: word}}) for n, word in enumerate(words, 1)]
    for _, document in looked:
        document["controls"][HASH]["veto"] = True
        for finding in document["hosts"]["web-01"]["findings"]:
            finding["severity"] = "high"
        document["hosts"]["web-01"]["assessed_at"] = day(9).isoformat()
    monkeypatch.setattr(finding_history, "_read", lambda rows, *_: (
        looked[row.sequence - 1] for row in rows))  # fmt: skip
    monkeypatch.setattr(finding_history, "looked_at_in_full", lambda row, document, _: {"web-01"})
    record = made(resources={"hosts": ["web-01"]}, follow_ups=None)
    for count, fails in ((1, False), (2, True), (3, True), (4, True), (5, False)):
        rows = [row for row, _ in looked[:count]]
        found = last_lives(record, rows, day(9))
        assert any(one.fails for one in found) is fails, count
    # not without end: what a year of looks could not see is not looked for further back
    many = [looked[1], *(bundle(n, {"web-01": {HASH: "error"}}) for n in range(2, 40))]
    for _, document in many[1:]:
        document["controls"][HASH]["veto"] = True
        document["hosts"]["web-01"]["assessed_at"] = day(90).isoformat()
    read: list[int] = []

    def counted(rows: Sequence[Evidence], *_: object) -> Iterator[tuple[Evidence, dict[str, Any]]]:
        for row in rows:
            read.append(row.sequence)
            yield many[row.sequence - 1]

    monkeypatch.setattr(finding_history, "_read", counted)
    last_lives(record, [replace(row, sequence=n) for n, (row, _) in enumerate(many, 1)], day(90))
    assert len(read) == 13


@pytest.mark.parametrize(
    ("then", "failed", "waived"),
    [
        (("fail",), 1, ""), (("fail", "error"), 1, ""), (("fail", "notchecked", "error"), 1, ""),
        (("fail", "fail", "error"), 2, ""), (("fail", "partial"), 0, ""), (("error",), 0, ""),
        (("fail", "pass"), 0, ""), (("fail", "pass", "error"), 0, ""),
        (("fail", "notapplicable", "partial"), 0, ""), (("partial", "error"), 0, ""),
        (("fail",), 0, "2099-01-01T00:00:00+00:00"),
        (("fail", "error"), 0, "2099-01-01T00:00:00+00:00"),
    ],
)  # fmt: skip
def test_who_could_not_look_mends_no_failure(
    then: tuple[str, ...], failed: int, waived: str
) -> None:
    looked = [bundle(n, {"a": {HASH: word}}, waived) for n, word in enumerate(then, 1)]
    waiver = {"control": HASH, "host": "a", "reason": "x", "approver": "y", "expires": waived[:10]}
    record = made(waivers=[waiver]) if waived else made()
    (one,) = lives(record, looked, day(9))
    assert one.fails is bool(failed)
    assert not failed or one.failed == failed


def test_what_a_bundle_says_whose_signature_counts_no_more_mends_nothing() -> None:
    looked = [
        bundle(1, {"a": {HASH: "fail", DISK: "pass"}}),
        bundle(2, {"a": {HASH: "pass", DISK: "error"}}),
        bundle(3, {"a": {HASH: "partial"}}),
        bundle(4, {"a": {HASH: "pass"}}),
    ]
    over = {2, 3, 4}
    looked = [(replace(r, refused="revoked" if r.sequence in over else ""), d) for r, d in looked]
    found = {life.control: life for life in lives(made(), looked, day(9))}
    assert (found[HASH].state, found[HASH].verdict, found[HASH].seen) == ("open", Result.FAIL, 1)
    # what it opens is open: nobody is told that nothing was found
    assert (found[DISK].state, found[DISK].seen) == ("open", 2)
    # nor does it stand in the way of what was looked at before it, and attached later
    row, document = bundle(5, {"a": {HASH: "pass", DISK: "pass"}})
    found = {
        life.control: life
        for life in lives(
            made(), [*looked, (replace(row, collected_at=day(1.5)), document)], day(9)
        )
    }
    assert {life.state for life in found.values()} == {"closed"}


def test_a_waiver_ends_and_the_finding_is_open_again() -> None:
    until = day(10).isoformat()
    waiver = {"control": HASH, "host": "*", "reason": "x", "approver": "王安", "expires": until}
    record = made(waivers=[waiver])
    first = [bundle(1, {"a": {HASH: "fail"}})]
    # put on record after the check: it holds from now on
    (waived,) = lives(record, first, day(2))
    assert (waived.state, told(waived)) == ("waived", [("opened", 1)])
    looked = [
        *first,
        bundle(3, {"a": {HASH: "fail"}}, until),
        bundle(4, {"a": {HASH: "fail"}}, until),
    ]
    (waived,) = lives(record, looked, day(9))
    assert (waived.state, told(waived)) == ("waived", [("opened", 1), ("waived", 3)])
    # nobody has looked since; what ended, ended
    (ended,) = lives(record, looked, day(11))
    assert (ended.state, told(ended)[-1]) == ("open", ("waiver_ended", 0))
    assert ended.events[-1].at == day(10)
    assert ended.reopened
    looked.append(bundle(12, {"a": {HASH: "fail"}}, until))
    (looked_at,) = lives(record, looked, day(12))
    assert told(looked_at) == [("opened", 1), ("waived", 3), ("waiver_ended", 0)]
    # what could not be looked at is not what was accepted
    (error,) = lives(record, [*first, bundle(2, {"a": {HASH: "error"}})], day(3))
    assert error.state == "open"
    # taken back before its time
    (back,) = lives(made(), [*first, bundle(3, {"a": {HASH: "fail"}}, until)], day(5))
    assert back.state == "open"


def test_who_sees_to_it_and_what_falls_due() -> None:
    day_of = day(20).date().isoformat()
    one = {"control": HASH, "host": "a", "owner": "周示例", "due": day_of, "note": "n"}
    rest = {"control": HASH, "host": "*", "owner": "林示例"}
    record = made(follow_ups=[rest, one])
    open_ = [bundle(1, {"a": {HASH: "fail"}, "b": {HASH: "fail"}})]
    found = lives(record, open_, day(2))
    assert [(f.host, f.owner, f.overdue(day(2))) for f in found] == [
        ("a", "周示例", False),
        ("b", "林示例", False),
    ]

    def kinds(looked: Sequence[tuple[Evidence, dict[str, Any]]], at: float) -> set[str]:
        known = lives(record, looked, day(at))
        rows = [row for row, _ in looked]
        none = timedelta(0)
        return {d.kind for d in due(record, rows, day(at), within=none, lives=known, renewed=False)}

    assert "finding" not in kinds(open_, 19)
    assert "finding" in kinds(open_, 21)
    assert lives(record, open_, day(21))[0].overdue(day(21))
    rows = [row for row, _ in open_]
    known = lives(record, open_, day(21))
    assert check_is_due(record, rows, day(21), timedelta(0), lives=known, renewed=False)
    closed = [*open_, bundle(2, {"a": {HASH: "pass"}})]
    assert "finding" not in kinds(closed, 21)
    known = lives(record, closed, day(21))
    assert not check_is_due(record, rows, day(21), timedelta(0), lives=known, renewed=False)
    # where nobody looked what became of it, it is taken for open
    assert "finding" in {
        d.kind for d in due(record, rows, day(21), within=timedelta(0), renewed=False, lives=None)
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"control": "no.such"}, "no control is named no.such"),
        ({"due": "2026-02-30"}, "2026-02-30"),
        ({"owner": ""}, "owner"),
    ],
)
def test_what_no_follow_up_can_be(changes: dict[str, str], says: str) -> None:
    entry = {"control": HASH, "host": "a", "owner": "周示例", **changes}
    with pytest.raises(Exception, match=says):
        made(follow_ups=[entry])


def test_as_a_user_does_it(tmp_path: Path) -> None:
    """Real bundles in a register: listed, given to somebody, waived, taken back."""
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    record = made()
    register.add(record)
    signer = Signer(tmp_path / "made")
    check(register, record.id, signer, captured("weak"), datetime.now(UTC) - timedelta(days=2))
    at = str(place)

    def pledge(*words: str, status: int = 0) -> str:
        ended = hostpledge("pledge", *words, "--register", at, home=tmp_path)
        assert ended.status == status, ended.err
        return ended.out + ended.err

    listed = pledge("findings", record.id, status=1)
    assert "@ web-01: fail" in listed
    assert "nobody" in listed
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    pledge("assign", record.id, HASH, "web-01", "--owner", "周示例", "--due", soon)
    listed = pledge("findings", record.id, "--owner", "周示例", status=1)
    assert f"周示例, by {soon}" in listed
    # four controls are not the evidence that the pledge owes
    due = pledge("due", record.id, "--within", "5d", status=1)
    assert HASH in due
    assert "does not count" in due
    assert '"open": 1' in pledge("status", record.id, "--format", "json", status=1)
    assert "no finding is open" in pledge(
        "assign", record.id, HASH, "db-9", "--owner", "x", status=2
    )
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    words = ("--reason", "停用中", "--approver", "王安", "--until", until)
    pledge("waive", record.id, HASH, "web-01", *words)
    assert f"to {until}: 停用中 (王安)" in pledge("findings", record.id)
    assert HASH not in pledge("due", record.id, "--within", "5d", status=1)
    assert "declares no host w-1, and no evidence of it" in pledge(
        "waive", record.id, HASH, "w-1", *words, status=2
    )
    pledge("waive", record.id, HASH, "web-01", "--withdraw")
    assert "not on record" in pledge("waive", record.id, HASH, "web-01", "--withdraw", status=2)
    check(register, record.id, signer, captured("hardened"), datetime.now(UTC) - timedelta(days=1))
    assert "open 0" in pledge("findings", record.id)
    (life,) = json.loads(pledge("findings", record.id, "--all", "--format", "json"))["findings"]
    assert (life["opened_by"], life["closed_by"], life["owner"]) == (1, 2, "周示例")
    pledge("assign", record.id, HASH, "web-01", "--clear")
    # every step is a version of the record
    assert len(register.history(record.id)) == 5


def test_a_host_that_evidence_alone_knows_can_be_waived(tmp_path: Path) -> None:
    """Checked by an inventory of one's own, under a name that the record does not declare."""
    register = Register.open(str(tmp_path / "r.sqlite"))
    record = made(resources={"hosts": ["db-9"]})
    register.add(record)
    check(register, record.id, Signer(tmp_path), captured("weak"), datetime.now(UTC))
    words = ("waive", record.id, HASH, "web-01", "--reason", "x", "--approver", "y")
    day = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    ended = hostpledge("pledge", *words, "--until", day, "--register", tmp_path / "r.sqlite")
    assert ended.status == 0, ended.err
    (waiver,) = register.get(record.id).document["waivers"]
    assert waiver["host"] == "web-01"


def test_over_all_pledges_for_people_and_excel(tmp_path: Path) -> None:
    """Whose passwords are weakly hashed? One command; a pledge that cannot be read is named."""
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    signer = Signer(tmp_path / "made")
    for id in ("one-1", "two-2"):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
        state = "weak" if id == "one-1" else "hardened"
        check(register, id, signer, captured(state), datetime.now(UTC) - timedelta(days=2))

    def findings(*words: str, status: int) -> str:
        ended = hostpledge("pledge", "findings", *words, "--register", place, home=tmp_path)
        assert ended.status == status, ended.err
        return ended.out + ended.err

    listed = findings("--control", HASH, status=1)
    assert "one-1" in listed
    assert "two-2" not in listed
    (known,) = json.loads(findings("--control", HASH, "--format", "json", status=1))["findings"]
    assert (known["pledge"], known["host"], known["state"]) == ("one-1", "web-01", "open")
    assert "nobody of this name sees to a finding" in findings("--owner", "nobody", status=2)
    text = findings("one-1", "--control", HASH, "--format", "csv", status=1)
    assert text.startswith("\ufeffpledge,customer,host,number,control,title,veto,verdict,state,")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["pledge"], row["verdict"], row["overdue"]) == ("one-1", "fail", "no")

    shutil.rmtree(register.evidence("two-2")[0].path)
    left = findings("--control", HASH, status=2)
    assert "one-1" in left
    assert [line for line in left.splitlines() if line.startswith("two-2: ")]


@pytest.mark.usefixtures("few")
def test_a_later_bundle_with_an_older_look_hides_nothing(tmp_path: Path) -> None:
    """What is read of the newest bundles alone says what all of them say."""
    register, signer = Register.open(str(tmp_path / "r.sqlite")), Signer(tmp_path / "s")
    resources = {**made().document["resources"], "hosts": ["web-01"]}
    register.add(made(id="p-1", resources=resources))
    weak, good, now = captured("weak"), captured("hardened"), datetime.now(UTC)
    check(register, "p-1", signer, weak, now - timedelta(hours=5))
    evidence = register.evidence("p-1")
    failing = last_lives(register.get("p-1"), evidence, now)
    assert any(life.verdict is Result.FAIL for life in failing)
    check(register, "p-1", signer, good, now - timedelta(hours=1))
    rows = register.evidence("p-1")
    # the look in the second bundle is older than the one in the first, as of one host of several
    first, second = rows
    older = replace(second, collected_at=first.collected_at)
    entries = {row.digest: Newest(row).evidence for row in rows}
    for entry in entries[second.digest]["hosts"].values():
        entry["assessed_at"] = (now - timedelta(hours=9)).isoformat()
        entry["origin"] = {**entry["origin"], "clock": (now - timedelta(hours=9)).isoformat()}
    before = made_before((older, first))
    assert before == {2: first.made_at, 1: None}
    assert looked_at_in_full(older, entries[second.digest], before[2]) == set()
    assert looked_at_in_full(first, entries[first.digest], None) == {"web-01"}
