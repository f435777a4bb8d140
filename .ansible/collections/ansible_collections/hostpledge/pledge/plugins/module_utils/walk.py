"""Files as they lie below /, reached without a link that a user could have laid. Python 3.8 and later.

A path is in the reach of a user where somebody who is not root may rename what stands on the way to
it. There no link is followed, and only what a descriptor holds is changed: a path could be another
file at each look.
"""

from __future__ import annotations

import os
import stat

_LINKS = 20
_ENTRY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(Exception):
    """Nothing was kept or changed; the text says why and what to do."""


class Held:
    """What is at the end of a path, held by a descriptor that stands for it whatever is renamed.

    `path` has no link in it; `number` is below 0 where nothing is there; `reach` says in words who
    besides root may put something else there.
    """

    def __init__(self, path: str, number: int, reach: str) -> None:
        self.path = path
        self.number = number
        self.reach = reach
        self.seen = os.fstat(number) if number >= 0 else None

    def __enter__(self) -> Held:  # noqa: PYI034 (Self came with Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        if self.number >= 0:
            os.close(self.number)

    @property
    def name(self) -> str:
        """A path to the very file, for what takes no descriptor; children need `pass_fds`."""
        return f"/proc/self/fd/{self.number}"

    @property
    def identity(self) -> str:
        """Device and inode, as the manifest has them."""
        return f"{self.seen.st_dev}:{self.seen.st_ino}" if self.seen else ""

    def alone(self) -> None:
        """Raises Refused where a user may have laid another name of somebody else's file there."""
        if not self.seen or not self.reach or stat.S_ISDIR(self.seen.st_mode):
            return
        if not stat.S_ISREG(self.seen.st_mode):
            raise Refused(f"{self.path} is no file, and in the reach of a user: {self.reach}")
        if self.seen.st_nlink != 1:
            raise Refused(
                f"{self.path} has {self.seen.st_nlink} names (hard links), and is in the reach of a"
                f" user: {self.reach}"
            )


def held(path: str, *, follow: bool = True) -> Held:
    """The end of an absolute path; `follow` tells of a link at the end only. Raises Refused."""
    left = path.split("/")
    for _turn in range(_LINKS):
        found = _walked(path, [part for part in left if part not in ("", ".")], follow)
        if isinstance(found, Held):
            return found
        left = found
    raise Refused(f"{path} leads over too many links")


def _walked(path: str, parts: list[str], follow: bool) -> Held | list[str]:
    """What is there, or the parts of the path that a link of root's leads to."""
    folder = os.open("/", _ENTRY | os.O_DIRECTORY)
    reach = ""
    try:
        for index, part in enumerate(parts):
            at, rest = parts[:index], parts[index + 1 :]
            if part == "..":
                _firm(path, at, reach)
                return at[:-1] + rest
            try:
                number = os.open(part, _ENTRY, dir_fd=folder)
            except (FileNotFoundError, NotADirectoryError):
                number = -1
            reach = reach or _reach("/" + "/".join(at), folder, number)
            if number < 0:
                return Held("/" + "/".join(parts), -1, reach)
            os.close(folder)
            folder = number
            if stat.S_ISLNK(os.fstat(number).st_mode) and (rest or follow):
                _firm(path, [*at, part], reach)
                target = os.readlink("", dir_fd=number)
                return ([] if target.startswith("/") else at) + target.split("/") + rest
        found = Held("/" + "/".join(parts), os.dup(folder), reach)
        os.set_inheritable(found.number, False)
        return found
    finally:
        os.close(folder)


def _firm(path: str, at: list[str], reach: str) -> None:
    if reach:
        raise Refused(f"{path}: /{'/'.join(at)} is a link in the reach of a user: {reach}")


def _reach(where: str, folder: int, entry: int) -> str:
    """Who besides root may put something else in the place of an entry; empty for nobody."""
    seen = os.fstat(folder)
    ours = (0, os.geteuid())
    if seen.st_uid not in ours:
        return f"{where} belongs to the user {seen.st_uid}"
    if not seen.st_mode & 0o022:
        return ""
    if not seen.st_mode & 0o002 and seen.st_gid == 0 and not _listed(folder):
        return ""
    if entry >= 0 and seen.st_mode & stat.S_ISVTX:
        there = os.fstat(entry)
        one = stat.S_ISREG(there.st_mode) and there.st_nlink == 1
        if there.st_uid in ours and (one or stat.S_ISDIR(there.st_mode)):
            return ""
    return f"others than root may write to {where}"


def _listed(folder: int) -> bool:
    """Has it an access list (acl(5)), by which the group's bits are those of all it names?"""
    try:
        return bool(os.getxattr(f"/proc/self/fd/{folder}", "system.posix_acl_access"))
    except OSError:
        return False
