"""What hostpledge_remember keeps on the host, and in which form. Python 3.8 and later."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

try:  # beside a role
    from ansible.module_utils.hostpledge_walk import Held, Refused, held
except ImportError:  # in a collection
    from ansible_collections.hostpledge.pledge.plugins.module_utils.walk import Held, Refused, held

VERSION = "hostpledge-undo 1"
MOST = 64 << 20
ACTIVE = ("active", "reloading", "activating", "deactivating", "inactive", "failed", "maintenance")


def encoded(text: str) -> str:
    """One word without blanks or newlines; printf '%b' gives the bytes again."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._@:+,=-"
    raw = os.fsencode(text)
    return "".join(chr(b) if b in plain else f"\\0{b:03o}" for b in raw)


def decoded(word: str) -> str:
    """The text that `encoded` was given."""
    raw = re.sub(rb"\\0([0-7]{3})", lambda m: bytes([int(m.group(1), 8)]), word.encode())
    return os.fsdecode(raw)


class Place:
    """A folder with a manifest and the copies it speaks of.

    `manifest` holds VERSION, then a line per thing: KIND ID MODE OWNER VALUE. Behind the OWNER of
    attributes and folders stands `@DEVICE:INODE`. `things` are these by path, `left` what was not
    followed and why.
    """

    def __init__(self, module: AnsibleModule, folder: str) -> None:
        self.module = module
        self.folder = folder
        self.paths: list[str] = []
        self.others: list[str] = []
        self.known: set[tuple[str, str]] = set()
        self.highest = 0
        self.copies: list[str] = []
        self.things: dict[str, str] = {}
        self.left: list[str] = []
        manifest = os.path.join(folder, "manifest")
        if os.path.exists(manifest):
            with open(manifest) as stream:
                lines = stream.read().splitlines()
            if lines[:1] != [VERSION]:
                raise Refused(f"{manifest} is of another version of hostpledge: put it back first")
            for line in lines[1:]:
                kind, number, _mode, _owner, value = line.split(" ", 4)
                self.known.add((group(kind), decoded(value)))
                (self.paths if group(kind) == "path" else self.others).append(line)
                if number.isdigit():
                    self.highest = max(self.highest, int(number))

    def has(self, kind: str, value: str) -> bool:
        return (group(kind), value) in self.known

    def add(
        self, kind: str, value: str, number: str = "-", mode: str = "-", owner: str = "-"
    ) -> None:
        line = " ".join((kind, number, mode, owner, encoded(value)))
        self.known.add((group(kind), value))
        if group(kind) == "path":
            self.paths.insert(0, line)
        else:
            self.others.append(line)

    def replaced(self, path: str, identity: str) -> None:
        """Forgets the attributes of what lay at the path before, where it is another file now."""
        for line in self.paths:
            kind, _number, _mode, owner, value = line.split(" ", 4)
            told, before = owner.partition("@")[1:]
            if kind == "attributes" and value == encoded(path) and told and before != identity:
                self.paths.remove(line)
                self.known.discard(("attributes", path))
                return

    def kept(self) -> tuple[str, str]:
        """The next number, and where what it stands for is kept."""
        self.highest += 1
        number = f"{self.highest:04d}"
        kept = os.path.join(self.folder, "kept")
        if not os.path.isdir(kept):
            os.makedirs(kept, 0o700)
        target = os.path.join(kept, number)
        # a copy that no manifest speaks of is left from a run that was cut off
        if os.path.lexists(target):
            os.unlink(target)
        self.copies.append(target)
        return number, target

    def copy(self, found: Held) -> str:
        """Copies a file or a link of root's, whole with its attributes; returns the copy's number."""
        number, target = self.kept()
        if found.seen and stat.S_ISLNK(found.seen.st_mode):
            self.run(["cp", "-a", "--", found.path, target], found)
        else:
            self.run(["cp", "-a", "-H", "--", found.name, target], found)
            with open(target, "rb") as stream:
                os.fsync(stream.fileno())
        return number

    def acl(self, found: Held) -> str:
        """Keeps an ACL where there is more than the mode says; returns its number, or `-`."""
        tool = self.module.get_bin_path("getfacl")
        if tool is None:
            return "-"
        _status, text, _error = self.module.run_command(
            [tool, "-pE", "--", found.name], pass_fds=(found.number,)
        )
        entries = [line for line in text.splitlines() if line and not line.startswith("#")]
        if len(entries) <= 3:
            return "-"
        number, target = self.kept()
        with open(target, "w") as stream:
            stream.write("\n".join(entries) + "\n")
        return number

    def run(self, argv: list[str], found: Held) -> None:
        status, _text, error = self.module.run_command(argv, pass_fds=(found.number,))
        if status != 0:
            raise Refused(f"{found.path} cannot be kept, so it is not changed: {error.strip()}")

    def save(self) -> None:
        """Writes the manifest aside and renames it: a run that is cut off leaves the old one."""
        number, aside = tempfile.mkstemp(dir=self.folder, prefix=".manifest.")
        try:
            with os.fdopen(number, "w") as stream:
                stream.write("\n".join([VERSION, *self.paths, *self.others]) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(aside, os.path.join(self.folder, "manifest"))
        except OSError:
            os.unlink(aside)
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def forget_copies(self) -> None:
        for path in self.copies:
            if os.path.lexists(path):
                os.unlink(path)


def group(kind: str) -> str:
    """Things of one kind are kept once: a path is a path, whatever was there."""
    return {"unit": "unit", "after": "after", "attributes": "attributes"}.get(kind, "path")


def checked(path: str, place: str) -> str:
    """An absolute path without detours, that may be kept."""
    if not os.path.isabs(path):
        raise Refused(f"{path!r} is no absolute path")
    plain = os.path.normpath(path)
    if plain == "/" or plain.startswith(("//", "/proc/", "/sys/", "/dev/")):
        raise Refused(f"{path} is nothing that can be kept")
    if plain == place or plain.startswith(place + "/"):
        raise Refused(f"{path} is where hostpledge keeps things")
    return plain


def barred(path: str) -> str:
    """Why a path cannot be written or made, in a line; empty where it can. Nothing is touched."""
    try:
        with held(path) as found:
            seen = found.seen
            if seen is None or stat.S_ISDIR(seen.st_mode):
                while not os.path.isdir(path):
                    path = os.path.dirname(path)
                if not os.access(path, os.W_OK):
                    raise OSError(errno.EROFS, "")
            elif stat.S_ISREG(seen.st_mode):
                # access(2) says nothing of a file to which one may only append
                os.close(os.open(found.name, os.O_WRONLY | os.O_CLOEXEC))
    except OSError as problem:
        if problem.errno in (errno.EROFS, errno.EPERM, errno.EACCES):
            return f"{path} is read-only (a mount, or chattr +i or +a)"
    return ""


def look(place: Place, path: str) -> list[str]:
    """Keeps one path as it is; returns lines that say what is new."""
    if place.has("path", path):
        return []
    new = []
    missing = []
    parent = os.path.dirname(path)
    while not os.path.isdir(parent) and not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    for folder in reversed(missing):
        if not place.has("path", folder):
            place.add("absent", folder)
    with held(path, follow=False) as found:
        seen = found.seen
        if seen is None:
            place.add("absent", path)
            return [f"{path}, not there"]
        found.alone()
        if stat.S_ISDIR(seen.st_mode):
            place.add("directory", path, place.acl(found), *attributes(found))
        elif stat.S_ISLNK(seen.st_mode):
            place.add("link", path, place.copy(found))
            with held(path) as end:
                # a link to /dev/null masks a unit: there is nothing behind it to keep
                if end.seen and stat.S_ISREG(end.seen.st_mode):
                    new += look(place, end.path)
        elif stat.S_ISREG(seen.st_mode):
            if seen.st_size > MOST:
                raise Refused(f"{path} has {seen.st_size >> 20} MiB, too much to be kept")
            place.add("file", path, place.copy(found))
        else:
            raise Refused(f"{path} is neither a file nor a folder nor a link")
    return [path, *new]


def look_attributes(place: Place, path: str, *, keep: bool = True) -> list[str]:
    """Keeps mode, owner and ACL; what a user has laid there to be followed is left, and said."""
    try:
        with held(path) as found:
            if found.seen is None:
                return []
            found.alone()
            place.things[path] = found.identity
            if not keep:
                return []
            place.replaced(path, found.identity)
            if place.has("attributes", path):
                return []
            place.add("attributes", path, place.acl(found), *attributes(found))
    except Refused as problem:
        place.left.append(str(problem))
        return []
    return [f"{path}, mode and owner"]


def attributes(found: Held) -> tuple[str, str]:
    """Mode, and owner with what it is."""
    seen = os.fstat(found.number)
    return f"{stat.S_IMODE(seen.st_mode):04o}", f"{seen.st_uid}:{seen.st_gid}@{found.identity}"


def look_unit(place: Place, unit: str) -> list[str]:
    if place.has("unit", unit):
        return []
    tool = place.module.get_bin_path("systemctl")
    if tool is None:
        return []
    _status, text, error = place.module.run_command([tool, "is-enabled", unit])
    words = text.split()
    if words:
        enabled = words[0]
    else:
        missing = re.search(r"(?i)no such file|not.found|does not exist", error)
        enabled = "not-found" if missing else "unknown"
    _status, text, _error = place.module.run_command([tool, "is-active", unit])
    words = text.split()
    active = words[0] if words and words[0] in ACTIVE else "unknown"
    place.add("unit", unit, "-", enabled, active)
    return [f"{unit}, {enabled} and {active}"]


def look_all(place: Place, given: dict[str, Any], folder: str) -> list[str]:
    new = []
    for path in given["paths"]:
        new += look(place, checked(path, folder))
    for path in given["attributes"]:
        new += look_attributes(place, checked(path, folder))
    for unit in given["units"]:
        new += look_unit(place, unit if "." in unit else unit + ".service")
    for command in given["after"]:
        if not place.has("after", command):
            place.add("after", command)
            new.append(f"afterwards: {command}")
    return new


def write_aside(path: str, text: str) -> None:
    """Puts the text at the path, whole or not at all."""
    number, aside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".aside.")
    try:
        with os.fdopen(number, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(aside, path)
    except OSError:
        os.unlink(aside)
        raise
