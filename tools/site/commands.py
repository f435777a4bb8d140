"""A page for each command: what `--help` says, to be linked to and searched."""

from __future__ import annotations

from collections.abc import Iterator

import click

from collector.cli.app import hostpledge
from collector.cli.asked.status import STATUSES
from collector.cli.ui.help import first_sentence, in_words
from collector.cli.ui.language import lang
from tools.site.languages import boosted, cell, either


def pages() -> Iterator[tuple[str, str]]:
    """Each page's place, and its text, in the language of this process."""
    click.Context.formatter_class = click.HelpFormatter
    found = every()
    yield "commands/index.md", "\n".join(_index(found)) + "\n"
    for command, context in found:
        yield f"commands/{_file(context)}.md", "\n".join(_page(command, context)) + "\n"


def every() -> list[tuple[click.Command, click.Context]]:
    """Each command, however deep in groups."""
    settings = hostpledge.context_settings
    return list(_below(hostpledge, click.Context(hostpledge, info_name="hostpledge", **settings)))


def _below(
    command: click.Command, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, context
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield from _below(found, click.Context(found, info_name=word, parent=context))


def _file(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _index(found: list[tuple[click.Command, click.Context]]) -> Iterator[str]:
    language = lang()
    yield f"# {either(language, '命令', 'Commands')}"
    yield ""
    yield either(language, "| 命令 | 用途 |", "| command | what for |")
    yield "|---|---|"
    for command, context in found:
        link = f"[`{context.command_path}`]({_file(context)}.md)"
        yield f"| {link} | {cell(first_sentence(command))} |"
    yield ""
    yield f"## {either(language, '退出码', 'Exit status')}"
    yield ""
    yield either(language, "| 退出码 | 含义 |", "| status | what it means |")
    yield "|---|---|"
    for status, meaning in STATUSES.items():
        yield f"| {status} | {cell(meaning.to(language))} |"


def _page(command: click.Command, context: click.Context) -> Iterator[str]:
    language = lang()
    yield from boosted(2)
    yield f"# {context.command_path}"
    for paragraph in (command.help or "").split("\n\n"):
        yield from ("", cell(paragraph))
    usage = in_words(" ".join(command.collect_usage_pieces(context)))
    yield from ("", "```text", f"{context.command_path} {usage}".rstrip(), "```")
    if isinstance(command, click.Group):
        yield from ("", f"## {either(language, '子命令', 'Commands')}", "")
        yield either(language, "| 命令 | 用途 |", "| command | what for |")
        yield "|---|---|"
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            if found is not None:
                yield f"| [`{word}`]({_file(context)}-{word}.md) | {cell(first_sentence(found))} |"
    yield from ("", f"## {either(language, '选项', 'Options')}", "")
    yield either(language, "| 选项 | 含义 |", "| option | what it does |")
    yield "|---|---|"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            yield f"| <code>{cell(record[0])}</code> | {cell(in_words(record[1]))} |"
    above = context.parent
    if above is not None:
        yield from (
            "",
            f"[`{above.command_path}`]({_file(above)}.md) · ["
            f"{either(language, '全部命令', 'all commands')}](index.md)",
        )
