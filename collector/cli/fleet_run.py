"""One run over hosts of many pledges: collected once, and evidence for each pledge of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from collector import catalog
from collector.captures import write_aside
from collector.cli.attesting import Signing, make_bundle, write_report
from collector.cli.fleet_said import Outcome, outcome_of, say, to_json
from collector.cli.from_register import Fleet
from collector.cli.language import tr
from collector.cli.pledged import Pledged
from collector.cli.progress import HostProgress
from collector.errors import BadInput, CollectorError
from collector.run import engine
from collector.run.folder import RunFolder
from collector.run.inventory import How, hosts_of
from collector.schema import load_json

_CHOSEN = "pledges.json"
_RESULT = "result.json"
# the folder of what is under no pledge; no id begins so
_OTHERS = "_no-pledge"


@dataclass(frozen=True, slots=True)
class Part:
    """The hosts of one pledge in this run. `id` is empty for those under no pledge."""

    id: str
    grade: int
    hosts: tuple[str, ...]

    @property
    def folder(self) -> str:
        return self.id or _OTHERS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for: a pledge, only what is due, a grade (0: none given)."""

    pledge: str
    due: bool
    grade: int
    retry: bool


def chosen(fleet: Fleet, hosts: Sequence[str], wanted: Wanted) -> tuple[Part, ...]:
    """Which pledges the hosts are of; those under none come last.

    Raises BadInput for a pledge that is not there, or is of a higher grade than is asked for.
    """
    if wanted.pledge and wanted.pledge not in fleet.records:
        fleet.register.get(wanted.pledge)
        raise BadInput(
            tr(f"登记 {wanted.pledge} 不在执行中", f"the pledge {wanted.pledge} is not in force"),
            where="--pledge",
        )
    there = dict.fromkeys(hosts)
    parts: list[Part] = []
    for record in fleet.records.values():
        if wanted.pledge not in ("", record.id) or (wanted.due and record.id not in fleet.due):
            continue
        own = tuple(host for host in record.hosts if host in there)
        if not own:
            continue
        if wanted.grade and wanted.grade < record.grade:
            raise BadInput(
                tr(
                    f"登记 {record.id} 为 {record.grade} 级，不能按 {wanted.grade} 级核查",
                    f"the pledge {record.id} is of grade {record.grade}, not to be judged at "
                    f"{wanted.grade}",
                ),
                where="--grade",
            )
        parts.append(Part(record.id, wanted.grade or record.grade, own))
    if not (wanted.pledge or wanted.due):
        declared = {host for record in fleet.records.values() for host in record.hosts}
        others = tuple(host for host in there if host not in declared)
        if others:
            parts.append(Part("", wanted.grade or 2, others))
    return tuple(parts)


def run_fleet(
    fleet: Fleet,
    how: How,
    output: Path,
    families: tuple[str, ...],
    wanted: Wanted,
    signing: Signing,
    also: Callable[[Path], None],
) -> int:
    """Exit status: 0 all is satisfied; 1 something is not; 2 a pledge has no evidence of this run.

    What was chosen is written down before the first host is asked: the same command takes it up
    again, whatever has fallen due or was attached meanwhile. `also` is done with each bundle.
    """
    how = replace(how, inventory=fleet.sources)
    parts = begun(output, retry=wanted.retry) or ()
    if not parts and not (wanted.due and not fleet.due):
        # before anything is done: an unusable inventory leaves no empty run behind
        parts = chosen(fleet, hosts_of(how), wanted)
    if not parts:
        click.echo(
            tr("没有到期须核查的登记", "no check of a pledge is due")
            if wanted.due
            else tr("没有主机可查", "there is no host to check")
        )
        return 0
    grade = max(part.grade for part in parts)
    catalog.select(families, grade)
    hosts = list(dict.fromkeys(host for part in parts for host in part.hosts))
    taken = RunFolder.taken(output, families, grade, patience=how.seconds + 10, retry=wanted.retry)
    with taken as folder:
        _write_down(output, parts)
        with HostProgress() as progress:
            engine.collect(folder, how, hosts, progress=progress, end=False)
        outcomes = _prove(fleet, folder, output, parts, signing, also)
        say(outcomes, output)
        result = json.dumps(to_json(outcomes), ensure_ascii=False, indent=1) + "\n"
        write_aside(output / _RESULT, result.encode(), 0o600)
        if any(outcome.problem for outcome in outcomes):
            click.echo(
                tr(
                    f"以同一命令（-o {output}）再执行，只补做未完成的登记",
                    f"the same command (-o {output}) does what is left, and nothing twice",
                ),
                err=True,
            )
            return 2
        folder.end()
        return 0 if all(outcome.satisfied for outcome in outcomes) else 1


def _prove(
    fleet: Fleet,
    folder: RunFolder,
    output: Path,
    parts: Sequence[Part],
    signing: Signing,
    also: Callable[[Path], None],
) -> list[Outcome]:
    """A bundle for each; one that cannot be had is said of its pledge, and keeps no other back."""
    from collector.cli.register import sign_checkpoint

    outcomes: list[Outcome] = []
    for part in parts:
        place = output / "pledges" / part.folder
        record = fleet.records.get(part.id)
        try:
            pledge = Pledged(fleet.register, fleet.register.get(part.id)) if part.id else None
            made = make_bundle(folder, place, signing, part.grade, pledge, hosts=part.hosts)
            outcomes.append(outcome_of(part.id, part.grade, made, pledge))
        except (CollectorError, OSError) as problem:
            outcomes.append(Outcome(part.id, part.grade, record, problem=problem))
    checkpoint = ""
    if any(outcome.sequence for outcome in outcomes):
        checkpoint, _ = sign_checkpoint(fleet.register, signing.key)
    return [_reported(fleet, outcome, signing, checkpoint, also) for outcome in outcomes]


def _reported(
    fleet: Fleet,
    outcome: Outcome,
    signing: Signing,
    checkpoint: str,
    also: Callable[[Path], None],
) -> Outcome:
    from collector.verify import open_bundle

    if outcome.bundle is None:
        return outcome
    pledge = Pledged(fleet.register, outcome.record) if outcome.record is not None else None
    try:
        with open_bundle(outcome.bundle) as opened:
            report = write_report(
                outcome.bundle.parent, opened, pledge, signing.key, checkpoint=checkpoint
            )
        also(outcome.bundle)
    except (CollectorError, OSError) as problem:
        return replace(outcome, problem=problem)
    return replace(outcome, report=report)


def begun(output: Path, *, retry: bool) -> tuple[Part, ...] | None:
    """What the run that was interrupted in `output` (or is to be retried) was about."""
    place = output / _CHOSEN
    if not place.is_file() or not (output / "run.json").is_file():
        return None
    if RunFolder.open(output).about["ended"] is not None and not retry:
        return None
    document: Mapping[str, Any] = load_json(place.read_bytes(), where=str(place))
    try:
        return tuple(
            Part(str(p["id"]), int(p["grade"]), tuple(map(str, p["hosts"])))
            for p in document["parts"]
        )
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            "was not written by a run",
            where=str(place),
            mend=tr("换一个 -o 目录", "give another folder with -o"),
        ) from None


def _write_down(output: Path, parts: Sequence[Part]) -> None:
    document = {"parts": [{"id": p.id, "grade": p.grade, "hosts": list(p.hosts)} for p in parts]}
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    write_aside(output / _CHOSEN, text.encode(), 0o600)
