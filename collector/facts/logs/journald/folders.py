"""Which journals lie in a folder of journald's, by their files, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One file of the journal; the times are those of its first and last entry (UTC).

    `state` is ONLINE, OFFLINE or ARCHIVED; `namespace` is empty for the journal proper.
    """

    path: str
    state: str = ""
    first: datetime | None = None
    last: datetime | None = None

    @property
    def namespace(self) -> str:
        return self.folder.partition(".")[2]

    @property
    def folder(self) -> str:
        """The folder it lies in: the machine's id, and a namespace behind a dot."""
        return self.path.rsplit("/", 2)[-2] if self.path.count("/") > 1 else ""


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in one journal folder; `size` in bytes, -1 where du gave no answer.

    `files` are the single files, where the host told of them.
    """

    path: str
    size: int
    first: datetime | None
    last: datetime | None
    files: tuple[JournalFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """What one folder was said to hold; `sizes` of folders in it, in bytes.

    A file of the journal is in a folder by the machine's id, with `.NAMESPACE` where it has one.
    `held` is what recordings of older form say of the whole folder.
    """

    path: str
    sizes: Mapping[str, int]
    files: tuple[JournalFile, ...]
    held: Held | None = None


def own(folder: Folder, machine: str) -> Folder:
    """Without the journals of other machines: those of the image that the host was made from, those

    that systemd-journal-remote takes in. `machine` is the digest of /etc/machine-id; where no
    folder is of that id, nothing can be told apart.
    """
    places = {file.folder for file in folder.files} | {p.rsplit("/", 1)[1] for p in folder.sizes}
    own = next(
        (
            p[:32]
            for p in places
            if re.fullmatch(r"[0-9a-f]{32}", p[:32])
            and sha256(f"{p[:32]}\n".encode()).hexdigest() == machine
        ),
        None,
    )
    if own is None:
        return folder
    return replace(
        folder,
        sizes={
            p: size
            for p, size in folder.sizes.items()
            if p == folder.path or p.rsplit("/", 1)[1].startswith(own)
        },
        files=tuple(file for file in folder.files if file.folder.startswith(own)),
    )
