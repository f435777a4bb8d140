"""Whom the keys in a file let in: the real sshd says so too."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.facts.access.login_keys import key_files, key_holders
from collector.facts.access.sshd_effective import READS
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.test_script import SHELLS

USER, UID, PORT = "games", 5, 22622
_NEEDED = ("sshd", "ssh", "ssh-keygen", "unshare", "setpriv")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, _NEEDED)), reason="needs sshd, and root"
)
_BODY = next(r.body for r in READS if r.id == "sshd.keys")
# what is written, who owns the file, modes of file, folder and home; does sshd give a shell; what
# the read makes of it: keys, of these free ones, state
_FILES = {
    "key": ("{key}", UID, 0o600, 0o700, 0o755, True, (1, 1, "ok")),
    "two": ("# mine\n\n{key}ssh-rsa !\n", UID, 0o644, 0o755, 0o755, True, (1, 1, "ok")),
    "comment": ("# {key}", UID, 0o600, 0o700, 0o755, False, (0, 0, "ok")),
    "words": ("nothing to see\n", UID, 0o600, 0o700, 0o755, False, (0, 0, "ok")),
    "options": ('no-pty,from="127.0.0.0/8" {key}', UID, 0o600, 0o700, 0o755, True, (1, 1, "ok")),
    "command": ('command="echo no; exit 1" {key}', UID, 0o600, 0o700, 0o755, False, (1, 0, "ok")),
    "gone": ('expiry-time="20200101" {key}', UID, 0o600, 0o700, 0o755, False, (1, 0, "ok")),
    "authority": ("cert-authority {key}", UID, 0o600, 0o700, 0o755, False, (1, 0, "ok")),
    "roots": ("{key}", 0, 0o644, 0o755, 0o755, True, (1, 1, "ok")),
    "hidden": ("{key}", 0, 0o600, 0o755, 0o755, False, (0, 0, "unread")),
    "another's": ("{key}", 6, 0o644, 0o755, 0o755, False, (1, 1, "loose")),
    "open": ("{key}", UID, 0o666, 0o700, 0o755, False, (1, 1, "loose")),
    "open folder": ("{key}", UID, 0o600, 0o777, 0o755, False, (1, 1, "loose")),
    "open home": ("{key}", UID, 0o600, 0o700, 0o777, False, (1, 1, "loose")),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    """Where the user may come, unlike the folder of a test."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o755)
    for name in ("key", "host"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", place / name], check=True)
    (place / "passwd").write_text(
        f"root:x:0:0::/root:/bin/sh\nsshd:x:74:65534::/run/sshd:/usr/sbin/nologin\n"
        f"{USER}:x:{UID}:60::{place}/home:/bin/sh\n",
        encoding="utf-8",
    )
    (place / "shadow").write_text(f"{USER}:*:20000::::::\n", encoding="utf-8")
    (place / "config").write_text(
        f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {place}/host\nUsePAM no\nPidFile none\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
        encoding="utf-8",
    )
    yield place
    shutil.rmtree(place)


def _home(lab: Path, name: str) -> None:
    text, owner, mode, folder, home, *_ = _FILES[name]
    shutil.rmtree(lab / "home", ignore_errors=True)
    keys = lab / "home/.ssh/authorized_keys"
    keys.parent.mkdir(parents=True)
    keys.write_text(text.format(key=(lab / "key.pub").read_text(encoding="utf-8")))
    for path, uid, bits in (
        (keys, owner, mode),
        (keys.parent, UID, folder),
        (lab / "home", UID, home),
    ):
        os.chown(path, uid, 60)
        path.chmod(bits)


def _within(lab: Path, script: str, *argv: str) -> str:
    mounts = f"mount --bind {lab}/passwd /etc/passwd && mount --bind {lab}/shadow /etc/shadow"
    run = f"{mounts} && mount -t tmpfs none /run && mkdir /run/sshd && {script}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", run, *argv],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("name", _FILES)
def test_as_sshd_has_it(lab: Path, name: str) -> None:
    *_, enters, told = _FILES[name]
    _home(lab, name)
    said = _within(
        lab,
        f"$(command -v sshd) -D -f {lab}/config & p=$!\n"
        "for i in 1 2 3 4 5 6 7 8; do\n"
        f"  ssh -F none -p {PORT} -i {lab}/key -o BatchMode=yes -o StrictHostKeyChecking=no"
        f" -o UserKnownHostsFile=/dev/null {USER}@127.0.0.1 'echo in $USER' 2>{lab}/why\n"
        f"  grep -q refused {lab}/why || break\n  sleep 0.3\ndone\nkill $p",
    )
    assert (f"in {USER}" in said) is enters, (lab / "why").read_text()
    for shell in SHELLS.values():
        if shutil.which(shell[0]) is None:
            continue
        (lab / "body").write_text(_BODY, encoding="utf-8")
        seen = _within(lab, f"{' '.join(shell)} {lab}/body").encode()
        read = ReadResult("sshd.keys", ReadStatus.OK, stdout=seen)
        capture = Capture("h", HostStatus.COMPLETE, reads={read.id: read})
        (file,) = [f for f in key_files(capture) if f.account == USER]
        assert (file.keys, file.free, file.state) == told
        assert file.opens(strict=True) is enters
        assert (USER in key_holders(capture)) is (told[0] > 0 or told[2] == "unread")
