"""`--format table`: for a person at a terminal, readable at 80 columns with or without colour."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from collector.assess import clause_result, waived
from collector.catalog import clause_number, clauses, controls, reasons, words
from collector.errors import shown
from collector.export import ORDER, HandedIn, Hosts, Statuses, Times, judged, stamp, worst_first
from collector.export.envelope import NOBODY, Identity
from collector.export.wrapping import wrapped
from collector.model import Finding, HostStatus, Lang, Result, Text
from collector.scope import Scope

# narrow in every East Asian terminal, and told apart without colour
SIGNS = {
    Result.PASS: "✓",
    Result.PARTIAL: "~",
    Result.FAIL: "✗",
    Result.NOTAPPLICABLE: "-",
    Result.ERROR: "?",
    Result.NOTCHECKED: ".",
}
_COLOURS = {
    Result.PASS: "green",
    Result.PARTIAL: "yellow",
    Result.FAIL: "bold red",
    Result.NOTAPPLICABLE: "dim",
    Result.ERROR: "magenta",
    Result.NOTCHECKED: "cyan",
}
_HANDED_IN = Text("用户提交", "handed in")
_AT = Text("判定时点", "judged for")
_OPEN = (Result.FAIL, Result.PARTIAL, Result.ERROR, Result.NOTCHECKED)
_MEND = Text("整改：", "mend: ")
_COLON = Text("：", ": ")
_UNTIL = Text("有效至", "holds until")
_WAIVED = Text("豁免至", "waived until")
_VETO = Text("一票否决", "veto")
_PLEDGE = Text("登记", "pledge")
_NOTHING = Text("没有核查结果", "no findings")


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
    *,
    width: int = 80,
    colour: bool = False,
) -> str:
    """Each host with its findings, worst first; then the clauses and the totals."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for name, findings in hosts.items():
        _host(
            console,
            name,
            findings,
            at,
            lang=lang,
            status=status.get(name, HostStatus.COMPLETE),
            given=name in handed_in,
        )
    _summary(console, hosts, at, lang, scope)
    for said in scope.warnings if scope is not None else ():
        console.print(Styled(said.to(lang)), soft_wrap=True)
    if about != NOBODY:
        console.print(Styled("  ".join(_about(about, lang))), soft_wrap=True)
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    return "\n".join(lines) + "\n"


def _about(about: Identity, lang: Lang) -> list[str]:
    pledge = [f"{_PLEDGE.to(lang)} {shown(about.pledge)}"] if about.pledge else []
    return pledge + ([f"sha256:{about.digest}"] if about.digest else [])


def _host(
    console: Console,
    name: str,
    findings: Sequence[Finding],
    at: Times,
    *,
    lang: Lang,
    status: HostStatus,
    given: bool,
) -> None:
    title = Styled(shown(name), style="bold")
    if status is not HostStatus.COMPLETE:
        title.append(f"  {words()['host_status'][status].to(lang)}", style="bold magenta")
    if given:
        title.append(f"  {_HANDED_IN.to(lang)}", style="yellow")
    title.append(f"  {_AT.to(lang)} {stamp(at[name])}", style="dim")
    console.print(title)
    verdicts = words()["verdict"]
    widest = max((cell_len(verdicts[f.result].to(lang)) for f in findings), default=0)
    for finding in worst_first(findings):
        verdict = set_cell_size(verdicts[finding.result].to(lang), widest)
        head = Styled(f"{SIGNS[finding.result]} {verdict}  ", style=_COLOURS[finding.result])
        _named(head, finding, lang, console.width)
        lines = _lines(finding, at, lang)
        if len(lines) == 1 and head.cell_len + 2 + cell_len(lines[0]) <= console.width:
            head.append(f"  {lines.pop()}", style="default")
        console.print(head)
        for line in lines:
            for row in wrapped(line, console.width - 4):
                console.print(Styled(f"    {row}"), soft_wrap=True)
    console.print()


def _named(head: Styled, finding: Finding, lang: Lang, width: int) -> None:
    """Puts number and title behind it, and after them the id, by which commands know a control."""
    known = controls().get(finding.control)
    style = "bold" if finding.result in _OPEN else "default"
    if known is None:
        head.append(finding.control, style=style)
        return
    column = head.cell_len
    name = f"{known.number} {known.title.to(lang)}"
    rows = wrapped(f"{name}  {finding.control}", width - column)
    if len(rows) == 1:
        head.append(name, style=style)
        head.append(f"  {finding.control}", style="dim")
    else:
        head.append(f"\n{'':{column}}".join(rows), style=style)


def _lines(finding: Finding, at: Times, lang: Lang) -> list[str]:
    lines = [shown(finding.message.to(lang), 2000)]
    # what a control itself says it cannot tell can be mended as well; a refused read cannot, here
    own = finding.result is Result.ERROR and finding.reason not in reasons()
    if own or finding.result in (Result.FAIL, Result.PARTIAL):
        lines.append(f"{_MEND.to(lang)}{shown(finding.remediation.to(lang), 2000)}")
    if finding.veto and finding.result is Result.FAIL:
        lines[0] = f"[{_VETO.to(lang)}] {lines[0]}"
    if finding.waiver is not None and waived(finding, at[finding.host]):
        lines.append(
            f"{_WAIVED.to(lang)} {stamp(finding.waiver.expires)}{_COLON.to(lang)}"
            + shown(finding.waiver.reason, 200)
        )
    if finding.result is Result.PASS and finding.until is not None:
        lines.append(f"{_UNTIL.to(lang)} {stamp(finding.until)}")
    return lines


def _summary(console: Console, hosts: Hosts, at: Times, lang: Lang, scope: Scope | None) -> None:
    everything = [f for findings in hosts.values() for f in findings]
    if not everything:
        console.print(_NOTHING.to(lang))
        return
    latest = max(at.values())
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for id, entry in clauses().items():
        here = [f for f in everything if f.clause == id]
        if not here:
            continue
        result = clause_result(here, latest)
        result = scope.narrowed(id, result) if scope else result
        word = words()["verdict"][result].to(lang)
        table.add_row(
            Styled(clause_number(id, lang)),
            Styled(f"{SIGNS[result]} {word}", style=_COLOURS[result]),
            Styled(entry["title"][lang] + _part(scope, id, lang)),
        )
    console.print(table)
    counts = Counter(f.result for f in everything)
    known = len({f.control for f in everything} & set(controls()))
    totals = ", ".join(
        f"{words()['verdict'][result].to(lang)} {counts[result]}"
        for result in ORDER
        if counts[result]
    )
    if lang == "zh":
        totals = totals.replace(", ", "，")
        console.print(f"主机 {len(hosts)} 台，核查项 {known} 项：{totals}")
    else:
        console.print(f"{_many(len(hosts), 'host')}, {_many(known, 'control')}: {totals}")
    if scope is not None and not scope.whole:
        console.print(judged(scope, lang), soft_wrap=False)


def _part(scope: Scope | None, clause: str, lang: Lang) -> str:
    """Of how many controls, where not of all of them."""
    if scope is None or scope.proves(clause):
        return ""
    said = scope.said(clause).to(lang)
    return f"（{said}）" if lang == "zh" else f" ({said})"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
