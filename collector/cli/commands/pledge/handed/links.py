"""`hostpledge pledge hand-in-link`: by which a customer hands in the capture of one host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.pledge import open_register, register_option
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, one_line
from collector.export.envelope import Identity
from collector.model import Text
from collector.pledges.record.times import minute, today_in_china

if TYPE_CHECKING:
    from collector.handin.links import Link
    from collector.handin.places import Places
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

_STATES = {
    "open": Text("可用", "open"),
    "used": Text("已用", "used"),
    "ended": Text("已过期", "ended"),
    "revoked": Text("已撤销", "revoked"),
}


@click.command(
    "hand-in-link",
    help=tr(
        "为登记 PLEDGE 的主机 HOST 生成一次性提交链接：用户以它下载采集脚本、上传一份采集文件"
        "（curl -T host.capture 链接），不需要 SSH。链接只显示这一次，库中只存其摘要；只收一份"
        "文件，到期失效，可撤销。收到的文件由 hostpledge intake 收用。",
        "Makes a one-time link for HOST of PLEDGE: by it a customer downloads the collector script "
        "and hands in one capture (curl -T host.capture LINK), with no SSH. It is shown this once, "
        "only its digest is kept; it takes one file, ends by itself, and can be revoked. What "
        "comes by it waits for `hostpledge intake`.",
    ),
)
@click.argument("pledge", required=False)
@click.argument("host", required=False)
@click.option(
    "--days",
    type=click.IntRange(1, 90),
    default=7,
    show_default=True,
    metavar="N",
    help=tr("几天后失效", "it ends after so many days"),
)
@click.option(
    "--url",
    envvar="HOSTPLEDGE_URL",
    metavar="URL",
    help=tr(
        "网页服务的地址，链接以此开头（默认 $HOSTPLEDGE_URL，否则为 serve 设置中的 url）",
        "address of the web page, which the link begins with (default: $HOSTPLEDGE_URL, else the "
        "`url` in the settings of `serve`)",
    ),
)
@click.option("--list", "listed", is_flag=True, help=tr("列出链接", "list the links"))
@click.option("--revoke", metavar="ID", help=tr("撤销此链接", "revoke this link"))
@register_option
@lang_option
@answering("pledge-hand-in-link")
def hand_in_link(
    *,
    pledge: str | None,
    host: str | None,
    days: int,
    url: str | None,
    listed: bool,
    revoke: str | None,
    location: str | None,
) -> int:
    from collector.cli.workflows.handed.waiting import place
    from collector.handin.gone import tell

    if bool(listed) + bool(revoke) + (host is not None) != 1:
        raise click.UsageError(
            tr(
                "给出 PLEDGE HOST、--list 或 --revoke ID 之一",
                "give one of PLEDGE HOST, --list and --revoke ID",
            )
        )
    register = open_register(location)
    places = place(register, location)
    if listed:
        at, begun = datetime.now(UTC), register.begun()
        tell(places, _asked(register), begun, at)
        return _list(places, pledge, begun)
    if revoke:
        return _revoke(places, revoke)
    record = register.get(str(pledge))
    if record.hosts and not _asked(register, record)[record.id]:
        raise BadInput(
            tr(
                "登记已终止或已销毁，不再收取提交",
                "ended or disposed of: nothing is handed in of it",
            ),
            where=record.id,
        )
    if host not in record.hosts:
        raise BadInput(
            tr(f"{one_line(str(host))} 不在登记的主机之中", f"{host} is no host of the record"),
            where=record.id,
            mend=tr("见登记的 resources.hosts", "see its resources.hosts"),
        )
    places.belongs_to(register.name(), register.where)
    return _make(places, record.id, str(host), record.grade, days, url)


def _asked(register: Register, *records: PledgeRecord) -> dict[str, Sequence[str]]:
    """By pledge (of these; of all where none is given) the hosts that may be handed in today."""
    from collector.pledges.due.lifecycle import hosts_asked, state

    renewed, today = register.renewed(), today_in_china()
    return {
        one.id: hosts_asked(one, state(one, today, renewed=one.id in renewed))
        for one in records or register.briefs()
    }


def _make(places: Places, pledge: str, host: str, grade: int, days: int, url: str | None) -> int:
    from collector.handin import links
    from collector.handin.paths import PREFIX

    base = _base(url) if url is not None else places.address
    link, token = links.new(places, pledge, host, grade, timedelta(days=days))
    address = f"{base}{PREFIX}/{token}"
    answer(Identity(pledge), link=_told(places, link), address=address)
    out(f"{address}\n")
    at = minute(link.ends_at)
    click.echo(
        tr(
            f"链接 {link.id}：只用于 {pledge} 的 {host}，只收一份，{at} 失效；不会再次显示",
            f"link {link.id}: for {host} of {pledge} alone, takes one file, ends {at}; it is not "
            "shown again",
        ),
        err=True,
    )
    if not base:
        click.echo(
            tr(
                "这只是路径：请在前面加上网页服务的地址，或给出 --url，或在 serve 的设置中写明 url",
                "this is a path alone: put the address of the page before it, or give --url, or "
                "say `url` in the settings of `serve`",
            ),
            err=True,
        )
    return 0


def _base(url: str) -> str:
    if not url.startswith(("https://", "http://")) or not url.isprintable() or " " in url:
        raise BadInput(tr("不是网址", "not an address"), where="--url")
    return url.rstrip("/")


def _list(places: Places, pledge: str | None, begun: Mapping[str, datetime]) -> int:
    from collector.cli.options.answering import answer as told
    from collector.cli.ui.grid import Grid, room
    from collector.handin import links
    from collector.handin.gone import is_gone, is_of_before

    found = [link for link in links.every(places) if pledge in (None, link.pledge)]
    told(links=[_told(places, link) for link in found])
    grid = Grid(
        tr("编号", "ID"),
        tr("状态", "state"),
        tr("登记", "pledge"),
        tr("主机", "host"),
        tr("失效", "ends"),
        # an id is typed: it is not cut
        fixed={0: 12, 2: min(max((len(link.pledge) for link in found), default=2), 22)},
    )
    lines = []
    for link in found:
        state = _STATES[links.state(places, link)].to(lang())
        if is_of_before(link, begun):
            why = tr("其时该编号另属他人", "the id was somebody else's then")
            lines.append(wrap(f"{link.id}: {why}", width=room()))
        elif is_gone(places, link):
            why = tr("主机已不在登记中", "host no longer declared")
            lines.append(wrap(f"{link.id}: {why}", width=room()))
        grid.add_row(link.id, state, link.pledge, one_line(link.host), minute(link.ends_at))
    out(grid.drawn(room()) + "".join(f"{line}\n" for line in lines))
    return 0


def _revoke(places: Places, id: str) -> int:
    from collector.handin import links

    link = links.revoke(places, id)
    answer(Identity(link.pledge), link=_told(places, link))
    out(tr(f"已撤销 {link.id}\n", f"{link.id} is revoked\n"))
    return 0


def _told(places: Places, link: Link) -> dict[str, Any]:
    from collector.handin import links
    from collector.handin.gone import is_gone

    return {
        "id": link.id,
        "declared": not is_gone(places, link),
        "state": links.state(places, link),
        "pledge": link.pledge,
        "host": link.host,
        "made_at": link.made_at.isoformat(timespec="seconds"),
        "ends_at": link.ends_at.isoformat(timespec="seconds"),
    }
