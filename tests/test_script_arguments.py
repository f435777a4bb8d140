"""What the script writes never stands among the arguments of a program, where everybody reads it.

Whoever knows the nonce of a run forges its frames; a shell without a printf of its own (mksh) hands
it to a program. strace(1) tells of every program that is started.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.model import Read, ReadStatus, Text, command, files, shell
from collector.script import collector_script
from tests.test_script import NONCE, SHELLS, run

WHY = Text("试验", "a trial")
# `printf` of bytes: constants of tls_ask.sh and databases.sh
_BYTES = re.compile(r'execve\("[^"]*/printf", \["printf", "[^"%]*\\\\[^"%]*"\]')
# reads that write most: of files in the reach of users, with a key of their own, of settings
_WRITE = {
    "backup.artefacts", "log_files.times", "network.state", "record_samples.lines",
    "schedules.called", "web_servers.config",
}  # fmt: skip
_SAID = r"printf '%s|%.2s %%\n' 'a\b' xyz -n '\c'"
_AS_SH = 'mount --bind "$0" "$(readlink -f /bin/sh)" && exec "$@"'


@pytest.fixture
def traced(tmp_path: Path) -> list[str]:
    argv = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=execve",
        "-s",
        "100000",
        "-o",
        str(tmp_path / "log"),
    ]
    if shutil.which("strace") is None or subprocess.run([*argv, "true"], check=False).returncode:
        pytest.skip("no strace here")
    return argv


@pytest.fixture(params=SHELLS)
def as_sh(request: pytest.FixtureRequest) -> tuple[list[str], list[str]]:
    """The shell, and what makes it the /bin/sh of the reads as well."""
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    if len(argv) > 1:
        return argv, []
    if os.geteuid() != 0:
        pytest.skip("needs root")
    return argv, ["unshare", "-m", "/bin/sh", "-c", _AS_SH, str(shutil.which(argv[0]))]


def _reads(folder: Path) -> list[Read]:
    (folder / "a \\n%s").write_text("password=hunter2 \\c -n\n")
    every = str(folder / "a*")
    return [
        files("t.file", every, why=WHY, redact="s/=.*/=***/"),
        files("t.none", "/nowhere/at/all", why=WHY),
        command("t.cat", "cat", every.replace("*", " \\n%s"), why=WHY, redact="s/=.*/=***/"),
        command("t.gone", "no-such-program-anywhere", why=WHY),
        shell("t.said", f'{_SAID}; printf "\\n"; cat /no; exit 3', why=WHY),
    ]  # fmt: skip


def test_the_nonce_is_no_argument(
    as_sh: tuple[list[str], list[str]], traced: list[str], tmp_path: Path
) -> None:
    sh, before = as_sh
    capture = run(sh, _reads(tmp_path), before=[*before, *traced])
    (file,) = capture.read("t.file").files
    assert file.path == str(tmp_path / "a \\n%s")
    assert file.data.startswith(b"password=***")
    said = capture.read("t.said")
    assert (said.status, said.rc) == (ReadStatus.EXIT, 3)
    assert said.stdout == b"a\\b|xy %\n-n|\\c %\n\n"
    assert "/no" in said.stderr
    assert capture.read("t.gone").status is ReadStatus.MISSING
    log = (tmp_path / "log").read_text()
    assert "execve(" in log
    assert NONCE not in log


@pytest.mark.parametrize("name", ["mksh", "lksh"])
def test_nor_is_what_any_read_writes(name: str, traced: list[str], tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which(name) is None:
        pytest.skip(f"needs root and {name}")
    before = ["unshare", "-m", "/bin/sh", "-c", _AS_SH, str(shutil.which(name)), *traced]
    reads = [read for read in catalog.all_reads().values() if read.id in _WRITE]
    assert len(reads) == len(_WRITE)
    run([name], reads, before=before)
    log = (tmp_path / "log").read_text()
    assert NONCE not in log
    started = [line for line in log.splitlines() if '/printf", ["printf"' in line]
    assert [line for line in started if not _BYTES.search(line)] == []


def test_a_shell_that_can_not_say_it_is_refused(tmp_path: Path) -> None:
    """As a shell of neither: what it is asked is whether each is its own."""
    script = collector_script([command("t.id", "id", why=WHY)])
    script = script.replace('"$(eval "$HP_ASKED")"', '"/usr/bin/printf::"')
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "neither printf nor print of its own" in done.stderr
