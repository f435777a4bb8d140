"""The bundles of a pledge that the register keeps → what the trend is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector.errors import CollectorError, one_line
from collector.model import Result
from collector.pledges.register.register import Evidence
from collector.pledges.status.latest_bundle import Newest
from collector.report.model.trend import MOST, Check, of_findings


def history(kept: Sequence[Evidence], said: Callable[[CollectorError], str] = str) -> list[Check]:
    """A pledge's bundles, oldest first. Only the newest are read, one more than a chart shows.

    `said` puts into words why one cannot be read.
    """
    early, late = kept[: -MOST - 1], kept[-MOST - 1 :]
    return [_unread(e) for e in early] + _read(late, said)


def _unread(attached: Evidence) -> Check:
    return Check(attached.sequence, attached.collected_at, _verdicts(attached), None)


def _read(kept: Sequence[Evidence], said: Callable[[CollectorError], str]) -> list[Check]:
    checks = []
    for attached in kept:
        findings, trouble, verdicts = None, "", _verdicts(attached)
        try:
            evidence = Newest(attached).evidence
            findings = of_findings(evidence)
            # a clause that a run did not ask for has no findings, and no verdict to show
            asked = {id for id, c in evidence["clauses"].items() if sum(c["counts"].values())}
            verdicts = {id: result for id, result in verdicts.items() if id in asked}
        except CollectorError as problem:
            trouble = one_line(said(problem))
        checks.append(Check(attached.sequence, attached.collected_at, verdicts, findings, trouble))
    return checks


def _verdicts(attached: Evidence) -> dict[str, Result]:
    return {
        clause: Result(attached.word(clause) or said) for clause, said in attached.verdicts.items()
    }
