"""How logrotate.conf is read, against what `logrotate -d` says of the very same files."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.logs.logrotate.config import Kept, Logrotate, kept, logrotate
from collector.facts.logs.logrotate.directives import Problem, Rotation
from collector.facts.logs.logrotate.parser import Reader, path_matches
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

# LOGS stands for the folder of logs; a.log, b.log, c.log and app-1.log lie in it
CONFIGS = {
    "global_then_section": {"conf": "weekly\nrotate 4\nLOGS/a.log {\n daily\n}\nLOGS/b.log {\n}\n"},
    "global_after_section": {"conf": "LOGS/a.log {\n}\nweekly\nrotate 9\nLOGS/b.log {\n}\n"},
    "no_global": {"conf": "LOGS/a.log {\n}\n"},
    "names_over_lines": {
        "conf": "LOGS/a.log\n# a comment\nLOGS/b.log LOGS/c.log\n{\n monthly\n}\n"
    },
    "quoted": {"conf": "\"LOGS/a.log\" 'LOGS/b.log' {\n weekly\n rotate 3\n}\n"},
    "brace_on_the_line": {"conf": "LOGS/a.log { daily\n rotate 2 \n}\n"},
    "words_share_a_line": {"conf": "LOGS/a.log {\n daily missingok notifempty\n rotate 5\n}\n"},
    "equals_sign": {"conf": "LOGS/a.log {\n weekly\n rotate = 6\n maxage=40\n}\n"},
    "octal": {"conf": "LOGS/a.log {\n weekly\n rotate 012\n}\n"},
    "hexadecimal": {"conf": "LOGS/a.log {\n weekly\n rotate 0x10\n}\n"},
    "plus_size": {"conf": "LOGS/a.log {\n weekly\n rotate 30\n size +4096k\n}\n"},
    "size_then_weekly": {"conf": "LOGS/a.log {\n size 10M\n weekly\n rotate 3\n}\n"},
    "unlimited": {"conf": "LOGS/a.log {\n daily\n rotate -1\n maxage 30\n}\n"},
    "comment_after_rotate": {
        "conf": "LOGS/a.log {\n rotate 7 # week\n}\nLOGS/b.log {\n weekly\n}\n"
    },
    "comment_after_word": {"conf": "LOGS/a.log {\n daily # each day\n rotate 7\n}\n"},
    "bad_weekly_ends_file": {"conf": "LOGS/a.log {\n daily\n}\nLOGS/b.log {\n weekly x\n}\n"},
    "bad_count": {"conf": "LOGS/a.log {\n rotate many\n}\nLOGS/b.log {\n daily\n rotate 2\n}\n"},
    "bad_unit": {"conf": "LOGS/a.log {\n size 10T\n}\nLOGS/b.log {\n daily\n rotate 2\n}\n"},
    "unknown_word": {"conf": "LOGS/a.log {\n daily\n nosuchword 3\n rotate 2\n}\n"},
    "unclosed": {"conf": "LOGS/a.log {\n daily\n}\nLOGS/b.log {\n weekly\n"},
    "stray_brace": {"conf": "LOGS/a.log {\n daily\n}\n}\nLOGS/b.log {\n weekly\n}\n"},
    "log_inside_section": {
        "conf": "LOGS/a.log {\n daily\n LOGS/b.log\n}\nLOGS/c.log {\n weekly\n}\n"
    },
    "script_with_words": {
        "conf": "LOGS/a.log {\n postrotate\n  rotate 9\n  weekly\n }\n endscript\n monthly\n}\n"
    },
    "script_without_end": {
        "conf": "LOGS/a.log {\n daily\n}\nLOGS/b.log {\n postrotate\n  true\n}\n"
    },
    "duplicate": {
        "conf": "LOGS/a.log {\n rotate 2\n daily\n}\nLOGS/a.log {\n rotate 9\n weekly\n}\n"
    },
    "duplicate_in_glob": {
        "conf": "LOGS/b.log {\n rotate 2\n daily\n}\nLOGS/*.log {\n rotate 9\n weekly\n}\n"
    },
    "duplicate_ignored": {
        "conf": "LOGS/b.log {\n ignoreduplicates\n daily\n}\nLOGS/*.log {\n rotate 9\n weekly\n}\n"
    },
    "include_order": {
        "conf": "weekly\nrotate 4\ninclude D\nLOGS/c.log {\n}\n",
        "20-b": "LOGS/b.log {\n}\n",
        "10-a": "rotate 9\nLOGS/a.log {\n}\n",
    },
    "include_error_undoes_global": {
        "conf": "weekly\nrotate 4\ninclude D\n",
        "10-a": "rotate 9\nLOGS/a.log {\n rotate bad\n}\n",
        "20-b": "LOGS/b.log {\n}\n",
    },
    "taboo": {
        "conf": "daily\ninclude D\n",
        "a.rpmsave": "LOGS/a.log {\n}\n",
        "b.conf~": "LOGS/b.log {\n}\n",
        "c": "LOGS/c.log {\n}\n",
    },
    "taboo_more": {
        "conf": "daily\ntabooext + .off\ninclude D\n",
        "a.off": "LOGS/a.log {\n}\n",
        "c": "LOGS/c.log {\n}\n",
    },
    "olddir_and_create": {
        "conf": "LOGS/a.log {\n create 0640 root root\n su root root\n daily\n rotate 3\n}\n"
    },
}


@pytest.fixture(params=CONFIGS)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("a.log", "b.log", "c.log", "app-1.log"):
        (logs / name).write_text("x\n")
    (tmp_path / "D").mkdir()
    for name, text in CONFIGS[request.param].items():
        path = tmp_path / "logrotate.conf" if name == "conf" else tmp_path / "D" / name
        path.write_text(
            text.replace("LOGS", str(logs)).replace("include D", f"include {tmp_path}/D")
        )
        path.chmod(0o644)
    return tmp_path


def _said_by_logrotate(tree: Path) -> dict[str, tuple[str, int, int]]:
    """Per log that it considers: interval, count and maxage, as `logrotate -d` prints them."""
    program = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin")
    if program is None:
        pytest.skip("the real logrotate is not here: apt-get install logrotate")
    ran = subprocess.run(
        [program, "-d", "-s", tree / "state", tree / "logrotate.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, tuple[str, int, int]] = {}
    for block in (ran.stdout + ran.stderr).split("rotating pattern: ")[1:]:
        # a pattern may go over several lines
        rule = " ".join(block.partition("considering log ")[0].split())
        every = re.search(r" (hourly|weekly|monthly|yearly|after 1 days|\d+ bytes) ", rule)
        assert every, rule
        interval = "size" if "bytes" in every[1] else every[1].replace("after 1 days", "daily")
        count = re.search(r"\((\d+) rotations\)", rule)
        age = re.search(r"old logs are removed after (\d+) days", rule)
        number = int(count[1]) if count else (0 if "no old logs" in rule else -1)
        for log in re.findall(r"(?m)^considering log (.*)$", block):
            found[log] = (interval, number, int(age[1]) if age else 0)
    return found


def _read(tree: Path) -> Logrotate:
    """Our reading; the included folder goes by the name that it has on a host."""
    found = {}
    for path in (tree / "logrotate.conf", *sorted((tree / "D").iterdir())):
        name = str(path).replace(str(tree), "/etc").replace("/D/", "/logrotate.d/")
        data = path.read_text().replace(f"{tree}/D", "/etc/logrotate.d").encode()
        found[name] = CapturedFile(name, ReadStatus.OK, 0o644, 0, 0, data=data)
    reader = Reader(found)
    reader.config("/etc/logrotate.conf", Rotation())
    return Logrotate(True, tuple(reader.rotations), tuple(reader.problems))


def test_read_as_logrotate_reads_it(tree: Path) -> None:
    said = _said_by_logrotate(tree)
    owners = _read(tree).owners(str(path) for path in (tree / "logs").iterdir())
    ours = {
        log: (owner.interval, owner.count, owner.maxage)
        for log, owner in owners.items()
        if isinstance(owner, Rotation)
    }
    assert ours == said


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("/var/log/a.log", "/var/log/*.log", True),
        ("/var/log/x/a.log", "/var/log/*.log", False),
        ("/var/log/.a.log", "/var/log/*.log", False),
        ("/var/log/x/a.log", "/var/log/*/*.log", True),
        ("/var/log/ab", "/var/log/a[bc]", True),
    ],
)
def test_patterns_are_those_of_glob(path: str, pattern: str, *, matches: bool) -> None:
    assert path_matches(path, pattern) is matches


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (Rotation(interval="monthly", count=6), Kept(181)),
        (Rotation(interval="monthly", count=7), Kept(212)),
        (Rotation(interval="monthly", count=12), Kept(365)),
        (Rotation(interval="yearly", count=1), Kept(365)),
        (Rotation(interval="weekly", count=26), Kept(182)),
        (Rotation(interval="daily", count=180), Kept(180)),
        (Rotation(interval="size", count=99), Kept(None, known=False)),
        (Rotation(interval="size", count=99, maxage=30), Kept(None, known=False)),
        (Rotation(interval="size", count=0), Kept(0)),
        (Rotation(interval="weekly", count=30, maxsize=1 << 20), Kept(210, known=False)),
        (Rotation(interval="weekly", count=30, minsize=1 << 20), Kept(210)),
        (Rotation(interval="daily", count=0, copy=True), Kept(None)),
    ],
)
def test_days_kept(rotation: Rotation, expected: Kept) -> None:
    assert kept(rotation) == expected


def test_hourly_is_daily_where_logrotate_runs_daily() -> None:
    hourly = Rotation(interval="hourly", count=48)
    assert kept(hourly, every=1.0).least == 48
    assert kept(hourly, every=0.0).least == 2


def _capture(*found: CapturedFile) -> Capture:
    reads = (
        ReadResult("logrotate.config", ReadStatus.OK, files=found),
        ReadResult("logrotate.state", ReadStatus.ABSENT),
        ReadResult("logrotate.version", ReadStatus.OK, stdout=b"logrotate 3.22.0\n"),
    )
    return Capture("h", HostStatus.COMPLETE, reads={r.id: r for r in reads})


def test_a_file_that_others_may_write_is_ignored_as_logrotate_ignores_it() -> None:
    main = CapturedFile(
        "/etc/logrotate.conf", ReadStatus.OK, 0o664, 0, 0, data=b"/var/log/a {\n weekly\n}\n"
    )
    known = logrotate(_capture(main))
    assert known.rotations == ()
    assert isinstance(known.owners(["/var/log/a"])["/var/log/a"], Problem)


# written by logrotate 3.21 on Debian 12, and by 3.8 on CentOS 7 (version 1 of the form)
STATES = {
    'logrotate state -- version 2\n"/var/log/syslog" 2026-11-25-2:0:0\n': "2026-11-25T02:00:00",
    'logrotate state -- version 1\n"/var/log/syslog" 2026-11-3\n': "2026-11-03T00:00:00",
}


@pytest.mark.parametrize("text", STATES)
def test_when_it_last_ran(text: str) -> None:
    main = CapturedFile("/etc/logrotate.conf", ReadStatus.OK, 0o644, 0, 0, data=b"weekly\n")
    state = CapturedFile("/var/lib/logrotate/status", ReadStatus.OK, data=text.encode())
    capture = _capture(main)
    reads = {
        **capture.reads,
        "logrotate.state": ReadResult("logrotate.state", ReadStatus.OK, files=(state,)),
    }
    known = logrotate(Capture("h", HostStatus.COMPLETE, reads=reads))
    assert known.last["/var/log/syslog"].isoformat() == STATES[text]
