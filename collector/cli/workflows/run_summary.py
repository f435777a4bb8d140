"""What a run of one pledge found, clause by clause and host by host."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.cli.options.pledge import Pledged
from collector.cli.ui.columns import labelled, pad, wrap
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import of_frame
from collector.cli.workflows import to_mend
from collector.errors import one_line
from collector.model import Result
from collector.scope import of_evidence
from collector.scope import verdicts as results_of

if TYPE_CHECKING:
    from collector.verify import Bundle


_SHOWN = 40


def say(opened: Bundle, pledge: Pledged | None) -> None:
    """Per clause and per host on stdout; the whole of it is in the report."""
    from collector.export.table import SIGNS

    verdicts = catalog.words()["verdict"]
    scope = of_evidence(opened.frame)
    results = results_of(opened.frame, scope)
    for id, entry in catalog.clauses().items():
        found = opened.frame["clauses"].get(id, {"counts": {}})
        mark, word = " ", tr("未列入本次核查", "not part of this run")
        if any(found["counts"].values()):
            mark, word = SIGNS[results[id]], verdicts[results[id]].to(lang())
        waived = _waived(opened, id)
        failed = found["counts"].get("fail", 0) - waived.total()
        if failed > 0 and results[id] is not Result.FAIL:
            word += tr(f"（另有 {failed} 项不符合）", f" ({failed} more fail)")
        if waived:
            names = tr("、", ", ").join(sorted(waived))
            word += tr(f"（不符合而在豁免期内：{names}）", f" (fail, waived: {names})")
        if not scope.clauses[id].whole:
            said = scope.short(id).to(lang())
            word += tr(f"（{said}）", f" ({said})")
        head = f"{pad(catalog.clause_number(id, lang()), 8)}{mark} "
        click.echo(labelled(head, f"{word}  {entry['title'][lang()]}", column=10))
    click.echo()
    lines = sorted((_host_line(name, entry) for name, entry in opened.hosts()), reverse=True)
    for _, _, text in lines[:_SHOWN]:
        click.echo(text)
    if len(lines) > _SHOWN:
        more = len(lines) - _SHOWN
        click.echo(tr(f"… 另有 {more} 台，详见报告", f"… {more} more, see the report"))
    click.echo()
    answered = (one for one in opened.hosts() if one[1]["status"] == "complete")
    if wanted := to_mend.lines(answered):
        click.echo("\n".join([*wanted, ""]))
    click.echo(wrap(of_frame(opened.frame)))
    click.echo("  ".join(f"{SIGNS[r]} {verdicts[r].to(lang())}" for r in Result))
    click.echo()
    click.echo(f"{tr('证据包', 'bundle')}: {opened.path}  sha256:{opened.digest}")
    if pledge is not None:
        sequence = pledge.register.every_evidence(pledge.record.id)[-1].sequence
        click.echo(
            tr(
                f"登记: {pledge.record.id}，第 {sequence} 份证据",
                f"pledge: {pledge.record.id}, evidence no. {sequence}",
            )
        )


def _waived(opened: Bundle, clause: str) -> Counter[str]:
    """The controls of a clause that fail and are waived for a while, and on how many hosts."""
    return Counter(
        catalog.control(finding["control"]).number
        for _, entry in opened.hosts()
        for finding in entry["findings"]
        if finding["clause"] == clause
        and finding["verdict"] == Result.FAIL
        and finding["waiver"] is not None
        and not finding["waiver"]["expired"]
    )


def _host_line(name: str, entry: dict[str, Any]) -> tuple[int, int, str]:
    """How many controls fail, how many could not be looked at, and the line that says so."""
    from collector.export.table import SIGNS

    by = Counter(Result(finding["verdict"]) for finding in entry["findings"])
    counts = "  ".join(f"{SIGNS[r]} {by[r]}" for r in Result if r in by)
    status = "" if entry["status"] == "complete" else f"  [{_status(entry['status'])}]"
    return by[Result.FAIL], by[Result.ERROR], f"{one_line(name)}: {counts}{status}"


def _status(status: str) -> str:
    return catalog.words()["host_status"][status].to(lang())
