"""Where web servers log, beside the files that they hold open: syslog, names made of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from collector.facts.logs import service_logs as _services
from collector.facts.logs.destinations import READS as _STORE_READS
from collector.facts.logs.destinations import Stores
from collector.facts.logs.model.syslog_message import Output
from collector.facts.logs.syslog import routing
from collector.facts.logs.syslog.daemons import syslog_running
from collector.facts.logs.web.access_logs import configured_sites
from collector.facts.logs.web.models import Site
from collector.facts.logs.web.servers import PROGRAMS
from collector.facts.logs.web.servers import READS as _SERVER_READS
from collector.facts.system.processes import processes
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_SERVER_READS, *_STORE_READS)

_LOCAL = re.compile(
    r"unix:/(?:dev/log|run/systemd/journal/dev-log|var/run/log)|(?:127\.[\d.]+|localhost|\[::1\])(?::\d+)?"
)
_VARIABLE = re.compile(r"\$\{?\w+\}?|%\{[^}]*\}\w?|%[-_0^#EO]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that a site's requests come to: a path, or a glob of paths.

    `line` is the directive that says so. Without a `glob` it does not show where they are.
    """

    glob: str
    server: str
    line: str
    config: str


def site_logs(capture: Capture, stores: Stores) -> tuple[Kept, ...]:
    """Raises FactError where the settings of a web server that runs could not be followed."""
    names = {*PROGRAMS, "java"}
    run = [p for p in processes(capture).all if not p.container]
    if not any({p.name, (p.exe or "").rpartition("/")[2]} & names for p in run):
        return ()
    return tuple(k for site in configured_sites(capture) for k in _of(capture, stores, site))


def _of(capture: Capture, stores: Stores, site: Site) -> Iterator[Kept]:
    for log in site.logs:
        path = log.path
        if path.startswith("syslog:"):
            globs = _by_syslog(capture, stores, path)
        elif path.startswith("|"):
            globs = _piped(capture, stores, path)
        elif path.startswith(("/", "$", "%")) and _VARIABLE.search(path):
            # opened for each record: it is not seen among the open files
            bare = re.sub(r"\*+", "*", _VARIABLE.sub("*", path))
            globs = [bare if bare.startswith("/") else ""]
        else:
            continue
        for glob in globs:
            yield Kept(glob, site.server, log.line, site.config)


def _by_syslog(capture: Capture, stores: Stores, path: str) -> list[str]:
    """`syslog:server=PLACE,facility=NAME`, local7 where none is said (ngx_syslog.c)."""
    told = dict(word.partition("=")[::2] for word in path.removeprefix("syslog:").split(","))
    if not _LOCAL.fullmatch(told.get("server", "unix:/dev/log")):
        return [""]
    return _files_of(capture, stores, told.get("facility", "local7").lower())


def _piped(capture: Capture, stores: Stores, path: str) -> list[str]:
    """What rotatelogs and its like write is seen in their own open files."""
    words = path.lstrip("|$ ").replace('"', " ").split()
    program = words[0].rpartition("/")[2] if words else ""
    if program in _services.PIPES:
        return []
    if program != "logger":
        return [""]
    said = re.search(r"\s(?:-p|--priority)[ =]?(\w+)", path)
    return _files_of(capture, stores, said[1].lower() if said else "user")


def _files_of(capture: Capture, stores: Stores, facility: str) -> list[str]:
    """The files that messages of a facility come to, or may."""
    active = [s for s in stores.syslog if s.active and s.fed]
    found: list[Output] = []
    for store in active:
        parse = routing.rsyslog if store.daemon == "rsyslog" else routing.syslog_ng
        found += [
            o for o in parse(capture).outputs if o.path and facility in (o.takes | o.may | o.unsure)
        ]
    if not found:
        # the journal has them: it is judged where no daemon keeps the same in files
        return [""] if stores.running or not stores.journal_runs else []
    place = syslog_running(capture).place
    return [re.sub(r"%[^%]*%|\$\{?\w+\}?", "*", place(o.path)) for o in found]
