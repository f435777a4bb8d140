"""A test host with a user who wants what only root may read: folders of a lab in place of the real.

Root runs the collector there; mallory has a home, a crontab and folders that are his, and knows
where root keeps SECRET. What he lays there he may also lay there while the collector runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.model import Capture, Read
from collector.script import collector_script, parse_output, with_nonce

SECRET = "hp-secret-of-root-9f2c"
UID = 12345
NONCE = "0123456789abcdef0123456789abcdef"
_AS_MALLORY = "setpriv --reuid=12345 --regid=12345 --clear-groups"
_START = """
lab=$1; as=$2; shift 2
while IFS= read -r line <&7; do
  (cd /home/mallory && exec $as sh -c "$line") 7<&- </dev/null >/dev/null 2>&1 &
done 7<"$lab/started"
[ -s "$lab/started" ] && sleep 0.4
"$@"
"""
PLACES = ("home", "root", "srv", "opt", "var/log", "var/spool", "var/lib", "var/www")
_MOUNT = """
lab=$1; shift
for p in home root srv opt var/log var/spool var/lib var/www; do
  mkdir -p "/$p"; mount --bind "$lab/$p" "/$p" || exit 99
done
for f in passwd group; do mount --bind "$lab/etc/$f" "/etc/$f" || exit 99; done
for d in $(cd "$lab/etc" && echo */); do
  [ -d "$lab/etc/$d" ] || continue
  mkdir -p "/etc/$d"; mount --bind "$lab/etc/$d" "/etc/$d" || exit 99
done
while IFS= read -r f <&7; do mount --bind /bin/false "$f" || exit 99; done 7<"$lab/without"
exec "$@"
"""


def can_be_made() -> bool:
    """Whether this machine can hold such a host: root, and the tools."""
    return os.geteuid() == 0 and all(map(shutil.which, ("unshare", "setpriv", "setsid")))


_FLIP = """
import os, sys
path, *made = sys.argv[1:]
os.setgid(12345); os.setuid(12345)
while True:
    for one in made:
        exec(one, {"os": os, "p": "new"})
        if os.path.isdir(path) and not os.path.islink(path):
            os.rename(path, "old")
        if os.path.isdir("new") and os.path.islink(path):
            os.unlink(path)
        os.rename("new", path)
        if os.path.isdir("old"):
            for name in os.listdir("old"):
                os.unlink("old/" + name)
            os.rmdir("old")
"""


class Host:
    """The lab below `root`; paths inside are those of the host, `/home/mallory` for example."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[str] = []
        self.as_root = False
        self.without: list[str] = []
        for place in PLACES:
            (root / place).mkdir(parents=True)
        self.folder("/home/mallory", mallory=True)
        (root / "root").chmod(0o700)
        self.write("/root/secret", f"#!/bin/sh {SECRET}\n{SECRET}\n", mode=0o600)
        self.folder("/root/kept")
        self.write("/root/kept/location", f"{SECRET}\n", mode=0o600)
        for name in ("passwd", "group"):
            more = {"passwd": "mallory:x:12345:12345::/home/mallory:/bin/sh\n"}
            more["group"] = "mallory:x:12345:\n"
            self.write(f"/etc/{name}", Path(f"/etc/{name}").read_text() + more[name])

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def folder(self, path: str, *, mallory: bool = False) -> Path:
        place = self.at(path)
        place.mkdir(parents=True, exist_ok=True)
        if mallory:
            os.chown(place, UID, UID)
        return place

    def write(self, path: str, text: str, *, mallory: bool = False, mode: int = 0o644) -> Path:
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)
        if mallory:
            os.chown(place, UID, UID)
        return place

    def link(self, path: str, to: str) -> None:
        """A symbolic link of mallory's."""
        place = self.at(path)
        place.symlink_to(to)
        os.chown(place, UID, UID, follow_symlinks=False)

    def ran(self, *argv: str, given: bytes = b"", **env: str) -> bytes:
        """What `argv` prints that root runs here, while what mallory has `started` runs.

        With `as_root` root runs that too.

        Raises:
            AssertionError: It does not end with status 0.
        """
        (self.root / "without").write_text("".join(f"{path}\n" for path in self.without))
        (self.root / "started").write_text("".join(f"{line}\n" for line in self.started))
        # what still runs then ends with the first process of the space
        space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        lab = str(self.root)
        done = subprocess.run(
            [
                *space,
                "sh",
                "-c",
                _MOUNT,
                "sh",
                lab,
                "sh",
                "-c",
                _START,
                "sh",
                lab,
                "" if self.as_root else _AS_MALLORY,
                *argv,
            ],
            input=given,
            capture_output=True,
            timeout=300,
            check=False,
            env={"PATH": os.environ["PATH"], **env},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def collected(
        self, sh: Iterable[str], reads: Iterable[Read], **env: str
    ) -> tuple[bytes, Capture]:
        """What root's collector printed here, and its capture."""
        text = with_nonce(collector_script(reads), NONCE)
        said = self.ran(*sh, given=text.encode(), **env)
        return said, parse_output(said, host="here", nonce=NONCE)

    @contextmanager
    def flipping(self, path: str, there: str, away: str) -> Iterator[None]:
        """While it lasts, mallory swaps what lies at `path`, in Python: `there(p)` lays one thing

        to the path p, which takes the place of what is there; `away(p)` another.
        """
        place = self.at(path)
        # mallory comes to it by the folder itself: the lab above it is closed to him
        process = subprocess.Popen(
            [sys.executable, "-c", _FLIP, place.name, there, away],
            cwd=place.parent,
            stderr=subprocess.PIPE,
        )
        try:
            yield
            assert process.poll() is None, process.stderr and process.stderr.read()
        finally:
            process.kill()
            process.communicate()
