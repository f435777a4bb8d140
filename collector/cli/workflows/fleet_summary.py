"""What a run over many pledges came to: per pledge for a person, and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.cli.options.answering import answer
from collector.cli.options.pledge import Pledged
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import line
from collector.cli.workflows import twins
from collector.errors import CollectorError, one_line
from collector.export.envelope import NOBODY, Identity
from collector.i18n.message import in_chinese
from collector.model import HostStatus, Result
from collector.pledges.record.masking import masked
from collector.scope import Scope, of_evidence, verdicts

if TYPE_CHECKING:
    from collector.cli.options.pledge import Pledged
    from collector.pledges.database.sightings import Twin
    from collector.pledges.record.form import PledgeRecord
    from collector.verify.before import Check

_SHOWN = 40
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """One pledge of a run; `pledge` is empty for the hosts under none.

    `scope`: how much of each clause was judged; `counts`: how many controls have which verdict, and
    `before` hardening; `hosts`: what became of each host; `absent`: declared and not part of this
    run; `twins`: where else its machines were seen; `problem`: why there is no evidence, or no
    report.
    """

    pledge: str
    grade: int
    record: PledgeRecord | None
    bundle: Path | None = None
    digest: str = ""
    sequence: int = 0
    clauses: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    report: Path | None = None
    all_satisfied: bool = False
    twins: tuple[Twin, ...] = ()
    problem: CollectorError | OSError | None = None

    @property
    def incomplete(self) -> dict[str, str]:
        return {h: s for h, s in self.hosts.items() if s != HostStatus.COMPLETE}

    @property
    def satisfied(self) -> bool:
        return self.problem is None and self.all_satisfied and not self.incomplete

    @property
    def rank(self) -> tuple[bool, int, int, str]:
        """The worst first."""
        fail, error = self.counts.get("fail", 0), self.counts.get("error", 0)
        return self.problem is None, -fail, -error, self.pledge


def outcome_of(id: str, grade: int, made: Path, pledge: Pledged | None) -> Outcome:
    """Read from the bundle itself, which may be one that was attached before a kill."""
    from collector.verify import open_bundle

    with open_bundle(made) as opened:
        counts: Counter[str] = Counter()
        hosts: dict[str, str] = {}
        satisfied = True
        for name, entry in opened.hosts():
            hosts[name] = entry["status"]
            for finding in entry["findings"]:
                counts[finding["verdict"]] += 1
                satisfied = satisfied and is_satisfied(finding)
        record = pledge.record if pledge else None
        attached = opened.frame["pledge"]
        return Outcome(
            id,
            grade,
            record,
            made,
            opened.digest,
            attached["sequence"] if attached else 0,
            _verdicts(opened.frame),
            of_evidence(opened.frame),
            counts,
            Counter(_verdicts_of(opened.before) if opened.before is not None else ()),
            hosts,
            tuple(h for h in record.hosts if h not in hosts) if record else (),
            all_satisfied=satisfied,
        )


def _verdicts_of(check: Check) -> Iterator[str]:
    return (finding["verdict"] for _, entry in check.hosts() for finding in entry["findings"])


def _verdicts(frame: Mapping[str, Any]) -> dict[str, str]:
    found = verdicts(frame)
    return {id: str(found[id]) for id, c in frame["clauses"].items() if any(c["counts"].values())}


def say(
    outcomes: Sequence[Outcome], output: Path, more_of: Callable[[Path], None] | None = None
) -> None:
    """Each pledge in a few lines, the worst first; those without evidence last, where it shows.

    `more_of` says more of each bundle, under the lines of its pledge.
    """
    good = sorted((o for o in outcomes if o.problem is None), key=lambda o: o.rank)
    for outcome in good[:_SHOWN]:
        out(_block(outcome))
        if more_of is not None and outcome.bundle is not None:
            more_of(outcome.bundle)
            click.echo()
    if len(good) > _SHOWN:
        more = len(good) - _SHOWN
        click.echo(
            tr(
                f"… 另有 {more} 份登记，详见 {output}/result.json",
                f"… {more} more pledges, see {output}/result.json",
            )
        )
    bad = [o for o in outcomes if o.problem is not None]
    hosts = {host for o in outcomes for host in o.hosts}
    attached = sum(o.sequence > 0 for o in outcomes)
    click.echo(
        tr(
            f"{attached} 份登记已附证据，{len(hosts)} 台主机；{len(bad)} 份未完成",
            f"evidence attached to {attached} pledge(s), {len(hosts)} host(s); {len(bad)} not done",
        )
    )
    for outcome in bad:
        click.echo(
            f"{outcome.pledge or _no_pledge()}: {tr('未完成', 'not done')}: {_why(outcome)}",
            err=True,
        )


def _no_pledge() -> str:
    return tr("不属于任何登记", "under no pledge")


def _why(outcome: Outcome) -> str:
    problem = outcome.problem
    if isinstance(problem, CollectorError) and lang() == "zh":
        return one_line(in_chinese(problem.said), 600)
    return one_line(str(problem), 600)


def _block(outcome: Outcome) -> str:
    from collector.export.table import SIGNS

    words = catalog.words()["verdict"]
    clauses = catalog.clauses()
    head = outcome.pledge or _no_pledge()
    if outcome.record is not None:
        head += f"  {masked(outcome.record.customer)}"
    lines = [wrap(one_line(head, 200))]
    place = tr(f"{outcome.grade} 级", f"grade {outcome.grade}")
    if outcome.sequence:
        place += tr(f"，第 {outcome.sequence} 份证据", f", evidence no. {outcome.sequence}")
    whole = len(outcome.hosts) - len(outcome.incomplete)
    place += tr(
        f"，{whole}/{len(outcome.hosts)} 台采集完整",
        f", {whole} of {len(outcome.hosts)} hosts in full",
    )
    lines.append(wrap(place, indent="  "))
    shown = [
        f"{clauses[id]['number']} {words[Result(v)].to(lang())}"
        for id, v in outcome.clauses.items()
        if id in clauses
    ]
    marks = [f"{SIGNS[r]} {outcome.counts[r]}" for r in Result if outcome.counts.get(r)]
    lines.append(wrap("  ".join([*shown, *marks]), indent="  "))
    if outcome.scope is not None and not outcome.scope.whole:
        lines.append(wrap(line(replace(outcome.scope, absent=()), lang()), indent="  "))
    if outcome.incomplete:
        statuses = catalog.words()["host_status"]
        down = [f"{h}（{statuses[s].zh}）" if lang() == "zh" else f"{h} ({statuses[s].en})"
                for h, s in outcome.incomplete.items()]  # fmt: skip
        lines.append(_hosts(tr("未采集完整：", "not collected in full: "), down))
    if outcome.absent:
        lines.append(
            _hosts(tr("登记而未核查：", "declared, not looked at: "), list(outcome.absent))
        )
    lines += [wrap(line, indent="  ") for line in twins.said(outcome.twins, outcome.pledge)]
    lines.append(wrap(f"{tr('报告', 'report')}: {outcome.report}", indent="  "))
    return "\n".join(lines) + "\n\n"


def _hosts(label: str, names: Sequence[str]) -> str:
    more = tr(f" 等 {len(names)} 台", f" … {len(names)} in all") if len(names) > _NAMED else ""
    text = label + tr("、", ", ").join(one_line(n) for n in names[:_NAMED]) + more
    return wrap(text, indent="  ")


def to_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "satisfied": all(o.satisfied for o in outcomes),
        "pledges": {o.pledge: _json(o) for o in outcomes if o.pledge},
        "no_pledge": next((_json(o) for o in outcomes if not o.pledge), None),
    }


def answer_of(outcomes: Sequence[Outcome]) -> int:
    """With `--format json`, what became of each; 0."""
    one = outcomes[0] if len(outcomes) == 1 else None
    about = Identity(one.pledge or None, one.digest or None) if one else NOBODY
    answer(about, **to_json(outcomes))
    return 0


def answer_of_one(made: Path, report: Path, pledge: Pledged | None, grade: int) -> None:
    """As `answer_of`, of a run of one pledge, or of none; people are told of twins as well."""
    found = outcome_of(pledge.record.id if pledge else "", grade, made, pledge)
    if pledge is not None:
        found = replace(found, twins=twins.of_a_run(pledge.register, found.pledge))
    answer_of([replace(found, report=report)])
    for said in twins.said(found.twins, found.pledge):
        click.echo(said, err=True)


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "customer": masked(outcome.record.customer) if outcome.record else None,
        "grade": outcome.grade,
        "sequence": outcome.sequence or None,
        "digest": outcome.digest or None,
        "bundle": str(outcome.bundle) if outcome.bundle else None,
        "report": str(outcome.report) if outcome.report else None,
        "clauses": dict(outcome.clauses),
        "scope": outcome.scope
        and {**outcome.scope.to_json(), "grade": outcome.scope.grade, "whole": outcome.scope.whole},
        "counts": dict(outcome.counts),
        "counts_before": dict(outcome.before) or None,
        "hosts": dict(outcome.hosts),
        "not_looked_at": list(outcome.absent),
        "same_machine": twins.to_json(outcome.twins),
        "satisfied": outcome.satisfied,
        "problem": _why(outcome) if outcome.problem else None,
    }


def is_satisfied(finding: Mapping[str, Any]) -> bool:
    """A finding of evidence.json: nothing is left to do about it, or it is waived for a while."""
    waiver = finding["waiver"]
    accepted = waiver is not None and not waiver["expired"]
    return accepted or finding["verdict"] in ("pass", "notapplicable")
