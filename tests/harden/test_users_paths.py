"""What lies where a user can put something else in its place gains him nothing, at no moment."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harden.remembering import SHELLS, Memory, narrowed
from tests.harden.users import UID, as_user, swapping

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="wants root and a user")
_OLDER = "attributes - 0666 {uid}:{uid} {path}\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter: those of pytest are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="hp-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def memory(place: Path) -> Memory:
    return Memory(place / "undo")


@pytest.fixture
def his(place: Path) -> Path:
    """A folder of his with a file of his that everybody may write."""
    for folder in (place / "his", place / "his" / "sub"):
        folder.mkdir()
        os.chown(folder, UID, UID)
    file = place / "his" / "sub" / "shadow"
    file.write_text("log")
    os.chown(file, UID, UID)
    file.chmod(0o666)
    return file


@pytest.fixture
def roots(place: Path) -> Path:
    """A file of root's, of the same name in a folder of root's."""
    (place / "etc").mkdir(mode=0o755)
    file = place / "etc" / "shadow"
    file.write_text("secret")
    file.chmod(0o600)
    return file


def _as(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return stat.S_IMODE(seen.st_mode), seen.st_uid


def _led_away(his: Path, roots: Path) -> None:
    his.parent.rename(his.parent.with_name("was"))
    his.parent.symlink_to(roots.parent)


@pytest.mark.parametrize("shell", SHELLS)
def test_undo_gives_no_file_of_roots_away(
    shell: str, memory: Memory, his: Path, roots: Path
) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    memory.remember(attributes=[str(his)])
    his.chmod(0o644)
    _led_away(his, roots)
    done = memory.undo("logging", shell=SHELLS[shell])
    assert (done.returncode, done.stderr) == (0, "")
    assert _as(roots) == (0o600, 0)
    told, put = done.stdout.splitlines()
    assert told.startswith(f"left as it is, for a user could have led us elsewhere: {his}: ")
    assert told.endswith(f"it had 0666 {UID}:{UID}")
    assert "put back (0 files" in put


@pytest.mark.parametrize("shell", SHELLS)
def test_his_own_gets_its_mode_back(shell: str, memory: Memory, his: Path) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    own = his.with_name("own")
    own.mkdir()
    os.chown(own, UID, UID)
    own.chmod(0o777)
    memory.remember(attributes=[str(his), str(own)])
    his.chmod(0o640)
    own.chmod(0o750)
    done = memory.undo("logging", shell=SHELLS[shell])
    assert (done.returncode, done.stderr) == (0, "")
    assert (_as(his), _as(own)) == ((0o666, UID), (0o777, UID))
    assert sorted(p.name for p in his.parent.iterdir()) == ["own", "shadow"]
    assert his.stat().st_nlink == 1


def test_undo_of_another_file_of_the_name_is_left(memory: Memory, his: Path, roots: Path) -> None:
    memory.remember(attributes=[str(his)])
    his.chmod(0o644)
    his.rename(his.with_name("was"))
    os.link(roots, his)
    assert "left as it is" in memory.undo("logging").stdout
    assert _as(roots) == (0o600, 0)
    # the inode alone says nothing: a file that is gone leaves its number to another
    again = Memory(memory.place.with_name("again"))
    mine = his.with_name("mine")
    mine.write_text("root's")
    mine.chmod(0o4755)
    again.remember(attributes=[str(mine)])
    os.chown(mine, UID, UID)
    mine.chmod(0o755)
    assert "left as it is" in again.undo("logging").stdout
    assert _as(mine) == (0o755, UID)


def test_undo_of_what_an_older_version_kept_is_left(memory: Memory, his: Path, roots: Path) -> None:
    memory.remember(attributes=[str(roots)])
    manifest = memory.place / "logging" / "manifest"
    head = manifest.read_text().splitlines()[0]
    manifest.write_text(f"{head}\n{_OLDER.format(uid=UID, path=his)}")
    his.chmod(0o644)
    assert "left as it is" in memory.undo("logging").stdout
    assert _as(his) == (0o644, UID)


@pytest.mark.parametrize("shell", SHELLS)
def test_undo_while_he_swaps(shell: str, memory: Memory, his: Path, roots: Path) -> None:
    """His folder is his, and a link, by turns, faster than anybody looks."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not there")
    new, kept = his.with_name("new"), his.with_name("kept")
    kept.write_text("kept")
    os.chown(kept, UID, UID)
    for name in ("new", "kept"):
        (roots.parent / name).write_text("root's")
    link = his.parent.with_name("link")
    link.symlink_to(roots.parent)
    os.chown(link, UID, UID, follow_symlinks=False)
    for _ in range(4):
        memory.remember(attributes=[str(his)], paths=[str(new), str(kept)])
        with swapping(his.parent, link):
            for _turn in range(4):
                assert memory.undo("logging", shell=SHELLS[shell]).returncode == 0
                (memory.place / "logging.undone").rename(memory.place / "logging")
        shutil.rmtree(memory.place)
        if his.parent.is_symlink():
            his.parent.rename(his.parent.with_name("x"))
            link.rename(his.parent)
            his.parent.with_name("x").rename(link)
        assert _as(roots) == (0o600, 0)
        assert sorted(p.name for p in roots.parent.iterdir()) == ["kept", "new", "shadow"]
        assert {p.read_text() for p in roots.parent.iterdir()} == {"secret", "root's"}


def test_undo_of_files_follows_no_link_of_his(memory: Memory, his: Path, roots: Path) -> None:
    """What he made absent, or another file, is neither made nor removed elsewhere."""
    made, file = his.with_name("made"), his.with_name("file")
    file.write_text("his")
    os.chown(file, UID, UID)
    memory.remember(paths=[str(made), str(file), str(his.parent)])
    for name in ("made", "file"):
        (roots.parent / name).write_text("root's")
    roots.parent.chmod(0o700)
    _led_away(his, roots)
    done = memory.undo("logging")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("left as it is") == 3
    assert (roots.parent / "made").read_text() == (roots.parent / "file").read_text() == "root's"
    assert _as(roots.parent) == (0o700, 0)


def test_his_files_are_put_back_where_they_are(memory: Memory, his: Path) -> None:
    made, odd = his.with_name("made"), his.with_name("a\nb")
    odd.write_text("before")
    os.chown(odd, UID, UID)
    memory.remember(paths=[str(made), str(odd), str(his)])
    made.write_text("new")
    odd.write_text("after")
    his.unlink()
    done = memory.undo("logging")
    assert (done.returncode, done.stderr) == (0, "")
    assert "left" not in done.stdout
    assert (odd.read_text(), his.read_text(), made.exists()) == ("before", "log", False)
    assert _as(his) == (0o666, UID)


def test_a_name_of_several_lines_is_said_in_one(memory: Memory, his: Path) -> None:
    odd = his.with_name("x\nlogging: put back (9 files, 0 services)")
    odd.write_text("")
    memory.remember(attributes=[str(odd)])
    his.parent.rename(his.parent.with_name("was"))
    his.parent.symlink_to("was")
    assert len(memory.undo("logging").stdout.splitlines()) == 2


def test_remember_follows_no_link_of_his(memory: Memory, his: Path, roots: Path) -> None:
    _led_away(his, roots)
    done = memory.remember(attributes=[str(his)])
    assert (done["things"], done["remembered"]) == ({}, [])
    assert f"{his.parent} is a link in the reach of a user" in done["left"][0]
    for path in (his, his.parent):
        refused = memory.remember(paths=[str(path)])
        assert refused["failed"]
        assert "in the reach of a user" in refused["msg"]
    assert not list((memory.place / "logging").glob("kept/*"))


def test_links_of_roots_are_followed_as_ever(memory: Memory, place: Path) -> None:
    (place / "disk").mkdir()
    log = place / "disk" / "auth.log"
    log.write_text("one")
    log.chmod(0o644)
    (place / "log").symlink_to("disk")
    path = str(place / "log" / "auth.log")
    done = memory.remember(attributes=[path])
    told = narrowed([{"path": path, "most": "0640"}], done["things"])
    assert (told["left"], _as(log)) == ([], (0o640, 0))
    assert memory.undo("logging").returncode == 0
    assert _as(log) == (0o644, 0)


def _narrow(memory: Memory, *files: dict[str, Any], **more: Any) -> Any:
    done = memory.remember(attributes=[file["path"] for file in files])
    return narrowed(list(files), done["things"], **more)


def test_narrow_takes_away_and_gives_nothing(memory: Memory, his: Path) -> None:
    wish = {"path": str(his), "most": "0751"}
    ahead = _narrow(memory, wish, check=True)
    assert (ahead["changed"], _as(his)) == (True, (0o666, UID))
    told = _narrow(memory, wish)
    assert told["narrowed"] == [f"0640 {UID} {his}"]
    assert (told["changed"], _as(his)) == (True, (0o640, UID))
    assert not _narrow(memory, wish)["changed"]


def test_narrow_changes_no_file_of_roots(memory: Memory, his: Path, roots: Path) -> None:
    roots.chmod(0o644)
    wish = {"path": str(his), "most": "0640"}
    things = memory.remember(attributes=[str(his)])["things"]
    as_user("import os, sys; os.unlink(sys.argv[1]); os.symlink(*sys.argv[2:0:-1])",
            str(his), str(roots))  # fmt: skip
    (said,) = narrowed([wish], things)["left"]
    assert "is a link in the reach of a user" in said
    his.unlink()
    os.link(roots, his)
    (said,) = narrowed([wish], things)["left"]
    assert "2 names" in said
    assert _narrow(memory, wish)["left"] == []
    his.unlink()
    _led_away(his, roots)
    (said,) = narrowed([wish], things)["left"]
    assert "is a link in the reach of a user" in said
    assert _as(roots) == (0o644, 0)


def test_narrow_changes_the_file_that_was_seen(memory: Memory, his: Path) -> None:
    things = memory.remember(attributes=[str(his)])["things"]
    his.rename(his.with_name("was"))
    his.write_text("another")
    his.chmod(0o666)
    (said,) = narrowed([{"path": str(his), "most": "0640"}], things)["left"]
    assert said == f"{his} is another file than was looked at"
    assert _as(his)[0] == 0o666


def test_narrow_while_he_swaps(memory: Memory, his: Path, roots: Path) -> None:
    roots.chmod(0o644)
    link = his.parent.with_name("link")
    link.symlink_to(roots.parent)
    os.chown(link, UID, UID, follow_symlinks=False)
    with swapping(his.parent, link):
        for _ in range(300):
            _narrow(memory, {"path": str(his), "most": "0600"})
    assert _as(roots) == (0o644, 0)


def test_narrow_gives_root_nothing_of_his(memory: Memory, his: Path, roots: Path) -> None:
    os.chown(roots, UID, UID)
    wishes = [{"path": str(path), "most": "0600", "owner": "root"} for path in (his, roots)]
    (said,) = _narrow(memory, *wishes)["left"]
    assert said.startswith(f"{his} is not given to root: ")
    assert (_as(his), _as(roots)) == ((0o666, UID), (0o600, 0))
