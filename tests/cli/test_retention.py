"""`hostpledge retention` on captures of real hosts."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import hostpledge

CAPTURES = Path(__file__).parent.parent / "captures"
KEPT = CAPTURES / "logging-bookworm-kept.capture.gz"
KEYS = {"path", "family", "configured_days", "oldest", "six_months", "why"}


def _rows(path: Path, status: int) -> dict[str, dict[str, Any]]:
    ended = hostpledge("retention", path, "--format", "json")
    assert ended.status == status, ended.err
    assert ended.err == ""
    rows = json.loads(ended.out)["retention"]
    for row in rows:
        assert set(row) == KEYS
        assert row["six_months"] in ("pass", "partial", "fail", "error")
        assert row["configured_days"] in (None, "unknown") or row["configured_days"] >= 0
        assert row["oldest"] is None or datetime.fromisoformat(row["oldest"]).tzinfo
    return {row["path"]: row for row in rows}


def test_a_host_with_seven_months() -> None:
    rows = _rows(KEPT, 1)  # apt's own logs are younger
    for log in ("auth.log", "syslog", "wtmp", "btmp", "nginx/access.log"):
        row = rows[f"/var/log/{log}"]
        assert (row["configured_days"], row["six_months"]) == (212, "pass"), row
        assert row["oldest"].startswith("2026-04-01")
    assert rows["/var/log/nginx/access.log"]["family"] == "web"


def test_a_new_host_with_defaults() -> None:
    rows = _rows(CAPTURES / "logging-trixie-young.capture.gz", 1)
    assert rows["/var/log/syslog"]["configured_days"] == 28
    assert rows["/var/log/syslog"]["six_months"] == "fail"
    assert rows["/var/log/dpkg.log"]["six_months"] == "partial"


def test_half_a_year_of_weeks_is_too_short(tmp_path: Path) -> None:
    text = gzip.decompress(KEPT.read_bytes()).replace(b"monthly", b"weekly")
    path = tmp_path / "h.capture"
    path.write_bytes(text.replace(b"rotate 7", b"rotate 26"))
    row = _rows(path, 1)["/var/log/syslog"]
    assert (row["configured_days"], row["six_months"]) == (182, "fail")


def test_size_is_no_number_of_days(tmp_path: Path) -> None:
    text = gzip.decompress(KEPT.read_bytes()).replace(b"monthly", b"size 9M")
    path = tmp_path / "h.capture"
    path.write_bytes(text)
    row = _rows(path, 1)["/var/log/syslog"]
    assert row["configured_days"] == "unknown"
    assert row["six_months"] == "partial", "six months are there, but nothing keeps them"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_table(lang: str) -> None:
    ended = hostpledge("retention", KEPT, "--lang", lang)
    assert ended.status == 1
    assert "/var/log/nginx/access.log" in ended.out
    assert ("212 天" in ended.out) is (lang == "zh")


def test_a_host_that_did_not_let_us_look_is_said_so(tmp_path: Path) -> None:
    text = gzip.decompress(KEPT.read_bytes()).replace(b" done ok 0 0", b" done refused 126 0")
    path = tmp_path / "h.capture"
    path.write_bytes(text)
    ended = hostpledge("retention", path)
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert "Traceback" not in ended.err


def test_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("hello\n")
    assert hostpledge("retention", path).status == 2
    assert hostpledge("retention", tmp_path / "none").status == 2
