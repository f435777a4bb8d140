"""Whose paper is it? The same bytes cannot be what two customers signed. Pure.

There is no flag against it. One paper that a group signs for its companies has a form of its own:
one record of the group, which names them under `sub_users`. A company that signs by itself has a
paper by itself, and its scan has other bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.drafts import is_withdrawn
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked

# what one customer signs, or what an authority gives to one
OF_ONE = frozenset(
    {
        "acknowledgements",
        "documents",
        "filings",
        "no_transfer",
        "probes",
        "security_officer",
        "sub_users",
    }
)
# what a provider or a group may have written once for several
OF_SEVERAL = frozenset(
    {
        "attestations",
        "harmful_content_handling",
        "management_rules",
        "real_name_method",
        "self_check",
        "training",
        "vulnerability_handling",
    }
)


# what a customer signs to be connected: both of them
BOTH = ("responsibility", "pledge")


def lacking(record: PledgeRecord) -> tuple[str, ...]:
    """Of what is signed by one of the two papers, the other one."""
    held = {one["type"] for one in record.document["documents"]}
    return tuple(kind for kind in BOTH if kind not in held) if held else ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that a record names: where in it, and (of a signed document) the day and which."""

    pledge: str
    place: str
    sha256: str
    day: str = ""
    type: str = ""

    @property
    def of_one(self) -> bool:
        return self.place.partition("[")[0].partition(".")[0] in OF_ONE


@dataclass(frozen=True, slots=True)
class Shared:
    """A paper of a record, and the same of another."""

    mine: Paper
    theirs: Paper
    customer: str


class PaperTakenError(BadInput):
    """A paper is another's already; `sha256` says which file it is."""

    def __init__(self, paper: Paper, what: str, mend: str) -> None:
        self.sha256 = paper.sha256
        super().__init__(what, where=f"{paper.pledge}: {paper.place}", mend=mend)


def papers(record: PledgeRecord) -> tuple[Paper, ...]:
    """Of OF_ONE and OF_SEVERAL alone: what happened may concern any number of customers."""
    document = record.document
    names = sorted((OF_ONE | OF_SEVERAL) & document.keys())
    return tuple(one for name in names for one in _within(record.id, document[name], name))


def _within(id: str, value: Any, place: str) -> Iterator[Paper]:
    if isinstance(value, Mapping):
        if isinstance(digest := value.get("sha256"), str):
            yield Paper(id, place, digest, value.get("signed_on", ""), value.get("type", ""))
        for name, inner in value.items():
            yield from _within(id, inner, f"{place}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _within(id, inner, f"{place}[{number}]")


def digests(record: PledgeRecord) -> frozenset[str]:
    return frozenset(one.sha256 for one in papers(record))


def check_papers(
    made: Sequence[PledgeRecord],
    before: Mapping[str, PledgeRecord],
    others: Iterable[PledgeRecord],
) -> None:
    """Raises PaperTakenError where a paper of `made` is another customer's, or of another day.

    `before` has the versions that these follow, by id: what stood in them is not asked again.
    `others`: records of the register; those that `made` has too stand there as they were.
    """
    for mine, theirs, is_another in _pairs(made, before, others):
        if is_another and (mine.of_one or theirs.of_one):
            what = msg(
                "paper_of_another",
                digest=mine.sha256[:12],
                other=theirs.pledge,
                place=theirs.place,
            )
            raise PaperTakenError(mine, what, msg("paper_mend"))
        if mine.day and theirs.day and mine.day != theirs.day:
            what = msg(
                "paper_of_another_day",
                digest=mine.sha256[:12],
                other=theirs.pledge,
                day=theirs.day,
                mine=mine.day,
            )
            raise PaperTakenError(mine, what, msg("paper_mend"))


def shared_papers(
    made: Sequence[PledgeRecord],
    before: Mapping[str, PledgeRecord],
    others: Iterable[PledgeRecord],
) -> tuple[Shared, ...]:
    """What may be of several customers, and is; and what is two documents of one record."""
    others = tuple(others)
    names = {one.id: str(masked(one.customer)) for one in (*others, *made)}
    return tuple(
        Shared(mine, theirs, names[theirs.pledge])
        for mine, theirs, is_another in _pairs(made, before, others)
        if is_another or (mine.pledge == theirs.pledge and mine.type != theirs.type)
    )


def _pairs(
    made: Sequence[PledgeRecord],
    before: Mapping[str, PledgeRecord],
    others: Iterable[PledgeRecord],
) -> Iterator[tuple[Paper, Paper, bool]]:
    """The same bytes in two places, with whether the second is another customer's."""
    fresh = {r.id: digests(r) - (digests(before[r.id]) if r.id in before else set()) for r in made}
    asked = frozenset[str]().union(*fresh.values())
    if not asked:
        return
    every = {one.id: one for one in others if not is_withdrawn(one.document)}
    every |= {one.id: one for one in made}
    held: dict[str, list[Paper]] = {}
    for record in every.values():
        for paper in papers(record):
            if paper.sha256 in asked:
                held.setdefault(paper.sha256, []).append(paper)
    first = _first_of(every)
    for record in made:
        if (older := every.get(record.document.get("renews", ""))) is not None:
            # a renewal takes it over; what is signed is signed anew
            fresh[record.id] -= {p.sha256 for p in papers(older) if not p.day}
        for mine in papers(record):
            for theirs in held[mine.sha256] if mine.sha256 in fresh[record.id] else ():
                if theirs == mine:
                    continue
                kin = first(record.id) == first(theirs.pledge)
                same = kin or same_customer(record.document, every[theirs.pledge].document)
                yield mine, theirs, not same


def _first_of(every: Mapping[str, PledgeRecord]) -> Callable[[str], str]:
    """Of an id, that of the first record of all that continue one another."""

    def first(id: str) -> str:
        # what records say may go in a circle
        seen = {id}
        while (older := every[id].document.get("renews", "")) in every and older not in seen:
            id = older
            seen.add(id)
        return id

    return first


def same_customer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """By the unified social credit code where both have one, else by name and masked number."""
    customers = one["customer"], other["customer"]
    codes = [customer.get("credit_code") for customer in customers]
    if all(codes):
        return bool(codes[0] == codes[1])
    numbers = [customer.get("identity_masked") for customer in customers]
    names = [customer["name"] for customer in customers]
    return bool(names[0] == names[1] and (not all(numbers) or numbers[0] == numbers[1]))
