"""The mounts of a host (proc(5) mountinfo), and which of them a path comes to lie on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.paths import within
from collector.i18n.message import msg
from collector.model import Capture

MEMORY = frozenset({"tmpfs", "ramfs", "rootfs", "devtmpfs", "hugetlbfs"})
# file systems that hold no data of their own
_KERNEL = frozenset({
    "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs",
    "configfs", "fusectl", "fuse.lxcfs", "bpf", "pstore", "efivarfs", "autofs", "binfmt_misc",
    "nsfs", "rpc_pipefs", "selinuxfs",
})  # fmt: skip
# block devices of memory, whatever file system is on them
_OF_MEMORY = re.compile(r"/dev/z?ram\d+")
# where the start of a host puts the tmpfs of an overlay, which is out of sight once it has started
# (overlayroot, raspi-config, casper, live-boot, dracut's dmsquash-live)
_OF_THE_START = (
    "/upper",
    "/cow",
    "/run",
    "/live",
    "/overlay/tmpfs",
    "/media/root-rw",
    "/mnt/root-rw",
)
# the loader's folders: kernels, no data
_LOADER = ("/boot", "/efi")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mountinfo (proc(5)); `number` is major:minor of the file system.

    `parent` is the `id` of the mount on which this one is mounted.
    """

    target: str
    source: str
    fstype: str
    root: str
    number: str
    options: tuple[str, ...]
    super_options: tuple[str, ...]
    line: str
    id: str = ""
    parent: str = ""


def holder(known: Sequence[Mount], path: str) -> Mount | None:
    """The mount that holds an absolute `path` (symlinks not followed), walked as the kernel does.

    What is mounted over a folder hides the mounts below it, whose lines stay in the list.
    """
    roots = [m for m in known if m.target == "/"]
    ids = {m.id for m in known}
    roots = [m for m in roots if m.parent == m.id or m.parent not in ids]
    if len(roots) != 1 or len(ids) != len(known):
        return _longest(known, path)
    here = roots[0]
    for _ in known:
        on = [m for m in known if m.parent == here.id and m is not here and _in(path, m.target)]
        if not on:
            break
        here = min(reversed(on), key=lambda m: len(m.target))
    return here


def in_memory(known: Sequence[Mount], mount: Mount, deep: int = 0) -> Mount | None:
    """The mount in memory that `mount` rests on, which may be itself: a reboot loses all in it.

    An overlay keeps in its upper folder what is written to it.
    """
    if mount.fstype in MEMORY or _OF_MEMORY.fullmatch(mount.source):
        return mount
    upper = next((o[9:] for o in mount.super_options if o.startswith("upperdir=")), "")
    # that of a container's engine is told as its host has it, and lies nowhere in here
    if mount.fstype != "overlay" or not upper or deep > 4 or upper.endswith(("/diff", "/fs")):
        return None
    under = holder(known, upper)
    if under is None or under is mount:
        return mount if any(_in(upper, folder) for folder in _OF_THE_START) else None
    return in_memory(known, under, deep + 1)


def _longest(known: Sequence[Mount], path: str) -> Mount | None:
    best: Mount | None = None
    for mount in known:
        if _in(path, mount.target) and (best is None or len(mount.target) >= len(best.target)):
            best = mount
    return best


def _in(path: str, folder: str) -> bool:
    return within(path, folder)


def inside(known: Sequence[Mount], path: str) -> tuple[Mount, ...]:
    """What is mounted below `path`, where it is not hidden and holds data on something."""
    found = []
    for mount in known:
        if mount.target == path or not _in(mount.target, path):
            continue
        if mount.fstype in MEMORY | _KERNEL or any(_in(mount.target, x) for x in _LOADER):
            continue
        # what a container writes lies in this folder, and is looked at there
        upper = next((o[9:] for o in mount.super_options if o.startswith("upperdir=")), "")
        if mount.fstype == "overlay" and upper and _in(upper, path):
            continue
        if holder(known, mount.target) == mount:
            found.append(mount)
    return tuple(found)


def mounts(capture: Capture) -> tuple[Mount, ...]:
    """Every mount in the order the kernel lists them. Raises FactError."""
    file = capture.read("storage.mounts").one()
    if file is None:
        raise NotUnderstood("storage.mounts", msg("no_proc_self_mountinfo"))
    return parsed(file.text("storage.mounts"), "storage.mounts")


def parsed(text: str, read: str) -> tuple[Mount, ...]:
    """The lines of a mountinfo. Raises NotUnderstood."""
    found = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        a, b = left.split(" "), right.split(" ")
        if not separator or len(a) < 6 or len(b) < 2 or ":" not in a[2]:
            raise NotUnderstood(read, msg("not_line_mountinfo", line=line))
        found.append(
            Mount(
                _plain(a[4]),
                _plain(b[1]),
                b[0],
                _plain(a[3]),
                a[2],
                tuple(a[5].split(",")),
                tuple(b[2].split(",")) if len(b) > 2 else (),
                line,
                a[0],
                a[1],
            )
        )
    return tuple(found)


def _plain(text: str) -> str:
    """Undoes the octal escapes of proc(5) (space, tab, newline, backslash)."""
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)
