"""Durations, held to the programs that read them: systemd-analyze and sshd."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.base.durations import go_duration, openssh_time, systemd_span

_SPANS = (
    "1h 30min", "1M", "1m", "10 minutes", "10 minute", "1.5h", "5", "1y 2w", "1h30m", "5 5",
    "1min5", "infinity", "0", "", "abc", "1x", "1d12", "1 h 5 min", "2 months", "1us", "3µs", ".5s",
    "5.", "1..5s", "1m1M", "1e3", "0x10", "1 .5", "+5s", "1S", "1H", "15MIN", "1 week 1 day", "hour",
    "1;2", "1,5s", "infinity s", "  7  ",
)  # fmt: skip


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("text", _SPANS)
def test_spans_of_systemd(text: str) -> None:
    """The truth is systemd's own: the second line of `systemd-analyze timespan` is microseconds."""
    done = subprocess.run(
        ["systemd-analyze", "timespan", "--", text], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        with pytest.raises(ValueError, match="no time span"):
            systemd_span(text)
        return
    told = int(done.stdout.splitlines()[1].rpartition(" ")[2])
    seconds = math.inf if told == (1 << 64) - 1 else told / 1e6
    assert systemd_span(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["1", "600", "10m", "1h30m", "1w2d", "1H", "90S", "1m1s"])
def test_times_of_openssh(text: str, tmp_path: Path) -> None:
    sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
    if sshd is None:
        pytest.skip("no sshd here")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    done = subprocess.run(
        [sshd, "-T", "-f", "/dev/null", "-h", key, "-o", f"ClientAliveInterval={text}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"\nclientaliveinterval {openssh_time(text)}\n" in done.stdout


@pytest.mark.parametrize("text", ["", "m", "1x", "1.5h", "-1", "1 h", "none", "1h "])
def test_no_times_of_openssh(text: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        openssh_time(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h30m", 5400.0), ("10s", 10.0), ("1.5h", 5400.0), ("100ms", 0.1), ("0", 0.0), ("-2m", -120.0),
        ("+1us", 1e-6), (".5s", 0.5), ("4h0m0s", 14400.0), ("1h1h", 7200.0),
    ],
)  # fmt: skip
def test_durations_of_go(text: str, seconds: float) -> None:
    """As the documentation of time.ParseDuration has them; no Go is here to be asked."""
    assert go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1d", "h", "1 h", "1h 2m", "--1s", "1.2.3s", "infinity"])
def test_no_durations_of_go(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        go_duration(text)
