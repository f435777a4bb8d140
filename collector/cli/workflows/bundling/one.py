"""One bundle: of a run, or of a folder of captures, and what there is to say of its hosts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import captures, catalog
from collector.attest.bundle import making as attest
from collector.attest.bundle.evidence import FILE
from collector.attest.bundle.provenance import is_collected
from collector.attest.bundle.reading import Evidence
from collector.captures import file_name
from collector.cli.options.packing import packed
from collector.cli.options.pledge import Pledged
from collector.cli.ui.intake import say_clocks
from collector.cli.ui.language import tr
from collector.cli.workflows.whose.declared import agreed
from collector.errors import one_line
from collector.run.collected.run_folder import RunFolder
from collector.verify.looks import recorded

if TYPE_CHECKING:
    from collector.attest.envelope.dsse import Stamper
    from collector.attest.keys.keys import PrivateKey

_NAMED = 8


@dataclass(frozen=True, slots=True)
class Sealing:
    """How bundles are judged, signed and packed; `second` is the SM2 key, where there is one.

    `families` and `grade` are empty where the run and the record say them, `at` where each capture
    does.
    """

    key: PrivateKey
    second: PrivateKey | None = None
    stamps: Sequence[Stamper] = ()
    encrypt_to: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    grade: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A folder with its capture files; `held` is the run of this control node that it holds."""

    folder: Path
    files: Sequence[Path]
    held: RunFolder | None

    @property
    def grade(self) -> int | None:
        return int(self.held.about["grade"]) if self.held else None


def sealed(
    source: Source,
    output: Path,
    sealing: Sealing,
    grade: int,
    pledge: Pledged | None,
    attached: Mapping[str, bytes],
    hosts: Collection[str] | None = None,
) -> attest.Made:
    """The bundle, as `output`; with `hosts` it is about these of the run alone.

    What is to be said of its hosts is said on stderr.
    """
    held = source.held
    run = held.about if held else None
    if run and hosts is not None:
        # a customer's evidence says nothing of the others' hosts
        run = {**run, "hosts": [host for host in run["hosts"] if host in hosts]}
    chosen = sealing.families or tuple(run["families"] if run else ())
    script = source.folder / "script.sh"
    try:
        with packed(output, sealing.encrypt_to) as (place, pack):
            made = attest.make(
                source.files,
                place,
                sealing.key,
                controls=catalog.select(chosen, grade),
                grade=grade,
                at=sealing.at,
                run=run,
                collected=held.vouched() if held else (),
                script=script.read_text(encoding="utf-8") if run and script.is_file() else None,
                attached=attached,
                waivers=pledge.waivers() if pledge else (),
                pledge=pledge.reference() if pledge else None,
                stamps=sealing.stamps,
                sm2_key=sealing.second,
                declared=pledge.record.hosts if pledge else (),
            )
            _say_handed_in(made, pledge)
            if pack:
                pack()
    except OSError as problem:
        problem.filename = problem.filename or str(output)
        raise
    return made


def of_hosts(hosts: Collection[str], source: Source) -> list[Path]:
    """The captures of these hosts; those that are of no host of the run at all are named."""
    every = {file_name(host) for host in (source.held.about["hosts"] if source.held else ())}
    left = [file for file in source.files if file.name not in every]
    if left:
        names = tr("、", ", ").join(one_line(f.name) for f in left[:_NAMED])
        names += " …" if len(left) > _NAMED else ""
        click.echo(
            tr(
                f"{len(left)} 份采集文件不属于这次采集的主机，未取：{names}",
                f"{len(left)} capture(s) are of no host of the run, and not taken: {names}",
            ),
            err=True,
        )
    wanted = {file_name(host) for host in hosts}
    return [file for file in source.files if file.name in wanted]


def _say_handed_in(made: attest.Made, pledge: Pledged | None) -> None:
    """Which hosts nobody collected from, whose clock is odd, and of which nothing is dated.

    And which the pledge does not declare: nothing is attached yet, and `attach` says it again.
    """
    found = Evidence(made.path / "data" / FILE)
    looked: dict[str, datetime] = {}
    undated: list[str] = []
    hosts: list[str] = []
    try:
        run = found.frame["run"]
        for host, entry in found.hosts():
            hosts.append(host)
            if not is_collected(entry["origin"], run):
                looked[host] = datetime.fromisoformat(entry["assessed_at"])
            if _is_undated(made.path, entry):
                undated.append(host)
    finally:
        found.close()
    agreed(pledge, hosts, yes=True)
    _say_undated(undated)
    if looked:
        names = tr("、", ", ").join(map(one_line, list(looked)[:_NAMED]))
        names += " …" if len(looked) > _NAMED else ""
        click.echo(
            tr(
                f"{len(looked)} 台主机按“用户提交”记入，并非采集所得：{names}",
                f"{len(looked)} host(s) count as handed in, not collected: {names}",
            ),
            err=True,
        )
    say_clocks(looked)


def _is_undated(place: Path, entry: Mapping[str, Any]) -> bool:
    """Did it answer, and nothing says when?"""
    if recorded(entry) is not None or not entry["head"]:
        return False
    return captures.load(place / "data" / entry["capture"]).collected_at is None


def _say_undated(hosts: Sequence[str]) -> None:
    if not hosts:
        return
    names = tr("、", ", ").join(map(one_line, hosts[:_NAMED])) + (" …" if hosts[_NAMED:] else "")
    click.echo(
        tr(
            f"{len(hosts)} 台主机的采集时间无从得知（没有时钟，或从未校准），暂按此刻判定，不能附于"
            f"登记：{names}",
            f"nothing says when {len(hosts)} host(s) were looked at (no clock, or one that was "
            f"never set): judged as if it were now, and no register takes that: {names}",
        ),
        err=True,
    )


def run_in(folder: Path) -> RunFolder | None:
    """The run of this control node that a folder holds; None for one of captures alone.

    A run that somebody else began is none, and that is said: what is in it was handed in, and how
    narrow a check was asked for there is no reason to judge as little here.
    """
    if not (folder / "run.json").is_file():
        return None
    found = RunFolder.open(folder)
    if found.begun_here:
        return found
    click.echo(
        tr(
            f"{folder}：这次采集不是由本机发起的（run.json 没有本机的封印），其中的采集文件均按"
            "“提交”处理；范围以 --family、--grade 为准",
            f"{folder}: this run was not begun here (run.json does not bear our seal): the "
            "captures in it count as handed in, and --family and --grade alone say what is judged",
        ),
        err=True,
    )
    return None
