"""`hostpledge register backup|restore`: all of a register in one file, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang_option, tr

if TYPE_CHECKING:
    from collector.pledges.transfer.restore import Restored

# so many ids are named
_NAMED = 12


@click.command(
    help=tr(
        "将整个登记库（登记的全部版本、日志与检查点、证据包）存为一个文件，写成后读回核对；"
        "其间他人可照常写入。文件不掩码、不加密，请妥善保管。",
        "Saves the whole register in one file: records in all versions, the log with its "
        "checkpoints, the bundles. It is read back before it takes its name, and others may write "
        "meanwhile. The file is neither masked nor encrypted: keep it safe.",
    )
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写到这个文件", "the file to write"),
)
@register_option
@lang_option
@answering("register-backup")
def backup(*, output: Path, location: str | None) -> int:
    from collector.pledges.transfer import backup as backups

    check_output(output, location=location)
    about = backups.write(open_register(location), output)
    answer(file=str(output), **_json(about))
    out(tr(f"已备份 {_counted(about)}：{output}\n", f"saved {_counted(about)}: {output}\n"))
    return 0


@click.command(
    help=tr(
        "由备份文件恢复登记库，SQLite 与 PostgreSQL 之间亦可；先核对整个文件，"
        "全部恢复或不作任何改动。目标已有登记时拒绝，除非给出 --replace。",
        "Puts a saved register in place, also from SQLite into PostgreSQL and back. The whole file "
        "is checked first, and all of it is restored or nothing is changed. Refused where there "
        "are records already, unless --replace is given.",
    )
)
@click.argument("file", type=FilePath(path_type=Path))
@click.option(
    "--replace",
    is_flag=True,
    help=tr("取代目标中现有的全部登记与日志", "in the place of all records and the log there"),
)
@register_option
@lang_option
@answering("register-restore")
def restore(*, file: Path, replace: bool, location: str | None) -> int:
    from collector.attest.trust import keyring
    from collector.pledges.transfer.restore import restore as put

    done = put(file, location, replace=replace, trust=keyring.trust())
    counted = _counted(done.about)
    answer(register=done.where, lost=done.lost, gone=list(done.gone), **_json(done.about))
    out(tr(f"已恢复 {counted}：{done.where}\n", f"restored {counted}: {done.where}\n"))
    if done.lost:
        click.echo(
            tr(
                f"原日志多出的 {done.lost} 条已不在其中；持有较新检查点者会看到不一致",
                f"{done.lost} entries that the log had beyond it are gone: whoever keeps a later "
                "checkpoint will find it inconsistent",
            ),
            err=True,
        )
    for said in (*_gone(done), *_unproven(done)):
        click.echo(said, err=True)
    return 0


def _gone(done: Restored) -> Iterator[str]:
    """Of ids that the register knows no more it cannot say whose they were."""
    if done.gone:
        few = ", ".join(done.gone[:_NAMED]) + (" …" if len(done.gone) > _NAMED else "")
        count = len(done.gone)
        yield tr(
            f"原有 {count} 份登记不在备份中：{few}；曾为其发放的页面账号与提交链接请收回，"
            "也不要把这些编号给其他用户",
            f"{count} record(s) that were there are not in it: {few}; take back accounts of the "
            "page and hand-in links that were given for them, and give these ids to nobody else",
        )


def _unproven(done: Restored) -> Iterator[str]:
    """Whoever carried the file may have made what no key vouches for."""
    if not done.about["rows"]["checkpoints"]:
        yield tr(
            "备份中没有检查点：无从证明日志未被改写",
            "no checkpoint in it: nothing shows that its log was not written anew",
        )
    elif done.unproven_log:
        yield tr(
            "其最新检查点不是由此处信任的密钥签署",
            "its last checkpoint is not signed by a key that is trusted here",
        )
    elif done.after_checkpoint:
        yield tr(
            f"其最新检查点之后又有 {done.after_checkpoint} 条日志：尚无检查点证明",
            f"{done.after_checkpoint} entries of its log came after its last checkpoint: no key "
            "vouches for these yet",
        )
    if done.strangers:
        yield tr(
            f"{done.strangers} 份证据不是由此处信任且仍有效的密钥签名",
            f"{done.strangers} bundle(s) are signed by no key that is trusted here and still "
            "counts (unknown, revoked, ended, or for logs alone)",
        )


def _json(about: dict[str, Any]) -> dict[str, Any]:
    rows, log = about["rows"], about["log"]
    return {
        "pledges": rows["pledges"],
        "evidence": rows["evidence"],
        "log": {"size": log["size"], "root": log["root"]},
    }


def _counted(about: dict[str, Any]) -> str:
    rows, log = about["rows"], about["log"]
    records, bundles = rows["pledges"], rows["evidence"]
    return tr(
        f"{records} 份登记、{bundles} 份证据（日志 {log['size']} 条，树根 {log['root'][:16]}）",
        f"{records} pledge records and {bundles} bundles (log of {log['size']}, root "
        f"{log['root'][:16]})",
    )
