"""What is kept before a change is put back byte for byte, by any shell, and never twice."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from tests.harden.remembering import ROLE, SHELLS, Memory

ODD = [
    "plain",
    "a blank",
    "-dash",
    "ünïcode 配置",
    "new\nline",
    "end\n",
    "back\\slash",
    "$(id)`id`'\"*",
]


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "undo")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


def _seen(path: Path) -> tuple[object, ...]:
    state = path.lstat()
    what = os.readlink(path) if path.is_symlink() else path.read_bytes()
    when = 0 if path.is_symlink() else int(state.st_mtime)
    return what, oct(state.st_mode), state.st_uid, state.st_gid, when


@pytest.mark.parametrize("shell", SHELLS)
def test_every_kind_of_file_is_put_back(shell: str, memory: Memory, etc: Path) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    files = [etc / name for name in ODD]
    for number, path in enumerate(files):
        path.write_bytes(b"before\0\xff" + path.name.encode())
        path.chmod(0o600 + number)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    link = etc / "link"
    link.symlink_to("plain")
    dangling = etc / "dangling"
    dangling.symlink_to("/nowhere/at all")
    new = [etc / "made here" / name / "deep" for name in ODD]
    before = {p: _seen(p) for p in [*files, link, dangling]}
    done = memory.remember(paths=[str(p) for p in [*files, link, dangling, *new]])
    assert done["changed"], done

    for path in files:
        path.unlink()
        path.write_bytes(b"after")
    files[1].unlink()
    files[2].unlink()
    files[2].symlink_to("/etc/passwd")
    files[4].unlink()
    files[4].mkdir()
    link.unlink()
    link.write_text("no link any more")
    dangling.unlink()
    for path in new:
        path.parent.mkdir(parents=True)
        path.write_text("new")

    told = memory.undo("logging", shell=SHELLS[shell])
    assert told.returncode == 0, told.stderr
    assert {p: _seen(p) for p in before} == before
    assert sorted(p.name for p in etc.iterdir()) == sorted([*ODD, "link", "dangling"])


def test_what_was_first_is_kept_however_often_it_is_hardened(memory: Memory, etc: Path) -> None:
    path = etc / "conf"
    path.write_text("the owner's")
    assert memory.remember(paths=[str(path)])["changed"]
    path.write_text("ours")
    assert not memory.remember(paths=[str(path)])["changed"]
    path.write_text("ours again")
    assert memory.remember(paths=[str(path), str(etc / "more")])["remembered"] == [
        f"{etc}/more, not there"
    ]
    assert memory.undo("logging").returncode == 0
    assert path.read_text() == "the owner's"
    # what was put back is forgotten: the next hardening remembers anew
    path.write_text("changed by the owner since")
    assert memory.remember(paths=[str(path)])["changed"]
    path.write_text("ours")
    assert memory.undo("logging").returncode == 0
    assert path.read_text() == "changed by the owner since"


def test_the_target_of_a_link_is_kept_too(memory: Memory, etc: Path) -> None:
    target = etc / "real"
    target.write_text("before")
    link = etc / "link"
    link.symlink_to("real")
    memory.remember(paths=[str(link)])
    target.write_text("written through the link")
    assert memory.undo("logging").returncode == 0
    assert link.is_symlink()
    assert target.read_text() == "before"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_file_of_two_families_goes_back_with_the_later_one(
    shell: str, memory: Memory, etc: Path
) -> None:
    """Whichever is put back first, nothing of the other is lost, and all ends as it was."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    both, own, new, odd = etc / "login.defs", etc / "own", etc / "new", etc / "a b*$(id)"
    for path in (both, own, odd):
        path.write_text("as it was")

    def hardened() -> None:
        memory.remember("intrusion", paths=[str(p) for p in (both, own, new, odd)])
        for path in (both, own, new, odd):
            path.write_text("intrusion")
        time.sleep(0.02)
        memory.remember("encryption", paths=[str(p) for p in (both, new, odd)])
        for path in (both, new, odd):
            path.write_text("intrusion and encryption")

    def now() -> list[str | None]:
        return [p.read_text() if p.exists() else None for p in (both, own, new, odd)]

    first, last = "intrusion", "intrusion and encryption"
    hardened()
    done = memory.undo("intrusion", shell=SHELLS[shell])
    assert done.returncode == 3, done.stderr
    assert f"left for now: {both}, which encryption has changed since" in done.stdout
    assert "put back (1 files" in done.stdout
    assert now() == [last, "as it was", last, last]
    assert "changed nothing since" in memory.undo("intrusion", shell=SHELLS[shell]).stdout
    assert memory.undo("encryption", shell=SHELLS[shell]).returncode == 0
    assert now() == ["as it was", "as it was", None, "as it was"]
    hardened()
    assert memory.undo("encryption", shell=SHELLS[shell]).returncode == 0
    assert now() == [first, first, first, first]
    assert memory.undo("intrusion", shell=SHELLS[shell]).returncode == 0
    assert now() == ["as it was", "as it was", None, "as it was"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_later_family_made_besides_is_not_forgotten(
    shell: str, memory: Memory, etc: Path
) -> None:
    """Of what was not there nothing has a number that tells it from the rest."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    both, *more = (etc / name for name in ("both", "one", "two", "three"))
    memory.remember("intrusion", paths=[str(both)])
    memory.remember("antivirus", paths=[str(path) for path in (*more, both)])
    for path in (*more, both):
        path.write_text("ours")
    assert memory.undo("intrusion", shell=SHELLS[shell]).returncode == 3
    assert all(path.exists() for path in (*more, both))
    done = memory.undo("antivirus", shell=SHELLS[shell])
    assert (done.returncode, "put back (4 files" in done.stdout) == (0, True), done.stdout
    assert not any(path.exists() for path in (*more, both))


@pytest.mark.parametrize("shell", SHELLS)
def test_what_somebody_wrote_after_hardening_is_kept_aside(
    shell: str, memory: Memory, etc: Path
) -> None:
    """What is put back, or taken away, may hold an administrator's work of months."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    conf, same, new, odd = (etc / name for name in ("conf", "same", "new", "a b\nc"))
    link = etc / "link"
    for path in (conf, same, odd):
        path.write_text("before")
    link.symlink_to("conf")
    memory.remember(paths=[str(p) for p in (conf, same, new, odd, link)])
    conf.write_text("ours, and a line of somebody's")
    new.write_text("ours as well")
    odd.write_text("odd")
    link.unlink()
    link.symlink_to("same")

    told = memory.undo("logging", shell=SHELLS[shell])
    assert told.returncode == 0, told.stderr
    assert conf.read_text() == same.read_text() == odd.read_text() == "before"
    assert not new.exists()
    (room,) = (memory.place / ".replaced").iterdir()
    assert f"logging: what stood there before is kept in {room}, named in its list" in told.stdout
    kept = dict(line.split(" ", 1) for line in (room / "list").read_text().splitlines())
    held = {
        name: os.readlink(room / n) if (room / n).is_symlink() else (room / n).read_text()
        for n, name in kept.items()
    }
    assert held == {
        str(conf): "ours, and a line of somebody's",
        str(new): "ours as well",
        str(odd).replace("\n", "?"): "odd",
        str(link): "same",
    }
    # once more, within the same second: nothing of the first is overwritten
    memory.remember(paths=[str(conf)])
    conf.write_text("later")
    assert memory.undo("logging", shell=SHELLS[shell]).returncode == 0
    assert len(list((memory.place / ".replaced").iterdir())) == 2
    assert (room / "list").exists()


def test_an_original_that_one_family_met_and_the_next_one_missed(memory: Memory, etc: Path) -> None:
    """Somebody removed the file between the two: the second takes away what the first put back."""
    both = etc / "both"
    both.write_text("the owner's")
    memory.remember("intrusion", paths=[str(both)])
    both.unlink()
    memory.remember("encryption", paths=[str(both)])
    both.write_text("ours")
    assert memory.undo("intrusion").returncode == 0
    assert both.read_text() == "the owner's"
    assert memory.undo("encryption").returncode == 0
    rooms = sorted((memory.place / ".replaced").iterdir())
    assert "the owner's" in [path.read_text() for room in rooms for path in room.iterdir()]


def test_nothing_that_stood_there_is_kept_where_there_is_no_room(tmp_path: Path, etc: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)):
        pytest.skip("nothing can be mounted here")
    try:
        memory = Memory(disk / "undo")
        conf = etc / "conf"
        conf.write_text("before")
        memory.remember(paths=[str(conf)])
        conf.write_text("after")
        rest = (disk / "rest").open("wb", buffering=0)
        with rest, contextlib.suppress(OSError):
            while rest.write(b"x" * 4096):
                pass
        told = memory.undo("logging")
        assert told.returncode == 0, told.stderr
        assert f"no room to keep what stood there before: {conf}" in told.stdout
        assert conf.read_text() == "before"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_undo_twice_and_undo_of_nothing_are_no_fault(memory: Memory, etc: Path) -> None:
    memory.remember(paths=[str(etc / "x")])
    assert "logging" in memory.undo().stdout
    assert memory.undo("logging").returncode == 0
    twice = memory.undo("logging")
    assert (twice.returncode, twice.stdout) == (
        0,
        "logging: put back already; hostpledge has changed nothing since\n",
    )
    never = memory.undo("firewall")
    assert never.returncode == 0
    assert "changed nothing here" in never.stdout
    assert memory.undo().stdout == "hostpledge has changed nothing here\n"
    for wrong in ("../logging", ".armed", "/etc", "a b", "Logging"):
        assert memory.undo(wrong).returncode == 2, wrong


def test_files_of_others_in_a_folder_of_ours_stay(memory: Memory, etc: Path) -> None:
    memory.remember(paths=[str(etc / "ours" / "file")])
    (etc / "ours").mkdir()
    (etc / "ours" / "file").write_text("")
    (etc / "ours" / "backup").write_text("somebody's")
    told = memory.undo("logging")
    assert told.returncode == 0
    assert f"left, not empty: {etc}/ours" in told.stdout
    assert [p.name for p in (etc / "ours").iterdir()] == ["backup"]


def test_of_folders_and_logs_only_the_mode_is_put_back(memory: Memory, etc: Path) -> None:
    log = etc / "auth.log"
    log.write_text("one\n")
    log.chmod(0o644)
    etc.chmod(0o755)
    memory.remember(paths=[str(etc)], attributes=[str(log), str(etc / "rotated-away")])
    log.write_text("one\ntwo\n")
    log.chmod(0o600)
    etc.chmod(0o700)
    assert memory.undo("logging").returncode == 0
    assert log.read_text() == "one\ntwo\n"
    assert log.stat().st_mode & 0o777 == 0o644
    assert etc.stat().st_mode & 0o777 == 0o755


def test_an_access_list_of_a_file_is_put_back(memory: Memory, etc: Path) -> None:
    name = "system.posix_acl_access"
    entries = [(1, 6, -1), (2, 6, 1234), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
    wanted = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    path = etc / "file"
    path.write_text("before")
    try:
        os.setxattr(path, name, wanted)
    except OSError:
        pytest.skip("this file system keeps no access lists")
    memory.remember(paths=[str(path)])
    path.unlink()
    path.write_text("after")
    assert memory.undo("logging").returncode == 0
    assert os.getxattr(path, name) == wanted


def test_commands_run_once_after_the_files_are_back(memory: Memory, etc: Path) -> None:
    path, seen = etc / "conf", etc / "seen"
    path.write_text("before")
    memory.remember(paths=[str(path)], after=[f"cat '{path}' >>'{seen}'; echo \\\\ >>'{seen}'"])
    memory.remember(after=[f"echo last >>'{seen}'"])
    path.write_text("after")
    assert memory.undo("logging").returncode == 0
    assert seen.read_text() == "before\\\nlast\n"


def test_a_command_that_fails_is_told_and_can_be_repeated(memory: Memory, etc: Path) -> None:
    memory.remember(paths=[str(etc / "x")], after=[f"test -e '{etc}/mended'"])
    told = memory.undo("logging")
    assert told.returncode == 1
    assert "not put back" in told.stderr
    (etc / "mended").touch()
    assert memory.undo("logging").returncode == 0


def test_check_mode_writes_nothing(memory: Memory, etc: Path) -> None:
    done = memory.remember(paths=[str(etc / "x")], check=True)
    assert not done["changed"]
    assert not memory.place.exists()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("relative", "no absolute path"),
        ("/", "nothing that can be kept"),
        ("/proc/cmdline", "nothing that can be kept"),
        ("/etc/../dev/null", "nothing that can be kept"),
    ],
)
def test_what_cannot_be_kept_is_refused(path: str, why: str, memory: Memory) -> None:
    done = memory.remember(paths=[path])
    assert done["failed"]
    assert why in done["msg"]
    assert not (memory.place / "logging" / "manifest").exists()


def test_a_pipe_or_a_huge_file_is_refused_whole(memory: Memory, etc: Path) -> None:
    os.mkfifo(etc / "pipe")
    (etc / "small").write_text("x")
    assert "neither a file" in memory.remember(paths=[str(etc / "small"), str(etc / "pipe")])["msg"]
    with (etc / "huge").open("wb") as stream:
        stream.truncate(100 << 20)
    assert "100 MiB" in memory.remember(paths=[str(etc / "huge")])["msg"]
    assert not list((memory.place / "logging").glob("kept/*"))


def test_a_full_disk_stops_the_change_with_one_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)):
        pytest.skip("nothing can be mounted here")
    try:
        memory = Memory(disk / "undo")
        big = tmp_path / "big"
        big.write_bytes(os.urandom(100_000))
        small = tmp_path / "small"
        small.write_text("before")
        assert memory.remember(paths=[str(small)])["changed"]
        before = memory.manifest()
        done = memory.remember(paths=[str(big)])
        assert done["failed"]
        assert "cannot be kept, so it is not changed" in done["msg"]
        assert memory.manifest() == before
        small.write_text("after")
        assert memory.undo("logging").returncode == 0
        assert small.read_text() == "before"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_read_only_place_stops_the_change_with_one_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)):
        pytest.skip("nothing can be mounted here")
    try:
        done = Memory(disk / "undo").remember(paths=["/etc/hostname"])
        assert done["failed"]
        assert "read-only file system" in done["msg"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_cannot_be_written_stops_the_change_with_one_line(
    memory: Memory, etc: Path
) -> None:
    """By a mount, by chattr +i, in a folder where nothing can be made; what is kept may freeze."""
    one, two = etc / "one", etc / "two"
    one.write_text("before")
    two.write_text("before")
    if os.geteuid() != 0 or _mount("--bind", str(one), str(one)):
        pytest.skip("nothing can be mounted here")
    try:
        _mount("-o", "remount,bind,ro", str(one))
        for check in (True, False):
            done = memory.remember(paths=[str(two), str(one)], check=check)
            assert done["failed"]
            assert f"{one} is read-only" in done["msg"]
            assert "\n" not in done["msg"]
            assert done["barred"]
            # where nothing has to be written, the others are kept all the same
            spared = Memory(memory.place.with_name("spared")).remember(
                paths=[str(two), str(one)], spare=True, check=check
            )
            assert spared["remembered"] == ([] if check else [str(two)])
        assert not (memory.place / "logging" / "manifest").exists()
    finally:
        subprocess.run(["umount", str(one)], check=True)
    memory.remember(paths=[str(one)])
    _mount("--bind", str(etc), str(etc))
    try:
        _mount("-o", "remount,bind,ro", str(etc))
        assert memory.remember(paths=[str(one)])["remembered"] == []
        assert f"{etc} is read-only" in memory.remember(paths=[str(etc / "new" / "file")])["msg"]
    finally:
        subprocess.run(["umount", str(etc)], check=True)
    if subprocess.run(["chattr", "+i", str(two)], check=False, capture_output=True).returncode:
        return
    try:
        assert f"{two} is read-only" in memory.remember(paths=[str(two)])["msg"]
    finally:
        subprocess.run(["chattr", "-i", str(two)], check=True)


def test_a_file_that_is_a_mount_is_put_back_in_place(memory: Memory, etc: Path) -> None:
    inner, outer = etc / "inner", etc / "outer"
    inner.write_text("before")
    outer.write_text("")
    if os.geteuid() != 0 or _mount("--bind", str(inner), str(outer)):
        pytest.skip("nothing can be mounted here")
    try:
        memory.remember(paths=[str(outer)])
        outer.write_text("after")
        told = memory.undo("logging")
        assert told.returncode == 0, told.stderr
        assert outer.read_text() == "before"
    finally:
        subprocess.run(["umount", str(outer)], check=True)


def test_a_read_only_file_is_told_and_the_rest_is_put_back(memory: Memory, etc: Path) -> None:
    one, two, three = (etc / name / "conf" for name in ("one", "two", "three"))
    for path in (one, two, three):
        path.parent.mkdir()
        path.write_text("before")
    memory.remember(paths=[str(p) for p in (one, two, three)])
    for path in (one, two, three):
        path.write_text("after")
    held = str(two.parent)
    if os.geteuid() != 0 or _mount("--bind", held, held):
        pytest.skip("nothing can be mounted here")
    try:
        _mount("-o", "remount,bind,ro", held)
        told = memory.undo("logging")
        assert told.returncode == 1
        assert f"not put back: {two}" in told.stderr
        assert [p.read_text() for p in (one, two, three)] == ["before", "after", "before"]
    finally:
        subprocess.run(["umount", held], check=True)
    assert memory.undo("logging").returncode == 0
    assert two.read_text() == "before"


def _mount(*words: str) -> int:
    return subprocess.run(["mount", *words], check=False, capture_output=True).returncode


def test_a_lost_copy_is_seen_before_anything_is_touched(memory: Memory, etc: Path) -> None:
    one, two = etc / "one", etc / "two"
    one.write_text("before")
    two.write_text("before")
    memory.remember(paths=[str(one), str(two)])
    one.write_text("after")
    (memory.place / "logging" / "kept" / "0002").unlink()
    told = memory.undo("logging")
    assert told.returncode == 1
    assert "its copy is lost" in told.stderr
    assert one.read_text() == "after"


def test_undo_killed_in_the_middle_is_done_by_the_next(memory: Memory, etc: Path) -> None:
    files = [etc / f"file{n}" for n in range(25)]
    for path in files:
        path.write_text("before")
    memory.remember(paths=[str(p) for p in files])
    for turn in range(4):
        for path in files:
            path.write_text("after")
        running = subprocess.Popen(["sh", str(memory.place / "undo.sh"), "logging"])
        time.sleep(0.01 + 0.02 * turn)
        running.kill()
        running.wait()
        # each file is whole at any moment
        assert {p.read_text() for p in files} <= {"before", "after"}
        if not (memory.place / "logging").exists():
            memory.remember(paths=[str(p) for p in files])
            continue
        assert memory.undo("logging").returncode == 0
        assert {p.read_text() for p in files} == {"before"}
        memory.remember(paths=[str(p) for p in files])


def test_it_is_there_for_root_alone(memory: Memory, etc: Path) -> None:
    secret = etc / "shadow"
    secret.write_text("secret")
    secret.chmod(0o644)
    memory.remember(paths=[str(secret)])
    for folder in (memory.place, memory.place / "logging", memory.place / "logging" / "kept"):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "path", [*(ROLE / "library").glob("*.py"), *(ROLE / "module_utils").glob("*.py")]
)
def test_it_is_python_of_old_hosts(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


def test_a_unit_is_asked_in_plain_words(
    memory: Memory, etc: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Units are tested on real hosts; here, what a systemctl that cannot tell leads to."""
    tools = tmp_path / "bin"
    tools.mkdir()
    tool = tools / "systemctl"
    tool.write_text('#!/bin/sh\necho "Failed to connect to bus" >&2\nexit 1\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    memory.remember(units=["rsyslog"])
    assert "unit - unknown unknown rsyslog.service" in memory.manifest()


def test_the_timer_fires_once_and_only_for_who_armed_it(memory: Memory, etc: Path) -> None:
    path = etc / "conf"
    path.write_text("before")
    first = memory.arm("firewall", "aa11", 5, paths=[str(path)])
    assert first["timer"] in ("systemd-run", "at", "a background shell")
    path.write_text("after")
    second = memory.arm("firewall", "bb22", 5, paths=[str(path)])
    assert "another run is changing this" in second["msg"]
    last = time.monotonic() + 30
    while path.read_text() != "before" and time.monotonic() < last:
        time.sleep(0.1)
    assert path.read_text() == "before"
    time.sleep(0.3)
    assert (memory.undo("--disarm", "firewall", "aa11").stdout) == "rolled back already\n"

    path.write_text("changed by the next run")
    assert memory.arm("firewall", "cc33", 5, paths=[str(path)])["left_over"] == []
    path.write_text("and changed again")
    assert memory.undo("--disarm", "firewall", "aa11").returncode == 3
    assert memory.undo("--disarm", "firewall", "cc33").stdout == "disarmed\n"
    time.sleep(5.5)
    assert path.read_text() == "and changed again"
    assert list((memory.place / ".armed").iterdir()) == []


def test_what_a_restart_or_a_lost_timer_left_is_told(memory: Memory, etc: Path) -> None:
    path = etc / "conf"
    path.write_text("before")
    state = memory.place / ".armed" / "firewall"
    for until, said, left in (
        (f"another-boot {int(time.time()) + 50}", "is still there", "after"),
        ("{boot} 1000", "it is put back now", "before"),
    ):
        path.write_text("before")
        memory.arm("firewall", "dd44", 20, paths=[str(path)])
        boot = (state / "until").read_text().split()[0]
        (state / "until").write_text(until.format(boot=boot) + "\n")
        path.write_text("after")
        done = memory.arm("firewall", "ee55", 20, paths=[str(path)])
        assert said in done["left_over"][0]
        assert path.read_text() == left
        memory.undo("--abandon", "firewall", "ee55")
