"""`register machines`: what of several pledges is one machine, over the whole register."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows import twins
from collector.pledges.database import sightings
from collector.pledges.database.sightings import Shared, Twin
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.status.same_machines import Place, Same, same_machines
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import AT, Signer
from tests.pledges.places import owner
from tests.pledges.records import made
from tests.pledges.test_seen_before import bundled, taken

TODAY = date(2026, 11, 25)
Run = Callable[..., Ended]


def _put(register: Register, signer: Signer, id: str, host: str, hours: int, letter: str) -> None:
    look = taken(host, "hardened", AT + timedelta(hours=hours), machine=letter)
    attach(register, id, bundled(register, signer, id, look), signer.trust)


def _filled(where: str, folder: Path) -> Register:
    """Of a-1 and b-1 one machine; c-1 was seen alone, and continues nobody's record."""
    register = Register.open(where)
    for id, host in (("a-1", "web-01"), ("b-1", "db-09"), ("c-1", "web-03")):
        register.add(made(id=id, resources={"hosts": [host]}))
    signer = Signer(folder / "made")
    _put(register, signer, "a-1", "web-01", 0, "1")
    _put(register, signer, "b-1", "db-09", 1, "1")
    _put(register, signer, "c-1", "web-03", 2, "3")
    return register


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*words: object, group: str = "register") -> Ended:
        at = ("--register", tmp_path / "r.sqlite")
        return hostpledge(group, *words, *at, home=tmp_path / "home")

    return command


def test_one_machine_of_two_pledges_is_one_row_of_both(place: str, tmp_path: Path) -> None:
    register = _filled(place, tmp_path)
    places = {("a-1", "web-01"): 1, ("b-1", "db-09"): 1}
    assert register.shared() == ((Shared(("machine",), places),), ())
    # the very same host looked at again is no other one
    signer = Signer(tmp_path / "again")
    _put(register, signer, "a-1", "web-01", 9, "1")
    assert register.shared() == ((Shared(("machine",), places),), ())
    # a third one
    _put(register, signer, "c-1", "web-03", 10, "1")
    assert register.shared() == ((Shared(("machine",), {**places, ("c-1", "web-03"): 2}),), ())


def test_as_an_operator_asks(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    register = _filled(str(tmp_path / "r.sqlite"), tmp_path)
    other = {"name": "杭州另一公司", "kind": "unit", "credit_code": "91330106MA0DEM2670"}
    declared = {"hosts": ["WEB-03"], "addresses": ["203.0.113.18"]}
    register.add(made(id="d-1", customer=other, resources=declared))
    more = {"hosts": ["web-03"], "addresses": ["203.0.113.16/29"]}
    register.add(made(id="c-1", resources=more), update=True)
    ended = run("machines", "--lang", "zh")
    assert (ended.status, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["machine-id", "a-1", register.get("a-1").customer, "web-01", "#1"] in lines
    assert ["b-1", register.get("b-1").customer, "db-09", "#1"] in lines
    assert ["d-1", "杭州另一公司", "203.0.113.18", "-"] in lines
    assert lines[-1] == ["3", "处，涉及", "4", "份登记"]
    told = answer(run("machines", "--format", "json").out)
    assert told["unread"] == []
    assert [(one["same"], one["value"]) for one in told["machines"]] == [
        (["machine"], None),
        (["address"], "203.0.113.18"),
        (["host"], "web-03"),
    ]
    assert told["machines"][1]["where"] == [
        {"pledge": "c-1", "customer": register.get("c-1").customer, "name": "203.0.113.16/29",
         "evidence": None},
        {"pledge": "d-1", "customer": "杭州另一公司", "name": "203.0.113.18", "evidence": None},
    ]  # fmt: skip
    text = run("machines", "--format", "csv").out.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["group"], row["same"], row["pledge"], row["name"]) for row in rows] == [
        ("1", "machine", "a-1", "web-01"),
        ("1", "machine", "b-1", "db-09"),
        ("2", "address", "c-1", "203.0.113.16/29"),
        ("2", "address", "d-1", "203.0.113.18"),
        ("3", "host", "c-1", "web-03"),
        ("3", "host", "d-1", "WEB-03"),
    ]
    mine = answer(run("machines", "--pledge", "b-1", "--format", "json").out)["machines"]
    assert [one["same"] for one in mine] == [["machine"]]
    assert run("machines", "--pledge", "b-2").status == 2


def test_what_could_not_be_read_is_said_and_not_taken_for_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore all of it is made anew from bundles, of which one is gone."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    register = _filled(str(tmp_path / "r.sqlite"), tmp_path)
    (attached,) = register.evidence("b-1")
    with owner(str(tmp_path / "r.sqlite")) as theirs:
        theirs.execute("DELETE FROM marks WHERE pledge = 'b-1'")
        theirs.execute("DELETE FROM sightings WHERE pledge = 'b-1'")
    (shutil.rmtree if attached.path.is_dir() else Path.unlink)(attached.path)
    ended = run("machines", "--lang", "en")
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "evidence 1 of b-1" in ended.err
    assert "its bundle cannot be read here" in ended.err
    # of evidence from before the log bound such things nothing says what there was
    with owner(str(tmp_path / "r.sqlite")) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE evidence SET seen = NULL WHERE pledge = 'b-1'")
    ended = run("machines", "--lang", "en")
    assert ended.status == 2
    assert "there are none" in ended.out
    assert "not compared: evidence 1 of b-1 cannot be read" in ended.err
    # and what says another thing than the log is told
    assert "b-1" in ended.err.replace("evidence 1 of b-1 cannot be read", "")
    told = answer(run("machines", "--format", "json").out)
    assert told["unread"] == [{"pledge": "b-1", "evidence": 1}]


def _of(**resources: Any) -> Any:
    return made(id=resources.pop("id"), renews=resources.pop("renews", None), resources=resources)


def _known(*records: Any, seen: Any = (), only: str = "") -> list[tuple[str, str, list[str]]]:
    return [
        (one.kinds[0], one.value, sorted({place.pledge for place in one.places}))
        for one in same_machines(records, seen, TODAY, only)
    ]


def test_addresses_of_which_one_lies_in_the_other_are_the_same() -> None:
    a = _of(id="a", addresses=["203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "10.0.0.0/8"])
    b = _of(id="b", addresses=["203.0.113.7", "198.51.100.1", "10.1.2.3"])
    c = _of(id="c", addresses=["2001:db8:1::/48"], hosts=["198.51.100.1", "web"])
    assert _known(a, b, c) == [
        ("address", "2001:db8:1::/48", ["a", "c"]),
        ("address", "203.0.113.7", ["a", "b"]),
        ("address", "198.51.100.1", ["b", "c"]),
        # every network has these
        ("internal", "10.1.2.3", ["a", "b"]),
    ]
    # what lies in a network that the same have is told with it; what a third one has is not
    d = _of(id="d", addresses=["203.0.113.0/24"])
    e = _of(id="e", addresses=["203.0.113.9"])
    assert _known(a, d, e) == [
        ("address", "203.0.113.0/24", ["a", "d"]),
        ("address", "203.0.113.9", ["a", "d", "e"]),
    ]


def test_what_continues_another_record_or_has_ended_is_no_other_customer() -> None:
    both = {"addresses": ["203.0.113.7"], "hosts": ["web-01"]}
    old, new = _of(id="old", **both), _of(id="new", renews="old", **both)
    assert _known(old, new) == []
    third = _of(id="third", renews="new", **both)
    assert _known(old, new, third) == []
    over = made(id="over", resources=both, ended={"date": "2026-01-31", "reason": "x", "by": "x"})
    assert _known(over, old) == []
    other = _of(id="other", **both)
    assert _known(old, new, other) == [
        ("address", "203.0.113.7", ["new", "old", "other"]),
        ("host", "web-01", ["new", "old", "other"]),
    ]


def test_the_same_machine_of_records_that_continue_each_other_is_expected() -> None:
    old, new, other = (_of(id="old", hosts=["w"]), _of(id="new", renews="old", hosts=["v"]),
                       _of(id="other", hosts=["x"]))  # fmt: skip
    same = Shared(("machine",), {("old", "w"): 1, ("new", "w"): 1})
    assert _known(old, new, other, seen=[same]) == []
    renamed = Shared(("machine",), {("old", "w"): 1, ("new", "v"): 1})
    assert _known(old, new, other, seen=[renamed]) == [("machine", "", ["new", "old"])]
    # of one pledge alone: for who asks about it
    within = Shared(("hostkey",), {("other", "x"): 1, ("other", "y"): 2})
    assert _known(old, new, other, seen=[within]) == []
    (one,) = same_machines((old, new, other), [within], TODAY, "other")
    assert one == Same(("hostkey",), "", (Place("other", "x", 1), Place("other", "y", 2)))


def test_the_line_that_hides_others_names_the_command() -> None:
    every = [Twin(f"h{n}", "b-1", "web-01", 1, ("machine",)) for n in range(13)]
    assert twins.said(every, "a-1")[-1] in (
        "and 5 more: `hostpledge register machines --pledge a-1`",
        "另有 5 处，见 hostpledge register machines --pledge a-1",
    )
    assert len(twins.said(every[:8], "a-1")) == 8


def test_of_thousands_of_host_keys_a_few_are_kept() -> None:
    """A hand-in of 240,000 had every page of all customers wait for it."""
    keys = [f"ssh-ed25519 {n:06}" for n in range(100_000)]
    said = {"machine": "a" * 64, "boot_id": "b", "hostkey": "\n".join(["", *keys[:3], *keys])}
    head = {"host": "web-01", "nonce": "c" * 32, "head": said, "origin": {}, "collected_at": None}
    found = sightings.of_capture(head, "d" * 64)
    assert sorted(found.marks.values()).count("hostkey") == 16
    few = {**said, "hostkey": "\n".join(keys[:3])}
    some = sightings.of_capture({**head, "head": few}, "d" * 64)
    # those that it names first, so that a machine is known again
    assert some.marks.items() <= found.marks.items()
