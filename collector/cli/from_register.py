"""`-i register`: the register as the inventory of a command."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.language import tr
from collector.cli.pledged import open_register
from collector.errors import BadInput, one_line

if TYPE_CHECKING:
    from collector.pledges.record import PledgeRecord
    from collector.pledges.register import Register

WORD = "register"


@dataclass(frozen=True)
class Fleet:
    """What the register says of a run: `records` are those whose hosts are checked, by id."""

    register: Register
    records: dict[str, PledgeRecord]
    due: frozenset[str]
    sources: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"-i {WORD}"


def from_register(inventory: Sequence[str]) -> bool:
    """Is the register among the inventories given?"""
    return any(_named(source) for source in inventory)


def _named(source: str) -> bool:
    return source == WORD or source.startswith(f"{WORD}:")


@contextmanager
def fleet(
    inventory: Sequence[str],
    location: str | None,
    *,
    within: timedelta = timedelta(0),
    only_due: bool = False,
    begun: Collection[str] = (),
) -> Iterator[Fleet]:
    """The inventory with the register in it put as a file that Ansible takes, for that long.

    With `only_due` the file holds the hosts of pledges that a check is due for, and of those whose
    ids are `begun`: Ansible is slow to read thousands of groups.
    `register:PLACE` names the register as --register does. Raises BadInput where two of them are
    named, there is none, or no pledge in it has hosts to check.
    """
    from collector.pledges import inventory as pledges
    from collector.pledges.looked import lives_of_all

    places = {source.partition(":")[2] for source in inventory if _named(source)}
    places = {place for place in (*places, location or "") if place}
    if len(places) > 1:
        raise BadInput(
            tr("给出了不止一个登记库", "more than one register is given"),
            where="-i",
            mend=tr("只写一个", "name one"),
        )
    register = open_register(next(iter(places), None))
    now = datetime.now(UTC)
    records = register.list()
    attached = register.newest_evidence()
    renewed = pledges.renewals(records)
    known = pledges.running(records, now)
    _say_hostless([record.id for record in known if not record.hosts])
    lives = lives_of_all(register, known, now, now + within)
    due = frozenset(
        record.id
        for record in known
        if pledges.check_is_due(
            record,
            attached.get(record.id, ()),
            now,
            within,
            renewed=record.id in renewed,
            lives=lives.get(record.id),
        )
    )
    if only_due:
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
    for host in odd:
        click.echo(
            tr(
                f"{one_line(host)}：Ansible 会把此名当作范围或端口，未核查",
                f"{one_line(host)}: to Ansible this name is a range or a port; not looked at",
            ),
            err=True,
        )
    with tempfile.TemporaryDirectory(prefix="hostpledge-") as private:
        place = Path(private) / "register.yml"
        # JSON is YAML, and Ansible reads it a hundred times as fast
        place.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        sources = dict.fromkeys(str(place) if _named(source) else source for source in inventory)
        yield Fleet(register, {record.id: record for record in known}, due, tuple(sources))


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


_SHOWN = 8
