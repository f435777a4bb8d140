"""`hostpledge pledge dispose`: destroys what was kept, once it need not be kept any longer."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.handin.ended import Ended
    from collector.pledges.transfer.disposal import Disposed


@click.command(
    help=tr(
        "保存期满后销毁登记内容与证据包。登记缩减为：用户名称、所签文件的摘要、起止、销毁记录；"
        "每份证据的摘要与日志条目保留，日志不变；其提交链接停用，未处理的提交与未发出的告知一并销毁。"
        "备份和已写好的通知中的内容须另行销毁。",
        "Destroys what a pledge record said and its bundles, once they need not be kept any "
        "longer. A record stays of who, the digests of what was signed, its period, and the "
        "disposal; of each bundle its digest and its entry in the log, which stays as it was. "
        "Its hand-in links end, and what waits for intake, or to be told by `pledge notify`, goes. "
        "Backups that hold it, and notices that were written, are for you to destroy.",
    )
)
@click.argument("id")
@click.option("--method", required=True, metavar="TEXT", help=tr("销毁方式", "how it is destroyed"))
@click.option("--by", required=True, metavar="NAME", help=tr("经办人", "who does it"))
@click.option(
    "--certificate",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("销毁记录，登记其摘要", "the paper about it: its digest goes on record"),
)
@click.option("--yes", is_flag=True, help=tr("不询问", "do not ask"))
@register_option
@lang_option
@answering("pledge-dispose")
def dispose(
    *,
    id: str,
    method: str,
    by: str,
    certificate: Path | None,
    yes: bool,
    location: str | None,
) -> int:
    from collector.captures import digest
    from collector.cli.options.captures import document
    from collector.cli.workflows.desk.letting_go import let_go, outbox_of
    from collector.cli.workflows.handed.waiting import place
    from collector.handin import ended
    from collector.pledges.record.times import CHINA
    from collector.pledges.transfer.disposal import dispose as destroy

    register = open_register(location)
    today = datetime.now(CHINA).date()
    about = {"date": today.isoformat(), "method": method, "by": by}
    if certificate is not None:
        about["sha256"] = digest(document(certificate))
    register.get(id)
    if not yes and not sys.stdin.isatty():
        raise BadInput(
            tr("没有终端可供确认", "there is no terminal to ask on"),
            mend=tr("加 --yes", "give --yes"),
        )
    # what another register has is not its own to end: said before anything is destroyed
    places, outbox = place(register, location), outbox_of(register, location)
    count = len(register.every_evidence(id))
    question = tr(
        f"销毁 {id} 的登记内容和 {count} 份证据包，不可恢复。继续？",
        f"Destroy what {id} says and its {count} bundle(s), for good. Go on?",
    )
    if not yes and not click.confirm(question, err=True):
        return 1
    # nobody is told of it any more from here on
    with outbox.held() if outbox.folder.is_dir() else nullcontext():
        done = destroy(register, id, about, today, renewed=id in register.renewed())
        over = ended.end(places, id)
        untold = let_go(outbox, {id}, datetime.now(UTC)) if outbox.folder.is_dir() else 0
    answer(Identity(id), id=id, versions=done.versions, bundles=done.bundles)
    _tell(id, done, over, untold)
    for problem in over.damaged:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        click.echo(one_line(said, 600), err=True)
    if over.damaged:
        click.echo(
            tr(
                "以上用户提交的文件无法读取，是否属于该登记不得而知：请查看后自行删除",
                "whether these files of hand-ins are of this pledge is not known: look into them, "
                "and take them away yourself",
            ),
            err=True,
        )
    return 2 if over.damaged else 0


def _tell(id: str, done: Disposed, over: Ended, untold: int) -> None:
    out(
        tr(
            f"已销毁 {id}：{done.versions} 个版本的内容，{done.bundles} 份证据包；摘要与日志保留\n",
            f"{id} is disposed of: what {done.versions} version(s) said, {done.bundles} bundle(s); "
            "their digests and the log stay\n",
        )
    )
    if over.links or over.captures:
        out(
            tr(
                f"提交链接停用 {over.links} 个，未处理的提交销毁 {over.captures} 份\n",
                f"{over.links} hand-in link(s) ended, {over.captures} capture(s) that waited "
                "taken away\n",
            )
        )
    if untold:
        out(
            tr(
                f"未发出的告知撤去 {untold} 则\n",
                f"taken out of {untold} message(s) of `pledge notify` that waited\n",
            )
        )
