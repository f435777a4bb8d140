"""Drives the play through ansible-runner: which hosts, how far, and the true end of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Capture, HostStatus
from collector.run.ansible.driver import driver_name
from collector.run.ansible.inventory import How
from collector.run.ansible.many import ask_many, many
from collector.run.ansible.play import Event, Played, play
from collector.run.ansible.private import private_folder
from collector.run.ansible.tally import Progress, Tally
from collector.run.collected.run_folder import Arrived, RunFolder
from collector.run.collected.unsaid import OURS, before_connection

_DONE = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_on_skipped"}
_ACTION = "hostpledge_collect"


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
        _ask(folder, how, missing, tally, progress)
    if end:
        folder.end()
    return {h: a for h, a in folder.arrived().items() if h in set(hosts)}


def _ask(
    folder: RunFolder, how: How, missing: Sequence[str], tally: Tally, progress: Progress
) -> None:
    """Each host has a line of its own afterwards. Raises BadInput where Ansible could not work."""
    started, already = folder.arrived(), tally.done

    def left() -> list[str]:
        arrived = folder.arrived()
        return [h for h in missing if arrived.get(h) == started.get(h)]

    played = Played(interrupted=False, said="")
    if many(how, missing):
        played = ask_many(folder, how, missing, _variables(folder, how), tally, progress)
    if not played.interrupted and (alone := left()):
        with private_folder() as private:
            played = play(
                "check.yml",
                how,
                alone,
                _variables(folder, how),
                private,
                tell=lambda event: _event(event, tally, progress),
            )
    silent = left()
    if played.interrupted:
        raise BadInput(
            msg(
                "interrupted_hosts_answered",
                count=already + len(missing) - len(silent),
                count_2=already + len(missing),
            ),
            where=str(folder.path),
            mend=msg("same_command_takes_up"),
        )
    if len(silent) == len(missing) and not tally.said:
        raise BadInput(played.said, where="ansible-playbook")
    if len(silent) == len(missing) and all("decrypt" in t.lower() for t in tally.said.values()):
        raise BadInput(
            msg("inventory_holds_variables_ansible"),
            where=", ".join(how.inventory),
            mend=msg("give_right_vault_password"),
        )
    _write_down_the_silent(folder, silent, tally)


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
        if event["event"] in ("runner_on_ok", "runner_on_skipped"):
            status = HostStatus.COMPLETE
        said = str(result.get("msg", ""))
        # of its own words none go on: they quote what stands in the inventory
        said = said if known or result.get(OURS) else before_connection(said)
        tally.count(host, status, said)
        progress(tally, host, status)
