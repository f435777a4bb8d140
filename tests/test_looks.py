"""When hosts were looked at, and for when they were judged: in whole bundles and redacted ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector.attest.bundle import making as bundle
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, load_trust
from collector.model import Capture, HostStatus
from collector.verify import Verification, open_bundle, verify
from collector.verify.looks import Gathered, recorded
from collector.verify.policy import policy_of, unmet
from collector.verify.summary import statement_of
from collector.verify.webpage import page
from tests import bundles
from tests.attest.shell import Shell
from tests.browser import Page, browser, opened
from tests.test_webpage import told

KEY = PrivateKey.generate()
NOW = datetime.now(UTC).replace(microsecond=0)
LENIENT = policy_of(
    {
        "handed_in": True,
        "timestamp": False,
        "log": False,
        "key_roles": False,
        "complete": False,
        "replay": False,
    },
    "p",
)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made in a test is not of a time to come, however long the others took."""
    now = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr(sys.modules[__name__], "NOW", now)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if browser() is None:
        pytest.skip("chromium is not installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found


def looked(days: int, clock: str | None = None) -> Capture:
    """As the host printed it so many days ago, and somebody handed it in."""
    at = NOW - timedelta(days=days)
    taken = bundles.capture("web-1")
    seconds = str(int(at.timestamp())) if clock is None else clock
    head = MappingProxyType({**taken.head, "clock": seconds})
    return replace(taken, head=head, collected_at=at if clock is None else None)


def made(tmp_path: Path, capture: Capture, at: datetime | None, *more: Capture) -> dict[str, Path]:
    """The bundle judged for `at`, whole and redacted, each as a ZIP file."""
    whole, trust = bundles.make(tmp_path, [capture, *more], KEY, at=at)
    (tmp_path / "t.json").write_bytes(trust.to_bytes())
    bundle.pack(whole.path, tmp_path / "whole.zip")
    Shell(tmp_path)("repack", "bundle", "-o", "redacted.zip", "--redact")
    return {name: tmp_path / f"{name}.zip" for name in ("whole", "redacted")}


def found(path: Path, now: datetime | None = None) -> Verification:
    with open_bundle(path) as one:
        return verify(one, trust(path), now=now)


def trust(path: Path) -> Trust:
    return load_trust(path.parent / "t.json")


def lacking(one: Verification) -> list[str]:
    return [each.name for each in unmet(LENIENT, one, ["web-1"])]


@pytest.mark.parametrize("kind", ["whole", "redacted"])
def test_leaving_the_captures_out_makes_nothing_younger(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = made(tmp_path, looked(300), NOW)[kind]
    one = found(path, NOW)
    assert (one.age_days, lacking(one)) == (300, ["fresh_days", "judged_when_looked"])
    assert any("300 day(s) ago" in text.en for text in one.unproven)
    shown: Page = request.getfixturevalue("shown")
    said = told(shown, path, (tmp_path / "t.json").read_text())[1]
    assert "the oldest look is 300 day(s) old" in said


def test_where_nothing_says_when_it_was_its_age_is_unknown(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A clock that was never set; one host whose look is known makes up for no other."""
    other = replace(looked(1), host="db-1")
    path = made(tmp_path, looked(0, clock="12"), None, other)["redacted"]
    one = found(path)
    assert (one.age_days, "fresh_days" in lacking(one)) == (None, True)
    assert one.to_json()["looked"]["undated"] == 1
    assert any("of 1 host(s) nothing says so" in text.en for text in one.unproven)
    shown: Page = request.getfixturevalue("shown")
    said = told(shown, path, (tmp_path / "t.json").read_text())[1]
    assert "how old the oldest look in it is nobody can tell" in said
    assert "of 1 host(s) nothing says so" in said


@pytest.mark.parametrize("kind", ["whole", "redacted"])
def test_judged_for_another_day_is_told_and_not_enough(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Waivers that have ended, and reviews that are overdue, would come to life again."""
    path = made(tmp_path, looked(0), NOW - timedelta(days=453))[kind]
    one = found(path, NOW)
    assert (one.age_days, lacking(one)) == (0, ["judged_when_looked"])
    line = (
        "1 host(s) were judged for another time than that of the look, by up to 453 day(s); "
        "waivers and what is due are reckoned for that time."
    )
    assert any(line in text.en for text in one.unproven)
    ended = Shell(tmp_path)("verify", path.name, "--trust", "t.json")
    assert f"looked at: {NOW:%Y-%m-%d}" in ended
    shown: Page = request.getfixturevalue("shown")
    state, said = told(shown, path, (tmp_path / "t.json").read_text())
    assert state == "narrow"
    assert "; judged for another time than it was looked at, by 453 day(s)" in said
    assert line in said
    assert f"{NOW:%Y-%m-%d %H:%M:%S} UTC" in said


@pytest.mark.parametrize("kind", ["whole", "redacted"])
def test_a_host_that_nobody_reached_was_not_looked_at(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each of its controls is an error, which is a judgement, and nothing was seen for it."""
    dead = Capture("db-1", HostStatus.UNREACHABLE, collected_at=NOW)
    path = made(tmp_path, looked(1), NOW - timedelta(days=1), dead)[kind]
    one = found(path, NOW)
    assert one.to_json()["looked"]["unseen"] == 1
    asked = unmet(replace(LENIENT, complete=True, waivers=True), one, ["web-1"])
    whys = [each.why.en for each in asked if each.name == "complete"]
    line = "Hosts that could not be looked at: 1 did not answer"
    assert any(why.startswith(line) for why in whys), whys
    assert any(text.en.startswith(line) for text in one.unproven)
    with open_bundle(path) as opened_bundle:
        told_of = json.loads(statement_of(opened_bundle, one, NOW, replayed=True))
    names = [name.removeprefix("HOSTPLEDGE_") for name in told_of["predicate"]["properties"]]
    kept = ("SCOPE_WHOLE", "LOOKED_WITHIN", "NONE_ALIKE")
    assert not [name for name in names if name.startswith(kept)], names
    ended = Shell(tmp_path)("verify", path.name, "--trust", "t.json")
    assert "hosts: 2, 1 of them not looked at" in ended
    shown: Page = request.getfixturevalue("shown")
    assert line in told(shown, path, (tmp_path / "t.json").read_text())[1]


def test_some_hours_are_told_and_taken(tmp_path: Path) -> None:
    one = found(made(tmp_path, looked(0), NOW + timedelta(hours=-3))["whole"], NOW)
    assert (lacking(one), one.to_json()["looked"]["judged_apart_seconds"]) == ([], 3 * 3600)
    assert any("by up to 3 hour(s)" in text.en for text in one.unproven)


def test_a_redacted_one_that_is_dated_ahead_has_no_age(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = made(tmp_path, looked(-1), NOW)["redacted"]
    one = found(path, NOW)
    assert [each.what for each in one.ahead] == ["looked_at"]
    assert not any(", 0 day(s) ago" in text.en for text in one.unproven)
    shown: Page = request.getfixturevalue("shown")
    said = told(shown, path, (tmp_path / "t.json").read_text())[1]
    assert "which is yet to come, and that it verifies" in said
    assert "0 day(s) old" not in said


@pytest.mark.parametrize(
    ("origin", "head", "expected"),
    [
        ({"clock": "2026-11-01T00:00:00.123+00:00"}, {"clock": "1700000000"}, "2026-11-01"),
        ({}, {"clock": "1700000000"}, "2023-11-14"),
        ({"claimed": {"clock": "2025-01-01T00:00:00+00:00"}}, {"clock": "12"}, "2025-01-01"),
        ({"claimed": {"clock": "2025-01-01T00:00:00"}}, {}, None),
        ({"claimed": "x", "clock": 5}, {"clock": "99999999999"}, None),
        ({"clock": "0001-01-01T00:00:00+14:00"}, {"clock": "-1"}, None),
    ],
)
def test_the_time_that_evidence_keeps(
    origin: dict[str, Any], head: dict[str, str], expected: str | None,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    entry = {"origin": origin, "head": head}
    at = recorded(entry)
    assert (at and at.isoformat()[:10]) == expected
    shown: Page = request.getfixturevalue("shown")
    asked = f"(at => at === null ? null : written(at).slice(0, 10))(recorded({json.dumps(entry)}))"
    assert shown.ask(asked) == expected


@pytest.mark.parametrize(
    ("minutes", "counts"), [(5, 0), (6, 6), (60 * 24 * 300, 60 * 24 * 300), (-9, 0)]
)
def test_of_two_times_that_are_apart_the_older_is_that_of_the_look(
    minutes: int, counts: int
) -> None:
    """Else a whole bundle could look fresh, and the same one, redacted, be as old as it is."""
    kept = NOW - timedelta(minutes=minutes)
    entry = {
        "assessed_at": NOW.isoformat(),
        "status": HostStatus.COMPLETE,
        "origin": {"clock": kept.isoformat()},
        "head": {},
    }
    gathered = Gathered()
    seen = gathered.add("web-1", entry, NOW)
    assert NOW - seen == timedelta(minutes=counts)
    assert gathered.all().oldest == gathered.at["web-1"] == seen
    # nothing of a day that had not come when it was signed becomes older by that
    assert gathered.all().last == NOW
