"""Does what signed the evidence of a register count still, by whom its user trusts now?

That a bundle was verified when it was attached, and is remembered, says nothing of a key that was
revoked since. A bundle is read for it only where some key is over, and the times in its row alone
do not show that it counts all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from collector.attest.envelope.timestamp import Stamp
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import CollectorError, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database.rows import Evidence
from collector.pledges.register.signers import FILE, NAMED, Signers
from collector.pledges.status.latest_bundle import Newest
from collector.resources import home_place
from collector.verify import times


class OverKeys:
    """Remembers what it read, for as long as nothing of what is trusted changes.

    `wanted`: where nobody is trusted at all, nothing counts. Who attaches was given a trust then;
    a page has a user and a home of its own, and would never learn of a key that was revoked.
    """

    def __init__(self, where: str, *, wanted: bool = False) -> None:
        self._where, self._wanted = where, wanted
        self._stands: tuple[str, ...] = ()
        self._trusts: tuple[Trust, ...] = ()
        self._unread = ""
        self._accepted: dict[str, tuple[TrustedKey, ...]] = {}
        # by the digest of a bundle who signed it; empty where that cannot be read here
        self._signed: dict[str, str] = {}
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def counted(self, one: Evidence) -> Evidence:
        """The same, with why its signature counts no more, where it does not."""
        why = self._why(one)
        return replace(one, refused=why) if why else one

    def look(self) -> None:
        """To be asked before `counted`: is what the user trusts as it was?"""
        # what ends at a time ends without a file that changes
        stands = (*trusted(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"))
        if stands != self._stands:
            self._stands, self._trusts, self._unread = stands, (), ""
            self._known.clear()
            signers = Signers(self._where)
            self._accepted = {id: tuple(keys) for id, keys in signers.every_accepted()}
            try:
                self._trusts = signers.trusts
            except CollectorError as problem:
                # whom they trust nobody knows then
                self._unread = problem.said

    @property
    def nobody(self) -> bool:
        """Is nobody trusted here, of this register?"""
        known = (key for trust in self._trusts for key in trust.keys)
        return not (self._unread or any(known) or any(self._accepted.values()))

    def _why(self, one: Evidence) -> str:
        if self._unread:
            return self._unread
        if self._wanted and self.nobody:
            return msg("nobody_is_trusted", variable=NAMED)
        now = datetime.now(UTC)
        doubtful = [key for key in self._keys(one.pledge) if _may_be_over(key, one, now)]
        if not doubtful:
            return ""
        place = one.digest, tuple(sorted({key.keyid for key in doubtful}))
        if place not in self._known:
            self._known[place] = self._of_bundle(one, doubtful, now)
        return self._known[place]

    def _keys(self, id: str) -> Iterator[TrustedKey]:
        for trust in self._trusts:
            yield from trust.keys
        yield from self._accepted.get(id, ())

    def _of_bundle(self, one: Evidence, doubtful: list[TrustedKey], now: datetime) -> str:
        """By the first of the keys that signed it and may not have; empty where none did."""
        signer = self._signer(one)
        if not signer:
            # it lies elsewhere: by whom it may be signed is known by what its user attached
            accepted = {key.keyid for key in self._accepted.get(one.pledge, ())}
            mine = [key for key in doubtful if key.keyid in accepted]
            return msg("signer_unread_key_over", name=mine[0].name) if mine else ""
        authorities = tuple(a for trust in self._trusts for a in trust.authorities)
        for key in doubtful:
            if key.keyid == signer:
                try:
                    sealed = Newest(one).sealed
                    sealed.verify(key.key)
                    stamp = times.stamped(sealed, Trust((key,), authorities), where=self._where)
                    hold_to(key, one, now, stamp)
                except VerifyFailed as problem:
                    return problem.what
                except CollectorError as problem:
                    return problem.said
        return ""

    def _signer(self, one: Evidence) -> str:
        """Held to the key that it names, where that is known: else anybody could be named."""
        if one.digest not in self._signed:
            try:
                sealed = Newest(one).sealed
            except CollectorError:
                return ""
            for key in self._keys(one.pledge):
                if key.keyid == sealed.keyid:
                    try:
                        sealed.verify(key.key)
                    except VerifyFailed:
                        return ""
            self._signed[one.digest] = sealed.keyid
        return self._signed[one.digest]


def _may_be_over(key: TrustedKey, one: Evidence, now: datetime) -> bool:
    """May it not have signed that, as far as its times tell?"""
    try:
        hold_to(key, one, now, None)
    except VerifyFailed:
        return True
    return False


def hold_to(key: TrustedKey, one: Evidence, now: datetime, stamp: Stamp | None) -> None:
    """Raises VerifyFailed unless the key may have signed it.

    Of a key that merely ended, the log that its user knows shows what was there before; and from
    when on it may sign was held to when the bundle was attached.
    """
    if not key.may("bundle"):
        raise VerifyFailed(
            msg("signed_key_trusted_alone", name=key.name, roles_said=key.roles_said)
        )
    key, ended = replace(key, valid_from=None), key.valid_until
    if ended is not None and stamp is None and one.attached_at <= ended:
        key = replace(key, valid_until=None)
    times.check_window(key, one.made_at, now, stamp=stamp, logged=None)


def trusted() -> Iterator[str]:
    """Of the files that say whom the user trusts, by which the disk tells that they changed."""
    named = os.environ.get(NAMED)
    places = [keyring.folder() / keyring.TRUST, home_place() / FILE]
    if named:
        places.append(Path(named))
        if places[-1].is_dir():
            places += sorted(places[-1].rglob("*"))
    for place in places:
        try:
            told = place.stat()
        except OSError as problem:
            yield f"{place} {problem.errno}"
        else:
            yield f"{place} {told.st_ino} {told.st_size} {told.st_mtime_ns} {told.st_ctime_ns}"
