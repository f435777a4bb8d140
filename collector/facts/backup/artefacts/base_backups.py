"""Copies of a whole database server that are folders: pg_basebackup, mariadb-backup, xtrabackup.

What the tool writes last shows that one is whole: `backup_manifest` (pg_basebackup from version 13)
or `xtrabackup_checkpoints` (`mariadb_backup_checkpoints` from MariaDB 11.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from collector.facts.backup.artefacts.files import Artefact
from collector.i18n.message import msg

TOOLS = frozenset({"pg_basebackup", "mariadb-backup", "mariabackup", "xtrabackup", "innobackupex"})
_PARTS = re.compile(
    r"(backup_manifest|backup_label|(base|pg_wal|\d+)\.tar(\.\w+)?"
    r"|(xtrabackup|mariadb_backup)_checkpoints)$"
)
_MANIFEST = "backup_manifest"


def bases(left: Iterable[Artefact]) -> tuple[Artefact, ...]:
    """The files, those of one base backup as one: its archive, its label, or what ends it.

    One without a manifest is not whole where others have it, or where only its label is there.
    """
    parts: dict[str, list[Artefact]] = {}
    found: list[Artefact] = []
    for one in left:
        folder, _, name = one.path.rpartition("/")
        if _PARTS.fullmatch(name) and not one.repository:
            parts.setdefault(folder, []).append(one)
        else:
            found.append(one)
    ended = any(_named(p, _MANIFEST) for p in parts.values())
    for some in parts.values():
        postgresql = any(not a.path.endswith("_checkpoints") for a in some)
        manifest = _named(some, _MANIFEST)
        archives = [a for a in some if ".tar" in a.path.rpartition("/")[2]]
        first = _named(archives, "base.tar") or _named(some, "backup_label") or some[0]
        fault = next((a.fault for a in some if a.fault), "")
        if postgresql and manifest is None and ended:
            fault = fault or msg("no_not_whole", manifest=_MANIFEST)
        if archives and not _named(archives, "base.tar"):
            fault = fault or "no base.tar"
        last = manifest or max(some, key=lambda a: a.when)
        found.append(
            replace(
                first,
                when=last.when,
                # a manifest says nothing of how much the folder holds
                size=sum(a.size for a in archives),
                fault=fault,
                start=manifest.start if manifest else None,
            )
        )
    return tuple(found)


def _named(some: Iterable[Artefact], name: str) -> Artefact | None:
    return next((a for a in some if a.path.rpartition("/")[2].startswith(name)), None)
