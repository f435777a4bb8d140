"""Six months: by the rule of a log, and by its records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.retention import Retention
from collector.facts.logs.size_limits import at_rate
from collector.judges.predicates import months_after
from collector.judges.retention import both, configured, days, observed
from collector.model import Result, Text

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
LOG = LogKept("/var/log/syslog", "syslog", None, True, Text("规则", "rule"))


def _known(since: str | None = "2020-01-01") -> Retention:
    begun = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None
    return Retention((), begun, "/etc/machine-id", "logrotate.timer", ())


def _at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "six_before"),
    [
        ("2026-11-25", "2026-05-25"),
        ("2026-08-31", "2026-02-28"),
        ("2028-08-31", "2028-02-29"),
        ("2026-08-29", "2026-02-28"),
        ("2026-03-31", "2025-09-30"),
        ("2026-06-30", "2025-12-30"),
        ("2026-01-01", "2025-07-01"),
    ],
)
def test_corresponding_day(now: str, six_before: str) -> None:
    """民法典 202: where the last month has no such day, its last day counts."""
    assert months_after(_at(now), -6) == _at(six_before)


def test_six_calendar_months_are_at_most_184_days() -> None:
    """The parameter of logging.retention_configured rests on this."""
    spans = set()
    for day in range(1, 1462):
        now = datetime.fromordinal(datetime(2024, 1, 1, tzinfo=UTC).toordinal() + day)
        spans.add((now - months_after(now, -6)).days)
    assert (min(spans), max(spans)) == (181, 184)


@pytest.mark.parametrize(
    ("log", "result"),
    [
        (LOG, Result.PASS),
        (replace(LOG, least=184), Result.PASS),
        (replace(LOG, least=183), Result.FAIL),
        (replace(LOG, least=189, sure=183), Result.FAIL),
        (replace(LOG, known=False), Result.ERROR),
        (replace(LOG, known=False, most=210), Result.ERROR),
        (replace(LOG, known=False, most=31), Result.FAIL),
    ],
)
def test_by_rule(log: LogKept, result: Result) -> None:
    assert configured(log, 184) is result


def test_days_shown_are_those_that_are_sure() -> None:
    assert days(replace(LOG, least=189, sure=183)) == 183
    assert days(LOG) is None


@pytest.mark.parametrize(
    ("oldest", "since", "removed", "result"),
    [
        ("2026-05-25", "2020-01-01", True, Result.PASS),
        ("2026-05-26", "2020-01-01", True, Result.FAIL),
        ("2026-05-26", "2020-01-01", False, Result.FAIL),
        ("2026-09-01", "2026-09-01", True, Result.PARTIAL),
        ("2026-09-20", "2026-09-01", False, Result.PARTIAL),
        ("2026-09-20", "2026-09-01", True, Result.FAIL),
        ("2026-09-01", None, False, Result.FAIL),
        ("2026-05-20", None, True, Result.PASS),
    ],
)
def test_by_records(oldest: str, since: str | None, result: Result, *, removed: bool) -> None:
    log = replace(LOG, oldest=_at(oldest), removed=removed)
    found = observed([log], _known(since), NOW, 6)
    assert found is not None
    assert found.result is result


def test_a_folder_younger_than_its_host() -> None:
    log = replace(LOG, oldest=_at("2026-10-02"), started=_at("2026-10-01"))
    found = observed([log], _known(), NOW, 6)
    assert found is not None
    assert (found.result, found.full) == (Result.PARTIAL, _at("2027-04-02"))


def test_records_that_were_not_understood_are_no_records() -> None:
    found = observed([LOG], _known(), NOW, 6)
    assert found is not None
    assert found.result is Result.ERROR
    assert observed([replace(LOG, written=False)], _known(), NOW, 6) is None


@pytest.mark.parametrize(
    ("log", "result"),
    [
        (replace(LOG, least=28, oldest=_at("2026-01-01")), Result.FAIL),
        (replace(LOG, least=200, oldest=_at("2026-01-01")), Result.PASS),
        (replace(LOG, least=200, oldest=_at("2026-11-01")), Result.FAIL),
        (replace(LOG, least=200), Result.ERROR),
        (replace(LOG, least=200, written=False), Result.PARTIAL),
        (replace(LOG, known=False, oldest=_at("2026-01-01")), Result.PARTIAL),
    ],
)
def test_by_both(log: LogKept, result: Result) -> None:
    assert both(log, _known(), NOW, 184, 6)[0] is result


@pytest.mark.parametrize(
    ("room", "size", "first", "held"),
    [
        (400, 100, "2026-08-27", 360),
        (400, 100, "2026-11-20", None),
        (400, 380, "2026-11-20", 5),
        (400, 0, "2026-08-27", None),
        (0, 100, "2026-08-27", 0),
    ],
)
def test_days_that_a_size_holds(room: int, size: int, first: str, held: int | None) -> None:
    assert at_rate(room, size, _at(first), NOW) == held


def test_a_clock_at_zero_tells_no_age() -> None:
    """Files of an image built with its clock at the epoch say nothing of the host's first day."""
    from collector.facts.logs.retention import _since
    from collector.model import Capture, HostStatus, ReadResult, ReadStatus

    text = b"0 /etc/machine-id\n1780000000 /etc/ssh/ssh_host_ed25519_key.pub\n"
    read = ReadResult("retention.since", ReadStatus.OK, stdout=text)
    capture = Capture("h", HostStatus.COMPLETE, reads={"retention.since": read})
    since, path = _since(capture)
    assert since is not None and since.year == 2026
    assert path == "/etc/ssh/ssh_host_ed25519_key.pub"


def test_a_log_that_others_hold_as_well_says_so() -> None:
    """`retention_configured` does not ask for it: the table must not seem to say otherwise."""
    log = replace(LOG, family="journal", least=14, copy=True, oldest=_at("2026-11-12"))
    result, why = both(log, _known(), NOW, 184, 6)
    assert result is Result.FAIL
    assert "14 days are sure" in why.en
    assert "the same records are kept in files: not asked for" in why.en
    assert "不作要求" in why.zh
    assert "not asked for" not in both(replace(log, copy=False), _known(), NOW, 184, 6)[1].en
