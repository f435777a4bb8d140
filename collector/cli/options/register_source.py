"""`-i register`: the register as the inventory of a command."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from collector import private
from collector.cli.options.common import Decorated
from collector.cli.options.paths import Named
from collector.cli.options.pledge import open_register, register_option, say_doubts
from collector.cli.options.times import Ahead
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line
from collector.pledges.record.times import CHINA

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

WORD = "register"


def inventory_option(*, required: bool = True) -> Decorated:
    """-i, of commands that take `register`."""
    return click.option(
        "-i",
        "--inventory",
        multiple=True,
        type=Named(),
        required=required,
        help=tr(
            "Ansible 清单；register 或 register:PATH|URL 为登记库",
            "Ansible inventory; `register` or `register:PATH|URL` is the register",
        ),
    )


def choosing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which pledges: --pledge (`pledge_id`), --register (`location`), --due, --within, --grade."""
    for option in reversed(_CHOOSING):
        command = option(command)
    return register_option(command)


_CHOOSING = (
    click.option(
        "--pledge",
        "pledge_id",
        metavar="ID",
        help=tr(
            "为此登记；与 -i register 同用，只取它的主机",
            "for this pledge record; with -i register, its hosts alone",
        ),
    ),
    click.option(
        "--due",
        is_flag=True,
        help=tr(
            "只取须核查的登记：证据过期或尚无、豁免到期、问题逾期（用于 -i register）",
            "only pledges that a check is due for: evidence too old or none, a waiver ended, a "
            "finding overdue (with -i register)",
        ),
    ),
    click.option(
        "--within",
        type=Ahead(),
        default="0d",
        show_default=True,
        metavar="TIME",
        help=tr(
            "把多久之内到期也算在内，如 30d、3m、2027-03",
            "what falls due within that time too, e.g. 30d, 3m, 2027-03",
        ),
    ),
    click.option(
        "--grade",
        "given_grade",
        type=click.IntRange(2, 3),
        help=tr("等级保护级别；默认按登记，否则 2", "MLPS grade; default: the record's, else 2"),
    ),
)


spread_option = click.option(
    "--spread",
    type=Ahead(),
    default="0d",
    show_default=True,
    metavar="TIME",
    help=tr(
        "与 --due 同用：各登记按编号在到期前的这段时间内分散核查，如 14d",
        "with --due: check each pledge some time before it is due, by its id, so that they are "
        "spread over that time, e.g. 14d",
    ),
)


@dataclass(frozen=True)
class Fleet:
    """What the register says of a run: `records` are those whose hosts are checked, by id.

    `renewed` are those that another record continues.
    """

    register: Register
    records: dict[str, PledgeRecord]
    due: frozenset[str]
    renewed: frozenset[str]
    sources: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"-i {WORD}"


def from_register(inventory: Sequence[str], *, due: bool = False) -> bool:
    """Is the register among the inventories given? Refuses `due` where it is not."""
    found = any(_named(source) for source in inventory)
    if due and not found:
        raise click.UsageError(tr("--due 用于 -i register", "--due goes with -i register"))
    return found


def _named(source: str) -> bool:
    return source == WORD or source.startswith(f"{WORD}:")


@contextmanager
def fleet(
    inventory: Sequence[str],
    location: str | None,
    *,
    within: timedelta = timedelta(0),
    spread: timedelta = timedelta(0),
    only_due: bool = False,
    begun: Collection[str] = (),
) -> Iterator[Fleet]:
    """The inventory with the register in it put as a file that Ansible takes, for that long.

    With `only_due` the file holds the hosts of pledges that a check is due for, and of those whose
    ids are `begun`: Ansible is slow to read thousands of groups. A pledge is due up to `spread`
    earlier, each at its own time (`slot`).
    `register:PLACE` names the register as --register does. Raises BadInput where two of them are
    named, there is none, or no pledge in it has hosts to check.
    """
    from collector.pledges.due.lifecycle import continued
    from collector.pledges.due.spread import slot
    from collector.pledges.standing.finding_history import lives_of_all
    from collector.pledges.transfer import inventory as pledges

    register = open_register(_place(inventory, location))
    now = datetime.now(UTC)
    records = register.list()
    attached, doubts = register.newest_and_doubts()
    say_doubts(doubts, register)
    renewed = continued(records)
    known = pledges.running(records, now)
    _say_hostless([record.id for record in known if not record.hosts])
    lives = lives_of_all(register, known, now, now + within + spread)
    given = [(r, attached.get(r.id, ()), r.id in renewed, lives.get(r.id)) for r in known]
    since = {
        r.id: pledges.check_due_since(
            r, rows, now, within + slot(r.id, spread), renewed=again, lives=own
        )
        for r, rows, again, own in given
    }
    due = frozenset(id for id, at in since.items() if at is not None)
    if only_due:
        looked = {id: at for id, at in since.items() if at is not None and attached.get(id)}
        _say_missed({id: at for id, at in looked.items() if at < now - _MISSED})
        records = tuple(record for record in records if record.id in due or record.id in begun)
    found, odd = pledges.static(pledges.inventory_of(records, attached, now, within, lives))
    if not found["all"]["hosts"] and not only_due:
        raise BadInput(
            tr("登记库中没有可核查的主机", "no pledge in it has a host to check"),
            where=register.where,
            mend=tr(
                "在登记的 resources.hosts 中列出主机", "list the hosts in the records: resources"
            ),
        )
    say_odd(odd)
    with private.set_aside() as aside:
        place = aside / "register.yml"
        # JSON is YAML, and Ansible reads it a hundred times as fast
        place.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        sources = dict.fromkeys(str(place) if _named(source) else source for source in inventory)
        by_id = {record.id: record for record in known}
        yield Fleet(register, by_id, due, renewed, tuple(sources))


def _place(inventory: Sequence[str], location: str | None) -> str | None:
    places = {source.partition(":")[2] for source in inventory if _named(source)}
    places = {place for place in (*places, location or "") if place}
    if len(places) > 1:
        raise BadInput(
            tr("给出了不止一个登记库", "more than one register is given"),
            where="-i",
            mend=tr("只写一个", "name one"),
        )
    return next(iter(places), None)


def say_odd(hosts: Sequence[str]) -> None:
    """Those that are left out of an inventory for their names."""
    for host in hosts:
        click.echo(
            tr(
                f"{one_line(host)}：Ansible 或 ssh 会把此名当作选项、范围、端口、组或本机，未核查",
                f"{one_line(host)}: to Ansible or ssh this name is an option, a range or a port, "
                "or it is that of a group or of this machine; not looked at",
            ),
            err=True,
        )


def _say_hostless(ids: Sequence[str]) -> None:
    if ids:
        shown = tr("、", ", ").join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
        click.echo(
            tr(
                f"{len(ids)} 份登记没有列出主机，不在核查之列：{shown}",
                f"{len(ids)} pledge(s) declare no host and are not checked: {shown}",
            ),
            err=True,
        )


def _say_missed(since: Mapping[str, datetime]) -> None:
    """What should have been checked in an earlier window: nobody ran, or no host answered."""
    if since:
        ids = sorted(sorted(since), key=since.__getitem__)
        shown = tr("、", ", ").join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
        day = since[ids[0]].astimezone(CHINA).date()
        click.echo(
            tr(
                f"{len(ids)} 份登记错过了核查，最早的 {day} 已到期：{shown}",
                f"missed: {len(ids)} pledge(s) should have been checked by now, the first by "
                f"{day}: {shown}",
            ),
            err=True,
        )


_MISSED = timedelta(days=1)
_SHOWN = 8
