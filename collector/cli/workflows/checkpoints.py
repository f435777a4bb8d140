"""A signed checkpoint of a register's log, and what is odd in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.attest.keys.keys import PrivateKey
    from collector.attest.log.logged import Log
    from collector.pledges.register.register import Register


def stepped_back(log: Log) -> Iterator[str]:
    """A line for each entry that is dated before one ahead of it."""
    from collector.pledges.database.log import stepped_back as found

    for number, at, before in found(log):
        yield tr(
            f"日志第 {number} 条的时间 {at} 早于其前的条目（{before}）：曾有时钟偏快，或时间被倒填",
            f"entry {number} of the log is dated {at}, before one ahead of it ({before}): a clock "
            "was ahead once, or it is back-dated",
        )


def sign_checkpoint(opened: Register, key: PrivateKey) -> tuple[str, Log]:
    """A signed checkpoint of the whole log, which the register keeps, and that log.

    Raises BadInput where others put into it what no trusted key signed: what a user signs is what
    they know from then on.
    """
    from collector.attest.log.checkpoint import sign

    log = opened.log()
    opened.hold_signatures()
    for said in stepped_back(log):
        click.echo(said, err=True)
    found = log.checkpoint()
    note = sign(found, key)
    opened.keep_checkpoint(found.size, note)
    return note, log
