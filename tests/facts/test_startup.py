"""TMOUT: what bash itself ends up with is the measure."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import FactError, NotUnderstood
from collector.facts.access.idle_timeout import READS, idle, session_seconds
from collector.facts.access.sessions import sessions
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from tests.masked import redacted

_SNIPPETS = [
    "TMOUT=600\n",
    "export TMOUT=600\n",
    "readonly TMOUT=600\n",
    "TMOUT=900; readonly TMOUT; export TMOUT\n",
    "TMOUT=900\nreadonly TMOUT\n",
    "readonly TMOUT=900 ; export TMOUT\n",
    "declare -xr TMOUT=900\n",
    "typeset -rx TMOUT='300'\n",
    "export TMOUT=600 # ten minutes\nreadonly TMOUT\n",
    "TMOUT=600\nunset TMOUT\n",
    "readonly TMOUT=600\nTMOUT=7200\n",
    "TMOUT=60\nTMOUT=3600\n",
    "# TMOUT=600\n",
    'if [ -n "$PS1" ]; then\n  readonly TMOUT=600\nfi\n',
    'if [ -n "$BASH_VERSION" ]; then readonly TMOUT=600; fi\n',
    '[ -z "$TMOUT" ] && readonly TMOUT=600\n',
    "export TMOUT=600\nexport PATH TMOUT HOME\n",
]  # fmt: skip


_LOOP = 'for i in /etc/profile.d/*.sh; do\n  [ -r "$i" ] && . "$i"\ndone\n'


def _capture(*texts: str, **logind: str) -> Capture:
    """Profiles in the form of the read; `logind` are files of the other read, by path.

    The first is /etc/profile, which starts the others as on all systems.
    """
    texts = tuple(texts[:1]) and (texts[0] + _LOOP, *texts[1:])
    shown = ""
    for path, text in zip(("/etc/profile", "/etc/profile.d/a.sh"), texts, strict=False):
        shown += f"file {path}\n" + "".join(f"|{line}\n" for line in text.splitlines())
    files = tuple(
        CapturedFile(path, ReadStatus.OK, data=text.encode()) for path, text in logind.items()
    )
    reads = {
        "startup.shell": ReadResult(
            "startup.shell", ReadStatus.OK, stdout=f"{shown}== end\n".encode()
        ),
        "startup.logind": ReadResult("startup.logind", ReadStatus.OK, files=files),
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is the measure")
@pytest.mark.parametrize("text", _SNIPPETS)
def test_as_bash_has_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "p").write_text(text, encoding="utf-8")
    ask = f'. {tmp_path}/p; echo "=$TMOUT"; unset TMOUT && echo loose || echo fixed'
    said = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", f"PS1=x; {ask}"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    ).stdout.split()
    found = idle(_capture("x=1\n", text))
    assert [f"={'' if found.seconds is None else found.seconds}", said[1]] == said
    assert found.fixed is (said[1] == "fixed")


@pytest.mark.parametrize(
    "text",
    [
        'if [ "$USER" = root ]; then\n  readonly TMOUT=600\nfi\n',
        'case "$TERM" in\nx*) readonly TMOUT=600;;\nesac\n',
        "for i in a b; do\n  readonly TMOUT=600\ndone\n",
        "[ -t 0 ] || return\nreadonly TMOUT=600\n",
    ],
)  # fmt: skip
def test_what_is_not_certain_is_not_counted(text: str) -> None:
    found = idle(_capture("x=1\n", text))
    assert (found.seconds, found.fixed, len(found.conditional)) == (None, False, 1)


def test_what_no_shell_may_tell_is_not_guessed() -> None:
    with pytest.raises(NotUnderstood):
        idle(_capture("x=1\n", "TMOUT=$(cat /etc/tmout)\n"))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_only_branches_and_tmout_leave_the_host(shell: str, tmp_path: Path) -> None:
    """The body as it stands on real files, through the sed program that goes with it."""
    place = shutil.which(shell)
    if place is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "profile.d").mkdir()
    profile = f"export DB_PASSWORD=hunter2\n{_LOOP.replace('/etc/', f'{tmp_path}/')}"
    (tmp_path / "profile").write_text(profile, encoding="utf-8")
    (tmp_path / "profile.d/empty.sh").write_text("", encoding="utf-8")
    (tmp_path / "profile.d/tmout.sh").write_text(
        'mysql -phunter2\nif [ -n "$PS1" ]; then\nreadonly TMOUT=600\nfi', encoding="utf-8"
    )
    read = next(r for r in READS if r.id == "startup.shell")
    body = read.body.replace("/etc/", f"{tmp_path}/")
    argv = [place, *(["sh"] if shell == "busybox" else []), "-c", body]
    said = subprocess.run(argv, capture_output=True, check=True).stdout
    left = redacted(read.redact, said.replace(f"{tmp_path}/".encode(), b"/etc/")).decode()
    assert "hunter2" not in left
    result = ReadResult("startup.shell", ReadStatus.OK, stdout=left.encode())
    found = idle(Capture("h", HostStatus.COMPLETE, reads={result.id: result}))
    assert (found.seconds, found.fixed) == (600, True)


_ROW = "{name}:x:{uid}:{uid}::{home}:{shell}\n"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_what_reaches_sessions(shell: str, tmp_path: Path) -> None:
    """Modes, ends of lines, login shells and startup files of accounts, in real files."""
    place = shutil.which(shell)
    if place is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "profile.d").mkdir()
    (tmp_path / "profile.d/a.sh").write_bytes(b"TMOUT=600\r\nreadonly TMOUT\r\n")
    (tmp_path / "profile.d/b.sh").write_text("readonly TMOUT=600\n", encoding="utf-8")
    (tmp_path / "profile.d/c.sh").write_bytes(b"umask 077\r\n")
    (tmp_path / "profile.d/b.sh").chmod(0o600)
    (tmp_path / "sh").symlink_to(place)
    rows = ""
    own = {
        "exec": "exec env -u X bash --norc\n", "fish": "[ -t 0 ] && exec fish\n",
        "env": "env -i bash\n", "unset": "TMOUT=0\n", "skel": "# exec\n[ -x a ] && eval b\n",
        "redirects": "exec 2>/dev/null\nexec >&3\n", "none": "",
    }  # fmt: skip
    for uid, (name, text) in enumerate(own.items(), 1):
        home = tmp_path / name
        home.mkdir()
        (home / ".bash_profile").write_text(text, encoding="utf-8")
        rows += _ROW.format(name=name, uid=uid, home=home, shell=tmp_path / "sh")
    rows += _ROW.format(name="gone", uid=90, home="/nonexistent", shell="/nonexistent/sh")
    rows += _ROW.format(name="bin", uid=91, home=tmp_path / "exec", shell="/usr/sbin/nologin")
    (tmp_path / "passwd").write_text(rows, encoding="utf-8")
    read = next(r for r in READS if r.id == "startup.shell")
    # the folder of the test is as good as one that only root can write
    body = read.body.replace("/etc/", f"{tmp_path}/").replace("/etc/profile.d ", f"{tmp_path} ")
    argv = [place, *(["sh"] if shell == "busybox" else []), "-c", body]
    said = subprocess.run(argv, capture_output=True, check=True, env={**os.environ, "HP_UID": ""})
    left = redacted(read.redact, said.stdout).replace(f"{tmp_path}/".encode(), b"/etc/")
    result = ReadResult("startup.shell", ReadStatus.OK, stdout=left)
    found = sessions(Capture("h", HostStatus.COMPLETE, reads={result.id: result}))
    assert found is not None
    assert found.crlf == {"/etc/profile.d/a.sh"}
    assert found.modes["/etc/profile.d/b.sh"][0].startswith("-rw-------")
    assert found.shells == {"/etc/sh": Path(place).name, "/nonexistent/sh": "-"}
    assert [path.split("/")[2] for _, path in found.own] == ["exec", "fish", "env", "unset"]


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_which_shell_ends_itself(shell: str) -> None:
    """At a terminal, with nobody who types."""
    place = shutil.which(shell)
    if place is None:
        pytest.skip(f"no {shell} here")
    pid, terminal = pty.fork()
    if not pid:  # pragma: no cover - another process
        os.execve(place, ["sh", "-i"], {"PATH": "/usr/bin:/bin", "TMOUT": "1"})
    until = time.monotonic() + 4
    ended = False
    while not ended and time.monotonic() < until:
        ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        time.sleep(0.1)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(terminal)
    told = catalog.control("intrusion.session_timeout").for_grade(2)
    if ended:
        assert shell not in told.strings("shells_without")
    else:
        assert shell not in told.strings("shells_with")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15min", 900), ("900", 900), ("1h 30m", 5400), ("infinity", None), ("0", None), ("", None),
     ("1M", 2_629_800), ("10 minutes", 600)],
)  # fmt: skip
def test_spans(text: str, seconds: int | None) -> None:
    written = {"/etc/systemd/logind.conf": f"[Login]\nStopIdleSessionSec={text}\n"}
    assert session_seconds(_capture(**written))[0] == seconds


def test_the_last_setting_of_logind_holds() -> None:
    capture = _capture(
        **{
            "/etc/systemd/logind.conf": "[Login]\nStopIdleSessionSec=15min\n",
            "/etc/systemd/logind.conf.d/a.conf": "[Login]\nStopIdleSessionSec=infinity\n",
        }
    )
    assert session_seconds(capture)[0] is None


def test_cut_off_and_refused() -> None:
    for text in ("file /etc/profile\n|TMOUT=600\n", "refused /etc/profile.d/a.sh\n== end\n"):
        result = ReadResult("startup.shell", ReadStatus.OK, stdout=text.encode())
        with pytest.raises(FactError):
            idle(Capture("h", HostStatus.COMPLETE, reads={result.id: result}))
