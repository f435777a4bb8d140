"""What was told to whom, when, and what became of it, is one command."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli.workflows.desk.telling import About, about
from collector.notify import sending
from tests.cli.running import Ended, answer, hostpledge
from tests.notify.servers import hook, mail
from tests.notify.test_notify import TODAY, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path)
    with mail() as found.server:
        found.settings(王工=found.address)
        yield found


def _told(office: Office, *more: object) -> Ended:
    words = ("--settings", office.folder / "notify.yml", "--register", office.folder)
    return hostpledge("pledge", "told", *more, *words, home=office.folder)


def _json(office: Office, *more: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(_told(office, *more, "--format", "json").out)["told"]
    return found


def test_nothing_was_told_yet(office: Office) -> None:
    ended = _told(office)
    assert (ended.status, ended.out, ended.err) == (0, "nothing of that kind was told\n", "")


def test_what_was_taken_says_when_whom_and_of_what(office: Office) -> None:
    assert "taken" in office().out
    (one,) = _json(office)
    day = (TODAY + timedelta(days=3)).isoformat()
    assert (one["to"], one["channel"], one["state"], one["why"]) == ("王工", "mailto", "done", None)
    assert one["taken_at"]
    assert one["about"] == [
        {"pledge": "one-1", "kind": "finding", "name": "D12 @ web-01", "day": day, "late": False}
    ]
    shown = _told(office, "one-1")
    assert shown.status == 0
    assert "one-1: 1" in shown.out and "taken 20" in shown.out
    (row,) = csv.DictReader(io.StringIO(_told(office, "--format", "csv").out.lstrip("\ufeff")))
    assert (row["pledge"], row["about"], row["state"]) == ("one-1", "D12 @ web-01", "done")
    assert _told(office, "--missing").out == "nothing of that kind was told\n"
    assert _json(office, "--to", "another") == []
    assert _json(office, "--since", (TODAY + timedelta(days=1)).isoformat()) == []


def test_a_pledge_that_is_not_there_is_refused(office: Office) -> None:
    ended = _told(office, "nobody-9")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("no such user", "SMTP 550"),
        ("busy", "SMTP 451"),
    ],
)
def test_what_was_refused_says_why_and_when_it_is_tried_again(
    office: Office, mode: str, why: str
) -> None:
    office.server.mode = mode
    ended = office()
    assert ended.status == 1
    (one,) = _json(office, "--missing")
    assert (one["state"], one["refused"]) == ("later", 1)
    assert one["next_try"]
    assert one["why"]
    shown = _told(office)
    assert shown.status == 1
    assert f"{why}: not taken, tried again later" in ended.err


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (200, {"errcode": 93000, "errmsg": "invalid webhook key=SECRET"}, "errcode 93000"),
        (403, {}, "HTTP 403"),
        (200, {"errcode": 0}, ""),
    ],
)
def test_a_service_that_refuses_says_by_which_number(
    monkeypatch: pytest.MonkeyPatch, status: int, said: dict[str, object], why: str
) -> None:
    """Its words are left out: they may hold the address, which is a secret."""
    from apprise.plugins.wecombot import NotifyWeComBot

    with hook() as found:
        monkeypatch.setattr(NotifyWeComBot, "notify_url", f"http://127.0.0.1:{found.port}/{{key}}")
        found.answer = status, said
        sent = sending.send("wecombot://a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6", "x", "y\n")
    assert sent.why == why


def test_nobody_there_is_told_as_such() -> None:
    sent = sending.send("mailto://127.0.0.1:9?from=a@b.org&to=c@b.org", "x", "y")
    assert sent == ("refused", "unreached")


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("P-1|finding|encryption.password_hash|web-01|2026-01-02|late",
         About("P-1", "finding", "D12 @ web-01", "2026-01-02", late=True)),
        ("P-1|finding|encryption.password_hash|web-01|7|void 8|2026-01-02|due",
         About("P-1", "finding", "D12 @ web-01", "2026-01-02")),
        ("P-1|evidence||2026-01-02|late", About("P-1", "evidence", "", "2026-01-02", late=True)),
        ("P-1|hand-in|abcdefabcdef01", About("P-1", "hand-in", "abcdefabcdef")),
        ("P-1|withdrawn|AQ-17", About("P-1", "withdrawn", "AQ-17")),
    ],
)  # fmt: skip
def test_about(key: str, found: About) -> None:
    assert about(key) == found
