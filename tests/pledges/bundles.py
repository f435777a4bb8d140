"""Small real bundles: one host, one family, signed with a key made for the test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from collector import captures, catalog
from collector.attest.bundle import making as bundle
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, trust_of
from collector.model import Capture, HostStatus

AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


class Signer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = PrivateKey.generate("p256")
        self.trust: Trust = trust_of([self.key.public])

    def make(
        self,
        name: str,
        pledge: PledgeReference | None,
        *,
        grade: int = 3,
        attached: Mapping[str, bytes] = MappingProxyType({}),
    ) -> bundle.Made:
        """A bundle at `folder/name` of a host that never answered."""
        self.folder.mkdir(exist_ok=True)
        file = self.folder / f"{name}{captures.SUFFIX}"
        origin = MappingProxyType({"transport": "ssh", "clock": AT.isoformat()})
        capture = Capture("web-01", HostStatus.UNREACHABLE, detail=name, origin=origin)
        captures.write(capture, file)
        return bundle.make(
            [file],
            self.folder / name,
            self.key,
            controls=catalog.select(("encryption",), grade),
            grade=grade,
            at=AT,
            pledge=pledge,
            attached=attached,
        )

    def chain(self, id: str, count: int) -> list[bundle.Made]:
        """The first bundles of a pledge, each after the one before."""
        made: list[bundle.Made] = []
        for number in range(1, count + 1):
            previous = made[-1].digest if made else None
            made.append(self.make(f"{id}-{number}", PledgeReference(id, number, previous)))
        return made
