"""What the newest bundle of a pledge says, read from where the register keeps it.

The bundle was verified when it was attached. Here every file that is used is held to the digest
that the signed statement gives it, and the statement to the digest in the register.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from collector import captures, private
from collector.attest.bundle import evidence
from collector.attest.bundle.provenance import is_collected
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Capture, Result, Severity, Text
from collector.pledges.database import held, sightings
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Sighting
from collector.pledges.database.store import Store

_CHUNK = 1 << 14
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failing:
    """A control with the same verdict on `hosts` (a few of them) of `count`.

    `breaks`: its clause fails by it, though the row of the newest bundle may not say so: that is
    silent of it, or it was waived then.
    """

    number: str
    title: Text
    result: Result
    veto: bool
    hosts: tuple[str, ...]
    count: int
    breaks: bool = False


def opened(store: Store, pledge: str, digest: str) -> Newest:
    """A bundle that the store holds, though no row of the register is of it; raises as `Newest`."""
    never = datetime.min.replace(tzinfo=UTC)
    path = store.path(digest)
    return Newest(Evidence(pledge, 0, digest, None, never, never, never, {}, path))


class Newest:
    """A kept bundle, opened; raises BadInput where it is not there, or not what was attached."""

    def __init__(self, attached: Evidence) -> None:
        self._attached = attached
        self._root = attached.path / "data"
        self.pledge = attached.pledge
        self.sequence = attached.sequence
        self.digest = attached.digest
        self.where = self._place(envelope.FILE)
        self.sealed = envelope.unseal(self._bytes(envelope.FILE), where=self.where)
        if captures.digest(self.sealed.payload) != attached.digest:
            raise self._changed(envelope.FILE)
        told = statement.from_bytes(self.sealed.payload, where=self.where)
        self._digests: Mapping[str, str] = statement.subjects(told)
        self._said: Mapping[str, Any] = told["predicate"]
        targets = self._said.get("targets", ())
        # by host, the digest of its machine-id; None where that is not known
        self.machines: Mapping[str, str | None] = {t["host"]: t["machine"] for t in targets}

    @property
    def made_at(self) -> datetime:
        """When it was signed, by its signer's own word."""
        return datetime.fromisoformat(self._said["made_at"])

    @property
    def made_for(self) -> str:
        """The pledge that its statement names; empty where it names none."""
        return str((self._said.get("pledge") or {}).get("id", ""))

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """evidence.json as it was verified when it was attached."""
        found: dict[str, Any] = json.loads(self._checked(evidence.FILE))
        return found

    def attached(self, name: str) -> bytes:
        """A document that it bears of the record."""
        return self._checked(f"attached/{captures.file_name(name).removesuffix(captures.SUFFIX)}")

    @property
    def handed_in(self) -> tuple[str, ...]:
        """The hosts in it that nobody collected from."""
        known = self.evidence
        return tuple(
            host
            for host, entry in known["hosts"].items()
            if not is_collected(entry["origin"], known["run"])
        )

    def captures(self) -> Iterator[Capture]:
        """The captures of all hosts, one at a time."""
        for name in self._captures():
            yield captures.from_bytes(self._checked(name), where=self._place(name))

    def capture(self, host: str) -> Capture:
        """Of one host in it; raises KeyError for another."""
        name = self.evidence["hosts"][host]["capture"]
        return captures.from_bytes(self._checked(name), where=self._place(name))

    def sightings(self) -> Iterator[Sighting]:
        """Of each host in it, when it was looked at, and by what its machine is known again."""
        try:
            yield from sightings.of_bundle(self._root, self._digests, self._said.get("run"))
        except OSError as problem:
            raise self._unread(envelope.FILE, problem) from None

    def hold_row(self) -> None:
        """Raises held.Disagrees where its row in the register says what was not signed."""
        looks = [self._look(name) for name in self._digests if name.startswith("captures/")]
        held.hold(self._attached, self._said, looks, self._place(envelope.FILE))

    def _look(self, name: str) -> str | None:
        try:
            with private.opened(self._root / name) as source:
                return held.look(iter(partial(source.read, _CHUNK), b""))
        except OSError as problem:
            raise self._unread(name, problem) from None

    def hold_captures(self) -> None:
        """Holds every capture to its digest; raises BadInput where one was changed."""
        for name in self._captures():
            self._checked(name)

    def _captures(self) -> Iterator[str]:
        return (entry["capture"] for entry in self.evidence["hosts"].values())

    def open(
        self,
        clause: str,
        holds: Callable[[str, str], bool] = lambda *_: True,
        told: Callable[[str, str, Result], Result] = lambda *said: said[2],
    ) -> tuple[Failing, ...]:
        """The controls of a clause (e.g. `2.2`) that are not satisfied, the worst first.

        `holds`: does a waiver of that control on that host hold now, as it did when it was judged?
        `told`: of a control on a host, what the verdict that was found is now.
        """
        found: dict[tuple[str, Result], list[str]] = {}
        grave: set[tuple[str, Result]] = set()
        for host, entry in self.evidence["hosts"].items():
            for finding in entry["findings"]:
                result = Result(finding["verdict"])
                satisfied = result in (Result.PASS, Result.NOTAPPLICABLE)
                if not satisfied:
                    result = told(finding["control"], host, result)
                key = finding["control"], result
                waived = finding["waiver"] is not None and not finding["waiver"]["expired"]
                left = satisfied or (waived and holds(finding["control"], host))
                if finding["clause"] == clause and not left:
                    found.setdefault(key, []).append(host)
                    if result is Result.FAIL and finding.get("severity") == Severity.HIGH:
                        grave.add(key)
        order = (Result.FAIL, Result.ERROR, Result.PARTIAL, Result.NOTCHECKED)
        listed = [
            self._failing(control, result, sorted(hosts), grave=(control, result) in grave)
            for (control, result), hosts in found.items()
        ]
        return tuple(
            sorted(listed, key=lambda f: (order.index(f.result), not f.veto, -f.count, f.number))
        )

    def _failing(self, control: str, result: Result, hosts: list[str], *, grave: bool) -> Failing:
        known = self.evidence["controls"][control]
        title = Text(known["title"]["zh"], known["title"]["en"])
        return Failing(
            known["number"],
            title,
            result,
            known["veto"],
            tuple(hosts[:MOST_NAMED]),
            len(hosts),
            result is Result.FAIL and (grave or known["veto"]),
        )

    def _checked(self, name: str) -> bytes:
        data = self._bytes(name)
        if captures.digest(data) != self._digests.get(name):
            raise self._changed(name)
        return data

    def _bytes(self, name: str) -> bytes:
        try:
            with private.opened(self._root / name) as source:
                return source.read()
        except OSError as problem:
            raise self._unread(name, problem) from None

    def _unread(self, name: str, problem: OSError) -> BadInput:
        return BadInput(
            msg("cannot_be_read", strerror=problem.strerror),
            where=self._place(name),
            mend=msg("restore_backup"),
        )

    def _changed(self, name: str) -> BadInput:
        return BadInput(
            msg("changed_since_attached"),
            where=self._place(name),
            mend=msg("restore_backup"),
        )

    def _place(self, name: str) -> str:
        return str(Path(self._root) / name)
