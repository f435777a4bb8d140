"""Whose signatures are on a bundle, and do they hold? One, or a second by an SM2 key beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.attest.envelope import dsse as envelope
from collector.attest.envelope.dsse import Sealed
from collector.attest.envelope.timestamp import Stamp
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Text
from collector.verify import times
from collector.verify.bundle import Bundle
from collector.verify.times import Logged

ALGORITHMS = {"p256": "ECDSA-P256-SHA256", "ed25519": "Ed25519", "sm2": "SM2-SM3"}
_BESIDE = {
    envelope.FILE: msg("signature_beside"),
    envelope.TWIN: msg("sm2_signature_beside"),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a bundle. `known` is None where its key is not a trusted one: unchecked."""

    file: str
    sealed: Sealed
    known: TrustedKey | None = None
    stamp: Stamp | None = None

    @property
    def second(self) -> bool:
        return self.file == envelope.TWIN

    def to_json(self) -> dict[str, Any]:
        return {
            "file": f"data/{self.file}",
            "keyid": self.sealed.keyid,
            "verified": self.known is not None,
            "name": self.known.name if self.known else None,
            "algorithm": ALGORITHMS[self.known.key.type] if self.known else None,
            "timestamp": self.stamp
            and {"at": self.stamp.at.isoformat(), "authority": self.stamp.authority},
        }


@dataclass(frozen=True, slots=True)
class Signatures:
    """All signatures of a bundle; at least one is by a trusted key, and none of those fails."""

    all: tuple[Signature, ...]

    @property
    def leading(self) -> tuple[Signature, TrustedKey]:
        """The first that is by a trusted key, and that key."""
        return next((one, one.known) for one in self.all if one.known is not None)

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """By trusted authorities."""
        return tuple(one.stamp for one in self.all if one.stamp is not None)

    @property
    def keys(self) -> tuple[TrustedKey, ...]:
        """The trusted keys that signed."""
        return tuple(one.known for one in self.all if one.known is not None)


def check(
    bundle: Bundle, trust: Trust, made_at: datetime, now: datetime, logged: Logged | None
) -> Signatures:
    """Raises VerifyFailed when one by a trusted key fails, or none is by a trusted key.

    The register's log names the statement, not the SM2 signature: for that it shows no time.
    """
    present = [(envelope.FILE, bundle.sealed)]
    if bundle.twin is not None:
        present.append((envelope.TWIN, bundle.twin))
    found: list[Signature] = []
    failed: list[tuple[str, VerifyFailed]] = []
    for file, sealed in present:
        proof = logged if file == envelope.FILE else None
        try:
            found.append(_one(file, sealed, trust, made_at, now, proof))
        except VerifyFailed as problem:
            failed.append((file, problem))
    if failed:
        file, first = failed[0]
        raise VerifyFailed(_other(first.what, file, found, failed[1:]), where=f"data/{file}")
    if all(one.known is None for one in found):
        raise VerifyFailed(
            msg("signed_not_among_trusted", names=" and ".join(one.sealed.keyid for one in found)),
            where=f"data/{envelope.FILE}",
        )
    return Signatures(tuple(found))


def _one(
    file: str,
    sealed: Sealed,
    trust: Trust,
    made_at: datetime,
    now: datetime,
    logged: Logged | None,
) -> Signature:
    known = trust.find(sealed.keyid)
    if known is None:
        return Signature(file, sealed)
    if not known.may("bundle"):
        raise VerifyFailed(
            msg("signed_key_trusted_alone", name=known.name, roles_said=known.roles_said)
        )
    sealed.verify(known.key)
    stamp = times.stamped(sealed, trust, where=f"data/{file}")
    times.check_window(known, made_at, now, stamp=stamp, logged=logged)
    return Signature(file, sealed, known, stamp)


def _other(what: str, file: str, found: Sequence[Signature], failed: Sequence[Any]) -> str:
    """And what became of the other signature, where there are two."""
    if failed:
        name, problem = failed[0]
        return msg("and_beside_it_fails", what=what, beside=_BESIDE[name], why=problem.what)
    for one in found:
        if one.file != file:
            code = "and_beside_it_holds" if one.known is not None else "and_beside_it_not_checked"
            return msg(code, what=what, beside=_BESIDE[one.file])
    return what


def proven(found: Signatures) -> tuple[Text, ...]:
    """What a second signature by a trusted key adds."""
    first, _ = found.leading
    return tuple(
        Text(
            f"另有第二份签名：密钥“{one.known.name}”（{one.known.keyid}）以 SM2-SM3 对同一声明及"
            "每个文件的 SM3 摘要签名，核验通过。",
            f"A second signature, SM2 with SM3, over the same statement and the SM3 digest of each "
            f"file, by the key {one.known.name} ({one.known.keyid}).",
        )
        for one in found.all
        if one.known is not None and one is not first
    )


def unproven(found: Signatures, trust: Trust) -> tuple[Text, ...]:
    """Which signatures were not checked, or are not there though their key would be trusted."""
    told = [
        Text(
            f"另一份签名（{one.sealed.keyid}）未核验：该密钥不在信任文件中，"
            f"data/{one.file} 不作数。",
            f"The other signature, by {one.sealed.keyid}: that key is not among the trusted ones, "
            f"so data/{one.file} counts for nothing.",
        )
        for one in found.all
        if one.known is None
    ]
    if len(found.all) == 1 and any(known.key.type == "sm2" for known in trust.keys):
        told.append(
            Text(
                "国密签名：信任文件中有 SM2 密钥，而签名方没有在此证据包上作 SM2 签名。",
                "Anything by SM2: the trust file names SM2 keys, and the signer made no SM2 "
                "signature of this bundle.",
            )
        )
    return tuple(told)
