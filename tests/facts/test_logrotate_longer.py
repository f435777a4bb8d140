"""What hardening makes of sections that fall short: kept six months by the real logrotate."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector.facts.logs.logrotate.schedule import Runs
from collector.model import CapturedFile, ReadStatus
from collector.run.probes.logrotate_longer import MARK, Longer, lengthened
from tests.facts import rotation_cases as cases
from tests.facts.rotation_cases import Case
from tests.facts.rotation_truth import Calendar, NotHere, measured, wrong

NEED = 184
DAILY = Runs("logrotate.timer", 1.0)
_CHOSEN = (
    *cases._PACKAGES,
    *cases._BY_SIZE,
    "maxsize_hastens",
    "weekly_26",
    "daily_184",
    "octal_number",
    "equals",
    "no_count",
    "unlimited",
    "last_word_counts",
    "maxage_cuts_weekly",
    "maxage_cuts_unlimited",
    "maxage_182",
    "maxage_and_count",
    "hourly_but_run_daily",
)


def _file(path: str, text: str, mode: int = 0o644) -> CapturedFile:
    return CapturedFile(path, ReadStatus.OK, mode, 0, 0, data=text.encode())


def _longer(
    files: dict[str, str], logs: tuple[str, ...] = (), runs: Runs = DAILY, **more: object
) -> Longer:
    found = {path: _file(path, text) for path, text in files.items()}
    leave = more.get("leave", ())
    assert isinstance(leave, tuple)
    return lengthened(found, "/etc/logrotate.conf", (3, 22, 0), logs, runs, NEED, leave)


def _of_case(case: Case) -> Case | None:
    """The case as hardening leaves it; None where it is left to a person."""
    conf = f"/var/log/{case.name}.log {{\n{case.body}\n}}\n"
    longer = _longer({"/etc/logrotate.conf": conf}, (f"/var/log/{case.name}.log",))
    if longer.left:
        return None
    text = longer.files.get("/etc/logrotate.conf", conf)
    return replace(case, body=text.split("{\n", 1)[1].rsplit("\n}", 1)[0])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("logrotate's own checks of owners need root")
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    made = Path(tempfile.mkdtemp(prefix="longer-", dir=memory))
    yield made
    shutil.rmtree(made)


def test_the_real_logrotate_keeps_six_months_of_it(folder: Path) -> None:
    """Day by day over a year and more; and what the engine says of the new sections is so."""
    known = {case.name: case for case in cases.hand_written()}
    mended = [_of_case(known[name]) for name in _CHOSEN] + [_of_case(c) for c in cases.drawn(5)]
    several = [case for case in mended if case is not None]
    assert len(several) >= len(_CHOSEN), "more were left to a person than was thought"
    calendar = Calendar(400)
    try:
        found = measured(several, calendar, folder)
    except NotHere:
        pytest.skip("the real logrotate and libfaketime are not here: apt-get install them")
    short = [f"{n}: {m.real}: {m.case.body}" for n, m in found.items() if (m.real or NEED) < NEED]
    assert not short, "\n".join(short)
    assert not wrong(found.values(), calendar)
    for one in found.values():
        assert one.said.known, one.case
        assert one.blind.surely is None or one.blind.surely >= NEED, one.case


RSYSLOG = """/var/log/syslog
/var/log/auth.log
{
\trotate 4
\tweekly
\tmissingok
\tpostrotate
\t\trotate 4 is no directive here
\tendscript
}
"""


def _one(text: str, **more: object) -> str:
    longer = _longer({"/etc/logrotate.conf": text}, **more)  # type: ignore[arg-type]
    assert not longer.left, longer.left
    return longer.files.get("/etc/logrotate.conf", text)


def test_only_the_number_is_changed_and_what_it_was_is_told() -> None:
    mark = f"\t{MARK} (was: rotate 4)\n\trotate 27\n"
    assert _one(RSYSLOG) == RSYSLOG.replace("\trotate 4\n\tweekly", f"{mark}\tweekly")


def test_a_second_time_nothing_is_changed() -> None:
    assert _one(_one(RSYSLOG)) == _one(RSYSLOG)


@pytest.mark.parametrize(
    "text",
    [
        "/var/log/a.log {\n  weekly\n  rotate 52\n}\n",
        "/var/log/a.log {\n  daily\n  rotate -1\n}\n",
        "/var/log/a.log {\n  daily\n  rotate 365\n  maxage 400\n}\n",
        "weekly\nrotate 30\n/var/log/a.log {\n}\n",
    ],
)
def test_what_keeps_long_enough_stays_byte_for_byte(text: str) -> None:
    assert _longer({"/etc/logrotate.conf": text}).files == {}


def test_a_section_that_inherits_gets_its_own_number_and_the_global_one_stays() -> None:
    """A global word binds what is read after it, the owner's own sections too."""
    text = "weekly\nrotate 4\n/var/log/a.log {\n    missingok\n}\n"
    assert _one(text) == (
        f"weekly\nrotate 4\n/var/log/a.log {{\n    missingok\n    {MARK}\n    rotate 27\n}}\n"
    )


def test_an_empty_section() -> None:
    assert "\trotate 184\n}" in _one("daily\n/var/log/a.log {\n}\n")


def test_words_before_the_number_on_its_line() -> None:
    assert "missingok rotate 27\n" in _one("/a/b.log {\n weekly\n missingok rotate 4\n}\n")


def test_maxage_too() -> None:
    text = _one("/var/log/a.log {\n daily\n rotate 400\n maxage 30\n}\n")
    assert " maxage 184\n" in text and " rotate 400\n" in text


def test_a_script_that_may_fail_no_longer_costs_the_old_files() -> None:
    text = "/var/log/a.log {\n daily\n rotate 400\n compress\n postrotate\n false\n endscript\n}\n"
    assert " delaycompress\n}" in _one(text)


def test_where_size_decides_it_is_enough_for_the_fastest_growth() -> None:
    text = "/var/log/a.log {\n size 10M\n rotate 4\n}\n"
    assert " rotate 184\n" in _one(text)
    hourly = _one(text, runs=Runs("cron", 1 / 24))
    assert int(hourly.rsplit(" rotate ", 1)[1].split()[0]) >= NEED * 24


def test_a_job_that_forces_each_rotation_counts() -> None:
    assert " rotate 184\n" in _one(
        "/a/b.log {\n monthly\n rotate 12\n}\n", runs=Runs("cron", 1.0, forced=True)
    )


def test_files_of_a_folder_each_by_itself() -> None:
    files = {
        "/etc/logrotate.conf": "include /etc/logrotate.d\n",
        "/etc/logrotate.d/a": "/var/log/a.log {\n weekly\n rotate 4\n}\n",
        "/etc/logrotate.d/b": "/var/log/b.log {\n weekly\n rotate 52\n}\n",
        "/etc/logrotate.d/c": "/var/log/c.log {\n weekly\n rotate 4\n}\n",
    }
    assert set(_longer(files).files) == {"/etc/logrotate.d/a", "/etc/logrotate.d/c"}
    left = _longer(files, leave=("/etc/logrotate.d/a", "/var/log/c.log"))
    assert left.files == {} and not left.left
    told = _longer(files).changes["/etc/logrotate.d/a"]
    assert told == ("/var/log/a.log: rotate 4 → 27",)


@pytest.mark.parametrize(
    "text",
    [
        # a bad value: the section is refused
        "/var/log/a.log {\n weekly\n rotate 4 # weeks\n}\n",
        # an error behind it: the file's global words are lost
        "/var/log/a.log {\n weekly\n rotate 4\n}\n/var/log/b.log {\n postrotate\n",
        # rotates its own old files
        "/var/log/a.log* {\n weekly\n rotate 4\n}\n",
        "/var/log/a.log {\n weekly\n rotate 4 }\n",
    ],
)
def test_what_is_broken_is_left_to_a_person_and_said(text: str) -> None:
    longer = _longer({"/etc/logrotate.conf": text}, ("/var/log/a.log", "/var/log/a.log.1"))
    assert longer.files == {} and longer.left


def test_a_file_in_another_encoding_is_not_written_anew() -> None:
    data = "# gr\xfc\xdfe\n/var/log/a.log {\n weekly\n rotate 4\n}\n".encode("latin-1")
    file = replace(_file("/etc/logrotate.conf", ""), data=data)
    longer = lengthened({file.path: file}, file.path, (3, 22, 0), (), DAILY, NEED)
    assert longer.files == {} and longer.left


def test_a_log_that_two_sections_name_is_made_longer_where_it_counts() -> None:
    """The first has it; the second, which logrotate leaves out, is made longer too, at no cost."""
    files = {
        "/etc/logrotate.conf": "include /etc/logrotate.d\n",
        "/etc/logrotate.d/a": "/var/log/a.log {\n weekly\n rotate 4\n}\n",
        "/etc/logrotate.d/b": "/var/log/a.log {\n daily\n rotate 7\n}\n",
    }
    longer = _longer(files, ("/var/log/a.log",))
    assert "rotate 27\n" in longer.files["/etc/logrotate.d/a"]
