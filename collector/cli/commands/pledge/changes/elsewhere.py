"""What records that were just made have in common with another customer's: said, not refused.

One provider's statement may be of several customers, and one machine may serve them; it may be a
slip of the list too, which nobody sees among hundreds of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, listed, one_line
from collector.model import Text

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.record.papers import Shared
    from collector.pledges.status.same_machines import Same

_SHOWN = 8
_NAMED = 5
_KINDS = {
    "address": Text("地址", "the address"),
    "host": Text("主机名", "the host name"),
    "internal": Text("内网地址", "the internal address"),
}


@contextmanager
def of_files(
    documents: Sequence[Mapping[str, Any]], paths: Iterable[Path | None]
) -> Iterator[None]:
    """Of documents that were digested here, what is in their way is said of the file."""
    from collector.pledges.record.papers import PaperTakenError

    given = [path for path in paths if path is not None]
    files = {one["sha256"]: path for one, path in zip(documents, given, strict=False)}
    try:
        yield
    except PaperTakenError as problem:
        if problem.sha256 not in files:
            raise
        where = str(files[problem.sha256])
        raise BadInput(problem.what, where=where, mend=problem.mend) from None


def tell(known: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord]) -> None:
    """`known` are the records as they stood before, by id. Nothing where there is nothing new."""
    from collector.pledges.lists.slips import one_code
    from collector.pledges.record.papers import shared_papers

    before = {one.id: known[one.id] for one in made if one.id in known}
    papers = shared_papers(made, before, known.values())
    places = declared_elsewhere(known, made, datetime.now(UTC))
    if papers:
        answer(shared_papers=[_plain_paper(one) for one in papers])
    if places:
        answer(declared_elsewhere=[_plain(one, whose) for one, whose in places])
    codes = list(one_code(known, made))
    if codes:
        answer(
            one_code=[
                {"credit_code": code, "pledges": [one.id for one in some]} for code, some in codes
            ]
        )
    _say([_of_paper(one) for one in _once(papers)], "")
    _say([_of_code(code, some) for code, some in codes], "")
    _say([_of_place(one, whose) for one, whose in places], "hostpledge register machines")


def declared_elsewhere(
    known: Mapping[str, PledgeRecord], made: Sequence[PledgeRecord], now: datetime
) -> list[tuple[Same, Mapping[str, str]]]:
    """What `made` declares anew and another customer's record does too, with the customers."""
    from collector.pledges.record.masking import masked
    from collector.pledges.record.papers import same_customer
    from collector.pledges.record.times import CHINA
    from collector.pledges.status.same_machines import same_machines

    fresh = {(one.id, name) for one in made for name in _declared(one)}
    fresh -= {(id, name) for id, old in known.items() for name in _declared(old)}
    if not fresh:
        return []
    every = {**known, **{one.id: one for one in made}}
    found: list[tuple[Same, Mapping[str, str]]] = []
    for same in same_machines(tuple(every.values()), (), now.astimezone(CHINA).date()):
        mine = {place.pledge for place in same.places if (place.pledge, place.name) in fresh}
        ids = {place.pledge for place in same.places}
        if any(
            not same_customer(every[id].document, every[other].document)
            for id in mine
            for other in ids
        ):
            # those that are new come first
            order = (*sorted(mine), *sorted(ids - mine))
            found.append((same, {id: str(masked(every[id].customer)) for id in order}))
    return found


def _declared(record: PledgeRecord) -> tuple[str, ...]:
    return (*record.hosts, *record.document.get("resources", {}).get("addresses", ()))


def _once(papers: Iterable[Shared]) -> list[Shared]:
    """Of two that were both just made, one."""
    seen = set[frozenset[object]]()
    found = []
    for one in papers:
        pair = frozenset((one.mine, one.theirs))
        if pair not in seen:
            seen.add(pair)
            found.append(one)
    return found


def _of_paper(one: Shared) -> str:
    mine, theirs = one.mine, one.theirs
    if mine.pledge == theirs.pledge:
        return tr(
            f"请留意：{mine.pledge} 的 {mine.place} 与 {theirs.place} 是同一个文件"
            "（一份扫描件含两份文件时无妨）",
            f"note: {mine.place} and {theirs.place} of {mine.pledge} are the same file (as they "
            "may be where one scan holds both)",
        )
    return tr(
        f"请留意：{mine.pledge} 的 {mine.place} 与 {theirs.pledge}（{one.customer}）的 "
        f"{theirs.place} 是同一个文件",
        f"note: {mine.place} of {mine.pledge} is the same file as {theirs.place} of "
        f"{theirs.pledge} ({one.customer})",
    )


def _of_code(code: str, records: Sequence[PledgeRecord]) -> str:
    shown = _named({one.id: one.customer for one in records})
    return tr(
        f"请留意：不同名称的用户有相同的统一社会信用代码 {code}：{shown}",
        f"note: the credit code {code} is of customers of different names: {shown}",
    )


def _named(whose: Mapping[str, str]) -> str:
    from collector.pledges.record.masking import masked

    plain = {id: str(masked(name)) for id, name in whose.items()}
    names = [tr(f"{id}（{name}）", f"{id} ({name})") for id, name in plain.items()]
    shown = tr("、", ", ").join(one_line(name, 120) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return shown + (tr(f" 等 {len(names)} 份", f" and {more} more") if more > 0 else "")


def _of_place(one: Same, whose: Mapping[str, str]) -> str:
    from collector.pledges.record.masking import masked

    shown = _named(whose)
    kind, value = _KINDS[one.kinds[0]].to(lang()), listed([str(masked(one.value))])
    return tr(
        f"请留意：不同用户的登记有相同的{kind} {value}：{shown}",
        f"note: {kind} {value} is declared by several customers: {shown}",
    )


def _say(lines: Sequence[str], command: str) -> None:
    for line in lines[:_SHOWN]:
        click.echo(one_line(line, 900), err=True)
    if (rest := len(lines) - _SHOWN) > 0:
        where_zh, where_en = (f"，见 {command}", f": `{command}`") if command else ("", "")
        click.echo(tr(f"… 另有 {rest} 处{where_zh}", f"… and {rest} more{where_en}"), err=True)


def _plain(one: Same, whose: Mapping[str, str]) -> dict[str, Any]:
    from collector.pledges.record.masking import masked

    pledges = [{"id": id, "customer": name} for id, name in list(whose.items())[:_SHOWN]]
    value = str(masked(one.value))
    return {"kind": one.kinds[0], "value": value, "count": len(whose), "pledges": pledges}


def _plain_paper(one: Shared) -> dict[str, Any]:
    mine, theirs = one.mine, one.theirs
    other = {"id": theirs.pledge, "customer": one.customer, "place": theirs.place}
    return {"pledge": mine.pledge, "place": mine.place, "sha256": mine.sha256, "same_as": other}
