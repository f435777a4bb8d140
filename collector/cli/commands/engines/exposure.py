"""`hostpledge exposure`: who can reach which listening socket of a captured host."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from collector import captures
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.columns import wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, shown
from collector.export.envelope import as_json
from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.network.interfaces import network_of
from collector.facts.system.package_owners import Program, programs
from collector.i18n.message import in_chinese
from collector.judging.confined import looked_through


@click.command(
    name="exposure",
    help=tr(
        "按已加载的防火墙规则，逐个列出监听端口可从何处到达。有无法判定者，退出状态为 1。",
        "Shows from where each listening socket can be reached under the rules as loaded. "
        "Ends with status 1 when that cannot be told for one of them.",
    ),
)
@click.argument("capture", type=FilePath(path_type=Path, dir_okay=False))
@click.option(
    "--from",
    "source",
    metavar="ADDRESS",
    help=tr("只问此来源地址能否到达", "ask for this source address only"),
)
@form_option("table", "json")
@lang_option
def exposure(capture: Path, source: str | None, form: str) -> int:
    """Reads one capture; the answer goes to stdout."""
    seen = captures.load(capture)
    only = None
    if source is not None:
        try:
            only = address(source)
        except ValueError:
            raise BadInput(
                tr("不是 IP 地址", "not an IP address"), where=f"--from {source}"
            ) from None
        at = only
        if looked_through(lambda: network_of(seen).local(at[1], at[0]), where=str(capture)):
            raise BadInput(
                tr("这是该主机自己的地址", "an address of the host itself"),
                where=f"--from {source}",
                mend=tr("给出别处的地址", "give one from elsewhere"),
            )
    found, run = looked_through(lambda: (exposures(seen, only), programs(seen)), where=str(capture))
    if form == "json":
        click.echo(as_json("exposure", {"exposure": [_entry(e, run) for e in found]}), nl=False)
    else:
        click.echo(_table(found, run))
    return 1 if any(e.reachable == "unknown" for e in found) else 0


def _entry(found: Exposure, run: Mapping[int, Program]) -> dict[str, Any]:
    listener = found.listener
    program = run.get(listener.pid)
    entry: dict[str, Any] = {
        "proto": listener.proto,
        "family": f"ipv{listener.family}",
        "address": listener.shown,
        "port": listener.port,
        "process": listener.process or None,
        "pid": listener.pid or None,
        "program": program.path if program else None,
        # an empty name: no package brought it
        "package": program.package if program else None,
        "reachable": found.reachable,
        "sources": found.sources,
        "unknown_sources": found.doubtful,
        "why": found.why,
    }
    if found.targets:
        entry["leads_to"] = list(found.targets)
    return entry


def _table(found: tuple[Exposure, ...], run: Mapping[int, Program]) -> str:
    words = {
        "yes": tr("可达", "yes"),
        "no": tr("不可达", "no"),
        "unknown": tr("无法判定", "unknown"),
    }
    head = [
        tr("协议", "proto"),
        tr("地址", "address"),
        tr("端口", "port"),
        tr("进程", "process"),
        tr("可达性", "reachable"),
        tr("来源", "from"),
        tr("依据", "why"),
    ]
    rows = [head]
    for e in found:
        s = e.listener
        sources = e.sources if e.yes else e.doubtful
        few = ["…"] if len(sources) > 4 and e.reachable == "unknown" else sources[:4]
        if len(sources) > 4:
            few = [*sources[:4], "…"]
        where = ", ".join(few).replace("anywhere", tr("任意来源", "anywhere"))
        process = _process(s.process, run.get(s.pid)) or ("" if e.targets else "?")
        if e.targets:
            process = f"{process} → {', '.join(e.targets)}".strip()
        proto = f"{s.proto}{s.family}"
        why = in_chinese(e.why) if lang() == "zh" else e.why
        row = [proto, s.shown, str(s.port), process, words[e.reachable], where or "-", why]
        rows.append([shown(cell, 4000) for cell in row])
    widths = [max(_width(row[at]) for row in rows) for at in range(len(head) - 1)]
    starts = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)
        )
        for row in rows
    ]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if room is None or all(
        _width(start) + 2 + _width(row[-1]) <= room for start, row in zip(starts, rows, strict=True)
    ):
        return "\n".join(
            f"{start}  {row[-1]}".rstrip() for start, row in zip(starts, rows, strict=True)
        )
    # what decides stands below, where a terminal has no room for it beside
    lines = [starts[0].rstrip()]
    for start, row in zip(starts[1:], rows[1:], strict=True):
        lines += [start.rstrip(), wrap(row[-1], indent="    ", width=max(room, 20))]
    return "\n".join(lines)


def _process(name: str, program: Program | None) -> str:
    """With the package that it is of, where that has another name."""
    if not name or program is None or program.package in (None, name):
        return name
    return f"{name} ({program.package or tr('无软件包', 'no package')})"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
