"""What an ordinary user of a host sees of a probe, and what he can write in the daemon's place."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from collector.facts.probed.recording import recording
from collector.model import Capture, HostStatus
from collector.run.probing import acts, from_here, texts
from collector.run.probing.site import Site
from tests.run.test_probing import SHELLS

_ACCOUNT = "hostpledge-canary-fedcba9876543210"
_LOGIN = "10.0.0.7 port 4321"
_FORGED = f"2026-12-01T03:20:00 web-1 sshd[7]: Accepted publickey for root from {_LOGIN} ssh2"
_REAL = _FORGED.replace("sshd[7]", "sshd[8]")
_SEEN = ("awk", "grep", "sed", "head", "tail", "cut", "tr", "sleep", "timeout")
# journald knows who wrote: what is asked for root's and the server's own is not what `logger` said
_JOURNAL = f"""
case "$*" in
  *_UID=0*_EXE=*/sshd*) echo '{_REAL}' ;;
  *_UID=*) ;;
  *) echo '{_FORGED}'; echo 'x sshd[9]: Invalid user {_ACCOUNT} from 10.0.0.7' ;;
esac
"""


def _ran(shell: list[str], name: str, folder: Path, *, by: str = "") -> tuple[str, str]:
    """What an act says, and all the arguments that its processes had. `by` is a name of a program
    that it is started by."""
    tools = folder / "bin"
    tools.mkdir()
    for tool in _SEEN:
        then = "exit 0" if tool == "sleep" else f'exec {shutil.which(tool)} "$@"'
        _program(tools / tool, f"printf '%s\\n' \"$0 $*\" >>{folder}/argv\n{then}\n")
    _program(tools / "journalctl", f"printf '%s\\n' \"$0 $*\" >>{folder}/argv\n{_JOURNAL}")
    given = {"ACCOUNT": _ACCOUNT, "LOGIN": _LOGIN}
    text = texts.act(name, "0123456789abcdef", given).replace("PATH=/usr/", f"PATH={tools}:/usr/")
    # of its own lock and of root it needs nothing to look
    text = text.replace("hp_stopped; hp_lock; hp_act", "hp_act").replace(texts._ROOT, "")
    file = folder / "act"
    file.write_text(text)
    words = [*shell, str(file)]
    if by:
        shutil.copy(shutil.which("dash") or "/bin/sh", folder / by)
        words = [str(folder / by), "-c", f"{' '.join(words)}; :"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.stdout, (folder / "argv").read_text()


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: Path(words[0]).name)
def test_the_account_is_in_no_argument(shell: list[str], tmp_path: Path) -> None:
    """Who reads it in /proc could have its record written where the daemon writes none."""
    said, arguments = _ran(shell, "failed_login", tmp_path)
    assert f"found journal x sshd[9]: Invalid user {_ACCOUNT} from 10.0.0.7" in said.splitlines()
    assert "journalctl" in arguments and "canary" not in arguments


def test_a_line_that_a_user_wrote_is_no_record_of_our_login(tmp_path: Path) -> None:
    said, arguments = _ran(["dash"], "log_arrival", tmp_path)
    assert f"unsure journal {_FORGED}" in said.splitlines()
    assert "found " not in said and _LOGIN not in arguments


def test_what_the_server_itself_wrote_is_one(tmp_path: Path) -> None:
    said, arguments = _ran(["dash"], "log_arrival", tmp_path, by="sshd")
    assert f"found journal {_REAL}" in said.splitlines()
    assert f"_UID=0 _EXE={tmp_path}/sshd" in arguments
    assert _FORGED not in said


def test_the_account_is_not_told_by_the_names_of_units_and_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    capture = Capture("a", HostStatus.COMPLETE)
    site = Site("failed_login", capture, lambda *_: "== end\n", lambda *_: "", {"addresses": []})
    monkeypatch.setattr(acts, "target", lambda _: ("192.0.2.1", 22))
    monkeypatch.setattr(from_here, "failed_login", lambda *_: "refused")
    acts.failed_login(site)
    read = site.recorded()
    made = recording(Capture("a", HostStatus.COMPLETE, reads={read.id: read}), "failed_login")
    assert made is not None
    (account,) = made.all("account")
    assert re.fullmatch("hostpledge-canary-[0-9a-f]{16}", account)
    assert site.nonce not in account


def test_the_account_is_in_no_argument_of_our_own_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("ssh")
    if real is None:
        pytest.skip("needs ssh")
    folder = tmp_path
    _program(folder / "ssh", f'echo "$*" >{folder}/argv\nexec {real} -G "$@" >{folder}/settings\n')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    from_here.failed_login("192.0.2.1", 22, _ACCOUNT)
    assert "canary" not in (folder / "argv").read_text()
    settings = (folder / "settings").read_text().splitlines()
    assert f"user {_ACCOUNT}" in settings and "hostname 192.0.2.1" in settings


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("yes 'a banner without end' >&2", "a banner without end"),
        ("echo 'joe@h: Permission denied (password).' >&2; exit 255", "refused"),
        ("exit 0", "let in"),
        ("cat >/dev/null; echo 'ssh: connect to host h' >&2; exit 255", "ssh: connect to host h"),
        ("exec sleep 60", "no answer in time"),
    ],
)
def test_a_server_that_says_without_end_is_heard_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    _program(tmp_path / "ssh", f"{program}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(from_here, "_SECONDS", 3)
    before = time.monotonic()
    assert from_here.failed_login("192.0.2.1", 22, _ACCOUNT).startswith(said)
    assert time.monotonic() - before < 30
