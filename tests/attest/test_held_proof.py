"""A proof of the register's log says of a bundle what the bundle says of itself, or is none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.attest.bundle.evidence import PledgeReference
from collector.attest.envelope.timestamp import Stamp
from collector.attest.keys.keys import PrivateKey
from collector.attest.log.checkpoint import sign
from collector.attest.log.logged import Log, entry_bytes, read_inclusion
from collector.attest.trust.trust_file import trust_of
from collector.errors import VerifyFailed
from collector.verify import open_bundle, verify
from collector.verify.policy import STRICT, unmet
from collector.verify.times import Logged, check_window
from tests.pledges.bundles import Signer

NO_WINDOW: Mapping[str, Any] = {}
LOG = PrivateKey.generate("p256")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    made = Signer(tmp_path_factory.mktemp("made"))
    made.make("b", PledgeReference("P-1", 2, "c" * 64))
    made.make("none", None)
    return made


def held(
    signer: Signer,
    logged_at: timedelta = timedelta(0),
    name: str = "b",
    window: Mapping[str, Any] = NO_WINDOW,
    log_key: Mapping[str, Any] = NO_WINDOW,
    **other: Any,
) -> Any:
    """Verifies the bundle with a proof of an entry that says `other`."""
    trust = trust_of([signer.key.public, LOG.public])
    keys = replace(trust.keys[0], **window), replace(trust.keys[1], **log_key)
    trust = replace(trust, keys=keys)
    with open_bundle(Path(signer.folder / name)) as opened:
        said = opened.statement["predicate"]
        made_at = datetime.fromisoformat(said["made_at"])
        fields = {
            "pledge": "P-1",
            "sequence": 2,
            "previous": "c" * 64,
            "digest": opened.digest,
            "collected_at": said["period"]["from"],
            "made_at": said["made_at"],
            "attached_at": said["made_at"],
            "verdicts": said["clauses"],
        }
        leaf = entry_bytes({**fields, **other}, made_at + logged_at)
        log = Log("hostpledge-register/" + "0" * 32, (leaf,))
        proof = log.inclusion(0, sign(log.checkpoint(), LOG))
        return verify(
            opened,
            trust,
            proof=read_inclusion(proof.encode(), where="p"),
            now=datetime.now(UTC) + timedelta(days=2),
        )


def test_what_agrees_is_taken(signer: Signer) -> None:
    assert held(signer).logged is not None
    assert held(signer, timedelta(days=1)).logged is not None
    # a register's clock may be somewhat behind
    assert held(signer, timedelta(minutes=-2)).logged is not None


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ({"roles": frozenset({"log"})}, []),
        ({}, ["key_roles"]),
        # what was tried is in two days: it ended since
        ({"roles": frozenset({"log"}), "valid_until": datetime.now(UTC)}, ["log"]),
        # rotated since the entry was written: the checkpoint is by the next one
        ({"roles": frozenset({"log"}), "valid_from": datetime.now(UTC) + timedelta(days=1)}, []),
        ({"roles": frozenset({"log"}), "valid_from": datetime(2098, 1, 1, tzinfo=UTC)}, ["log"]),
    ],
)
def test_a_policy_wants_a_key_of_the_log_that_holds(
    signer: Signer, key: Mapping[str, Any], wanted: list[str]
) -> None:
    found = held(signer, window={"roles": frozenset({"bundle"})}, log_key=key)
    named = [
        one.name for one in unmet(STRICT, found, ("web-01",)) if one.name in ("log", "key_roles")
    ]
    assert named == wanted
    told = [text.en for text in found.unproven if "The time in the log" in text.en]
    assert bool(told) is ("log" in wanted)


def test_a_log_shows_a_time_for_an_end_and_none_for_a_revocation(signer: Signer) -> None:
    """Who has the revoked key may keep a log too, and dates its entries as they like."""
    made_at = held(signer).made_at
    assert held(signer, window={"valid_until": made_at + timedelta(hours=1)}).logged is not None
    with pytest.raises(VerifyFailed, match="for a revoked key only a timestamp counts"):
        held(signer, window={"revoked_at": made_at + timedelta(hours=1)})


@pytest.mark.parametrize(("minutes", "counts"), [(59, True), (60, False), (61, False)])
def test_a_timestamp_behind_the_revocation_refuses_whatever_a_log_says(
    signer: Signer, minutes: int, counts: bool
) -> None:
    found = held(signer)
    made_at = found.made_at
    known = replace(found.signers[0], revoked_at=made_at + timedelta(hours=1))
    logged = Logged("o", 0, 1, "P-1", 2, made_at, "log", counts=True)
    stamp = Stamp(made_at + timedelta(minutes=minutes), "authority")
    with nullcontext() if counts else pytest.raises(VerifyFailed, match="is not older"):
        check_window(known, made_at, datetime.now(UTC), stamp=stamp, logged=logged)


def test_what_a_register_takes_for_not_proven_is_no_other_verdict(signer: Signer) -> None:
    less = {"2.2": "error", "2.3": "notchecked", "2.4": "error"}
    assert held(signer, verdicts=less).logged is not None


@pytest.mark.parametrize(
    "other",
    [
        {"pledge": "other"},
        {"sequence": 7},
        {"previous": "a" * 64},
        {"previous": None},
        {"verdicts": {"2.2": "pass", "2.3": "pass", "2.4": "pass"}},
        {"verdicts": {"2.2": "notchecked"}},
        {"made_at": "2020-01-01T00:00:00+00:00"},
    ],
    ids=lambda other: "-".join(map(str, other)),
)
def test_what_says_another_thing_is_refused(signer: Signer, other: dict[str, Any]) -> None:
    (name,) = other
    with pytest.raises(VerifyFailed, match=f"another {name} than the bundle does") as caught:
        held(signer, **other)
    assert caught.value.where == "--proof"


def test_a_bundle_of_no_pledge_is_in_no_log(signer: Signer) -> None:
    with pytest.raises(VerifyFailed, match="another pledge than the bundle does"):
        held(signer, name="none")


def test_an_entry_from_before_the_bundle_was_signed_is_refused(signer: Signer) -> None:
    with pytest.raises(VerifyFailed, match="the bundle was signed after that"):
        held(signer, timedelta(days=-1))
