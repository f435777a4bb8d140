"""`hostpledge register machines`: what of several pledges is one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options.common import form_option, output_option
from collector.cli.options.pledge import open_register, register_option, say_doubts
from collector.cli.ui.language import lang, lang_option, tr
from collector.export.envelope import Identity, as_json
from collector.model import Text

if TYPE_CHECKING:
    from collector.cli.ui.sheets import Cell
    from collector.pledges.status.same_machines import Place, Same

_DECLARED = {
    "address": Text("登记的地址", "address"),
    "host": Text("登记的主机名", "host name"),
    "internal": Text("登记的内网地址", "internal address"),
}
_COLUMNS = ("group", "same", "value", "pledge", "customer", "name", "evidence")


@click.command(
    help=tr(
        "列出不止一份登记共有的机器：证据中 machine-id、SSH 主机密钥、boot_id、采集随机数或"
        "采集内容相同的主机，以及登记中相同的地址（含重叠的网段）与主机名。续签的登记主机名相同的不列；"
        "已终止或已销毁的登记不计其登记的地址与主机名。内网地址与主机名相同，未必是同一台机器。\n\n"
        "退出码：0 已列出；2 有证据未能读取或与日志不符，所列可能不全。",
        "Lists what machines several pledges have in common: hosts of evidence with the same "
        "machine-id, SSH host key, boot_id, nonce or capture, and the same addresses (or networks "
        "one in the other) and names of hosts in records. Not among them: hosts of one name in a "
        "record and the one that continues it; what a record declares that has ended. The same "
        "internal address or name need not be the same machine.\n\nExit status: 0 they are "
        "listed; 2 some evidence could not be read or is not what the log says, and there may be "
        "more.",
    )
)
@click.option(
    "--pledge",
    "id",
    metavar="ID",
    help=tr(
        "只列涉及此登记的，连同它自己名下是同一台机器的主机",
        "only what this pledge has part in, and hosts of its own that are one machine",
    ),
)
@output_option
@form_option("table", "json", "csv")
@register_option
@lang_option
def machines(*, id: str | None, output: Path | None, form: str, location: str | None) -> int:
    from collector.cli.ui.sheets import as_csv, put
    from collector.pledges.record.masking import masked
    from collector.pledges.record.times import today_in_china
    from collector.pledges.status.same_machines import same_machines

    register = open_register(location)
    if id is not None:
        register.get(id)
    seen, unread = register.shared()
    _, doubts = register.newest_and_doubts()
    records = register.list()
    customers = {record.id: str(masked(record.customer)) for record in records}
    today = today_in_china()
    found = same_machines(records, seen, today, id or "")
    if form == "json":
        put(_json(found, unread, customers, id), output)
    elif form == "csv":
        put(as_csv(_COLUMNS, list(_rows(found, customers))), output)
    else:
        put(_table(found, customers), output)
    for pledge, number in unread:
        said = tr(
            f"未能对照：{pledge} 第 {number} 份证据无法读取",
            f"not compared: evidence {number} of {pledge} cannot be read",
        )
        click.echo(said, err=True)
    return 2 if say_doubts(doubts, register) or unread else 0


def _table(found: Sequence[Same], customers: Mapping[str, str]) -> str:
    from collector.cli.ui.grid import Grid, room
    from collector.pledges.record.masking import masked

    if not found:
        return tr("没有\n", "there are none\n")
    grid = Grid(
        tr("相同之处", "the same"),
        tr("登记", "pledge"),
        tr("用户名称", "customer"),
        tr("主机或地址", "host or address"),
        tr("证据", "evidence"),
    )
    for one in found:
        said = tr("、", ", ").join(_kind(kind) for kind in one.kinds)
        said = f"{said} {masked(one.value)}".rstrip()
        for place in one.places:
            number = f"#{place.evidence}" if place.evidence else "-"
            customer = customers.get(place.pledge, "")
            grid.add_row(said, place.pledge, customer, str(masked(place.name)), number)
            said = ""
    pledges = len({place.pledge for one in found for place in one.places})
    return grid.drawn(room()) + tr(
        f"{len(found)} 处，涉及 {pledges} 份登记\n",
        f"{len(found)} in common, of {pledges} pledge(s)\n",
    )


def _kind(kind: str) -> str:
    from collector.cli.workflows.twins import KINDS

    return (KINDS.get(kind) or _DECLARED[kind]).to(lang())


def _json(
    found: Sequence[Same],
    unread: Sequence[tuple[str, int]],
    customers: Mapping[str, str],
    id: str | None,
) -> str:
    from collector.pledges.record.masking import masked

    def where(place: Place) -> dict[str, object]:
        return {
            "pledge": place.pledge,
            "customer": customers.get(place.pledge),
            "name": place.name,
            "evidence": place.evidence or None,
        }

    entries = [
        {"same": list(one.kinds), "value": one.value or None, "where": list(map(where, one.places))}
        for one in found
    ]
    missing = [{"pledge": pledge, "evidence": number} for pledge, number in unread]
    document = {"machines": masked(entries), "unread": missing}
    return as_json("register-machines", document, Identity(id), indent=2)


def _rows(found: Sequence[Same], customers: Mapping[str, str]) -> Iterator[list[Cell]]:
    from collector.pledges.record.masking import masked

    for number, one in enumerate(found, 1):
        for place in one.places:
            yield [
                number,
                " ".join(one.kinds),
                str(masked(one.value)),
                place.pledge,
                customers.get(place.pledge, ""),
                str(masked(place.name)),
                place.evidence or "",
            ]
