"""A kept bundle's envelope with its entry of the log, as cosign verifies it (ADR 15)."""

from __future__ import annotations

from datetime import datetime

from collector.attest.bundle import bag
from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PrivateKey
from collector.attest.log import rekor
from collector.attest.log.logged import entry
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.register.register import Register


def with_entry(register: Register, digest: str, key: PrivateKey, trust: Trust) -> bytes:
    """bundle.sigstore.json of the bundle of that digest, with its entry signed by `key`.

    The entries of all other bundles follow from what the register keeps of them. Raises BadInput
    for a bundle whose key is not in `trust`, VerifyFailed for one that is not in its form.
    """
    log = register.log()
    kept = {one.digest: one for each in register.all_evidence().values() for one in each}
    told = [entry(leaf, where=register.where) for leaf in log.leaves]
    stored: list[bytes] = []
    bodies: list[bytes] = []
    for one in told:
        path = kept[one["digest"]].path / "data" / envelope.FILE
        if not path.is_file():
            raise BadInput(
                msg("bundle_number_not_store", one=one["digest"][:12], one_2=one["sequence"]),
                where=str(path),
                mend=msg("restore_backup"),
            )
        data = bag.read(path, str(path))
        signer = trust.find(envelope.unseal(data, where=str(path)).keyid)
        if signer is None:
            raise BadInput(msg("signed_key_you_not"), where=str(path))
        stored.append(data)
        bodies.append(rekor.body(data, signer.key))
    index = [one["digest"] for one in told].index(digest)
    at = datetime.fromisoformat(told[index]["logged_at"])
    return rekor.with_entry(stored[index], bodies, index, origin=log.origin, at=at, key=key)
