"""Notices on record: what was to be mended until when, and what a look again goes back to. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from collector.errors import BadInput, listed, shown
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord, from_document

# of the numbers that there are, the last ones are named
_NAMED = 6
Day = str
"""A day (ISO), empty where none was named."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice on record; `named` is what it names, by control and host, with the day of each."""

    entry: Mapping[str, Any]

    @property
    def number(self) -> str:
        return str(self.entry["number"])

    @property
    def kind(self) -> str:
        return str(self.entry["kind"])

    @property
    def date(self) -> str:
        return str(self.entry["date"])

    @property
    def evidence(self) -> int:
        """The sequence of the bundle that was the newest when it was given."""
        return int(self.entry["evidence"])

    @property
    def mend_by(self) -> Day:
        return str(self.entry.get("mend_by", ""))

    @property
    def withdrawn(self) -> Mapping[str, Any] | None:
        """When, why and by whom it was taken back; None while it stands."""
        found: Mapping[str, Any] | None = self.entry.get("withdrawn")
        return found

    @property
    def named(self) -> Mapping[tuple[str, str], Day]:
        return {
            (found["control"], host): str(found.get("mend_by", self.mend_by))
            for found in self.entry["findings"]
            for host in found["hosts"]
        }

    @property
    def own_day(self) -> Day:
        """The day that the notice itself says; where it says none, the first that it names."""
        return self.mend_by or min(filter(None, self.named.values()), default="")

    @property
    def last_day(self) -> Day:
        """The last of its days: after it, what is open still is late."""
        return max(self.named.values(), default=self.mend_by)


def notices(record: PledgeRecord) -> tuple[Notice, ...]:
    """All of them, in the order in which they were given."""
    return tuple(map(Notice, record.document.get("notices", ())))


def of_number(record: PledgeRecord, number: str) -> Notice | None:
    """The notice of that number."""
    return next((one for one in notices(record) if one.number == number), None)


def last_given(record: PledgeRecord) -> Notice | None:
    """The last notice to mend that stands."""
    every = reversed(notices(record))
    return next((one for one in every if one.kind == "mend" and one.withdrawn is None), None)


def resting_on(document: Mapping[str, Any], evidence: int) -> list[str]:
    """The numbers of those that stand on a record and were given of that evidence."""
    every = map(Notice, document.get("notices", ()))
    return [n.number for n in every if n.evidence == evidence and n.withdrawn is None]


def next_number(record: PledgeRecord, today: date) -> str:
    """`ID-20261129`, and with a number behind it where that one was given already."""
    taken = {one.number for one in notices(record)}
    plain = f"{record.id}-{today:%Y%m%d}"
    others = (f"{plain}-{n}" for n in range(2, len(taken) + 3))
    return next(name for name in (plain, *others) if name not in taken)


def place_of(control: str, host: str) -> tuple[str, str]:
    """Control and host as a notice names them: nothing in a host's name acts or hides."""
    return control, shown(host, 255)


def grouped(found: Iterable[tuple[str, str, Day]]) -> list[dict[str, Any]]:
    """What is to be mended (control, host, day), as a record has it: hosts that share a day."""
    rows: dict[tuple[str, Day], list[str]] = {}
    for control, host, day in found:
        rows.setdefault((control, day), []).append(place_of(control, host)[1])
    return [
        {"control": control, "hosts": sorted(set(hosts)), **({"mend_by": day} if day else {})}
        for (control, day), hosts in sorted(rows.items())
    ]


def with_notice(record: PledgeRecord, entry: Mapping[str, Any], *, today: date) -> PledgeRecord:
    """The record with that notice; raises BadInput where its number stands there already."""
    document: dict[str, Any] = json.loads(record.canonical())
    document["notices"] = [*document.get("notices", []), dict(entry)]
    return from_document(document, where=record.id, today=today)


def with_withdrawal(
    record: PledgeRecord, number: str, said: Mapping[str, Any], *, today: date
) -> PledgeRecord:
    """The record with the notice of that number taken back: it stays, and asks for nothing.

    Raises BadInput where there is none, or it was taken back already.
    """
    found = of_number(record, number)
    if found is None:
        numbers = [one.number for one in notices(record) if one.withdrawn is None]
        raise BadInput(
            msg("no_notice_of_number", number=number),
            where=record.id,
            mend=msg("notices_on_record", numbers=listed(numbers[-_NAMED:]))
            if numbers
            else msg("see_notices"),
        )
    if found.withdrawn is not None:
        day = found.withdrawn["date"]
        raise BadInput(msg("notice_withdrawn_already", number=number, day=day), where=record.id)
    document: dict[str, Any] = json.loads(record.canonical())
    for entry in document["notices"]:
        if entry["number"] == number:
            entry["withdrawn"] = dict(said)
    return from_document(document, where=record.id, today=today)
