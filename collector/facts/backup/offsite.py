"""Where the copies of a store go, from job to job, and whether that is another host.

A dump that a second job carries away is followed to where it comes to lie. What is mounted from
another host is that host; a bind mount, a link, another disk are this one, and so is every name
and address of this host.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from collector.errors import FactError
from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.commands.addresses import Address, address_of
from collector.facts.backup.commands.command_lines import ENGINES
from collector.facts.backup.commands.copies import Way, ways
from collector.facts.backup.commands.named_files import named
from collector.facts.backup.coverage import Cover
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.facts.storage.mounts import holder, in_memory, mounts
from collector.facts.storage.volumes import storage
from collector.facts.system.host_names import is_here
from collector.model import Facts

_SHARED = re.compile(r"(nfs4?|cifs|smb3|smbfs|ceph|glusterfs|afs|fuse\.(sshfs|glusterfs|ceph\S*))$")
# Whose disks these are cannot be told from here.
_ELSEWHERE_OR_NOT = re.compile(
    r"(9p|virtiofs|lustre|gpfs|ocfs2|gfs2|beegfs|autofs|fuse|fuse\..*|vboxsf|prl_fs|drvfs)$"
)
Place = Literal["elsewhere", "host", "disk", "unclear"]


@dataclass(frozen=True, slots=True)
class Copy:
    """One place where copies of a store come to lie.

    `taken` is the path that the last command took them from, empty where that was the store
    itself; `place` says where it is beside the store: `elsewhere`, on this `host`, on its own
    `disk`, `unclear`; `of` is the copy that this one was made of.
    """

    way: Way
    to: Address
    taken: str
    place: Place
    of: Copy | None = None

    @property
    def label(self) -> str:
        return f"{self.to.label} [{self.way.label}]"


def copies(facts: Facts, known: Cover) -> tuple[Copy, ...]:
    """Every place where copies of the store come to lie. Raises FactError.

    An `unknown` address stands where the words of a job that certainly takes it do not say.
    """
    every = facts.get(ways)
    found: list[Copy] = []
    todo: deque[tuple[Way, str, Copy | None]] = deque(
        (w, "", None) for w in every if w.use is not None and w.use in known.sure
    )
    seen: set[tuple[Way, str]] = set()
    while todo:
        way, taken, of = todo.popleft()
        if (way, taken) in seen:
            continue
        seen.add((way, taken))
        told = way.to if any(a.kind != "unknown" for a in way.to) else _by_its_text(facts, way)
        for to in told:
            copy = Copy(way, to, taken, place_of(facts, to, known.real or known.store.path), of)
            found.append(copy)
            if to.kind == "path":
                todo += [
                    (w, to.path, copy)
                    for w in every
                    if w is not way and _takes(facts, w, way, to, known.store)
                ]
    return tuple(dict.fromkeys(found))


def _by_its_text(facts: Facts, way: Way) -> tuple[Address, ...]:
    """Where the command line is silent: the folders with backups that the job's text names."""
    folders = facts.get(artefacts).folders if way.tool in (*ENGINES, "tar") else frozenset()
    named_there = {
        x
        for t in (way.use.targets if way.use else ())
        for x in (t, t.rpartition("/")[0])
        if x in folders and not any(within(x, s) for s in way.sources)
    }
    return tuple(address_of(f) for f in sorted(named_there)) or (Address("unknown", "", "", ""),)


def _takes(facts: Facts, way: Way, before: Way, to: Address, store: Store) -> bool:
    """Does it take what the command before it left at `to`?"""
    if "?" in way.sources:
        return way.job.name == before.job.name
    if any(within(s.rstrip("/"), to.path) for s in way.sources):
        return True
    if way.use is None:
        return any(within(to.path, s) for s in way.sources)
    left = replace(store, name="", kind="path", path=to.path, engine="")
    known = facts.get(mounts)
    return way.use.covers(left, "", (), lambda a, b: holder(known, a) == holder(known, b)) == "yes"


def place_of(facts: Facts, to: Address, store: str) -> Place:
    """Where an address is beside the store, which lies at a path. Raises FactError."""
    if to.kind == "service":
        return "elsewhere"
    if to.kind == "host":
        return _host_place(facts, to.host, store)
    if to.kind != "path":
        return "unclear"
    known = facts.get(mounts)
    real = facts.get(named).real(to.path)
    mount, own = holder(known, real), holder(known, store) if store.startswith("/") else None
    if mount is None or (_ELSEWHERE_OR_NOT.match(mount.fstype) and not _SHARED.match(mount.fstype)):
        return "unclear"
    if _SHARED.match(mount.fstype):
        server = _server(mount.source)
        same = own is not None and server and _server(own.source) == server
        return "disk" if same else _host_place(facts, server, store)
    if own is not None and own.number == mount.number:
        return "disk"
    if in_memory(known, mount) is not None or own is None:
        return "host"
    try:
        stack = facts.get(storage)
        disks = {d.kname for d in stack.device_chain(real)}
        return "disk" if disks & {d.kname for d in stack.device_chain(store)} else "host"
    except FactError:
        return "host"


def _host_place(facts: Facts, host: str, store: str) -> Place:
    here = is_here(facts.capture, host)
    if here is None:
        return "unclear"
    if here:
        return "host"
    own = holder(facts.get(mounts), store) if store.startswith("/") else None
    held = own is not None and _SHARED.match(own.fstype) and _server(own.source) == host
    return "disk" if held else "elsewhere"


def _server(source: str) -> str:
    """`nas:/export`, `//nas/share`, `bak@nas:/x`, `mon1:6789,mon2:6789:/` → nas, mon1."""
    if source.startswith("//"):
        return source[2:].partition("/")[0].lower()
    first = source.partition(",")[0]
    return address_of(first).host if ":" in first else ""
