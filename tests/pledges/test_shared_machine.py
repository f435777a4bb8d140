"""One machine that two customers have: its one capture is evidence of both, where somebody says so.

Without that, a capture that was handed in for one customer is none of another.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.model import Capture
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.bundles import AT, Signer
from tests.pledges.records import made
from tests.pledges.test_seen_before import bundled, taken

SHARED = "shared-01"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "made")


@pytest.fixture
def register(place: str, signer: Signer) -> Register:
    """The machine is handed in for the first of them."""
    opened = Register.open(place)
    for id, own in (("one-1", "web-21"), ("two-2", "web-22"), ("three-3", "web-23")):
        hosts = [own] if id == "three-3" else [own, SHARED]
        opened.add(made(id=id, resources={"hosts": hosts}))
    attach(opened, "one-1", bundled(opened, signer, "one-1", _one()), signer.trust)
    return opened


def _one() -> Capture:
    return taken(SHARED, "hardened", AT)


def test_it_is_evidence_of_both_where_somebody_says_that_it_is_one_machine(
    register: Register, signer: Signer
) -> None:
    own = taken("web-22", "weak", AT, machine="2")
    path = bundled(register, signer, "two-2", own, _one())
    with pytest.raises(BadInput, match=r"of pledge one-1; .*add --shared shared-01"):
        attach(register, "two-2", path, signer.trust)
    assert register.evidence("two-2") == ()
    attached = attach(register, "two-2", path, signer.trust, shared=[SHARED])
    seen = register.sightings_of(attached)
    assert sorted(one.host for one in seen) == [SHARED, "web-22"]
    # whose else it is stays to be seen
    assert {(t.host, t.pledge) for t in register.twins("two-2")} >= {(SHARED, "one-1")}


def test_it_is_said_of_no_host_that_either_of_them_does_not_declare(
    register: Register, signer: Signer
) -> None:
    path = bundled(register, signer, "three-3", _one())
    with pytest.raises(BadInput, match="collect from that host itself") as refused:
        attach(register, "three-3", path, signer.trust)
    assert "--shared" not in str(refused.value)
    with pytest.raises(BadInput, match="no host that three-3 declares"):
        attach(register, "three-3", path, signer.trust, shared=[SHARED])
    # nor of another customer's host under a name of one's own
    alias = dataclasses.replace(_one(), host="web-22")
    path = bundled(register, signer, "two-2", alias)
    with pytest.raises(BadInput, match="no capture of web-22 was attached to another"):
        attach(register, "two-2", path, signer.trust, shared=["web-22"])
    with pytest.raises(BadInput, match="very one that was given for shared-01"):
        attach(register, "two-2", path, signer.trust)
    # an earlier one with other bytes in it is refused whatever is said
    path = bundled(register, signer, "two-2", _one())
    attach(register, "two-2", path, signer.trust, shared=[SHARED])
    later = taken(SHARED, "weak", AT + timedelta(days=1))
    edited = dataclasses.replace(later, nonce=_one().nonce)
    path = bundled(register, signer, "two-2", edited)
    with pytest.raises(BadInput):
        attach(register, "two-2", path, signer.trust, shared=[SHARED])
    assert [row.sequence for row in register.evidence("two-2")] == [1]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_the_command_takes_it(register: Register, signer: Signer, tmp_path: Path) -> None:
    path = bundled(register, signer, "two-2", _one())
    trust = tmp_path / "trust.json"
    trust.write_bytes(signer.trust.to_bytes())
    words = ("pledge", "attach", "two-2", path, "--trust", trust, "--register", register.where)
    ended = hostpledge(*words, home=tmp_path)
    assert ended.status == 2
    assert "--shared shared-01" in ended.err
    ended = hostpledge(*words, "--shared", SHARED, home=tmp_path)
    assert ended.status == 0, ended.err
    assert "is the same as shared-01 of pledge one-1" in ended.err
