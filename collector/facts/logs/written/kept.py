"""Every log for as long as it is kept, by what writes it: those of running programs with them.

A folder's name tells of few logs what they are. Which program has one open, or was told to write
it, does: nginx logs into /srv/shop/logs as well as into /var/log/nginx.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from collector.facts.base.paths import within
from collector.facts.base.timestamps import zone_of
from collector.facts.logs import destinations as _stores
from collector.facts.logs import retention as _retention
from collector.facts.logs.destinations import SyslogStore
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.model.families import log_of
from collector.facts.logs.retention import Retention, paths_to_come, removed, retention
from collector.facts.logs.service_logs import looks_like_log, writers
from collector.facts.logs.written import sites as _sites
from collector.facts.logs.written import strangers as _strangers
from collector.facts.logs.written.removed import READS as _REMOVED
from collector.facts.logs.written.removed import removals_beside
from collector.facts.logs.written.sites import site_logs
from collector.facts.logs.written.strangers import needed, strangers
from collector.model import Capture, Read, Text

READS: tuple[Read, ...] = (*_retention.READS, *_strangers.READS, *_sites.READS, *_REMOVED)

_OPEN = "service_logs.open"
_CONFIG = "web_servers.config"
# the family of what programs that nobody knows write, which others reach over the network
STRANGE = "service"


@dataclass(frozen=True, slots=True)
class _Told:
    """A log by who writes it: its path or a glob (empty: where it is does not show)."""

    glob: str
    family: str
    by: str
    quote: tuple[str, str, str]
    rolls: bool = False


def kept_logs(capture: Capture) -> Retention:
    """As `retention`, with the family of what running programs write, and what else they write.

    Raises FactError where programs run of which nobody looked what they write.
    """
    known = retention(capture)
    told = [*_held(capture), *_configured(capture)]
    logs = list(known.logs)
    more: dict[str, LogKept] = {}
    places: set[str] = set()
    for one in told:
        found = [n for n, log in enumerate(logs) if _is(log, one.glob)]
        for n in found:
            logs[n] = _named(logs[n], one)
            if not within(logs[n].path, "/var/log"):
                places.add(logs[n].path.rpartition("/")[0])
        if not found:
            more.setdefault(one.glob or one.quote[1], _unseen(one))
    logs = _by_syslog(capture, logs)
    if removals := removals_beside(capture, places):
        now = capture.collected_at or datetime.fromtimestamp(0, UTC)
        here = now.astimezone(zone_of(capture.head.get("zone", "")))
        groups = {log.path: log.files for log in logs}
        paths = paths_to_come(groups, known.owners, removals, here)
        logs = [removed(log, [log.path, *paths[log.path]], removals, now) for log in logs]
    return replace(known, logs=(*logs, *more.values()))


def _held(capture: Capture) -> Iterator[_Told]:
    """The logs that are open."""
    if not needed(capture):
        return
    for writer in writers(capture):
        service = writer.service
        for path in writer.logs:
            if looks_like_log(path):
                yield _Told(
                    path, service.family, service.id, (_OPEN, writer.line, ""), service.rolls
                )
    for one in strangers(capture):
        for path in one.logs:
            by = f"{one.name} ({', '.join(one.ports[:3])})"
            yield _Told(path, STRANGE, by, (_OPEN, one.line, ""), rolls=True)


def _configured(capture: Capture) -> Iterable[_Told]:
    """What web servers were told to write and do not hold open."""
    stores = _stores.log_stores(capture)
    return [
        _Told(kept.glob, "web", kept.server, (_CONFIG, kept.line, kept.config))
        for kept in site_logs(capture, stores)
    ]


def _by_syslog(capture: Capture, logs: Sequence[LogKept]) -> list[LogKept]:
    """What a running syslog daemon writes logins or all the rest to is that, whatever its name."""
    named: dict[str, tuple[str, SyslogStore]] = {}
    for store in _stores.log_stores(capture).syslog:
        if store.active:
            named |= dict.fromkeys(store.general, ("syslog", store))
            named |= dict.fromkeys(store.logins, ("login", store))
    found = []
    for log in logs:
        if log.family == "other" and log.path in named:
            family, store = named[log.path]
            line = next((x for x in store.quotes if log.path in x), store.line)
            log = replace(log, family=family, quotes=(*log.quotes, (store.read, line, "")))
        found.append(log)
    return found


def _is(log: LogKept, glob: str) -> bool:
    if not glob:
        return False
    paths = {log.path, *(file.path for file in log.files)}
    if glob in paths or log_of(glob, paths) == log.path:
        return True
    return "*" in glob and any(fnmatchcase(path, glob) for path in paths)


def _named(log: LogKept, one: _Told) -> LogKept:
    """The log with what its writer tells: what its path tells of itself goes before."""
    stranger = one.family == STRANGE
    if stranger and log.family != "other":
        return log
    if log.family == "other":
        log = replace(log, family=one.family, quotes=(*log.quotes, one.quote))
    if one.rolls and log.known and log.least is None:
        why = Text(
            f"由 {one.by} 写入，其是否自行删除旧文件、何时删除不详",
            f"{one.by} writes it, and whether and when it removes old files by itself is not known",
        )
        return replace(log, holder=one.by, known=False, floor=0, why=why)
    return replace(log, holder=one.by) if stranger else log


def _unseen(one: _Told) -> LogKept:
    """A log of which nobody looked at a single file."""
    where = one.glob or one.quote[1]
    why = Text(
        f"由 {one.by} 写入，但未查看该位置的文件，也未找到轮转它的规则",
        f"{one.by} writes it, nobody looked at the files there, and no rule rotates it",
    )
    if not one.glob:
        why = Text(
            f"{one.by} 把请求记到此处，其去向无从得知",
            f"{one.by} logs requests by it, and where they come to rest does not show",
        )
    return LogKept(where, one.family, None, False, why, quotes=(one.quote,), unseen=True)
