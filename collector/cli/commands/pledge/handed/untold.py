"""What is told to nobody, or not to the one of that name: said before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer
from collector.cli.ui.language import tr
from collector.cli.workflows.desk.namesakes import Namesakes, without_address
from collector.errors import one_line
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.cli.workflows.desk.digests import Item
    from collector.notify.settings import Person


def say(
    found: Sequence[Item],
    left: Sequence[Item],
    people: Mapping[str, Person],
    namesakes: Namesakes,
) -> None:
    """`left`: what nobody is told."""
    if left:
        _say_left(len(left))
    _say_without_address(without_address((one.owner for one in found), people))
    owned = ((one.owner, one.pledge) for one in found)
    _say_mistakable(namesakes.mistakable(owned, people.values()))


def say_unknown(namesakes: Namesakes) -> bool:
    """Pledges of the settings that are none (with whose they are there); is there any?"""
    unknown = namesakes.unknown
    answer(no_such_pledges=[id for _, id in unknown])
    for name, id in unknown:
        who = one_line(str(masked(name)))
        click.echo(
            tr(
                f"设置文件让 {who} 知悉登记 {one_line(id)}，但没有这份登记",
                f"the settings say {who} is told of the pledge {one_line(id)}, and there is none",
            ),
            err=True,
        )
    return bool(unknown)


def _say_mistakable(names: Sequence[str]) -> None:
    answer(namesakes=[str(masked(name)) for name in names])
    if not names:
        return
    said = tr("、", ", ").join(one_line(str(masked(name))) for name in names)
    click.echo(
        tr(
            f"可能是同名的人：登记载明其为某用户的联系人，或设置文件限定了登记；"
            f"别的登记的事项改告知 “*”：{said}。"
            '确为同一人的，在设置文件中写明其 pledges（全部写 ["*"]）',
            f"another of that name may be meant, as records name one as the contact of a customer, "
            f"or the settings say of which pledges: '*' is told of the others: {said}. Where it is "
            'the same person, say `pledges` in the settings (["*"] for all)',
        ),
        err=True,
    )


def _say_left(count: int) -> None:
    click.echo(
        tr(
            f"{count} 项无人可告知：责任人不在设置文件中，也没有 “*”",
            f"{count} item(s) are told to nobody: their owner is not in the settings, nor is '*'",
        ),
        err=True,
    )


def _say_without_address(strange: Mapping[str, int]) -> None:
    answer(without_address=strange)
    if not strange:
        return
    names = tr("、", ", ").join(f"{one_line(name)} {count}" for name, count in strange.items())
    click.echo(
        tr(
            f"责任人不在设置文件中，其事项告知 “*”（有的话），并写明其姓名：{names}",
            f"not in the settings, so that '*' is told (where there is one), with their names: "
            f"{names}",
        ),
        err=True,
    )
