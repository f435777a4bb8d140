"""Asks many hosts in one task of Ansible, before the others are asked by a task each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from collector.model import HostStatus
from collector.run.ansible.follow import Line, following
from collector.run.ansible.inventory import How, strategy
from collector.run.ansible.play import Event, Played, play
from collector.run.ansible.private import private_folder
from collector.run.ansible.tally import Progress, Tally
from collector.run.collected.locks import idle
from collector.run.collected.run_folder import RunFolder
from collector.run.collected.unsaid import OURS

PER_HOST = "HOSTPLEDGE_PER_HOST"
_ACTION = "hostpledge_at_once"
# Ansible gives the task to one of the hosts, which has to have variables that can be filled in
_TRIES = 5
# a worker whose Ansible is gone looks about once a second
_ENDING = 60.0


def many(how: How, hosts: Sequence[str]) -> bool:
    """Is it worth a task for all of them, and can Ansible have one?"""
    if os.environ.get(PER_HOST) or len(hosts) < 2 or how.inventory == ("localhost,",):
        return False
    return strategy().removeprefix("ansible.builtin.") == "linear"


def ask_many(
    folder: RunFolder,
    how: How,
    hosts: Sequence[str],
    variables: Mapping[str, Any],
    tally: Tally,
    progress: Progress,
) -> Played:
    """Asks those of `hosts` that plain ssh reaches; the others have no line in the journal yet."""

    def arrived(line: Line) -> None:
        status = HostStatus(line["status"])
        tally.count(line["host"], status, f"{status}: {line['detail']}")
        progress(tally, line["host"], status)

    asked, bearer = list(hosts), ""
    variables = {**variables, "collect_forks": how.forks}

    def tell(event: Event) -> None:
        nonlocal bearer
        bearer = _unfit_bearer(event) or bearer

    with following(folder.path / "journal.jsonl", arrived):
        for _ in range(_TRIES):
            bearer = ""
            with private_folder() as private:
                played = play("at_once.yml", how, asked, variables, private, tell=tell)
            if played.interrupted or bearer not in asked or len(asked) < 2:
                break
            asked.remove(bearer)
        if not played.interrupted:
            # Ansible may have been killed; its worker writes until it has seen that
            with idle(folder.path, _ENDING):
                pass
    return played


def _unfit_bearer(event: Event) -> str:
    """The host that the task was given to, where it failed for what stands in the inventory."""
    data = event.get("event_data") or {}
    ours = str(data.get("task_action", "")).endswith(_ACTION)
    if not ours or event.get("event") not in ("runner_on_failed", "runner_on_unreachable"):
        return ""
    return "" if (data.get("res") or {}).get(OURS) else str(data.get("host", ""))
