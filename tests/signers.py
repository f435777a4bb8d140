"""What a signer with a trusted key may try: evidence that is changed, made to agree, and signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785

from collector import captures
from collector.attest.bundle import bag, evidence
from collector.attest.bundle import making as bundle
from collector.attest.bundle.evidence import Clauses, weighed_from_json
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.keys.keys import PrivateKey
from collector.scope import of_evidence

ENVELOPE = "data/bundle.sigstore.json"
EVIDENCE = "data/evidence.json"


def lie(
    root: Path, key: PrivateKey, change: Callable[[dict[str, Any]], None], *, told: bool = True,
    absent: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Changes evidence.json, makes clauses, scope and statement follow, and signs all of it anew.

    `absent` are the hosts that it says are declared and missing. With `told=False` it is as
    evidence was before it said anything of its scope.
    """
    place = root / EVIDENCE
    document = json.loads(place.read_bytes())
    change(document)
    clauses = Clauses()
    for host, entry in document["hosts"].items():
        at = datetime.fromisoformat(entry["assessed_at"])
        clauses.add([weighed_from_json(host, f) for f in entry["findings"]], at)
    document.pop("scope", None)
    scope = replace(of_evidence(document), absent=absent)
    if told:
        document["scope"] = scope.to_json()
    document["clauses"] = clauses.to_json(scope if told and scope.known else None)
    place.write_bytes(rfc8785.dumps(document))
    sign(root, key, document)


def sign(root: Path, key: PrivateKey, document: dict[str, Any], **said: Any) -> None:
    """Signs the statement of what lies there; `said` is put into its predicate."""
    stored = json.loads((root / ENVELOPE).read_bytes())
    told = json.loads(base64.b64decode(stored["dsseEnvelope"]["payload"]))
    for subject in told["subject"]:
        place = root / "data" / subject["name"]
        subject["digest"]["sha256"] = captures.digest(place.read_bytes())
    predicate = told["predicate"]
    predicate.pop("scope", None)
    predicate |= statement.asked(document) | {
        "tool": document["tool"],
        "grade": document["grade"],
        "catalog_sha256": document["catalog_sha256"],
        "hosts": len(document["hosts"]),
        "targets": [
            evidence.target(host, entry["head"].get("machine", ""))
            for host, entry in document["hosts"].items()
        ],
        "clauses": {n: clause["verdict"] for n, clause in document["clauses"].items()},
        **({"scope": document["scope"]} if "scope" in document else {}),
        **said,
    }
    payload = rfc8785.dumps(told)
    (root / ENVELOPE).write_bytes(envelope.seal(payload, key))
    version = predicate["tool"]["version"]
    for name, data in bag.tag_files(bag.look(root), bundle.bag_info(payload, version)).items():
        (root / name).write_bytes(data)


def keeping(ids: Collection[str]) -> Callable[[dict[str, Any]], None]:
    """Leaves out all controls but these."""

    def change(document: dict[str, Any]) -> None:
        document["controls"] = {i: c for i, c in document["controls"].items() if i in ids}
        for entry in document["hosts"].values():
            entry["findings"] = [f for f in entry["findings"] if f["control"] in ids]

    return change


def green(document: dict[str, Any]) -> None:
    """Calls all findings a pass."""
    for entry in document["hosts"].values():
        for finding in entry["findings"]:
            finding["verdict"] = "pass"
