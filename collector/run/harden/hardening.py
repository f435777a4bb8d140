"""Drives the plays that change hosts, harden.yml and undo.yml, and tells what became of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from collector import catalog
from collector.errors import BadInput
from collector.i18n.message import Message, msg
from collector.private import folder as new_folder
from collector.resources import shared
from collector.run.ansible.due import VARIABLE, Due, still_due
from collector.run.ansible.events import Applied, Failure, Told, Watch, Watcher
from collector.run.ansible.inventory import How
from collector.run.ansible.play import EACH_GRADE, Played, play
from collector.run.ansible.private import private_folder
from collector.run.harden.answers import FOLDER, LARGEST, SECONDS, THOUGHT
from collector.schema import load_yaml

# with a terminal on the host, what a step had begun would be killed when its time is over
# an event with more is emptied, the bound that it tells of with it
_SETTINGS = {"ANSIBLE_PIPELINING": "True", "MAX_EVENT_RES": str(4 * LARGEST)}
# how many of the longest steps one host may take in all, while all others wait for it
_STEPS = 4
# seconds of processor time for one task of one host: a loop over a thousand accounts takes a third
_THOUGHT = 120
# longer than a host takes to put a change back that was not confirmed
WAIT = 120
NOT_RUN = "due, and not run; do it by hand, or restart the host: "
# what crosses a firewall that is being changed must notice when it is cut off
_ALIVE = "-o ServerAliveInterval=10 -o ServerAliveCountMax=6"


def apply(
    plan: Mapping[str, Sequence[str]],
    how: How,
    *,
    grade: int | Mapping[str, int],
    watch: Watch,
    journal: Path,
    check: bool = False,
) -> Applied:
    """Brings about the controls that `plan` names for each host; with `check` only looks ahead.

    A family that fails on a host does not keep the next from being brought about, and what of it
    comes after the control that failed is taken up once more without it. So is, once, what a
    broken connection kept from being brought about, if the host answers again within `WAIT`
    seconds. A host where a step does not end in `how.step_seconds` is left. `journal` holds which
    handlers are due: they run when a host is taken up, or else are failures. Raises BadInput when
    it was interrupted or Ansible could not work at all.
    """
    left = {host: list(names) for host, names in plan.items() if names}
    flags = ["--check", "--diff"] if check else []
    whole = Applied()
    waited: dict[str, Failure] = {}
    while left:
        watcher = Watcher(watch)
        ordered = _in_order(left)
        given: dict[str, Any] = {"harden_plan": ordered, **_grades(grade)}
        if due := {host: names for host, names in still_due(journal).items() if host in left}:
            given["harden_due"] = due
        if again := [host for host in left if host in waited]:
            given |= {"harden_lost": again, "harden_wait": WAIT}
        played = _run("harden.yml", how, list(left), given, watcher, flags, journal=journal)
        _finish(
            played,
            watcher,
            msg("interrupted_while_looking_ahead") if check else msg("interrupted_while_hardening"),
        )
        for host in again:
            if not watcher.applied.reached.get(host) and not _is_stuck(watcher.applied, host):
                _stays_lost(watcher.applied, waited[host])
        lost = {
            host: loss
            for host, loss in watcher.applied.lost.items()
            if host not in waited and not loss.stuck
        }
        due = still_due(journal)
        left = _after_failures(left, watcher.applied)
        for host, loss in lost.items():
            if host in watcher.applied.answered:
                left[host] = _after_loss(ordered[host], watcher.applied, host, due.get(host, {}))
                _taken_up(watcher.applied, loss)
                waited[host] = loss
                watch(Told(host, waits=WAIT))
        _add(whole, watcher.applied)
    for failure in _never_run(still_due(journal), plan):
        whole.failures.append(failure)
        watch(Told(failure.host, failure.family, failure.task, failure=failure))
    return whole


def _never_run(due: Due, plan: Mapping[str, Sequence[str]]) -> list[Failure]:
    """A line for each handler that is due still."""
    return [
        Failure(host, family, "", name, f"{NOT_RUN}{name}")
        for host, families in due.items()
        if host in plan
        for family, names in families.items()
        for name in names
    ]


def _grades(grade: int | Mapping[str, int]) -> dict[str, Any]:
    if isinstance(grade, int):
        return {"harden_grade": grade}
    # which host it is, Ansible alone knows when it asks
    return {"harden_grade": EACH_GRADE, "harden_grades": dict(grade)}


def _is_stuck(applied: Applied, host: str) -> bool:
    return host in applied.lost and applied.lost[host].stuck


def _after_loss(
    names: Sequence[str], applied: Applied, host: str, due: Collection[str]
) -> list[str]:
    """What of `names`, in their order, was not ended when the connection broke.

    Of a family where handlers are due all: what they need to know is found on the way.
    """
    failed = {f.control for f in applied.failures if f.host == host and f != applied.lost[host]}
    over = list(applied.reached.get(host, ()))
    if applied.lost[host].control:
        over = over[:-1]
    over = [name for name in over if name.split(".")[0] not in due]
    return [name for name in names if name not in over and name not in failed]


def _taken_up(applied: Applied, loss: Failure) -> None:
    """The loss of a host that is asked once more is no failure yet."""
    applied.failures = [failure for failure in applied.failures if failure != loss]
    del applied.lost[loss.host]


def _stays_lost(applied: Applied, loss: Failure) -> None:
    """In place of the answer that did not come: where the connection had broken."""
    message = f"{loss.message}; it did not answer again within {WAIT} s"
    stays = replace(loss, message=message)
    others = [failure for failure in applied.failures if failure.host != loss.host]
    applied.failures = [*others, stays]
    applied.lost[loss.host] = stays


def undo(families: Sequence[str], how: How, hosts: Sequence[str], *, watch: Watch) -> Applied:
    """Puts families back on each host, by what hardening left there. Raises as `apply` does."""
    watcher = Watcher(watch)
    # what was brought about last goes first
    order = [family for family in reversed(family_order()) if family in families]
    _finish(
        _run("undo.yml", how, hosts, {"undo_families": order}, watcher, []),
        watcher,
        msg("interrupted_while_undoing"),
    )
    return watcher.applied


def family_order() -> list[str]:
    """The families in the order in which the play brings them about."""
    where = shared("playbooks", "harden.yml")
    (document,) = load_yaml(where.read_text(encoding="utf-8"), where=str(where))
    return list(document["vars"]["harden_families"])


def _in_order(plan: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Within a family, controls are brought about in the order that its role names them in."""
    place: dict[str, int] = {}
    for family in catalog.FAMILIES:
        where = shared("roles", family, "defaults", "main.yml")
        if where.exists():
            document = load_yaml(where.read_text(encoding="utf-8"), where=str(where)) or {}
            for number, name in enumerate(document.get(f"{family}_controls", [])):
                place[f"{family}.{name}"] = number
    return {
        host: sorted(names, key=lambda name: (name.split(".")[0], place.get(name, 999), name))
        for host, names in plan.items()
    }


def _after_failures(plan: Mapping[str, Sequence[str]], applied: Applied) -> dict[str, list[str]]:
    """What a family's failing control kept from being brought about, without that control."""
    ordered = _in_order(plan)
    left: dict[str, list[str]] = {}
    for failure in applied.failures:
        if failure.late or failure.host in applied.lost:
            continue
        names = ordered.get(failure.host, [])
        if failure.control in names:
            family = [n for n in names if n.split(".")[0] == failure.family]
            rest = family[family.index(failure.control) + 1 :]
            if rest:
                left[failure.host] = left.get(failure.host, []) + rest
    return left


def _add(whole: Applied, part: Applied) -> None:
    whole.failures += part.failures
    whole.answered |= part.answered
    whole.lost |= part.lost
    for host, names in part.reached.items():
        whole.reached.setdefault(host, {}).update(names)
    for mine, theirs in ((whole.changed, part.changed), (whole.together, part.together)):
        for host, controls in theirs.items():
            mine.setdefault(host, set()).update(controls)
    for host, families in part.shared.items():
        for family, steps in families.items():
            known = whole.shared.setdefault(host, {}).setdefault(family, [])
            known += [step for step in steps if step not in known]


def _run(
    playbook: str,
    how: How,
    hosts: Sequence[str],
    variables: Mapping[str, Any],
    watcher: Watcher,
    flags: Sequence[str],
    journal: Path | None = None,
) -> Played:
    with private_folder() as private:
        return play(
            playbook,
            how,
            hosts,
            variables,
            private,
            tell=watcher,
            flags=flags,
            settings={
                **_SETTINGS,
                # what a task writes is told by its own arguments, where no difference is shown
                **({"ANSIBLE_INJECT_INVOCATION": "True"} if flags else {}),
                "ANSIBLE_TASK_TIMEOUT": str(how.step_seconds),
                FOLDER: str(new_folder(private / "answers")),
                SECONDS: str(_STEPS * how.step_seconds),
                THOUGHT: str(min(how.step_seconds, _THOUGHT)),
                **({VARIABLE: str(journal.resolve())} if journal else {}),
                **_quiet(),
                **_kept_alive(),
            },
        )


def _quiet() -> dict[str, str]:
    """No word about which Python was found on a host, unless the user chose one."""
    from ansible import constants

    found = constants.config.get_config_value_and_origin("INTERPRETER_PYTHON")
    return {"ANSIBLE_PYTHON_INTERPRETER": "auto_silent"} if found[1] == "default" else {}


def _kept_alive() -> dict[str, str]:
    """SSH that notices a dead path, unless the user's own settings stand where ours would go."""
    from ansible import constants

    config = Path(constants.CONFIG_FILE) if constants.CONFIG_FILE else None
    own = "ANSIBLE_SSH_EXTRA_ARGS" in os.environ or (
        config is not None and "ssh_extra_args" in config.read_text(encoding="utf-8")
    )
    return {} if own else {"ANSIBLE_SSH_EXTRA_ARGS": _ALIVE}


def _finish(played: Played, watcher: Watcher, interrupted: Message) -> None:
    if played.interrupted:
        raise BadInput(interrupted, mend=msg("same_command_takes_up_again"))
    if not watcher.ended:
        raise BadInput(played.said, where="ansible-playbook")
