"""Where a host's messages come to rest: which syslog daemon runs, and the journal, on what disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from collector.facts.logs.journald import journal as _journald
from collector.facts.logs.syslog import routing as _syslog
from collector.facts.logs.syslog.daemons import Running, syslog_running
from collector.facts.storage import volumes as _storage
from collector.facts.storage.mounts import in_memory
from collector.facts.storage.mounts import mounts as mounts_of
from collector.facts.system import processes as _processes
from collector.facts.system import services as _services
from collector.facts.system.taken_up import NOT_ASKED, Taken
from collector.model import Capture, Read

READS: tuple[Read, ...] = (
    *_services.READS,
    *_processes.READS,
    *_journald.READS,
    *_syslog.READS,
    *(read for read in _storage.READS if read.id in ("storage.mounts", "storage.space")),
)

JOURNALD = "systemd-journald"
# of the facilities, those that stand for everything that is not a login
_GENERAL = ("daemon", "user", "syslog")
_LOGINS = ("authpriv", "auth")


@dataclass(frozen=True, slots=True)
class SyslogStore:
    """A syslog daemon that is there: does it run, does it start at boot, what does it keep.

    `logins` and `general` are the files on disk that get such messages, `memory` the files that
    a reboot loses; `unclear` are outputs to files under conditions that are not understood;
    `fed` is whether messages of this host come to it at all; `lost` are facilities of logins that
    no file gets (sshd writes to auth on the Debian family, to authpriv on the RHEL family).
    `limited` are its files that it makes old ones of itself, at a size: the line that says so.
    `nowhere` are those of its files that are links to a device (`PATH -> TARGET`); None where
    nobody asked for links.
    `taken` tells whether the one that runs has what is written, and journald, which hands on to it:
    `taker` is the one of the two that has not.
    """

    daemon: str
    active: bool
    enabled: bool
    line: str
    logins: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    read: str = ""
    fed: bool = True
    lost: tuple[str, ...] = ()
    limited: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    taken: Taken = NOT_ASKED
    taker: str = ""
    nowhere: tuple[str, ...] | None = None

    @property
    def stores_all(self) -> bool:
        return self.active and self.fed and bool(self.logins and self.general and not self.lost)


@dataclass(frozen=True, slots=True)
class Stores:
    """The syslog daemons that are installed, and the journal.

    `journal_mount` is the line of the mount that makes the journal volatile; `others` are running
    daemons of a kind whose configuration is not read.
    """

    syslog: tuple[SyslogStore, ...]
    journal: _journald.Journald
    journal_runs: bool
    journal_on_disk: bool
    journal_mount: str = ""
    others: tuple[str, ...] = ()
    mounts: _storage.Storage = field(default_factory=lambda: _storage.Storage((), {}, {}))

    @property
    def journal_there(self) -> bool:
        """Is there a journald at all, running or not?"""
        return self.journal_runs or self.journal.present or any(h.first for h in self.journal.held)

    @property
    def running(self) -> SyslogStore | None:
        """The daemon that runs and keeps both logins and the rest in files on disk."""
        return next((s for s in self.syslog if s.stores_all), None)


def memory_mount(mounts: _storage.Storage, path: str) -> str:
    """The mountinfo line of the memory that `path` comes to lie in; empty when it is on disk."""
    mount = mounts.mount_of(path)
    memory = None if mount is None else in_memory(mounts.mounts, mount)
    return "" if memory is None else memory.line


def log_stores(capture: Capture) -> Stores:
    """Raises FactError where units, configuration or mounts could not be read."""
    mounts = _storage.Storage(mounts_of(capture), {}, {})
    known = _services.services(capture)
    journal = _journald.journald(capture)
    runs = known.unit(JOURNALD).active
    found = []
    for parse, unit in ((_syslog.rsyslog, "rsyslog"), (_syslog.syslog_ng, "syslog-ng")):
        if known.unit(unit).known or unit in known.scripts:
            config = parse(capture)
            running_now = syslog_running(capture)
            store = _store(config, known, unit, mounts, running_now)
            # journald holds the socket, and hands on what it gets unless it is told not to
            kept = runs and not journal.forwards
            inputs = config.inputs & {"socket", "journal"}
            cut = runs and journal.leaves_out("MaxLevelStore")
            closed = ({"socket"} if kept else set()) | ({"journal"} if cut else set())
            fed = bool(inputs - closed)
            taker = "rsyslogd" if unit == "rsyslog" else unit
            taken = running_now.taken(taker)
            if runs and taken.holds() and not journal.taken.holds():
                taken, taker = journal.taken, JOURNALD
            store = replace(store, fed=fed, taken=taken, taker=taker)
            if not known.systemd:
                # without units only the running program tells
                places = ("/sbin", "/usr/sbin", "/usr/local/sbin", "/usr/bin")
                programs = [f"{place}/{unit}{end}" for place in places for end in ("", "d")]
                running = _processes.processes(capture).running(*programs)
                own = _processes.of_the_host(p for p in running if not p.login)
                store = replace(store, active=bool(own))
            found.append(store)
    others = () if found or runs else _others(capture)
    volatile = memory_mount(mounts, "/var/log/journal")
    return Stores(
        tuple(found),
        journal,
        runs,
        runs and journal.shown_on_disk and not volatile,
        volatile if journal.on_disk else "",
        others,
        mounts,
    )


def _others(capture: Capture) -> tuple[str, ...]:
    named = _processes.processes(capture).named("syslogd", "metalog", "socklog", "svlogd")
    return tuple(process.line for process in named)


def _store(
    config: _syslog.Syslog,
    known: _services.Services,
    unit: str,
    mounts: _storage.Storage,
    now: Running,
) -> SyslogStore:
    state = known.unit(unit)
    files = {
        name: [o for o in config.files_of(name) if not _nowhere(now.place(o.path))]
        for name in (*_LOGINS, *_GENERAL)
    }
    logins = [o for name in _LOGINS for o in files[name]]
    general = [o for name in _GENERAL for o in files[name]]
    memory = {o.path for o in (*logins, *general) if memory_mount(mounts, now.place(o.path))}
    led = [o.path for name in files for o in config.files_of(name) if o not in files[name]]
    return SyslogStore(
        unit,
        state.active,
        known.starts_at_boot(unit),
        state.line,
        tuple(dict.fromkeys(o.path for o in logins if o.path not in memory)),
        tuple(dict.fromkeys(o.path for o in general if o.path not in memory)),
        tuple(sorted(memory)),
        tuple(dict.fromkeys(o.line for o in config.unclear())),
        tuple(dict.fromkeys(o.line for o in (*logins, *general))),
        "syslog.rsyslog" if unit == "rsyslog" else "syslog.syslog_ng",
        lost=tuple(name for name in _LOGINS if not files[name]),
        limited={o.path: o.line for o in config.outputs if o.path and o.limit},
        nowhere=None
        if now.links is None
        else tuple(dict.fromkeys(f"{path} -> {now.place(path)}" for path in led)),
    )


def _nowhere(path: str) -> bool:
    """Is it a device, and no file? What is written there is gone."""
    return path.startswith("/dev/") and path.count("/") == 2
