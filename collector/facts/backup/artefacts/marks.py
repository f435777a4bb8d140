"""What backup.artefacts tells of folders: which nobody can change, and the trees of copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture


@dataclass(frozen=True, slots=True)
class Seen:
    """What backup.artefacts tells of folders: see its read.

    `append_only`: borg repositories set so; `fixed`: files and folders under chattr +i;
    `growing`: folders under chattr +a; `trees` are copies of whole trees, each with its time.
    """

    append_only: frozenset[str]
    fixed: frozenset[str]
    growing: frozenset[str]
    trees: Mapping[str, datetime]


def seen(capture: Capture) -> Seen:
    """Raises FactError."""
    append_only, fixed, growing = set(), set(), set()
    trees: dict[str, datetime] = {}
    for line in capture.read("backup.artefacts").text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "repository":
            match = re.fullmatch(r"(\d+) (\S+) (/.*)", rest)
            if match and match[2] == "1":
                append_only.add(match[3])
        elif word == "attr":
            flags, _, path = rest.partition(" ")
            if "i" in flags:
                fixed.add(path)
            if "a" in flags:
                growing.add(path)
        elif word == "tree":
            match = re.fullmatch(r"(\d+) (/.*)", rest)
            if match is None:
                raise NotUnderstood("backup.artefacts", msg("not_understood", line=line))
            trees[match[2]] = _tree_time(match[2], int(match[1]))
    return Seen(frozenset(append_only), frozenset(fixed), frozenset(growing), trees)


def _tree_time(path: str, mtime: int) -> datetime:
    """Of its name where that is a date: rsync -a gives a tree the time of what it copied."""
    name = re.match(r"(\d{4})-?(\d\d)-?(\d\d)(?!\d)", path.rpartition("/")[2])
    if name:
        try:
            return datetime(int(name[1]), int(name[2]), int(name[3]), tzinfo=UTC)
        except ValueError:
            pass
    return datetime.fromtimestamp(mtime, UTC)
