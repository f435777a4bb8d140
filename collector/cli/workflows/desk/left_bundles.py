"""Bundles in the register's store that are no evidence, as `doctor` tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from collector.cli.ui.language import tr
from collector.errors import CollectorError, one_line
from collector.resources import home_place

if TYPE_CHECKING:
    from collector.pledges.register.register import Register

_NAMED = 3


def left_bundles() -> tuple[str, str] | None:
    """What is there and what to do about it; None for nothing, or where there is no register."""
    from collector.pledges.database.location import is_named
    from collector.pledges.register.register import FILE, Register

    if not is_named(None) and not (home_place() / FILE).exists():
        return None
    try:
        register = Register.open(create=False)
        register.emptied()
    except (CollectorError, OSError):
        # that is told as the register's own trouble
        return None
    try:
        return _looked(register)
    except (CollectorError, OSError) as problem:
        return one_line(str(problem)), one_line(str(getattr(problem, "mend", "")))


def _looked(register: Register) -> tuple[str, str] | None:
    from collector.pledges.transfer.strays import strays

    with register.store.idle() as idle:
        if not idle:
            return (
                tr("有命令正在其中写入，未能查看", "a command is at work there: not looked at"),
                tr("稍后再查", "look again later"),
            )
        found = strays(register)
    return _told(register.store.folder, found) if found else None


def _told(folder: Path, found: Mapping[str, str]) -> tuple[str, str]:
    count = len(found)
    names = [f"{digest} ({one_line(pledge)})" for digest, pledge in list(found.items())[:_NAMED]]
    listed = ", ".join(names) + (", …" if count > _NAMED else "")
    return (
        tr(
            f"{folder} 中有 {count} 份证据包不属于任何登记：{listed}",
            f"{count} bundle(s) in {folder} that are no evidence of any pledge: {listed}",
        ),
        tr(
            "曾有命令中途被终止，或恢复过较早的备份：用 hostpledge pledge attach 附上，"
            "重做过的可删除；已销毁的登记再执行一次 hostpledge pledge dispose，它的随之销毁",
            "a command was killed, or an older backup restored: hostpledge pledge attach them, or "
            "remove what was made anew; hostpledge pledge dispose destroys those of its pledge, "
            "where need be once more",
        ),
    )
