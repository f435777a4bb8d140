"""Logs that are removed by size: the journal, and auditd's own files.

How many days a size holds follows from the rate that was observed; where too little was observed
to tell, it is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from collector.errors import FactError
from collector.facts.logs.audit import status as _audit
from collector.facts.logs.destinations import Stores
from collector.facts.logs.files import LogFile
from collector.facts.logs.journald.journal import Held, Journald
from collector.facts.logs.log_kept import LogKept
from collector.facts.storage import volumes as _storage
from collector.model import Capture, Text

JOURNAL = "/var/log/journal"
_DAY = 86400
_MIB = 1 << 20
# days; more than anybody asks for
_LONG = 1095
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
    # what is not set is so in auditd-config.c: less than two files are not rotated
    action = audit.setting("max_log_file_action", "ignore")
    number, size = audit.setting("num_logs", "0"), audit.setting("max_log_file", "0")
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
            log, least=None, known=False, most=most, floor=0, why=why, removed=True, quotes=quotes
        )
    least = min(n for n in (days, log.least, log.most) if n is not None)
    return replace(
        log, least=least, known=True, most=None, why=_rate(why), removed=True, quotes=quotes
    )


def limited(log: LogKept, daemon: str, quote: tuple[str, str, str]) -> LogKept:
    """A log that its syslog daemon makes an old file of at a size: what becomes of that one, the

    program that it starts decides.
    """
    why = Text(
        f"{daemon} 在文件达到一定大小时自行轮转：{quote[1]}",
        f"{daemon} makes an old file of it at a size: {quote[1]}",
    )
    most = log.least if log.known else log.most
    return replace(
        log, least=None, known=False, most=most, floor=0, why=_by_size(why), removed=True,
        quotes=(*log.quotes, quote),
    )  # fmt: skip


def journal_log(stores: Stores, capture: Capture, now: datetime) -> LogKept:
    """The journal. It removes whole files by the time of their first entry, so that a file's last

    entries go up to MaxFileSec before MaxRetentionSec is over.
    """
    journal = stores.journal
    held = journal.folder(JOURNAL)
    quotes = [("journald.config", journal.line, "")]
    unsure = journal.on_disk and stores.journal_runs and not journal.taken.holds()
    # whatever it has taken up: what lies there lies in memory
    if unsure and not stores.journal_mount:
        return _written_only(journal, held, quotes)
    if not stores.journal_on_disk:
        if stores.journal_mount:
            quotes.append(("storage.mounts", stores.journal_mount, ""))
        why = Text("日志只在内存中，重启即丢失", "the journal lies in memory: a reboot loses it")
        return LogKept(JOURNAL, "journal", 0, True, why, quotes=tuple(quotes))
    return _journal(JOURNAL, journal, held, quotes, capture, now)


def _written_only(
    journal: Journald, held: Held | None, quotes: list[tuple[str, str, str]]
) -> LogKept:
    """By which limits the journald that runs removes its files is not told."""
    where = journal.taken.path
    asked = journal.taken.how != "not_asked"
    why = Text(f"journald 尚未读取现有配置 {where}", f"journald has not taken up {where}")
    if not asked:
        why = Text(
            "未采集 journald 是否已读取现有配置，请重新采集",
            "whether journald has taken up its files was not collected: collect again",
        )
    quotes += [("journald.held", f"run={line}", "") for line in journal.taken.lines]
    first = held.first if held else None
    raw = first.isoformat() if first else ""
    return LogKept(
        JOURNAL, "journal", None, False, why, oldest=first, raw=raw, held=JOURNAL,
        quotes=tuple(quotes),
    )  # fmt: skip


def namespace_logs(stores: Stores, capture: Capture, now: datetime) -> list[LogKept]:
    """The journals of namespaces (LogNamespace= of a unit), each with a configuration of its own.

    What a namespace gets stands nowhere else: journald hands it to no syslog daemon.
    """
    logs = []
    for journal in stores.journal.namespaces:
        path = f"{JOURNAL} ({journal.namespace})"
        held = journal.folder(JOURNAL)
        quotes = [("journald.config", journal.line, "")]
        if held is None and journal.held:
            why = Text("命名空间日志只在内存中", "the journal of this namespace lies in memory")
            logs.append(LogKept(path, "journal", 0, True, why, quotes=tuple(quotes)))
        elif held is not None:
            logs.append(_journal(path, journal, held, quotes, capture, now))
    return logs


def _journal(
    path: str,
    journal: Journald,
    held: Held | None,
    quotes: list[tuple[str, str, str]],
    capture: Capture,
    now: datetime,
) -> LogKept:
    bounds, said = [], "SystemMaxUse=10% (<=4G)"
    if journal.max_use is not None:
        said = f"SystemMaxUse={journal.max_use >> 20}M"
    if journal.retention:
        bounds.append(int(max(journal.retention - journal.file_span, 0) // _DAY))
        said += f", MaxRetentionSec={journal.retention / _DAY:g}d"
        said += f", MaxFileSec={journal.file_span / _DAY:.0f}d"
    if journal.max_files and journal.file_span:
        files = int(journal.max_files * journal.file_span // _DAY)
        # with monthly files the number of files bounds nothing that anybody looks for
        if files < _LONG:
            bounds.append(files)
            said += f", SystemMaxFiles={journal.max_files} x {journal.file_span / _DAY:g}d"
    bound = min(bounds, default=None)
    why = Text(f"journald：{said}", f"journald: {said}")
    first = held.first if held else None
    room = _journal_room(journal, held, capture)
    days = at_rate(room, held.size, first, now) if held and room else None
    known = days is not None
    return LogKept(
        path,
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


def _journal_room(journal: Journald, held: Held | None, capture: Capture) -> int | None:
    """Bytes that are surely still there right after a file was removed (journald.conf(5)).

    None where the file system's size was not seen: not known, no error.
    """
    try:
        space = _storage.space_of(_storage.spaces(capture), JOURNAL)
    except FactError:
        space = None
    if space is not None:
        used = max(held.size, 0) if held else 0
        limit = journal.limit(space.size, space.available, used)
    else:
        limit = journal.max_use or None
    if limit is None:
        return None
    return limit - journal.file_bytes(limit)


def _rate(why: Text) -> Text:
    return Text(f"{why.zh}，按观察到的增长速度", f"{why.en}, at the rate observed")


def _by_size(why: Text) -> Text:
    return Text(f"{why.zh}，由大小决定", f"{why.en}: size decides")
