"""Where a program that watches the host sends its alarms, as its settings tell.

OSSEC and Wazuh (ossec.conf: client, global, integration, syslog_output), Falco (falco.yaml and
config.d: outputs). An agent's alarms go to its manager; those of a manager or a local
installation go where its settings say, and stand in its alerts.log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.facts.security.detector_state import READS as _READS
from collector.facts.security.detector_state import Section, sections
from collector.model import Capture, Read

READS: tuple[Read, ...] = _READS

_LOOPBACK = re.compile(
    r"localhost(?:\.localdomain)?|[\w-]+\.localdomain|127\.[\d.]+|::1|0\.0\.0\.0"
)


@dataclass(frozen=True, slots=True)
class Alarms:
    """Routes by which alarms leave the host, and when the last alarm was written (aware, UTC)."""

    routes: tuple[str, ...]
    last: datetime | None
    lines: tuple[str, ...]
    path: str


def ossec_alarms(capture: Capture) -> Alarms | None:
    """None when there is no ossec.conf. Raises FactError when it could not be read."""
    parts = sections(capture)
    conf = next((s for s in parts if s.kind == "ossec-conf"), None)
    if conf is None:
        return None
    routes: list[str] = []
    mail, block = False, ""
    for line in conf.lines:
        if match := re.search(r"<(client|global|integration|syslog_output)>", line):
            block = match[1]
            if block in ("integration", "syslog_output"):
                routes.append(block)
        elif re.search(r"</(?:client|global|integration|syslog_output)>", line):
            block = ""
        elif block == "global" and re.search(r"<email_notification>\s*yes", line):
            mail = True
        elif block == "global" and mail and (to := re.search(r"<email_to>\s*([^<\s]+)", line)):
            if not stays(to[1], capture.host):
                routes.append(f"mail {to[1]}")
        elif (
            block == "client"
            and (to := re.search(r"<(?:address|server-ip|server-hostname)>\s*([^<\s]+)", line))
            and not _LOOPBACK.fullmatch(to[1].lower())
        ):
            routes.append(f"manager {to[1]}")
    times = [s.mtime for s in parts if s.kind == "ossec-alerts" and s.mtime]
    last = datetime.fromtimestamp(max(times), UTC) if times else None
    return Alarms(tuple(routes), last, conf.lines, conf.path)


def stays(mailbox: str, host: str) -> bool:
    """Is it a mailbox of this host, or the one that stands there until somebody names his own?"""
    domain = mailbox.rpartition("@")[2].lower().strip(".>") if "@" in mailbox else ""
    own = domain in ("", host.lower(), host.lower().partition(".")[0]) or "." not in domain
    return own or bool(_LOOPBACK.fullmatch(domain)) or domain in ("example.wazuh.com", "xxx.com")


def falco_alarms(capture: Capture) -> Alarms | None:
    """None when there is no falco.yaml. What only stays on this host is no route."""
    parts = [s for s in sections(capture) if s.kind == "falco"]
    if not parts:
        return None
    outputs = _outputs(parts)
    routes = tuple(
        name for name in ("http_output", "program_output", "grpc_output") if outputs.get(name)
    )
    return Alarms(routes, None, tuple(x for s in parts for x in s.lines), parts[0].path)


def _outputs(parts: Iterable[Section]) -> dict[str, bool]:
    """Which outputs are on; a later file outweighs an earlier one."""
    known: dict[str, bool] = {}
    for section in parts:
        name = ""
        for line in section.lines:
            if match := re.match(r"^([a-z_]+):", line):
                name = match[1]
            elif name and (match := re.match(r"^\s+enabled:\s*(\w+)", line)):
                known[name] = match[1].lower() == "true"
    return known
