"""ClamAV as it is on Debian 13: what clamonacc told the kernel, which paths clamd leaves out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from collector.errors import NotUnderstood
from collector.facts.security.clamav import READS, Clamav, clamav
from collector.facts.security.exclusions import covers, matches, probes
from collector.facts.system.processes import Process
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

# clamonacc 1.4.6, each time with OnAccessPrevention as named
INCLUDED = "      1 group\n      3 inode 8030000\n"
NOTIFYING = "      1 group\n      3 inode 8000021\n"
MOUNTED = "      1 group\n      1 mount 21\n"
NOTHING = "      1 group\n"


def state(marks: str, conf: str = "OnAccessPrevention yes\n") -> Clamav:
    text = f"== conf /etc/clamav/clamd.conf\n{conf}== onaccess 7\n{marks}== end\n"
    result = ReadResult("clamav.state", ReadStatus.OK, stdout=text.encode())
    return clamav(Capture("h", HostStatus.COMPLETE, reads={"clamav.state": result}))


@pytest.mark.parametrize(
    ("marks", "watched", "refusing"),
    [(INCLUDED, 3, 3), (NOTIFYING, 3, 0), (MOUNTED, 1, 0), (NOTHING, 0, 0), ("", None, 0)],
)
def test_only_marks_with_a_permission_event_refuse(
    marks: str, watched: int | None, refusing: int
) -> None:
    known = state(marks).onaccess[7]
    assert (known.marks, known.refusing) == (watched, refusing)


def test_a_line_of_another_form_is_not_passed_over() -> None:
    with pytest.raises(NotUnderstood):
        state("      1 group\nmask 8030000\n")


def test_settings_are_those_named_on_the_command_line() -> None:
    known = state(NOTHING, 'ExcludePath "^/srv/a b/"\nOnAccessPrevention true\n')
    process = Process(7, 1, 0, "clamonacc", None, False, "clamonacc", "", False)
    of = known.of(process)
    assert of is not None
    assert of.all("ExcludePath") == ("^/srv/a b/",)
    assert of.on("OnAccessPrevention")
    with pytest.raises(NotUnderstood):
        state("config /srv/own.conf\n" + NOTHING).of(process)


# What clamd 1.4.6 still found of files laid into these folders, each with this one ExcludePath.
SEEN_BY_CLAMD = {
    "^/tmp/": {"/home", "/var/tmp", "/var/www", "/root"},
    "/tmp/": {"/home", "/var/www", "/root"},
    "^/tmp$": {"/home", "/var/tmp", "/var/www", "/root"},
    ".": set(),
    "^/home$": {"/tmp", "/var/tmp", "/var/www", "/root"},
    "^/var/spool/amavis/tmp/": {"/tmp", "/home", "/var/tmp", "/var/www", "/root"},
    "^/home/backup-[0-9]+/": {"/tmp", "/home", "/var/tmp", "/var/www", "/root"},
}


@pytest.mark.parametrize("pattern", SEEN_BY_CLAMD)
def test_exclusions_blind_as_they_blind_clamd(pattern: str) -> None:
    trees = ("/tmp", "/home", "/var/tmp", "/var/www", "/root")
    seen = {t for t in trees if not matches(pattern, probes(t, web=False), "clamav.state")}
    assert seen == SEEN_BY_CLAMD[pattern]


def test_scripts_are_looked_for_where_they_are_served() -> None:
    assert matches(r"\.php$", probes("/var/www", web=True), "r")
    assert not matches(r"\.php$", probes("/home", web=False), "r")


@pytest.mark.parametrize(
    "pattern", ["^/(a+)+$", "(x*)*", "[[:alpha:]]", r"^/\w+/", "a" * 300, "(?=x)", "a**", "("]
)
def test_what_cannot_be_judged_is_said(pattern: str) -> None:
    with pytest.raises(NotUnderstood):
        matches(pattern, ("/home/hp0",), "clamav.state")


@pytest.mark.parametrize(
    ("excluded", "tree", "blind"),
    [
        ("/home", "/home", True),
        ("/home/*", "/home", True),
        ("/", "/home", True),
        ("/home/u", "/home", False),
        ("/hom*", "/home", True),
        ("/homes", "/home", False),
    ],
)
def test_paths_of_defender(excluded: str, tree: str, blind: bool) -> None:
    assert covers(excluded, tree) is blind


def _given(log: bytes, folder: Path, awk: str = "awk") -> list[str]:
    """What the read prints of a log."""
    (read,) = [r for r in READS if r.id == "clamav.state"]
    script = re.search(r"awk (-v k=\"\$k\" -v e=\"\$e\") '(.*?)'", read.body, re.DOTALL)
    words = re.search(r"^(k='.*?)^\[", read.body, re.DOTALL | re.MULTILINE)
    assert script and words
    (folder / "log").write_bytes(log)
    body = f"{words[1]}LC_ALL=C {awk} {script[1]} '{script[2]}' <{folder}/log\n"
    ran = subprocess.run(["/bin/sh", "-c", body], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_the_read_gives_every_line_of_a_log_its_place(tmp_path: Path) -> None:
    """The log as clamscan 1.4.6 wrote it, with the empty file's name in the middle."""
    log = (
        b"\n" + b"-" * 79 + b"\n\n/home/bob/bad: Test FOUND\n/home/bob/a\n"
        b"----------- SCAN SUMMARY -----------\nInfected files: 0\nEnd Date:   2026:11:29 17:13:43\n"
        b"z: Empty file\n\n----------- SCAN SUMMARY -----------\nKnown viruses: 1\n"
        b"Data read: 0.00 MB (ratio 0.00:1)\nInfected files: 1\r\n"
    )
    assert _given(log, tmp_path) == [
        "?", "----------- SCAN SUMMARY -----------", "Infected files: 0",
        "End Date:   2026:11:29 17:13:43", "?", "----------- SCAN SUMMARY -----------",
        "Known viruses: 1", "Data read: 0.00 MB (ratio 0.00:1)", "?",
    ]  # fmt: skip


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk"])
def test_the_read_counts_the_errors_that_hide_nothing(tmp_path: Path, awk: str) -> None:
    """As clamdscan and clamscan 1.4.6 wrote them, beside a clamonacc that refuses."""
    log = (
        b"-" * 38 + b"\nWARNING: /home/z/fifo: Not supported file type\n"
        b"WARNING: /run/sock: Not supported file type\n/home/z/bad: Failed to open file\n"
        b"WARNING: Can't open file /home/z/worse: Operation not permitted\n"
        b"WARNING: Can't open file /tmp/gone: No such file or directory\n"
        b"/home/z/good: Access denied. ERROR\n\n"
        b"----------- SCAN SUMMARY -----------\nInfected files: 0\nTotal errors: 6\n"
    )
    assert _given(log, tmp_path, awk) == [
        "?", "#harmless 3", "----------- SCAN SUMMARY -----------", "Infected files: 0",
        "Total errors: 6",
    ]  # fmt: skip
