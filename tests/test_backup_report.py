"""The wrapper that reports a backup, under every shell that is here."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from collector.facts.backup.commands.checks import check_jobs
from collector.facts.backup.commands.jobs import backup_jobs
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from collector.schema import check, load_json
from tests.started import until

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "roles/backup/files/hostpledge-backup-report"
SECRET = "Zx9Geheim"
_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh93", "mksh") if shutil.which(s)]


@pytest.fixture(params=_SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return ["busybox", "sh"] if request.param == "busybox" else [request.param]


def _run(
    shell: list[str],
    folder: Path,
    *words: str,
    job: str = "nightly",
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*shell, str(PROGRAM), "--folder", str(folder), "--job", job, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


def _reports(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.iterdir()):
        assert path.suffix == ".json", f"left behind: {path}"
        document = load_json(path.read_bytes().decode("utf-8", "replace"), where=path.name)
        check(document, "backup-report", where=path.name)
        found.append(document)
    return found


@pytest.mark.parametrize("status", [0, 1, 3, 127, 255])
def test_the_status_is_the_commands(shell: list[str], status: int, tmp_path: Path) -> None:
    ran = _run(shell, tmp_path, "--path", "/srv", "--", "sh", "-c", f"echo said; exit {status}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "said\n", "")
    (report,) = _reports(tmp_path)
    assert report["ok"] is (status == 0)
    assert report["started"] <= report["finished"]
    assert report["act"] == "backup"


def test_a_command_that_is_not_there(shell: list[str], tmp_path: Path) -> None:
    assert _run(shell, tmp_path, "--path", "/srv", "--", "no-such-command").returncode == 127
    assert _reports(tmp_path)[0]["ok"] is False


@pytest.mark.parametrize(
    "name",
    [
        'a "quoted" one', "back\\slash\\n", "two\nlines", "客户资料 备份",
        "$(touch owned) `id` ;|&",
        "-n", "%s %d", "a/../../b", "é\udcff",
        " blanks  at both ends ", "'", "*", "x" * 600,
    ],
)  # fmt: skip
def test_odd_names(shell: list[str], name: str, tmp_path: Path) -> None:
    folder = tmp_path / "an odd\tfolder"
    ran = _run(shell, folder, "--path", name, "--path", "/b", "--", "true", job=name)
    assert ran.returncode == 0, ran.stderr
    (report,) = _reports(folder)
    shown = os.fsencode(name).decode("utf-8", "replace")
    assert report["paths"] == [shown, "/b"]
    assert report["job"] == shown[:250]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["an odd\tfolder"]


@pytest.mark.parametrize(
    "where",
    [
        f"rest:https://bak:{SECRET}@backup.example:8000/r",
        f"sftp://bak:{SECRET}@@nas/r",
        f"ssh://bak:p/{SECRET}:x@nas:22/./r",
        f"https://{SECRET}abcdefghijklmnopqrst@host/r",
        f"s3:https://host/b?X-Access-Token={SECRET}&secret_key={SECRET}",
        f"mysql://root:{SECRET}@db/shop?password={SECRET}",
    ],
)
def test_no_password_is_written(shell: list[str], where: str, tmp_path: Path) -> None:
    words = ("--path", where, "--repository", where, "--check")
    ran = _run(shell, tmp_path, *words, "--", "sh", "-c", "exit 4", f"-p{SECRET}", where, job=where,
               env={"RESTIC_PASSWORD": SECRET, "RESTIC_REPOSITORY": where})  # fmt: skip
    assert ran.returncode == 4
    assert SECRET not in ran.stdout + ran.stderr
    (path,) = tmp_path.iterdir()
    assert SECRET not in path.read_text()
    name = path.name
    assert SECRET not in name


def test_versions_and_size(shell: list[str], tmp_path: Path) -> None:
    """What restic and borg print, with and without zones, and dates alone."""
    dump = tmp_path / "dump"
    dump.write_bytes(b"x" * 1234)
    printed = tmp_path / "printed"
    printed.write_text(
        '[{"time":"2026-11-25T02:00:00.123456789+08:00","tree":"a","paths":["/srv, x"],'
        '"summary":{"backup_start":"2026-11-01T00:00:00Z"}},\n'
        '{"time":"2026-10-01T02:00:00Z","id":"b"}]\n'
    )
    folder = tmp_path / "reports"
    words = ("--path", "/srv", "--bytes-of", str(dump), "--versions", f"cat {printed}")
    assert _run(shell, folder, *words, "--append-only", "--", "true").returncode == 0
    (report,) = _reports(folder)
    assert report["bytes"] == 1234
    assert report["append_only"] is True
    assert report["snapshots"] == {
        "count": 2,
        "oldest": "2026-10-01T02:00:00Z",
        "newest": "2026-11-25T02:00:00+08:00",
    }
    printed.write_text("2026-10-01 02:00:00\nMon, 2026-11-02 02:00:00 [abc]\n")
    zone = {"TZ": "UTC-8"}
    assert _run(shell, folder, *words, "--", "true", env=zone, job="dates").returncode == 0
    assert next(r for r in _reports(folder) if r["job"] == "dates")["snapshots"] == {
        "count": 2,
        "oldest": "2026-10-01T02:00:00+08:00",
        "newest": "2026-11-02T02:00:00+08:00",
    }
    printed.write_text("")
    _run(shell, folder, *words, "--", "true", job="other")
    assert any(r.get("snapshots") == {"count": 0} for r in _reports(folder))
    ran = _run(shell, folder, "--path", "/srv", "--versions", "exit 3", "--", "true", job="third")
    assert ran.returncode == 0
    assert "versions" in ran.stderr
    assert "snapshots" not in next(r for r in _reports(folder) if r["job"] == "third")


@pytest.mark.skipif(shutil.which("busybox") is None, reason="there is no busybox here")
def test_on_a_host_that_has_busybox_alone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    subprocess.run(["busybox", "--install", "-s", str(tmp_path / "bin")], check=True)
    sh = str(tmp_path / "bin" / "sh")
    listing = 'echo 2026-10-01 02:00:00; echo \'[{"time":"2026-11-25T02:00:00.5+08:00"}]\''
    words = ("--path", "a\nb", "--bytes-of", str(PROGRAM), "--versions", listing)
    env = {"PATH": str(tmp_path / "bin"), "TZ": "UTC-8"}
    for job in ("客户 资料", "客户 备份", "plain"):
        ran = _run([sh], tmp_path / "r", *words, "--", sh, "-c", "exit 3", job=job, env=env)
        assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", "")
    found = _reports(tmp_path / "r")
    assert {r["bytes"] for r in found} == {PROGRAM.stat().st_size}
    assert {r["snapshots"]["oldest"] for r in found} == {"2026-10-01T02:00:00+08:00"}
    assert len({p.name.partition(".")[0] for p in (tmp_path / "r").iterdir()}) == 3


def test_only_the_last_ones_stay(shell: list[str], tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / f"nightly.2026112{n}T000000Z.1.json").write_text("{}")
    (tmp_path / "nightly-2.20261120T000000Z.1.json").write_text("{}")
    (tmp_path / "nightly.check.20261120T000000Z.1.json").write_text("{}")
    _run(shell, tmp_path, "--path", "/srv", "--keep", "3", "--", "true")
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left[0] == "nightly-2.20261120T000000Z.1.json"
    assert [x[:17] for x in left[1:4]][:2] == ["nightly.20261123T", "nightly.20261124T"]
    assert left[-1] == "nightly.check.20261120T000000Z.1.json"
    assert len(left) == 5


def test_a_report_that_cannot_be_written(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = _run(shell, tmp_path / "file" / "below", "--path", "/srv", "--", "sh", "-c", "exit 5")
    assert ran.returncode == 5
    assert "could not be written" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [(), ("--path", "/srv"), ("--path", "/srv", "--"), ("--", "true"), ("--path",), ("--keep", "x"),
     ("--path", "/srv", "true"), ("--path", "/srv", "--keep", "x", "--", "true")],
)  # fmt: skip
def test_what_is_not_understood_is_said_before_anything_runs(
    shell: list[str], words: tuple[str, ...], tmp_path: Path
) -> None:
    ran = _run(shell, tmp_path / "new", *words)
    assert ran.returncode == 2
    assert ran.stderr
    assert not (tmp_path / "new").exists()


def test_a_status_that_tells_nothing_is_not_reported(shell: list[str], tmp_path: Path) -> None:
    """Of pgBackRest 2.55.1, measured: verify over a damaged backup ends with 0."""
    words = ("--path", "main", "--check", "--", "/usr/bin/pgbackrest", "--stanza=main", "verify")
    ran = _run(shell, tmp_path / "new", *words)
    assert ran.returncode == 2
    assert "its log is read" in ran.stderr
    assert not (tmp_path / "new").exists()


def test_the_status_of_a_pipe_is_not_reported(shell: list[str], tmp_path: Path) -> None:
    """`false | cat` ends well: what fed the pipe may have failed."""
    ran = _run(shell, tmp_path / "new", "--path", "/srv", "--", "sh", "-c", "false | cat")
    assert ran.returncode == 2
    assert "pipefail" in ran.stderr
    assert not (tmp_path / "new").exists()
    either = _run(shell, tmp_path / "new", "--path", "/srv", "--", "sh", "-c", "false || true")
    assert either.returncode == 0


def test_a_warning_can_be_a_success(shell: list[str], tmp_path: Path) -> None:
    ran = _run(shell, tmp_path, "--path", "/srv", "--accept", "1", "--", "sh", "-c", "exit 1")
    assert ran.returncode == 1
    assert _reports(tmp_path)[0]["ok"] is True


def _names(group: int) -> set[str]:
    """Names of the processes of a group."""
    told = subprocess.run(["ps", "-eo", "pgid=,comm="], capture_output=True, text=True, check=True)
    return {
        name
        for line in told.stdout.splitlines()
        for number, name in [line.split(maxsplit=1)]
        if int(number) == group
    }


def test_a_run_that_was_stopped_is_reported(shell: list[str], tmp_path: Path) -> None:
    argv = [*shell, str(PROGRAM), "--folder", str(tmp_path), "--job", "a", "--path", "/srv"]
    # by its path: ksh has a `sleep` of its own
    sleep = shutil.which("sleep") or "/bin/sleep"
    with subprocess.Popen([*argv, "--", sleep, "60"], start_new_session=True) as ran:
        until(lambda: "sleep" in _names(ran.pid), "the job did not start")
        os.killpg(ran.pid, signal.SIGTERM)
        assert ran.wait(timeout=20) == 143
    (report,) = _reports(tmp_path)
    assert report["ok"] is False
    assert "interrupted" in report["message"]


def test_the_job_is_the_command_behind_it() -> None:
    """Its own text, read along with the other scripts, is no backup; nor is the job's name."""
    called = "".join(f"|{line}\n" for line in PROGRAM.read_text().splitlines())
    tab = (
        "0 2 * * * root /usr/local/bin/hostpledge-backup-report --job mysqldump --path /srv/data "
        "-- restic -r /backup/r backup /srv/data\n"
        "0 3 * * 0 root /usr/local/bin/hostpledge-backup-report --check --job borg "
        "--path /srv/data -- restic -r /backup/r check\n"
    )
    reads = {
        "schedules.tabs": ReadResult(
            "schedules.tabs",
            ReadStatus.OK,
            files=(CapturedFile("/etc/cron.d/b", ReadStatus.OK, 0o644, 0, 0, 1, 1, tab.encode()),),
        ),
        "schedules.called": ReadResult(
            "schedules.called",
            ReadStatus.OK,
            stdout=f"script x all /usr/local/bin/hostpledge-backup-report\n{called}".encode(),
        ),
        "schedules.flavour": ReadResult("schedules.flavour", ReadStatus.OK, stdout=b"Debian\n"),
        "schedules.timers": ReadResult("schedules.timers", ReadStatus.OK, stdout=b"no systemd\n"),
        "backup.lists": ReadResult("backup.lists", ReadStatus.OK),
    }
    for id in ("schedules.spool", "schedules.periodic", "backup.settings"):
        reads[id] = ReadResult(id, ReadStatus.ABSENT)
    capture = Capture("h", HostStatus.COMPLETE, reads=reads)
    (job,) = backup_jobs(capture)
    assert (job.tool, job.sources) == ("restic", ("/srv/data",))
    (checked,) = check_jobs(capture)
    assert (checked.tool, checked.repositories) == ("restic", frozenset({"/backup/r"}))


def test_it_is_small_enough_to_be_read_whole() -> None:
    """A script longer than what schedules.called takes would hide what it does."""
    assert PROGRAM.stat().st_size < 16_384
    assert os.access(PROGRAM, os.X_OK)


@pytest.mark.parametrize("name", ["backup-report.md", "backup-report.zh.md"])
def test_the_examples_of_the_documents_are_of_the_form(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    report, restore = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    check(load_json(report, where=name), "backup-report", where=name)
    check(load_json(restore, where=name), "restore-test", where=name)


@pytest.mark.parametrize("name", ["backup-report.md", "backup-report.zh.md"])
def test_the_options_of_the_documents_are_its_own(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    shown = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True, check=True)
    own = set(re.findall(r"^  (--[a-z-]+)", shown.stdout, re.MULTILINE))
    told = {o for row in re.findall(r"^\| (`--.*?) \|", text, re.MULTILINE)
            for o in re.findall(r"--[a-z-]+", row)}  # fmt: skip
    assert told == own
    examples = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    used = set(re.findall(r"(?<= )--[a-z-]+(?=[ \n])", re.sub(r" -- .*", "", examples)))
    assert used - {"--"} <= own | {"--single-transaction", "--format", "--json"}
