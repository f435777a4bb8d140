"""Checks of one host on any day, from captures that a real host gave.

`host-weak` and `host-hardened` are of one minimal Debian 13 with sshd: root's password under
md5crypt first, then set again under yescrypt.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import captures, catalog, releases
from collector.attest.bundle import making as bundle
from collector.attest.trust.trust_file import Trust
from collector.model import Capture, HostStatus
from collector.pledges.database.rows import Evidence
from collector.pledges.record import form as record
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.clock import signing_after
from tests.pledges.bundles import Signer

CONTROLS = tuple(
    f"encryption.{name}" for name in ("password_hash", "transport", "residual", "database_access")
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if hostpledge had no other controls than these: then a check of them is a whole one."""
    known = releases.current()
    mine = {id: known.controls[id] for id in CONTROLS}
    small = dataclasses.replace(known, controls=MappingProxyType(mine))
    monkeypatch.setattr(releases, "current", lambda: small)
    monkeypatch.setattr(releases, "find", lambda _digest: small)


@cache
def captured(name: str) -> Capture:
    return captures.load(Path(__file__).parent / f"host-{name}.capture.gz")


def silent() -> Capture:
    """The host did not answer."""
    return Capture("web-01", HostStatus.UNREACHABLE, detail="timed out")


def check(
    register: Register,
    id: str,
    signer: Signer,
    taken: Capture,
    at: datetime,
    *,
    grade: int = 3,
    controls: tuple[str, ...] = CONTROLS,
    bearing: bool = False,
    older: bool = False,
    trust: Trust | None = None,
    host: str = "web-01",
) -> Evidence:
    """A run over one host at that time (aware): judged, signed, attached to the pledge.

    `bearing` the documents of the record, as every real run of a pledge does; `older` than what is
    attached; `trust` is the signer's own where it is left out.
    """
    origin = MappingProxyType({**taken.origin, "clock": at.isoformat()})
    head = MappingProxyType({**taken.head, "clock": str(int(at.timestamp()))})
    # each day's run of the script has a nonce of its own
    nonce = hashlib.sha256(f"{taken.nonce} {at}".encode()).hexdigest()[: len(taken.nonce)]
    of_day = dataclasses.replace(
        taken, host=host, collected_at=at, origin=origin, head=head, nonce=nonce
    )
    folder = signer.folder / f"{id}-{host}-{at:%Y%m%dT%H%M%S}"
    folder.mkdir(parents=True)
    file = folder / f"{host}{captures.SUFFIX}"
    captures.write(of_day, file)
    with signing_after(at):
        made = bundle.make(
            [file],
            folder / "bundle",
            signer.key,
            controls=[catalog.control(name) for name in controls],
            grade=grade,
            at=at,
            waivers=record.waivers(register.get(id)),
            attached=record.attached_documents(register.get(id)) if bearing else {},
            pledge=register.reference(id),
        )
    return attach(register, id, made.path, trust or signer.trust, older=older)
