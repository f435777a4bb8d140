"""Which web servers run here, and the folders that they serve.

nginx (root), Apache (DocumentRoot), lighttpd (server.document-root), Caddy (root), and Tomcat
(webapps below catalina.base, from its command line).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.security.detector_state import READS as _DETECTOR_READS
from collector.facts.security.detector_state import sections
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_DETECTOR_READS, *_PROCESS_READS)

_PROGRAMS = ("nginx", "apache2", "httpd", "lighttpd", "caddy", "openresty", "litespeed")
_LINE = re.compile(
    r"^(/[^:]+):\s*(?:root|(?i:DocumentRoot)|server\.document-root)[\s=]+(?:\*\s+)?"
    r"(?:\"(?P<quoted>[^\"]+)\"|[\"']?(?P<bare>[^\"';\s]+))"
)
_CATALINA = re.compile(r"^/proc/(\d{1,9})/cmdline:-Dcatalina\.base=(/\S+)$")


@dataclass(frozen=True, slots=True)
class Webroots:
    """Web servers that run on the host itself, those in containers, and the folders served.

    `lines` are the settings that name the folders.
    """

    servers: tuple[Process, ...]
    contained: tuple[Process, ...]
    folders: tuple[str, ...]
    lines: tuple[str, ...]


def webroots(capture: Capture) -> Webroots:
    """Raises FactError when processes or settings could not be looked at."""
    run = processes(capture)
    part = next((s for s in sections(capture) if s.kind == "web-roots"), None)
    if part is None:
        raise NotUnderstood("detectors.state", msg("nothing_told_web_roots"))
    tomcats = {int(m[1]): m[2].rstrip("/") for x in part.lines if (m := _CATALINA.match(x))}
    servers = [p for p in run.all if p.pid in tomcats or _serves(p)]
    if not run.complete and not servers:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
    own = tuple(p for p in servers if not p.container)
    found: dict[str, str] = {}
    for line in part.lines:
        match = _LINE.match(line)
        folder = (match["quoted"] or match["bare"]) if match else ""
        if folder.startswith("/"):
            found.setdefault(folder.rstrip("/") or "/", line.strip()[:200])
    for process in own:
        if process.pid in tomcats:
            found.setdefault(f"{tomcats[process.pid]}/webapps", process.line)
    return Webroots(
        own,
        tuple(p for p in servers if p.container),
        tuple(found) if own else (),
        tuple(found.values()) if own else (),
    )


def _serves(process: Process) -> bool:
    program = (process.exe or process.name).rsplit("/", 1)[-1]
    return program in _PROGRAMS
