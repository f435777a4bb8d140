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
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from collector.attest.keys.keys import PublicKey
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust, TrustedKey, load_trust
from collector.errors import CollectorError, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database.held import Disagrees
from collector.pledges.database.last_kept import place
from collector.pledges.status.latest_bundle import Newest
from collector.private import write_aside
from collector.resources import home, home_place
from collector.verify import times

NAMED = "HOSTPLEDGE_TRUST"
_FILE = "register.signers.json"


class Signers:
    """The keys whose signatures count in the register at `where`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def accept(self, id: str, keys: Iterable[TrustedKey]) -> None:
        """The user attached to the pledge what these keys signed."""
        every = _all()
        known = every.setdefault(place(self._where), {}).setdefault(id, {})
        new = {key.keyid: key.key.pem for key in keys if key.keyid not in known}
        if new:
            known |= new
            # without it the user is asked to name the key, and nothing is lost
            with suppress(OSError):
                home()
                data = json.dumps(every, indent=1, sort_keys=True).encode()
                write_aside(home_place() / _FILE, data + b"\n")

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
        for trust in (*self._trusts, Trust(tuple(self._accepted(id)))):
            known = trust.find(keyid)
            if known is not None:
                return known, trust
        return None

    @cached_property
    def _trusts(self) -> tuple[Trust, ...]:
        """Raises CollectorError where the trust that is named cannot be read."""
        named = os.environ.get(NAMED)
        return (keyring.trust(), *((load_trust(Path(named)),) if named else ()))

    def _accepted(self, id: str) -> Iterator[TrustedKey]:
        known = _all().get(place(self._where), {})
        pems = known.get(id, {}) if isinstance(known, dict) else {}
        for keyid, pem in pems.items() if isinstance(pems, dict) else ():
            with suppress(CollectorError, TypeError, AttributeError):
                key = PublicKey.from_pem(pem.encode(), where=_FILE)
                if key.keyid == keyid:
                    yield TrustedKey(key, keyid, roles=frozenset({"bundle"}))


def _all() -> dict[str, Any]:
    try:
        found = json.loads((home_place() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
