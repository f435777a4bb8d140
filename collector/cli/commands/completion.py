"""`hostpledge completion`: what makes a shell complete commands, options and controls."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from collector.cli.ui.columns import out
from collector.cli.ui.help import COMPLETE
from collector.cli.ui.language import lang_option, tr

SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "hostpledge"


@click.command(
    help=tr(
        "打印命令补全脚本。写入 shell 读取的目录即可，也可在其启动文件中 source：\n\n"
        "bash：~/.local/share/bash-completion/completions/hostpledge\n\n"
        "zsh：fpath 中某个目录的 _hostpledge\n\n"
        "fish：~/.config/fish/completions/hostpledge.fish",
        "Prints what makes a shell complete the commands. Write it where the shell looks, or "
        "source it from its startup file:\n\n"
        "bash: ~/.local/share/bash-completion/completions/hostpledge\n\n"
        "zsh: _hostpledge in a folder of fpath\n\n"
        "fish: ~/.config/fish/completions/hostpledge.fish",
    )
)
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
@lang_option
def completion(shell: str) -> None:
    out(script(shell))


def script(shell: str) -> str:
    """As click has it; which bash there is to ask is nothing to wait for."""
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(shell)
    asked = kind(click.Command(_PROGRAM), {}, _PROGRAM, COMPLETE)
    return (asked.source_template % asked.source_vars()).lstrip("\n") + "\n"
