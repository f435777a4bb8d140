"""The lists of `pledge list` that say of each record why it is in them: one of each, by option."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from collector.cli.commands.pledge.over_all import absent, unowned, vetoes, voids
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed

    Rows = Sequence[Listed]


class Narrowed(Protocol):
    """Of those that are listed, by id, what programs are told; for people that is what is shown.

    `broken`: the veto controls that fail, where those decide.
    """

    broken: vetoes.Broken | None

    @property
    def plain(self) -> Mapping[str, Mapping[str, Any]]: ...

    def drawn(self, rows: Rows, form: str) -> str | bytes:
        """A table for people, a CSV file, a workbook."""
        ...

    def tell_unread(self) -> bool:
        """Names those of which nobody could tell; says whether there are any."""
        ...


class _Absent:
    broken: vetoes.Broken | None = None

    def __init__(self, register: Register, rows: Rows, _now: datetime) -> None:
        self._names = absent.absent(register, rows)

    @property
    def plain(self) -> Mapping[str, Mapping[str, Any]]:
        return {id: {"never_looked_at": names} for id, names in self._names.items()}

    def drawn(self, rows: Rows, form: str) -> str | bytes:
        return absent.drawn(rows, self._names, form)

    def tell_unread(self) -> bool:
        return False


class _Vetoes:
    def __init__(self, register: Register, rows: Rows, now: datetime) -> None:
        self._found = vetoes.broken(register, rows, now)
        self.broken: vetoes.Broken | None = self._found

    @property
    def plain(self) -> Mapping[str, Mapping[str, Any]]:
        return {id: {"vetoes": found} for id, found in self._found.plain().items()}

    def drawn(self, rows: Rows, form: str) -> str | bytes:
        return vetoes.drawn(rows, self._found, form)

    def tell_unread(self) -> bool:
        return self._found.tell_unread()


class _Unowned:
    broken: vetoes.Broken | None = None

    def __init__(self, register: Register, rows: Rows, now: datetime) -> None:
        self._found = unowned.unowned(register, rows, now)

    @property
    def plain(self) -> Mapping[str, Mapping[str, Any]]:
        return {id: {"findings": counts} for id, counts in self._found.plain().items()}

    def drawn(self, rows: Rows, form: str) -> str | bytes:
        return unowned.drawn(rows, self._found, form)

    def tell_unread(self) -> bool:
        return self._found.tell_unread()


class _Voids:
    broken: vetoes.Broken | None = None

    def __init__(self, register: Register, rows: Rows, _now: datetime) -> None:
        self._found = voids.voids(register, rows)

    @property
    def plain(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            id: {"void": masked([dict(entry) for entry in entries])}
            for id, entries in self._found.items()
        }

    def drawn(self, rows: Rows, form: str) -> str | bytes:
        return voids.drawn(rows, self._found, form)

    def tell_unread(self) -> bool:
        return False


NARROWED: Mapping[str, Callable[[Register, Rows, datetime], Narrowed]] = {
    "--absent": _Absent,
    "--veto": _Vetoes,
    "--unowned": _Unowned,
    "--void": _Voids,
}
