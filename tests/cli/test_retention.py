"""`hostpledge retention` on captures of real hosts."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.running import hostpledge

CAPTURES = Path(__file__).parent.parent / "captures"
KEPT = CAPTURES / "logging-bookworm-kept.capture.gz"
KEYS = {"path", "family", "configured_days", "oldest", "six_months", "why"}
MORE = {
    "newest", "held_days", "six_months_on", "gaps", "gaps_complete", "remote", "samples",
    "not_looked", "copy",
}  # fmt: skip


def _rows(path: Path, status: int) -> dict[str, dict[str, Any]]:
    ended = hostpledge("retention", path, "--format", "json")
    assert ended.status == status, ended.err
    assert ended.err == ""
    rows = json.loads(ended.out)["retention"]
    for row in rows:
        assert set(row) == KEYS | MORE
        for name in ("gaps", "remote", "samples"):
            assert (row[name] is not None) or name in row["not_looked"] or not row["oldest"], row
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


def test_size_is_a_number_of_days_at_the_rate_observed(tmp_path: Path) -> None:
    text = gzip.decompress(KEPT.read_bytes()).replace(b"monthly", b"size 9M")
    path = tmp_path / "h.capture"
    path.write_bytes(text)
    row = _rows(path, 1)["/var/log/syslog"]
    assert (row["configured_days"], row["six_months"]) == (3650, "pass")
    assert "at the rate observed" in row["why"]


def test_size_is_no_number_of_days_on_a_young_host(tmp_path: Path) -> None:
    young = CAPTURES / "logging-trixie-young.capture.gz"
    path = tmp_path / "h.capture"
    path.write_bytes(gzip.decompress(young.read_bytes()).replace(b"weekly", b"size 9M"))
    row = _rows(path, 1)["/var/log/syslog"]
    assert (row["configured_days"], row["six_months"]) == ("unknown", "error")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_table(lang: str) -> None:
    ended = hostpledge("retention", KEPT, "--lang", lang)
    assert ended.status == 1
    assert "/var/log/nginx/access.log" in ended.out
    assert ("212 天" in ended.out) is (lang == "zh")
    assert max(map(cell_len, ended.out.splitlines())) <= 80
    # what nobody looked at is said, column by column
    assert ("样例未查：record_samples.lines：未采到" in ended.out) is (lang == "zh")


def _with(read: str, body: str, tmp_path: Path) -> Path:
    """The capture with a read of its own in place of what it has of that name."""
    text = gzip.decompress(KEPT.read_bytes()).decode("utf-8", "surrogateescape")
    nonce = text.split()[2]
    frame = f"\n@{nonce} read {read} 65536\n{body}\n@{nonce} done ok 0 0\n"
    old = rf"\n@{nonce} read {read} .*?(?=\n@{nonce} (read|end) )"
    text = re.sub(old, "", text, flags=re.DOTALL)
    at = text.rindex(f"\n@{nonce} end ")
    count = text[:at].count(f"\n@{nonce} read ") + 1
    text = text[:at] + frame + re.sub(r" end \d+ ", f" end {count} ", text[at:])
    path = tmp_path / "h.capture"
    path.write_text(text, errors="surrogateescape")
    return path


SAMPLES = """@L auth /var/log/auth.log
| 2026-11-25T02:36:03+00:00 h sshd[1]: Accepted publickey for r*** from 203.0.*.* port 5****
@L web /var/log/nginx/access.log
| 203.0.*.* - - [25/Nov/2026:02:36:03 +0000] "GET /\x1b[31m HTTP/1.1" 200 1
== end
"""


def test_sample_lines(tmp_path: Path) -> None:
    path = _with("record_samples.lines", SAMPLES, tmp_path)
    rows = _rows(path, 1)
    (line,) = rows["/var/log/auth.log"]["samples"]
    assert "203.0.*.*" in line
    assert rows["/var/log/syslog"]["samples"] is None
    assert "no record was taken" in rows["/var/log/syslog"]["not_looked"]["samples"]
    shown = hostpledge("retention", path, "--lang", "zh").out
    assert "  | 2026-11-25T02:36:03+00:00 h sshd[1]: Accepted publickey for r***" in shown
    assert "\x1b" not in shown.replace("\\x1b", "")
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_a_copy_elsewhere(tmp_path: Path) -> None:
    text = gzip.decompress(KEPT.read_bytes()).replace(
        b"*.*;auth,authpriv.none", b"*.* @@203.0.113.9:514\n*.*;auth,authpriv.none"
    )
    path = tmp_path / "h.capture"
    path.write_bytes(text)
    row = _rows(path, 1)["/var/log/syslog"]
    assert "remote" in row["not_looked"] or row["remote"] == ["rsyslog → 203.0.113.9"]


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
