"""What lies under a path: mounts (proc(5) mountinfo), block devices (sysfs, lsblk), free space.

Whether a path is encrypted at rest is answered `yes`, `no` or `unknown`. A container's overlay,
a network file system and a device that the kernel does not show are `unknown`, never `no`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.base.paths import within
from collector.facts.base.redaction_of_places import MOUNTS
from collector.facts.storage.block_devices import Device, devices
from collector.facts.storage.mounts import MEMORY, Mount, holder, inside, mounts
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, command, files, shell

_STACK = r"""
[ -d /sys/class/block ] || exit 4
for d in /sys/class/block/*; do
  [ -r "$d/dev" ] || continue
  case "$d" in */loop*) [ -r "$d/loop/backing_file" ] || [ -e "$d/partition" ] || continue;; esac
  m=-; u=-; b=-; p=-
  read -r m <"$d/dev"
  [ -r "$d/dm/uuid" ] && read -r u <"$d/dm/uuid"
  [ -r "$d/loop/backing_file" ] && read -r b <"$d/loop/backing_file"
  [ -e "$d/partition" ] && { p=$(cd -P "$d/.." && pwd); p=${p##*/}; }
  printf 'device %s %s uuid=%s parent=%s\n' "${d##*/}" "$m" "${u:--}" "$p"
  [ "$b" = - ] || printf 'backing %s %s\n' "${d##*/}" "$b"
  for s in "$d"/slaves/*; do [ -e "$s" ] && printf 'slave %s %s\n' "${d##*/}" "${s##*/}"; done
  case "$u" in CRYPT-*) dmsetup table -j "${m%:*}" -m "${m#*:}" 2>/dev/null |
    while read -r x x t c x; do
      [ "$t" = crypt ] || c=-
      printf 'table %s %s %s\n' "${d##*/}" "$t" "$c"
    done;; esac
done
for d in /sys/fs/btrfs/*-*/devices/*; do
  [ -e "$d" ] || continue
  i=${d%/devices/*}; printf 'btrfs %s %s\n' "${d##*/}" "${i##*/}"
done
exit 0
"""

READS: tuple[Read, ...] = (
    files(
        "storage.mounts",
        "/proc/self/mountinfo",
        limit=1 << 20,
        redact=MOUNTS,
        why=Text("挂载了哪些文件系统", "which file systems are mounted where"),
    ),
    command(
        "storage.block",
        "lsblk",
        "-P",
        "-b",
        "-o",
        "NAME,KNAME,MAJ:MIN,TYPE,FSTYPE,SIZE,MOUNTPOINT,PKNAME,UUID",
        limit=1 << 18,
        why=Text("磁盘、分区、逻辑卷与加密层", "disks, partitions, volumes and crypt layers"),
    ),
    shell(
        "storage.stack",
        _STACK,
        limit=1 << 18,
        why=Text(
            "内核所见的块设备层叠关系（含 dm-crypt）",
            "how block devices rest on each other as the kernel has it, dm-crypt included",
        ),
    ),
    command(
        "storage.space",
        "df",
        "-P",
        "-k",
        limit=1 << 18,
        redact=MOUNTS,
        why=Text("各文件系统的容量与剩余空间", "size and free space of each file system"),
    ),
    command(
        "storage.zfs",
        "zfs",
        "get",
        "-H",
        "-t",
        "filesystem,volume",
        "-o",
        "name,value",
        "encryption",
        limit=1 << 18,
        why=Text("ZFS 数据集是否加密", "whether ZFS datasets are encrypted"),
    ),
)

Answer = Literal["yes", "no", "unknown"]
_WORST: tuple[Answer, ...] = ("no", "unknown", "yes")

_LAYERS = {"ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs"}
_OVERLAYS = {"overlay", "aufs", "fuse.fuse-overlayfs", "unionfs"}
_REMOTE = re.compile(
    r"^(nfs4?|cifs|smb3|smbfs|9p|virtiofs|ceph|glusterfs|lustre|gpfs|ocfs2|gfs2|afs|beegfs"
    r"|fuse\..*|fuse|fuseblk|vboxsf|prl_fs|drvfs)$"
)


@dataclass(frozen=True, slots=True)
class Space:
    """One line of df(1), in bytes."""

    source: str
    target: str
    size: int
    used: int
    available: int
    line: str


@dataclass(frozen=True, slots=True)
class Protection:
    """Is what lies under a path encrypted at rest, and what it rests on.

    `why` names the scheme, the devices, or the file system that cannot be looked under: it stands
    in texts of both languages.
    """

    encrypted: Answer
    why: str
    mount: Mount | None
    chain: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Storage:
    """Mounts and devices of one host, joined."""

    mounts: tuple[Mount, ...]
    devices: Mapping[str, Device]
    zfs: Mapping[str, str]

    def mount_of(self, path: str) -> Mount | None:
        """The mount that holds an absolute `path` (symlinks not followed)."""
        return holder(self.mounts, path)

    def inside(self, path: str) -> tuple[Protection, ...]:
        """The same as `encryption` for each file system that is mounted below `path`."""
        return tuple(self._of(mount, 0) for mount in inside(self.mounts, path))

    def device_chain(self, path: str) -> tuple[Device, ...]:
        """All devices under `path`, from the file system down to the disks; empty when unknown."""
        mount = self.mount_of(path)
        return self._under(self._tops(mount)) if mount else ()

    def _under(self, tops: tuple[Device, ...]) -> tuple[Device, ...]:
        seen: dict[str, Device] = {}
        todo = deque(tops)
        while todo:
            device = todo.popleft()
            if device.kname not in seen:
                seen[device.kname] = device
                todo += [self.devices[p] for p in device.parents if p in self.devices]
        return tuple(seen.values())

    def _tops(self, mount: Mount) -> tuple[Device, ...]:
        """The devices that a file system lies on directly (btrfs and ZFS may have several)."""
        if mount.fstype == "zfs":
            return tuple(d for d in self.devices.values() if d.fstype == "zfs_member")
        named = [d for d in self.devices.values() if d.number == mount.number]
        if not named and mount.source.startswith("/dev/"):
            short = mount.source.removeprefix("/dev/").removeprefix("mapper/")
            named = [d for d in self.devices.values() if short in (d.name, d.kname)]
        if mount.fstype == "btrfs" and named:
            whole = named[0].btrfs
            return tuple(d for d in self.devices.values() if whole and d.btrfs == whole)
        return tuple(named)

    def encryption(self, path: str, *, deep: int = 0) -> Protection:
        """Is `path` encrypted at rest? Cloud disks encrypted outside the host cannot be seen."""
        mount = self.mount_of(path)
        return self._of(mount, deep) if mount else Protection("unknown", "-", None, ())

    def _of(self, mount: Mount, deep: int) -> Protection:
        if mount.fstype in _LAYERS:
            return Protection("yes", mount.fstype, mount, ())
        if mount.fstype in _OVERLAYS:
            return Protection("unknown", mount.fstype, mount, ())
        if mount.fstype in MEMORY:
            return Protection("unknown", mount.fstype, mount, ())
        if _REMOTE.match(mount.fstype):
            return Protection("unknown", f"{mount.fstype} {mount.source}", mount, ())
        if mount.fstype == "zfs" and self.zfs.get(mount.source, "off") not in ("off", "-"):
            return Protection("yes", f"zfs {self.zfs[mount.source]}", mount, ())
        tops = self._tops(mount)
        chain = self._under(tops)
        if not tops:
            return Protection("unknown", f"{mount.fstype} {mount.source}", mount, ())
        if mount.fstype == "zfs" and mount.source not in self.zfs:
            return Protection("unknown", f"zfs {mount.source}", mount, chain)
        return self._verdict(tops, mount, deep)

    def device_encryption(self, device: Device) -> Protection:
        """Is what a device holds encrypted at rest?"""
        return self._verdict((device,), None, 0)

    def _verdict(self, tops: tuple[Device, ...], mount: Mount | None, deep: int) -> Protection:
        chain = self._under(tops)
        answers = {self._device(d, deep, frozenset()) for d in tops}
        if answers == {"yes"}:
            why = (
                ", ".join(
                    d.dm_uuid.partition("-")[2].split("-")[0] or d.type for d in chain if d.crypt
                )
                or "loop"
            )
            return Protection("yes", why, mount, chain)
        named = f"{mount.fstype} {mount.source}" if mount else tops[0].name
        if "no" in answers:
            return Protection("no", " → ".join(d.kname for d in chain), mount, chain)
        return Protection("unknown", named, mount, chain)

    def _device(self, device: Device, deep: int, above: frozenset[str]) -> Answer:
        if device.crypt:
            return "yes"
        if device.kname in above or deep > 4:
            return "unknown"
        answers: set[Answer] = set()
        for name in device.parents:
            parent = self.devices.get(name)
            answers.add(self._device(parent, deep, above | {device.kname}) if parent else "unknown")
        if device.backing:
            answers.add(self.encryption(device.backing, deep=deep + 1).encrypted)
        if not answers:
            return "unknown" if device.type == "loop" else "no"
        # what lies on one plain leg of a mirror lies in the clear
        return next(a for a in _WORST if a in answers)


def spaces(capture: Capture) -> tuple[Space, ...]:
    """Size and free space of mounted file systems. Raises FactError.

    df ends with status 1 when one mount could not be looked at: that one is then missing.
    """
    text = capture.read("storage.space").text(accept=(0, 1))
    found = []
    for line in text.splitlines()[1:]:
        if len(line) > 5000:
            raise NotUnderstood("storage.space", msg("not_line_df_p", line=line[:80]))
        match = re.fullmatch(
            r"(\S.*?)(?<!\s)\s++(\d++)\s++(\d++)\s++(-?\d++)\s++(?:\d++%|-)\s++(/.*)", line
        )
        if match is None:
            if re.fullmatch(r"\s*+\S.*?(?<!\s)(?:\s++-){4}\s++/.*", line):
                continue
            raise NotUnderstood("storage.space", msg("not_line_df_p", line=line))
        size, used, free = (int(match[i]) * 1024 for i in (2, 3, 4))
        found.append(Space(match[1], match[5], size, used, free, line))
    return tuple(found)


def space_of(found: tuple[Space, ...], path: str) -> Space | None:
    """The file system that holds `path`."""
    inside = [s for s in found if within(path, s.target)]
    return max(inside, key=lambda s: len(s.target), default=None)


def zfs_encryption(capture: Capture) -> Mapping[str, str]:
    """The encryption property by dataset; empty where there is no ZFS. Raises FactError."""
    result = capture.read("storage.zfs")
    if result.absent:
        return {}
    text = result.text()
    return dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)


def storage(capture: Capture) -> Storage:
    """Mounts, devices and ZFS properties of one host, joined. Raises FactError."""
    known = mounts(capture)
    zfs = zfs_encryption(capture) if any(m.fstype == "zfs" for m in known) else {}
    return Storage(known, devices(capture), zfs)
