"""Where the archived WAL of a store comes to lie, whether it is encrypted, and who may read it.

WAL holds what was written to the database: it is a copy of the data like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.commands.addresses import Address, address_of
from collector.facts.backup.commands.command_lines import FILE_TOOLS, pipelines
from collector.facts.backup.commands.copies import of_server
from collector.facts.backup.commands.destinations import (
    TRANSFERS,
    destinations,
    encrypts,
    tool_and_args,
)
from collector.facts.backup.commands.jobs import engine_of
from collector.facts.backup.commands.named_files import named
from collector.facts.backup.commands.permissions import opened
from collector.facts.backup.commands.wal_recovery import (
    TOOLS,
    Reach,
    archive_of,
    reach,
    receivers_of,
    sink,
    whole,
)
from collector.facts.backup.coverage import Cover
from collector.facts.backup.offsite import Copy, Place, place_of
from collector.facts.backup.postgresql.wal import READ, Archive, Target
from collector.facts.backup.protection import Held
from collector.facts.storage.volumes import storage
from collector.model import Facts, Quote

_CARRIERS = frozenset({*TRANSFERS, *FILE_TOOLS, "wal-g"})


@dataclass(frozen=True, slots=True)
class WalCopy:
    """One place where WAL comes to lie; `target` is what was seen there, None for nothing.

    `sealed`: the command encrypts it on its way; `kept` by what keeps base backups with it.
    """

    to: Address
    place: Place
    label: str
    target: Target | None
    sealed: bool
    kept: bool


def wal_copies(facts: Facts, known: Cover) -> tuple[WalCopy, ...]:
    """Empty where there is no base backup that WAL could be replayed on, and where what makes the

    base backups keeps the WAL beside them. Raises FactError.
    """
    based = known.base or any(j.tool == "pg_basebackup" for j in known.sure)
    if engine_of(known.store) != "postgresql" or not based:
        return ()
    archive = archive_of(facts, known.store, known.real)
    if archive is None:
        return ()
    targets = {t.path: ("pg_receivewal", t) for r in receivers_of(facts) for t in r.targets}
    sealed = False
    found: list[WalCopy] = []
    store = known.real or known.store.path
    if archive.on and sink(archive).kind != "nowhere":
        # elsewhere, and unencrypted, may be what the rest of a script does
        whole(archive)
        targets |= {t.path: (archive.label, t) for t in archive.targets if t.ranges or t.closed}
        sealed = _sealed(archive)
        for to, kept in _sent(facts, archive):
            if not (to.kind == "path" and any(to.path.startswith(p) for p in targets)):
                where = place_of(facts, to, store)
                found.append(
                    WalCopy(to, where, f"{to.label} [{archive.label}]", None, sealed, kept)
                )
    for path, (label, target) in targets.items():
        to = address_of(path)
        where = place_of(facts, to, store)
        found.append(WalCopy(to, where, f"{path} [{label}]", target, sealed, kept=False))
    return tuple(found)


def _lines(archive: Archive) -> list[list[list[str]]]:
    command = archive.settings.get("archive_command", "")
    text = "\n".join([command, *archive.scripts.values()])
    return [line for line, _ in pipelines(text)]


def _sealed(archive: Archive) -> bool:
    return any(encrypts(line) for line in _lines(archive))


def _sent(facts: Facts, archive: Archive) -> list[tuple[Address, bool]]:
    found: list[tuple[Address, bool]] = []
    for line in _lines(archive):
        for at, words in enumerate(line):
            tool, args = tool_and_args(words, {"pgbackrest", "barman-wal-archive"})
            if tool == "pgbackrest":
                found += [(a, True) for a in of_server(facts.capture, tool)]
                continue
            if tool == "barman-wal-archive":
                hosts = [a for a in args if not a.startswith("-")][:1]
                found += [(Address("host", h.lower(), "", h), True) for h in hosts]
                continue
            name, rest = tool_and_args(words, _CARRIERS)
            to = destinations(name, rest, (), "", {}) if name else ()
            if not name and at == 0 and len(line) > 1:
                to = destinations("cat", list(words[1:]), line[1:], "", {})
                to = tuple(a for a in to if a.kind != "path")
            found += [(a, False) for a in to]
    return list(dict.fromkeys(found))


def held(facts: Facts, copy: WalCopy) -> Held:
    """Is the WAL that lies there encrypted, or what it lies on? Raises FactError."""
    newest = copy.target.newest if copy.target else None
    quotes = (Quote(READ, (newest.line, f"holds {newest.holds}"), newest.path),) if newest else ()
    if newest is not None and newest.holds == "ciphertext":
        return Held("yes", "gpg/openssl/age", quotes)
    if newest is None and copy.sealed:
        return Held("yes", "gpg/openssl/age")
    if copy.to.kind == "unknown":
        return Held("unknown", copy.label)
    if copy.to.kind == "path" and copy.place in ("disk", "host"):
        under = facts.get(storage).encryption(facts.get(named).real(copy.to.path))
        if under.encrypted != "no":
            return Held(under.encrypted, under.why, quotes)
    if newest is not None and newest.holds == "other":
        return Held("unknown", newest.path, quotes)
    return Held("no", newest.path if newest else copy.label, quotes)


def readable(facts: Facts, copy: WalCopy) -> str:
    """How others may read the newest segment there; empty where nobody else may, or none was seen.

    Raises FactError.
    """
    target = copy.target
    if target is None or target.newest is None:
        return ""
    mode = target.newest.owned[0]
    if target.owned is not None and not target.owned[0] & 0o011:
        return ""
    if target.owned is not None and not target.owned[0] & 0o001:
        mode &= ~0o007
    path = target.newest.path
    how = opened(facts, path, (mode, *target.newest.owned[1:]), frozenset({"postgres"}))
    return f"{path} ({how})" if how else ""


def rolled_forward(facts: Facts, known: Cover, copy: Copy, made: datetime) -> Reach | None:
    """How far WAL that reaches another host takes a base backup that reached one; None: neither."""
    first = copy
    while first.of is not None:
        first = first.of
    if first.way.tool not in TOOLS:
        return None
    apart = first.way.tool == "pg_basebackup"
    if apart and not any(w.place == "elsewhere" for w in wal_copies(facts, known)):
        return None
    files = [a for a in facts.get(artefacts).all if a.start is not None and a.when <= made]
    base = max(files, key=lambda a: a.when, default=None)
    return reach(facts, known.store, known.real, base, made)
