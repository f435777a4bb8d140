"""Whose signatures count in a register, for its user.

What a user attached was verified by the trust they gave, and its keys are kept in the user's own
folder, by pledge. What others attached since is held to these, to the user's own keys, and to the
trust file or folder that `HOSTPLEDGE_TRUST` names: whoever can write the register can sign as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from collector.attest.trust import keyring
from collector.attest.trust.trust_file import (
    SCHEMA,
    Trust,
    TrustedKey,
    load_trust,
    trust_from_bytes,
)
from collector.errors import CollectorError, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database.held import Disagrees
from collector.pledges.database.last_kept import place
from collector.pledges.status.latest_bundle import Newest
from collector.private import write_aside
from collector.resources import home, home_place
from collector.verify import times

NAMED = "HOSTPLEDGE_TRUST"
FILE = "register.signers.json"
_OPEN = {"valid_from": None, "valid_until": None}


class Signers:
    """The keys whose signatures count in the register at `where`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def accept(self, id: str, keys: Iterable[TrustedKey]) -> None:
        """The user attached to the pledge what these keys signed."""
        every = _all()
        known = every.setdefault(place(self._where), {}).setdefault(id, {})
        before = dict(known)
        for key in keys:
            known[key.keyid] = _narrowed(key, _key(key.keyid, known.get(key.keyid))).to_json()
        if known != before:
            _write(every)

    def learn(self, trust: Trust) -> None:
        """A key that a trust file says is over is over for what others attach by it, too."""
        every = _all()
        here = every.get(place(self._where), {})
        changed = False
        for known in here.values() if isinstance(here, dict) else ():
            for keyid, entry in known.items() if isinstance(known, dict) else ():
                said, held = trust.find(keyid), _key(keyid, entry)
                if said is None or held is None:
                    continue
                now = _narrowed(said, held)
                if now != held:
                    known[keyid], changed = now.to_json(), True
        if changed:
            _write(every)

    def know(self, newest: Newest) -> bool:
        """Is it signed by a key that is known at all?"""
        return self._find(newest.pledge, newest.sealed.keyid) is not None

    def hold(self, newest: Newest) -> None:
        """Raises Disagrees unless a key that counts for its pledge signed the bundle."""
        sealed = newest.sealed
        found = self._find(newest.pledge, sealed.keyid)
        if found is None:
            raise Disagrees(
                msg(
                    "evidence_signed_by_stranger",
                    sequence=newest.sequence,
                    pledge=newest.pledge,
                    keyid=sealed.keyid,
                ),
                where=self._where,
                mend=msg("name_trust_of_colleagues", variable=NAMED),
            )
        known, trust = found
        try:
            if not known.may("bundle"):
                raise VerifyFailed(
                    msg("signed_key_trusted_alone", name=known.name, roles_said=known.roles_said)
                )
            sealed.verify(known.key)
            stamp = times.stamped(sealed, trust, where=self._where)
            times.check_window(known, newest.made_at, datetime.now(UTC), stamp=stamp, logged=None)
        except VerifyFailed as problem:
            raise Disagrees(problem.what, where=newest.where, mend=msg("restore_backup")) from None

    def _find(self, id: str, keyid: str) -> tuple[TrustedKey, Trust] | None:
        for trust in (*self.trusts, Trust(tuple(self._accepted(id)))):
            known = trust.find(keyid)
            if known is not None:
                return known, trust
        return None

    @cached_property
    def trusts(self) -> tuple[Trust, ...]:
        """Raises CollectorError where the trust that is named cannot be read."""
        named = os.environ.get(NAMED)
        return (keyring.trust(), *((load_trust(Path(named)),) if named else ()))

    def every_accepted(self) -> Iterator[tuple[str, Iterator[TrustedKey]]]:
        """By pledge the keys that signed what the user attached to it."""
        known = _all().get(place(self._where), {})
        for id, pems in known.items() if isinstance(known, dict) else ():
            yield id, _keys(pems)

    def _accepted(self, id: str) -> Iterator[TrustedKey]:
        known = _all().get(place(self._where), {})
        return _keys(known.get(id, {}) if isinstance(known, dict) else {})


def _keys(pems: Any) -> Iterator[TrustedKey]:
    for keyid, entry in pems.items() if isinstance(pems, dict) else ():
        if (key := _key(keyid, entry)) is not None:
            yield key


def _key(keyid: str, entry: Any) -> TrustedKey | None:
    """As it was kept: an entry of a trust file, or (by an earlier release) its PEM alone."""
    if entry is None:
        return None
    with suppress(CollectorError, TypeError, AttributeError, ValueError):
        if isinstance(entry, str):
            entry = {"keyid": keyid, "name": keyid, "pem": entry, **_OPEN}
        key = _read(json.dumps({"schema": SCHEMA, "keys": [entry]}))
        if key.keyid == keyid:
            return key
    return None


@lru_cache(256)
def _read(document: str) -> TrustedKey:
    """A few keys signed for thousands of pledges."""
    (key,) = trust_from_bytes(document.encode(), where=FILE).keys
    return replace(key, roles=frozenset({"bundle"}))


def _narrowed(said: TrustedKey, held: TrustedKey | None) -> TrustedKey:
    """What is said now, and never a longer time than was known."""
    ends = [t for t in (said.valid_until, held and held.valid_until) if t]
    over = [t for t in (said.revoked_at, held and held.revoked_at) if t]
    return replace(
        said,
        valid_until=min(ends, default=None),
        revoked_at=min(over, default=None),
        roles=frozenset({"bundle"}),
    )


def _write(every: dict[str, Any]) -> None:
    # without it the user is asked to name the key, and nothing is lost
    with suppress(OSError):
        home()
        data = json.dumps(every, indent=1, sort_keys=True).encode()
        write_aside(home_place() / FILE, data + b"\n")


def _all() -> dict[str, Any]:
    try:
        found = json.loads((home_place() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
