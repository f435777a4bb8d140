"""What commands hold to: -q and -v for all, and of the register one value for an option of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import click

from collector.cli.asked import loudness
from collector.cli.ui.language import tr

_Parsed = tuple[dict[str, Any], list[str], list[click.Parameter]]


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


def with_values_once(command: click.Command) -> click.Command:
    """The command, or each below a group, where click would take the last of several values.

    Of two, nobody could say which was meant. Flags may be said again, and options of several
    values take them all.
    """
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_values_once(below)
    elif not getattr(command.make_parser, "values_once", False):
        command.make_parser = _made(command.make_parser)  # type: ignore[assignment,method-assign]
    return command


def _made(make: Callable[[click.Context], Any]) -> Callable[[click.Context], Any]:
    def maker(ctx: click.Context) -> Any:
        parser = make(ctx)
        if not ctx.resilient_parsing:
            parse = parser.parse_args

            def parsed(args: list[str]) -> _Parsed:
                options, rest, order = parse(args=args)
                _refuse(order, ctx)
                return options, rest, order

            parser.parse_args = parsed
        return parser

    maker.values_once = True  # type: ignore[attr-defined]
    return maker


def _refuse(order: list[click.Parameter], ctx: click.Context) -> None:
    for option, times in Counter(order).items():
        one = isinstance(option, click.Option) and not (
            option.multiple or option.is_flag or option.count
        )
        if one and times > 1:
            name = max(option.opts, key=len)
            raise click.UsageError(
                tr(
                    f"选项 {name} 给出了 {times} 次，只能给出一次",
                    f"{name} is given {times} times, and takes one value",
                ),
                ctx,
            )
