"""Block devices and what they rest on: sysfs as the kernel has it, joined with lsblk(8).

The reads are those of `storage` (storage.stack, storage.block).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import FactError, NotUnderstood
from collector.facts.shell import quoting
from collector.i18n.message import msg
from collector.model import Capture


@dataclass(frozen=True, slots=True)
class Device:
    """A block device. `parents` are kernel names of what it rests on, `backing` a loop's file,

    `btrfs` the id of the btrfs it is a part of, `clear` whether its table, where it was seen,
    leaves a part of what it holds unencrypted (cipher_null; a reencryption under way).
    """

    name: str
    kname: str
    number: str
    type: str
    fstype: str
    uuid: str
    dm_uuid: str
    size: int | None
    mountpoint: str
    parents: tuple[str, ...]
    backing: str
    btrfs: str
    line: str
    clear: bool = False

    @property
    def crypt(self) -> bool:
        """dm-crypt by the kernel's own mark; verity and integrity bear the same prefix."""
        if self.clear:
            return False
        if self.dm_uuid:
            return bool(re.match(r"CRYPT-(?!VERITY|INTEGRITY)", self.dm_uuid))
        return self.type == "crypt"


def devices(capture: Capture) -> Mapping[str, Device]:
    """Block devices by kernel name, from sysfs and, where it is there, lsblk. Raises FactError.

    sysfs is what the kernel knows; lsblk adds type, file system and UUID. One of them must have
    been readable.
    """
    stack = _stack(capture)
    listed = _lsblk(capture, needed=stack is None)
    known = dict.fromkeys([*(stack or {}), *listed])
    return {kname: _join(kname, (stack or {}).get(kname), listed.get(kname)) for kname in known}


@dataclass(slots=True)
class _Node:
    number: str
    dm_uuid: str
    parents: list[str]
    backing: str = ""
    btrfs: str = ""
    clear: bool = False
    line: str = ""


def _stack(capture: Capture) -> dict[str, _Node] | None:
    result = capture.read("storage.stack")
    try:
        text = result.text()
    except FactError:
        return None
    nodes: dict[str, _Node] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        kname, _, rest = rest.partition(" ")
        kname = kname.replace("!", "/")
        if word == "device":
            match = re.fullmatch(r"(\d+:\d+) uuid=(.*) parent=(\S+)", rest)
            if not match:
                raise NotUnderstood("storage.stack", msg("not_device", line=line))
            number, uuid, parent = match[1], match[2], match[3].replace("!", "/")
            nodes[kname] = _Node(
                number, "" if uuid == "-" else uuid, [] if parent == "-" else [parent], line=line
            )
        elif word == "slave" and kname in nodes:
            nodes[kname].parents.append(rest.replace("!", "/"))
        elif word == "backing" and kname in nodes:
            nodes[kname].backing = rest
        elif word == "btrfs" and kname in nodes:
            nodes[kname].btrfs = rest
        elif word == "table" and kname in nodes:
            target, _, cipher = rest.partition(" ")
            nodes[kname].clear |= target != "crypt" or "cipher_null" in cipher
        elif word not in ("btrfs", "table"):
            raise NotUnderstood("storage.stack", msg("not_understood", line=line))
    return nodes


def _lsblk(capture: Capture, *, needed: bool) -> dict[str, list[dict[str, str]]]:
    result = capture.read("storage.block")
    if not needed and result.absent:
        return {}
    try:
        # 32, 64: some or none of the devices could be looked at (lsblk(8)); sysfs holds the rest
        text = result.text() if needed else result.text(accept=(0, 1, 32, 64))
    except FactError:
        if needed:
            raise
        return {}
    found: dict[str, list[dict[str, str]]] = {}
    for line in text.splitlines():
        try:
            pairs = dict(word.split("=", 1) for word in quoting.split(line))
        except ValueError:
            raise NotUnderstood("storage.block", msg("not_line_lsblk_p", line=line)) from None
        name = pairs.get("KNAME") or pairs.get("NAME")
        if not name:
            raise NotUnderstood("storage.block", msg("not_line_lsblk_p", line=line))
        # util-linux 2.37 wrote MAJ_MIN where all others write MAJ:MIN
        pairs["MAJ:MIN"] = pairs.get("MAJ:MIN", pairs.get("MAJ_MIN", ""))
        pairs["line"] = line
        found.setdefault(name, []).append(pairs)
    return found


def _join(kname: str, node: _Node | None, rows: list[dict[str, str]] | None) -> Device:
    row = rows[0] if rows else {}
    parents = list(node.parents) if node else []
    parents += [r["PKNAME"] for r in rows or () if r.get("PKNAME")]
    size = row.get("SIZE", "").strip()
    return Device(
        name=row.get("NAME", kname),
        kname=kname,
        number=node.number if node else row.get("MAJ:MIN", "").strip(),
        type=row.get("TYPE", "loop" if kname.startswith("loop") else ""),
        fstype=row.get("FSTYPE", ""),
        uuid=row.get("UUID", ""),
        dm_uuid=node.dm_uuid if node else "",
        size=int(size) if size.isdecimal() else None,
        mountpoint=row.get("MOUNTPOINT", ""),
        parents=tuple(dict.fromkeys(parents)),
        backing=node.backing if node else "",
        btrfs=_btrfs(node, row),
        line=row.get("line") or (node.line if node else ""),
        clear=node.clear if node else False,
    )


def _btrfs(node: _Node | None, row: dict[str, str]) -> str:
    if node is not None and node.btrfs:
        return node.btrfs
    return row.get("UUID", "") if row.get("FSTYPE") == "btrfs" else ""
