"""-q and -v, which every command takes."""

from __future__ import annotations

from typing import Any

import click

from collector.cli.asked import loudness
from collector.cli.ui.language import tr


def with_loudness(command: click.Command) -> click.Command:
    """The command, or each below a group, with both of them; once, however often it is called."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_loudness(below)
    elif not any(parameter.name == "quiet" for parameter in command.params):
        command.params += [_option("quiet"), _option("verbose")]
    return command


def _option(how: str) -> click.Option:
    about = {
        "quiet": tr("不显示进度，只说结果与问题", "no progress: results and complaints alone"),
        "verbose": tr(
            "多说：各主机、各阶段的用时，内部错误的调用栈",
            "say more: each host, how long each stage took, the traceback of a defect",
        ),
    }

    def said(_: click.Context, __: click.Parameter, value: Any) -> None:
        if value:
            loudness.be(how)

    return click.Option(
        [f"-{how[0]}", f"--{how}"],
        is_flag=True,
        expose_value=False,
        callback=said,
        help=about[how],
    )
