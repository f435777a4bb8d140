"""A user's own file system (FUSE): what it says of owners is his word, and nobody waits for it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.base.opened import OPENED
from collector.model import HostStatus, Read, ReadStatus, Text, shell
from tests import fuse_of_a_user
from tests.mallory import SECRET, Host, can_be_made
from tests.test_script import SHELLS

pytestmark = pytest.mark.skipif(
    not can_be_made() or not os.access("/dev/fuse", os.W_OK), reason="needs root, unshare, FUSE"
)
_BORG = catalog.all_reads()["backup_named.borg"]
_MINE = "/home/mallory/.config/borg/security/*/location"
_PATH = "/home/mallory/.config/borg/security/abcd/location"
# as a body of a read says it
_OWN = shell(
    "t.own",
    f"""{OPENED}hp_can {_PATH} && echo can; hp_by {_PATH} cat
hp_reach {_PATH}; printf 'reach %s\\n' "$R"
hp_pour '= ' '|' {_PATH}; hp_names hp-secret {_PATH}; hp_first {_PATH}; printf '%s\\n' "$h_l"; :""",
    why=Text("", ""),
)
_SLOW = shell("t.slow", "ls /home/mallory/x", seconds=2, why=Text("", ""))
_LAST = shell("t.last", "echo last", why=Text("", ""))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "host")
    made.as_root = True
    made.folder("/home/ann/.config/borg/security/ef01")
    made.write("/home/ann/.config/borg/security/ef01/location", "ssh://ann@nas/./r\n")
    return made


def _serves(host: Host, *more: str) -> list[str]:
    """Mallory's mount over his home, and a shell that begins when it is there."""
    server = Path(fuse_of_a_user.__file__)
    words = (sys.executable, str(server), "/home/mallory", "/root/secret", *more)
    host.started.append("exec " + " ".join(words))
    wait = "until grep -q ' /home/mallory .* fuse' /proc/self/mountinfo; do sleep 0.1; done"
    return ["sh", "-c", f'{wait}; exec "$@"', "sh"]


@pytest.mark.parametrize("name", SHELLS)
def test_nothing_is_roots_there(host: Host, name: str) -> None:
    waits = _serves(host)
    said, capture = host.collected([*waits, *SHELLS[name]], [_BORG, _OWN])
    assert capture.status is HostStatus.COMPLETE
    assert SECRET.encode() not in said
    own = capture.read("t.own")
    assert own.stdout == b"reach -\n\n"
    assert "in the reach of a user" in own.stderr
    files = {file.path: file for file in capture.read(_BORG.id).files}
    assert files.keys() >= {_MINE, "/home/ann/.config/borg/security/ef01/location"}
    with pytest.raises(CouldNotLook):
        files[_MINE].text(_BORG.id)


@pytest.mark.parametrize("name", SHELLS)
def test_nobody_waits_for_one_that_does_not_answer(host: Host, name: str) -> None:
    waits = _serves(host, "silent")
    began = time.monotonic()
    reads: list[Read] = [_BORG, _LAST, _SLOW]
    _, capture = host.collected([*waits, *SHELLS[name]], reads)
    assert time.monotonic() - began < 30
    assert capture.status is HostStatus.COMPLETE
    assert capture.read("t.last").stdout == b"last\n"
    assert capture.read("t.slow").status is ReadStatus.TIMEOUT
    found = capture.read(_BORG.id)
    assert found.status is ReadStatus.OK
    assert {file.path: file.status for file in found.files}[_MINE] is ReadStatus.REFUSED


def test_a_mount_of_roots_is_looked_at(host: Host) -> None:
    """A bind mount, and what lies below it."""
    body = f'{OPENED}hp_reach /home/ann/x; printf \'%s.%s\\n\' "$R" "$HP_FUSE"'
    assert host.ran("dash", "-c", body) == b".:\n"
