"""How far a base backup of PostgreSQL can be rolled forward: by WAL archived since, without a gap.

WAL without a base backup restores nothing; a base backup without WAL restores the moment it was
made. PostgreSQL documentation, 25.3 (Continuous Archiving and Point-in-Time Recovery).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.files import Artefact, artefacts
from collector.facts.backup.commands.command_lines import commands
from collector.facts.backup.postgresql.wal import READ, Archive, Receiver, Target, wal
from collector.facts.data.inventory import Store
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Facts, Quote

# What takes base backups that WAL can be replayed on; of a dump it cannot.
TOOLS = frozenset({"pg_basebackup", "pgbackrest", "barman", "wal-g"})
# They keep base backups and WAL together, and drop no WAL that a base backup still needs.
_KEEPERS = {"pgbackrest", "barman-wal-archive", "barman-cloud-wal-archive", "wal-g", "wal-e",
            "pg_probackup"}  # fmt: skip
_CARRIERS = {"rsync", "scp", "ssh", "sftp", "lftp", "rclone", "aws", "s3cmd", "ossutil", "obsutil",
             "coscli", "mc", "curl", "ossutil64", "restic", "borg", "envdir"}  # fmt: skip
_NOTHING = {"true", "false", ":", "exit", "cd", "echo", "test", "[", "printf", "logger", "sleep",
            "cat", "mkdir", "date", "if", "then", "fi", "set", "export", "return"}  # fmt: skip
_COPIERS = {"cp", "install", "dd", "gzip", "zstd", "lz4", "xz", "pigz", "bzip2", "gpg", "openssl",
            "age", "mv", "ln", "tee", "pg_compresslog", *_CARRIERS}  # fmt: skip
_SKEW = timedelta(hours=1)
_STAMP = "%Y-%m-%dT%H:%MZ"

State = Literal["good", "broken", "untold", "none"]


@dataclass(frozen=True, slots=True)
class Reach:
    """Up to `when` a base backup can be rolled forward (None: not beyond itself).

    `good`: WAL goes on being archived; `broken`: it does not, or what arrived has a gap; `none`: no
    WAL is archived. `why` names the case by PostgreSQL's own words, which stand in both languages.
    """

    state: State
    when: datetime | None
    why: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the WAL of a store goes: `targets` are folders where it was seen to arrive.

    `kind`: `folder`, `sent` (to where a tool carries it), `nowhere`, `unclear`.
    """

    kind: Literal["folder", "sent", "nowhere", "unclear"]
    label: str
    tools: tuple[str, ...]
    targets: tuple[Target, ...]


def archive_of(facts: Facts, store: Store, real: str) -> Archive | None:
    """The server of the store; None where none that runs is. Raises FactError."""
    known = facts.get(wal)
    mine = {p for p in (store.path, real) if p.startswith("/")}
    for archive in known.archives:
        if archive.folder.rstrip("/") in mine:
            return archive
    if not mine and len(known.archives) == 1:
        return known.archives[0]
    seen = {a.folder.rstrip("/") for a in known.archives}
    run = facts.get(processes)
    servers = [p for p in run.named("postgres", "postmaster") if not p.container]
    if servers and not seen:
        raise CouldNotLook(READ, msg("postgresql_runs_socket_not"))
    return None


def receivers_of(facts: Facts) -> tuple[Receiver, ...]:
    """What receives WAL of a server of this host, on this host. Raises FactError."""
    here = ("", "localhost", "127.0.0.1", "::1")
    return tuple(r for r in facts.get(wal).receivers if r.host in here and r.folder)


def followers(facts: Facts, store: Store, real: str) -> tuple[str, ...]:
    """Receivers of WAL on other hosts (pg_receivewal, Barman), which know of its base backups."""
    archive = archive_of(facts, store, real)
    found = archive.senders if archive else ()
    return tuple(
        f"{s.name} ({s.host})"
        for s in found
        if s.host and re.search(r"receive_?(wal|xlog)|barman|pghoard|pg_basebackup", s.name)
    )


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """What there is of a store that no job backs up: `label` names what archives its WAL.

    `base`: a base backup lies here that the WAL rolls forward; `followers` receive it elsewhere.
    """

    label: str
    base: bool
    followers: tuple[str, ...]


def unscheduled(facts: Facts, store: Store, real: str) -> Unscheduled:
    """Raises FactError."""
    archive = archive_of(facts, store, real)
    label = ""
    if archive is not None and archive.on and sink(archive).kind != "nowhere":
        label = archive.label
    elif archive is not None and receivers_of(facts):
        label = "pg_receivewal"
    seen = any(a.start is not None and not a.fault for a in facts.get(artefacts).all)
    return Unscheduled(label, bool(label) and seen, followers(facts, store, real))


def whole(archive: Archive) -> None:
    """Raises CouldNotLook where scripts or paths of the archive_command were cut."""
    if archive.cut:
        raise CouldNotLook(READ, msg("longer_read", path=", ".join(archive.cut)))


def sink(archive: Archive) -> Sink:
    """Where archive_command, or archive_library, puts the WAL.

    Raises CouldNotLook where nothing is seen to arrive and what it names was not read whole.
    """
    library = archive.settings.get("archive_library", "").strip()
    command = archive.settings.get("archive_command", "").strip()
    text = "\n".join([command, *archive.scripts.values()])
    words = [w for w, _ in commands(text)]
    names = {w[0].rpartition("/")[2] for w in words if w}
    arrived = tuple(t for t in archive.targets if t.ranges)
    tools = tuple(sorted(names & (_KEEPERS | _CARRIERS)))
    label = f"archive_library={library}" if library else f"archive_command={command[:120]}"
    if arrived:
        return Sink("folder", label, tools, arrived)
    whole(archive)
    if library:
        basic = library == "basic_archive"
        told = archive.settings.get("basic_archive.archive_directory", "")
        kind: Literal["nowhere", "unclear"] = "nowhere" if basic and not told else "unclear"
        return Sink(kind, label, (), archive.targets)
    inner = [n for w in words for n in (x.rpartition("/")[2] for x in w)]
    keepers = tuple(dict.fromkeys(n for n in inner if n in _KEEPERS or n in _CARRIERS))
    if keepers:
        return Sink("sent", label, keepers, archive.targets)
    shown = {w for part in words for w in part}
    if not command or names <= _NOTHING or ("/dev/null" in shown and not names - _NOTHING - {"cp"}):
        return Sink("nowhere", label, (), ())
    if names & _COPIERS and archive.targets:
        # the folder is there, and nothing is in it
        return Sink("folder", label, (), archive.targets)
    return Sink("unclear", label, (), archive.targets)


def reach(facts: Facts, store: Store, real: str, base: Artefact | None, made: datetime) -> Reach:
    """How far WAL takes a base backup that was `made` then; `base` is its file, if seen here.

    Raises FactError.
    """
    archive = archive_of(facts, store, real)
    if archive is None:
        return Reach("none", None, "")
    if not archive.told:
        return Reach("untold", None, f"{archive.socket}: archive_mode")
    received = _received(archive, receivers_of(facts), base, made)
    if received is not None:
        return received
    if not archive.on:
        return Reach("none", None, f"archive_mode={archive.settings.get('archive_mode', '?')}")
    to = sink(archive)
    quotes = (Quote(READ, archive.lines),)
    if to.kind == "nowhere":
        return Reach("broken", None, to.label, quotes)
    found = _archiver(archive, quotes)
    if to.kind == "unclear":
        known = found.state == "broken"
        return found if known else Reach("untold", None, to.label, quotes)
    if to.kind == "sent":
        return found
    answers = [_arrived(archive, t, found, base, made) for t in to.targets]
    order: list[State] = ["good", "untold", "broken", "none"]
    return min(answers, key=lambda a: order.index(a.state))


def _archiver(archive: Archive, quotes: tuple[Quote, ...]) -> Reach:
    """By the server's own counters; where it did not answer, by the marks in archive_status."""
    last, failed = archive.archived, archive.failed
    when = last[1] if last else (archive.done if archive.ready is not None else None)
    waiting = f"ready={archive.ready}" if archive.ready is not None else "ready=?"
    if failed is not None and (last is None or failed[1] > last[1]):
        said = f"last_failed_time={failed[1]:{_STAMP}}"
        said += f" last_archived_time={last[1]:{_STAMP}}" if last else ""
        return Reach("broken", when, f"pg_stat_archiver {said} {waiting}", quotes)
    if archive.ready is None and not archive.answered:
        return Reach("untold", None, f"{archive.folder}/pg_wal/archive_status", quotes)
    if archive.ready == 0 and archive.timeout and archive.answered and when is not None:
        # all that was written before the last switch has been archived
        when = max(when, archive.now - timedelta(seconds=archive.timeout))
    if when is None:
        return Reach("untold" if not archive.ready else "broken", None, waiting, quotes)
    said = "pg_stat_archiver last_archived_time" if last else "archive_status/*.done"
    return Reach("good", when, f"{said} archive_timeout={archive.timeout} {waiting}", quotes)


def _arrived(
    archive: Archive, target: Target, told: Reach, base: Artefact | None, made: datetime
) -> Reach:
    """What has arrived in a folder of this host counts, whatever the archiver believes."""
    if target.closed:
        raise CouldNotLook(READ, msg("closed_user", path=target.path))
    newest = target.newest
    if newest is None:
        return Reach("broken", None, f"{target.path}: 0 WAL", told.quotes)
    quotes = (*told.quotes, Quote(READ, (newest.line,), newest.path))
    last = archive.archived
    if last is not None and newest.name < last[0] and newest.name[:8] == last[0][:8]:
        why = f"last_archived_wal={last[0]}, {target.path}: {newest.name}"
        return Reach("broken", newest.when, why, quotes)
    if newest.size == 0 or (newest.holds == "wal" and newest.size != archive.size):
        why = f"{newest.path}: {newest.size} / {archive.size}"
        return Reach("broken", None, why, quotes)
    gap = _gap(target, archive.size, base, made)
    if gap is None:
        return Reach("untold", None, f"{target.path}: START WAL LOCATION ?", quotes)
    if gap:
        return Reach("broken", None, f"{target.path}: {gap}", quotes)
    return Reach(told.state, told.when or newest.when, told.why, quotes)


def _received(
    archive: Archive, receivers: Sequence[Receiver], base: Artefact | None, made: datetime
) -> Reach | None:
    """By a pg_receivewal on this host; None where none is of this server and streams."""
    streams = [s for s in archive.senders if not s.host and re.search("receive", s.name)]
    for receiver in receivers:
        for target in receiver.targets:
            if not target.ranges and target.partial is None:
                continue
            quotes = (Quote(READ, (receiver.line,)),)
            gap = _gap(target, archive.size, base, made) if target.ranges else None
            if gap is None:
                return Reach("untold", None, f"{target.path}: START WAL LOCATION ?", quotes)
            if gap:
                return Reach("broken", None, f"{target.path}: {gap}", quotes)
            if any(s.state == "streaming" for s in streams):
                return Reach("good", archive.now, "pg_receivewal streaming", quotes)
            return Reach("broken", target.partial, "pg_receivewal: no pg_stat_replication", quotes)
    return None


def _gap(target: Target, size: int, base: Artefact | None, made: datetime) -> str | None:
    """Which segment is missing between the base backup's first and the newest; empty for none.

    None where it is not seen at which segment the base backup begins.
    """
    begins = _begins(target, size, base, made)
    if begins is None:
        return None
    line, first = int(begins[:8], 16), _number(begins, size)
    reached: int | None = None
    for start, end in sorted(target.ranges):
        here, low, high = int(start[:8], 16), _number(start, size), _number(end, size)
        if reached is None:
            if here == line and low <= first <= high:
                reached = high
        elif here > line and low <= reached + 1 <= high + 1:
            line, reached = here, high
        elif here == line and low > reached + 1:
            return f"... {_name(line, reached, size)} | {start} ..."
    return "" if reached is not None else f"{begins} ?"


def _begins(target: Target, size: int, base: Artefact | None, made: datetime) -> str | None:
    if base is not None and base.start is not None:
        line, position = base.start
        return _name(line, position // size, size)
    near = [b for b in target.bases if abs(b[0] - made) <= _SKEW]
    return max(near)[1] if near else None


def _number(name: str, size: int) -> int:
    return int(name[8:16], 16) * ((1 << 32) // size) + int(name[16:24], 16)


def _name(line: int, number: int, size: int) -> str:
    log, segment = divmod(number, (1 << 32) // size)
    return f"{line:08X}{log:08X}{segment:08X}"
