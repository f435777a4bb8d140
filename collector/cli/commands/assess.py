"""`hostpledge assess`: captures → findings, with no network; the clock is the captures' own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from collector import captures, catalog
from collector.assess import satisfied
from collector.cli.asked.loudness import quiet
from collector.cli.asked.status import COULD_NOT
from collector.cli.options.captures import capture_files, data_documents, owner_keys_option
from collector.cli.options.common import families_option, find, form_option
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import Pledged, pledged, register_option
from collector.cli.options.times import parse_time
from collector.cli.ui.columns import out
from collector.cli.ui.intake import Intake, Taken, say_clocks
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.sheets import marked
from collector.errors import BadInput, one_line
from collector.export import FORMATS, exporter
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese, msg, told
from collector.judging.hosts import Judging, in_order
from collector.model import Capture, Control, Finding, HostStatus
from collector.scope import Scope, scope_of

# seconds before anything is said of the progress
_QUIET = 1.0


@click.command(
    help=tr(
        "判定采集文件（文件或目录），离线、可重复：同样的采集文件得到同样的结果。\n\n"
        "退出码：0 全部符合；1 有不符合或未能核查；2 无法完成。",
        "Judges captures (files or folders): offline, and the same captures always give the same "
        "findings.\n\nExit status: 0 all satisfied; 1 something failed or could not be checked; 2 "
        "the command could not do its work.",
    )
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@form_option(*FORMATS)
@click.option(
    "--at",
    metavar="TIME",
    help=tr(
        "判定时点（ISO 8601，未写时区即为 UTC）；默认各主机的采集时刻",
        "the time to judge for (ISO 8601, UTC where no zone is given); default: when each host "
        "was collected from",
    ),
)
@click.option(
    "--grade",
    type=click.Choice(["2", "3"]),
    help=tr("等级保护级别；默认按登记，否则 2", "MLPS grade; default: the record's, else 2"),
)
@families_option("只判定此类，可重复", "only this family, repeatable")
@click.option(
    "--inventory",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("数据分类分级清单", "the data inventory (classification register)"),
)
@click.option(
    "--explain",
    metavar="CONTROL",
    help=tr(
        "只判此项（名称或编号），并说明结论从何而来：查看了哪些读取、据哪些行、逐条法则",
        "judge this control alone (its name or number), and say how the verdict came about: which "
        "reads were looked into, which lines it rests on, law by law",
    ),
)
@owner_keys_option
@click.option(
    "--pledge",
    "pledge_id",
    metavar="ID",
    help=tr(
        "按此登记判定（豁免、所附文件、级别），并在各种输出中注明",
        "judge as this pledge record has it (waivers, documents, grade), and name it in the output",
    ),
)
@register_option
@lang_option
def assess(
    *,
    paths: tuple[str, ...],
    form: str,
    at: str | None,
    grade: str | None,
    families: tuple[str, ...],
    inventory: Path | None,
    explain: str | None,
    owner_keys: Path | None,
    pledge_id: str | None,
    location: str | None,
) -> int:
    moment = None if at is None else parse_time(at)
    asked = _asked(grade, pledged(pledge_id, location, int(grade) if grade else None))
    asked["attached"] |= data_documents(inventory, owner_keys)
    if explain is not None:
        return _explain(paths, find(explain), form, moment, asked)
    selected = catalog.select(families, asked["grade"])
    hosts: dict[str, list[Finding]] = {}
    times: dict[str, datetime] = {}
    statuses: dict[str, HostStatus] = {}
    if "" in paths:
        raise BadInput(tr("文件名为空", "an empty file name"), where="PATH")
    files, taking = capture_files(Path(p) for p in paths), _Taking(moment)
    begun = ((c, Judging(c, selected, at=moment, **asked)) for c in taking.each(files))
    for capture, findings in in_order(begun):
        hosts[capture.host] = findings
        times[capture.host] = moment or _moment(capture)
        statuses[capture.host] = capture.status
    if taking.left_out and not hosts:
        raise taking.left_out[0]
    scope = scope_of([c.id for c in selected], asked["grade"])
    _print(form, hosts, times, statuses, scope, taking.given, Identity(pledge_id))
    say_clocks(taking.given)
    if taking.left_out:
        _say_left_out(taking.left_out)
        return COULD_NOT
    done = all(satisfied(findings, times[name]) for name, findings in hosts.items())
    return 0 if done else 1


class _Taking:
    """The captures that can be judged, one by one, and why the others cannot (`left_out`).

    `given`: by host the time of those that no run vouches for. `at` is the time to judge for.
    """

    def __init__(self, at: datetime | None) -> None:
        self.given: dict[str, datetime] = {}
        self.left_out: list[BadInput] = []
        self._intake, self._named = Intake(), dict[str, Path]()
        self._now, self._at = datetime.now(UTC).replace(microsecond=0), at

    def each(self, files: list[Path]) -> Iterator[Capture]:
        """Raises BadInput for two captures of one host."""
        for path in _watched(files):
            try:
                taken = self._taken(path)
            except BadInput as problem:
                # one host must not keep the others from being judged
                self.left_out.append(problem)
                continue
            host = taken.capture.host
            if host in self._named:
                raise BadInput(
                    tr(
                        f"与 {self._named[host]} 是同一主机 {host} 的采集文件",
                        f"a capture of the host {host}, as {self._named[host]} is too",
                    ),
                    where=str(path),
                    mend=tr("每台主机只给一个采集文件", "give one capture for each host"),
                )
            self._named[host] = path
            if not taken.collected:
                self.given[host] = taken.capture.collected_at or self._now
            yield taken.capture

    def _taken(self, path: Path) -> Taken:
        """Raises BadInput for a file that cannot be judged."""
        taken = self._intake.take(path)
        if self._at is None:
            captures.check_time(taken.capture, self._now, str(path), msg("give_time_judge"))
            if taken.capture.collected_at is None and taken.capture.reads:
                raise BadInput(msg("capture_no_time"), where=str(path), mend=msg("give_one"))
        return taken


def _say_left_out(problems: Sequence[BadInput]) -> None:
    for problem in problems:
        said = told(problem)
        text = in_chinese(said) if lang() == "zh" else str(said)
        click.echo(tr("未判定：", "not judged: ") + one_line(text, 2000), err=True)


def _explain(
    paths: tuple[str, ...],
    control: Control,
    form: str,
    at: datetime | None,
    asked: Mapping[str, Any],
) -> int:
    from collector.cli.ui.streams import coloured
    from collector.cli.workflows.explained import explained

    files = capture_files(Path(p) for p in paths)
    text, done = explained(
        files, control, form, grade=asked["grade"], at=at, attached=asked["attached"]
    )
    (coloured if form == "table" else out)(text)
    return 0 if done else 1


def _asked(grade: str | None, pledge: Pledged | None) -> dict[str, Any]:
    """At which grade is judged, and by what beside the capture."""
    if pledge is None:
        return {"grade": int(grade or 2), "attached": dict[str, bytes]()}
    return {
        "grade": int(grade or pledge.record.grade),
        "attached": pledge.attached(),
        "waivers": pledge.waivers(),
    }


def _print(
    form: str,
    hosts: dict[str, list[Finding]],
    times: dict[str, datetime],
    statuses: dict[str, HostStatus],
    scope: Scope,
    handed_in: Collection[str],
    about: Identity,
) -> None:
    if form == "table":
        from collector.cli.ui.streams import coloured
        from collector.export import table

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((80, 24)).columns if terminal else 80
        text = table.export(
            hosts,
            times,
            lang(),
            statuses,
            scope,
            handed_in,
            about,
            width=max(60, min(width, 160)),
            colour=terminal and not os.environ.get("NO_COLOR"),
        )
        coloured(text)
        return
    if form == "csv":
        marked()
    out(exporter(form)(hosts, times, lang(), statuses, scope, handed_in, about))


def _watched(paths: list[Path]) -> Iterator[Path]:
    """The paths one by one, saying on stderr how far it is where that takes a while."""
    if quiet():
        yield from paths
        return
    moving, begun, last = sys.stderr.isatty(), time.monotonic(), time.monotonic()
    for done, path in enumerate(paths):
        now = time.monotonic()
        if now - begun > _QUIET and now - last > (0.2 if moving else 5.0):
            text = tr(f"已判定 {done}/{len(paths)} 台", f"judged {done} of {len(paths)} hosts")
            click.echo(f"\r\033[K{text}" if moving else text, nl=not moving, err=True)
            last = now
        yield path
    if moving and last != begun:
        click.echo("\r\033[K", nl=False, err=True)


def _moment(capture: Capture) -> datetime:
    """When it was collected, or tried: a host that was never reached has only our own clock."""
    tried = capture.origin.get("clock")
    moment = capture.collected_at or (
        datetime.fromisoformat(tried) if isinstance(tried, str) else datetime.fromtimestamp(0, UTC)
    )
    return moment.astimezone(UTC)
