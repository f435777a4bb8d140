"""Man pages, made of the commands: `python -m tools.man_pages FOLDER`; see `tools.share`.

One page a command, in English below man1/ and in Chinese below zh_CN/man1/: `man hostpledge verify`
finds each. They are not kept in the repository: what they say is what `--help` says, in roff.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from collector import __version__
from collector.cli.app import hostpledge
from collector.cli.asked.status import STATUSES
from collector.cli.ui.help import first_sentence, in_words
from collector.cli.ui.language import lang, tr

_FOLDERS = {"en": "man1", "zh": "zh_CN/man1"}
_ENVIRONMENT = (
    ("HOSTPLEDGE_HOME", tr("数据目录：密钥、登记库、证据包", "keys, register, bundles lie there")),
    ("HOSTPLEDGE_REGISTER", tr("登记库（路径或 URL）", "the register (path or URL)")),
    (
        "HOSTPLEDGE_TRUST",
        tr(
            "信任文件或目录：同事的密钥，其签名的证据在登记库中作数",
            "a trust file or folder: keys of colleagues, whose evidence counts in the register",
        ),
    ),
    ("HOSTPLEDGE_LANG", tr("语言：zh 或 en", "language: zh or en")),
    ("HOSTPLEDGE_TELL_ALTERED", tr("设为 1 同 --tell-altered", "1: as --tell-altered")),
    ("HOSTPLEDGE_DEBUG", tr("设为 1 则显示内部错误的调用栈", "1: a defect shows its traceback")),
    ("NO_COLOR", tr("有值则不用颜色", "no colours where it has a value")),
)


def main(arguments: list[str]) -> int:
    """FOLDER, and --lang for one language alone: texts are made in that of the process."""
    folder = Path(arguments[0])
    if "--lang" not in arguments:
        for each in _FOLDERS:
            again = [sys.executable, "-m", "tools.man_pages", str(folder), "--lang", each]
            subprocess.run(again, check=True)
        return 0
    place = folder / _FOLDERS[lang()]
    place.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (place / f"{name}.1").write_text(text, encoding="utf-8")
    return 0


def pages() -> Iterator[tuple[str, str]]:
    """Each page's name, and its text, in the language of this process."""
    click.Context.formatter_class = click.HelpFormatter
    settings = hostpledge.context_settings
    yield from _below(hostpledge, click.Context(hostpledge, info_name="hostpledge", **settings))


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    name = context.command_path.replace(" ", "-")
    yield name, "\n".join(_page(name, command, context)) + "\n"
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _below(found, click.Context(found, info_name=word, parent=context))


def _page(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield f'.TH {name.upper()} 1 "" "hostpledge {__version__}" "hostpledge"'
    # ragged and unbroken: names of options and variables are there to be copied
    yield from (".nh", ".ad l")
    yield from _section(tr("名称", "NAME"))
    yield f"{_plain(name)} \\- {_plain(first_sentence(command))}"
    yield from _section(tr("用法", "SYNOPSIS"))
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\\fB{_plain(context.command_path)}\\fR {_plain(in_words(usage))}"
    yield from _section(tr("说明", "DESCRIPTION"))
    for number, paragraph in enumerate((command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        yield _text(paragraph)
    if isinstance(command, click.Group):
        yield from _section(tr("命令", "COMMANDS"))
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _entry(f"\\fB{_plain(word)}\\fR", first_sentence(found))
    yield from _section(tr("选项", "OPTIONS"))
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            yield from _entry(f"\\fB{_plain(record[0])}\\fR", in_words(record[1]))
    yield from _section(tr("退出状态", "EXIT STATUS"))
    for status, meaning in STATUSES.items():
        yield from _entry(f"\\fB{status}\\fR", meaning.to(lang()))
    if context.parent is None:
        yield from _section(tr("环境变量", "ENVIRONMENT"))
        for variable, meaning in _ENVIRONMENT:
            yield from _entry(f"\\fB{_plain(variable)}\\fR", meaning)
    else:
        yield from _section(tr("参见", "SEE ALSO"))
        yield f"\\fB{_plain(context.parent.command_path.replace(' ', '-'))}\\fR(1)"


def _section(title: str) -> Iterator[str]:
    yield f".SH {title}"


def _entry(head: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield head
    yield _text(text)


def _text(text: str) -> str:
    return _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    """So that nothing in it is a request or an escape of roff."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
