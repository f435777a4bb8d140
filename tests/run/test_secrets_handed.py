"""A secret given to a run is in no command line, no environment, no file but the one it goes by."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.private import hold
from collector.run.ansible import private
from collector.run.ansible.private import private_folder
from tests.run.conftest import Sshd, hostpledge
from tests.run.seen import below, watched

SECRET = "Pl4nted-Secret"


def test_extra_variables_are_seen_by_nobody(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    inventory.write_text(sshd.line("well", "well") + sshd.line("refused", "stranger"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = ["-e", f"ansible_become_password={SECRET}", "-e", f'{{"db": "{SECRET}"}}']
    seen, said = watched(
        scratch,
        [sys.executable, "-m", "collector", "collect", "-i", str(inventory), *words,
         "-o", str(tmp_path / "out"), "--family", "monitoring"],
        {"TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"},
        (SECRET,),
    )  # fmt: skip
    assert "1 of 2 hosts" in said
    assert seen.found == set()
    assert {"ansible-inventory", "ansible-playbook", "ssh"} <= seen.programs
    assert {"handed-vars-1", "handed-vars-2", "stdout"} <= seen.files
    assert seen.modes == {0}
    kept = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if SECRET.encode() in file.read_bytes()]
    assert not list(scratch.iterdir()), "nothing is left behind"


def test_a_folder_too_deep_for_a_socket_is_none_for_ansible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    ran = hostpledge(
        "collect", "-i", "localhost,", "--family", "monitoring", "-o", str(tmp_path / "out"),
        TMPDIR=str(deep),
    )  # fmt: skip
    assert ran.status == 0, ran.err
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    short = private.folder_for_sockets()
    assert short in ("/tmp", "/var/tmp", "/dev/shm")
    for folder, kept in ((short, True), ("/t" * 37, True), ("/t" * 38, False)):
        monkeypatch.setattr(tempfile, "tempdir", folder)
        assert (private.folder_for_sockets() == folder) is kept


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (f"pass='{SECRET}", "-e pass=…"),
        (f"{{pass: [{SECRET}", "-e"),
        (f"[{SECRET}]", "-e"),
        (f"/{SECRET}", "-e"),
    ],
)
def test_what_is_wrong_with_it_is_said_without_it(entry: str, named: str, tmp_path: Path) -> None:
    ran = hostpledge("collect", "-i", "localhost,", "-e", entry, "-o", str(tmp_path / "out"))
    assert ran.status == 2
    assert ran.err.startswith(f"hostpledge: {named}: ")
    assert SECRET not in ran.err
    assert ran.err.count("\n") == 1


def test_extra_variables_mean_what_they_mean_to_ansible(tmp_path: Path) -> None:
    given = ("a=1 b='x y' c=\"{{ a }}2\"", '{"d": [1, true], "e": "{{ b }}"}', "b=later", "")
    words = private.extra_vars(given, tmp_path)
    script = Path(sys.executable).parent / "ansible"
    told = []
    for more in (words, [word for entry in given for word in ("-e", entry)]):
        done = subprocess.run(
            [script, "-i", "localhost,", "-c", "local", "localhost", "-m", "debug", *more, "-a",
             "msg={{ [a, b, c, d, e] }}"],
            capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        told.append(done.stdout)
    assert told[0] == told[1]
    assert '"later"' in told[0]


def test_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a list is given where variables are wanted"):
        private.extra_vars(("[1]",), tmp_path)


@pytest.mark.parametrize("secret", ["plain", " both ", 'it\'s "$HOME" `id` \\n 口令', "-n", "%s"])
def test_a_password_reaches_ansible_as_it_is(secret: str, tmp_path: Path) -> None:
    from ansible.cli import CLI

    words = private.passwords(secret, "", tmp_path)
    (option,) = words
    assert secret not in option
    assert CLI.get_password_from_file(option.partition("=")[2]) == secret


def test_what_a_killed_command_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, old, busy = (tmp_path / f"hostpledge-play-{name}" for name in ("left", "old", "busy"))
    for folder in (left, old, busy):
        folder.mkdir(mode=0o700)
        os.close(hold(folder))
        (folder / "handed-vars-1").write_text(SECRET)
    held = hold(busy)
    (made := tmp_path / "hostpledge-play-made").mkdir(mode=0o700)
    (made / "handed-vars-1").write_text(SECRET)
    os.utime(old, (1, 1))
    (tmp_path / "hostpledge-play-link").symlink_to(tmp_path)
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not (left / "handed-vars-1").exists()
        assert left.exists(), "a play whose command was killed may still be ending"
        assert not old.exists()
        assert (busy / "handed-vars-1").exists()
        assert (made / "handed-vars-1").exists(), "whoever makes it does not hold it yet"
    os.close(held)
    assert not folder.exists()


def test_a_play_that_hangs_holds_no_secret(sshd: Sshd, tmp_path: Path) -> None:
    """Killed in the middle, it leaves nothing to find: Ansible had read what it was handed."""
    inventory = tmp_path / "inventory"
    inventory.write_text(sshd.line("hangs", "hangs"))
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", "collect", "-i", str(inventory), "-e", f"x={SECRET}",
         "-o", str(tmp_path / "out"), "--family", "monitoring", "--seconds", "10"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    try:
        for _ in range(600):
            # ssh runs: Ansible is at work
            if any(_is_ssh(pid) for pid in below(process.pid)):
                break
            time.sleep(0.05)
        else:
            pytest.fail("ssh never ran")
    finally:
        process.kill()
        process.wait()
    (folder,) = tmp_path.glob("hostpledge-play-*")
    held = [f for f in folder.rglob("*") if f.is_file() and SECRET.encode() in f.read_bytes()]
    assert held == []


def _is_ssh(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ssh\0")
    except OSError:
        return False
