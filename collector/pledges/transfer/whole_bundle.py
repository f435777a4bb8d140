"""Does a bundle of a backup hold what is signed, and what follows from that?

With one file more, or another byte beside what is signed, nobody would verify it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collector.attest.bundle import bag, redacted
from collector.attest.bundle.making import bag_info
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement, timestamp
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, VerifyFailed
from collector.verify.bundle import open_bundle


def unlike(
    kept: Mapping[str, str], sizes: Mapping[str, int], signed: bytes, told: Mapping[str, Any]
) -> str:
    """The first file that is not as it was signed, is missing or does not belong; empty if none.

    `kept` are the SHA-256 of its files and `sizes` their bytes, by name; `signed` is its statement,
    and `told` the same, read.
    """
    vouched = {f"data/{name}" for name in statement.subjects(told)}
    vouched |= {f"data/{envelope.FILE}", f"data/{envelope.TWIN}"}
    payload = {name: digest for name, digest in kept.items() if name in vouched}
    size = sum(sizes[name] for name in payload)
    info = bag_info(signed, told["predicate"]["tool"]["version"])
    tags = bag.tag_files(bag.Payload(payload, size), info)
    wanted = payload | {name: hashlib.sha256(data).hexdigest() for name, data in tags.items()}
    names = sorted(kept.keys() | wanted.keys())
    return next((name for name in names if kept.get(name) != wanted.get(name)), "")


def wrong(root: Path, digest: str, trust: Trust, *, trusted: bool = False) -> str:
    """The file by which the bundle of that digest, in a folder, does not hold together; or empty.

    What is signed says nothing of what stands beside it: timestamps, and the second signature. One
    without its captures is not whole. `trusted`: nor is one that no key of `trust` signed.
    """
    try:
        with open_bundle(root) as bundle:
            if bundle.digest != digest:
                return envelope.FILE
            if bundle.redacted:
                return redacted.CAPTURES
            if trusted and trust.find(bundle.keyid) is None:
                return envelope.FILE
            for sealed in (bundle.sealed, *filter(None, [bundle.twin])):
                for data in sealed.timestamps:
                    timestamp.check(data, sealed.signature)
                signer = trust.find(sealed.keyid)
                if signer is not None:
                    sealed.verify(signer.key)
    except (VerifyFailed, BadInput) as problem:
        return problem.where or envelope.FILE
    return ""
