"""Logs that are removed by size: the journal, and auditd's own files.

How many days a size holds follows from the rate that was observed; where too little was observed
to tell, it is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from collector.errors import FactError
from collector.facts import audit as _audit
from collector.facts import storage as _storage
from collector.facts.journald import Journald
from collector.facts.log_files import LogFile
from collector.facts.log_kept import LogKept
from collector.facts.log_stores import Stores
from collector.model import Capture, Text

JOURNAL = "/var/log/journal"
AUDIT_LOG = "/var/log/audit/audit.log"
_DAY = 86400
_GIB, _MIB = 1 << 30, 1 << 20
# less than this says too little of the rate of a whole half-year
_OBSERVED_DAYS = 30


def at_rate(room: int, size: int, first: datetime | None, now: datetime) -> int | None:
    """Days that `room` bytes hold, where `size` bytes have come since `first`.

    None where less than a month was observed, unless the room is nearly used: then what lies there
    shows what it holds.
    """
    if first is None or size <= 0:
        return None
    days = (now - first).total_seconds() / _DAY
    if days < _OBSERVED_DAYS and size < 0.8 * room:
        return None
    return int(days * room / size)


def audited(log: LogKept, files: Sequence[LogFile], capture: Capture, now: datetime) -> LogKept:
    """The audit log under auditd.conf(5): by size, max_log_file x num_logs, or kept for ever."""
    audit = _audit.audit(capture)
    if audit.config is None or (not log.known and log.most is None):
        return log
    action = audit.setting("max_log_file_action", "rotate")
    number, size = audit.setting("num_logs", "5"), audit.setting("max_log_file", "8")
    words = f"max_log_file_action={action}, num_logs={number}, max_log_file={size}"
    quotes = (*log.quotes, ("audit.config", words, "/etc/audit/auditd.conf"))
    why = Text(f"auditd：{words}", f"auditd: {words}")
    rotates = action == "rotate" and number.isdecimal() and int(number) >= 2 and size.isdecimal()
    if not rotates:
        return replace(log, why=why, quotes=quotes) if log.least is None else log
    # right after a rotation the oldest file is gone and the newest empty
    room = (int(number) - 1) * int(size) * _MIB
    days = at_rate(room, sum(f.size for f in files), log.oldest, now)
    if days is None:
        most = log.least if log.known else log.most
        why = _by_size(why)
        return replace(
            log, least=None, known=False, most=most, why=why, removed=True, quotes=quotes
        )
    least = min(n for n in (days, log.least, log.most) if n is not None)
    return replace(
        log, least=least, known=True, most=None, why=_rate(why), removed=True, quotes=quotes
    )


def journal_log(stores: Stores, capture: Capture, now: datetime) -> LogKept:
    """The journal. It removes whole files by the time of their first entry, so that a file's last

    entries go up to MaxFileSec before MaxRetentionSec is over.
    """
    journal = stores.journal
    held = journal.folder(JOURNAL)
    quotes = [("journald.config", journal.line, "")]
    if not stores.journal_on_disk:
        if stores.journal_mount:
            quotes.append(("storage.mounts", stores.journal_mount, ""))
        why = Text("日志只在内存中，重启即丢失", "the journal lies in memory: a reboot loses it")
        return LogKept(JOURNAL, "journal", 0, True, why, quotes=tuple(quotes))
    bound, said = None, "SystemMaxUse=10% (<=4G)"
    if journal.max_use:
        said = f"SystemMaxUse={journal.max_use >> 20}M"
    if journal.retention:
        bound = int(max(journal.retention - journal.file_span, 0) // _DAY)
        said += f", MaxRetentionSec={journal.retention / _DAY:g}d"
        said += f", MaxFileSec={journal.file_span / _DAY:.0f}d"
    why = Text(f"journald：{said}", f"journald: {said}")
    first = held.first if held else None
    room = _journal_room(journal, capture)
    days = at_rate(room, held.size, first, now) if held and room else None
    known = days is not None
    return LogKept(
        JOURNAL,
        "journal",
        min(n for n in (days, bound) if n is not None) if known else None,
        known,
        _rate(why) if known else _by_size(why),
        most=None if known else bound,
        oldest=first,
        raw=first.isoformat() if first else "",
        held=JOURNAL,
        written=held is not None and held.size > 0,
        quotes=tuple(quotes),
    )


def _journal_room(journal: Journald, capture: Capture) -> int | None:
    """Bytes that are surely still there right after a file was removed (journald.conf(5)).

    SystemMaxUse is by default a tenth of the file system and at most 4 GiB; one file is an eighth
    of it and at most 128 MiB. None where the file system's size was not seen: not known, no error.
    """
    limit = journal.max_use
    try:
        space = _storage.space_of(_storage.spaces(capture), JOURNAL)
    except FactError:
        space = None
    if limit is None:
        if space is None:
            return None
        limit = min(space.size // 10, 4 * _GIB)
    if space is not None:
        held = journal.folder(JOURNAL)
        keep_free = min(space.size * 15 // 100, 4 * _GIB)
        limit = min(limit, max(space.available - keep_free, 0) + (held.size if held else 0))
    return limit - min(limit // 8, 128 * _MIB)


def _rate(why: Text) -> Text:
    return Text(f"{why.zh}，按观察到的增长速度", f"{why.en}, at the rate observed")


def _by_size(why: Text) -> Text:
    return Text(f"{why.zh}，由大小决定", f"{why.en}: size decides")
