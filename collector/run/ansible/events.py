"""What a play that changes hosts did, made of Ansible's events as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector import catalog
from collector.errors import one_line
from collector.i18n.message import msg
from collector.run.ansible.play import Event
from collector.run.collected.outcome import classify
from collector.run.collected.unsaid import of_variables

CENSORED = "what it said is not shown: the task handles a secret"
UNTOLD = "would change"
_PLACE = re.compile(r"/roles/([a-z]+)/(tasks|handlers)/([a-z0-9_]+)\.yml")
_UNDO = "/playbooks/undo.yml"
_OWN = "/playbooks/tasks/family.yml"
# what current Ansible puts before the words of a plugin of ours
_ANSIBLE = re.compile(r"^(?:(?:Task|Action|Module) failed: )+")
_CHANGED = re.compile(r"^changed: \[", re.MULTILINE)
_ENDED = re.compile(r"(Shared c|C)onnection to \S+ closed\.")
# characters at the beginning, and at the end, of what a host says that are looked at
_TOLD = 2000
# of Ansible's own modules, those that change nothing on a host
_INERT = {
    "set_fact", "debug", "assert", "fail", "meta", "include_tasks", "include_role", "include_vars",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that failed on a host. `control` is empty where it belongs to none alone.

    `late`: its family tells it once all controls of it were gone through. `stuck`: it had no end
    in its time, so that the host was left.
    """

    host: str
    family: str
    control: str
    task: str
    message: str
    late: bool = False
    stuck: bool = False


@dataclass
class Applied:
    """What a play did. `changed` holds, per host, the controls whose tasks changed something.

    `shared` are the steps that changed something for several controls of a family: host → family
    → their names; `together` the controls that have no other step that could change anything.
    `reached` are the controls that the play came to, the last one last; `answered` the hosts that
    did a task; `lost` those whose connection broke, or where a step had no end, so that nothing
    more was begun there. Of putting back, `undone` holds what became of each family (a word for
    an outcome), and `said` what the hosts answered.
    """

    failures: list[Failure] = field(default_factory=list)
    changed: dict[str, set[str]] = field(default_factory=dict)
    shared: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    together: dict[str, set[str]] = field(default_factory=dict)
    reached: dict[str, dict[str, None]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    lost: dict[str, Failure] = field(default_factory=dict)
    undone: dict[str, dict[str, str]] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed_hosts(self) -> set[str]:
        return {failure.host for failure in self.failures}


@dataclass(frozen=True, slots=True)
class Told:
    """One moment of a play, for whoever watches. `control` is what is being brought about.

    `output` is what Ansible printed of a task that changed, or would change, something. `waits`:
    the connection to the host broke, and hardening waits for so many seconds until it answers.
    """

    host: str = ""
    control: str = ""
    task: str = ""
    failure: Failure | None = None
    output: str = ""
    waits: int = 0


Watch = Callable[[Told], None]


class Watcher:
    """Makes sense of Ansible's events."""

    def __init__(self, watch: Watch) -> None:
        self.applied = Applied()
        self.ended = False
        self._watch = watch
        self._at: dict[str, tuple[str, str]] = {}
        self._last: dict[str, list[Failure]] = {}
        self._diff: dict[str, list[str]] = {}
        self._acted: dict[str, set[str]] = {}

    def __call__(self, event: Event) -> None:
        """One event. What a host answers may be of any form: then it has failed, and it alone."""
        try:
            self._take(event)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            data = event["event_data"]
            host, task = str(data.get("host", "")), str(data.get("task", ""))
            family, control = self._at.get(host, ("", ""))
            said = f"its answer is of a form that none has ({type(problem).__name__})"
            self.applied.failures.append(Failure(host, family, control, task, said))

    def _take(self, event: Event) -> None:
        kind = str(event.get("event", ""))
        data = event.get("event_data") or {}
        if kind == "playbook_on_stats":
            self._stats(data)
        host = data.get("host")
        if not host or not kind.startswith("runner_"):
            return
        family, control = self._where(str(host), data)
        task = str(data.get("task", ""))
        result = data.get("res") or {}
        if self._place(data).endswith(_UNDO):
            self._undone(str(host), result)
        if kind == "runner_on_file_diff":
            self._diff.setdefault(str(host), []).append(str(event.get("stdout", "")))
        elif kind == "runner_on_start":
            self._diff.pop(str(host), None)
            if str(data.get("task_action", "")).rpartition(".")[2] not in _INERT:
                self._acted.setdefault(str(host), set()).add(control)
            self._watch(Told(str(host), control or family, task))
        # of one in a loop: of its answers together nothing is told where they are too large
        elif kind in ("runner_on_unreachable", "runner_item_on_failed") or (
            kind == "runner_on_failed" and not data.get("ignore_errors")
        ):
            if left := _no_end(result):
                self._stuck(Failure(str(host), family, control, task, left, stuck=True))
                return
            # kept until it is known whether the role dealt with it itself
            if kind != "runner_item_on_failed":
                self._last[str(host)] = _failures(str(host), family, control, task, result)
        elif kind == "runner_on_ok":
            self.applied.answered.add(str(host))
            if "censored" in result:
                # of a secret's task ansible-runner hands on no more than what was printed
                changed = _CHANGED.search(str(event.get("stdout", ""))) is not None
                result = {**result, "changed": changed}
            self._ok(str(host), family, control, task, result, data)

    @staticmethod
    def _place(data: Mapping[str, Any]) -> str:
        return str(data.get("task_path", "")).rpartition(":")[0]

    def _where(self, host: str, data: Mapping[str, Any]) -> tuple[str, str]:
        """The family and the control that a task belongs to."""
        found = _PLACE.search(str(data.get("task_path", "")))
        if not found or found[1] not in catalog.FAMILIES:
            return self._at.get(host, ("", ""))
        family, folder, name = found.groups()
        if folder == "handlers":
            return family, ""
        id = f"{family}.{name}"
        if id in catalog.controls():
            self._at[host] = (family, id)
            self.applied.reached.setdefault(host, {})[id] = None
        elif self._at.get(host, ("", ""))[0] != family or name == "main":
            self._at[host] = (family, "")
        return self._at[host]

    def _ok(
        self,
        host: str,
        family: str,
        control: str,
        task: str,
        result: Mapping[str, Any],
        data: Mapping[str, Any],
    ) -> None:
        included = str((result.get("include_args") or {}).get("name", ""))
        if included in catalog.FAMILIES:
            self._at[host] = (included, "")
        facts = result.get("ansible_facts")
        if isinstance(facts, Mapping) and "harden_failed" in facts:
            self._stands(host)
        if control and str(data.get("task_action", "")).endswith("set_fact"):
            # it says what a step that it shares with others has to do
            self.applied.together.setdefault(host, set()).add(control)
        if result.get("changed") and not self._place(data).endswith(_OWN):
            if "/handlers/" in self._place(data):
                control = self._sole(host, family)
            if control:
                self.applied.changed.setdefault(host, set()).add(control)
            elif task not in (steps := self._shared(host, family)):
                steps.append(task)
            shown = "\n".join(filter(None, self._diff.pop(host, ()))) or _changes(result)
            self._watch(Told(host, control or family, task, output=shown))

    def _shared(self, host: str, family: str) -> list[str]:
        return self.applied.shared.setdefault(host, {}).setdefault(family, [])

    def _sole(self, host: str, family: str) -> str:
        """The one control whose change a handler can have been called by, if there is but one."""
        if family in self.applied.shared.get(host, {}):
            return ""
        mine = [c for c in self.applied.changed.get(host, ()) if c.startswith(f"{family}.")]
        return mine[0] if len(mine) == 1 else ""

    def _undone(self, host: str, result: Mapping[str, Any]) -> None:
        for entry in result.get("results") or []:
            family, well = str(entry.get("undo_family", "")), entry.get("rc") == 0
            streams = ("stdout",) if well else ("stdout", "stderr")
            lines = [line for s in streams for line in _lines(entry.get(s))]
            self.applied.said.setdefault(host, []).extend(one_line(line) for line in lines)
            done = any(line.startswith(f"{family}: put back (") for line in lines)
            outcome = "failed" if not well else "changed" if done else "unchanged"
            self.applied.undone.setdefault(host, {})[family] = outcome

    def _stuck(self, failure: Failure) -> None:
        """Told at once, and once: each role leaves such a host."""
        if failure.host in self.applied.lost and self.applied.lost[failure.host].stuck:
            return
        self.applied.lost[failure.host] = failure
        self.applied.failures.append(failure)
        self._watch(Told(failure.host, failure.control, failure.task, failure=failure))

    def _stands(self, host: str) -> None:
        for failure in self._last.pop(host, ()):
            self.applied.failures.append(failure)
            self._watch(Told(host, failure.control, failure.task, failure=failure))

    def _stats(self, data: Mapping[str, Any]) -> None:
        """The end: what nobody dealt with stands."""
        self.ended = True
        for host, controls in self.applied.together.items():
            controls -= self._acted.get(host, set())
        for host in data.get("dark") or {}:
            if host in self._last:
                self.applied.lost[host] = self._last[host][0]
        for host in {**(data.get("failures") or {}), **(data.get("dark") or {})}:
            if host not in self.applied.failed_hosts or host in (data.get("dark") or {}):
                self._stands(host)


def _no_end(result: Mapping[str, Any]) -> str:
    """Why the host is left: a step had no end, or it went past a bound (`harden.answered`)."""
    for entry in (result, *(result.get("results") or ())):
        over = entry.get("timedout") if isinstance(entry, Mapping) else None
        if isinstance(over, Mapping) and isinstance(most := over.get("period"), int) and most:
            return _left(most, str(over.get("bound", "")))
    return ""


def _left(most: int, bound: str) -> str:
    if bound == "bytes":
        return msg("host_answers_too_much", most=most >> 20)
    if bound == "seconds":
        return msg("host_steps_took_too_long", seconds=most)
    return (
        f"no end after {most} s, so the host is left as it is: nothing there is killed, and "
        "what was begun may still go on (see ps); once it has ended, mend packages that it left "
        "half-way (apt: dpkg --configure -a; dnf: dnf check), and harden again"
    )


def _failures(
    host: str, family: str, control: str, task: str, result: Mapping[str, Any]
) -> list[Failure]:
    """One, or one for each line in which a role tells at its end what was refused."""
    lines = [line for line in str(result.get("msg") or "").splitlines() if line.strip()]
    ids = [f"{family}.{line.partition(': ')[0]}" for line in lines]
    known = [id if id in catalog.controls() else "" for id in ids]
    if control or "censored" in result or not any(known):
        return [Failure(host, family, control, task, _said(result))]
    return [
        Failure(
            host, family, id, task, one_line(line.partition(": ")[2] if id else line, 600), True
        )
        for id, line in zip(known, lines, strict=True)
    ]


def _changes(result: Mapping[str, Any]) -> str:
    """What a task that has no difference to show says of its change: what, or to what of a loop."""
    if "censored" in result:
        return CENSORED
    entries = [x for x in result.get("results") or () if isinstance(x, Mapping)]
    said: Any = result.get("msg")
    edits = [edit for x in entries or [result] if x.get("changed") for edit in _edit(x)]
    if edits:
        said = "\n".join(edits)
    elif entries:
        labels = [x.get("_ansible_item_label") for x in entries if x.get("changed")]
        said = ", ".join(x for x in labels if isinstance(x, str))
    elif isinstance(said, list):
        said = "\n".join(map(str, said))
    return said if isinstance(said, str) and said else UNTOLD


def _edit(result: Mapping[str, Any]) -> list[str]:
    """What a task writes into a file in which people write; what stands there stays on the host.

    The words are those of the role, as Ansible hands on with what arguments its module was called.
    """
    given = (result.get("invocation") or {}).get("module_args") or {}
    written = next((given[x] for x in ("line", "block", "replace") if given.get(x)), None)
    place = given.get("path") or given.get("dest")
    if not isinstance(place, str) or not (isinstance(written, str) or given.get("regexp")):
        return []
    lines = written.splitlines() if isinstance(written, str) else []
    return [place, *(f"+{line}" for line in lines)]


def _lines(text: Any) -> list[str]:
    """What was said, without what ssh adds of its own when a terminal ends."""
    # of what a host says neither all of it nor more than a line is told: no pattern reads the rest
    if not isinstance(text, str):
        return []
    some = text if len(text) <= 2 * _TOLD else f"{text[:_TOLD]}\n{text[-_TOLD:]}"
    lines = [line.strip() for line in some.splitlines()]
    return [line for line in lines if line and not _ENDED.fullmatch(line)]


def _said(result: Mapping[str, Any]) -> str:
    """The one line that says why a task failed."""
    if "censored" in result:
        return CENSORED
    for entry in result.get("results") or []:
        if isinstance(entry, Mapping) and (
            entry.get("failed") or entry.get("unreachable") or entry.get("rc")
        ):
            return _said(entry)
    lines = []
    for name in ("msg", "reason", "stderr", "module_stderr", "stdout"):
        if text := _lines(result.get(name)):
            lines.append(text[0 if name in ("msg", "reason") else -1])
    told = _ANSIBLE.sub("", ": ".join(lines[:2])) or "it failed without a word"
    if result.get("unreachable"):
        return classify(str(result.get("msg") or "")[:_TOLD], begun=False)[1]
    return of_variables(told) or one_line(told, 300)
