"""A bundle for each pledge that the hosts of one folder are of: what a night of a fleet came to."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import captures
from collector.attest.keys.age import SUFFIX
from collector.cli.options.answering import answer
from collector.cli.options.outputs import check_output
from collector.cli.options.pledge import Pledged, open_register
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, tr
from collector.cli.workflows.bundling.one import Sealing, Source, sealed
from collector.cli.workflows.selection import parts_in
from collector.errors import BadInput, CollectorError, one_line
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese, of_system
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_NAMED = 20


@dataclass(slots=True)
class Shares:
    """Which of the hosts are of which pledge, by id; of `none`; of `several`, with whose."""

    of: dict[str, list[str]] = field(default_factory=dict)
    none: list[str] = field(default_factory=list)
    several: dict[str, list[str]] = field(default_factory=dict)


def shared_out(hosts: Iterable[str], records: Sequence[PledgeRecord]) -> Shares:
    """A host that several pledges declare may be one machine or two: a person has to say which."""
    owners: dict[str, list[str]] = {}
    for record in records:
        for host in dict.fromkeys(record.hosts):
            owners.setdefault(host, []).append(record.id)
    found = Shares()
    for host in dict.fromkeys(hosts):
        whose = owners.get(host, [])
        if len(whose) == 1:
            found.of.setdefault(whose[0], []).append(host)
        elif whose:
            found.several[host] = whose
        else:
            found.none.append(host)
    return found


def bundles(source: Source, output: Path, sealing: Sealing, location: str | None) -> int:
    """Exit status: 0; 1 a host was left out; 2 a bundle could not be made, the others are there.

    Raises BadInput, before any work, for a folder that has something in it.
    """
    from collector.pledges.transfer.inventory import running

    check_output(output, source.folder, location=location)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise BadInput(
            tr("已经存在，且不是空目录", "is there already, and is no empty folder"),
            where=str(output),
            mend=tr("换一个目录", "name another folder"),
        )
    register = open_register(location)
    records = {one.id: one for one in running(register.list(), datetime.now(UTC))}
    files, odd = _by_host(source)
    found = shared_out(files, tuple(records.values()))
    if not found.of:
        raise BadInput(
            tr(
                "其中没有一台主机恰好属于一份有效的登记",
                "no host in it is declared by just one pledge in force",
            ),
            where=str(source.folder),
            mend=tr(
                "主机名须与登记的 resources.hosts 一致", "name hosts as the records do: resources"
            ),
        )
    grades = {part.id: part.grade for part in parts_in(source.folder) or ()} if source.held else {}
    made: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = [{"file": name, "why": why} for name, why in odd.items()]
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    for id, hosts in sorted(found.of.items()):
        place = output / (f"{id}.zip{SUFFIX}" if sealing.encrypt_to else f"{id}.zip")
        mine = replace(source, files=[files[host] for host in hosts if files[host].exists()])
        try:
            pledge = Pledged(register, register.get(id))
            own = pledge.record.grade
            asked = grades.get(id) or (own if grades else source.grade) or own
            level = _level(sealing, max(own, asked), pledge)
            given = pledge.attached()
            done = sealed(mine, place, sealing, level, pledge, given, hosts)
        except (CollectorError, OSError) as problem:
            missing.append({"pledge": id, "why": _why(problem)})
            click.echo(f"{id}: {missing[-1]['why']}", err=True)
            continue
        made.append({"pledge": id, "bundle": str(place), "hosts": done.hosts,
                     "digest": done.digest, "keyid": done.keyid})  # fmt: skip
        out(f"{place}  sha256:{done.digest}\n")
    for name, why in odd.items():
        click.echo(f"{name}: {why}", err=True)
    _say_left_out(found)
    answer(Identity(None), bundles=made, missing=missing)
    answer(of_no_pledge=found.none, of_several=found.several)
    _say_next(made, output, location)
    return 2 if missing else 1 if found.none or found.several else 0


def _level(sealing: Sealing, asked: int, pledge: Pledged) -> int:
    own = pledge.record.grade
    if sealing.grade is not None and sealing.grade < own:
        raise BadInput(
            tr(f"为 {own} 级，不能按 {sealing.grade} 级判定",
               f"is of grade {own}, not to be judged at {sealing.grade}"),
            where="--grade",
        )  # fmt: skip
    return sealing.grade or asked


def _by_host(source: Source) -> tuple[Mapping[str, Path], dict[str, str]]:
    """The file of each host, and what is wrong with files of which none can be told.

    A run says of which hosts it is; else each capture does.
    """
    if source.held is not None:
        held = source.held
        return {host: held.capture_path(host) for host in held.about["hosts"]}, {}
    found: dict[str, Path] = {}
    odd: dict[str, str] = {}
    twice: set[str] = set()
    for file in source.files:
        try:
            host = captures.load(file).host
        except CollectorError as problem:
            odd[one_line(file.name)] = _why(problem)
            continue
        if host in found:
            # which of the two counts nobody can tell
            twice.add(host)
            odd[one_line(file.name)] = tr(
                f"与 {one_line(found[host].name)} 是同一台主机 {one_line(host)}，均未取",
                f"is of the host {one_line(host)}, as {one_line(found[host].name)}: "
                "neither is taken",
            )
            continue
        found[host] = file
    return {host: file for host, file in found.items() if host not in twice}, odd


def _why(problem: CollectorError | OSError) -> str:
    if isinstance(problem, OSError):
        return one_line(str(of_system(problem, "cannot_written")), 600)
    return one_line(in_chinese(problem.said) if lang() == "zh" else str(problem), 600)


def _say_left_out(found: Shares) -> None:
    if found.none:
        click.echo(
            tr(
                f"{len(found.none)} 台主机不属于任何有效的登记，未计入：{_some(found.none)}",
                f"{len(found.none)} host(s) are of no pledge in force, and left out: "
                f"{_some(found.none)}",
            ),
            err=True,
        )
    if found.several:
        told = [f"{host} ({' '.join(whose)})" for host, whose in found.several.items()]
        click.echo(
            tr(
                f"{len(told)} 台主机属于多份登记，未计入（确为同一台的，用 --pledge 逐份制作，"
                f"attach --shared 附上）：{_some(told)}",
                f"{len(told)} host(s) are of several pledges, and left out (where it is one "
                f"machine: --pledge for each, and attach --shared): {_some(told)}",
            ),
            err=True,
        )


def _some(names: Sequence[str]) -> str:
    shown = tr("、", ", ").join(one_line(str(masked(name)), 120) for name in names[:_NAMED])
    return shown + (" …" if names[_NAMED:] else "")


def _say_next(made: Sequence[Mapping[str, Any]], output: Path, location: str | None) -> None:
    """How they are attached: a command to copy, not wrapped."""
    click.echo(
        tr(f"{len(made)} 份证据包；附上：", f"{len(made)} bundle(s); to attach them:"), err=True
    )
    words = ["hostpledge", "pledge", "attach", "--each"]
    named = ["--register", location] if location else []
    # the shell is to find them, so the star stands outside of the quotes
    click.echo(f"{shlex.join(words)} {shlex.quote(str(output))}/* {shlex.join(named)}".rstrip(),
               err=True)  # fmt: skip
