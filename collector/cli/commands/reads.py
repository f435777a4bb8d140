"""`hostpledge reads`: everything that would be read on a host, in full, for the host's owner."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from collector import catalog
from collector.cli.asked.loudness import quiet
from collector.cli.options.common import families_option, form_option
from collector.cli.ui.columns import labelled, out, pad, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.export.envelope import as_json
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import WORDS
from collector.model import Control, Read


@click.command(
    help=tr(
        "逐条列出在主机上读取的全部内容、原因与上限，供主机所有者审阅。只读，不写入任何文件。",
        "Prints every read in full, with its reason and its limits, so that a host's owner can "
        "judge it. Reads only read: nothing is written on the host.",
    )
)
@families_option("只列此类，可重复", "only this family, repeatable")
@form_option("text", "json")
@click.option(
    "--measure",
    "measured",
    is_flag=True,
    help=tr(
        "在本机逐条实际执行，给出每条耗费的 CPU、时间与字节数，以及整个脚本的合计",
        "run each read here, alone, and give what it costs: CPU, time, bytes; and the whole script",
    ),
)
@click.option(
    "--through",
    metavar="COMMAND",
    default="sh",
    show_default=True,
    help=tr(
        "与 --measure 连用：改由此命令执行脚本（从标准输入读取），"
        "如 'ssh HOST sh' 或 'podman exec -i NAME sh'",
        "with --measure: the command that runs the script on its standard input, such as "
        "'ssh HOST sh' or 'podman exec -i NAME sh'",
    ),
)
@lang_option
def reads(families: tuple[str, ...], form: str, measured: bool, through: str) -> int:
    selected = [
        control
        for control in catalog.controls().values()
        if not families or control.family in families
    ]
    wanted = sorted(catalog.reads_for(selected).values(), key=lambda read: read.id)
    if measured:
        return _measure(wanted, through, form)
    users = {read.id: _users(read, selected) for read in wanted}
    if form == "json":
        entries = [_entry(read, users[read.id]) for read in wanted]
        out(as_json("reads", {"reads": entries}, indent=2))
    else:
        parts = [_text(read, users[read.id]) for read in wanted]
        if any(read.body.startswith(OPENED) for read in wanted):
            parts.append(_functions())
        count = len(wanted)
        closing = tr(
            f"共 {count} 条读取；hostpledge collect --script 打印实际在主机上运行的脚本",
            f"{count} reads; `hostpledge collect --script` prints the script that runs on the host",
        )
        out("\n".join([*parts, wrap(closing)]) + "\n")
    return 0


def _measure(wanted: list[Read], through: str, form: str) -> int:
    # what runs programs is not needed to print what would be read
    from collector.run.net.measure import Cost, measure

    def tell(read: str) -> None:
        if sys.stderr.isatty() and not quiet():
            shown = tr("整个脚本", "the whole script") if read == "*" else read
            click.echo(f"\r\x1b[K{shown} … ", nl=False, err=True)

    costs, whole = measure(wanted, through, tell)
    if sys.stderr.isatty() and not quiet():
        click.echo("\r\x1b[K", nl=False, err=True)

    def entry(cost: Cost) -> dict[str, Any]:
        return {"cpu_ms": round(cost.cpu, 1), "wall_ms": round(cost.wall, 1), "bytes": cost.size}

    if form == "json":
        told = {
            "measured": [{"id": cost.read, **entry(cost)} for cost in costs],
            "script": entry(whole),
        }
        out(as_json("reads-measured", told, indent=2))
        return 0
    lines = [
        pad(tr("读取", "read"), 36)
        + "".join(name.rjust(12) for name in ("CPU ms", "wall ms", "bytes"))
    ]
    lines += [f"{cost.read:36}{cost.cpu:12.1f}{cost.wall:12.1f}{cost.size:12}" for cost in costs]
    name = pad(tr("整个脚本（一次往返）", "the whole script"), 36)
    lines.append(f"{name}{whole.cpu:12.1f}{whole.wall:12.1f}{whole.size:12}")
    out("\n".join(lines) + "\n")
    return 0


def _users(read: Read, selected: list[Control]) -> list[str]:
    return [control.id for control in selected if read.id in catalog.reads_for([control])]


def _text(read: Read, users: list[str]) -> str:
    lines = [read.id, labelled(tr("  原因", "  why"), read.why.to(lang()))]
    if read.kind == "command":
        lines.append(labelled(tr("  命令", "  command"), shlex.join(read.argv)))
    elif read.kind == "files":
        lines.append(labelled(tr("  文件", "  files"), read.paths[0] if read.paths else "-"))
        lines += [f"{'':12}{path}" for path in read.paths[1:]]
    else:
        # verbatim: a line broken by us would no longer be the line that runs
        own = read.body.removeprefix(OPENED)
        begins = tr("（以文末的公用函数开头）", " (begins with the functions at the end)")
        lines.append(tr("  脚本", "  shell") + ("" if own == read.body else begins))
        lines += [f"    | {line}" for line in own.splitlines()]
    if read.redact.startswith(WORDS):
        lines.append(
            tr(
                "  脱敏 (awk)：只放行列出的词、路径与选项，其余以 $_ 记号代替",
                "  redaction (awk): listed words, paths and options stay, others become $_ tokens",
            )
        )
        lines.append(f"    | {read.redact}")
    elif read.redact:
        lines.append(tr("  脱敏 (sed)", "  redaction (sed)"))
        lines += [f"    | {line}" for line in read.redact.splitlines()]
    lines.append(labelled(tr("  上限", "  limits"), _limits(read)))
    if read.privileged:
        lines.append(
            labelled(
                tr("  权限", "  needs root"),
                tr(
                    "需要 root；否则不执行，记为“权限不足”",
                    "yes; otherwise it is not run, and recorded as refused",
                ),
                column=14 if lang() == "en" else 12,
            )
        )
    lines.append(labelled(tr("  用于", "  used by"), ", ".join(users)))
    return "\n".join(lines) + "\n"


def _functions() -> str:
    """What many bodies begin with, shown once."""
    title = tr("公用函数：以谁的权限打开文件", "functions: as whom a file is opened")
    return "\n".join([title, *(f"    | {line}" for line in OPENED.splitlines())]) + "\n"


def _limits(read: Read) -> str:
    size = f"{read.limit} B"
    for unit, bytes_ in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if read.limit >= bytes_:
            size = f"{read.limit / bytes_:.3g} {unit}"
            break
    if read.kind == "files":
        return tr(
            f"{read.seconds} 秒，最多 {read.most} 个文件，每个 {size}",
            f"{read.seconds} s, {read.most} files at most, {size} each",
        )
    return tr(f"{read.seconds} 秒，{size}", f"{read.seconds} s, {size}")


def _entry(read: Read, users: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": read.id,
        "kind": read.kind,
        "why": read.why.to(lang()),
        "seconds": read.seconds,
        "limit": read.limit,
        "redact": read.redact,
        "privileged": read.privileged,
        "controls": users,
    }
    if read.kind == "command":
        entry["argv"] = list(read.argv)
    elif read.kind == "files":
        entry |= {"paths": list(read.paths), "most": read.most}
    else:
        entry["body"] = read.body
    return entry
