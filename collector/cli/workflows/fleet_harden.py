"""Hardening hosts of many pledges: one plan, one play, and evidence for each pledge of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click

from collector import captures
from collector.attest.bundle.evidence import assessed_at
from collector.attest.bundle.making import Before
from collector.cli.options.pledge import Pledged
from collector.cli.ui import harden_summary as hardened
from collector.cli.ui.language import tr
from collector.cli.workflows.evidence import Signing
from collector.cli.workflows.fleet_run import prove, settled
from collector.cli.workflows.fleet_summary import say
from collector.cli.workflows.hardening import Hardening, note
from collector.cli.workflows.selection import Choice, Part
from collector.errors import BadInput
from collector.judging.hosts import judge
from collector.model import Capture, Control, Finding
from collector.plan import Act, HostPlan, Step, plan_host
from collector.run.collected.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class FleetHardening(Hardening):
    """`wanted` is of the highest grade; each pledge is judged, and proved, at its own."""

    chosen: Choice

    @cached_property
    def _of_host(self) -> Mapping[str, Sequence[tuple[Part, Pledged]]]:
        """The pledges that each host is of, the highest grade first."""
        found: dict[str, list[tuple[Part, Pledged]]] = {}
        register = self.chosen.fleet.register
        for part in sorted(self.chosen.parts, key=lambda part: -part.grade):
            pledge = Pledged(register, register.get(part.id))
            for host in part.hosts:
                found.setdefault(host, []).append((part, pledge))
        return found

    @property
    def grades(self) -> int | Mapping[str, int]:
        return {host: of[0][0].grade for host, of in self._of_host.items()}

    def _of(self, run: RunFolder, host: str) -> HostPlan:
        """What one of the host's pledges wants is brought about, though another waives it."""
        capture = captures.load(run.capture_path(host))
        at = assessed_at(capture, None)
        steps: dict[str, Step] = {}
        untouched = None
        for part, pledge in self._of_host[host]:
            wanted = controls_of(self.wanted, part.grade)
            named = set(wanted) if self.named else set()
            found = judged(capture, wanted, part, pledge)
            idle = self.idle(host)
            plan = plan_host(
                capture, found, wanted, grade=part.grade, at=at, named=named, idle=idle
            )
            untouched = plan.untouched
            for step in plan.steps:
                held = steps.get(step.control)
                if held is None or (step.act is Act.APPLY and held.act is not Act.APPLY):
                    steps[step.control] = step
        return HostPlan(host, tuple(steps.values()), untouched)

    def _findings(self, capture: Capture) -> list[Finding]:
        part, pledge = self._of_host[capture.host][0]
        return judged(capture, controls_of(self.wanted, part.grade), part, pledge)

    def before_of(self, whole: Before, part: Part, pledge: Pledged) -> Before:
        """The check before, and what was done, as far as it is about the hosts of one pledge."""
        wanted = controls_of(self.wanted, part.grade)
        run = RunFolder.open(self.folder.before)
        hosts: dict[str, Any] = {}
        for host in part.hosts:
            capture = captures.load(run.capture_path(host))
            verdicts = {f.control: f.result for f in judged(capture, wanted, part, pledge)}
            hosts[host] = copy.deepcopy(whole.hardening["hosts"][host])
            steps = [s for s in hosts[host]["steps"] if s["control"] in wanted]
            hosts[host]["steps"] = [s | {"verdict": str(verdicts[s["control"]])} for s in steps]
        touched = {control.family for control in wanted.values()}
        return replace(
            whole,
            capture_files=[run.capture_path(host) for host in part.hosts],
            run={**whole.run, "hosts": list(part.hosts)},
            hardening={
                **whole.hardening,
                "grade": part.grade,
                "families": [f for f in whole.hardening["families"] if f in touched],
                "controls": sorted(wanted),
                "hosts": hosts,
            },
        )


def controls_of(wanted: Sequence[Control], grade: int) -> dict[str, Control]:
    """Those of the controls that a pledge of that grade asks for."""
    return {control.id: control for control in wanted if grade in control.grades}


def judged(
    capture: Capture, controls: Mapping[str, Control], part: Part, pledge: Pledged
) -> list[Finding]:
    """As the bundle of the pledge will have it."""
    return judge(
        capture,
        list(controls.values()),
        grade=part.grade,
        at=assessed_at(capture, None),
        attached=pledge.attached(),
        waivers=pledge.waivers(),
    )


def those_concerned(chosen: Choice, wanted: Sequence[Control]) -> Choice:
    """Without the pledges of a grade that asks for none of the controls; they are named.

    Raises BadInput where none is left.
    """
    parts = tuple(part for part in chosen.parts if controls_of(wanted, part.grade))
    left_out = [part.id for part in chosen.parts if part not in parts]
    if not parts:
        raise BadInput(
            tr("所选登记的级别都没有此核查项", "no pledge chosen is of a grade that asks for it"),
            where="--control",
        )
    if left_out:
        names = tr("、", ", ").join(left_out)
        note(tr(f"其级别无此核查项，不动：{names}", f"of a grade without it, not touched: {names}"))
    return replace(chosen, parts=parts)


def prove_fleet(hardening: FleetHardening, signing: Signing) -> int:
    """A bundle with both checks for each pledge, attached; the reports; the exit status."""
    folder, chosen = hardening.folder, hardening.chosen
    run, whole = hardening.checked()
    undo = bool(folder.about.get("undo", False))

    before = partial(hardening.before_of, whole) if whole is not None else None
    outcomes = prove(chosen, run, folder.path, signing, _nothing, before)
    said = _Said(hardening, undo=undo)
    say(outcomes, folder.path, said)
    if whole is None:
        click.echo(
            tr("没有可自动整改的项，未作改动", "nothing to bring about: nothing was changed")
        )
    if not settled(outcomes, folder.path):
        return 2
    folder.end()
    made = [outcome.bundle for outcome in outcomes if outcome.bundle is not None]
    return 0 if all(map(said.satisfied, made)) else 1


def _nothing(_bundle: Path) -> None:
    """Bundles of a hardening are not packed."""


@dataclass(frozen=True)
class _Said:
    """Says under each pledge what hardening came to there."""

    hardening: FleetHardening
    undo: bool

    def __call__(self, bundle: Path) -> None:
        from collector.verify import open_bundle

        with open_bundle(bundle) as opened:
            if opened.before is None:
                return
            if self.undo:
                hardened.say_undone(opened, opened.before)
            else:
                hardened.say(opened, opened.before)

    def satisfied(self, bundle: Path) -> bool:
        from collector.verify import open_bundle

        with open_bundle(bundle) as opened:
            if opened.before is None:
                return self.hardening.satisfied(opened)
            if not self.undo:
                return hardened.satisfied(opened, opened.before)
            entries = opened.before.hardening["hosts"].values()
            failed = any(s["outcome"] == "failed" for e in entries for s in e["steps"])
            return not failed and not any(entry["said"] for entry in entries)
