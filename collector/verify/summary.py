"""What `verify` found, as an in-toto statement for who takes another's word for it.

The predicate is the Simple Verification Result 0.1: it names what passed, and only that. A
property that is missing was not shown; none says that something failed. The verifier's id bears
its release, for what a property means is for that release to say (docs/exports.md lists them).

    {"verifier": {"id": "urn:hostpledge:verifier:0.1.0", "policy": {"name": "strict"}},
     "timeCreated": "2026-11-29T12:00:00Z",
     "properties": ["HOSTPLEDGE_SIGNATURE", "HOSTPLEDGE_CLAUSE_2_3_GRADE_2", …]}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import rfc8785

from collector import __version__
from collector.attest.bundle import evidence
from collector.attest.envelope.statement import STATEMENT_TYPE
from collector.model import Result
from collector.verify.bundle import Bundle
from collector.verify.policy import Policy, Unmet
from collector.verify.verification import Verification

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.1"
_PREFIX = "HOSTPLEDGE_"


def statement_of(
    bundle: Bundle,
    found: Verification,
    now: datetime,
    *,
    policy: Policy | None = None,
    lacking: Sequence[Unmet] = (),
    replayed: bool = False,
) -> bytes:
    """The RFC 8785 bytes of the statement.

    `lacking` is what the `policy` wants in vain; `replayed`: the captures were judged again, and
    with the same findings.
    """
    told = list(_properties(found, policy, lacking, replayed=replayed))
    verifier: dict[str, Any] = {"id": f"urn:hostpledge:verifier:{__version__}"}
    if policy is not None:
        verifier["policy"] = {"name": policy.name}
    document: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [
            # the name by which registers and policies know a bundle: the digest of its statement
            {"name": "bundle", "digest": {"sha256": found.digest}},
            {"name": evidence.FILE, "digest": {"sha256": bundle.subjects[evidence.FILE]}},
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": verifier,
            "timeCreated": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "properties": [_PREFIX + name for name in told],
        },
    }
    return rfc8785.dumps(document)


def _properties(
    found: Verification, policy: Policy | None, lacking: Sequence[Unmet], *, replayed: bool
) -> Iterator[str]:
    yield "SIGNATURE"
    if sum(bool(one["verified"]) for one in found.signatures) > 1:
        yield "SECOND_SIGNATURE"
    # what nobody saw cannot be shown of all of them
    unseen = found.looks.unseen > 0
    shown = {
        "CAPTURES_INTACT": not found.redacted,
        "TIMESTAMP": found.stamp is not None,
        "IN_LOG": found.logged is not None,
        "NONE_HANDED_IN": found.handed_in == 0,
        "NO_WAIVERS": found.waived == 0,
        "TEXTS_OF_THE_RELEASE": found.scope.known and not found.strange,
        "NONE_ALIKE": not found.alike and not unseen,
        "REPLAYED": replayed,
        "POLICY_MET": policy is not None and not lacking,
        f"SCOPE_WHOLE_GRADE_{found.scope.grade}": found.scope.whole and not unseen,
    }
    yield from (name for name, holds in shown.items() if holds)
    # the number of days is a part of the name, as the form has it for what holds for a time
    if found.age_days is not None and not found.ahead and not unseen:
        yield f"LOOKED_WITHIN_{found.age_days + 1}"
    for clause, result in found.clauses.items():
        if result is Result.PASS and found.scope.proves(clause):
            yield f"CLAUSE_{clause.replace('.', '_')}_GRADE_{found.scope.grade}"
