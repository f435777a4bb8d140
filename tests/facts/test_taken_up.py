"""When a daemon read its files, and what is newer: each line in the form in which reads give it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.facts.system.taken_up import LOOK, NOT_ASKED, Answer, taken_up
from tests.test_script import SHELLS

_NOW = 1_796_000_000  # 2026-11-30 00:53:20 UTC
_CLOCK = f"clock {_NOW}.50 9000000 {_NOW}.52"
_DAY = 86_400
# started a day ago
_START = f"start 812 {9_000_000 - _DAY * 100}"
_STARTED = _NOW - _DAY
_OLD = _STARTED - 5000
_JUDGES = Path(__file__).parents[2] / "collector" / "controls"


def _file(
    written: float, changed: float | None = None, born: str = "0", path: str = "/etc/d/a"
) -> str:
    return f"file {written:.3f} {changed or written:.3f} {born} {path}"


@pytest.mark.parametrize(
    ("lines", "answer", "how"),
    [
        ([_file(_OLD)], Answer.YES, ""),
        ([_file(_STARTED + 5)], Answer.NO, "written"),
        ([_file(_OLD), _file(_STARTED + 5, path="/etc/d/b c")], Answer.NO, "written"),
        # a date from the future, of an image: the content is no newer than its ctime
        ([_file(_NOW + 9 * _DAY, _OLD)], Answer.YES, ""),
        # chmod, chown, a backup that puts atime back
        ([_file(_OLD, _STARTED + 5, f"{_OLD}.0")], Answer.YES, ""),
        # mv, rsync -a, tar: an old date, but the file itself is new
        ([_file(_OLD, _STARTED + 5, f"{_STARTED + 5}.0")], Answer.UNTOLD, "replaced"),
        ([_file(_OLD, _STARTED + 5), f"folder {_STARTED + 5}.0 /etc/d"], Answer.UNTOLD, "removed"),
        ([_file(_OLD), f"folder {_STARTED + 5}.0 /etc/d"], Answer.UNTOLD, "removed"),
        ([_file(_STARTED + 5), f"folder {_STARTED + 9}.0 /etc/d"], Answer.NO, "written"),
        # a new version of the package, and the file of a package that somebody wrote to
        (
            [
                _file(_OLD, _STARTED + 5, f"{_STARTED + 5}.0", "/usr/lib/d/a"),
                f"folder {_STARTED + 5}.0 /usr/lib/d",
            ],
            Answer.YES,
            "",
        ),
        ([_file(_STARTED + 5, path="/usr/lib/d/a")], Answer.NO, "written"),
        # whole seconds of busybox: in the second of the start nothing is told
        ([f"file {_STARTED} {_STARTED} W /etc/d/a"], Answer.UNTOLD, "clock"),
        ([f"file {_STARTED + 2} {_STARTED + 2} W /etc/d/a"], Answer.NO, "written"),
        ([f"file {_STARTED - 2} {_STARTED - 2} W /etc/d/a"], Answer.YES, ""),
        ([_file(_OLD), "gone /usr/sbin/sshd"], Answer.UNTOLD, "program"),
    ],
)
def test_what_is_newer(lines: list[str], answer: Answer, how: str) -> None:
    found = taken_up([_CLOCK, _START, *lines], 812)
    assert (found.answer, found.how) == (answer, how)


def test_nothing_of_its_start() -> None:
    assert taken_up([], 812) is NOT_ASKED
    for lines in ([_CLOCK], [_START], ["clock %N 9 %N", _START], [_CLOCK, "start 813 5"]):
        found = taken_up([*lines, _file(_OLD)], 812)
        assert (found.answer, found.how, found.doubtful) == (Answer.UNTOLD, "no_start", True)


def test_sshd_was_told_to_read_again() -> None:
    """SIGHUP: the same number, the same start, and a PidFile written anew."""
    newer = _file(_STARTED + 500)
    again = f"pidfile {_STARTED + 600}.25 /run/sshd.pid"
    assert taken_up([_CLOCK, _START, newer, again], 812).answer is Answer.YES
    assert taken_up([_CLOCK, _START, newer, again], 812, reloads=False).answer is Answer.NO
    before = f"pidfile {_STARTED + 400}.25 /run/sshd.pid"
    assert taken_up([_CLOCK, _START, newer, before], 812).answer is Answer.NO


def _unit(
    start: str = "Sun 2026-11-29 00:53:20 UTC", reload: str = "0 n/a", **more: str
) -> list[str]:
    told = {
        "Type": "notify", "MainPID": "812", "ExecReload": reload, "Id": "ssh.service",
        "ExecMainStartTimestamp": start, **more,
    }  # fmt: skip
    other = ["unit MainPID=0", "unit Id=sshd.service", "unit "]
    return [*other, *(f"unit {key}={value}" for key, value in told.items())]


def test_systemd_told_it() -> None:
    newer = _file(_STARTED + 500)
    told = [_CLOCK, _START, newer]
    assert taken_up([*told, *_unit()], 812).answer is Answer.NO
    later = "Sun 2026-11-29 01:03:20 UTC"
    assert taken_up([*told, *_unit(reload=f"0 {later}")], 812).answer is Answer.YES
    assert taken_up([*told, *_unit(reload=f"1 {later}")], 812).answer is Answer.NO, "sshd -t failed"
    again = _unit(Type="notify-reload", StateChangeTimestamp=later, ReloadResult="success")
    assert taken_up([*told, *again], 812).answer is Answer.YES
    again = _unit(Type="notify", StateChangeTimestamp=later, ReloadResult="success")
    assert taken_up([*told, *again], 812).answer is Answer.NO
    other = [line.replace("812", "813") for line in _unit(reload=f"0 {later}")]
    assert taken_up([*told, *other], 812).answer is Answer.NO, "another process of that unit"


# as systemd 257 and 252 print it: `\\n` of a quoted word becomes a line break
_SHOWN = """MainPID=812
ExecReload={ path=/bin/sh ; argv[]=/bin/sh -c curl -u bak:Zx9Geheim h
TOKEN=Zx9Geheim

MainPID=7
y ; ignore_errors=no ; start_time=[Sun 2026-11-29 01:03:20 UTC] ; stop_time=[n/a] ; pid=9 ; \
code=exited ; status=0 }
ExecReload={ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; ignore_errors=no ; \
start_time=[Sun 2026-11-29 01:03:21 UTC] ; stop_time=[n/a] ; pid=9 ; code=killed ; status=2/INT }
Id=a\\x2db@c.service
Type=notify-reload
StatusText=Zx9Geheim
ExecMainStartTimestamp=Sun 2026-11-29 00:53:20 UTC

Id=x.service
ExecReload={ path=/bin/x ; argv[]=/bin/x
Id=Zx9Geheim.service
"""


@pytest.mark.parametrize("sed", ["sed", "busybox sed"])
@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_of_a_command_leaves(shell: str, sed: str, tmp_path: Path) -> None:
    for program in (SHELLS[shell][0], sed.split(maxsplit=1)[0]):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    (tmp_path / "shown").write_text(_SHOWN, encoding="utf-8")
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\ncat {tmp_path}/shown\n", encoding="utf-8")
    (tmp_path / "sed").write_text(f'#!/bin/sh\nexec {sed_of(sed)} "$@"\n', encoding="utf-8")
    for made in ("systemctl", "sed"):
        (tmp_path / made).chmod(0o755)
    body = LOOK.replace("[ -d /run/systemd/system ]", "true")
    done = subprocess.run(
        [*SHELLS[shell], "-c", f"t_p=$$; t_f=; t_d=; t_u=x.service; hp_nl='\n'\n{body}"],
        capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stderr == ""
    told = [line for line in done.stdout.split("\n") if line.startswith("unit")]
    assert told == [
        "unit MainPID=812",
        "unit ExecReload=0 Sun 2026-11-29 01:03:20 UTC",
        "unit ExecReload=2 Sun 2026-11-29 01:03:21 UTC",
        "unit Id=a\\x2db@c.service",
        "unit Type=notify-reload",
        "unit ExecMainStartTimestamp=Sun 2026-11-29 00:53:20 UTC",
        "unit ",
        "unit Id=x.service",
    ]
    assert "Zx9Geheim" not in done.stdout


def sed_of(sed: str) -> str:
    return sed.replace(sed.split(maxsplit=1)[0], str(shutil.which(sed.split(maxsplit=1)[0])), 1)


def test_a_clock_that_was_set_in_between() -> None:
    """A clock of local time at the boot, eight hours ahead, and put right after the start."""
    ahead = _unit("Sun 2026-11-29 08:53:20 UTC")
    between = taken_up([_CLOCK, _START, _file(_STARTED + 3600), *ahead], 812)
    assert (between.answer, between.how, between.doubtful) == (Answer.UNTOLD, "clock", False)
    at_boot = taken_up([_CLOCK, _START, _file(_STARTED + 8 * 3600 - 60), *ahead], 812)
    assert at_boot.answer is Answer.UNTOLD, "written at the boot, by the clock of then"
    assert taken_up([_CLOCK, _START, _file(_STARTED + 9 * 3600), *ahead], 812).answer is Answer.NO
    assert taken_up([_CLOCK, _START, _file(_OLD), *ahead], 812).answer is Answer.YES


def test_no_judge_goes_around() -> None:
    """Who asks sshd for its settings says with what it runs, too."""
    # says where an empty password gets in, and rests on shadow alone
    around = {"empty_passwords"}
    for path in sorted(_JUDGES.glob("*/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if names & {"listeners", "log_stores"} and path.stem not in around:
            assert {"taken_up", "JOURNALD"} & names, path


def test_what_it_wrote_since_shows_what_it_does() -> None:
    old = taken_up([_CLOCK, _START, _file(_STARTED + 500)], 812)
    before, after = (datetime.fromtimestamp(_STARTED + n, UTC) for n in (499, 501))
    assert [old.holds(), old.holds(None), old.holds(before), old.holds(after, before)] == [
        False
    ] * 4
    assert old.holds(after)
    assert taken_up([_CLOCK, _START, _file(_OLD)], 812).holds()
    assert not NOT_ASKED.holds(after), "a capture from before this was looked at shows nothing"
    assert not taken_up([_CLOCK, _file(_OLD)], 812).holds(after), "no start"
