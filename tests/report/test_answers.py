"""The first screen: one sentence a clause, by the very findings that decide it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.model import Result
from collector.report.model.answers import answers, whole
from collector.report.model.view import Host, Shown

CONTROLS = [
    {"id": f"logging.c{n}", "number": f"L{n:02}", "clause": "2.3", "title": f"c{n}"}
    for n in range(4)
]


def _shown(control: str, result: Result, *, until: str = "", waived: bool = False) -> Shown:
    return Shown(
        control, "", "", "2.3", result, "", "", "", "", "high", False, until, None, waived, "", ()
    )


def _host(name: str, *found: Shown) -> Host:
    blank: dict[str, Any] = dict.fromkeys(Host.__dataclass_fields__, "")
    for field in ("open", "closed", "raws", "logs", "products", "backups", "by_control"):
        blank.pop(field)
    made = Host(**{**blank, "name": name})
    made.by_control = {shown.control: shown for shown in found}
    return made


def _answer(result: Result | None, *hosts: Host, judged: str = "", steps: Any = ()) -> Any:
    clause = {"id": "2.3", "number": "二(三)", "title": "t", "result": result, "judged": judged}
    (found,) = answers([clause], CONTROLS, hosts, steps)
    return found


def test_what_failed_is_counted_by_control_and_by_host() -> None:
    fail, good = Result.FAIL, Result.PASS
    found = _answer(
        fail,
        _host("a", _shown("logging.c0", fail), _shown("logging.c1", fail)),
        _host("b", _shown("logging.c0", fail), _shown("logging.c1", good)),
        _host("c", _shown("logging.c0", good), _shown("logging.c2", fail, waived=True)),
        steps=[{"control": CONTROLS[0]}, {"control": {**CONTROLS[1], "clause": "2.2"}}],
    )
    assert (found.word, found.said) == ("answer_broken", "answer_said_fail")
    assert found.numbers == {"controls": 2, "of": 4, "hosts": 2, "all": 3}
    assert [control["number"] for control in found.first] == ["L00"]
    assert found.until == ""


def test_what_is_kept_holds_until_the_first_of_it_ends() -> None:
    good = Result.PASS
    found = _answer(
        good,
        _host("a", _shown("logging.c0", good, until="2026-12-20"), _shown("logging.c1", good)),
        _host("b", _shown("logging.c0", good, until="2026-12-01")),
    )
    assert (found.word, found.said) == ("answer_kept", "answer_said_kept")
    assert found.until == "2026-12-01"
    assert found.numbers["of"] == 4


@pytest.mark.parametrize(
    ("judged", "hosts", "said"),
    [
        ("2 of 4 controls", 1, "answer_said_part"),
        ("", 0, "answer_said_part"),
        ("", 1, "answer_said_error"),
    ],
)
def test_not_verified_says_of_what(judged: str, hosts: int, said: str) -> None:
    held = [_host("a", _shown("logging.c0", Result.ERROR))][:hosts]
    found = _answer(Result.ERROR, *held, judged=judged)
    assert (found.word, found.said) == ("answer_unverified", said)


def test_what_was_not_looked_at_is_no_answer() -> None:
    found = _answer(None)
    assert (found.word, found.said, found.result) == ("answer_none", "answer_not_looked", None)
    assert replace(found).first == ()


def test_what_fails_is_said_beside_what_could_not_be_looked_at() -> None:
    error, fail, partial = Result.ERROR, Result.FAIL, Result.PARTIAL
    found = _answer(
        error,
        _host("a", _shown("logging.c0", error), _shown("logging.c1", fail)),
        _host("b", _shown("logging.c1", fail), _shown("logging.c2", partial)),
        _host("c", _shown("logging.c3", fail, waived=True)),
    )
    assert found.said == "answer_said_error"
    assert dict(found.also) == {fail: 1, partial: 1}
    assert next(iter(found.also)) is fail
    assert _answer(fail, _host("a", _shown("logging.c1", fail))).also == {}


def test_what_failed_makes_it_partial_and_is_said_first() -> None:
    fail, good = Result.FAIL, Result.PASS
    found = _answer(
        Result.PARTIAL,
        _host("a", _shown("logging.c0", fail), _shown("logging.c1", fail)),
        _host("b", _shown("logging.c0", fail), _shown("logging.c1", good)),
    )
    assert (found.word, found.said) == ("answer_partly", "answer_said_fail")
    assert (found.numbers["controls"], found.numbers["hosts"]) == (2, 2)
    assert found.also == {}


def test_what_is_waived_alone_is_said_to_be() -> None:
    fail = Result.FAIL
    found = _answer(
        Result.PARTIAL,
        _host("a", _shown("logging.c0", fail, waived=True), _shown("logging.c1", Result.PASS)),
        _host("b", _shown("logging.c2", fail, waived=True)),
    )
    assert (found.word, found.said) == ("answer_partly", "answer_said_waived")
    assert found.numbers["waived"] == 2


def test_the_whole_is_the_worst_of_all_clauses() -> None:
    """Three cards were read one by one: is the pledge kept?"""
    good, part, fail = _answer(Result.PASS), _answer(Result.PARTIAL), _answer(Result.FAIL)
    found = whole([good, part, fail, fail])
    assert found.word == "answer_broken"
    assert list(found.counts.items()) == [
        ("answer_broken", 2),
        ("answer_partly", 1),
        ("answer_kept", 1),
    ]
    assert whole([good, good]).word == "answer_kept"
    assert whole([good, part]).word == "answer_partly"
    # what nobody looked at is no pledge that is kept
    assert whole([good, _answer(None)]).word == "answer_none"
    assert whole([part, _answer(Result.ERROR)]).word == "answer_unverified"
    assert whole([]).word == "answer_none"
