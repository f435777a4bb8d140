"""When was a bundle signed, by whose word, and may its key have signed it then?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collector.attest.envelope import timestamp
from collector.attest.envelope.dsse import Sealed
from collector.attest.envelope.timestamp import Stamp
from collector.attest.log.logged import Inclusion
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Result, Text
from collector.verify.looks import Looks

# how far the clocks of signer and timestamp authority may be apart
SKEW = timedelta(minutes=5)
# and by how much that of a host that was looked at, as of evidence in the register
_OF_A_HOST = timedelta(days=1)
_PROOF = "--proof"


@dataclass(frozen=True, slots=True)
class Logged:
    """The bundle stands in a register's log, under a checkpoint by a trusted key.

    `counts` is whether that key is one by now (a checkpoint is signed later than its entries, and
    by another key than at their time), and is still one whose word for `at` is worth more than that
    of a key that has ended; `roled`: the trust file says what it may sign.
    """

    origin: str
    index: int
    size: int
    pledge: str
    sequence: int
    at: datetime
    key_name: str
    counts: bool
    roled: bool = True

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a policy may want of its key and it has not, by the member of the policy."""
        return (*(() if self.counts else ("log",)), *(() if self.roled else ("key_roles",)))

    def to_json(self) -> dict[str, Any]:
        return {
            "origin": self.origin,
            "index": self.index,
            "size": self.size,
            "logged_at": self.at.isoformat(),
            "key": self.key_name,
        }


def stamped(sealed: Sealed, trust: Trust, *, where: str) -> Stamp | None:
    """The earliest timestamp by a trusted authority; None where there is no timestamp, or no

    authority to trust. Raises VerifyFailed for one that is over something else, and when there
    are timestamps and authorities, and not one of them fits.
    """
    found: list[Stamp] = []
    problem: VerifyFailed | None = None
    for data in sealed.timestamps:
        try:
            timestamp.check(data, sealed.signature)
        except VerifyFailed as broken:
            raise VerifyFailed(broken.what, where=where) from None
        try:
            found.append(timestamp.verify(data, sealed.signature, trust.authorities))
        except VerifyFailed as strange:
            problem = strange
    if not found and problem is not None and trust.authorities:
        raise VerifyFailed(problem.what, where=where)
    return min(found, key=lambda stamp: stamp.at, default=None)


def logged(
    digest: str, said: Mapping[str, Any], proof: Inclusion, trust: Trust, now: datetime
) -> Logged:
    """Raises VerifyFailed unless the proof puts the bundle of that digest into a log, as what its

    signed predicate (`said`) makes it.
    """
    entry = proof.check(where=_PROOF)
    signer = proof.note.verify(trust, where=_PROOF)
    if signer.revoked_at is not None:
        raise VerifyFailed(
            msg(
                "checkpoint_signed_key_revoked",
                name=signer.name,
                revoked_at=signer.revoked_at.isoformat(),
            ),
            where=_PROOF,
        )
    if entry["digest"] != digest:
        raise VerifyFailed(msg("proof_another_bundle", entry=entry["digest"][:12]), where=_PROOF)
    _hold(entry, said)
    at = datetime.fromisoformat(entry["logged_at"])
    ended = signer.valid_until is not None and signer.valid_until < now
    begun = signer.valid_from is None or signer.valid_from <= now
    return Logged(
        proof.note.checkpoint.origin,
        proof.index,
        proof.note.checkpoint.size,
        entry["pledge"],
        entry["sequence"],
        at,
        signer.name,
        begun and not ended,
        signer.roles is not None,
    )


def _hold(entry: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Whoever keeps the log may write anything of a bundle beside its digest."""
    pledge = said["pledge"] or {"id": None, "sequence": None, "previous": None}
    made_at = datetime.fromisoformat(said["made_at"])
    expected = {
        "pledge": pledge["id"],
        "sequence": pledge["sequence"],
        "previous": pledge["previous"],
    }
    wrong = [name for name, value in expected.items() if entry[name] != value]
    if not _same_verdicts(entry["verdicts"], said["clauses"]):
        wrong.append("verdicts")
    if datetime.fromisoformat(entry["made_at"]) != made_at:
        wrong.append("made_at")
    if wrong:
        raise VerifyFailed(msg("entry_log_says_another", wrong=wrong[0]), where=_PROOF)
    if made_at - datetime.fromisoformat(entry["logged_at"]) > SKEW:
        raise VerifyFailed(
            msg("entry_log_dated_bundle", entry=entry["logged_at"], said=said["made_at"]),
            where=_PROOF,
        )


def _same_verdicts(logged: Mapping[str, str], signed: Mapping[str, str]) -> bool:
    """A register keeps a clause as not proven that was not judged on all that is declared."""
    return logged.keys() == signed.keys() and all(
        verdict == signed[number] or (verdict == Result.ERROR and signed[number] != Result.FAIL)
        for number, verdict in logged.items()
    )


def check_window(
    known: TrustedKey,
    made_at: datetime,
    now: datetime,
    *,
    stamp: Stamp | None,
    logged: Logged | None,
) -> None:
    """Raises VerifyFailed unless the key may have signed when it did."""
    name = known.name
    if stamp is not None and made_at - stamp.at > SKEW:
        raise VerifyFailed(
            msg(
                "says_signed_timestamped_before",
                made_at=made_at.isoformat(),
                at=stamp.at.isoformat(),
            )
        )
    if known.valid_from is not None and made_at < known.valid_from:
        raise VerifyFailed(
            msg(
                "signed_before_key_valid",
                made_at=made_at.isoformat(),
                name=name,
                valid_from=known.valid_from.isoformat(),
            )
        )
    _hold_revocation(known, stamp, logged)
    if known.valid_until is None:
        return
    end = known.valid_until.isoformat()
    there = [stamp.at] if stamp else []
    if logged is not None and logged.counts:
        there.append(logged.at)
    shown = min(there, default=None)
    if made_at > known.valid_until:
        raise VerifyFailed(
            msg("signed_after_end_key", made_at=made_at.isoformat(), name=name, end=end)
        )
    if shown is not None and shown > known.valid_until:
        raise VerifyFailed(msg("shown_after_end_key", shown=shown.isoformat(), name=name, end=end))
    if shown is None and known.valid_until < now:
        raise VerifyFailed(msg("key_ended_nothing_signer", name=name, end=end))


def hold_looks(
    looks: Looks, made_at: datetime, stamps: Sequence[Stamp], logged: Logged | None, *, where: str
) -> None:
    """Raises VerifyFailed for a look that is later than what shows when it was signed.

    Else whoever is about to lose a key could sign, and have stamped, what it saw of days to come.
    """
    there = min([made_at, *(stamp.at for stamp in stamps), *([logged.at] if logged else [])])
    if looks.last is not None and looks.last - there > _OF_A_HOST:
        raise VerifyFailed(
            msg("look_after_signing", looked=looks.last.isoformat(), at=there.isoformat()),
            where=where,
        )


def _hold_revocation(known: TrustedKey, stamp: Stamp | None, logged: Logged | None) -> None:
    """The time in a log is what its keeper writes there, who may be the one that has the key."""
    if known.revoked_at is None or (stamp is not None and stamp.at < known.revoked_at):
        return
    if stamp is not None:
        why = msg("shows_time_not_older", shown=stamp.at.isoformat())
    elif logged is not None:
        why = msg("nothing_but_the_log_s_word")
    else:
        why = msg("nothing_signer_s_word")
    raise VerifyFailed(
        msg(
            "signed_key_revoked",
            name=known.name,
            revoked_at=known.revoked_at.isoformat(),
            why=why,
        )
    )


def proven(stamp: Stamp | None, logged: Logged | None) -> tuple[Text, ...]:
    found = []
    if stamp is not None:
        at = stamp.at.isoformat()
        found.append(
            Text(
                f"签名在 {at} 已经存在：时间戳机构“{stamp.authority}”所证。",
                f"The signature was there {at}: so says the timestamp authority {stamp.authority}.",
            )
        )
    if logged is not None:
        found.append(
            Text(
                f"此证据包是登记 {logged.pledge} 的第 {logged.sequence} 份，在登记库日志 "
                f"{logged.origin}（{logged.size} 条）中为第 {logged.index} 条，记于 "
                f"{logged.at.isoformat()}；检查点由密钥“{logged.key_name}”签署。",
                f"It is evidence {logged.sequence} of {logged.pledge}, entry {logged.index} of the "
                f"{logged.size} in the register's log {logged.origin}, dated "
                f"{logged.at.isoformat()} there, under a checkpoint by the key {logged.key_name}.",
            )
        )
    return tuple(found)


def unproven(
    known: TrustedKey,
    made_at: datetime,
    sealed: Sealed,
    *,
    stamp: Stamp | None,
    logged: Logged | None,
) -> tuple[Text, ...]:
    at = made_at.isoformat()
    if stamp is not None:
        found = [
            Text(
                f"签署比时间戳早多久：所称的签署时间 {at} 仅由签名人自己声称。",
                f"How long before the timestamp it was signed: {at} is asserted by the signer "
                "only.",
            )
        ]
    else:
        found = [
            Text(
                f"时间：签署时间 {at} 仅由签名人自己声称，没有第三方时间戳佐证。",
                f"The time: {at} is asserted by the signer only; no outside timestamp supports it.",
            )
        ]
        if sealed.timestamps:
            found.append(
                Text(
                    "包内有时间戳，但信任文件中没有时间戳机构，因此未采信。",
                    "There is a timestamp in it, which does not count: the trust file names no "
                    "timestamp authority.",
                )
            )
    if logged is None:
        found.append(
            Text(
                "此前或此后没有证据包被删除：请用登记库日志的证明（--proof）与留存的检查点核对。",
                "That no bundle before or after it was removed: a proof of the register's log "
                "(--proof) and a checkpoint that was kept show that.",
            )
        )
    elif not logged.counts:
        found.append(
            Text(
                f"日志的时间：检查点的密钥“{logged.key_name}”已到期或尚未启用，其持有者可写任何时间。",
                f"The time in the log: its key {logged.key_name} has ended, or has not begun, "
                "and whoever has it may write any.",
            )
        )
    if known.revoked_at is not None:
        found.append(
            Text(
                f"密钥“{known.name}”此后（{known.revoked_at.isoformat()}）已被吊销。",
                f"The key {known.name} was revoked since then ({known.revoked_at.isoformat()}).",
            )
        )
    return tuple(found)
