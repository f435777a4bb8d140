"""Captures → findings: what no single judge decides. Waivers, clauses, messages, failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from collector import catalog
from collector.assess import assess_host, clause_result, satisfied, to_json
from collector.errors import BadInput, CouldNotLook, NotTrusted, NotUnderstood
from collector.model import (
    Capture,
    Clock,
    Control,
    Facts,
    Finding,
    HostStatus,
    Judge,
    Parameters,
    Quote,
    ReadResult,
    ReadStatus,
    Result,
    Severity,
    Text,
    Verdict,
    Waiver,
)
from collector.schema import check

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
HOST = Capture(
    "h",
    HostStatus.COMPLETE,
    collected_at=AT,
    reads={"accounts.passwd": ReadResult("accounts.passwd", ReadStatus.OK)},
)


def _control(judge: Judge, **changes: object) -> Control:
    known = catalog.control("encryption.password_hash")
    messages = {"said": Text("{who} 共 {count}", "{who}, {count} in all")}
    return replace(known, judge=judge, messages=messages, **changes)  # type: ignore[arg-type]


def _says(
    result: Result, reason: str = "said", lines: tuple[str, ...] = (), **values: object
) -> Judge:
    def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
        quotes = (Quote("accounts.passwd", lines),) if lines else ()
        return Verdict(result, reason, values=values, evidence=quotes)  # type: ignore[arg-type]

    return judge


def _finding(judge: Judge, **options: object) -> Finding:
    (found,) = assess_host(HOST, [_control(judge)], **options)  # type: ignore[arg-type]
    check(to_json(found, AT), "finding", where="finding")
    return found


@pytest.mark.parametrize(("grade", "severity"), [(2, Severity.LOW), (3, Severity.HIGH)])
def test_a_control_may_weigh_more_at_grade_3(grade: int, severity: Severity) -> None:
    control = _control(
        _says(Result.FAIL, who="", count=0), severity=Severity.LOW, severity_3=Severity.HIGH
    )
    (found,) = assess_host(HOST, [control], grade=grade)
    assert found.severity is severity


# --- messages and evidence -----------------------------------------------------------------------


def test_what_a_host_calls_its_things_is_no_name_to_fill_in() -> None:
    found = _finding(_says(Result.FAIL, who=["{count}", "{who}", "a{0}", "%s"], count=4))
    assert found.message.en == "{count}, {who}, a{0}, %s, 4 in all"
    assert found.message.zh == "{count}、{who}、a{0}、%s 共 4"


def test_control_characters_of_a_host_do_not_reach_the_terminal() -> None:
    found = _finding(
        _says(Result.FAIL, lines=("a\x1b[2Jb",), who="x\ny\x1b]0;t\x07\u202e", count=1)
    )
    assert found.message.en == "x\\x0ay\\x1b]0;t\\x07\\x202e, 1 in all"
    assert found.evidence[0]["lines"] == ["a\\x1b[2Jb"]


def test_evidence_is_bounded() -> None:
    found = _finding(_says(Result.FAIL, lines=("x" * 501, *["y"] * 40), who="", count=0))
    lines = found.evidence[0]["lines"]
    assert len(lines) == 20
    assert len(lines[0]) == 500
    assert lines[0].endswith("…")


def test_reason_without_a_message_is_an_error() -> None:
    found = _finding(_says(Result.PASS, reason="never_heard_of"))
    assert (found.result, found.reason) == (Result.ERROR, "judge_failed")


# --- whatever a judge raises is an error ---------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (CouldNotLook("accounts.passwd", "refused"), "could_not_look"),
        (NotUnderstood("accounts.passwd", "what?"), "not_understood"),
        (NotTrusted("inventory.signature", "forged"), "not_trusted"),
        (BadInput("no"), "judge_failed"),
        (ValueError("{why} \x1b"), "judge_failed"),
        (KeyError("x"), "judge_failed"),
        (RecursionError(), "judge_limit"),
        (StopIteration(), "judge_failed"),
        (MemoryError(), "judge_limit"),
        (AssertionError(), "judge_failed"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "judge_failed"),
    ],
)
def test_whatever_a_judge_raises(raised: Exception, reason: str) -> None:
    def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
        raise raised

    found = _finding(judge)
    assert (found.result, found.reason) == (Result.ERROR, reason)
    assert "\x1b" not in found.message.en


def test_a_parser_fails_each_judge_alike() -> None:
    def broken(capture: Capture) -> int:
        return int("x")

    def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
        facts.get(broken)
        return Verdict(Result.PASS, "said")

    found = assess_host(HOST, [_control(judge), _control(judge)])
    assert [f.result for f in found] == [Result.ERROR, Result.ERROR]


def test_a_fact_that_is_not_understood_fills_no_message_of_the_control() -> None:
    """`logging.logins` has a message of the same name with other words to fill in."""

    def odd(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
        raise NotUnderstood("accounts.passwd", "odd words")

    said = _says(Result.ERROR, "not_understood", stores=["/var/log/wtmp"])
    for judge, words in ((odd, "odd words"), (said, "/var/log/wtmp")):
        control = replace(catalog.control("logging.logins"), judge=judge)
        (found,) = assess_host(HOST, [control])
        assert found.reason == "not_understood"
        for text in (found.message.en, found.message.zh):
            assert "{" not in text and (words in text or text == found.message.zh)


@pytest.mark.parametrize("status", [s for s in HostStatus if s is not HostStatus.COMPLETE])
def test_host_without_an_answer(status: HostStatus) -> None:
    """One finding a control, all of them errors that say what became of the host."""
    controls = list(catalog.controls().values())
    found = assess_host(Capture("h", status, detail="{why}"), controls)
    assert [f.control for f in found] == [c.id for c in controls]
    assert {f.result for f in found} == {Result.ERROR}
    assert {f.reason for f in found} == {f"host_{status}"}


@pytest.mark.parametrize("status", [HostStatus.LOST, HostStatus.FLOODED, HostStatus.TIMED_OUT])
def test_host_that_died_before_its_first_read_passes_nothing(status: HostStatus) -> None:
    some = ReadResult("services.boot", ReadStatus.LOST)
    capture = Capture("h", status, collected_at=AT, reads={"services.boot": some})
    found = assess_host(capture, catalog.controls().values())
    assert {f.result for f in found} <= {Result.ERROR, Result.NOTCHECKED}


# --- grades --------------------------------------------------------------------------------------


@pytest.mark.parametrize("grade", [2, 3])
def test_grade_decides_the_numbers(grade: int) -> None:
    def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
        return Verdict(Result.PASS, "said", values={"who": parameters.integer("n"), "count": 1})

    control = _control(judge, parameters={"n": MappingProxyType({2: 30, 3: 7})})
    (found,) = assess_host(HOST, [control], grade=grade)
    assert found.message.en == f"{ {2: 30, 3: 7}[grade] }, 1 in all"


# --- waivers -------------------------------------------------------------------------------------


def _waiver(host: str, days: int) -> Waiver:
    return Waiver("encryption.password_hash", host, f"{host} {days}", "me", AT + timedelta(days))


@pytest.mark.parametrize(
    ("waivers", "reason"),
    [
        ([("h", 9), ("*", -9)], "h 9"),
        ([("*", -9), ("h", 9)], "h 9"),
        ([("h", -9), ("*", 9)], "* 9"),
        ([("*", 9), ("h", -9)], "* 9"),
        ([("other", 9)], None),
        ([("h*", 9)], None),
    ],
)
def test_waiver_that_holds_longest(waivers: list[tuple[str, int]], reason: str | None) -> None:
    """An expired one never hides one that holds, whichever comes first."""
    found = _finding(_says(Result.FAIL, who="", count=0), waivers=[_waiver(*w) for w in waivers])
    assert (found.waiver.reason if found.waiver else None) == reason
    assert found.result is Result.FAIL, "a waived failure stays one"
    assert satisfied([found], AT) is (reason is not None)


@pytest.mark.parametrize(("days", "good"), [(1, True), (0, False), (-1, False)])
def test_expired_waiver_is_a_failure_again(days: int, good: bool) -> None:
    found = _finding(_says(Result.FAIL, who="", count=0), waivers=[_waiver("h", days)])
    assert satisfied([found], AT) is good
    assert to_json(found, AT)["waiver"]["expired"] is not good


@pytest.mark.parametrize("result", [Result.ERROR, Result.NOTCHECKED, Result.PASS])
def test_waiver_covers_failures_only(result: Result) -> None:
    found = _finding(_says(result, who="", count=0), waivers=[_waiver("*", 9)])
    assert found.waiver is None


# --- clauses -------------------------------------------------------------------------------------

P, A, F, N, E, C = (
    Result.PASS, Result.PARTIAL, Result.FAIL, Result.NOTAPPLICABLE, Result.ERROR, Result.NOTCHECKED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("results", "clause"),
    [
        ([], C),
        ([P], P), ([P, N], P), ([N], N), ([C], C), ([C, N], C), ([C, P], A), ([C, A], A),
        ([P, A], A), ([P, E], E), ([A, E], E), ([C, E], E), ([N, E], E),
        ([P, F], F), ([E, F], F), ([C, F], F),
    ],
)  # fmt: skip
def test_clause(results: list[Result], clause: Result) -> None:
    """Of grave findings; nothing but what was looked at can make a clause satisfied."""
    found = [_graded(r, Severity.HIGH) for r in results]
    assert clause_result(found, AT) is clause


@pytest.mark.parametrize(
    ("severity", "veto", "waived", "clause"),
    [
        (Severity.HIGH, False, False, F), (Severity.LOW, True, False, F),
        (Severity.MEDIUM, False, False, A), (Severity.LOW, False, False, A),
        (Severity.HIGH, True, True, A),
    ],
)  # fmt: skip
def test_clause_with_a_failure(
    severity: Severity, veto: bool, waived: bool, clause: Result
) -> None:
    failed = replace(_graded(F, severity), veto=veto, waiver=_waiver("h", 9) if waived else None)
    assert clause_result([_graded(P, Severity.HIGH), failed], AT) is clause
    assert not satisfied([_graded(E, Severity.LOW)], AT)


def _graded(result: Result, severity: Severity) -> Finding:
    return replace(_finding(_says(result, who="", count=0)), severity=severity)


def test_no_time_no_verdict() -> None:
    with pytest.raises(BadInput):
        assess_host(replace(HOST, collected_at=None), catalog.controls().values())
