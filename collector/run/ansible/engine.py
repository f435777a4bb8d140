"""Drives the play through ansible-runner: which hosts, how far, and the true end of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Capture, HostStatus
from collector.run.ansible.driver import driver_name
from collector.run.ansible.inventory import How
from collector.run.ansible.play import Event, play
from collector.run.ansible.private import private_folder
from collector.run.collected.run_folder import Arrived, RunFolder
from collector.run.collected.unsaid import OURS, before_connection

_DONE = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_on_skipped"}
_ACTION = "hostpledge_collect"


@dataclass
class Tally:
    """How far a run is."""

    left: int
    done: int = 0
    failed: int = 0
    said: dict[str, str] = field(default_factory=dict)


Progress = Callable[[Tally, str, HostStatus | None], None]


def collect(
    folder: RunFolder, how: How, hosts: Sequence[str], *, progress: Progress, end: bool = True
) -> dict[str, Arrived]:
    """Collects from each of `hosts` that has no whole capture in `folder` (`taken`) yet.

    Returns what arrived, every host in it. A host that answered badly before an interruption is
    asked again. With `end=False` the run is left open for what its command does next.
    """
    folder.expect(hosts)
    before = folder.arrived()
    missing = [h for h in hosts if h not in before or before[h].status is not HostStatus.COMPLETE]
    if missing:
        tally = Tally(left=len(missing), done=len(hosts) - len(missing))
        started = {h: before.get(h) for h in missing}
        with private_folder() as private:
            played = play(
                "check.yml",
                how,
                missing,
                _variables(folder, how),
                private,
                tell=lambda event: _event(event, tally, progress),
            )
        arrived = folder.arrived()
        fresh = [h for h in missing if arrived.get(h) != started[h]]
        if played.interrupted:
            raise BadInput(
                msg(
                    "interrupted_hosts_answered",
                    count=len(hosts) - len(missing) + len(fresh),
                    count_2=len(hosts),
                ),
                where=str(folder.path),
                mend=msg("same_command_takes_up"),
            )
        if not fresh and not tally.said:
            raise BadInput(played.said, where="ansible-playbook")
        if not fresh and all("decrypt" in text.lower() for text in tally.said.values()):
            raise BadInput(
                msg("inventory_holds_variables_ansible"),
                where=", ".join(how.inventory),
                mend=msg("give_right_vault_password"),
            )
        _write_down_the_silent(folder, [h for h in missing if h not in fresh], tally)
    if end:
        folder.end()
    return {h: a for h, a in folder.arrived().items() if h in set(hosts)}


def _write_down_the_silent(folder: RunFolder, silent: Sequence[str], tally: Tally) -> None:
    """A host whose worker wrote nothing is a result too."""
    for host in silent:
        detail = tally.said.get(host, "Ansible ended before it asked this host")
        capture = Capture(host, HostStatus.UNREACHABLE, detail=detail, origin={"run": folder.nonce})
        folder.take(capture, 0)


def _variables(folder: RunFolder, how: How) -> dict[str, Any]:
    return {
        "collect_output": str(folder.path.resolve()),
        "collect_driver": driver_name(),
        "collect_seconds": how.seconds,
        "collect_limit": how.limit_bytes,
    }


def _event(event: Event, tally: Tally, progress: Progress) -> None:
    """Counts the hosts that ended."""
    data = event.get("event_data") or {}
    if event.get("event") in _DONE and str(data.get("task_action", "")).endswith(_ACTION):
        result = data.get("res") or {}
        host = str(data.get("host", ""))
        known = result.get("status")
        status = HostStatus(known) if known in set(HostStatus) else None
        tally.left -= 1
        if event["event"] in ("runner_on_ok", "runner_on_skipped"):
            tally.done += 1
            status = HostStatus.COMPLETE
        else:
            tally.failed += 1
            said = str(result.get("msg", ""))
            # of its own words none go on: they quote what stands in the inventory
            tally.said[host] = said if known or result.get(OURS) else before_connection(said)
        progress(tally, host, status)
