"""Sections of logrotate.conf whose days are foretold and measured; see `rotation_truth`.

Those of packages have the form in which the package ships them, written down anew.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`rate`: bytes written each day, at least 11. `until`: the last day of writing, 0 for ever.

    `OLD` in the body stands for a folder beside the log's. `log` may be a pattern that matches
    NAME.log. `open` says why it is right that the days cannot be foretold. `whole` is a
    configuration of its own, in which LOG stands for the log.
    """

    name: str
    body: str
    rate: int = 11
    until: int = 0
    log: str = "{name}.log"
    open: str = ""
    whole: str = ""


_DELAYED = "missingok\nnotifempty\ncompress\ndelaycompress"
_PACKAGES = {
    "rsyslog": f"rotate 4\nweekly\n{_DELAYED}\nsharedscripts\npostrotate\n true\nendscript",
    "apt": "rotate 12\nmonthly\ncompress\nmissingok\nnotifempty",
    "dpkg": f"monthly\nrotate 12\n{_DELAYED}\ncreate 644 root root",
    "unattended_upgrades": "rotate 6\nmonthly\ncompress\nmissingok\nnotifempty",
    "nginx": f"daily\nmissingok\nrotate 14\n{_DELAYED}\ncreate 0640 root root\nsharedscripts",
    "apache2": f"daily\nmissingok\nrotate 14\n{_DELAYED}\ncreate 640 root adm\nsharedscripts",
    "squid": f"daily\n{_DELAYED}\nrotate 2\nnocreate\nsharedscripts\nifempty",
    "exim4": f"daily\nrotate 10\n{_DELAYED}\nnocreate",
    "fail2ban": f"weekly\nrotate 4\ncompress\n# not if empty\n{_DELAYED}\ncreate 640 root adm",
    "postgresql": f"weekly\nrotate 10\ncopytruncate\n{_DELAYED}\nsu root root",
    "freeradius": f"daily\nrotate 52\n{_DELAYED}\nsu root root\ncopytruncate",
    "influxdb": "daily\nrotate 7\nmissingok\ndateext\ncopytruncate\ncompress",
    "stunnel4": "daily\nmissingok\nrotate 365\nnotifempty\ncreate 640 root root\nsharedscripts",
    "icinga_error": f"daily\nrotate 90\n{_DELAYED}",
    "rabbitmq": f"weekly\nmissingok\nrotate 20\n{_DELAYED}",
    "cups": "daily\nmissingok\nrotate 7\nsharedscripts\ncreate",
    "samba": f"weekly\nmissingok\nrotate 7\n{_DELAYED}",
    "redis": f"weekly\nmissingok\nrotate 12\n{_DELAYED}",
    "btmp": "missingok\nmonthly\ncreate 0660 root utmp\nrotate 1",
    "httpd": "weekly\nrotate 4\ndateext\nmissingok\nnotifempty\nsharedscripts",
    "el_syslog": "weekly\nrotate 4\ncreate\ndateext\nmissingok\nsharedscripts",
    "sssd": f"weekly\nrotate 2\ndateext\n{_DELAYED}",
    "tomcat": "weekly\ncopytruncate\nrotate 52\ncompress\nmissingok\ncreate 640 root adm",
    "xferlog": f"monthly\nmissingok\nrotate 7\n{_DELAYED}",
    "roundcube": "create 0640 root adm\nmissingok\nnotifempty\nrotate 14\ndaily",
}
_BY_SIZE = {
    "wtmp": ("missingok\nmonthly\ncreate 0664 root utmp\nminsize 400\nrotate 1", 11),
    "monit": (f"rotate 4\nweekly\nminsize 300\n{_DELAYED}", 20),
    "cloud_init": ("rotate 5\nsize 400\ncreate 644 root adm\nmissingok", 50),
    "paniclog": (f"size 300\nrotate 10\n{_DELAYED}\nnocreate", 11),
    "mariadb": ("monthly\nrotate 6\nmaxsize 500\nminsize 50\nmissingok\nnotifempty", 20),
    "docker": ("size 1k\nrotate 5\nmissingok\nnotifempty\ncopytruncate", 120),
}
_PLAIN = {
    "weekly_26": "weekly\nrotate 26",
    "weekly_27": "weekly\nrotate 27",
    "weekly_on_wednesday": "weekly 3\nrotate 4",
    "weekly_each_seven_days": "weekly 7\nrotate 4",
    "weekly_7_of_26": "weekly 7\nrotate 26",
    "daily_184": "daily\nrotate 184",
    "daily_183": "daily missingok\nrotate 183\nnosuchword here",
    "daily_180": "daily\nrotate 180",
    "daily_185_dateext": "daily\ndateext\nrotate 185",
    "daily_7_dateext": "daily dateext\nrotate 7",
    "monthly_6": "monthly\nrotate 6",
    "monthly_7": "monthly\nrotate 7",
    "monthly_7_dateext": "monthly\nrotate 7\ndateext",
    "monthly_1": "monthly\nrotate 1",
    "hourly_but_run_daily": "hourly\nrotate 48",
    "hourly_dateext": "hourly\nrotate 48\ndateext",
    "octal_number": "daily\nrotate 010",
    "hexadecimal_number": "daily\nrotate 0x10",
    "equals": "daily\nrotate=9",
    "start_at_zero": "weekly\nrotate 5\nstart 0",
    "start_at_ten": "daily\nrotate 5\nstart 10",
    "no_count": "daily",
    "rotate_0": "weekly\nrotate 0",
    "rotate_0_dateext": "weekly\nrotate 0\ndateext",
    "rotate_0_copytruncate": "daily\nrotate 0\ncopytruncate",
    "rotate_0_compress": "weekly\nrotate 0\ncompress",
    "unlimited": "daily\nrotate -1",
    "unlimited_dateext": "weekly\nrotate -1\ndateext",
    "last_word_counts": "daily\nrotate 3\nweekly\nrotate 8",
    "olddir": "daily\nrotate 20\nolddir OLD",
    "olddir_relative": "daily\nrotate 21\nolddir old\ncreateolddir 755 root root",
    "olddir_dateext": "weekly\nrotate 5\nolddir OLD\ndateext",
    "extension": "daily\nrotate 6\nextension .log\ndateext",
    "addextension": "daily\nrotate 6\naddextension .txt",
    "copy_never_cuts": "weekly\nrotate 2\ncopy",
    "copytruncate": "weekly\nrotate 4\ncopytruncate",
    "copy_and_copytruncate": "weekly\nrotate 4\ncopy\ncopytruncate",
    "renamecopy": "daily\nrotate 9\nrenamecopy",
    "renamecopy_dateext": "daily\nrotate 9\nrenamecopy\ndateext",
    "shred": "weekly\nrotate 3\nshred",
    "mail_last": "weekly\nrotate 3\nmail root",
    "mail_first": "weekly\nrotate 3\nmail root\nmailfirst",
    "bzip2": "weekly\nrotate 5\ncompress\ncompresscmd /bin/bzip2\ncompressext .bz2",
    "compress_ext_bare": "weekly\nrotate 5\ncompress\ncompressext -packed",
    "firstaction": "daily\nrotate 4\nfirstaction\n true\nendscript\nlastaction\n true\nendscript",
    "notifempty": "daily\nrotate 4\nnotifempty",
    "minage_of_a_busy_log": "daily\nrotate 4\nminage 2",
    "minage_0": "daily\nrotate 4\nminage 0",
    "size_as_default": "rotate 5",
}
_BY_AGE = {
    "maxage_cuts_daily": "daily\nrotate 400\nmaxage 60",
    "maxage_cuts_dateext": "daily\nrotate 400\nmaxage 60\ndateext",
    "maxage_cuts_weekly": "weekly\nrotate 52\nmaxage 180",
    "maxage_cuts_weekly_dateext": "weekly\ndateext\nrotate 52\nmaxage 100",
    "maxage_cuts_unlimited": "daily\nrotate -1\nmaxage 90",
    "maxage_cuts_unlimited_dateext": "daily\nrotate -1\nmaxage 90\ndateext",
    "maxage_cuts_monthly": "monthly\nrotate 12\nmaxage 100",
    "maxage_cuts_copytruncate": "daily\nrotate 400\nmaxage 30\ncopytruncate",
    "maxage_cuts_compressed": "weekly\nrotate 400\nmaxage 50\ncompress",
    "maxage_longer": "weekly\nrotate 4\nmaxage 365",
    "maxage_183": "daily\nrotate 365\nmaxage 183",
    "maxage_184": "daily\nrotate 365\nmaxage 184\ndateext",
    "maxage_182": "daily\nrotate 365\nmaxage 182",
    "maxage_weekly_180_26": "weekly\nrotate 26\nmaxage 180",
    "maxage_and_count": "daily\nrotate 20\nmaxage 20",
}
_BY_DATE = {
    "month_and_daily": "daily\ndateext\ndateformat -%Y%m\nrotate 3",
    "month_and_weekly": "weekly\ndateext\ndateformat -%Y-%m\nrotate 2",
    "month_packed_later": "daily\ndateext\ndateformat -%Y%m\nrotate 3\ncompress\ndelaycompress",
    "year_and_daily": "daily\ndateext\ndateformat -%Y\nrotate 3",
    "day_of_month": "daily\ndateext\ndateformat -%d\nrotate 7",
    "day_of_month_40": "daily\ndateext\ndateformat -%d\nrotate 40",
    "day_first": "daily\ndateext\ndateformat -%d%m%Y\nrotate 10",
    "month_and_day": "daily\ndateext\ndateformat .%m%d\nrotate 12",
    "letters_unknown": "daily\ndateext\ndateformat -%j\nrotate 5",
    "letters_unknown_and_known": "daily\ndateext\ndateformat -%y%m%d\nrotate 5",
    "no_date_at_all": "daily\ndateext\ndateformat .old\nrotate 5",
    "brackets": "daily\ndateext\ndateformat [%Y%m%d]\nrotate 5",
    "star": "daily\ndateext\ndateformat *%Y%m%d\nrotate 5",
    "seconds": "daily\ndateext\ndateformat -%s\nrotate 15",
    "zone": "daily\ndateext\ndateformat -%Y%m%d%z\nrotate 15",
    "long": "weekly\ndateext\ndateformat -%Y-%m-%d-%H-%M-%S-%s\nrotate 3",
    "too_long": "weekly\ndateext\ndateformat -%Y-%m-%d-%H-%M-%S-%s-%Y\nrotate 3",
    "yesterday": "daily\ndateext\ndateyesterday\nrotate 8",
    "hour_ago": "daily\ndateext\ndatehourago\nrotate 8",
    "yesterday_month": "monthly\ndateext\ndateyesterday\ndateformat -%Y%m\nrotate 4",
    "dateext_packed_later": "daily\ndateext\ncompress\ndelaycompress\nrotate 9",
    "dateext_packed": "daily\ndateext\ncompress\nrotate 9",
    "dateext_weekly_packed_later": "weekly\ndateext\ncompress\ndelaycompress\nrotate 26",
    "month_and_maxage": "daily\ndateext\ndateformat -%Y%m\nrotate 12\nmaxage 40",
    "format_without_dateext": "daily\ndateformat -%Y%m\nrotate 8",
}
_GROWING = {
    "size_reached_daily": ("size 1\nrotate 9", 11),
    "size_each_ten_days": ("size 500\nrotate 9", 50),
    "size_never": ("size 10M\nrotate 9", 20),
    "size_dateext": ("size 300\nrotate 4\ndateext", 100),
    "size_and_maxage": ("size 300\nrotate 40\nmaxage 20", 100),
    "size_then_daily": ("size 10M\ndaily\nrotate 4", 20),
    "daily_then_size": ("daily\nsize 250\nrotate 4", 50),
    "minsize_small": ("weekly\nrotate 6\nminsize 1", 11),
    "minsize_large": ("daily\nrotate 6\nminsize 200", 50),
    "minsize_never": ("daily\nrotate 6\nminsize 1M", 50),
    "minsize_equal": ("daily\nrotate 6\nminsize 50", 50),
    "maxsize_hastens": ("monthly\nrotate 6\nmaxsize 30", 11),
    "maxsize_of_a_slow_log": ("weekly\nrotate 6\nmaxsize 1M", 11),
    "maxsize_equal": ("weekly\nrotate 26\nmaxsize 77", 11),
    "maxsize_reached_midweek": ("weekly\nrotate 30\nmaxsize 40", 11),
    "maxsize_and_minsize": ("daily\nrotate 8\nmaxsize 200\nminsize 90", 30),
    "size_400_times": ("size 1\nrotate 200", 11),
}
_QUIET = {
    "quiet_notifempty": "daily\nrotate 7\nnotifempty",
    "quiet_ifempty": "daily\nrotate 7\nifempty",
    "quiet_maxage": "daily\nrotate 400\nmaxage 30\nifempty",
    "quiet_minage": "daily\nrotate 3\nminage 5",
}


_WHOLE = {
    "global_before": "weekly\nrotate 27\nLOG {\n}\n",
    "global_after": "weekly\nrotate 4\nLOG {\n}\nrotate 27\n",
    "section_over_global": "daily\nrotate 200\nLOG {\n rotate 7\n}\n",
    "first_of_two": "LOG {\n daily\n rotate 7\n}\nLOG {\n daily\n rotate 200\n}\n",
    "first_of_two_ignored": (
        "LOG {\n daily\n rotate 8\n ignoreduplicates\n}\nLOG {\n daily\n rotate 200\n}\n"
    ),
    "refused_then_taken": "LOG {\n daily\n rotate 200 # days\n}\nLOG {\n daily\n rotate 7\n}\n",
    "nested_global": "rotate 5\nLOG {\n weekly\n}\nweekly\nmaxage 3\n",
    "comment_is_a_value": "daily\nrotate 9\nLOG {\n size 10M # large\n}\n",
}


def _drawn(seed: int) -> Case:
    """A section drawn by chance."""
    draw = random.Random(seed)
    words = [draw.choice(("daily", "daily", "weekly", "weekly 2", "weekly 7", "monthly", "hourly"))]
    least = 1
    if draw.random() < 0.15:
        words.append(draw.choice(("size 40", "size 100", "maxsize 60", "minsize 60")))
        least = 20
    slow = words[0][0] in "wm"
    words.append(f"rotate {draw.choice((0, 1, 2, 3, 4, 5, 6) if slow else (1, 2, 5, 14, 30, 60))}")
    if slow and draw.random() < 0.3:
        words[-1] = f"rotate {draw.choice((26, 27, -1))}"
    if draw.random() < 0.25:
        words.append(f"maxage {draw.choice((1, 7, 30, 45, 90, 183, 184))}")
    if draw.random() < 0.45:
        words.append("dateext")
        if draw.random() < 0.4:
            form = draw.choice(
                ("-%Y%m%d", "-%d.%m.%Y", "-%Y%m", "-%Y-%m-%d", "-%m%d", "-%s", "-%H")
            )
            words.append(f"dateformat {form}")
        words += ["dateyesterday"] if draw.random() < 0.2 else []
    if draw.random() < 0.12:
        words += ["compress"] + (["delaycompress"] if draw.random() < 0.5 else [])
    words += draw.sample(
        ["notifempty", "copytruncate", "create 0600 root root", "olddir OLD", "nocreate", "start 0",
         "sharedscripts", "ifempty", "su root root", "minage 0", "renamecopy", "extension .log"],
        draw.randint(0, 3),
    )  # fmt: skip
    if draw.random() < 0.5:
        draw.shuffle(words)
    return Case(f"drawn_{seed}", "\n".join(words), rate=max(11, least))


def hand_written() -> list[Case]:
    plain = _PACKAGES | _PLAIN | _BY_AGE | _BY_DATE
    return [
        *(Case(name, body) for name, body in plain.items()),
        *(Case(name, body, rate) for name, (body, rate) in (_BY_SIZE | _GROWING).items()),
        *(Case(name, "", whole=text) for name, text in _WHOLE.items()),
        *(Case(name, body, until=60) for name, body in _QUIET.items()),
        Case("compressor_missing", "daily\nrotate 9\ncompress\ncompresscmd /nowhere/zstd",
             open="program"),
        Case("compressor_missing_dateext", "daily\nrotate 9\ncompress\ncompresscmd /no/xz\ndateext",
             open="program"),
        Case("week_and_daily", "daily\ndateext\ndateformat -%Y-%V\nrotate 4", open="years"),
        Case("firstaction_fails", "daily\nrotate 4\nfirstaction\n false\nendscript", open="script"),
        Case("prerotate_fails", "daily\nrotate 4\nprerotate\n false\nendscript", open="script"),
        Case("postrotate_fails_compressed",
             "daily\nrotate 9\ncompress\npostrotate\n false\nendscript", open="program"),
        Case("postrotate_fails", "daily\nrotate 4\npostrotate\n false\nendscript", open="script"),
        Case("pattern_takes_old", "daily\nrotate 4", log="{name}.log*", open="again"),
        Case("extension_takes_old", "daily\nrotate 4\nextension .log", log="*.log", open="again"),
    ]  # fmt: skip


def drawn(count: int, first: int = 0) -> list[Case]:
    return [_drawn(seed) for seed in range(first, first + count)]


_YEARS = {
    "months_6": "monthly\nrotate 6",
    "months_7": "monthly\nrotate 7",
    "months_12": "monthly\nrotate 12\ncompress",
    "months_6_dateext": "monthly\nrotate 6\ndateext",
    "months_7_maxage": "monthly\nrotate 7\nmaxage 183",
    "months_25": "monthly\nrotate 25",
    "years_1": "yearly\nrotate 1",
    "years_2": "yearly\nrotate 2\ndateext",
    "weeks_52": "weekly\nrotate 52",
    "weeks_60_maxage": "weekly\nrotate 60\nmaxage 365",
    "days_400": "daily\nrotate 400\nmaxage 365",
    "months_minsize": "monthly\nrotate 3\nminsize 500",
}


def years() -> list[Case]:
    return [Case(name, body) for name, body in _YEARS.items()]


_EACH_WEEK = {
    "daily_run_weekly": "daily\nrotate 4",
    "weekly_run_weekly": "weekly\nrotate 4",
    "weekly_7_run_weekly": "weekly 7\nrotate 4",
    "monthly_run_weekly": "monthly\nrotate 2",
    "daily_maxage_run_weekly": "daily\nrotate 40\nmaxage 30",
    "size_run_weekly": "size 1\nrotate 5",
}


def each_week() -> list[Case]:
    return [Case(name, body) for name, body in _EACH_WEEK.items()]


_EACH_HOUR = {
    "hourly_48": "hourly\nrotate 48",
    "hourly_200_dateext": "hourly\nrotate 200\ndateext",
    "hourly_dateext_by_day": "hourly\nrotate 6\ndateext\ndateformat -%Y%m%d",
    "daily_run_hourly": "daily\nrotate 6",
    "size_run_hourly": "size 1\nrotate 72",
    "size_dateext_run_hourly": "size 1\nrotate 6\ndateext",
    "maxage_run_hourly": "hourly\nrotate 2000\nmaxage 5",
}


def each_hour() -> list[Case]:
    return [Case(name, body) for name, body in _EACH_HOUR.items()]
