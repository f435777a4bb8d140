"""What the environment of whoever runs the collector brings along has no say in it."""

from __future__ import annotations

import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.facts.base.opened import OPENED
from collector.model import Read, ReadStatus, Text, command, files, shell
from collector.script import collector_script, parse_output, with_nonce
from tests.mallory import UID, can_be_made
from tests.started import until_it_runs
from tests.test_script import NONCE, SHELLS, run

WHY = Text("试验", "a trial")
# of each kind: built into the shell, special, a keyword's like, a program, one of the script's own
NAMES = (
    "sed", "head", "stat", "date", "grep", "awk", "sh", "env", "sleep", "cat", "ls", "find",
    "unset", "export", "exec", "eval", "set", "trap", "exit", "return", "shift", "break", ":", ".",
    "[", "test", "command", "builtin", "printf", "echo", "read", "cd", "kill", "wait", "umask",
    "alias", "unalias", "declare", "typeset", "local", "true", "type", "hp_frame", "hp_main",
)  # fmt: skip


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


def test_no_function_of_it_stands_in_for_a_command(sh: list[str], tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("password=hunter2\n")
    redact = "s/=.*/=***/"
    brought = {f"BASH_FUNC_{name}%%": "() { /bin/echo EVIL; /bin/cat; }" for name in NAMES}
    capture = run(
        sh,
        [
            files("t.file", str(tmp_path / "conf"), why=WHY, redact=redact),
            command("t.cat", "cat", str(tmp_path / "conf"), why=WHY, redact=redact),
            shell("t.own", "bash -c 'echo one | sed s/one/two/; printf three'", why=WHY),
            command("t.env", "env", why=WHY),
        ],
        **brought,
    )
    assert capture.read("t.file").files[0].data == b"password=***\n"
    assert capture.read("t.cat").stdout == b"password=***\n"
    assert capture.read("t.own").stdout == b"two\nthree"
    assert b"EVIL" not in capture.read("t.env").stdout


def test_nothing_else_of_it_reaches_what_is_run(sh: list[str]) -> None:
    names = """AWKPATH BASH_ENV ENV FPATH GREP_COLORS GREP_OPTIONS HOME IFS LD_LIBRARY_PATH LOCPATH
        LS_COLORS MYSQL_HOME PGHOST PSQLRC PYTHONSTARTUP TMPDIR TZ XDG_CONFIG_HOME GIT_DIR X_Y
        HP_UID HP_KNOWN HP_OPENED HP_DROP NAMER R SSH_CONNECTION"""
    brought = dict.fromkeys(names.split(), "/nowhere")
    capture = run(sh, [command("t.env", "env", why=WHY)], **brought, **{"X.Y": "/nowhere"})
    said = capture.read("t.env").stdout.decode()
    assert capture.read("t.env").status is ReadStatus.OK
    assert [line for line in said.splitlines() if "/nowhere" in line] == []
    assert capture.head["session"] == "/nowhere"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can come to, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="hostpledge-test."))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _tool(folder: Path) -> None:
    folder.mkdir()
    (folder / "hp-tool").write_text("#!/bin/sh\necho ran\n")
    (folder / "hp-tool").chmod(0o755)


def _others(folder: Path) -> None:
    folder.chmod(0o777)


def _group(folder: Path) -> None:
    os.chown(folder, 0, UID)
    folder.chmod(0o775)


def _owned(folder: Path) -> None:
    os.chown(folder, UID, UID)


def _program(folder: Path) -> None:
    os.chown(folder / "hp-tool", UID, UID)


def _linked(folder: Path) -> None:
    his = folder.with_name("his")
    his.mkdir()
    os.chown(his, UID, UID)
    (folder / "hp-tool").rename(his / "hp-tool")
    (folder / "hp-tool").symlink_to(his / "hp-tool")


def _groups_program(folder: Path) -> None:
    _group(folder / "hp-tool")


def _linked_to_a_groups(folder: Path) -> None:
    _tool(folder.with_name("roots"))
    _group(folder.with_name("roots") / "hp-tool")
    (folder / "hp-tool").unlink()
    (folder / "hp-tool").symlink_to(folder.with_name("roots") / "hp-tool")


def _listed(folder: Path) -> None:
    """One account may write it, by acl(5): version 2, and tag, rights and number of each entry."""
    none = 0xFFFFFFFF
    entries = [(1, 7, none), (2, 7, UID), (4, 5, none), (16, 7, none), (32, 5, none)]
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(folder / "hp-tool", "system.posix_acl_access", packed)
    except OSError:
        pytest.skip("no access lists here")


@pytest.mark.skipif(not can_be_made(), reason="needs root")
@pytest.mark.parametrize(
    "how",
    [_others, _group, _owned, _program, _linked, _groups_program, _linked_to_a_groups, _listed],
)
def test_no_program_that_others_can_put_there_runs(
    folder: Path, sh: list[str], how: object
) -> None:
    _tool(folder / "own")
    _tool(folder / "theirs")
    assert callable(how)
    how(folder / "theirs")
    reads = [command("t.a", "hp-tool", why=WHY), shell("t.b", "hp-tool", why=WHY)]
    for first, rest in (("theirs", False), ("theirs", True)):
        path = f"{folder / first}:{os.environ['PATH']}" + (f":{folder / 'own'}" if rest else "")
        capture = run(sh, reads, PATH=path)
        assert capture.head["left_out"] == str(folder / first)
        if rest:
            assert capture.read("t.a").stdout == b"ran\n"
        else:
            assert capture.read("t.a").status is ReadStatus.MISSING
            assert str(folder / first) in capture.read("t.a").stderr
        assert capture.read("t.b").stdout == (b"ran\n" if rest else b"")


@pytest.mark.skipif(not can_be_made(), reason="needs root")
def test_what_runs_as_a_user_gets_nothing_of_ours(sh: list[str]) -> None:
    """No terminal to type into, no descriptor to write to, no group, no environment."""
    look = "hp_as 12345:12345:- sh -c '"
    reads = [
        shell("t.who", f"{OPENED}{look}id -u; id -G; ls /proc/self/fd; tty; : </dev/tty'", why=WHY),
        shell("t.env", f"{OPENED}{look}env'", why=WHY),
        shell("t.root", f"{OPENED}hp_as 0:12345:- id; hp_as 12345:0:- id; hp_as : id", why=WHY),
    ]
    raw = _at_a_terminal(sh, reads)
    capture = parse_output(raw, host="here", nonce=NONCE)
    who = capture.read("t.who")
    assert who.stdout.split() == [b"12345", b"12345", b"0", b"1", b"2", b"3", b"not", b"a", b"tty"]
    assert "/dev/tty" in who.stderr
    assert b"HP_N=" not in capture.read("t.env").stdout
    assert NONCE.encode() not in capture.read("t.env").stdout
    assert capture.read("t.root").stdout == b""


def _at_a_terminal(sh: list[str], reads: list[Read]) -> bytes:
    """What the collector prints into a file, run by somebody at a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = Path(folder) / "collect.sh", Path(folder) / "out"
        script.write_text(with_nonce(collector_script(reads), NONCE))
        master, slave = pty.openpty()
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *sh, "-c", '. "$0" >"$1"', str(script), str(out)],
            stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        process.wait(timeout=60)
        os.close(master)
        os.close(slave)
        return out.read_bytes()


_TRACE = """
import ctypes, os, sys
os.setgroups([]); os.setgid(12345); os.setuid(12345)
pid, libc = int(sys.argv[1]), ctypes.CDLL(None, use_errno=True)
print("traced" if libc.ptrace(16, pid, 0, 0) == 0 else "refused")
try:
    os.listdir(f"/proc/{pid}/cwd/"), open(f"/proc/{pid}/environ").read()
    print("looked into")
except PermissionError:
    print("closed")
"""


@pytest.mark.skipif(not can_be_made(), reason="needs root")
@pytest.mark.parametrize("group", ["$R", "12345:12345:-"])
def test_a_user_cannot_trace_what_runs_as_him(group: str) -> None:
    """With the main group that hp_id gives; with his own he could, which is why."""
    text = f"{OPENED}hp_id 12345; hp_as {group} sh -c 'echo $$; exec sleep 60'"
    process = subprocess.Popen(["sh", "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        until_it_runs(pid, "sleep")
        traced = subprocess.run(
            [sys.executable, "-c", _TRACE, str(pid)], capture_output=True, text=True, check=True
        )
    finally:
        subprocess.run(["kill", "-9", str(pid)], check=False)
        process.communicate()
    free = Path("/proc/sys/kernel/yama/ptrace_scope")
    if group == "$R":
        assert traced.stdout.split() == ["refused", "closed"]
    elif not free.exists() or free.read_text().strip() == "0":
        assert traced.stdout.split()[0] == "traced"
