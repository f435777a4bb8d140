"""`hostpledge register moved`: what lies beside a register goes with it to another server."""

from __future__ import annotations

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr
from collector.errors import one_line


@click.command(
    help=tr(
        "登记库迁到了另一台服务器、另一个库名或另一位置，而原来的已不在：用户的提交与待发通知"
        "自此归这里。原库若仍在使用，两边会把同一份提交各收用一次，切勿执行。",
        "The register was moved to another server, database or place, and the one that it was is "
        "gone: what customers handed in and the notices that wait are this one's from now on. Not "
        "where that one is still used: both would take in the same hand-ins.",
    )
)
@register_option
@lang_option
@answering("register-moved")
def moved(*, location: str | None) -> int:
    from collector import own_folder
    from collector.handin.places import Places
    from collector.notify.outbox import Outbox
    from collector.pledges.database import location as registers

    register = open_register(location)
    place, name = registers.place(location), register.name()
    found = {}
    for folder, alone in (
        (place.hand_in, Places(place.hand_in).held),
        (place.outbox, Outbox(place.outbox).held),
    ):
        if not folder.is_dir():
            continue
        with alone():
            there = own_folder.move(folder, name, register.where)
        if there is not None:
            found[str(folder)] = there
    answer(moved=[{"folder": folder, "was": was} for folder, was in found.items()])
    for name, was in found.items():
        said = f"{name}：原属 {one_line(was)}，现属 {register.where}\n"
        out(tr(said, f"{name}: was {one_line(was)}'s, and is {register.where}'s now\n"))
    if not found:
        out(tr("没有需要改动的\n", "there is nothing to change\n"))
    return 0
