"""The options of `pledge list` that say of each record why it is listed: one of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from collector.cli.ui.language import tr

_OPTIONS = (
    click.option(
        "--absent",
        "only_absent",
        is_flag=True,
        help=tr(
            "只列有效的、登记了而从未核查到的主机，逐台写明主机名",
            "only those in force that declare hosts which were never looked at, with their names",
        ),
    ),
    click.option(
        "--veto",
        "only_veto",
        is_flag=True,
        help=tr(
            "只列有效的、有一票否决项不符合的，逐项写明核查项与主机；"
            "与 --summary 合用给出各项有多少份",
            "only those in force that fail a control which decides a clause by itself, with which "
            "and on what hosts; with --summary, how many fail each",
        ),
    ),
    click.option(
        "--unowned",
        "only_unowned",
        is_flag=True,
        help=tr(
            "只列有效的、有未闭环问题无人负责的，写明各有几项（逐项见 pledge findings --unowned）",
            "only those in force with open findings that nobody sees to, and how many (each: "
            "`pledge findings --unowned`)",
        ),
    ),
    click.option(
        "--void",
        "only_void",
        is_flag=True,
        help=tr(
            "只列有证据已作废的（不论状态），写明第几份、何时、由谁、为何",
            "only those of which evidence was declared void (in any state): which, when, by whom "
            "and why",
        ),
    ),
)
_NAMES = ("veto", "absent", "unowned", "void")


def only_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Each as `only_NAME`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def only_one(asked: dict[str, Any]) -> str:
    """Takes them out of what was asked; the one that is given, as `--NAME`, empty for none."""
    given = [f"--{name}" for name in _NAMES if asked.pop(f"only_{name}")]
    if len(given) > 1:
        raise click.UsageError(
            tr(f"{given[0]} 不与 {given[1]} 合用", f"{given[0]} goes without {given[1]}")
        )
    return given[0] if given else ""
