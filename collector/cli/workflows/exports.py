"""`report --export`: the findings of a bundle, as they were signed, for programs.

A verdict stays what it was. A waiver counts at the moment of the export, as for `pledge status`:
what was accepted for a while would else be accepted for good, in whatever takes the export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.assess import waived
from collector.captures import write_aside
from collector.cli.options.bundles import identity_of
from collector.cli.options.times import parse_time
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, CollectorError
from collector.export import FORMATS, exporter
from collector.i18n.message import in_chinese
from collector.model import Finding, HostStatus, Waiver
from collector.scope import of_evidence

if TYPE_CHECKING:
    from collector.report.model.standings import Outdated
    from collector.verify import Bundle

Export = tuple[str, Path]
# `--at`: as it was when the hosts were judged
JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class Moment:
    """When waivers are looked at; with `held`, those that the record has by now count.

    `at` is None for each host's own time of judging.
    """

    at: datetime | None = None
    held: Sequence[Waiver] | None = None

    def settled(self, finding: Finding, judged: datetime) -> Finding:
        """The finding, its waiver as it counts then; one that was withdrawn is none."""
        if finding.waiver is None or self.at is None or not waived(finding, judged):
            return finding
        waiver: Waiver | None = finding.waiver
        if self.held is not None:
            mine = [w for w in self.held if w.control == finding.control]
            mine = [w for w in mine if w.host in (finding.host, "*")]
            waiver = max(mine, key=lambda w: w.expires, default=None)
        if waiver is None:
            return replace(finding, waiver=None)
        ended = waiver.expires <= self.at
        return replace(finding, waiver=replace(waiver, host=finding.host, ended=ended))


def moment_of(text: str | None, opened: Bundle, record: Path | None, *, trusted: bool) -> Moment:
    """What `--at` says: nothing (now), a time, or `judged`."""
    if text == JUDGED:
        return Moment()
    at = datetime.now(UTC) if text is None else parse_time(text)
    return Moment(at, _held(opened, record, trusted=trusted))


def _held(opened: Bundle, file: Path | None, *, trusted: bool) -> Sequence[Waiver] | None:
    """The waivers of the record; None where it is not here, and those in the bundle count."""
    from collector.cli.workflows.reports import record_of
    from collector.pledges.record.form import waivers

    try:
        record = record_of(file, opened.frame.get("pledge"), opened.digest, trusted=trusted)
    except CollectorError as problem:
        if file is not None:
            raise
        click.echo(
            tr(
                f"豁免以证据包所载为准：{in_chinese(problem.said)}",
                f"waivers count as the bundle has them: {problem}",
            ),
            err=True,
        )
        return None
    return None if record is None else waivers(record)


def export_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--export FORMAT=FILE (`exports`)."""
    return click.option(
        "--export",
        "exports",
        multiple=True,
        metavar="FORMAT=FILE",
        help=tr(
            f"把包内结论（含豁免）写给程序读，可重复：{', '.join(FORMATS)}",
            f"write the findings in it, with waivers, for programs, repeatable: "
            f"{', '.join(FORMATS)}",
        ),
    )(command)


def at_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--at TIME (`at`)."""
    return click.option(
        "--at",
        "at",
        metavar=f"TIME|{JUDGED}",
        help=tr(
            f"导出内容中豁免以何时为准：默认此刻，与 pledge status 相同；{JUDGED} 为判定之时",
            f"when waivers have to hold to count in an export; default: now, as for pledge "
            f"status; {JUDGED}: when it was judged",
        ),
    )(command)


def wanted(words: Sequence[str]) -> list[Export]:
    """Raises BadInput for what is no format and file."""
    found = []
    for word in words:
        form, _, file = word.partition("=")
        if form not in FORMATS or not file:
            raise BadInput(
                tr(f"不能导出：{word}", f"cannot be exported: {word}"),
                where="--export",
                mend=tr(
                    f"请写成 格式=文件，格式为 {', '.join(FORMATS)}",
                    f"write FORMAT=FILE with a format of {', '.join(FORMATS)}",
                ),
            )
        found.append((form, Path(file)))
    return found


def write(
    exports: Sequence[Export],
    opened: Bundle,
    mode: int,
    moment: Moment,
    *,
    unchecked: bool = False,
    outdated: Outdated | None = None,
) -> None:
    """Each into its file, as `texts` makes them."""
    made = texts(
        [form for form, _ in exports], opened, moment, unchecked=unchecked, outdated=outdated
    )
    for (_, file), text in zip(exports, made, strict=True):
        write_aside(file, text.encode("utf-8"), mode)


def texts(
    forms: Sequence[str],
    opened: Bundle,
    moment: Moment,
    *,
    unchecked: bool = False,
    outdated: Outdated | None = None,
) -> Iterator[str]:
    """`unchecked`: nobody looked whether the signature holds, and each of them says so, as it does
    of what a register says is `outdated`.

    Raises BadInput where a control in it is not among ours: its texts are not here.
    """
    from collector.attest.bundle.evidence import finding_from_json
    from collector.attest.bundle.provenance import is_collected

    unknown = sorted(opened.frame["controls"].keys() - catalog.controls().keys())
    if unknown and forms:
        version = opened.frame["tool"]["version"]
        raise BadInput(
            tr(f"本版没有核查项 {unknown[0]}", f"holds {unknown[0]}, a control not known here"),
            where=str(opened.path),
            mend=tr(f"请用 hostpledge {version}", f"use hostpledge {version}"),
        )
    hosts: dict[str, list[Finding]] = {}
    times: dict[str, datetime] = {}
    statuses: dict[str, HostStatus] = {}
    handed_in: set[str] = set()
    for name, entry in opened.hosts() if forms else ():
        times[name] = datetime.fromisoformat(entry["assessed_at"])
        found = (finding_from_json(name, finding) for finding in entry["findings"])
        hosts[name] = [moment.settled(finding, times[name]) for finding in found]
        statuses[name] = HostStatus(entry["status"])
        if not is_collected(entry["origin"], opened.frame["run"]):
            handed_in.add(name)
    scope = replace(of_evidence(opened.frame), unchecked=unchecked)
    if outdated is not None:
        scope = replace(scope, outdated=outdated.text, void=outdated.void)
    about = identity_of(opened)
    for form in forms:
        yield exporter(form)(hosts, times, lang(), statuses, scope, handed_in, about)
