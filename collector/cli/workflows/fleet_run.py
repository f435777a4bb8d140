"""One run over hosts of many pledges: collected once, and evidence for each pledge of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import catalog
from collector.captures import write_aside
from collector.cli.options.openness import say_open
from collector.cli.options.pledge import Pledged
from collector.cli.options.register_source import Fleet
from collector.cli.ui.language import tr
from collector.cli.ui.progress import HostProgress
from collector.cli.workflows import twins
from collector.cli.workflows.evidence import Signing, make_bundle, write_report
from collector.cli.workflows.fleet_summary import Outcome, answer_of, outcome_of, say, to_json
from collector.cli.workflows.gathering import collect, say_before
from collector.cli.workflows.selection import Choice, Part, nothing_of
from collector.errors import BadInput, CollectorError
from collector.export.envelope import as_json
from collector.i18n.message import msg
from collector.run.collected.run_folder import RunFolder

if TYPE_CHECKING:
    from collector.attest.bundle.making import Before
    from collector.pledges.register.register import Register

_RESULT = "result.json"


def run_fleet(
    chosen: Choice,
    output: Path,
    families: tuple[str, ...],
    signing: Signing,
    also: Callable[[Path], None],
    *,
    retry: bool,
) -> int:
    """Exit status: 0 all is satisfied; 1 something is not; 2 a pledge has no evidence of this run.

    `also` is done with each bundle.
    """
    how, grade = chosen.how, chosen.grade
    catalog.select(families, grade)
    say_open(output)
    taken = RunFolder.taken(output, families, grade, patience=how.seconds + 10, retry=retry)
    with taken as folder:
        say_before(folder)
        chosen.write_down(output)
        with HostProgress() as progress:
            collect(folder, how, chosen.hosts, progress=progress, end=False)
        outcomes = prove(chosen, folder, output, signing, also)
        say(outcomes, output)
        if not settled(outcomes, output):
            return 2
        folder.end()
        return 0 if all(outcome.satisfied for outcome in outcomes) else 1


def settled(outcomes: Sequence[Outcome], output: Path) -> bool:
    """Writes down what became of each, and says what to do where one has no evidence yet."""
    answer_of(outcomes)
    write_aside(output / _RESULT, as_json("run", to_json(outcomes)).encode(), 0o600)
    if not any(outcome.problem for outcome in outcomes):
        return True
    click.echo(
        tr(
            f"以同一命令（-o {output}）再执行，只补做未完成的登记",
            f"the same command (-o {output}) does what is left, and nothing twice",
        ),
        err=True,
    )
    return False


def prove(
    chosen: Choice,
    folder: RunFolder,
    output: Path,
    signing: Signing,
    also: Callable[[Path], None],
    before: Callable[[Part, Pledged], Before] | None = None,
) -> list[Outcome]:
    """A bundle for each; one that cannot be had is said of its pledge, and keeps no other back.

    `before` gives the check before hardening of a part, where there is one.
    """
    from collector.cli.workflows.evidence import checkpoint_of

    fleet = chosen.fleet
    outcomes: list[Outcome] = []
    for part in chosen.parts:
        place = output / "pledges" / part.folder
        record = fleet.records.get(part.id)
        if not part.hosts and record is not None:
            why = BadInput(nothing_of(record.hosts), mend=msg("mend_names_in_record"))
            outcomes.append(Outcome(part.id, part.grade, record, problem=why))
            continue
        try:
            pledge = Pledged(fleet.register, fleet.register.get(part.id)) if part.id else None
            earlier = before(part, pledge) if before and pledge else None
            made = make_bundle(folder, place, signing, part.grade, pledge, earlier, part.hosts)
            outcomes.append(outcome_of(part.id, part.grade, made, pledge))
        except Exception as problem:  # noqa: BLE001 - a defect met in one keeps no other back
            outcomes.append(Outcome(part.id, part.grade, record, problem=_of_one(problem)))
    # each is seen beside all others once all are attached
    outcomes = [_with_twins(fleet.register, outcome) for outcome in outcomes]
    checkpoint = ""
    if any(outcome.sequence for outcome in outcomes):
        checkpoint = checkpoint_of(fleet.register, signing.key)
    return [_reported(fleet, outcome, signing, checkpoint, also) for outcome in outcomes]


def _with_twins(register: Register, outcome: Outcome) -> Outcome:
    if not outcome.sequence:
        return outcome
    return replace(outcome, twins=twins.of_a_run(register, outcome.pledge))


def _of_one(problem: Exception) -> CollectorError | OSError:
    """What is said of the one pledge: its problem, or in a line the defect that was met."""
    if isinstance(problem, CollectorError | OSError):
        return problem
    return CollectorError(msg("a_defect", kind=type(problem).__name__, why=problem))


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
                outcome.bundle.parent,
                opened,
                pledge,
                signing.key,
                checkpoint=checkpoint,
                renewed=outcome.pledge in fleet.renewed,
            )
        also(outcome.bundle)
    except Exception as problem:  # noqa: BLE001 - what one capture holds keeps no other back
        return replace(outcome, problem=_of_one(problem))
    return replace(outcome, report=report)
