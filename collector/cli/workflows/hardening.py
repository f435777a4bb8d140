"""The stages of a hardening: an interruption may end each, and the same command takes it up."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import captures
from collector.attest.bundle.evidence import assessed_at
from collector.attest.bundle.making import Before
from collector.cli.asked.loudness import quiet
from collector.cli.options.pledge import Pledged
from collector.cli.ui import plan_view as planned
from collector.cli.ui.columns import out
from collector.cli.ui.hardening_progress import ApplyProgress, failure_line
from collector.cli.ui.language import tr
from collector.cli.ui.progress import HostProgress
from collector.cli.workflows.fleet_summary import is_satisfied
from collector.cli.workflows.gathering import gather
from collector.judging.hosts import judge
from collector.model import Capture, Control, Finding, Result, Text
from collector.plan import HostPlan, plan_host, put_back
from collector.remedies.work import idle_without
from collector.run.ansible import engine
from collector.run.ansible.inventory import How, listing_of
from collector.run.collected.run_folder import RunFolder
from collector.run.harden import hardening
from collector.run.harden.harden_folder import HardenFolder

if TYPE_CHECKING:
    from collector.verify import Bundle


@dataclass(frozen=True)
class Hardening:
    """One hardening: its folder, how hosts are reached, and the controls that are `wanted`.

    `named`: the person named each of them. The checks are of all controls of the families, on
    `hosts` of the inventory (None: all of them).
    """

    folder: HardenFolder
    how: How
    pledge: Pledged | None
    grade: int
    wanted: Sequence[Control]
    named: bool
    hosts: Sequence[str] | None = None

    @property
    def grades(self) -> int | Mapping[str, int]:
        """At which grade hosts are brought about; by host, where they differ."""
        return self.grade

    def plan(self) -> list[HostPlan]:
        """Checks the hosts, unless that was done before an interruption, and shows the plan."""
        families = tuple(self.folder.about["families"])
        if self.folder.begun:
            note(
                tr(
                    "继续被中断的整改：整改前的核查以中断之前的为准",
                    "taking up an interrupted hardening: the check before it is the one from then",
                )
            )
        if not self.folder.checked:
            note(tr("整改前核查", "the check before"))
            gather(self.folder.before, self.how, families, self.grade, hosts=self.hosts)
        run = RunFolder.open(self.folder.before)
        plans = [self._of(run, host) for host in run.about["hosts"]]
        if not self.folder.applied:
            self.folder.planned(plans)
        out(planned.drawn(plans))
        out(f"\n{planned.signs()}\n{planned.counted(plans)}\n\n")
        return plans

    def _of(self, run: RunFolder, host: str) -> HostPlan:
        capture = captures.load(run.capture_path(host))
        wanted = {control.id: control for control in self.wanted}
        named = set(wanted) if self.named else set()
        found, at = self._findings(capture), assessed_at(capture, None)
        idle = self.idle(host)
        return plan_host(capture, found, wanted, grade=self.grade, at=at, named=named, idle=idle)

    @cached_property
    def _given(self) -> Mapping[str, Mapping[str, Any]]:
        """The variables of each host, of the inventory and of `-e`."""
        found: Mapping[str, Mapping[str, Any]] = listing_of(self.how).get("_meta", {})
        return found.get("hostvars", {})

    def idle(self, host: str) -> dict[str, Text]:
        """Of which controls roles change nothing on the host, since nobody said with what."""
        needed = {c.id: idle_without(c.id) for c in self.wanted if idle_without(c.id)}
        return {
            id: Text(
                f"没有给出 {name}，harden 不作改动",
                f"{name} is not given, so harden changes nothing",
            )
            for id, name in needed.items()
            if not self._given.get(host, {}).get(name)
        }

    def _findings(self, capture: Capture) -> list[Finding]:
        return judge(
            capture,
            self.wanted,
            grade=self.grade,
            at=assessed_at(capture, None),
            attached=self.pledge.attached() if self.pledge else {},
            waivers=self.pledge.waivers() if self.pledge else (),
        )

    def undo(self) -> None:
        """Checks the hosts and puts the families back, unless that was done already."""
        families = tuple(self.folder.about["families"])
        if not self.folder.checked:
            note(tr("恢复前核查", "the check before"))
            gather(self.folder.before, self.how, families, self.grade, hosts=self.hosts)
        if self.folder.applied:
            return
        run = RunFolder.open(self.folder.before)
        wanted = {control.id: control for control in self.wanted}
        hosts = list(run.about["hosts"])
        loaded = (captures.load(run.capture_path(host)) for host in hosts)
        self.folder.planned(put_back(c.host, self._findings(c), wanted) for c in loaded)
        self.folder.begin_applying()
        with ApplyProgress() as progress:
            done = hardening.undo(families, self.how, hosts, watch=progress)
        self.folder.end_undoing(done)

    def look_ahead(self, plans: Sequence[HostPlan]) -> int:
        """`--check`: what Ansible would change, with its diff. Exit status 0: nothing is amiss."""
        changes = {plan.host: list(plan.applied()) for plan in plans if plan.applied()}
        failed = False
        if changes:
            note(tr("预演，什么也不改", "looking ahead, changing nothing"))
            with ApplyProgress(show=True) as progress:
                done = hardening.apply(
                    changes,
                    self.how,
                    grade=self.grades,
                    watch=progress,
                    journal=Path(os.devnull),
                    check=True,
                )
            failed = bool(done.failures)
            for failure in done.failures:
                click.echo(failure_line(failure))
        self.folder.end()
        whole = all(
            plan.untouched is None and all(s.result in _GOOD for s in plan.steps) for plan in plans
        )
        return 0 if whole and not failed else 1

    def agreed(self, plans: Sequence[HostPlan], *, yes: bool) -> bool:
        """Does the person agree? Not asked where there is nothing to change."""
        if yes or not any(plan.applied() for plan in plans) or self.folder.applied:
            return True
        asked = tr("现在按此计划整改？", "Change these hosts now?")
        if click.confirm(asked, err=True):
            return True
        self.folder.end()
        note(tr("未作任何改动", "nothing was changed"))
        return False

    def apply(self) -> None:
        """Brings about what was planned, unless that was done before an interruption."""
        if self.folder.applied:
            return
        changes = {host: names for host, names in self.folder.changes.items() if names}
        if not changes:
            return
        self.folder.begin_applying()
        with ApplyProgress() as progress:
            done = hardening.apply(
                changes, self.how, grade=self.grades, watch=progress, journal=self.folder.due
            )
        self.folder.end_applying(done)

    def checked(self) -> tuple[RunFolder, Before | None]:
        """The check that the evidence is about, and the one before; collects it where needed.

        Where nothing was applied there is but one.
        """
        earlier = RunFolder.open(self.folder.before)
        if not self.folder.applied:
            return earlier, None
        undo = self.folder.about.get("undo", False)
        note(tr("恢复后核查" if undo else "整改后核查", "the check after"))
        how, families = self.how, self.folder.about["families"]
        if not self.folder.checked_again:
            taken = RunFolder.taken(
                self.folder.after, families, self.grade, patience=how.seconds + 10
            )
            with taken as run, HostProgress() as progress:
                engine.collect(run, how, earlier.about["hosts"], progress=progress)
        before = Before(
            [earlier.capture_path(host) for host in earlier.about["hosts"]],
            earlier.about,
            earlier.script,
            self.folder.about | {"ended": datetime.now(UTC).isoformat(timespec="seconds")},
            earlier.vouched(),
        )
        return RunFolder.open(self.folder.after), before

    def satisfied(self, opened: Bundle) -> bool:
        """Where nothing was changed: did every host answer, and is what was wanted satisfied?"""
        wanted = {control.id for control in self.wanted}
        for _, entry in opened.hosts():
            mine = [finding for finding in entry["findings"] if finding["control"] in wanted]
            if entry["status"] != "complete" or not all(map(is_satisfied, mine)):
                return False
        return True


_GOOD = (Result.PASS, Result.NOTAPPLICABLE)


def note(text: str) -> None:
    """Says on stderr how far it is."""
    if not quiet():
        click.echo(text, err=True)
