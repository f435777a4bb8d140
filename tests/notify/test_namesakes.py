"""An owner is a name: of two people who have it, neither is told of the other's affairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows.desk.namesakes import Namesakes
from collector.errors import BadInput
from collector.notify.settings import Person
from collector.pledges.record.changes import followed_up
from tests.notify.servers import mail
from tests.notify.test_notify import HASH, NOW, TODAY, Office
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.places import owner
from tests.pledges.records import made
from tests.pledges.test_follow_ups import another

ZHANG = "张伟"
CALLED = {"name": ZHANG, "phone": "13800000001", "email": "zhang@a.example"}
OTHER = {"name": ZHANG, "phone": "13900000009"}


def _customer(name: str) -> dict[str, str]:
    return {
        "name": f"{name}示例",
        "kind": "person",
        "identity_masked": f"33{len(name)}***********12",
    }


def _records(a: dict[str, Any] | None, b: dict[str, Any] | None) -> list[Any]:
    nobody = {"safety_contact": None, "security_officer": None}
    return [
        made(id="a-1", customer=_customer("甲"), **{**nobody, "safety_contact": a}),
        made(id="b-1", customer=_customer("乙乙"), **{**nobody, "security_officer": b}),
    ]


def _may(records: list[Any], *pledges: str, name: str = ZHANG) -> list[str]:
    person = Person(name, "zh", ("mailto://a",), pledges)
    namesakes = Namesakes(records, {name: person})
    return [id for id in ("a-1", "b-1") if namesakes.may(person, id)]


@pytest.mark.parametrize(
    ("a", "b", "pledges", "told"),
    [
        # of this side: whoever customers have, nobody is called so there
        (None, None, (), ["a-1", "b-1"]),
        ({**CALLED, "name": "李四"}, None, (), ["a-1", "b-1"]),
        # a customer's: of that customer alone
        (CALLED, None, (), ["a-1"]),
        ({**CALLED, "name": "张 伟"}, None, (), ["a-1"]),
        # two of that name, and nothing says which
        (CALLED, OTHER, (), []),
        # one who is reached by the same number at both
        (CALLED, {**OTHER, "phone": CALLED["phone"]}, (), ["a-1", "b-1"]),
        # the settings say
        (CALLED, OTHER, ("b-1",), ["b-1"]),
        (CALLED, OTHER, ("*",), ["a-1", "b-1"]),
        (None, None, ("a-1",), ["a-1"]),
    ],
)
def test_whose_affairs_a_name_is_told(
    a: dict[str, Any] | None, b: dict[str, Any] | None, pledges: tuple[str, ...], told: list[str]
) -> None:
    assert _may(_records(a, b), *pledges) == told


def test_a_number_behind_the_name_says_who_is_meant() -> None:
    both = _records(CALLED, OTHER)
    assert _may(both, name=f"{ZHANG} 13900000009") == ["b-1"]
    # nobody's that a record names: an owner who is written so is one and the same
    assert _may(both, name=f"{ZHANG} 13700000000") == ["a-1", "b-1"]


def test_a_name_has_blanks_of_its_own() -> None:
    a, b = ({**one, "name": "Zhang Wei"} for one in (CALLED, OTHER))
    assert _may(_records(a, b), name="Zhang Wei") == []
    assert _may(_records(a, b), name=f"Zhang Wei {OTHER['phone']}") == ["b-1"]


def test_two_names_that_are_one_are_refused_and_a_pledge_that_is_none_is_named() -> None:
    with pytest.raises(BadInput, match="one name as owners"):
        Namesakes([], {n: Person(n, "zh", ("mailto://a",)) for n in ("李 工", "李工")})
    person = Person(ZHANG, "zh", ("mailto://a",), ("a-1", "a-2"))
    namesakes = Namesakes(_records(None, None), {ZHANG: person})
    assert namesakes.unknown == [(ZHANG, "a-2")]
    assert [id for id in ("a-1", "b-1") if namesakes.may(person, id)] == ["a-1"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The first pledge names 张伟 as its contact, and a finding of another's is owned by one."""
    found = Office(tmp_path)
    first = found.register.get("one-1").document
    found.register.add(made(**{**first, "safety_contact": CALLED}), update=True)
    papers = [{**one, "sha256": one["sha256"][::-1]} for one in first["documents"]]
    theirs = {"customer": _customer("乙"), "documents": papers, "management_rules": None}
    found.register.add(made(id="two-2", resources={"hosts": ["web-01"]}, **theirs))
    look = another(captured("weak"))
    check(found.register, "two-2", Signer(tmp_path / "m"), look, NOW - timedelta(days=20))
    end = (TODAY + timedelta(days=3)).isoformat()
    given = {(HASH, "web-01"): {"owner": ZHANG, "due": end}}
    for id in ("one-1", "two-2"):
        found.register.change(id, partial(followed_up, entries=given, today=TODAY))
    with mail() as found.server:
        yield found


def _settings(office: Office, entry: Any, office_too: bool = True) -> None:
    path = office.folder / "notify.yml"
    everybody = {"*": [office.address.replace("wang", "office")]} if office_too else {}
    path.write_text(json.dumps({"people": {ZHANG: entry, **everybody}}))
    path.chmod(0o600)


def test_what_is_another_customers_goes_to_the_office_with_the_name(office: Office) -> None:
    _settings(office, [office.address])
    ahead = office("--dry-run")
    assert "another of that name may be meant" in ahead.err
    assert "可能是同名的人" in office("--dry-run", "--lang", "zh").err
    assert office.json("--dry-run")["namesakes"] == [ZHANG]
    ended = office()
    assert ended.status == 0, ended.err
    (mine,) = office.told()
    assert "one-1" in mine and "two-2" not in mine
    theirs = " ".join(office.told("office@example.org"))
    assert "two-2" in theirs and ZHANG in theirs
    # once
    assert office().status == 0
    assert len(office.told()) == 1


def test_where_nobody_else_is_told_the_command_says_so(office: Office) -> None:
    _settings(office, [office.address], office_too=False)
    ended = office()
    assert ended.status == 1
    assert "told to nobody" in ended.err
    assert not any("two-2" in one for one in office.told())


def test_who_is_meant_may_be_said(office: Office) -> None:
    _settings(office, {"to": [office.address], "pledges": ["two-2"]})
    assert office().status == 0
    (mine,) = office.told()
    assert "two-2" in mine and "one-1" not in mine


@pytest.mark.parametrize("pledges", [[], "two-2", [1]])
def test_pledges_of_no_form_are_refused(office: Office, pledges: object) -> None:
    _settings(office, {"to": [office.address], "pledges": pledges})
    ended = office()
    assert (ended.status, ended.out) == (2, "")
    assert office.server.taken == []
    assert ended.err.splitlines()[-1].startswith("hostpledge: ")


def test_a_pledge_of_the_settings_that_is_gone_keeps_nobody_from_being_told(
    office: Office,
) -> None:
    _settings(office, {"to": [office.address], "pledges": ["one-1", "gone-9"]})
    ended = office()
    assert ended.status == 1
    assert "told of the pledge gone-9, and there is none" in ended.err
    assert "但没有这份登记" in office("--lang", "zh").err
    assert [("one-1" in one) for one in office.told()] == [True]


def test_a_record_that_was_changed_keeps_nobody_else_from_being_told(office: Office) -> None:
    _settings(office, {"to": [office.address], "pledges": ["one-1", "two-2"]})
    with owner(office.register.where) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE versions SET document = '{}' WHERE pledge = 'two-2'")
    ended = office()
    assert ended.status == 1, ended.err
    assert "Traceback" not in ended.err
    assert "two-2 version" in ended.err
    (mine,) = office.told()
    assert "one-1" in mine and "two-2" not in mine
    # it is said each time, and nothing is told twice
    assert office().status == 1
    assert len(office.told()) == 1


def test_whom_a_changed_record_names_nobody_knows(office: Office) -> None:
    """Its contact would else count as one of this side, who is told of every customer."""
    _settings(office, [office.address])
    with owner(office.register.where) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE versions SET document = '{}' WHERE pledge = 'one-1'")
    assert office().status == 1
    assert office.told() == []
    assert "two-2" in " ".join(office.told("office@example.org"))
