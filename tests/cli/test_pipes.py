"""What a command line names and is a pipe, a device or a socket ends the command at once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from collector import private
from collector.errors import BadInput

CAPTURE = Path(__file__).parents[1] / "pledges" / "host-weak.capture.gz"
ME = [sys.executable, "-m", "collector"]
SAYS = "a device or a pipe, not a file"


def run(words: Sequence[object], home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HOSTPLEDGE_HOME": str(home), "LANG": "en_US.UTF-8"}
    return subprocess.run(
        [*ME, *map(str, words)], capture_output=True, check=False, text=True, timeout=40, env=env
    )


@pytest.mark.parametrize(
    "words",
    [
        "verify PIPE --trust {trust}",
        "verify {folder} --trust PIPE",
        "verify {folder} --trust {trust} --policy PIPE",
        "verify {folder} --trust {trust} --identity PIPE",
        "assess PIPE",
        "assess {capture} --inventory PIPE",
        "assess {capture} --owner-keys PIPE",
        "replay PIPE",
        "diff PIPE {folder}",
        "report PIPE --export csv={folder}/r.csv",
        "key new --name other --passphrase-file PIPE",
        "bundle {capture} -o {folder}/b --attach x=PIPE",
        "pledge add PIPE",
        "pledge import PIPE",
        "pledge list --register PIPE",
        "register restore PIPE",
        "collect -i PIPE -o {folder}/out",
        "collect -i localhost, -o {folder}/out -e @PIPE",
        "collect -i localhost, -o {folder}/out --vault-password-file PIPE",
        "collect -i localhost, -o {folder}/out --private-key PIPE",
    ],
)
def test_a_pipe_is_refused_at_once(tmp_path: Path, words: str) -> None:
    assert run(["key", "new"], tmp_path / "home").returncode == 0
    (tmp_path / "folder").mkdir()
    pipe = tmp_path / "pipe.zip"
    os.mkfifo(pipe)
    trust = tmp_path / "home" / "keys" / "trust.json"
    given = words.format(capture=CAPTURE, folder=tmp_path / "folder", trust=trust)
    named = given.replace("PIPE", str(pipe))
    ended = run(named.split(), tmp_path / "home")
    assert (ended.returncode, SAYS in ended.stderr) == (2, True), ended.stderr
    assert ended.stderr.strip().count("\n") == 0


def test_devices_sockets_and_folders(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        for special in (tmp_path / "s", Path("/dev/zero"), Path("/dev/tty")):
            with pytest.raises(BadInput, match=SAYS):
                private.opened(special)
    with pytest.raises(IsADirectoryError):
        private.opened(tmp_path)
    with pytest.raises(FileNotFoundError):
        private.opened(tmp_path / "none")
    with private.opened(CAPTURE) as source:
        assert source.read(2) == b"\x1f\x8b"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_a_shell_gives_is_read_as_before(tmp_path: Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    assert run(["key", "new"], tmp_path / "home").returncode == 0
    me = " ".join(ME)
    asked = f"{me} assess %s --family encryption --format csv | wc -l"
    env = {**os.environ, "HOSTPLEDGE_HOME": str(tmp_path / "home")}

    def lines(command: str) -> str:
        done = subprocess.run(
            [shell, "-c", command], capture_output=True, text=True, check=True, env=env, timeout=60
        )
        return done.stdout.strip()

    plain = lines(asked % CAPTURE)
    assert int(plain) > 5
    assert lines(asked % f"<(cat {CAPTURE})") == plain
    assert lines(f"cat {CAPTURE} | {asked % '/dev/stdin'}") == plain
    redirected = asked.replace("| wc", f"< {CAPTURE} | wc")
    assert lines(redirected % "/dev/stdin") == plain
