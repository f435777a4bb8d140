"""Does an agent reach its console: its connections now, and the last answer it remembers.

ss(8) with the process behind each connection, and the state file of the agents of Wazuh and OSSEC
(`wazuh-agentd.state`: status, last_keepalive, last_ack, in the host's zone).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.intervals import address
from collector.facts.base.timestamps import zone_of
from collector.facts.network.socket_owners import holders
from collector.facts.security.detector_state import READS as _DETECTOR_READS
from collector.facts.security.detector_state import sections
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = _DETECTOR_READS

_LINE = re.compile(r"^\s*(?:ESTAB\s+)?\d+\s+\d+\s+(\S+):(\d+)\s+(\S+):(\d+)\s+(users:\(.*)$")


@dataclass(frozen=True, slots=True)
class Link:
    """One established connection to another host: the process that holds it, and to where."""

    pid: int
    peer: str
    line: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What an agent of Wazuh or OSSEC remembers: is it connected, when was it last answered.

    `cut`: it says that it is disconnected, and not that it is connecting anew.
    """

    connected: bool
    answered: datetime | None
    manager: str
    lines: tuple[str, ...]
    cut: bool = False


def links(capture: Capture) -> tuple[Link, ...]:
    """Connections of agents that leave the host. Raises FactError when they cannot be seen."""
    part = next((s for s in sections(capture) if s.kind == "links"), None)
    if not capture.root:
        raise CouldNotLook("detectors.state", msg("only_root_sees_process"))
    if part is None or "no ss" in part.lines:
        raise CouldNotLook("detectors.state", msg("no_ss_here_not"))
    found = []
    for line in part.lines:
        match = _LINE.match(line)
        if match is None:
            raise NotUnderstood("detectors.state", msg("not_line_ss", row=line))
        peer = match[3].strip("[]")
        if _leaves(peer, line):
            found += [Link(pid, f"{peer}:{match[4]}", line.strip()) for _, pid in holders(match[5])]
    return tuple(found)


def _leaves(peer: str, line: str) -> bool:
    try:
        family, number = address(peer.partition("%")[0])
    except ValueError:
        raise NotUnderstood("detectors.state", msg("no_address", line=line)) from None
    if family == 6 and number >> 32 == 0xFFFF:
        family, number = 4, number & 0xFFFFFFFF
    return number >> 24 != 127 if family == 4 else number != 1


def wazuh(capture: Capture) -> Heartbeat | None:
    """The state of the agent of Wazuh or OSSEC; None when there is no such file."""
    zone = zone_of(capture.head.get("zone", ""))
    parts = sections(capture)
    state = next((s for s in parts if s.kind == "ossec-state"), None)
    if state is None:
        return None
    values = dict(re.findall(r"^(\w+)='([^']*)'$", "\n".join(state.lines), re.MULTILINE))
    if "status" not in values:
        raise NotUnderstood("detectors.state", msg("no_status", path=state.path))
    answered = None
    told = values.get("last_ack") or values.get("last_keepalive", "")
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told):
        try:
            answered = datetime.fromisoformat(told).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise NotUnderstood("detectors.state", msg("no", path=state.path, told=told)) from None
    conf = "\n".join(x for s in parts if s.kind == "ossec-conf" for x in s.lines)
    manager = re.search(r"<(?:address|server-ip|server-hostname)>\s*([^<\s]+)", conf)
    return Heartbeat(
        values["status"] == "connected",
        answered,
        manager[1] if manager else "",
        state.lines,
        values["status"] == "disconnected",
    )
