"""Says what of records that were just made looks like a slip: names, and years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer
from collector.cli.ui.language import lang, tr
from collector.errors import one_line
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_SHOWN = 5
_DROPPED = ("pledge", "field", "control", "host")


def tell(before: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]) -> None:
    """`before` are the records as they stood, by id. Nothing where nothing is odd."""
    from collector.pledges.lists.slips import renamed
    from collector.pledges.record.masking import masked

    names = [
        {
            "pledge": now.id,
            "before": str(masked(then.document["customer"]["name"])),
            "after": str(masked(now.document["customer"]["name"])),
        }
        for then, now in renamed(before, made)
    ]
    if names:
        answer(renamed=names)
        count = len(names)
        _say(
            tr(
                f"请核对：{count} 份已签署的登记改换了用户名称",
                f"look again: {count} signed pledge(s) name another customer",
            ),
            [f"{one['pledge']}: {one['before']} → {one['after']}" for one in names],
        )
    _tell_half(before, made)
    _tell_alike(before, made)
    _tell_entries(before, made)
    odd = list(_odd_days([one for one in made if _is_new(before, one)]))
    odd += _far_days(before, made)
    if odd:
        answer(odd_days=odd)
        _say(
            tr(
                f"请核对年份：{len(odd)} 份登记的日期相距过远",
                f"look at the years again: days of {len(odd)} pledge(s) are far apart",
            ),
            [str(one["said"]) for one in odd],
        )


def _tell_half(before: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]) -> None:
    """By one of the two papers it is a draft no more, and nobody asks for the other one."""
    from collector.pledges.lists.words import CHOICES
    from collector.pledges.record.papers import lacking

    half = [
        (one.id, kind)
        for one in made
        if (old := before.get(one.id)) is None
        or old.document["documents"] != one.document["documents"]
        for kind in lacking(one)
    ]
    if not half:
        return
    answer(half_signed=[{"pledge": id, "lacks": kind} for id, kind in half])
    count = len(half)
    _say(
        tr(
            f"请留意：{count} 份登记两份文件只签了一份，签署后用 pledge sign 补上另一份",
            f"note: of {count} pledge(s) one of the two papers is not signed; `pledge sign` adds "
            "it once it is",
        ),
        [
            f"{id} {tr('缺', 'lacks')} {CHOICES[kind][0] if lang() == 'zh' else kind}"
            for id, kind in half
        ],
    )


def _tell_alike(before: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]) -> None:
    from collector.pledges.lists.slips import alike

    found = list(alike(before, made))
    if not found:
        return
    answer(alike=[{"pledge": one.id, "same_as": one.other} for one in found])
    count = len(found)
    words = {
        "papers": tr("扫描件", "scans"),
        "hosts": tr("主机", "hosts"),
        "addresses": tr("地址", "addresses"),
    }
    _say(
        tr(
            f"请核对编号：{count} 份与同一用户同期的另一份相同，或许是编号写错",
            f"look at the ids again: {count} may be another one of the same customer and time",
        ),
        [
            f"{one.id} = {one.other} "
            f"({', '.join(word for name, word in words.items() if getattr(one, name))})"
            for one in found
        ],
    )


def _tell_entries(before: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]) -> None:
    """Of owners, waivers and attestations: for no host of it, without effect, or gone."""
    from collector.pledges.lists.slips import dropped, strays, without_effect
    from collector.pledges.record.documents import fields

    if found := list(strays(before, made)):
        answer(undeclared_hosts=[{"pledge": one.id, "host": one.host} for one in found])
        _say(
            tr(
                f"请核对主机名：{len(found)} 处写的主机，该登记没有申报",
                f"look at the hosts again: {len(found)} that their pledge does not declare",
            ),
            [
                f"{one.id} {fields()[one.field].to(lang()) if one.field in fields() else one.field}"
                f" {one.host}" + (f" ({one.near}?)" if one.near else "")
                for one in found
            ],
        )
    if vain := list(without_effect(before, made)):
        answer(without_effect=[{"pledge": id, "control": control} for id, control in vain])
        _say(
            tr(
                f"{len(vain)} 份举证没有作用：这些控制项不以登记中的证明为据，只看主机上读到的内容",
                f"{len(vain)} attestation(s) have no effect: these controls go by what is read on "
                "the host alone",
            ),
            [f"{id} {control}" for id, control in vain],
        )
    if gone := list(dropped(before, made)):
        answer(dropped=[dict(zip(_DROPPED, one, strict=True)) for one in gone])
        _say(
            tr(
                f"请留意：{len(gone)} 项责任人或豁免不在其中，随之删去",
                f"note: {len(gone)} owner(s) or waiver(s) on record are not in it, and go",
            ),
            [f"{id} {control} {host}" for id, _, control, host in gone],
        )


def _is_new(before: Mapping[str, PledgeRecord], one: PledgeRecord) -> bool:
    old = before.get(one.id)
    return old is None or any(
        old.document.get(field) != one.document.get(field) for field in ("period", "documents")
    )


def _odd_days(made: Sequence[PledgeRecord]) -> Iterator[dict[str, Any]]:
    from collector.pledges.lists.slips import signed_late, years

    for one in made:
        if (long := years(one)) is not None:
            until = one.document["period"]["until"]
            said = tr(f"有效期 {long} 年，至 {until}", f"a period of {long} years, until {until}")
            yield {"pledge": one.id, "years": long, "said": f"{one.id}: {said}"}
        if (late := signed_late(one)) is not None:
            first, signed = late
            said = tr(
                f"有效期自 {first} 起，{signed} 才签署",
                f"its period begins on {first}, and it was signed on {signed}",
            )
            yield {
                "pledge": one.id,
                "from": first.isoformat(),
                "signed_on": signed.isoformat(),
                "said": f"{one.id}: {said}",
            }


def _far_days(
    before: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]
) -> Iterator[dict[str, Any]]:
    """What may be of another year, and may be right: a rule of 2003, a lease that has no end."""
    from collector.cli.commands.pledge.changes.told import named
    from collector.pledges.lists.far_days import odd
    from collector.pledges.record.times import today_in_china

    for one in made:
        old = before[one.id].document if one.id in before else None
        for place, what in odd(one.document, today_in_china(), old):
            said = in_chinese(what) if lang() == "zh" else what
            yield {"pledge": one.id, "field": place, "said": f"{one.id}: {named(place)} {said}"}


def _say(head: str, lines: Sequence[str]) -> None:
    shown = tr("；", "; ").join(one_line(line, 160) for line in lines[:_SHOWN])
    more = len(lines) - _SHOWN
    rest = tr(f" 等 {len(lines)} 份", f" … {len(lines)} in all") if more > 0 else ""
    click.echo(f"{head}{tr('：', ': ')}{shown}{rest}", err=True)
