"""Plays `playbooks/probe.yml` on the hosts of a run whose captures are in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import captures
from collector.errors import BadInput, CollectorError
from collector.facts.probed.recording import PREFIX
from collector.i18n.message import msg
from collector.model import Capture, HostStatus
from collector.run.ansible.driver import driver_name
from collector.run.ansible.inventory import How
from collector.run.ansible.play import Event, play
from collector.run.ansible.private import private_folder
from collector.run.collected.run_folder import RunFolder
from collector.run.probing.arrived import host_of

_ENDED = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable"}
_ACTION = "hostpledge_probe"


@dataclass(frozen=True)
class Wanted:
    """What is to be probed, and by whose consent; `until` ends the window (aware, None: none)."""

    names: tuple[str, ...]
    consent: str
    until: datetime | None = None
    addresses: tuple[str, ...] = ()
    store: str = ""
    store_seconds: int = 30
    ban_from: str = ""
    second_node: str = ""


def probe(
    folder: RunFolder,
    how: How,
    hosts: Sequence[str],
    wanted: Wanted,
    ended: Callable[[str, str], None],
) -> None:
    """Each probe at each host that answered; what was recorded stands in the captures.

    `ended` gets a host and, where Ansible could not do its part, why. Raises BadInput where it was
    interrupted, or could not work at all.
    """
    there = [h for h in hosts if _capture(folder, h).status is HostStatus.COMPLETE]
    if not there:
        return
    before = recordings(folder, hosts)

    def tell(event: Event) -> None:
        data = event.get("event_data") or {}
        if event.get("event") in _ENDED and str(data.get("task_action", "")).endswith(_ACTION):
            bad = event["event"] != "runner_on_ok"
            said = str((data.get("res") or {}).get("msg", "")) if bad else ""
            ended(str(data.get("host", "")), said)

    with private_folder() as private:
        # a log store that is a host of the inventory is delegated to, and so outside of --limit
        played = play("probe.yml", how, there, _variables(folder, wanted), private, tell=tell)
    done = recordings(folder, hosts)
    if played.interrupted:
        raise BadInput(
            msg("probe_interrupted", count=done, of=len(wanted.names) * len(there)),
            where=str(folder.path),
            mend=msg("probe_same_command", place=folder.path),
        )
    if done == before == 0:
        raise BadInput(played.said, where="ansible-playbook")


def recordings(folder: RunFolder, hosts: Sequence[str]) -> int:
    """How many probes these hosts' captures tell of."""
    return sum(read.startswith(PREFIX) for host in hosts for read in _capture(folder, host).reads)


def _variables(folder: RunFolder, wanted: Wanted) -> dict[str, Any]:
    return {
        "probe_names": list(wanted.names),
        "probe_consent": wanted.consent,
        "probe_output": str(folder.path.resolve()),
        "probe_driver": driver_name(),
        "probe_until": wanted.until.isoformat() if wanted.until else "",
        "probe_addresses": list(wanted.addresses),
        "probe_store": wanted.store,
        "probe_store_host": host_of(wanted.store),
        "probe_store_seconds": wanted.store_seconds,
        "probe_ban_from": wanted.ban_from,
        "probe_second_node": wanted.second_node,
    }


def _capture(folder: RunFolder, host: str) -> Capture:
    """A host of which nothing came counts as one that was not reached."""
    place: Path = folder.capture_path(host)
    try:
        return captures.load(place)
    except CollectorError:
        return Capture(host, HostStatus.UNREACHABLE)
