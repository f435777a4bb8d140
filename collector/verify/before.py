"""The check before hardening, in a bundle that holds it beside the one after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from collector.attest.bundle import bag, evidence
from collector.attest.bundle.part import BEFORE, HARDENING
from collector.attest.bundle.reading import Evidence
from collector.attest.envelope.canonical import conform, parse
from collector.model import Capture

WHERE = f"data/{HARDENING}"


class Check(Protocol):
    """What a bundle's two checks have in common: findings, and the captures they came from.

    `subjects` are file names → SHA-256 as the check itself names them; `said` is what the signed
    statement says of it.
    """

    findings: Evidence
    subjects: dict[str, str]

    @property
    def said(self) -> Mapping[str, Any]: ...

    @property
    def frame(self) -> dict[str, Any]: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def hosts(self) -> Iterator[tuple[str, dict[str, Any]]]: ...

    def capture_in(self, host: str, entry: dict[str, Any]) -> Capture: ...


class Before:
    """The check before hardening. `hardening` is what was meant and done between the two."""

    def __init__(
        self,
        root: Path,
        subjects: Mapping[str, str],
        said: Mapping[str, Any],
        capture_in: Callable[[str, dict[str, Any]], Capture],
    ) -> None:
        place = f"{BEFORE}{evidence.FILE}"
        self.findings = Evidence(root / "data" / place, where=f"data/{place}")
        self.subjects = {
            name.removeprefix(BEFORE): digest
            for name, digest in subjects.items()
            if name.startswith(BEFORE)
        }
        self.said = said
        self._root = root
        self._capture_in = capture_in

    def close(self) -> None:
        self.findings.close()

    @property
    def frame(self) -> dict[str, Any]:
        """Its evidence.json without the hosts."""
        return self.findings.frame

    @property
    def names(self) -> tuple[str, ...]:
        return self.findings.names

    def host(self, name: str) -> dict[str, Any]:
        """What it says of one host."""
        return self.findings.host(name)

    def hosts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What it says of each host, one at a time."""
        return self.findings.hosts()

    def capture_in(self, host: str, entry: dict[str, Any]) -> Capture:
        """The capture that an entry of its evidence.json names."""
        return self._capture_in(host, {**entry, "capture": f"{BEFORE}{entry['capture']}"})

    @cached_property
    def hardening(self) -> dict[str, Any]:
        """hardening.json; raises VerifyFailed where it has not its exact form."""
        document: dict[str, Any] = parse(bag.read(self._root / WHERE, WHERE), where=WHERE)
        conform(document, "hardening", where=WHERE)
        return document
