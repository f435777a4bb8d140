"""Which logs leave the host, and to where: what syslog daemons and log agents are told to send.

What is *configured* stands in `Target`; whether it arrives is told by `log_links`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collector.facts import syslog as _syslog
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_syslog.READS,)


@dataclass(frozen=True, slots=True)
class Target:
    """One way out of the host. `sender` is the program that sends (`rsyslog`, `filebeat` …).

    `takes` are the syslog facilities that get there; `follows` are globs of files that the sender
    reads itself, `journal` says that it reads the journal. `line` of `source` is the evidence in
    `read`.
    """

    sender: str
    host: str
    takes: frozenset[str]
    follows: tuple[str, ...] = ()
    journal: bool = False
    read: str = ""
    source: str = ""
    line: str = ""


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
            if any(_follows(path, glob) for glob in t.follows)
            or (t.journal and path == "/var/log/journal")
            or (held and held <= t.takes)
        )

    def _facilities(self, path: str) -> frozenset[str]:
        if path == "/var/log/journal":
            return frozenset(_syslog.FACILITIES)
        return frozenset(
            name
            for config in self.syslog
            for output in config.outputs
            if output.path == path
            for name in output.takes or ()
        )


def _follows(path: str, glob: str) -> bool:
    return fnmatchcase(path, glob) and (path.count("/") == glob.count("/") or "**" in glob)


def log_shipping(capture: Capture) -> Shipping:
    """Raises FactError where a configuration that is there could not be read or followed."""
    configs = tuple(c for c in (_syslog.rsyslog(capture), _syslog.syslog_ng(capture)) if c.present)
    return Shipping(tuple(_targets(configs)), configs)


def _targets(configs: Iterable[_syslog.Syslog]) -> Iterable[Target]:
    for config in configs:
        read = f"syslog.{config.daemon.replace('-', '_')}"
        for out in config.outputs:
            if out.target:
                yield Target(
                    config.daemon,
                    out.target,
                    out.takes or frozenset(),
                    read=read,
                    source=out.source,
                    line=out.line,
                )
