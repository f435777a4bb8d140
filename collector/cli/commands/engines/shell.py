"""`hostpledge shell`: what a shell script surely does, perhaps does, never does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from collector import private
from collector.cli.options.common import form_option
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, one_line
from collector.export.envelope import as_json
from collector.facts.shell.parser import LONGEST
from collector.facts.shell.program import Command, Program, dialect_of, read
from collector.facts.shell.values import Value, shown
from collector.judging.confined import looked_through


@click.command(
    help=tr(
        "说明一个 shell 脚本必定执行、可能执行、从不执行哪些命令，各命令失败时脚本是否随之失败，"
        "以及读写哪些文件。脚本不会被运行。\n\n"
        "退出码：0 均能断定；1 有无法断定者；2 无法完成。",
        "Says which commands a shell script surely runs, perhaps runs and never runs, whether the "
        "script fails when one of them does, and which files are read and written. The script is "
        "not run.\n\nExit status: 0 all of it can be told; 1 of a command it cannot; 2 the command "
        "could not do its work.",
    )
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--arg", "arguments", multiple=True, metavar="WORD",
    help=tr("脚本的参数，可多次给出", "an argument of the script; may be given again"),
)  # fmt: skip
@click.option(
    "--env", "environment", multiple=True, metavar="NAME=VALUE",
    help=tr(
        "脚本的环境变量，可多次给出；未给出者视为未知",
        "a variable of its environment; may be given again. One that is not given is unknown",
    ),
)  # fmt: skip
@form_option("table", "json")
@lang_option
def shell(file: Path, arguments: tuple[str, ...], environment: tuple[str, ...], form: str) -> int:
    given = _environment(environment)
    text = _text(file)
    done = looked_through(
        lambda: read(text, arguments=arguments, environment=given, name=str(file)), where=str(file)
    )
    if form == "json":
        document = {"commands": [_json(c) for c in done.commands]}
        out(as_json("shell", document))
    else:
        out(_said(done, text))
    return 1 if done.lost or any(c.reached == "untold" for c in done.commands) else 0


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise BadInput(
                tr("不是“名称=值”的形式", "not of the form NAME=VALUE"), where=f"--env {pair}"
            )
        found[name] = value
    return found


def _text(file: Path) -> str:
    """Its text, at most a little more than the engine reads at all."""
    with private.opened(file) as source:
        text = source.read(LONGEST + 1).decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise BadInput(tr("不是文本文件", "not a text file"), where=str(file))
    if dialect_of(text)[0] == "other":
        raise BadInput(tr("不是 shell 脚本", "not a shell script"), where=str(file))
    return text


def _plain(text: str) -> str:
    """Bytes that are no UTF-8 cannot be printed."""
    return text.encode("utf-8", "replace").decode()


def _json(command: Command) -> dict[str, Any]:
    return {
        "argv": [None if w is None else _plain(w) for w in command.argv],
        "reached": command.reached,
        "decides": command.decides,
        "reads": [_file(x) for x in command.reads],
        "writes": [_file(x) for x in command.writes],
    }


def _file(of: Value) -> str:
    return _plain(shown(of, "*"))


def _said(done: Program, text: str) -> str:
    heads = {
        "always": tr("必定执行", "surely"),
        "perhaps": tr("可能执行", "perhaps"),
        "never": tr("从不执行", "never"),
        "untold": tr("无法断定", "cannot be told"),
    }
    lines: list[str] = []
    for reached, head in heads.items():
        some = [c for c in done.commands if c.reached == reached]
        if some:
            lines += [*([""] if lines else []), head]
        for command in some:
            words = " ".join(_word(w) for w in command.words)
            lines.append(wrap(one_line(_plain(words)), indent="  "))
            lines += [wrap(x, indent="      ") for x in _more(command)]
    if len(text.encode("utf-8", "surrogateescape")) > LONGEST:
        lines.append(
            tr(
                f"脚本超过 {LONGEST >> 10} KiB，未予分析",
                f"longer than {LONGEST >> 10} KiB: not read",
            )
        )
    elif done.lost:
        lines += ["", tr("其后果无法完全断定", "what it does cannot be told in full")]
    elif not done.commands:
        lines.append(tr("没有命令", "no command"))
    return "\n".join(lines) + "\n"


def _word(of: Value) -> str:
    """As a shell would need it, `…` for what only a run shows."""
    text = shown(of, "…")
    if re.fullmatch(r"[\w@%+=:,./…*-]+", text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _more(command: Command) -> list[str]:
    found = []
    if command.reached != "never":
        found.append(
            tr("失败则脚本失败", "when it fails, the script fails")
            if command.decides
            else tr("其失败不致脚本失败", "its failure does not fail the script")
            if command.decides is False
            else tr("失败的后果无法断定", "what its failure leads to cannot be told")
        )
    reads = [one_line(_file(x)) for x in command.reads]
    writes = [one_line(_file(x)) for x in command.writes]
    if reads:
        found.append(tr("读取：", "reads: ") + ", ".join(reads))
    if writes:
        found.append(tr("写入：", "writes: ") + ", ".join(writes))
    return found
