"""How far apart two starts lie, in forms that systemd and cron really use."""

from __future__ import annotations

import pytest

from collector.facts.scheduling.cadence import hours_apart
from collector.facts.scheduling.models import Job


@pytest.mark.parametrize(
    ("when", "hours"),
    [
        ("OnCalendar=*-*-* 02:30:00", 24),
        ("OnCalendar=*-*-* 02:30:00 Asia/Shanghai", 24),
        ("OnCalendar=*-*-* 06,18:00:00", 12),
        ("OnCalendar=*-*-* 00/6:00:00", 6),
        ("OnCalendar=*-*-* *:00/15:00", 1),
        ("OnCalendar=Mon *-*-* 00:00:00", 168),
        ("OnCalendar=Mon..Fri *-*-* 02:00:00", 72),
        ("OnCalendar=Sat,Sun *-*-* 02:30:00", 144),
        ("OnCalendar=*-*-01 00:00:00", 31 * 24),
        ("OnCalendar=*-01,04,07,10-01 00:00:00", 92 * 24),
        ("OnCalendar=*-01-01 00:00:00", 366 * 24),
        ("OnCalendar=2026-01-01 02:00:00", None),
        ("OnUnitActiveUSec=1d 12h", 36),
        ("OnBootUSec=15min", float("inf")),
        ("OnBootUSec=15min; OnUnitActiveUSec=1d", 24),
        ("OnCalendar=*-01-01 00:00:00; OnCalendar=*-*-* 02:30:00", 24),
        ("OnCalendar=*-01-01 00:00:00; OnSomethingNew=1", None),
        ("@weekly", 168),
        ("17 2 * * *", 24),
        ("*/15 * * * *", 1),
        ("0 2 * * sun", 168),
        ("0 2 * * 7", 168),
        ("0 2 * * 1-5", 72),
        ("0 2 1 jan *", 366 * 24),
        # either of the two is enough
        ("0 2 1 * 1", None),
        ("0 2 * * */2", 48),
        ("@reboot", None),
    ],
)
def test_hours_apart(when: str, hours: float | None) -> None:
    job = Job("timer", "x", when, "root", "", "", True, "", "schedules.timers", "", "")
    assert hours_apart(job) == hours
