"""What chronyc, ntpq, timedatectl and adjtimex printed: units, and what speaks against them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.monitoring import time_sync as timesync
from collector.model import Capture, HostStatus, ReadResult, ReadStatus


def _capture(stderr: str = "", **stdout: str) -> Capture:
    reads = {
        f"timesync.{k}": ReadResult(f"timesync.{k}", ReadStatus.OK, 0, 0, v.encode(), stderr)
        for k, v in stdout.items()
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("+643us", 643e-6), ("-36us", 36e-6), ("+2.750132s", 2.750132), ("0", 0.0),
        ("+1d 1min 1.500061s", 86461.500061), ("1.5ms", 1.5e-3), ("-1h 2min", 3720.0),
        ("+1month 2w", 2_629_800.0 + 1_209_600.0), ("3μs", 3e-6),
    ],
)  # fmt: skip
def test_time_spans_of_systemd(text: str, seconds: float) -> None:
    assert timesync._offset(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "+", "5", "1.2.3s", "3 parsecs", "12:00", "1s x"])
def test_not_a_time_span(text: str) -> None:
    with pytest.raises(NotUnderstood):
        timesync._offset(text)


_TRACKING = (
    "Reference ID    : {reference}\nStratum         : 4\n"
    "Ref time (UTC)  : Wed Nov 25 02:39:55 2026\n"
    "System time     : {system} of NTP time\nLeap status     : {leap}\n"
)


def _chrony(
    sources: str = "^* 10.0.0.1  3 0 377 0 +5476ns[+5960ns] +/- 8763ns\n",
    reference: str = "7F000001 (10.0.0.1)",
    system: str = "0.000001845 seconds fast",
    leap: str = "Normal",
) -> timesync.State:
    text = _TRACKING.format(reference=reference, system=system, leap=leap)
    return timesync.chrony(_capture(chrony_tracking=text, chrony_sources=sources))


def test_chrony() -> None:
    state = _chrony()
    assert (state.synchronised, state.source, state.local) == (True, "10.0.0.1", False)
    assert state.offset == pytest.approx(1.845e-6)
    assert _chrony(system="3.5 seconds slow").offset == 3.5
    assert _chrony(leap="Insert second").synchronised
    assert not _chrony(leap="Not synchronised").synchronised
    assert _chrony("", "7F7F0101 ()").local
    assert _chrony("", "127.127.1.1 ()").local, "chrony 1.x and 2.x wrote it so"
    assert _chrony("#* PHC0  0 3 377 6 +9ns[+12ns] +/- 540ns\n", "50484330 (PHC0)").source == "PHC0"
    with pytest.raises(NotUnderstood):
        _chrony(system="about right")


_PEERS = (
    "     remote           refid      st t when poll reach   delay   offset  jitter\n" + "=" * 78
)


def _ntpd(*peers: str, stderr: str = "") -> timesync.State:
    return timesync.ntpd(_capture(stderr, ntp_peers="\n".join((_PEERS, *peers)) + "\n"))


def test_ntpd() -> None:
    state = _ntpd(
        "+10.0.0.1 .GPS. 1 u 1 64 377 0.1 -9 0.1", "*10.0.0.2 .PPS. 1 u 1 64 377 1 -250.5 0.1"
    )
    assert (state.synchronised, state.source) == (True, "10.0.0.2")
    assert state.offset == pytest.approx(0.2505)
    assert _ntpd(
        "oPPS(0)          .PPS.            0 l    9   16  377    0.000   +0.002   0.002"
    ).synchronised
    assert not _ntpd("*10.0.0.2 .PPS. 1 u 1 64 0 1 2 0.1").synchronised
    assert not _ntpd(" 10.0.0.2 .INIT. 16 u - 64 0 0 0 0").synchronised
    assert _ntpd("*SHM(1)  .PPS.  0 l 8 64 357 0.0000 48.9037 64.4054").offset == pytest.approx(
        0.0489037
    )
    assert not timesync.ntpd(_capture("No association IDs returned", ntp_peers="")).synchronised
    with pytest.raises(NotUnderstood):
        _ntpd("*10.0.0.2 .PPS. 1 u")
    for said in ("ntpq: read: Connection refused", "***Request timed out", ""):
        with pytest.raises(CouldNotLook):
            timesync.ntpd(_capture(said, ntp_peers=""))


def test_timedatectl_of_old_systemd() -> None:
    for line, good in (
        ("NTP synchronized: yes", True),
        ("System clock synchronized: no", False),
    ):
        state = timesync.timesyncd(
            _capture(timesyncd="", timedatectl=f"  NTP enabled: yes\n{line}\n")
        )
        assert (state.synchronised, state.offset) == (good, None)
    with pytest.raises(FactError):
        timesync.timesyncd(_capture(timesyncd="", timedatectl="Failed to connect\n"))


@pytest.mark.parametrize(
    ("status", "offset", "good", "seconds"),
    [("1 (PLL)", "-813", True, 813e-6), ("8193", "-813", True, 813e-9), ("64", "0", False, 0)],
)  # fmt: skip
def test_kernel(status: str, offset: str, good: bool, seconds: float) -> None:
    text = f"zone=UTC\n-o  offset:       {offset} us\n    status:       {status}\n"
    state = timesync.kernel(_capture(clock=text))
    assert state.synchronised is good
    assert state.offset == pytest.approx(seconds)
    with pytest.raises(CouldNotLook):
        timesync.kernel(_capture(clock="zone=UTC\n"))


def test_zone_and_skew() -> None:
    text = "link=/usr/share/zoneinfo/Asia/Shanghai\nzone=CST\nutc=+0800\n"
    assert timesync.zone(_capture(clock=text)) == "Asia/Shanghai +0800"
    assert timesync.zone(_capture(clock="link=\nname=\nzone=UTC\nutc=+0000\n")) == "UTC +0000"
    with pytest.raises(NotUnderstood):
        timesync.zone(_capture(clock="link=\nzone=\nutc=\n"))
    apart = Capture(
        "h",
        HostStatus.COMPLETE,
        head={"clock": "1795579200"},
        origin={"clock": "2026-11-25T12:00:10.500+08:00"},
    )
    assert timesync.skew(apart) == pytest.approx(-10.5)
    assert timesync.skew(_capture()) is None
    slow = replace(apart, origin={"clock": "2026-11-25T11:59:00+08:00", "seconds": 61.5})
    assert timesync.skew(slow) == 0
    ahead = replace(apart, origin={"clock": "2026-11-25T11:50:00+08:00", "seconds": 100})
    assert timesync.skew(ahead) == 500
