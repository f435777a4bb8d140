"""Help texts: click's own words in the language of this process, and lines as wide as they look."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem
from rich.cells import cell_len, set_cell_size

from collector.cli.ui.language import lang
from collector.export.wrapping import wrapped

# the name in the environment by which a shell asks for completions
COMPLETE = "_HOSTPLEDGE_COMPLETE"
# columns of a terminal for what stands beside a command that could be meant
_ABOUT = 60
_WORDS = (
    (r"^Options$", "选项"),
    (r"^Commands$", "命令"),
    (r"^Usage: $", "用法："),
    (r"\[OPTIONS\]", "[选项]"),
    (r"\bCOMMAND \[ARGS\]\.\.\.", "命令 [参数]…"),
    (r"^Show this message and exit\.$", "显示本说明"),
    (r"^Show the version and exit\.$", "显示版本"),
    (r"\[required\]", "[必填]"),
    (r"\brequired\]", "必填]"),
    (r"\bdefault: ", "默认："),
)


def in_words(text: str) -> str:
    if lang() == "zh":
        for pattern, words in _WORDS:
            text = re.sub(pattern, words, text)
    return text


class Formatter(click.HelpFormatter):
    """click counts characters; a Chinese one is two columns wide, and no blank follows it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, in_words(args), in_words(prefix or "Usage: "))

    def write_heading(self, heading: str) -> None:
        colon = "：" if lang() == "zh" else ":"
        self.write(f"{'':{self.current_indent}}{in_words(heading)}{colon}\n")

    def write_text(self, text: str) -> None:
        blank = " " * self.current_indent
        for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
            if number:
                self.write("\n")
            for line in wrapped(" ".join(paragraph.split()), self.width - self.current_indent):
                self.write(f"{blank}{line}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        rows = list(rows)
        blank = " " * self.current_indent
        widest = max((cell_len(name) for name, _ in rows), default=0)
        column = min(widest, col_max) + col_spacing
        for name, about in rows:
            lines = wrapped(in_words(about), max(self.width - self.current_indent - column, 10))
            first = name + " " * max(column - cell_len(name), 0)
            if cell_len(name) > column - col_spacing:
                self.write(f"{blank}{name}\n")
                first = " " * column
            self.write(f"{blank}{first}{lines[0]}".rstrip() + "\n")
            for line in lines[1:]:
                self.write(f"{blank}{'':{column}}{line}\n")


def first_sentence(command: click.Command) -> str:
    about = " ".join((command.help or "").split("\n\n", 1)[0].split())
    return re.split(r"。|\.(?= |$)", about, maxsplit=1)[0]


class Group(click.Group):
    """A group that lists each command with the whole first sentence of its help."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, first_sentence(command)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands with what they are for; click would cut that after a number of words."""
        # bash shows names alone, and for these no command has to be loaded
        bare = os.environ.get(COMPLETE, "").startswith("bash")
        found = []
        for name in self.list_commands(ctx):
            if name.startswith(incomplete):
                command = None if bare else self.get_command(ctx, name)
                about = first_sentence(command) if command else ""
                found.append(CompletionItem(name, help=_cut(about)))
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _cut(text: str) -> str:
    return text if cell_len(text) <= _ABOUT else set_cell_size(text, _ABOUT - 1).rstrip() + "…"
