"""The register's log as cosign reads one: entries, proofs and promises in the form of Rekor v1.

Beside the register's own log (`logged`) stands a second tree over the same bundles in the same
order, whose leaves are Rekor's `dsse` 0.0.1 entries. It is not stored: it follows from the bundles.
Measured with cosign 2.5: the log's key has to be P-256, the index more than 0, and without a signed
entry timestamp (SET) no entry counts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from collector.attest.envelope.timestamp import Authority
from collector.attest.keys.keys import PrivateKey, PublicKey
from collector.attest.log import checkpoint, merkle
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import BadInput
from collector.i18n.message import msg

# of the log's name, so that nobody takes its checkpoints for those of the register's own log
SUFFIX = "/sigstore"
_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


def body(bundle: bytes, key: PublicKey) -> bytes:
    """The entry, in canonical bytes, for a bundle.sigstore.json that `key` signed."""
    envelope = json.loads(bundle)["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    return rfc8785.dumps(
        {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": _digest(rfc8785.dumps(envelope)),
                "payloadHash": _digest(payload),
                "signatures": [
                    {
                        "signature": envelope["signatures"][0]["sig"],
                        "verifier": _text(key.pem.encode()),
                    }
                ],
            },
        }
    )


def with_entry(
    bundle: bytes,
    bodies: Sequence[bytes],
    index: int,
    *,
    origin: str,
    at: datetime,
    key: PrivateKey,
) -> bytes:
    """bundle.sigstore.json with its entry: `bodies[index]` in the log of all `bodies`.

    `at` is when it was logged; `key`, which has to be P-256, is the log's.
    """
    if key.public.type != "p256":
        raise BadInput(
            msg("cosign_takes_log_p"),
            where=key.keyid,
            mend=msg("name_one_key_hostpledge"),
        )
    # cosign takes index 0 for a field that is missing: the log's name comes first
    first = f"{origin}{SUFFIX}\n".encode()
    leaves = [merkle.leaf_hash(one) for one in (first, *bodies)]
    place = index + 1
    root = merkle.root(leaves)
    note = checkpoint.sign(Checkpoint(origin + SUFFIX, len(leaves), root), key)
    id = log_id(key.public)
    second = int(at.timestamp())
    promise: dict[str, Any] = {
        "body": _text(bodies[index]),
        "integratedTime": second,
        "logID": id.hex(),
        "logIndex": place,
    }
    document = json.loads(bundle)
    document["verificationMaterial"]["tlogEntries"] = [
        {
            "logIndex": str(place),
            "logId": {"keyId": _text(id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(second),
            "inclusionPromise": {"signedEntryTimestamp": _text(key.sign(rfc8785.dumps(promise)))},
            "inclusionProof": {
                "logIndex": str(place),
                "rootHash": _text(root),
                "treeSize": str(len(leaves)),
                "hashes": [_text(one) for one in merkle.inclusion(leaves, place)],
                "checkpoint": {"envelope": note},
            },
            "canonicalizedBody": _text(bodies[index]),
        }
    ]
    return rfc8785.dumps(document)


def trusted_root(trust: Trust) -> bytes:
    """trusted_root.json: the trust file as cosign reads it, for logs and timestamps.

    Keys that were revoked, and those that sign no log (not P-256), are not in it. Whose bundles
    count says cosign's own --key.
    """
    logs = [
        _log(one)
        for one in trust.keys
        if one.key.type == "p256" and one.may("log") and not one.revoked_at
    ]
    document: dict[str, Any] = {"mediaType": _ROOT, "tlogs": logs}
    if trust.authorities:
        document["timestampAuthorities"] = [_authority(one) for one in trust.authorities]
    return json.dumps(document, indent=1).encode() + b"\n"


def log_id(key: PublicKey) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo (RFC 6962 section 3.2)."""
    return hashlib.sha256(_spki(key)).digest()


def _log(known: TrustedKey) -> dict[str, Any]:
    return {
        "baseUrl": "https://register.hostpledge.invalid",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(_spki(known.key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": _window(known.valid_from, known.valid_until),
        },
        "logId": {"keyId": _text(log_id(known.key))},
    }


def _authority(one: Authority) -> dict[str, Any]:
    inner = [found for found in one.certificates if found.issuer != found.subject]
    roots = [found for found in one.certificates if found.issuer == found.subject]
    chain = [found.public_bytes(Encoding.DER) for found in (*inner, roots[0])]
    return {
        "subject": {"organization": one.name, "commonName": one.name},
        "certChain": {"certificates": [{"rawBytes": _text(found)} for found in chain]},
        "validFor": _window(roots[0].not_valid_before_utc, None),
    }


def _window(start: datetime | None, end: datetime | None) -> dict[str, str]:
    window = {"start": start.isoformat() if start else "1970-01-01T00:00:00Z"}
    return window | ({"end": end.isoformat()} if end else {})


def _spki(key: PublicKey) -> bytes:
    loaded = load_pem_public_key(key.pem.encode())
    return loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _digest(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
