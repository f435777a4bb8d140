"""`hostpledge assess`: captures → findings, with no network; the clock is the captures' own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from collector import captures, catalog
from collector.assess import satisfied
from collector.cli.columns import out
from collector.cli.intake import Intake, say_clocks
from collector.cli.language import lang, lang_option, tr
from collector.cli.options import families_option, form_option
from collector.errors import BadInput
from collector.export import FORMATS, exporter
from collector.facts.data.inventory import DOCUMENT
from collector.facts.data.inventory_signature import KEYS, SIGNATURE
from collector.judging.hosts import Judging, in_order
from collector.model import Capture, Finding, HostStatus
from collector.scope import Scope, scope_of

# where captures lie in a folder that hostpledge made: a run's output, then a bundle
_KNOWN_PLACES = ("captures", "data/captures")
# seconds before anything is said of the progress
_QUIET = 1.0
_ENDS = (captures.SUFFIX, ".capture")
owner_keys_option = click.option(
    "--owner-keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr(
        "清单责任人的公钥（allowed_signers 格式），用以核验清单旁的 .sig 签名",
        "public keys of the inventory's owner (an allowed signers file), to verify the .sig beside "
        "it with",
    ),
)


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
    default="2",
    show_default=True,
    help=tr("等级保护级别", "MLPS grade"),
)
@families_option("只判定此类，可重复", "only this family, repeatable")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("数据分类分级清单", "the data inventory (classification register)"),
)
@owner_keys_option
@lang_option
def assess(
    *,
    paths: tuple[str, ...],
    form: str,
    at: str | None,
    grade: str,
    families: tuple[str, ...],
    inventory: Path | None,
    owner_keys: Path | None,
) -> int:
    moment = None if at is None else parse_time(at)
    selected = catalog.select(families, int(grade))
    attached = data_documents(inventory, owner_keys)
    hosts: dict[str, list[Finding]] = {}
    times: dict[str, datetime] = {}
    statuses: dict[str, HostStatus] = {}
    named: dict[str, Path] = {}
    now = datetime.now(UTC).replace(microsecond=0)
    if "" in paths:
        raise BadInput(tr("文件名为空", "an empty file name"), where="PATH")
    intake, given = Intake(), dict[str, datetime]()

    def begun() -> Iterator[tuple[Capture, Judging]]:
        for path in _watched(files):
            taken = intake.take(path)
            capture = taken.capture
            if moment is None:
                captures.check_time(capture, now, str(path))
            if capture.host in named:
                raise BadInput(
                    tr(
                        f"与 {named[capture.host]} 是同一主机 {capture.host} 的采集文件",
                        f"a capture of the host {capture.host}, as {named[capture.host]} is too",
                    ),
                    where=str(path),
                    mend=tr("每台主机只给一个采集文件", "give one capture for each host"),
                )
            named[capture.host] = path
            if not taken.collected:
                given[capture.host] = capture.collected_at or now
            yield (
                capture,
                Judging(capture, selected, grade=int(grade), at=moment, attached=attached),
            )

    files = capture_files(Path(p) for p in paths)
    for capture, findings in in_order(begun()):
        hosts[capture.host] = findings
        times[capture.host] = moment or _moment(capture)
        statuses[capture.host] = capture.status
    scope = scope_of([c.id for c in selected], int(grade))
    _print(form, hosts, times, statuses, scope, given)
    say_clocks(given)
    done = all(satisfied(findings, times[name]) for name, findings in hosts.items())
    return 0 if done else 1


def _print(
    form: str,
    hosts: dict[str, list[Finding]],
    times: dict[str, datetime],
    statuses: dict[str, HostStatus],
    scope: Scope,
    handed_in: Collection[str],
) -> None:
    if form == "table":
        from collector.cli.streams import coloured
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
            width=max(60, min(width, 160)),
            colour=terminal and not os.environ.get("NO_COLOR"),
        )
        coloured(text)
        return
    out(exporter(form)(hosts, times, lang(), statuses, scope, handed_in))


def _watched(paths: list[Path]) -> Iterator[Path]:
    """The paths one by one, saying on stderr how far it is where that takes a while."""
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


def parse_time(text: str, *, where: str = "--at") -> datetime:
    """An ISO 8601 time or date, aware; raises BadInput for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            tr(f"不是时间：{text}", f"not a time: {text}"),
            where=where,
            mend=tr("请写成 2026-11-25T12:00:00+08:00", "write it as 2026-11-25T12:00:00+08:00"),
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    # a key may end at any time; what is reckoned from needs years around it
    if not year or (where == "--at" and not 1970 <= year <= 9000):
        raise BadInput(
            tr(f"无法以此时刻计算：{text}", f"no time to reckon from: {text}"), where=where
        )
    return moment


def capture_files(paths: Iterable[Path]) -> list[Path]:
    """The capture files that the paths name, or hold where they are folders; each once.

    Raises BadInput for a path that is not there, and for a folder without any capture.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            here = _in_folder(path)
            if not here:
                raise BadInput(
                    tr("目录中没有采集文件", "no capture in this folder"),
                    where=str(path),
                    mend=tr(
                        f"采集文件名以 {' 或 '.join(_ENDS)} 结尾",
                        f"captures end in {' or '.join(_ENDS)}",
                    ),
                )
            for file in here:
                found.setdefault(file.resolve(), file)
        elif path.exists():
            found.setdefault(path.resolve(), path)
        else:
            raise BadInput(tr("没有这个文件或目录", "no such file or folder"), where=str(path))
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    for place in _KNOWN_PLACES:
        if (folder / place).is_dir():
            folder = folder / place
            break
    return sorted(
        file
        for file in folder.rglob("*")
        if file.name.endswith(_ENDS) and not file.name.startswith(".") and file.is_file()
    )


def _moment(capture: Capture) -> datetime:
    """When it was collected, or tried: a host that was never reached has only our own clock."""
    tried = capture.origin.get("clock")
    moment = capture.collected_at or (
        datetime.fromisoformat(tried) if isinstance(tried, str) else datetime.fromtimestamp(0, UTC)
    )
    return moment.astimezone(UTC)


def data_documents(inventory: Path | None, owner_keys: Path | None) -> dict[str, bytes]:
    """The data inventory, its signature where one lies beside it, the keys of its owner."""
    named: dict[str, Path] = {}
    if inventory is not None:
        named[DOCUMENT] = inventory
        beside = inventory.with_name(f"{inventory.name}.sig")
        if beside.exists():
            named[SIGNATURE] = beside
    if owner_keys is not None:
        named[KEYS] = owner_keys
    return {name: document(path) for name, path in named.items()}


def document(path: Path) -> bytes:
    """A file's content; raises BadInput where it cannot be read, and for what no bundle takes."""
    return captures.read_at_most(path, captures.LARGEST)
