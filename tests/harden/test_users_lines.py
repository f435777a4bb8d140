"""A line is set in the settings of a service that owns their folder, and in no other file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harden.remembering import Memory, lined
from tests.harden.users import UID, swapping

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="wants root and a user")
_BIND = (r"^\s*bind\s", "bind 127.0.0.1")
_LISTEN = (r"^\s*listen_addresses\s*=", "listen_addresses = 'localhost'")


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hp-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def conf(place: Path) -> Path:
    """The settings of a service, in its own folder."""
    file = place / "redis" / "redis.conf"
    file.parent.mkdir(mode=0o755)
    file.write_bytes(b"# 0.0.0.0\nbind 0.0.0.0\nport \xff\n")
    file.chmod(0o640)
    for path in (file.parent, file):
        os.chown(path, UID, UID + 1)
    return file


@pytest.fixture
def other(place: Path) -> Path:
    file = place / "shadow"
    file.write_text("root::")
    return file


def test_the_line_is_set_and_all_else_stays(conf: Path) -> None:
    os.setxattr(conf, "user.mark", b"kept")
    ahead = lined(conf, *_BIND, _ansible_check_mode=True)
    assert (ahead["changed"], conf.read_bytes()[:4]) == (True, b"# 0.")
    told = lined(conf, *_BIND)
    assert (told["changed"], told["file"]) == (True, str(conf))
    assert conf.read_bytes() == b"# 0.0.0.0\nbind 127.0.0.1\nport \xff\n"
    seen = conf.stat()
    assert (seen.st_mode & 0o7777, seen.st_uid, seen.st_gid) == (0o640, UID, UID + 1)
    assert os.getxattr(conf, "user.mark") == b"kept"
    assert [p.name for p in conf.parent.iterdir()] == ["redis.conf"]
    assert not lined(conf, *_BIND)["changed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a", "a\nlisten_addresses = 'localhost'\n"),
        ("#listen_addresses = '*'\nb\n",
         "#listen_addresses = '*'\nlisten_addresses = 'localhost'\nb\n"),
        ("listen_addresses = 'x'\nlisten_addresses='*'\nb\n",
         "listen_addresses = 'x'\nlisten_addresses = 'localhost'\nb\n"),
        ("a\x0bb\u2028c\n", "a\x0bb\u2028c\nlisten_addresses = 'localhost'\n"),
    ],
)  # fmt: skip
def test_where_the_line_goes(before: str, after: str, conf: Path) -> None:
    conf.write_text(before)
    lined(conf, *_LISTEN, insertafter=r"^#\s*listen_addresses\s*=")
    assert conf.read_text() == after


def test_no_file_that_a_link_leads_to_is_written(conf: Path, other: Path) -> None:
    conf.unlink()
    conf.symlink_to(other)
    told = lined(conf, *_BIND)
    assert told["failed"]
    assert "is a link in the reach of a user" in told["msg"]
    conf.unlink()
    os.link(other, conf)
    assert "2 names" in lined(conf, *_BIND)["msg"]
    conf.unlink()
    os.mkfifo(conf)
    assert "is no file" in lined(conf, *_BIND)["msg"]
    assert other.read_text() == "root::"


def test_links_of_roots_are_followed(conf: Path, place: Path) -> None:
    """The old name of the file is kept, and is a link before and after."""
    link = place / "redis.conf"
    link.symlink_to("redis/redis.conf")
    memory = Memory(place / "undo")
    memory.remember(paths=[str(link)])
    before = conf.read_bytes()
    assert lined(link, *_BIND)["file"] == str(conf)
    assert link.is_symlink()
    assert memory.undo("logging").returncode == 0
    assert (link.is_symlink(), conf.read_bytes(), conf.stat().st_uid) == (True, before, UID)


def test_what_a_link_of_roots_leads_to_is_kept_as_it_lies(
    conf: Path, place: Path, other: Path
) -> None:
    """Behind it the service has laid a link of its own."""
    link = place / "redis.conf"
    link.symlink_to("redis/redis.conf")
    conf.unlink()
    conf.symlink_to(other)
    told = Memory(place / "undo").remember(paths=[str(link)])
    assert "is a link in the reach of a user" in told["msg"]


def test_while_he_swaps(conf: Path, other: Path) -> None:
    link = conf.with_name("link")
    link.symlink_to(other)
    os.chown(link, UID, UID, follow_symlinks=False)
    with swapping(conf, link):
        for turn in range(300):
            lined(conf, _BIND[0], f"bind 127.0.0.{turn % 9}")
    assert other.read_text() == "root::"
