"""The in-toto Statement v1 of a bundle: which files it vouches for, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from collector.attest.canonical import conform, parse
from collector.errors import VerifyFailed
from collector.schema import check

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:hostpledge:predicate:evidence:1"
PREDICATE_SCHEMA = "urn:hostpledge:schema:predicate:1"


def predicate(frame: Mapping[str, Any], period: tuple[str, str], hosts: int) -> dict[str, Any]:
    """What the statement says of its subjects, from evidence.json without its hosts."""
    return {
        "schema": PREDICATE_SCHEMA,
        "tool": frame["tool"],
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "catalog_sha256": frame["catalog_sha256"],
        "grade": frame["grade"],
        "run": frame["run"]["nonce"] if frame["run"] else None,
        "pledge": frame["pledge"],
        "period": {"from": period[0], "to": period[1]},
        "hosts": hosts,
        "clauses": {number: clause["verdict"] for number, clause in frame["clauses"].items()},
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
    check(document, "statement", where="the statement")
    return rfc8785.dumps(document)


def from_bytes(payload: bytes, *, where: str) -> dict[str, Any]:
    """Reads the statement strictly; raises VerifyFailed unless it has its exact form."""
    try:
        document: dict[str, Any] = parse(payload, where=where)
        conform(document, "statement", where=where)
    except VerifyFailed as problem:
        raise VerifyFailed(f"the signed statement: {problem.what}", where=where) from None
    names = [subject["name"] for subject in document["subject"]]
    if names != sorted(set(names)):
        raise VerifyFailed("the signed statement names a subject twice", where=where)
    return document


def subjects(statement: Mapping[str, Any]) -> dict[str, str]:
    """Names (paths under data/) → SHA-256."""
    return {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
