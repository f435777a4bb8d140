"""The in-toto Statement v1 of a bundle: which files it vouches for, and as what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import rfc8785

from collector.attest.envelope.canonical import conform, parse
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.schema import check

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:hostpledge:predicate:evidence:1"
PREDICATE_SCHEMA = "urn:hostpledge:schema:predicate:1"


def predicate(
    frame: Mapping[str, Any],
    period: tuple[str, str],
    targets: Sequence[Mapping[str, Any]],
    sm2: str | None = None,
    before: Mapping[str, Any] | None = None,
    handed_in: int = 0,
    workers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What the statement says of its subjects, from evidence.json without its hosts.

    `targets` are these, each as `evidence.target` has it; `sm2` is the keyid of the SM2 signature
    that stands beside it; `before` speaks of the check before hardening; `handed_in` is how many of
    the hosts nobody collected from, `workers` the mesh nodes that collected (ADR 70).
    """
    beside: dict[str, Any] = {} if sm2 is None else {"sm2": sm2}
    earlier = {} if before is None else {"before": dict(before)}
    return (
        beside
        | earlier
        | {
            "schema": PREDICATE_SCHEMA,
            "tool": frame["tool"],
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "catalog_sha256": frame["catalog_sha256"],
            "grade": frame["grade"],
            "run": frame["run"]["nonce"] if frame["run"] else None,
            "pledge": frame["pledge"],
            "period": {"from": period[0], "to": period[1]},
            "hosts": len(targets),
            "handed_in": handed_in,
            "targets": list(targets),
            "clauses": {number: clause["verdict"] for number, clause in frame["clauses"].items()},
            **({"scope": frame["scope"]} if "scope" in frame else {}),
            **({"workers": [dict(worker) for worker in workers]} if workers else {}),
            **asked(frame),
        }
    )


def asked(frame: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, by digest: the script of the reads, the controls; and what was waived."""
    return {
        "script_sha256": frame["run"]["script_sha256"] if frame["run"] else None,
        "controls": {id: control["sha256"] for id, control in frame["controls"].items()},
        "waivers": frame["waivers"],
    }


def to_bytes(subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of the statement; `subjects` are names (paths under data/) → SHA-256."""
    document: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }
    check(document, "statement", where=msg("the_statement"))
    return rfc8785.dumps(document)


def with_sm3(payload: bytes, digests: Mapping[str, str]) -> bytes:
    """The same statement with a second digest of each subject: what an SM2 key signs.

    `digests` are names → SM3, for exactly the subjects.
    """
    document = json.loads(payload)
    for subject in document["subject"]:
        subject["digest"]["sm3"] = digests[subject["name"]]
    check(document, "statement", where=msg("the_statement"))
    return rfc8785.dumps(document)


def without_sm3(statement: Mapping[str, Any]) -> bytes:
    """The bytes of the statement beside which this one, with SM3 digests, stands."""
    subjects = [
        {**subject, "digest": {"sha256": subject["digest"]["sha256"]}}
        for subject in statement["subject"]
    ]
    return rfc8785.dumps({**statement, "subject": subjects})


def from_bytes(payload: bytes, *, where: str, sm3: bool = False) -> dict[str, Any]:
    """Reads the statement strictly; raises VerifyFailed unless it has its exact form.

    With `sm3` each subject has its SM3 digest too, else none has.
    """
    try:
        document: dict[str, Any] = parse(payload, where=where)
        conform(document, "statement", where=where)
        if any(("sm3" in subject["digest"]) is not sm3 for subject in document["subject"]):
            raise VerifyFailed(msg("sm3_digests", value="without" if sm3 else "with"), where=where)
    except VerifyFailed as problem:
        raise VerifyFailed(msg("signed_statement", what=problem.what), where=where) from None
    names = [subject["name"] for subject in document["subject"]]
    # two that differ in their letters alone are one file to many a disk
    if names != sorted(set(names)) or len({name.lower() for name in names}) < len(names):
        raise VerifyFailed(msg("signed_statement_names_subject"), where=where)
    return document


def subjects(statement: Mapping[str, Any], digest: str = "sha256") -> dict[str, str]:
    """Names (paths under data/) → SHA-256, or the other digest."""
    return {s["name"]: s["digest"][digest] for s in statement["subject"]}
