"""Which logs leave the host, and to where: what syslog daemons and log agents are told to send.

What is *configured* stands in `Target`; whether it arrives is told by `log_arrival`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collector.facts.logs.audit import status as _audit
from collector.facts.logs.forwarding import connections as _links
from collector.facts.logs.forwarding.agents import AGENTS, settings_of
from collector.facts.logs.syslog import routing as _syslog
from collector.model import Capture, HostStatus, Read

READS: tuple[Read, ...] = (*_syslog.READS, *_links.READS, _audit.CONFIG)

# the files that distributions put logins and everything else into
_LOGIN_FILES = ("/var/log/auth.log", "/var/log/secure")
_GENERAL_FILES = ("/var/log/syslog", "/var/log/messages")
_GENERAL = "daemon"
JOURNAL = "/var/log/journal"


@dataclass(frozen=True, slots=True)
class Target:
    """One way out of the host. `sender` is the program that sends (`rsyslog`, `filebeat` …),

    `processes` the names it runs under. `takes` are the syslog facilities that get there, `may`
    those of which something does, `unsure` those of which a condition decides that is not
    understood; `follows` are globs of files that the sender reads itself, `journal` says that it
    reads the journal, `clear` that it is known what it reads at all. `host` is empty where only
    the connections tell. `line` of `source` is the evidence in `read`.
    """

    sender: str
    host: str
    takes: frozenset[str]
    follows: tuple[str, ...] = ()
    journal: bool = False
    read: str = ""
    source: str = ""
    line: str = ""
    processes: tuple[str, ...] = ()
    port: int | None = None
    transport: str = ""
    may: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    clear: bool = True

    @property
    def shown(self) -> str:
        place = f"{self.host}:{self.port}" if self.port else self.host or "?"
        return f"{self.sender} → {place}" + (f" ({self.transport})" if self.transport else "")

    @property
    def sends(self) -> bool:
        """May anything of this host get there at all?"""
        return bool(self.may or self.follows or self.journal or not self.clear)


@dataclass(frozen=True, slots=True)
class Shipping:
    """Every target of a host, and the syslog configurations that they come from."""

    targets: tuple[Target, ...]
    syslog: tuple[_syslog.Syslog, ...]

    def copies_of(self, path: str) -> tuple[Target, ...]:
        """The targets that get all that is written to the log at `path`; empty: no remote copy.

        `path` is the log itself, not a rotated file of it; `/var/log/journal` is the journal.
        A file that syslog writes has a copy where every facility that gets into it is sent on; any
        file has one where an agent follows it.
        """
        held = self._facilities(path)
        return tuple(
            t
            for t in self.targets
            if any(follows(path, glob) for glob in t.follows)
            or (t.journal and path == JOURNAL)
            or (held and held <= t.takes)
        )

    def logins(self, target: Target) -> bool:
        """Do this host's logins get there?"""
        return self._covers(target, _syslog.LOGINS, _LOGIN_FILES)

    def general(self, target: Target) -> bool:
        """Do the messages of its services get there?"""
        return self._covers(target, frozenset((_GENERAL,)), _GENERAL_FILES)

    def _covers(self, target: Target, facilities: frozenset[str], usual: Iterable[str]) -> bool:
        if target.journal or facilities <= target.takes:
            return True
        files = {
            out.path
            for config in self.syslog
            for out in config.outputs
            if out.path and facilities <= out.takes
        }
        return any(follows(f, glob) for f in files or set(usual) for glob in target.follows)

    def _facilities(self, path: str) -> frozenset[str]:
        if path == JOURNAL:
            return frozenset(_syslog.FACILITIES)
        return frozenset(
            name
            for config in self.syslog
            for output in config.outputs
            if output.path == path
            for name in output.takes
        )


def follows(path: str, glob: str) -> bool:
    """Does a reader of `glob` read `path`? `**` goes through folders, `*` stops at a slash."""
    return fnmatchcase(path, glob) and (path.count("/") == glob.count("/") or "**" in glob)


def log_shipping(capture: Capture) -> Shipping:
    """Raises FactError where a configuration that is there could not be read or followed."""
    configs = tuple(c for c in (_syslog.rsyslog(capture), _syslog.syslog_ng(capture)) if c.present)
    return Shipping((*_from_syslog(configs), *_from_agents(capture)), configs)


def _from_syslog(configs: Iterable[_syslog.Syslog]) -> Iterable[Target]:
    for config in configs:
        name = "rsyslogd" if config.daemon == "rsyslog" else config.daemon
        for out in config.remote():
            yield Target(
                config.daemon,
                out.target,
                out.takes,
                out.follows,
                read=f"syslog.{config.daemon.replace('-', '_')}",
                source=out.source,
                line=out.line,
                processes=(name,),
                port=out.port,
                transport=out.transport,
                may=out.may,
                unsure=out.unsure,
            )


def _from_agents(capture: Capture) -> Iterable[Target]:
    """An agent that neither runs nor is set up is none.

    A capture from before the read was made holds nothing of agents.
    """
    if "log_shipping.state" not in capture.reads and capture.status is HostStatus.COMPLETE:
        return
    links = _links.log_links(capture)
    for agent in AGENTS:
        said = settings_of(agent, links.files)
        names = agent.names
        runs = bool(links.pids(*names) or links.inside(*names) or links.unsure(*names))
        places = said.targets or ((("", None),) if runs and _sure(agent.names) else ())
        for host, port in places:
            path, line = next(((p, x) for p, x in said.lines if host and host in x), ("", ""))
            yield Target(
                agent.id,
                host,
                frozenset(),
                _own(said.follows, capture),
                said.journal,
                "log_shipping.state",
                path,
                line,
                agent.names,
                port,
                clear=said.clear and bool(said.targets or said.follows or said.journal),
            )


def _own(follows: tuple[str, ...], capture: Capture) -> tuple[str, ...]:
    """The audit daemon hands its plugin what it writes to its own file, wherever that lies."""
    return tuple(_audit.audit_log(capture) if path == _audit.LOG else path for path in follows)


def _sure(names: tuple[str, ...]) -> bool:
    """Names that other programs go by as well are no proof of an agent."""
    return not set(names) & {"ruby", "systemd-journal", "audisp-remote", "vector"}
