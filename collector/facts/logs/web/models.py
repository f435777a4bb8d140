"""Each site that a web server serves, and the access logs that its requests go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.facts.logs.web.formats import Format


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where a site's requests are logged. `path` is a file, or a pipe, syslog or variable path as

    it is written; `format` None where the format named is not defined; `some`: a condition
    decides which requests are logged.
    """

    path: str
    format: Format | None
    named: str
    some: bool
    line: str


@dataclass(frozen=True, slots=True)
class Site:
    """One virtual host. `unlogged` are the places in it whose requests are not logged.

    `real` says how the client's address is put in place of a proxy's: empty (not at all),
    `header` or `proxy` (by the PROXY protocol); `keeps_port` whether its port comes with it.
    """

    server: str
    name: str
    config: str
    logs: tuple[AccessLog, ...]
    unlogged: tuple[str, ...] = ()
    real: str = ""
    lines: tuple[str, ...] = ()
    formats: Mapping[str, Format] = field(default_factory=dict)
