"""`hostpledge register restored`: an earlier state was put there on purpose, by somebody else."""

from __future__ import annotations

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr


@click.command(
    help=tr(
        "登记库已由他人有意恢复到较早的状态：此后本用户（如运行网页的账号）不再以自己记得的较长的"
        "日志为准。记忆是发现日志被删改的凭据，仅在确知是有意恢复时执行；restore 本身已为执行它的"
        "用户做了同样的事。",
        "Somebody else restored the register to an earlier state, on purpose: from now on this "
        "user (the account that runs the page, say) holds it no more to the longer log that they "
        "remember. That memory is what shows that entries were removed: only where it is known "
        "that somebody restored it. `restore` does the same for who runs it.",
    )
)
@register_option
@lang_option
@answering("register-restored")
def restored(*, location: str | None) -> int:
    from collector.pledges.database import last_kept
    from collector.pledges.register.read_only import ReadOnlyRegister

    # the account of the page may only read it
    register = ReadOnlyRegister.open_read_only(location)
    known, now = last_kept.read(register.where), register.stands().size
    last_kept.forget(register.where)
    answer(remembered=known.size if known else None, entries=now)
    if known is None:
        out(tr("没有记得的日志\n", "no log was remembered\n"))
        return 0
    zh = f"不再记得 {known.size} 条的日志；现有 {now} 条\n"
    out(tr(zh, f"a log of {known.size} entries is remembered no more; there are {now} now\n"))
    return 0
