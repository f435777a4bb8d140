"""The clock: chronyc(1) by version, ntpq(8), timedatectl(1) before and after systemd 239.

Forms: chronyc before 4.0 begins its sources with `210 Number of sources` and
prints the address of an IPv4 reference as hexadecimal since 2.0 (client.c of chrony's tags);
timedatectl said `NTP enabled` and `NTP synchronized` before 239 (src/timedate/timedatectl.c).
"""

from __future__ import annotations

from tests.hosts.facts import Facts
from tests.hosts.root import Root

_SOURCE = "100.100.61.88"


def clock(root: Root, facts: Facts) -> None:
    local = "Wed 2026-11-25 12:00:00 CST"
    rows = [
        ("Local time", local),
        ("Universal time", "Wed 2026-11-25 04:00:00 UTC"),
        ("RTC time", "Wed 2026-11-25 04:00:00"),
        ("Time zone", "Asia/Shanghai (CST, +0800)"),
    ]
    if facts.timedatectl == "old":
        rows += [
            ("NTP enabled", "yes"),
            ("NTP synchronized", "yes"),
            ("RTC in local TZ", "no"),
            ("DST active", "n/a"),
        ]
    else:
        rows += [
            ("System clock synchronized", "yes"),
            ("NTP service", "active"),
            ("RTC in local TZ", "no"),
        ]
    said = "".join(f"{key:>25}: {value}\n" for key, value in rows)
    answers = [("status", said)]
    if facts.clock == "timesyncd":
        root.folder("/run/systemd/timesync")
        answers.append(
            (
                "show-timesync*",
                f"SystemNTPServers={_SOURCE}\nServerName={_SOURCE}\n"
                f"ServerAddress={_SOURCE}\nPollIntervalUSec=34min 8s\nFrequency=0\n",
            )
        )
        answers.append(
            (
                "timesync-status*",
                f"       Server: {_SOURCE} ({_SOURCE})\nPoll interval: 34min 8s (min: 32s; "
                "max 34min 8s)\n         Leap: normal\n"
                "      Version: 4\n      Stratum: 2\n    Reference: A090009\n    "
                "Precision: 1us (-25)\nRoot distance: 9.765ms (max: 5s)\n"
                "       Offset: +643us\n        Delay: 1.328ms\n       Jitter: 300us\n "
                "Packet count: 812\n    Frequency: +1.210ppm\n",
            )
        )
    root.says("/usr/bin/timedatectl", answers)
    if facts.clock == "chrony":
        root.file(
            "/etc/chrony/chrony.conf" if facts.deb else "/etc/chrony.conf",
            f"server {_SOURCE} iburst\ndriftfile /var/lib/chrony/drift\nrtcsync\n",
        )
        tracking = (
            f"Reference ID    : {'100.100.61.88' if facts.chrony < '2' else '64643D58'} "
            f"({_SOURCE})\nStratum         : 3\n"
            "Ref time (UTC)  : Wed Nov 25 03:51:17 2026\nSystem time     : 0.000006523 "
            "seconds slow of NTP time\n"
            "Last offset     : -0.000006747 seconds\nRMS offset      : 0.000035822 "
            "seconds\nFrequency       : 3.225 ppm slow\n"
            "Residual freq   : -0.000 ppm\nSkew            : 0.020 ppm\nRoot delay      : "
            "0.001 seconds\n"
            "Root dispersion : 0.002 seconds\nUpdate interval : 1026.3 seconds\nLeap "
            "status     : Normal\n"
        )
        head = "210 Number of sources = 1\n" if facts.chrony < "4" else ""
        sources = (
            f"{head}MS Name/IP address         Stratum Poll Reach LastRx Last sample        "
            "       \n"
            "===============================================================================\n"
            f"^* {_SOURCE:<29} 2  10   377   523    -12us[  -15us] +/-   12ms\n"
        )
        root.says("/usr/bin/chronyc", [("'-n tracking'", tracking), ("'-n sources'", sources)])
    elif facts.clock == "ntp":
        root.file("/etc/ntp.conf", f"server {_SOURCE} iburst\ndriftfile /var/lib/ntp/drift\n")
        root.says(
            "/usr/sbin/ntpq",
            [
                (
                    "-pn",
                    "     remote           refid      st t when poll reach   delay   "
                    "offset  jitter\n"
                    "==============================================================================\n"
                    f"*{_SOURCE:<15} 10.137.38.86     2 u  327 1024  377    0.245    0.810  "
                    " 0.792\n",
                )
            ],
        )
